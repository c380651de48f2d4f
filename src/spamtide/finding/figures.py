"""Numbers with their intervals: the small statistics behind what is said.

All intervals are 95 %. A number that cannot be known is NaN and is worded as unknown.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from spamtide.model import Contribution, Counts, Days, Floats, IndexSeries
from spamtide.wilson import Z95, mover, poisson_bounds, wilson

CORRELATION_CAP = 0.9
"""Serial correlation that is believed at most."""
SURE = 0.999
Window = tuple[dt.date, dt.date]
"""First and last day, both inside."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number as it will be said: value, interval and unit."""

    value: float
    low: float | None = None
    """None where the number is counted, not estimated."""
    high: float | None = None
    unit: Literal["", "percent", "times", "days"] = ""

    @property
    def sure(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    def flipped(self) -> Figure:
        """The same number with the other sign: a fall of 3 for a change of -3."""
        low = None if self.high is None else -self.high
        high = None if self.low is None else -self.low
        return Figure(-self.value, low, high, self.unit)


def day_slice(days: Days, window: Window) -> slice:
    """Positions of a window in consecutive days; empty where they do not meet."""
    if not days.size:
        return slice(0, 0)
    first = int((np.datetime64(window[0], "D") - days[0]).astype(int))
    last = int((np.datetime64(window[1], "D") - days[0]).astype(int))
    return slice(min(max(first, 0), days.size), min(max(last + 1, 0), days.size))


def share_of(k: int, n: int) -> Figure:
    """Share k of n in percent, with Wilson's score interval (Wilson 1927).

    All or nothing is never surer than SURE, however many there are: messages are not independent.
    """
    if n <= 0:
        return Figure(math.nan, math.nan, math.nan, "percent")
    low, high = wilson(k / n, n)
    if k == 0:
        low, high = 0.0, max(high, 1 - SURE)
    if k == n:
        low, high = min(low, SURE), 1.0
    return Figure(100 * k / n, 100 * low, 100 * high, "percent")


@dataclass(frozen=True, slots=True)
class Rate:
    """Messages per unit of exposure over a window."""

    count: int
    exposure: float
    """Sum of the offsets of its days."""
    dispersion: float
    """Variance of the count over its mean."""


def rate(counts: Counts, offset: Floats, window: slice, correlation: float = 0.0) -> Rate:
    """Rate over a window, its dispersion estimated from the days (Pearson) and never below Poisson's 1.

    Args:
        counts: messages a day, shape (days,).
        offset: messages expected a day at index 100, shape (days,); 0 where nobody was up.
        window: positions of the days.
        correlation: from one day to the next; widens the dispersion by (1 + r) / (1 - r).
    """
    usable = offset[window] > 0
    x = counts[window][usable].astype(float)
    e = offset[window][usable].astype(float)
    total, exposure = float(x.sum()), float(e.sum())
    dispersion = 1.0
    if x.size > 1 and total > 0:
        expected = e * total / exposure
        dispersion = max(float(((x - expected) ** 2 / expected).sum() / (x.size - 1)), 1.0)
    return Rate(int(total), exposure, dispersion * inflation(correlation))


def inflation(correlation: float) -> float:
    """How much serial correlation widens the variance of a mean over days."""
    r = min(max(correlation, 0.0), CORRELATION_CAP) if math.isfinite(correlation) else 0.0
    return (1 + r) / (1 - r)


def ratio(after: Rate, before: Rate) -> Figure:
    """Rate after over rate before, by MOVER-R (Donner and Zou 2012) from the two score intervals."""
    if after.exposure <= 0 or before.exposure <= 0 or before.count == 0:
        return Figure(math.nan, math.nan, math.nan, "times")
    now, was = ((float(one.count), *poisson_bounds(one.count, one.dispersion)) for one in (after, before))
    low, high = mover(now, was)
    scale = before.exposure / after.exposure
    return Figure(scale * after.count / before.count, scale * low, scale * high, "times")


def level(series: IndexSeries, window: Window) -> Figure:
    """Mean index over a window; its interval from the days' own, widened for serial correlation."""
    part = day_slice(series.days, window)
    index, low, high = series.index[part], series.low[part], series.high[part]
    known = np.isfinite(index) & np.isfinite(low) & np.isfinite(high)
    if not known.any():
        return Figure(math.nan, math.nan, math.nan)
    mean = float(index[known].mean())
    errors = (high[known] - low[known]) / (2 * Z95)
    error = math.sqrt(float((errors**2).sum()) * inflation(series.serial_correlation)) / int(known.sum())
    return Figure(mean, max(mean - Z95 * error, 0.0), mean + Z95 * error)


def percent_change(after: Figure, before: Figure) -> Figure:
    """Relative change in percent between two levels, errors combined on the log scale."""
    if not (after.value > 0 and before.value > 0):
        return Figure(math.nan, math.nan, math.nan, "percent")
    error = math.hypot(_relative_error(after), _relative_error(before))
    logs = math.log(after.value / before.value)
    return Figure(
        100 * math.expm1(logs),
        100 * math.expm1(logs - Z95 * error),
        100 * math.expm1(logs + Z95 * error),
        "percent",
    )


def _relative_error(figure: Figure) -> float:
    """Standard error over value."""
    if figure.low is None or figure.high is None or figure.value <= 0:
        return 0.0
    return (figure.high - figure.low) / (2 * Z95 * figure.value)


def figure_of(part: Contribution) -> Figure:
    """A contribution as a figure."""
    return Figure(part.points, part.low, part.high)


def total_of(figures: list[Figure]) -> Figure:
    """Sum of independent figures, their half widths combined in quadrature."""
    value = sum(f.value for f in figures)
    down = math.sqrt(sum((f.value - f.low) ** 2 for f in figures if f.low is not None))
    up = math.sqrt(sum((f.high - f.value) ** 2 for f in figures if f.high is not None))
    return Figure(value, value - down, value + up)
