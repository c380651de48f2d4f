"""Names of campaigns: minted once, carried ever after, and what became of them.

A name is derived from the first message once, when it is minted, and is never derived again. Where two
campaigns turn out to be one, the name that most messages go by survives, the older one among equals, and a
row says so; `resolve` follows those rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from spamtide.schema import EXEMPLARS, LINEAGE, TIMESTAMP

PREFIX = "c-"
NAME_CHARACTERS = 6
"""30 bits: among 100,000 campaigns some five names collide and are minted again."""
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no i, l, o, u, so a name can be read over the telephone."""
_BITS = 5


@dataclass(frozen=True, slots=True)
class CampaignState:
    """All that clustering remembers between runs."""

    exemplars: pa.Table
    """schema.EXEMPLARS: the sketches that stand for each campaign."""
    lineage: pa.Table
    """schema.LINEAGE: what happened to the names, oldest entry first."""

    @classmethod
    def empty(cls) -> CampaignState:
        """Return the state before the first message."""
        return cls(EXEMPLARS.empty_table(), LINEAGE.empty_table())


def mint(sha256: str, taken: set[str]) -> str:
    """Make a name for a campaign from its first message, and add it to `taken`.

    Where the name is taken, the message's hash is hashed again with a counter until one is free.
    """
    attempt = 0
    while True:
        digest = hashlib.sha256(f"{sha256}:{attempt}".encode()).digest()
        bits = int.from_bytes(digest[:8], "big")
        name = PREFIX + "".join(_ALPHABET[bits >> (_BITS * place) & 31] for place in range(NAME_CHARACTERS))
        if name not in taken:
            taken.add(name)
            return name
        attempt += 1


def names_ever(lineage: pa.Table) -> set[str]:
    """Every name that was ever minted or absorbed; none of them is given again."""
    return {name for column in ("campaign", "other") for name in lineage[column].to_pylist() if name}


Event = tuple[int, str, str, str | None]
"""(microseconds or NEVER, kind, campaign, other): a row of lineage."""
NEVER = int(np.iinfo(np.int64).max)
"""Time of a message that has none: sorts last."""


def events_table(events: Sequence[Event]) -> pa.Table:
    """Rows of lineage as a table."""
    times = [None if event[0] == NEVER else event[0] for event in events]
    columns = [pa.array(times, pa.int64()).cast(TIMESTAMP)]
    columns += [pa.array([event[place] for event in events], pa.string()) for place in (1, 2, 3)]
    return pa.table(columns, schema=LINEAGE)


def parents(lineage: pa.Table) -> dict[str, str]:
    """Name -> the name that it was put under last; a name that was split off again is under none."""
    into: dict[str, str] = {}
    columns = (lineage[name].to_pylist() for name in ("kind", "campaign", "other"))
    for kind, campaign, other in zip(*columns, strict=True):
        if not other or not campaign or other == campaign:
            continue
        if kind == "merged":
            into[other] = campaign
        elif kind == "split":
            into.pop(other, None)
    return into


def resolve(lineage: pa.Table | Mapping[str, str]) -> dict[str, str]:
    """Absorbed name -> name that it goes by now, through as many mergers and splits as there were.

    Takes the lineage, or `parents` of it. A name that goes by itself is not in the answer. A lineage that
    runs in a circle, which this program never writes, ends at the smallest name of the circle.
    """
    into = parents(lineage) if isinstance(lineage, pa.Table) else lineage
    resolved: dict[str, str] = {}
    for name in into:
        path: dict[str, None] = {}
        here = name
        while here in into and here not in resolved and here not in path:
            path[here] = None
            here = into[here]
        if here in path:
            steps = list(path)
            here = min(steps[steps.index(here) :])
        end = resolved.get(here, here)
        resolved.update(dict.fromkeys(path, end))
    return {absorbed: survivor for absorbed, survivor in resolved.items() if absorbed != survivor}
