"""Date a fall or a rise: the posterior of a ramp over its first day and the first day after it.

A fall rarely happens between two midnights: output starts to drop, and some days later it is negligible.
Methods that assume one abrupt step are badly over-confident about the first of these days. Here the level
before, the residual level, the dispersion and every monotone path between them are averaged over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from spamtide.change.segment import Bools, Direction, Track
from spamtide.model import Floats

LONGEST_RAMP, LONGEST_SLOPE = 10, 21
"""Most units between onset and end; the second for moves that leave more than SHALLOW of the level: those who
fill a gap, or fade, take weeks, and of a slow move a partition shows no more than its middle."""
SLOWER = 0.5
"""Power of 1 + length by which the prior of a slope's length is flattened, for intervals that hold whether
such moves are a matter of days or of weeks."""
RAMP_LEVELS = 12
"""Levels that a unit of the ramp may have."""
TINIEST = 1e-260
"""Share of all paths down to which sums keep their precision; below it logarithms are added, slowly."""
RESIDUALS = np.array([0.0003, 0.002, 0.006, 0.012, 0.02, 0.03, 0.045, 0.07, 0.12, 0.2, 0.35, 0.5])
"""Residual level as a share of the level before."""
SHALLOW_RESIDUALS = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9])
"""The same for moves that leave more than SHALLOW of the level."""
SHALLOW = 0.25
NEGLIGIBLE = 0.05
"""Share of the level before under which a fall is over, though less may be left of it still."""
SHARES = np.linspace(0.0, 1.0, 401)[1:] - 0.5 / 400
"""Levels that a day of a ramp may have, as shares of the level before."""
SIZES = np.array([0.6, 1.0, 1.7])
"""Factors on the estimated NB size."""
Z = np.linspace(-4.0, 4.0, 21)
"""Steps of the level before, in standard errors."""
BEFORE, AFTER = 43, 31
"""Units of the window before and after the segmentation's dates."""
EARLIER, LATER = 8, 3
SHALLOW_EARLIER, SHALLOW_LATER = 21, 14
"""Units before the segmentation's onset, and after its end, that may be the onset: the shallower a move, the
further off may the segmentation be."""
CREDIBILITY = 0.95
SLIGHT = 1e-6
FEWEST_AFTER = 3
"""Units at the new level that the window must hold; one is enough at the end of a series."""
MOST_ONSETS = 60
"""Most onset candidates: bounds the work on a long staircase."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A unit with its interval."""

    point: int
    """Posterior median."""
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Ramp:
    """Posterior of one move."""

    onset: Estimate
    """First unit off the level before."""
    end: Estimate
    """First unit at the level after; of a fall to under NEGLIGIBLE, the first one under that."""


def date_move(
    track: Track, direction: Direction, move: tuple[int, int], room: tuple[int, int], ratio: float
) -> Ramp:
    """Date a fall or a rise.

    A rise is a fall in reversed time: its last unit at the low level is the first unit of the residual.

    Args:
        track: the series.
        direction: 'fall' or 'rise'.
        move: first unit of the ramp and first unit of the level after, by the segmentation.
        room: units [first, last) that belong to this move; neighbouring moves lie outside.
        ratio: low level / high level by the segmentation.
    """
    count, offset = track.count, track.offset
    total = len(count)
    if direction == "rise":
        count, offset = count[::-1], offset[::-1]
        move = (total - move[1], total - move[0])
        room = (total - room[1], total - room[0])
    residuals = SHALLOW_RESIDUALS if ratio > SHALLOW else RESIDUALS
    first, posterior = ramp_posterior(count, offset, track.size, move, room, residuals)
    found = _estimates(posterior, first)
    if residuals is SHALLOW_RESIDUALS:
        slower = posterior * (np.arange(posterior.shape[1]) + 1) ** SLOWER
        found = tuple(_hull(*pair) for pair in zip(found, _estimates(slower, first), strict=True))
    onset, end = found
    if direction == "rise":
        return Ramp(_mirrored(end, total), _mirrored(onset, total))
    if ratio < NEGLIGIBLE:
        before = slice(max(room[0], move[0] - BEFORE), move[0])
        end = _negligible(track, before, first, posterior)
    return Ramp(onset, end)


