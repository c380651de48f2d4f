"""Days on which a sensor saw nothing at all, and how improbable that is under its usual rate.

Spam and other mail count together: while either comes, the sensor is up. How much was to be expected is
taken from the days around, never more than both sides support, and lowered as far as the other sensors'
spam fell too: a botnet that stops silences all sensors alike, a dead sensor only itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from spamtide.model import Counts, Floats
from spamtide.series.fitting.dispersion import local_dispersion

IMPROBABLE = 1e-4
"""A silent run is an outage when its chance under the usual rate is below this."""
SIDE_DAYS = 28
"""Days on either side that say what is usual."""
LONG_RUN_DAYS = 6
"""Longer silent runs say nothing about weekdays."""
HABIT = 2 / 3
"""A weekday silent in at least this share of weeks is silent by habit."""
LEAST_DISPERSION, LARGEST_DISPERSION = 0.05, 5.0
"""Bounds on alpha of variance = mean + alpha mean**2, within which an estimate is believed."""
BLOCKS = (28, 14, 7)
"""Lengths of the blocks by which bursts are measured; the longest that is no longer than the run."""
LEAST_BLOCKS = 5
"""Blocks of weeks up to which their scatter cannot be told."""
LULL = 4 * BLOCKS[0]
"""Days that one lull may last; before a sensor began and after it ended, as many make another chance.

