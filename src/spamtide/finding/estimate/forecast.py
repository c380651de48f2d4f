"""The index of the days to come if nothing happens, and how such forecasts did in the past."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spamtide.finding.estimate.levels import Days, Level
from spamtide.finding.figures import Figure
from spamtide.model import Counts, Floats
from spamtide.model import Days as Calendar

Z80 = 1.2815515655446004
"""Two-sided 80 % of the normal distribution."""
LEAST_PAST = 10
"""Days with somebody up from which a forecast is made."""
WEEK, MONTH = 7, 28
MOST_TESTS = 12
"""Past weeks that a forecast is held against."""
PAST = 28
"""Days without a change that a test of the past needs before it."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Mean index of the next week and of the next four weeks, with 80 % intervals."""

    first: int
    """Position of the first day that it was made from."""
    week: Figure
    month: Figure


@dataclass(frozen=True, slots=True)
class ForecastTest:
    """Weeks of the past that were forecast, and how many came out inside the 80 % interval."""

    intervals: int
    held: int


def forecasts(counts: Counts, offset: Floats, days: Calendar, start: int) -> Forecast | None:
    """Forecast the mean index of the days to come from the days since the last change.

    Args:
        counts: messages a day, shape (days,).
        offset: messages expected a day at index 100, shape (days,); 0 where nobody was up.
        days: the days.
        start: position of the first day since the last change.

    Returns:
        The forecast; None where the days since are too few, or nobody is up on the last one.
    """
    past = _days(counts, offset, days, start, len(counts))
    if not _enough(past) or offset[-1] <= 0:
        return None
    level = Level(past)
    weekday = (past.weekday[-1] + 1 + np.arange(MONTH)) % 7
    ahead = Days(np.zeros(MONTH), np.full(MONTH, float(offset[-1])), weekday)
    week, month = (_index(level, ahead.part(0, n)) for n in (WEEK, MONTH))
    return Forecast(max(start, len(counts) - len(past.counts)), week, month)


def forecast_test(
    counts: Counts, offset: Floats, days: Calendar, breaks: Sequence[int], most: int = MOST_TESTS
) -> ForecastTest:
    """Forecast past weeks, the latest first, that had PAST days before them and no change in between.

    Args:
        counts: messages a day, shape (days,).
        offset: messages expected a day at index 100, shape (days,); 0 where nobody was up.
        days: the days.
        breaks: positions of days on which something changed.
        most: weeks that are forecast at most.
    """
    held = made = 0
    for end in range(len(counts), PAST + WEEK - 1, -WEEK):
        origin = end - WEEK
        if any(origin - PAST < day < end for day in breaks) or made >= most:
            continue
        start = max((day for day in breaks if day <= origin - PAST), default=0)
        past, week = (_days(counts, offset, days, *span) for span in ((start, origin), (origin, end)))
        if not _enough(past) or not (week.offset > 0).all():
            continue
        expected = Level(past).expect(week)
        low, high = _interval(expected.mean, expected.error, expected.dispersion(expected.mean))
        made += 1
        held += low <= float(week.counts.sum()) <= high
    return ForecastTest(made, held)


def _days(counts: Counts, offset: Floats, days: Calendar, start: int, stop: int) -> Days:
    """Part of a series as the level's fit wants it. 1 January 1970 was a Thursday."""
    weekday = (days[start:stop].astype("datetime64[D]").astype(np.int64) + 3) % 7
    return Days(counts[start:stop].astype(float), offset[start:stop].astype(float), weekday)


def _enough(past: Days) -> bool:
    """Whether there are days and mail to forecast from."""
    return int((past.offset > 0).sum()) >= LEAST_PAST and float(past.counts.sum()) > 0


def _index(level: Level, ahead: Days) -> Figure:
    """Mean index over some days ahead."""
    expected = level.expect(ahead)
    low, high = _interval(expected.mean, expected.error, expected.dispersion(expected.mean))
    scale = 100 / float(ahead.offset.sum())
    return Figure(scale * expected.mean, scale * low, scale * high)


def _interval(mean: float, error: float, dispersion: float) -> tuple[float, float]:
    """80 % interval of a count to come: the level's error and the count's own scatter, on the log scale."""
    spread = math.sqrt(error**2 + dispersion / max(mean, 1e-9))
    return mean * math.exp(-Z80 * spread), mean * math.exp(Z80 * spread)
