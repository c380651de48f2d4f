"""Floods: short bursts well above the level on both sides, dated and held against wild days."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from spamtide.change.moves.alarm import upper_tail, worst_tail
from spamtide.change.moves.date import Ramp
from spamtide.change.moves.event import Event, dates_of, level_of
from spamtide.change.moves.extent import extent
from spamtide.change.moves.median import medians
from spamtide.change.moves.segment import Segments, Track, cost
from spamtide.change.moves.spread import Spread
from spamtide.change.moves.wander import APART
from spamtide.change.moves.weigh import CAUTION, merged_gain, tail

FEWEST_UNITS = 14
"""Observed units below which a series is not looked at."""
SURGE_SLACK = 4
"""Units to either side that the ends of a surge are looked for in."""
NEAR = 21
"""Days before a surge that its level before is taken from."""
AROUND = 14
"""Units to either side that a day's wildness is taken against."""
HIGHEST, HIGHEST_SCORE, HIGHEST_ERROR = 0.1, 1.755, 0.35
"""Share of days that tell how wild a series is; mean of the highest tenth of normal scores, and the standard
error of one such day, as a share of that mean."""
FEW = 2
"""Other bursts of a series that are floods, and no habit of it."""
SLIGHT, TINIEST = 1e-9, 1e-300