def _negligible(track: Track, before: slice, first: int, posterior: Floats) -> Estimate:
    """The first unit under NEGLIGIBLE, which may be one of the ramp's last.

    A fall is monotone, so a unit is under it with the chance that the residual is reached by then, and
    else with the chance that its own messages give, all levels of a ramp being equally likely beforehand.
    """
    mass = float(track.offset[before].sum())
    level = float(track.count[before].sum()) / mass if mass > 0 else 0.0
    length, longest = posterior.shape
    begun = np.cumsum(np.concatenate((posterior.sum(axis=1), np.zeros(longest - 1))))
    units = np.arange(length)[:, None] + np.arange(longest)
    over = np.cumsum(np.bincount(units.ravel(), posterior.ravel(), length + longest - 1))
    under = over.copy()
    for at in np.flatnonzero(begun - over > SLIGHT):
        unit = first + int(at)
        if unit < len(track.count) and track.offset[unit] > 0 and level > 0:
            mean = level * float(track.offset[unit]) * SHARES
            size = track.size
            log = track.count[unit] * np.log(mean) - (track.count[unit] + size) * np.log(size + mean)
            likely = np.exp(log - log.max())
            share = float(likely[SHARES < NEGLIGIBLE].sum() / likely.sum())
            under[at] += (begun[at] - over[at]) * share
    return summarise(np.diff(np.maximum.accumulate(under), prepend=0.0), first)


def _estimates(posterior: Floats, first: int) -> tuple[Estimate, ...]:
    """Onset and end, from their joint posterior in onset and length."""
    units = np.arange(len(posterior))[:, None] + np.arange(posterior.shape[1])
    end = np.bincount(units.ravel(), posterior.ravel()).astype(np.float64)
    return summarise(posterior.sum(axis=1), first), summarise(end, first)


def _hull(one: Estimate, other: Estimate) -> Estimate:
    """The first, with an interval that holds both."""
    return Estimate(one.point, min(one.low, other.low), max(one.high, other.high))


def _mirrored(one: Estimate, total: int) -> Estimate:
    """An estimate in reversed time."""
    return Estimate(total - one.point, total - one.high, total - one.low)


def ramp_posterior(
    count: Floats,
    offset: Floats,
    size: float,
    move: tuple[int, int],
    room: tuple[int, int],
    residuals: Floats = RESIDUALS,
) -> tuple[int, Floats]:
    """Posterior over (onset, length) of a falling ramp.

    Args:
        count: messages in each unit.
        offset: weekday x exposure, 0 where missing.
        size: NB size r.
        move: onset and end by the segmentation.
        room: units [first, last) that may be used.
        residuals: grid of the residual level, as a share of the level before.

    Returns:
        The first onset candidate, and the posterior, shape (candidates, longest ramp + 1), sum 1.
    """
    begin, end = move
    low, high = max(room[0], begin - BEFORE), min(room[1], end + AFTER)
    margin = 7 if begin - low > 7 else 1  # noqa: PLR2004 - a week of the level before, where there is one
    fewest = FEWEST_AFTER if high - end > 2 * FEWEST_AFTER else 1
    shallow = residuals is SHALLOW_RESIDUALS
    first = max(low + margin, begin - (SHALLOW_EARLIER if shallow else EARLIER))
    longest = LONGEST_SLOPE if shallow else LONGEST_RAMP
    latest = end + (SHALLOW_LATER if shallow else LATER)
    last = max(min(len(count) - 1, high - fewest, latest, first + MOST_ONSETS - 1), first)
    y, o = count[low:high], offset[low:high]
    seen = o > 0
    size = float(np.clip(size, 1.5, 200.0))
    sizes = SIZES * size
    levels = _levels(y, o, sizes, max(begin - low, 5))

    candidates = np.arange(first, last + 1) - low
    # Log probability of each day at the level before (size, level, day), at the residual (.., residual, day)
    before = _log_nb(y, o, seen, levels[:, :, None], sizes[:, None, None])
    until = np.concatenate((np.zeros((*levels.shape, 1)), np.cumsum(before, axis=2)), axis=2)
    rest = _log_nb(y, o, seen, (levels[:, :, None] * residuals)[..., None], sizes[:, None, None, None])
    since = np.cumsum(rest[..., ::-1], axis=3)[..., ::-1]
    since = np.concatenate((since, np.zeros((*since.shape[:3], 1))), axis=3)
    start = np.moveaxis(until[..., candidates], 2, 0)[..., None]
    # D = 0 needs no path and is always allowed for the last candidate; other ends leave some days after them.
    numbers = [max(int((candidates < len(y)).sum()), 1)]
    numbers += [int((candidates + length <= len(y) - fewest).sum()) for length in range(1, longest + 1)]
    ends = int(candidates[0]), min(int(candidates[-1]) + longest, len(y) - 1) + 1
    paths = _Paths(_ramp_days(y, o, seen, (levels, sizes, residuals), ends), len(candidates))
    log_mass = np.full((len(candidates), longest + 1), -np.inf)
    for length, number in enumerate(numbers):
        if not number:
            break
        term = paths.longer(length, number) if length else 0.0
        tail = np.moveaxis(since[..., candidates[:number] + length], 3, 0)
        value = (start[:number] + term + tail).reshape(number, -1)
        top = value.max(axis=1)
        log_mass[:number, length] = (
            top + np.log(np.exp(value - top[:, None]).sum(axis=1)) - math.log(length + 1)
        )
    posterior = np.exp(log_mass - log_mass.max())
    return first, posterior / posterior.sum()


