"""Prepare a daily count series and cut it into stretches of constant level.

A day's count is taken as negative binomial with mean `level x weekday x exposure` and size r, so that its
variance is mean + mean**2 / r. Days on which no sensor was up are missing, never zero.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spamtide.change.moves.median import medians
from spamtide.change.moves.pause import pauses
from spamtide.compiled import native
from spamtide.model import Counts, Days, Floats

Bools = NDArray[np.bool_]
Direction = Literal["fall", "rise"]

WEEK = 7
THIN = 1.0
"""Messages a day, in the busiest four weeks, below which a series is looked at by the week."""
LONGEST_DAILY = 2000
"""Days beyond which a series is looked at by the week, because cutting takes quadratic time."""
LEAST_EXPOSURE = 0.05
"""Share of the usual exposure below which a day says nothing and counts as missing."""
HABIT, HABIT_WEEKS = 0.9, 8
"""Share of weeks in which a botnet must keep a day of the week free for that to be its habit, and weeks."""
HARDLY = 0.2
"""Share of a usual day's mail that it brings on such days at most."""
HABIT_SHOWS = 40.0
"""Messages on as many days like others from which on a free day of the week is no chance."""
AS_ON_OTHERS = 0.5
"""Share of a working day's mail from which on a day off counts as a day like the others."""
MOST_EXPOSURE = 1000.0
"""Times the usual exposure that are believed of a day."""
STEADY_PENALTY = 3.0
DRIFTING_PENALTY = 5.0
"""Cost of one change point in units of log n: for levels that hold still, and for levels that drift."""
POISSON_SIZE = 1000.0
"""NB size that stands for no over-dispersion."""
SLIGHT = 1e-9
"""In the place of a zero by which is divided."""
EVEN_DAYS = 1.5
"""Standard deviations of a day that a level must move by, in a series whose days are even."""
BUSY = 3.0
"""Mean of a window from which on its own variance tells: below it the ratio is noise."""
FLOODED, MANY = 1 / 3, 1 / 4
"""Median over mean below which a busy window holds a flood, and the share of windows from which on they are
no floods but how the series is; of days with the week around them the same."""
_BLOCK = 32
"""Ends of segments whose costs are reckoned at once: fewer calls, and little memory."""


@dataclass(frozen=True, slots=True)
class Track:
    """One series made ready: units (days, or weeks of a thin series) in order, missing ones included."""

    start: dt.date
    """First day of the first unit."""
    step: int
    """Days in a unit: 1 or 7."""
    count: Floats
    """Messages in each unit."""
    offset: Floats
    """weekday x exposure, 1 on an average day of usual exposure; 0 where the unit is missing."""
    weight: Floats
    """Information of a unit against one of usual exposure; 0 where it is missing."""
    size: float
    """NB size r."""
    pausing: bool = False
    """It sends in bursts, and is missing in its pauses."""
    rate: Floats = field(init=False, repr=False, compare=False)
    """Counts at usual exposure, NaN where missing."""
    told: Floats = field(init=False, repr=False, compare=False)
    """The same, 0 where missing."""

    def __post_init__(self) -> None:
        """Reckon once what is asked a hundred times."""
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(self.offset > 0, self.count / self.offset, np.nan)
        for name, values in (("rate", rate), ("told", np.nan_to_num(rate))):
            values.flags.writeable = False
            object.__setattr__(self, name, values)

    @property
    def observed(self) -> Bools:
        """Units that are not missing."""
        return self.offset > 0

    def bar(self, ratio: float) -> float:
        """Share of the level before below which a fall is a move, and above whose inverse a rise.

        What is news depends on how even days are: a third less of all spam is, while a botnet's days differ
        by as much. The bar lies EVEN_DAYS standard deviations of a day below the level, but not below
        `ratio`, nor above its root: in the evenest series a move is half as deep, on a log scale.
        """
        mass = float(self.offset.sum())
        if mass <= 0 or self.step != 1:
            return ratio
        level = max(float(self.count[self.observed].sum()) / mass, SLIGHT)
        spread = float(np.sqrt(1 / level + 1 / self.size))
        return max(ratio, min(math.sqrt(ratio), math.exp(-EVEN_DAYS * spread)))

    def day(self, unit: int) -> dt.date:
        """First day of a unit."""
        return self.start + dt.timedelta(days=unit * self.step)

    def without(self, units: slice) -> Track:
        """The same track with some units made missing."""
        offset, weight = self.offset.copy(), self.weight.copy()
        offset[units] = 0.0
        weight[units] = 0.0
        return replace(self, offset=offset, weight=weight)