def surge(
    track: Track,
    segments: Segments,
    burst: tuple[int, int],
    beside: float | None,
    others: Sequence[tuple[int, int]] = (),
) -> Event:
    """Date a burst by the likelihood of every pair of ends near the segmentation's, and weigh it.

    Args:
        track: the series, with the burst in it.
        segments: its partition.
        burst: segments [i, j) that are the burst.
        beside: gain against a level that wanders; None where it was not asked.
        others: units [first, last) of the series' other bursts.
    """
    i, j = burst
    left, right = segments.span(i - 1)[0], segments.span(j)[1]
    begin, end = segments.starts[i], segments.starts[j]
    firsts = np.arange(max(left + 1, begin - SURGE_SLACK), min(begin + SURGE_SLACK, end - 1) + 1)
    stops = np.arange(max(end - SURGE_SLACK, begin + 1), min(right - 1, end + SURGE_SLACK) + 1)
    weight, rate = track.weight, track.told
    mass = np.concatenate(([0.0], np.cumsum(weight)))
    total = np.concatenate(([0.0], np.cumsum(weight * rate)))
    a, b = np.meshgrid(firsts, stops, indexing="ij")
    inside = cost(total[b] - total[a], mass[b] - mass[a], track.size)
    outside = sum(
        cost(total[y] - total[x], mass[y] - mass[x], track.size)
        for x, y in ((np.full_like(a, left), a), (b, np.full_like(b, right)))
    )
    fit = np.where((a < b) & (mass[b] > mass[a]), inside + outside, np.inf)
    posterior = np.exp(-(fit - fit.min()) / 2)
    posterior /= posterior.sum()
    begun, settled = (
        Spread(int(places[0]), posterior.sum(axis=axis)) for places, axis in ((firsts, 1), (stops, 0))
    )
    ramp = Ramp(begun.estimate(), settled.estimate(), begun, settled)
    gain = merged_gain(track, [left, begin, end, right], CAUTION * track.size)
    number = int(track.observed.sum())
    onset, finish = dates_of(track, ramp)
    sides = (
        level_of(track, left, begin, segments.levels[i - 1]),
        level_of(track, begin, end, segments.levels[i]),
    )
    # Shares of 1 / (n (n + 1)) of the error for bursts of n units add up to less than 1.
    places = number * (end - begin) * (end - begin + 1)
    chance = min(tail(gain, 2, number, places=places), places * _flood(track, (left, begin, end, right)))
    chance = max(chance, _wildness(track, (begin, end), sides[1], others))
    if beside is not None:
        chance = max(chance, tail(beside, 1, number, places=max(number // APART, 1)))
    return Event(
        kind="surge",
        onset=onset[0],
        onset_low=onset[1],
        onset_high=onset[2],
        end=finish[0],
        end_low=finish[1],
        end_high=finish[2],
        before=sides[0],
        after=sides[1],
        since=track.day(left),
        until=track.day(right),
        gain=gain,
        p_value=chance,
        peak_before=0.0,
        silent_before=not track.count[:begin].any(),
        step=track.step,
        reach=extent(track, (max(left, begin - NEAR), begin), (begin, end)),
    )


def _flood(track: Track, bounds: tuple[int, int, int, int]) -> float:
    """Chance of so much mail in a burst at the level on either side of it, at a cautious size.

    The tail itself: the gain of a level that is fitted to a flood's own few days is read off too heavy a one.
    """
    left, begin, end, right = bounds
    inside = track.offset[begin:end]
    around = np.concatenate((np.arange(left, begin), np.arange(end, right)))
    days, sides = int((inside > 0).sum()), int((track.offset[around] > 0).sum())
    if not days or not sides:
        return 1.0
    expected = float(inside.sum() * track.count[around].sum() / track.offset[around].sum())
    size = CAUTION * track.size / (1 / days + 1 / sides)
    return upper_tail(float(track.count[begin:end][inside > 0].sum()), expected, size)


def _wildness(track: Track, burst: tuple[int, int], level: float, others: Sequence[tuple[int, int]]) -> float:
    """Chance of such a burst in a series whose own wildest days are no wilder than they are.

    Each day is held against the median of the days around it, so that levels and drift are left out, and
    read off the negative binomial as a normal score. Where the highest tenth of the scores lie further out
    than those of a normal variable, as they do where few campaigns make a series, all are drawn in. Wild
    days may have a heavier tail than that: one that is exponential in the roots of their rates, through the
    highest tenth of them. The larger chance stands. A few other floods are none of its own wild days; many
    are what it does.
    """
    rate = track.rate.copy()
    for begin, end in (burst, *(others if len(others) <= FEW else ())):
        rate[begin:end] = np.nan
    padded = np.pad(rate, AROUND, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * AROUND + 1)
    local = medians(windows)
    known = np.isfinite(rate) & np.isfinite(local) & (track.offset > 0)
    usual = float(np.mean(local[burst[0] : burst[1]]))
    if not np.isfinite(usual) or known.sum() < FEWEST_UNITS:
        return 0.0
    scores = [
        _score(float(count), float(mean), track.size)
        for count, mean in zip(
            track.count[known], track.offset[known] * np.maximum(local[known], SLIGHT), strict=True
        )
    ]
    mean = float(track.offset[burst[0] : burst[1]].mean()) * max(usual, SLIGHT)
    score = _score(level * track.step * mean / max(usual, SLIGHT), mean, track.size) / _wild(scores)
    days = burst[1] - burst[0]
    from scipy.special import ndtr

    roots = np.sqrt((rate[known] + 0.5) / (local[known] + 0.5)) - 1
    excess = float(np.sqrt((level * track.step + 0.5) / (usual + 0.5))) - 1
    heavy = len(roots) * worst_tail(roots, excess) ** days
    return min(1.0, max(len(scores) * days * (days + 1) * float(ndtr(-score)) ** days, heavy))


def _score(count: float, mean: float, size: float) -> float:
    """A count as a normal score: both have the same upper tail."""
    from scipy.special import ndtri

    return -float(ndtri(max(upper_tail(count, mean, size), TINIEST)))


def _wild(scores: Sequence[float]) -> float:
    """By how much the highest tenth of scores lies further out than a normal variable's; 1 where it does not.

    Reckoned at one standard error less: of a hundred days, the highest tenth are ten.
    """
    ordered = np.sort(np.asarray(scores))
    beyond = ordered[int(np.ceil(len(ordered) * (1 - HIGHEST))) :]
    return max(1.0, float(beyond.mean()) / (HIGHEST_SCORE * (1 + HIGHEST_ERROR / math.sqrt(len(beyond)))))