Nobody says that it was there then, and one that began with a message a month was not silent for years before.
"""
LEAST_OTHERS = 10
"""Messages of another sensor around a run from which its level in the run says something."""

Place = Literal["leading", "middle", "trailing"]


@dataclass(frozen=True, slots=True)
class Silence:
    """One improbable silent run of one sensor; days as positions in the span, both ends included."""

    sensor: int
    first: int
    last: int
    place: Place
    expected: float
    """Messages that would have come."""
    chance: float
    """Probability of none."""


def silences(
    spam: Counts, ham: Counts, phases: Counts, *, side: int = SIDE_DAYS, long_run: int = LONG_RUN_DAYS
) -> list[Silence]:
    """Find the improbable silent runs.

    Args:
        spam: shape (S, T), all wild spam by day (or hour).
        ham: shape (S, T), other mail.
        phases: shape (T,), the day's weekday 0-6 (or the hour of the day 0-23): silence may be habit.
        side: days (or hours) on either side that say what is usual.
        long_run: longer silent runs say nothing about habit.

    Returns:
        By sensor, then by day. A sensor that never saw anything is silent throughout (chance 0).
    """
    found = []
    mail = spam + ham
    for sensor in range(len(mail)):
        if not mail[sensor].any():
            found.append(Silence(sensor, 0, mail.shape[1] - 1, "leading", 0.0, 0.0))
            continue
        habit = _phase_factors(mail[sensor], phases, long_run)
        seen = np.flatnonzero(mail[sensor])
        alpha = local_dispersion(mail[sensor, seen[0] : seen[-1] + 1], np.arange(seen[0], seen[-1] + 1))
        alpha = float(np.clip(alpha, LEAST_DISPERSION, LARGEST_DISPERSION))
        for first, last in runs(mail[sensor] == 0):
            usual = _usual(spam[sensor], ham[sensor], first, last, side)
            share = _others(spam, sensor, first, last, side)
            expected = (usual[0] * share + usual[1]) * habit[phases[first : last + 1]]
            chance = float(np.exp(-np.log1p(alpha * expected).sum() / alpha))
            place: Place = "leading" if first < seen[0] else "trailing" if first > seen[-1] else "middle"
            length = last + 1 - first
            if chance < IMPROBABLE:
                bursts = burst_dispersion(
                    mail[sensor, seen[0] : seen[-1] + 1], first - seen[0], last - seen[0]
                )
                if bursts > 0:
                    lulls = 1.0 if place == "middle" else max(1.0, length / LULL)
                    of_each = np.log1p(bursts * expected.sum() / lulls)
                    chance = max(chance, float(np.exp(-lulls * of_each / bursts)))
            sides = {side} if place == "middle" else {side, max(side, length)}
            chance = max(chance, min(_too_few(mail[sensor], first, last, days) for days in sides))
            if chance < IMPROBABLE:
                found.append(Silence(sensor, first, last, place, float(expected.sum()), chance))
    return found


def runs(mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[tuple[int, int]]:
    """First and last position of each run of True."""
    edges = np.diff(np.concatenate([[0], mask.astype(np.int8), [0]]))
    return list(
        zip(np.flatnonzero(edges == 1).tolist(), (np.flatnonzero(edges == -1) - 1).tolist(), strict=True)
    )


def _phase_factors(mail: Counts, phases: Counts, long_run: int) -> Floats:
    """Mean of each weekday over that of all days, drawn towards 1 by one day; 0 where silence is habit."""
    usable = np.ones(len(mail), dtype=bool)
    for first, last in runs(mail == 0):
        if last - first + 1 > long_run:
            usable[first : last + 1] = False
    mean = mail[usable].mean()
    factors = np.ones(int(phases.max()) + 1)
    for day in range(len(factors)):
        here = mail[usable & (phases == day)]
        if len(here) >= 3 and (here == 0).mean() >= HABIT:  # noqa: PLR2004 - three weeks make a habit
            factors[day] = 0.0
        else:
            factors[day] = (here.sum() + mean) / ((len(here) + 1) * mean)
    return factors


def burst_dispersion(mail: Counts, first: int, last: int) -> float:
    """Dispersion of sums over blocks of weeks up to the run's length, from neighbouring blocks' differences.

    People write in bursts: on a discussion list a silent month follows a lively one, and days are not
    independent.

    Args:
        mail: messages a day, shape (T,).
        first: first day of the run, which is left out.
        last: its last day.

    Returns:
        alpha of variance = mean + alpha mean**2 of a block's sum; 0 for a run shorter than a week, or where
        there are too few blocks to tell.
    """
    kept = np.delete(mail, np.arange(max(0, first), min(len(mail), last + 1)))
    for block in BLOCKS:
        count = len(kept) // block
        if block <= last - first + 1 and count > LEAST_BLOCKS:
            sums = kept[: count * block].reshape(count, block).sum(axis=1).astype(np.float64)
            mean = (sums[1:] + sums[:-1]) / 2
            excess = ((sums[1:] - sums[:-1]) ** 2 / 2 - mean).sum()
            return float(max(excess / max((mean**2).sum(), 1e-9), 0.0))
    return 0.0


def _usual(spam: Counts, ham: Counts, first: int, last: int, side_days: int) -> tuple[float, float]:
    """Spam and ham a day that both sides of a run support.

    A side supports its mean over four weeks, but no more than the larger of the two days next to the
    run: mail that had faded before it fell silent was fading, not cut off.
    """
    sides = [slice(max(0, first - side_days), first), slice(last + 1, last + 1 + side_days)]
    near = [slice(max(0, first - 2), first), slice(last + 1, last + 3)]
    supported = []
    for side, edge in zip(sides, near, strict=True):
        if spam[side].size:
            rates = np.array([spam[side].mean(), ham[side].mean()])
            bound = float((spam[edge] + ham[edge]).max())
            supported.append(rates * min(1.0, bound / max(rates.sum(), 1e-12)))
    least = np.min(supported, axis=0)
    return float(least[0]), float(least[1])


def _too_few(mail: Counts, first: int, last: int, side_days: int) -> float:
    """Chance of none in a run, by how few messages the rate was told from: n of them over d days.

    The predictive probability under a gamma posterior of the rate: (1 + length / d) ** -n. One message on one
    day says next to nothing of the weeks before it.
    """
    sides = [mail[max(0, first - side_days) : first], mail[last + 1 : last + 1 + side_days]]
    return max(
        float((1 + (last + 1 - first) / len(side)) ** -float(side.sum())) for side in sides if len(side)
    )


def _others(spam: Counts, sensor: int, first: int, last: int, side_days: int) -> float:
    """What the other sensors' spam kept of its level during a run: their median ratio, at most 1.

    Where every other sensor is silent too, or says nothing, 1: the observatory as a whole went dark.
    """
    length = last - first + 1
    sides = np.r_[max(0, first - side_days) : first, last + 1 : min(last + 1 + side_days, spam.shape[1])]
    around = spam[:, sides].sum(axis=1)
    telling = around >= LEAST_OTHERS
    telling[sensor] = False
    if not telling.any():
        return 1.0
    during = spam[telling, first : last + 1].sum(axis=1)
    if not during.any():
        return 1.0
    ratios = (during + 0.5) / (around[telling] * length / len(sides) + 0.5)
    return float(min(1.0, np.median(ratios)))
