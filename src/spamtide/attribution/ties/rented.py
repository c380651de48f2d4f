"""Rented engines: what is known of others who use a family's mail engine, from where addresses did tell.

Where addresses tell nothing, an engine that is one family's alone names it, and one that others rent names
nobody; nor does it begin a fleet from mail that may be theirs. Whether others rent it is counted by week,
over all time: a kit does not return to one owner because the lab has stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from spamtide.attribution.ties.association import Flags, Ints
from spamtide.attribution.ties.fleet import JOINS, STEP
from spamtide.schema import KITS, UNDATED

LEAST_OTHERS, OTHERS = 20, 0.1
"""Messages with a family's engine that are surely not its own, and their share of what addresses told of,
from which the engine is known to be rented."""
SURE = round(JOINS / STEP)
"""Steps for or against a family from which a message counts as its own, or as another's."""
_WEEK = 7


def count_kits(
    asked: Ints, kin: Ints, told: Flags, days: Ints, names: Sequence[str], rows: Flags
) -> pa.Table:
    """KITS of some rows.

    Args:
        asked: number of the family whose engine alone each row has; negative for none.
        kin: what its fleet says, in steps.
        told: whether it says anything.
        days: day of each row; of a row without a believable time nothing is told.
        names: the families.
        rows: the rows that count.
    """
    kinds = np.where(told & (kin >= SURE), 0, np.where(told & (kin <= -SURE), 1, 2))
    chosen = np.flatnonzero(rows & (asked >= 0))
    weeks = np.where(days[chosen] // _WEEK > UNDATED, days[chosen] // _WEEK, UNDATED)
    keys, counts = np.unique(np.stack([weeks, asked[chosen], kinds[chosen]]), axis=1, return_counts=True)
    table: dict[tuple[int, int], list[int]] = {}
    for (week, family, kind), count in zip(keys.T.tolist(), counts.tolist(), strict=True):
        table.setdefault((week, family), [0, 0, 0])[kind] += count
    found = [
        {"week": week, "botnet": names[family], "own": own, "others": others, "untold": untold}
        for (week, family), (own, others, untold) in table.items()
    ]
    return pa.Table.from_pylist(found, schema=KITS)


def rented(kits: pa.Table) -> frozenset[str]:
    """Families whose engine others are known to use as well, from KITS of all weeks."""
    own: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for row in kits.to_pylist():
        own[row["botnet"]] += row["own"]
        others[row["botnet"]] += row["others"]
    return frozenset(
        name
        for name, count in others.items()
        if count >= LEAST_OTHERS and count >= OTHERS * (count + own[name])
    )


def weeks_of_engines(kits: pa.Table, names: frozenset[str]) -> set[int]:
    """Weeks with mail that has the engine of some families: their answers hang on whether it is rented."""
    return {row["week"] for row in kits.to_pylist() if row["botnet"] in names}