def _ramp_days(
    y: Floats, o: Floats, seen: Bools, grid: tuple[Floats, Floats, Floats], ends: tuple[int, int]
) -> Floats:
    """Log probability of the days that may be of the ramp, at each ramp level, the highest first.

    Shape (k, days, sizes, levels, residuals).
    """
    levels, sizes, residuals = grid
    steps = (RAMP_LEVELS - 0.5 - np.arange(RAMP_LEVELS)) / RAMP_LEVELS
    steps = residuals + (1 - residuals) * steps[:, None]
    level = levels[None, None, :, :, None] * steps[:, None, None, None, :]
    days = slice(*ends)
    y, o, seen = y[days, None, None, None], o[days, None, None, None], seen[days, None, None, None]
    size = sizes[:, None, None]
    constant = np.moveaxis(_constants(y.ravel(), sizes), 0, 1)[:, :, None, None]
    mean = np.where(seen, o, 1.0) * level
    value = constant + y * (np.log(np.where(seen, o, 1.0)) + np.log(level)) - (y + size) * np.log(size + mean)
    return np.where(seen, value, 0.0)


class _Paths:
    """Log mean over non-increasing paths of ramp levels, one unit longer at each call.

    Kept are the paths that end at level k or higher, as shares of all; the logarithm of all beside it.
    """

    def __init__(self, days: Floats, number: int) -> None:
        """Begin before the first unit.

        Args:
            days: log probability of each day at each level, shape (k, days, ...).
            number: onset candidates; the first day is the first one's.
        """
        self._days = days
        self._tops = days.max(axis=0)
        self._likely = np.exp(days - self._tops)
        self._shares = np.ones((1, number, *days.shape[2:]))
        self._logs = np.zeros((number, *days.shape[2:]))
        self._slow: Floats | None = None

    def longer(self, length: int, number: int) -> Floats:
        """Log mean over paths of `length` units, by onset, for the first `number` onsets."""
        days = slice(length - 1, length - 1 + number)
        # Of C(k + n - 1, n) non-increasing paths, each is as likely as another.
        more = math.log(length / (RAMP_LEVELS + length - 1))
        if self._slow is None:
            before, logs = self._shares[:, :number], self._logs[:number]
            shares = before * self._likely[:, days]
            for k in range(1, RAMP_LEVELS):
                shares[k] += shares[k - 1]
            if shares[0].min() > TINIEST:
                top = shares[-1].copy()
                shares /= top
                self._shares, self._logs = shares, logs + self._tops[days] + np.log(top) + more
                return self._logs
            self._slow = np.log(before) + logs
        path = self._slow[:, :number] + self._days[:, days] + more
        self._slow = np.logaddexp.accumulate(path, axis=0)
        return np.asarray(self._slow[-1])


def _levels(y: Floats, o: Floats, sizes: Floats, days: int) -> Floats:
    """Grid of the level before, shape (sizes, steps), around the mean rate of the first `days` units."""
    seen = o[:days] > 0
    number = max(int(seen.sum()), 1)
    mean = max(float((y[:days][seen] / o[:days][seen]).mean()) if seen.any() else 0.0, 0.3)
    error = np.minimum(np.sqrt((mean + mean**2 / sizes) / number) / mean, 0.5)
    return mean * np.exp(error[:, None] * Z)


def _log_nb(y: Floats, o: Floats, seen: Bools, level: Floats, size: Floats) -> Floats:
    """Log NB probability of counts y at mean level x o, 0 for missing units; the last axis is the unit."""
    mean = np.where(seen, o, 1.0) * level
    constant = _constants(y, size.ravel()).reshape(*size.shape[:-1], len(y))
    value = constant + y * np.log(mean) - (y + size) * np.log(size + mean)
    return np.where(seen, value, 0.0)


def _constants(y: Floats, sizes: Floats) -> Floats:
    """The part of the log NB probability that no level changes, shape (sizes, units)."""
    return np.array(
        [
            [math.lgamma(v + r) - math.lgamma(r) - math.lgamma(v + 1) + r * math.log(r) for v in y]
            for r in sizes
        ]
    )


def summarise(mass: Floats, first: int, credibility: float = CREDIBILITY) -> Estimate:
    """Posterior median, and the hull of the smallest set of units that holds `credibility` of the mass."""
    point = int(np.searchsorted(np.cumsum(mass), 0.5 * mass.sum()))
    order = np.argsort(-mass, kind="stable")
    needed = int(np.searchsorted(np.cumsum(mass[order]), credibility * mass.sum())) + 1
    chosen = order[:needed]
    point = min(max(point, int(chosen.min())), int(chosen.max()))
    return Estimate(first + point, first + int(chosen.min()), first + int(chosen.max()))
