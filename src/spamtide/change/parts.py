"""Date a move of all mail by the moves that it is made of.

Botnets that fall one after the other make the total fall in several ramps, with days between them on which
it stands still. Read as one ramp, the last of them is lost among the days' noise: where most of a fall is
over, a tenth of it is less than all mail differs from day to day, and more than plain in the botnet's own.
A total is off its level from the day on which the first of its parts is, and at its new one when the last is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from spamtide.change.causes.telling import UNTOLD, Judged
from spamtide.change.moves.event import Event
from spamtide.change.moves.spread import Spread, estimates
from spamtide.model import Floats

NOTEWORTHY = 0.05
"""Share of the total's move from which a botnet's is a part of it that dates it."""
LEAST, MOST = 0.85, 1.2
"""Shares of the total's move that its parts must add up to: what else moved may have moved at other times."""
AROUND = dt.timedelta(days=7)
"""Days off the total's own dates at which a part may have begun."""
TOGETHER = 1
"""Days between the dates of parts that moved together."""
FEWEST = 2
"""Parts from which on the total is dated by them."""


def dated_by_parts(judged: Sequence[Judged]) -> Iterator[Judged]:
    """Every judged event; those of the total with the dates of its parts, where these are known.

    Args:
        judged: what is believed of all series, with its causes.
    """
    for item in judged:
        parts = _parts(item, judged) if item.subject[0] == "total" else []
        yield replace(item, event=_dated(item.event, parts)) if parts else item


def _parts(total: Judged, judged: Sequence[Judged]) -> list[Event]:
    """The moves that a move of the total is made of; none where they are not known well enough."""
    whole = total.event
    amount = whole.before - whole.after
    if whole.kind == "surge" or whole.settled is None or not amount:
        return []
    found = []
    for item in judged:
        event = item.event
        share = (event.before - event.after) / amount
        if not belongs(item) or abs(share) < NOTEWORTHY or not _meets(event, whole):
            continue
        if event.kind != whole.kind or event.begun is None or event.settled is None:
            return []
        found.append((share, event))
    explained = sum(share for share, _ in found)
    found.sort(key=lambda one: -one[0])
    return [event for _, event in found] if len(found) >= FEWEST and LEAST <= explained <= MOST else []


def belongs(item: Judged) -> bool:
    """Whether an event is a botnet's move of its own, which the total moves with."""
    return (
        item.subject[0] == "botnet"
        and item.cause not in UNTOLD
        and item.cause != "attribution"
        and item.event.kind != "surge"
    )


def _meets(event: Event, whole: Event) -> bool:
    """Whether a botnet's move may belong to a move of the total."""
    last = whole.end_high or whole.onset_high
    return (
        whole.since <= event.onset < whole.until and whole.onset_low - AROUND <= event.onset <= last + AROUND
    )


def _dated(whole: Event, parts: Sequence[Event]) -> Event:
    """The total's move with the first day of its first part, and the day on which the last one is over."""
    begun = first_of([part.begun for part in parts if part.begun is not None])
    settled = last_of([part.settled for part in parts if part.settled is not None])
    onset, end = estimates("rise" if whole.kind == "rise" else "fall", begun, settled)
    day = dt.date.fromordinal
    point = max(end.point, onset.point)
    return replace(
        whole,
        onset=day(onset.point),
        onset_low=day(onset.low),
        onset_high=day(onset.high),
        end=day(point),
        end_low=day(min(end.low, point)),
        end_high=day(max(end.high, point)),
        begun=begun,
        settled=settled,
    )


def last_of(spreads: Sequence[Spread]) -> Spread:
    """The latest of several dates, the largest part's first."""
    found, *others = spreads
    for one in others:
        found = _later(found, one)
    return found


def _later(known: Spread, other: Spread) -> Spread:
    """The later of two dates. That they lie within TOGETHER is as likely beforehand as that they do not.

    Botnets that lose one host stop together, others one by one. A date that is known badly, as that of a
    small botnet's half loss, would else pull the total's away from what larger ones show plainly.
    """
    days, others = (one.first + np.arange(len(one.mass)) for one in (known, other))
    near = np.abs(days[:, None] - others) <= TOGETHER
    # Together, the other's date is one of so many days; apart, any of those that it could be.
    weight = 1 + near * len(others) / (2 * TOGETHER + 1)
    later = np.maximum(days[:, None], others)
    first = int(later.min())

    def latest(*, slower: bool) -> Floats:
        chance = np.outer(known.under(slower=slower), other.under(slower=slower)) * weight
        mass = np.bincount((later - first).ravel(), chance.ravel())
        return np.asarray(mass / mass.sum(), dtype=np.float64)

    either = known.slower is not None or other.slower is not None
    return Spread(first, latest(slower=False), latest(slower=True) if either else None)


def first_of(spreads: Sequence[Spread]) -> Spread:
    """The earliest of several dates: the latest in reversed time."""
    return last_of([one.mirrored(0) for one in spreads]).mirrored(0)
