"""How far the levels of a series wander when nothing happens, and how far a move lies beyond that.

A botnet's level is no constant: it goes up and down by a tenth or a quarter over weeks. Beside a constant
level and the noise of days alone, such a wave is a change, and the more mail there is, the surer. So the log
level is an autoregression about its mean,

    log level(t) = mean + x(t),   x(t) = phi x(t - 1) + e(t),   var x = sigma^2,

on top of the noise of days. How strong it is, is taken from the series itself, over stretches between the
moves that are to be judged, so that a true step does not pass for wandering; and since one series says little
about waves of weeks, from all series of the observatory together (empirical Bayes: the mixing distribution
over a grid of phi, sigma and noise is the one under which all series are likeliest, Laird 1978, JASA 73).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spamtide.change.moves.segment import Segments, Track
from spamtide.change.moves.waves import GRID, Doubt, Known, Levels, Question, Row, likelihoods
from spamtide.each import Each, in_turn
from spamtide.model import Floats

STILL = 0.25
"""Share of levels that hold still, before any series is seen."""
PRIOR = 3.0
"""Series whose worth the grid's equal weights count beside those of the observatory."""
ROUNDS = 6
"""Moves of one series that are taken for real, one after the other, at most."""
PASSES = 30
"""Steps of expectation and maximisation: enough, where the rest changes no weight that matters."""
CLIPPED = 3.0
"""Standard deviations beyond which a single day counts as just that far off: floods and silent days."""
LIKELY = 0.02
"""Weight of a grid point, against the largest, below which it is left out of a judgement."""
MOST_POINTS = 24
"""Grid points of a judgement, the likeliest first."""
APART = 2
"""Units between places where a step would be another one: nearer ones share nearly all their evidence."""
SHORT = 14
"""Units between the ends of a dip or a swell, below which none is cheaper than another."""
REAL = 16.0
"""Gain from which a move is taken for real when the wandering of its series is measured."""
LEAST_MAIL = 0.5
"""Messages that a stretch without any is taken to have brought."""
SILENT = 0.05
"""Share of the lower level beside it under which a stretch is silent."""


def _prior() -> Floats:
    """Weight of each grid point before any series is seen."""
    still = GRID[:, 1] == 0.0
    return np.asarray(np.where(still, STILL / still.sum(), (1 - STILL) / (~still).sum()))


EVEN = _prior()


@dataclass(frozen=True, slots=True)
class Wander:
    """What a series' wandering may be: grid points with their weights."""

    points: Floats
    """(phi by the unit, sigma, noise), shape (points, 3); the likeliest first."""
    weights: Floats


@dataclass(frozen=True, slots=True)
class Wandering:
    """What the series of an observatory say of one another."""

    series: list[Wander]
    gains: list[float]
    """For each move, twice the log-likelihood ratio of a step in a level that wanders against a level that
    wanders and has no step there."""
    bursts: list[float]
    """The same for each burst."""


def levels_of(track: Track, segments: Segments) -> Levels:
    """A track as log levels.

    Args:
        track: the series.
        segments: how it was cut.
    """
    log = np.full(len(track.count), np.nan)
    poisson = np.ones(len(track.count))
    for number in range(len(segments.starts)):
        begin, end = segments.span(number)
        mine = np.arange(begin, end)[track.offset[begin:end] > 0]
        if not len(mine):
            continue
        offset, count = track.offset[mine], track.count[mine]
        level = max(float(count.sum()), LEAST_MAIL) / float(offset.sum())
        mean = level * offset
        noise = 1 / mean + 1 / track.size
        off = np.clip((count - mean) / (mean * np.sqrt(noise)), -CLIPPED, CLIPPED)
        log[mine] = np.log(level) + off * np.sqrt(noise)
        poisson[mine] = 1 / mean
        if track.step == 1:
            poisson[mine] = np.minimum(1 / mean, _silence(level, _beside(segments, number)) / offset)
    return Levels(log, poisson, 1 / track.size, track.step)


def _beside(segments: Segments, number: int) -> float:
    """The lower level next to a segment."""
    levels = segments.levels
    return min((levels[n] for n in (number - 1, number + 1) if 0 <= n < len(levels)), default=0.0)


def _silence(level: float, usual: float) -> float:
    """Variance of a silent unit's log level that tells as much of the step as its messages do; else infinite.

    Where next to nothing comes, a log level is known badly, and yet it is sure that it is not the usual one:
    the step's square over this variance is the deviance of a Poisson count, which at the level is lost.
    Not asked of weeks: thin collections of years come in lots, and a few weeks without any are how they are.
    """
    if level >= SILENT * usual:
        return np.inf
    step = np.log(usual / level)
    return float(step**2 / (2 * (usual - level - level * step)))


