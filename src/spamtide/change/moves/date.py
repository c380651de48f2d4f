"""Date a fall or a rise: the posterior of a ramp over its first day and the first day after it.

A fall rarely happens between two midnights: output starts to drop, and some days later it is negligible.
Methods that assume one abrupt step are badly over-confident about the first of these days. Here the level
before, the residual level, the dispersion and every monotone path between them are averaged over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spamtide.change.moves.segment import Direction, Track
from spamtide.change.moves.spread import Estimate, Spread, estimates, summarise
from spamtide.compiled import native
from spamtide.model import Floats

Units = NDArray[np.int64]

LONGEST = 21
"""Most units between onset and end: those who fill a gap, or fade, take weeks."""
CUT_OFF, BUILT_UP = 1.5, 1.0
"""Powers of the length that the prior of a steep move falls by: of what is cut off, which is gone within
days, and of what comes back, which takes longer. None and one are alike: who stops at noon leaves half a
day."""
QUICK, SLOW = 1.0, 0.75
"""Powers of 1 + length that the prior of a move falls by which leaves more than SHALLOW: for its point, and,
since such a move may as well take weeks, for its intervals."""
RAMP_LEVELS = 12
"""Levels that a unit of the ramp may have."""
NOTHING, MUCH = 50.0, 500.0
"""Nats below the likeliest abrupt move from which on a cell is nothing; and above it, from which on shares of
1e-300 would be something."""
_CELLS = 64
"""Cells that are looked at side by side: what is at work stays in the processor's own memory."""
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
SLIGHT = 1e-6
FEWEST_AFTER = 3
"""Units at the new level that the window must hold; one is enough at the end of a series."""
MOST_ONSETS = 60
"""Most onset candidates: bounds the work on a long staircase."""


@dataclass(frozen=True, slots=True)
class Ramp:
    """Posterior of one move."""

    onset: Estimate
    """First unit off the level before."""
    end: Estimate
    """First unit at the level after; of a fall to under NEGLIGIBLE, the first one under that."""
    begun: Spread
    """All that is known of the onset, for what several moves add up to (see `parts`)."""
    settled: Spread
    """The same of the first unit at the level after, however little is left of it."""


def date_move(
    track: Track,
    direction: Direction,
    move: tuple[int, int],
    room: tuple[int, int],
    ratio: float,
    told: float = 1.0,
) -> Ramp:
    """Date a fall or a rise.

    A rise is a fall in reversed time: its last unit at the low level is the first unit of the residual.

    Args:
        track: the series.
        direction: 'fall' or 'rise'.
        move: first unit of the ramp and first unit of the level after, by the segmentation.
        room: units [first, last) that belong to this move; neighbouring moves lie outside.
        ratio: low level / high level by the segmentation.
        told: share of what independent days would tell that these do.
    """
    count, offset = track.count, track.offset
    total = len(count)
    if direction == "rise":
        count, offset = count[::-1], offset[::-1]
        move = (total - move[1], total - move[0])
        room = (total - room[1], total - room[0])
    residuals = SHALLOW_RESIDUALS if ratio > SHALLOW else RESIDUALS
    power = CUT_OFF if direction == "fall" and ratio < NEGLIGIBLE else BUILT_UP
    first, posterior = ramp_posterior(count, offset, track.size, move, room, residuals, (power, told))
    marginals = _marginals(posterior)
    slower: tuple[Floats | None, Floats | None] = (None, None)
    if residuals is SHALLOW_RESIDUALS:
        slower = _marginals(posterior * (np.arange(posterior.shape[1]) + 1) ** (QUICK - SLOW))
    begun, settled = (Spread(first, *pair) for pair in zip(marginals, slower, strict=True))
    if direction == "rise":
        begun, settled = settled.mirrored(total), begun.mirrored(total)
    onset, end = estimates(direction, begun, settled)
    if direction == "fall" and ratio < NEGLIGIBLE:
        before = slice(max(room[0], move[0] - BEFORE), move[0])
        end = _negligible(track, before, first, posterior)
    return Ramp(onset, end, begun, settled)


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


def _marginals(posterior: Floats) -> tuple[Floats, Floats]:
    """Chances of onset and end, from what is proportional to their joint posterior in onset and length."""
    units = np.arange(len(posterior))[:, None] + np.arange(posterior.shape[1])
    end = np.bincount(units.ravel(), posterior.ravel()).astype(np.float64)
    return posterior.sum(axis=1) / posterior.sum(), end / end.sum()


