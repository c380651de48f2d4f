"""What moved in one series, as a dated record, and a series' units as days."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Literal

from spamtide.change.moves.date import Ramp
from spamtide.change.moves.extent import Reach
from spamtide.change.moves.segment import Track
from spamtide.change.moves.spread import Spread

EventKind = Literal["fall", "rise", "surge"]


@dataclass(frozen=True, slots=True)
class Event:
    """One move of one series."""

    kind: EventKind
    onset: dt.date
    onset_low: dt.date
    onset_high: dt.date
    end: dt.date | None
    """None, like its bounds, when the move may still be going on."""
    end_low: dt.date | None
    end_high: dt.date | None
    before: float
    """Messages a day at usual exposure."""
    after: float
    """The same after it; during it for a surge."""
    since: dt.date
    """First day after the move before this one, or of the series."""
    until: dt.date
    """First day of the move after this one, or one past the series."""
    gain: float
    """Twice the log-likelihood ratio, corrected for serial correlation."""
    p_value: float
    """Chance of such a gain anywhere in a series that does not change."""
    peak_before: float
    """Highest level that held for a week or more before the level before; 0 when there is none."""
    silent_before: bool
    """The subject was never seen before the event."""
    step: int
    """Days in a unit of the series: 1, or 7 for a thin one."""
    alarmed: float | None = None
    """Of an event that only the online alarm knows of yet: how sure that is, 0-1."""
    begun: Spread | None = None
    """Posterior of the first day off the level before, by ordinal day; None of a surge or a thin series."""
    settled: Spread | None = None
    """The same of the first day at the level after; None while the move may still be going on."""
    parts: tuple[tuple[str, float], ...] = ()
    """Of a move of the total that is known by its parts alone: whose they are, and messages a day more."""
    reach: Reach | None = None
    """The levels next to it, one over the other; `before` and `after` are those of all that was cut out."""

    @property
    def ratio(self) -> float | None:
        """Level after against level before; None when there was nothing before."""
        return self.after / self.before if self.before > 0 else None


def doubt_of(ramp: Ramp) -> tuple[int, int, int, int]:
    """Units in which a move may have begun, and may have been over."""
    return ramp.onset.low, ramp.onset.high, ramp.end.low, ramp.end.high


def by_day(track: Track, spread: Spread) -> Spread | None:
    """A posterior by unit as one by ordinal day; None where a unit is a week."""
    return replace(spread, first=track.day(spread.first).toordinal()) if track.step == 1 else None


def level_of(track: Track, begin: int, end: int, otherwise: float) -> float:
    """Weighted mean rate a day over units [begin, end)."""
    weight = track.weight[begin:end]
    if weight.sum() <= 0:
        return otherwise / track.step
    return float((weight * track.told[begin:end]).sum() / weight.sum()) / track.step


def dates_of(
    track: Track, ramp: Ramp
) -> tuple[tuple[dt.date, dt.date, dt.date], tuple[dt.date | None, dt.date | None, dt.date | None]]:
    """Units as days. A week as a unit stands for each of its days, and the interval takes in all of them."""
    slack = dt.timedelta(days=track.step - 1)
    half = dt.timedelta(days=track.step // 2)
    onset = (
        track.day(ramp.onset.point) + half,
        track.day(ramp.onset.low),
        track.day(ramp.onset.high) + slack,
    )
    if ramp.end.high >= len(track.count) - 1 and track.step == 1:
        return onset, (None, None, None)
    end = max(track.day(ramp.end.point), onset[0])
    return onset, (end, min(track.day(ramp.end.low) - slack, end), max(track.day(ramp.end.high), end))