def wander(
    series: Sequence[Levels],
    doubts: Sequence[Doubt],
    bursts: Sequence[tuple[Levels, Question]] = (),
    each: Each = in_turn,
) -> Wandering:
    """How each series of an observatory wanders, and what speaks for its moves beside that.

    Args:
        series: all of them, of any lengths.
        doubts: their moves.
        bursts: their bursts, each by its two ends, with the levels of a series that still has it.
        each: how likelihoods are reckoned, one after the other or side by side.
    """
    if not series:
        return Wandering([], [], [])
    questions = [(doubt,) for doubt in doubts] + [
        (one, other) for one, other in itertools.pairwise(doubts) if one.series == other.series
    ]
    real: dict[Doubt, float] = {}
    known: dict[Row, tuple[Floats, Floats]] = {}
    pieces = Known()
    gains: dict[Question, float] = {}
    for _ in range(ROUNDS):
        breaks = [tuple(d for d in doubts if d in real and d.series == n) for n in range(len(series))]
        rows = [Row(n, breaks[n], ()) for n in range(len(series))]
        asked = {
            question: Row(
                question[0].series,
                tuple(b for b in breaks[question[0].series] if b not in question),
                question,
            )
            for question in questions
            if len(question) == 1 or not any(doubt in real for doubt in question)
        }
        new = [row for row in dict.fromkeys((*rows, *asked.values())) if row not in known]
        known |= likelihoods([(series[row.series], row) for row in new], each, pieces)
        own, mixing = _mix(np.stack([known[row][0] for row in rows]))
        rated = _ratios([(series[row.series], row) for row in asked.values()], known, mixing)
        gains = dict(zip(asked, rated, strict=True))
        best = _surest(gains, real)
        if not best:
            break
        real |= best
    found = [_kept(row, one.step) for row, one in zip(own, series, strict=True)]
    flooded = [
        (one, Row(question[0].series, breaks[question[0].series], question)) for one, question in bursts
    ]
    burst = likelihoods(flooded, each)
    return Wandering(
        found,
        [_gain(doubt, gains, real) for doubt in doubts],
        _ratios(flooded, burst, mixing),
    )


def _ratios(
    rows: Sequence[tuple[Levels, Row]], likelihoods: Mapping[Row, tuple[Floats, Floats]], mixing: Floats
) -> list[float]:
    """What speaks for each question, less the price of a second end: the sooner it comes, the lower."""
    if not rows:
        return []
    places = np.array([max(np.isfinite(levels.log).sum() / APART, 1.0) for levels, _ in rows])
    choice = 2 * np.log(
        [_lengths(row.question, number) for (_, row), number in zip(rows, places, strict=True)]
    )
    none, stepped = (
        _log_means(np.stack([likelihoods[row][which] for _, row in rows]), mixing) for which in (0, 1)
    )
    return [float(one) for one in 2 * (stepped - none) - choice]


def _lengths(question: Question, places: float) -> float:
    """Lengths that what has two ends is chosen from, were all as likely as its own; 1 where it has one end.

    Chances fall by 1 / length, and their sum over all lengths by the logarithm of their number.
    """
    if len(question) == 1:
        return 1.0
    length = (question[1].begin - question[0].end) / APART
    return min(max(length, SHORT / APART) * max(math.log(places), 1.0), places)


def _surest(gains: Mapping[Question, float], real: Mapping[Doubt, float]) -> dict[Doubt, float]:
    """Of each series the moves of the surest question, if it is sure enough and not taken for real yet."""
    best: dict[int, Question] = {}
    for question, gain in gains.items():
        number = question[0].series
        new = gain >= REAL and not any(doubt in real for doubt in question)
        if new and (number not in best or gain > gains[best[number]]):
            best[number] = question
    return {
        doubt: np.inf if len(question) == 1 else gains[question]
        for question in best.values()
        for doubt in question
    }


def _gain(doubt: Doubt, gains: Mapping[Question, float], real: Mapping[Doubt, float]) -> float:
    """What speaks for a move: by itself, or, of two that came in together, what speaks for both."""
    if doubt in real:
        return min(gains[(doubt,)], real[doubt])
    return max(gain for question, gain in gains.items() if doubt in question)


def _log_means(table: Floats, weights: Floats) -> Floats:
    """Log of the weighted mean of exponentials, row by row."""
    top = table.max(axis=1)
    return np.asarray(top + np.log(np.exp(table - top[:, None]) @ weights))


def _mix(table: Floats) -> tuple[Floats, Floats]:
    """Weights of the grid points for each series, and for a series of which nothing is known yet."""
    likelihood = np.exp(table - table.max(axis=1, keepdims=True))
    mixing = EVEN
    for _ in range(PASSES):
        belief = likelihood * mixing
        belief /= belief.sum(axis=1, keepdims=True)
        mixing = (belief.sum(axis=0) + PRIOR * EVEN) / (len(table) + PRIOR)
    belief = likelihood * mixing
    return belief / belief.sum(axis=1, keepdims=True), mixing


def _kept(weights: Floats, step: int) -> Wander:
    """The grid points that matter."""
    order = np.argsort(-weights, kind="stable")[:MOST_POINTS]
    order = order[weights[order] >= LIKELY * weights[order[0]]]
    points = GRID[order].copy()
    points[:, 0] **= step
    return Wander(points, weights[order] / weights[order].sum())