def ramp_posterior(
    count: Floats,
    offset: Floats,
    size: float,
    move: tuple[int, int],
    room: tuple[int, int],
    residuals: Floats = RESIDUALS,
    believed: tuple[float, float] = (CUT_OFF, 1.0),
) -> tuple[int, Floats]:
    """Posterior over (onset, length) of a falling ramp.

    Args:
        count: messages in each unit.
        offset: weekday x exposure, 0 where missing.
        size: NB size r.
        move: onset and end by the segmentation.
        room: units [first, last) that may be used.
        residuals: grid of the residual level, as a share of the level before.
        believed: power of the length that the prior of a steep move falls by, and share of what independent
            units would tell that these do.

    Returns:
        The first onset candidate, and the posterior, shape (candidates, longest ramp + 1), sum 1.
    """
    (begin, end), (power, told) = move, believed
    low, high = max(room[0], begin - BEFORE), min(room[1], end + AFTER)
    margin = 7 if begin - low > 7 else 1  # noqa: PLR2004 - a week of the level before, where there is one
    fewest = FEWEST_AFTER if high - end > 2 * FEWEST_AFTER else 1
    shallow = residuals is SHALLOW_RESIDUALS
    first = max(low + margin, begin - (SHALLOW_EARLIER if shallow else EARLIER))
    latest = end + (SHALLOW_LATER if shallow else LATER)
    last = max(min(len(count) - 1, high - fewest, latest, first + MOST_ONSETS - 1), first)
    candidates = np.arange(first, last + 1) - low
    sizes = SIZES * float(np.clip(size, 1.5, 200.0))
    # D = 0 needs no path and is always allowed for the last candidate; other ends leave some days after them.
    days = high - low
    numbers = [max(int((candidates < days).sum()), 1)]
    numbers += [int((candidates + length <= days - fewest).sum()) for length in range(1, LONGEST + 1)]
    lengths = np.arange(LONGEST + 1)
    fading = QUICK * np.log(lengths + 1) if shallow else power * np.log(np.maximum(lengths, 1))
    window = _Window(count[low:high], offset[low:high], sizes, max(begin - low, 5), residuals)
    log_mass = told * _log_mass(window, candidates, np.array(numbers)) - fading
    posterior = np.exp(log_mass - log_mass.max())
    return first, posterior / posterior.sum()


@dataclass(frozen=True, slots=True)
class _Window:
    """The units around a move, and the grid of levels that it may be between."""

    count: Floats
    offset: Floats
    """weekday x exposure, 0 where missing."""
    sizes: Floats
    """NB sizes."""
    before: int
    """First units, which are of the level before."""
    residuals: Floats
    """Grid of the residual level."""


def _log_mass(window: _Window, onsets: Units, numbers: Units) -> Floats:
    """Log of the sum over all cells; see `_Cells.log_mass`."""
    if native is not None:
        y, seen = window.count, window.offset > 0
        scale = np.where(seen, window.offset, 1.0)
        levels = _levels(y, window.offset, window.sizes, window.before)
        days = np.ascontiguousarray(y), scale, np.stack((seen, np.log(scale)))
        size = window.sizes[:, None]
        constant = _constants(y, window.sizes)
        peak = constant + y * np.log(np.maximum(y, 1e-300)) - (y + size) * np.log(size + y)
        mass = np.zeros((len(numbers), len(onsets)))
        kinds, grid, bounds = (window.sizes, constant, peak), (levels, window.residuals), (NOTHING, MUCH)
        reference = native.ramps(days, kinds, grid, int(onsets[0]), numbers, bounds, mass)
        if reference is not None:
            with np.errstate(divide="ignore"):
                return np.asarray(np.log(mass.T) + reference)
    cells = _Cells(window.count, window.offset, window.sizes, window.before, window.residuals)
    return cells.log_mass(onsets, numbers)


