"""The mail that the learner works on: lab captures by family in order of time, and other mail beside them."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

FIRST_PART = 0.75
"""Share of a family's lab mail, the earliest, that rules are made from."""
SMALL_FAMILY = 20
"""With fewer lab messages there is nothing to keep back; the rules say so."""
MAX_LAB = 4000
"""Lab messages per family that are looked at, evenly over time."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One message, as far as the learner looks at it."""

    sha256: str
    day: dt.date | None
    rendering: str


@dataclass(frozen=True, slots=True)
class Family:
    """One family's lab mail."""

    name: str
    mail: tuple[Mail, ...]
    """In order of time."""
    first: tuple[Mail, ...]
    """What rules are made from; all of it for a small family."""
    rest: tuple[Mail, ...]
    """What is kept back: the latest."""


def read_mail(table: pa.Table) -> list[Mail]:
    """Rows as messages: one a content, in order of time and hash."""
    if table.num_rows == 0:
        return []
    times = (
        table["received_at"].to_pylist() if "received_at" in table.column_names else [None] * table.num_rows
    )
    found: dict[str, tuple[dt.datetime | None, str]] = {}
    for sha256, time, rendering in zip(
        table["sha256"].to_pylist(), times, table["rendering"].to_pylist(), strict=True
    ):
        before = found.get(sha256)
        if before is None or _when(time) < _when(before[0]):
            found[sha256] = (time, rendering or "")
    order = sorted(found, key=lambda sha256: (_when(found[sha256][0]), sha256))
    return [Mail(sha256, _day(found[sha256][0]), found[sha256][1]) for sha256 in order]


def _day(time: dt.datetime | None) -> dt.date | None:
    return time.date() if time else None


def _when(time: dt.datetime | None) -> float:
    return time.timestamp() if time else float("-inf")


def read_families(lab: pa.Table) -> list[Family]:
    """Lab mail by family, in order of name; split in time."""
    import pyarrow.compute as pc

    families = []
    for name in sorted({name for name in lab["lab"].unique().to_pylist() if name}):
        mail = evenly(read_mail(lab.filter(pc.equal(lab["lab"], name))), MAX_LAB)
        cut = len(mail) if len(mail) < SMALL_FAMILY else int(FIRST_PART * len(mail))
        families.append(Family(name, tuple(mail), tuple(mail[:cut]), tuple(mail[cut:])))
    return families


def evenly(mail: Sequence[Mail], most: int) -> list[Mail]:
    """At most `most` messages, spread evenly over the sequence."""
    if len(mail) <= most:
        return list(mail)
    return [mail[i * len(mail) // most] for i in range(most)]


def half(sha256: str) -> bool:
    """Whether the learner may look at a message of the other mail; decided by its hash, so for ever."""
    return hashlib.sha256(sha256.encode()).digest()[0] < 128  # noqa: PLR2004 - half of a byte's values