@dataclass(frozen=True, slots=True)
class Segments:
    """A track cut into stretches of constant level."""

    starts: tuple[int, ...]
    """First unit of each segment; the first is the first observed unit."""
    stop: int
    """One past the last observed unit."""
    levels: tuple[float, ...]
    """Mean rate of each segment."""

    def span(self, number: int) -> tuple[int, int]:
        """First unit of a segment and one past its last."""
        after = number + 1
        return self.starts[number], self.starts[after] if after < len(self.starts) else self.stop


def prepare(days: Days, count: Counts, offset: Floats) -> Track:
    """Make a daily series ready for cutting and dating.

    Args:
        days: consecutive days, shape (n,).
        count: messages a day, shape (n,).
        offset: expected count at level 1, shape (n,), in any unit; 0, or less, or no number: missing.
    """
    first: dt.date = days[0].astype(dt.date)
    exposure = relative_exposure(offset)
    values = np.where(exposure > 0, count, 0).astype(np.float64)
    if len(days) <= LONGEST_DAILY and busiest(values, exposure) >= THIN:
        weekday = weekday_offsets(values, exposure)
        if weekday.all():
            with np.errstate(divide="ignore", invalid="ignore"):
                free = pauses(np.where(exposure > 0, values / exposure, np.nan))
            if free is not None:
                return _bursts(first, values, exposure, free)
        weekday = weekday[np.arange(len(values)) % WEEK]
        return _track(first, 1, *_without_days_off(values, exposure, weekday))
    skipped = len(values) % WEEK
    weekly = values[skipped:].reshape(-1, WEEK).sum(axis=1)
    share = relative_exposure(exposure[skipped:].reshape(-1, WEEK).sum(axis=1))
    return _track(first + dt.timedelta(days=skipped), WEEK, weekly, share, np.ones_like(weekly))


def _bursts(first: dt.date, values: Floats, exposure: Floats, free: Bools) -> Track:
    """The track of a series that sends in bursts: its pauses are missing, as days off are."""
    sends = np.where(free, 0.0, exposure)
    weekday = weekday_offsets(np.where(free, 0.0, values), sends)[np.arange(len(values)) % WEEK]
    weekday = np.where(free, 0.0, weekday)
    sends = np.where(weekday > 0, sends, 0.0)
    return replace(_track(first, 1, np.where(sends > 0, values, 0.0), sends, weekday), pausing=True)


def _track(first: dt.date, step: int, values: Floats, exposure: Floats, weekday: Floats) -> Track:
    """Estimate dispersion and the weight of each unit, and put a track together."""
    offset = exposure * weekday
    # Windows of as many days that it sends on: of two a week, none of two weeks would hold enough.
    works = weekday > 0
    size = dispersion(values[works], offset[works], exposure[works])
    level = max(values.sum() / max(offset.sum(), SLIGHT), SLIGHT)
    # The variance of count/exposure is level/exposure + level^2/r: the weight brings it back to that of a
    # day at exposure 1. It is 1 at usual exposure, the exposure itself where counts are Poisson.
    with np.errstate(divide="ignore"):
        weight = (1 / level + 1 / size) / (1 / (level * exposure) + 1 / size)
    return Track(first, step, values, offset, np.where(exposure > 0, weight, 0.0), size)


def _without_days_off(values: Floats, exposure: Floats, weekday: Floats) -> tuple[Floats, Floats, Floats]:
    """Values, exposure and weekdays of a series in which days off without mail are missing.

    A day that a botnet never sends on says nothing of its level and nothing of its unevenness. One on which
    it does send, as on others, counts as one of these.
    """
    off = weekday == 0
    if not off.any():
        return values, exposure, weekday
    works = (exposure > 0) & ~off
    rate = np.full(len(values) + 2 * WEEK, np.nan)
    rate[WEEK:-WEEK][works] = values[works] / (exposure * weekday)[works]
    around = np.lib.stride_tricks.sliding_window_view(rate, 2 * WEEK + 1)
    usual = np.zeros(len(values))
    known = np.isfinite(around).any(axis=1)
    usual[known] = medians(around[known])
    like = float(weekday[~off].mean())
    sends = off & (values > 0) & (values >= AS_ON_OTHERS * usual * exposure * like)
    free = off & ~sends
    return np.where(free, 0.0, values), np.where(free, 0.0, exposure), np.where(sends, like, weekday)


def relative_exposure(offset: Floats) -> Floats:
    """Exposure against its median; 0 where it is too small to say anything."""
    clean = np.where(np.isfinite(offset) & (offset > 0), offset, 0.0)
    if not clean.any():
        return clean
    clean = clean / clean.max()
    # No sensor sees a thousand times its usual mail: such an offset is a fault of its maker.
    with np.errstate(over="ignore"):
        relative = np.minimum(clean / np.median(clean[clean > 0]), MOST_EXPOSURE)
    return np.where(relative < LEAST_EXPOSURE, 0.0, relative)