class _Cells:
    """A move under every NB size, level before and residual: the cells of a grid, each as likely as another.

    Let `most` be what a day has at most at any level between the two of a cell. The log probability of all
    days, of a ramp of D units from unit c on, is then A(c) + B(c + D) + log P, where A holds the days before
    c and B those from c + D on, each against `most`, and P the mean over all paths of the ramp, each day as a
    share of `most`; so P is at most 1. Cells in which A + B is nowhere near what the abrupt moves (D = 0)
    have are left out: of the posterior they are less than 1e-15. And a share that vanishes, of 1e-300 or
    less, is nothing unless A + B lies as far above; there logarithms are added, slowly.
    """

    def __init__(self, y: Floats, o: Floats, sizes: Floats, before: int, residuals: Floats) -> None:
        """Reckon with every day at the two levels of every cell.

        Args:
            y: messages in each unit of the window.
            o: weekday x exposure, 0 where missing.
            sizes: NB sizes.
            before: first units, which are of the level before.
            residuals: grid of the residual level.
        """
        levels = _levels(y, o, sizes, before)
        each, of_size = len(residuals), levels.shape[1] * len(residuals)
        self._y, self._seen, self._scale = y[:, None], o > 0, np.where(o > 0, o, 1.0)[:, None]
        size, level = np.repeat(sizes, levels.shape[1]), levels.ravel()
        constant = _constants(y, sizes).T
        high = self._log_nb(np.repeat(constant, levels.shape[1], axis=1), level, size)
        peak = constant + self._y * np.log(np.maximum(self._y, 1e-300)) - self._xlog(sizes, sizes + self._y)
        self._residual = np.tile(residuals, levels.size)
        self._level, self._size = np.repeat(level, each), np.repeat(size, each)
        constant, peak = (np.repeat(one, of_size, axis=1) for one in (constant, peak))
        high = np.repeat(high, each, axis=1)
        lowest = self._level * self._residual
        low = self._log_nb(constant, lowest, self._size)
        rate = self._y / self._scale
        most = np.where(rate >= self._level, high, np.where(rate <= lowest, low, peak))
        most[~self._seen] = 0.0
        self._rest = constant + self._y * np.log(self._scale) - most
        self._most = most.sum(axis=0)
        self._before, self._since = np.zeros((2, len(y) + 1, len(self._size)))
        np.cumsum(high - most, axis=0, out=self._before[1:])
        np.cumsum((low - most)[::-1], axis=0, out=self._since[-2::-1])

    def _log_nb(self, constant: Floats, level: Floats, size: Floats) -> Floats:
        """Log NB probability of each day in each cell, 0 for missing units; shape (days, cells)."""
        mean = self._scale * level
        value = constant + self._y * np.log(mean) - self._xlog(size, size + mean)
        value[~self._seen] = 0.0
        return value

    def _xlog(self, size: Floats, whole: Floats) -> Floats:
        """What a day's log NB probability loses by its mean and size."""
        return np.asarray((self._y + size) * np.log(whole))

    def log_mass(self, onsets: Units, numbers: Units) -> Floats:
        """Log of the sum over all cells, by onset and length; -inf where there is none.

        Args:
            onsets: units of the window in which a ramp may begin, one after the other.
            numbers: onsets that are allowed, the first so many, of each length from 0 on.
        """
        begun, over = self._most + self._before[onsets], self._since
        reference = float((begun + over[onsets])[: numbers[0]].max())
        # The most that any ramp from an onset on may be followed by.
        best = np.full(begun.shape, -np.inf)
        for length, number in enumerate(numbers):
            after = over[onsets[0] + length :][:number]
            np.maximum(best[:number], after, out=best[:number])
        bound = (begun + best).max(axis=0) - reference
        units = onsets + np.arange(len(numbers))[:, None]
        allowed = np.arange(len(onsets)) < numbers[:, None]
        units = np.where(allowed, units, 0)
        mass = np.zeros(units.shape)
        kept = np.flatnonzero((bound > -NOTHING) & (bound < MUCH))
        for some in (kept[start : start + _CELLS] for start in range(0, len(kept), _CELLS)):
            weight = over[:, some][units]
            weight += begun[:, some] - reference
            weight[~allowed] = -np.inf
            np.exp(weight, out=weight)
            weight[1:] *= self._means(some, onsets, numbers)
            mass += weight.sum(axis=2)
        with np.errstate(divide="ignore"):
            log_mass = np.log(mass) + reference
        wild = np.flatnonzero(bound >= MUCH)
        if len(wild):
            value = over[:, wild][units] + begun[:, wild]
            value[1:] += _log_means(self._shares(wild, onsets, numbers), numbers)
            value[~allowed] = -np.inf
            log_mass = np.logaddexp(log_mass, np.logaddexp.reduce(value, axis=2))
        return log_mass.T

    def _means(self, some: Units, onsets: Units, numbers: Units) -> Floats:
        """P of some cells by length from 1 on and onset, shape (lengths, onsets, cells)."""
        likely = np.exp(self._shares(some, onsets, numbers))
        ends = np.zeros((len(numbers) - 1, len(onsets), len(some)))
        _paths(likely, numbers[1:], ends)
        lengths = np.arange(1, len(numbers))
        # Of C(k + n - 1, n) non-increasing paths, each is as likely as another.
        ends *= np.cumprod(lengths / (RAMP_LEVELS + lengths - 1))[:, None, None]
        return ends

    def _shares(self, some: Units, onsets: Units, numbers: Units) -> Floats:
        """Log probability, against the most it can be, of days of the ramp at each of its levels.

        Shape (levels, days, cells), the highest level first; the first day is the first onset.
        """
        days = slice(onsets[0], min(int(onsets[-1]) + len(numbers) - 1, len(self._y) - 1) + 1)
        y, size = self._y[days], self._size[some]
        steps = (RAMP_LEVELS - 0.5 - np.arange(RAMP_LEVELS)) / RAMP_LEVELS
        residual = self._residual[some]
        level = self._level[some] * (residual + (1 - residual) * steps[:, None])
        value = level[:, None] * self._scale[days]
        value += size
        np.log(value, out=value)
        value *= -(y + size)
        value += y * np.log(level)[:, None]
        value += self._rest[days, some]
        value[:, ~self._seen[days]] = 0.0
        return value


