"""How far a move went: one level over another, with what the scatter of their units leaves open.

A unit's variance is the negative binomial's or that of the units themselves, whichever is larger, so that a
level that drifts is known less well; what units share with the one before widens it by (1 + r) / (1 - r).
"""

from __future__ import annotations

import math

import numpy as np

from spamtide.change.moves.segment import Track
from spamtide.model import Floats
from spamtide.wilson import mover, poisson_bounds

CORRELATION = 0.8
"""Most serial correlation that is believed."""
SLIGHT = 1e-9

NEAR, FEWEST = 28, 7
"""Units next to a move that its levels are taken from, where there are so many; fewer than FEWEST that surely
are at a level are too few."""

Span = tuple[int, int]
"""First unit, and one past the last."""
Reach = tuple[float, float, float]
"""A ratio and its 95 % interval; the upper end may be infinite."""


def extent(track: Track, before: Span, after: Span) -> Reach | None:
    """The ratio of two levels of a series; None where there was nothing before, or nothing is known since.

    Args:
        track: the series.
        before: units at the level before.
        after: units at the level after.
    """
    sides = [_seen(track, span) for span in (before, after)]
    if not sides[0][1].any() or not len(sides[1][0]):
        return None
    tie = _tie(sides)
    above, below = (_mean(track, *side, tie) for side in (sides[1], sides[0]))
    return above[0] / below[0], *mover(above, below)


def near(old: Span, new: Span, doubt: tuple[int, int, int, int]) -> tuple[Span, Span]:
    """The units next to a move at either level: those surely there, or probably, where too few surely are.

    Args:
        old: units at the level before, up to the move's most probable first one.
        new: units at the level after, from the most probable first one of these on.
        doubt: first and last unit in which the move may have begun, and may have been over.
    """
    low, _, _, high = doubt
    sure_old, sure_new = min(low, old[1]), max(high, new[0])
    last = sure_old if sure_old - old[0] >= FEWEST else old[1]
    first = sure_new if new[1] - sure_new >= FEWEST else new[0]
    return (max(old[0], last - NEAR), last), (first, min(new[1], first + NEAR))


def _seen(track: Track, span: Span) -> tuple[Floats, Floats]:
    """Offsets and counts of the units of a span that are not missing."""
    offset, count = track.offset[slice(*span)], track.count[slice(*span)]
    return offset[offset > 0], count[offset > 0]


def _mean(track: Track, offset: Floats, count: Floats, tie: float) -> tuple[float, float, float]:
    """Messages a unit at usual exposure, with the interval of their mean."""
    whole, mass = float(count.sum()), float(offset.sum())
    expected = np.maximum(offset * whole / mass, SLIGHT)
    scatter = float((expected**2).sum() / max(expected.sum(), SLIGHT)) / track.size + 1
    if len(count) > 1 and whole > 0:
        scatter = max(scatter, float(((count - expected) ** 2 / expected).sum() / (len(count) - 1)))
    low, high = poisson_bounds(whole, scatter * tie)
    return whole / mass, low / mass, high / mass


def _tie(sides: list[tuple[Floats, Floats]]) -> float:
    """By how much a variance grows because units go with the one before, on both sides together.

    Units around their own mean seem to go together less than they do (Kendall 1954, Biometrika 41).
    """
    product = square = 0.0
    for offset, count in sides:
        expected = offset * count.sum() / offset.sum() if len(offset) else offset
        residual = (count - expected) / np.sqrt(np.maximum(expected, SLIGHT)) if count.any() else count
        product += float((residual[1:] * residual[:-1]).sum())
        square += float((residual**2).sum())
    seen = product / square if square > 0 and math.isfinite(square) else 0.0
    units = sum(len(count) for _, count in sides) / len(sides)
    r = min(max(seen + (1 + 3 * seen) / max(units, 1.0), 0.0), CORRELATION)
    return (1 + r) / (1 - r)