def busiest(values: Floats, exposure: Floats, window: int = 28) -> float:
    """Messages a day at usual exposure in the busiest `window` consecutive days, or in all if they are fewer.

    Args:
        values: messages a day, shape (n,).
        exposure: against its median, shape (n,); 0 where missing.
        window: days.
    """
    window = min(window, len(values))
    ones = np.ones(window)
    mail = np.convolve(values, ones, "valid")
    seen = np.convolve(exposure, ones, "valid")
    return float(np.max(mail / np.maximum(seen, window / 2)))


def weekday_offsets(values: Floats, exposure: Floats) -> Floats:
    """Factor of each day of the week, shape (7,), mean 1; index 0 is the weekday of the first day.

    Median over weeks of the day's rate against the mean rate of the seven days around it, but for days around
    a flood: in a thin series no others are busy enough. A weekday with fewer than four usable days keeps 1
    before scaling. One on which by its habit the series brings nothing has 0, no other less than .05.
    """
    observed = exposure > 0
    rate = np.where(observed, values / np.where(observed, exposure, 1.0), 0.0)
    ones = np.ones(WEEK)
    around = np.convolve(observed.astype(np.float64), ones, "same")[: len(values)]
    centre = np.convolve(rate, ones, "same")[: len(values)] / np.maximum(around, 1.0)
    weeks = np.full(len(values) + WEEK - 1, np.nan)
    weeks[WEEK // 2 :][: len(values)] = np.where(observed, rate, np.nan)
    usable = observed & (centre > 2)  # noqa: PLR2004 - below two messages a day the ratio is noise
    usual = medians(np.lib.stride_tricks.sliding_window_view(weeks, WEEK)[usable])
    flooded = usable.copy()
    flooded[usable] = usual < FLOODED * centre[usable]
    # As in `dispersion`: a series that is so all the time has floods on some weekdays, say, and no others.
    if flooded.sum() < MANY * observed.sum():
        usable &= ~flooded
    factors, free = np.ones(WEEK), np.zeros(WEEK, dtype=np.bool_)
    for weekday in range(WEEK):
        mine = usable & (np.arange(len(values)) % WEEK == weekday)
        if mine.sum() >= 4:  # noqa: PLR2004 - the fewest days that a median is taken of
            shares = rate[mine] / centre[mine]
            factors[weekday] = np.median(shares)
            kept = np.quantile(shares, HABIT) < HARDLY and centre[mine].sum() >= HABIT_SHOWS
            kept &= mine.sum() >= HABIT_WEEKS
            free[weekday] = kept and factors[weekday] < LEAST_EXPOSURE
    # What comes in bursts has no days off: any weekday may be one on which it hardly ever happened to send.
    free &= bool((factors[~free] >= LEAST_EXPOSURE).all() and not free.all())
    factors = np.where(free, 0.0, np.maximum(factors, LEAST_EXPOSURE))
    scaled: Floats = factors / factors.mean()
    return scaled


def dispersion(values: Floats, offset: Floats, exposure: Floats) -> float:
    """NB size r, by moments within windows of 14 units, which keeps level shifts out of it.

    The median over windows with a mean of at least 3; the 10 % correct for the median of a right-skewed
    statistic. Where no window is that busy, all windows are pooled and one standard error is added: what
    cannot be measured well is taken to be more dispersed, not less. Windows that hold a flood are left out.

    Args:
        values: messages in each unit, shape (n,).
        offset: weekday x exposure, shape (n,); 0 where missing.
        exposure: against its median, shape (n,).

    Returns:
        r of variance = mean + mean**2 / r; at most POISSON_SIZE.
    """
    up, begins = offset > 0, np.arange(0, max(len(values) - 13, 1), 7)
    windows = begins[:, None] + np.arange(min(14, len(values)))
    windows = windows[up[windows].sum(axis=1) >= 8]  # noqa: PLR2004 - the fewest that a variance is taken of
    number = up[windows].sum(axis=1)
    seen, rate, rarity = (
        one[windows]
        for one in (
            up,
            np.where(up, values / np.where(up, offset, 1.0), 0.0),
            up / np.where(up, exposure, 1.0),
        )
    )
    mean = rate.sum(axis=1) / number
    variance = np.where(seen, (rate - mean[:, None]) ** 2, 0.0).sum(axis=1) / (number - 1)
    spread = variance - mean * rarity.sum(axis=1) / number
    busy = mean >= BUSY
    # A flood says nothing of other days. But a series that has them all the time is as uneven as that.
    flooded = busy.copy()
    flooded[busy] = medians(np.where(seen, rate, np.nan)[busy]) < FLOODED * mean[busy]
    if flooded.any() and flooded.sum() < MANY * len(flooded):
        mean, spread, number, busy = (one[~flooded] for one in (mean, spread, number, busy))
    if busy.any():
        ratio = float(np.median(spread[busy] / mean[busy] ** 2))
        return float(1 / max(1.1 * ratio, 1 / POISSON_SIZE))
    excess, square, free = float(spread.sum()), float((mean**2).sum()), int((number - 1).sum())
    if square <= 0:
        return POISSON_SIZE
    # Windows overlap by half, so half of their degrees of freedom are new.
    pooled = excess / square + np.sqrt(4 / free) / np.sqrt(square / (free / 13))
    return float(1 / max(pooled, 1 / POISSON_SIZE))


def cost(total: Floats, number: Floats, size: float) -> Floats:
    """Minus twice the NB log likelihood of segments at their best level, without constant terms.

    Args:
        total: weighted sum of rates of each segment.
        number: sum of weights of each segment.
        size: NB size r.
    """
    mean = total / np.maximum(number, 1e-200)
    quiet = mean <= 1e-9  # noqa: PLR2004 - a level of nothing
    safe = np.where(quiet, 1.0, mean)
    value = -2 * (total * (np.log(safe) - np.log(size + safe)) - number * size * np.log1p(safe / size))
    return np.where(quiet, 0.0, value)


def best_cuts(number: int, penalty: float, costs: Callable[[int, int], Floats], block: int) -> list[int]:
    """Optimal partitioning (Jackson et al. 2005), exact: first places of the best segments.

    Args:
        number: places to be cut.
        penalty: cost of a segment.
        costs: (first, last) -> cost of a segment from each place to each end in [first, last), a row an end.
        block: ends that are asked for at once.
    """
    best = np.empty(number + 1)
    best[0] = -penalty
    previous = np.zeros(number + 1, dtype=np.int64)
    for first in range(1, number + 1, block):
        last = min(first + block, number + 1)
        rows = costs(first, last)
        for until in range(first, last):
            options = best[:until] + rows[until - first, :until]
            previous[until] = options.argmin()
            best[until] = options[previous[until]] + penalty
    return cuts_of(previous)


def cuts_of(previous: NDArray[np.int64]) -> list[int]:
    """First places of the best segments, from the first place of the last one up to each place."""
    cuts: list[int] = []
    until = len(previous) - 1
    while until:
        until = int(previous[until])
        cuts.append(until)
    return cuts[::-1]


def partition(track: Track, penalty: float) -> Segments:
    """Cut a series into levels: every split is tried, none is pruned.

    Args:
        track: n observed units.
        penalty: cost of a change point in units of log n.
    """
    where = np.flatnonzero(track.observed)
    number = len(where)
    if not number:
        return Segments((), 0, ())
    weight = track.weight[where]
    mass = np.concatenate(([0.0], np.cumsum(weight)))
    total = np.concatenate(([0.0], np.cumsum(weight * track.rate[where])))
    beta = penalty * np.log(max(number, 2))

    def costs(first: int, last: int) -> Floats:
        ends = slice(first, last)
        return cost(total[ends, None] - total[:last], mass[ends, None] - mass[:last], track.size)

    if native is None:
        cuts = best_cuts(number, beta, costs, _BLOCK)
    else:
        previous = np.zeros(number + 1, dtype=np.int64)
        native.cuts(np.stack((mass, total)), track.size, beta, previous)
        cuts = cuts_of(previous)
    bounds = [*cuts, number]
    levels = tuple(float((total[b] - total[a]) / (mass[b] - mass[a])) for a, b in itertools.pairwise(bounds))
    return Segments(tuple(int(where[cut]) for cut in cuts), int(where[-1]) + 1, levels)


def moves(segments: Segments, direction: Direction, ratio: float, longest: int) -> list[tuple[int, int]]:
    """Falls (or rises) of a segmentation: pairs (i, j) of segment numbers.

    Segment i - 1 holds the level before, segment j the level after; segments i..j-1, each of at most
    `longest` units, are the steps of a ramp. Only moves below `ratio` (rises: above its inverse) count.
    """
    sign = 1 if direction == "fall" else -1
    levels = [sign * level for level in segments.levels]
    found: list[tuple[int, int]] = []
    i = 1
    while i < len(levels):
        j = i
        if levels[i] < levels[i - 1]:
            while j + 1 < len(levels) and _length(segments, j) <= longest and levels[j + 1] < levels[j]:
                j += 1
            low, high = sorted((segments.levels[i - 1], segments.levels[j]))
            if low < ratio * high:
                found.append((i, j))
        i = j + 1
    return found


def _length(segments: Segments, number: int) -> int:
    """Units that a segment spans."""
    begin, end = segments.span(number)
    return end - begin