def _paths(likely: Floats, numbers: Units, ends: Floats) -> None:
    """Sums over the non-increasing paths of ramp levels, one unit longer with each length.

    Kept are the sums over paths that end at level k or higher.

    Args:
        likely: share of each day at each level, shape (levels, days, cells); the first is the first onset.
        numbers: onsets that are allowed, the first so many, of each length from 1 on.
        ends: is written: the sums, shape (lengths, onsets, cells).
    """
    shares = np.ones((len(likely), *ends.shape[1:]))
    for length, number in enumerate(numbers):
        shares = shares[:, :number] * likely[:, length : length + number]
        for k in range(1, len(likely)):
            shares[k] += shares[k - 1]
        ends[length, :number] = shares[-1]


def _log_means(days: Floats, numbers: Units) -> Floats:
    """Logarithms of the means over the paths that `_paths` sums up, slowly and for any size of numbers.

    Args:
        days: log share of each day at each level, shape (levels, days, cells); the first is the first onset.
        numbers: onsets that are allowed, the first so many, of each length from 0 on.

    Returns:
        Shape (lengths, onsets, cells); -inf where an onset is not allowed.
    """
    ends = np.full((len(numbers) - 1, numbers[0], days.shape[2]), -np.inf)
    path = np.zeros((len(days), numbers[0], days.shape[2]))
    for length, number in enumerate(numbers[1:], 1):
        more = math.log(length / (RAMP_LEVELS + length - 1))
        path = np.logaddexp.accumulate(path[:, :number] + days[:, length - 1 : length - 1 + number] + more)
        ends[length - 1, :number] = path[-1]
    return ends


def _levels(y: Floats, o: Floats, sizes: Floats, days: int) -> Floats:
    """Grid of the level before, shape (sizes, steps), around the mean rate of the first `days` units."""
    seen = o[:days] > 0
    number = max(int(seen.sum()), 1)
    mean = max(float((y[:days][seen] / o[:days][seen]).mean()) if seen.any() else 0.0, 0.3)
    error = np.minimum(np.sqrt((mean + mean**2 / sizes) / number) / mean, 0.5)
    return mean * np.exp(error[:, None] * Z)


def _constants(y: Floats, sizes: Floats) -> Floats:
    """The part of the log NB probability that no level changes, shape (sizes, units)."""
    from scipy.special import gammaln

    r = sizes[:, None]
    return np.asarray(gammaln(y + r) - gammaln(r) - gammaln(y + 1) + r * np.log(r))
