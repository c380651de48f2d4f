"""Weigh a move: how much better two levels fit than one, and how often chance alone does as well.

Two cautions keep chance from looking like change: the gain is taken at a dispersion larger than the
estimate, and read off an F tail, multiplied by the number of places where the move might have been found.
What a level does that wanders is not chance in this sense: `wander` weighs moves beside it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from spamtide.change.moves.segment import Track
from spamtide.compiled import native

CAUTION = 0.6
"""Factor on the NB size when a move is weighed: the least that the estimate may well be wrong by."""
NEWTON_STEPS = 50
"""Bound on the search for the best level."""
NEWTON_TOLERANCE = 1e-10


def merged_gain(track: Track, bounds: Sequence[int], size: float) -> float:
    """Twice the log-likelihood ratio of levels between successive `bounds` against one level for all.

    Unlike `cost`, exact in the offsets, so that days of little exposure weigh what they should.

    Args:
        track: the series.
        bounds: units, increasing.
        size: NB size r to judge by.
    """
    if native is not None:
        given = track.count, track.offset, size, np.asarray(bounds, dtype=np.int64)
        return native.levels(*given, (NEWTON_STEPS, NEWTON_TOLERANCE))
    pieces = [slice(a, b) for a, b in itertools.pairwise(bounds)]
    one = _log_likelihood(track, slice(bounds[0], bounds[-1]), size)
    return 2 * (sum(_log_likelihood(track, piece, size) for piece in pieces) - one)


def _log_likelihood(track: Track, units: slice, size: float) -> float:
    """NB log likelihood of one level at its best, without terms that do not depend on the level."""
    seen = track.offset[units] > 0
    count, offset = track.count[units][seen], track.offset[units][seen]
    if count.sum() <= 0:
        return 0.0
    level = count.sum() / offset.sum()
    for _ in range(NEWTON_STEPS):
        mean = level * offset
        score = ((count - mean) * size / (size + mean)).sum()
        information = (size * mean / (size + mean)).sum()
        step = float(np.clip(score / information, -1.0, 1.0))
        level *= np.exp(step)
        if abs(step) < NEWTON_TOLERANCE:
            break
    mean = level * offset
    return float((count * np.log(mean / (size + mean)) - size * np.log1p(mean / size)).sum())


def tail(gain: float, parameters: int, units: int, places: int) -> float:
    """Conservative p-value of a gain: F tail, because the dispersion is estimated, times the places tried.

    Args:
        gain: twice the log-likelihood ratio.
        parameters: levels added.
        units: observed units, half of which are taken as the degrees of freedom of the dispersion.
        places: places where the change might have been found (Bonferroni).
    """
    from scipy.special import fdtrc

    return min(1.0, places * float(fdtrc(parameters, max(units / 2, 4), max(gain, 0.0) / parameters)))
