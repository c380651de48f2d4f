"""Counts of answered messages by day and by campaign: what `daily` and `sightings` hold.

Messages are alike in texts of which there are few, each in a column of codes; all that they are counted by
fits one number, and numbers are counted several times as fast as texts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from spamtide.schema import DAILY, SIGHTINGS
from spamtide.store.coded import codes_of
from spamtide.store.lake import Lake

COUNTED = ["week", "received_at", "sensor", "label", "lab", "simulated", "relay", "campaign", "subject"]
"""Columns of EVIDENCE that answers are counted by."""
FEW = ["sensor", "label", "lab", "relay", "campaign"]
"""Those of them with few distinct texts."""

_DAY = 86_400_000_000
_MOST_KINDS = 2**62
"""Kinds that one number tells apart; before there are more, they are numbered anew."""

Codes = NDArray[np.int64]


def count_days(lake: Lake, answered: pa.Table) -> pa.Table:
    """DAILY of answered messages: COUNTED with botnet and programme."""
    moment = answered["received_at"].cast(pa.int64()).combine_chunks()
    days = pc.cast(np.floor_divide(pc.fill_null(moment, 0).to_numpy(), _DAY), pa.int32())
    dated = pc.if_else(pc.is_valid(moment), days, pa.scalar(None, pa.int32()))
    columns = [("week", answered["week"]), ("day", dated)]
    columns += [(name, answered[name]) for name in
                ("sensor", "label", "lab", "simulated", "botnet", "programme", "relay")]  # fmt: skip
    kinds = _Kinds([column for _, column in columns])
    found = lake.query(
        """
        SELECT kind, count(*) AS messages, min(received_at) AS first_seen, max(received_at) AS last_seen
        FROM answered GROUP BY kind ORDER BY kind
        """,
        answered=pa.table({"kind": kinds.kind, "received_at": answered["received_at"]}),
    )
    told = dict(zip((name for name, _ in columns), kinds.values(found["kind"].to_numpy()), strict=True))
    told |= {name: found[name] for name in ("messages", "first_seen", "last_seen")}
    return pa.table([told[name] for name in DAILY.names], names=DAILY.names).cast(DAILY)


def count_sightings(lake: Lake, answered: pa.Table) -> pa.Table:
    """SIGHTINGS of answered messages: COUNTED with botnet and programme."""
    spam = pc.and_(pc.equal(answered["label"].cast(pa.string()), "spam"), pc.is_valid(answered["campaign"]))
    rows = answered.filter(pc.fill_null(spam, fill_value=False))
    names = ("week", "campaign", "botnet", "programme")
    kinds = _Kinds([rows[name] for name in names])
    found = lake.query(
        """
        SELECT kind, count(*) FILTER (WHERE wild) AS messages,
               min(received_at) FILTER (WHERE wild) AS first_seen,
               max(received_at) FILTER (WHERE wild) AS last_seen,
               min(subject) FILTER (WHERE wild) AS subject, count(*) FILTER (WHERE NOT wild) AS lab
        FROM answered GROUP BY kind ORDER BY kind
        """,
        answered=pa.table({"kind": kinds.kind, "wild": pc.is_null(rows["lab"]),
                           "received_at": rows["received_at"], "subject": rows["subject"]}),
    )  # fmt: skip
    told = dict(zip(names, kinds.values(found["kind"].to_numpy()), strict=True))
    told |= {name: found[name] for name in ("messages", "first_seen", "last_seen", "subject", "lab")}
    return pa.table([told[name] for name in SIGHTINGS.names], names=SIGHTINGS.names).cast(SIGHTINGS)


class _Kinds:
    """Rows that are alike in some columns as one number, in the order of the columns' values, null last."""

    def __init__(self, columns: Sequence[pa.ChunkedArray | pa.Array]) -> None:
        self._steps: list[tuple[pa.Array, Codes | None]] = []
        """By column: its values, null the last of them; and the kinds of the columns before, if numbered."""
        self.kind: Codes = np.zeros(len(columns[0]), dtype=np.int64)
        size = 1
        for column in columns:
            codes, values = _in_order(column)
            known = None
            if size * len(values) >= _MOST_KINDS:
                known, self.kind = np.unique(self.kind, return_inverse=True)
                size = len(known)
            self._steps.append((values, known))
            self.kind = self.kind * len(values) + codes
            size *= len(values)

    def values(self, kinds: Codes) -> list[pa.Array]:
        """The values of some kinds, by column."""
        found = []
        for values, known in self._steps[::-1]:
            kinds, code = np.divmod(kinds, len(values))
            found.append(values.take(pa.array(code)))
            if known is not None:
                kinds = known[kinds]
        return found[::-1]


def _in_order(column: pa.ChunkedArray | pa.Array) -> tuple[Codes, pa.Array]:
    """Each value's place among the distinct ones in order, and these with null as the last."""
    codes, values = codes_of(column)
    order = np.asarray(pc.sort_indices(values)).astype(np.int64)
    place = np.empty(len(order) + 1, dtype=np.int64)
    place[order] = np.arange(len(order))
    place[-1] = len(order)
    there = np.asarray(pc.fill_null(codes, len(order)))
    return place[there], pa.concat_arrays([values.take(pa.array(order)), pa.nulls(1, values.type)])
