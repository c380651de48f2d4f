"""Over-dispersion alpha of the variance mu + alpha mu^2, by moments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spamtide.compiled import native
from spamtide.model import Counts, Floats

ASSUMED_DISPERSION = 0.1
"""alpha where too few days and sensors leave nothing to estimate it from: 32 % noise a sensor-day."""
LARGEST_DISPERSION = 50.0
STEPS, PRECISE = 100, 1e-12
"""Of Newton's method: most steps, and the relative change at which it has arrived."""


def moment_dispersion(square: Floats, mean: Floats, freedom: int) -> float:
    """The alpha at which the squared residuals over mu + alpha mu^2 add up to the degrees of freedom.

    Newton's method on one over that sum, which is concave in alpha and nearly straight: from 0 it rises to
    the root in a few steps and never beyond it.
    """
    if native is not None:
        return native.dispersion(square, mean, freedom, (LARGEST_DISPERSION, STEPS, PRECISE))
    share = square / mean
    alpha = 0.0
    if share.sum() <= freedom:
        return alpha
    for _ in range(STEPS):
        damp = 1.0 / (1.0 + alpha * mean)
        told = share * damp
        total = float(told.sum())
        fall = float((told * damp * mean).sum())
        # 1/total + step * fall/total^2 = 1/freedom
        step = (total / freedom - 1.0) * total / fall if fall > 0 else LARGEST_DISPERSION
        alpha += step
        if alpha >= LARGEST_DISPERSION:
            return LARGEST_DISPERSION
        if abs(step) <= PRECISE * alpha:
            break
    return alpha


def local_dispersion(total: Counts | Floats, days: NDArray[np.int64]) -> float:
    """Dispersion from differences between days a week apart, median over blocks of four weeks.

    For panels without residuals (one sensor): it cannot tell noise from a true change of one day, and
    counts both, so that the interval errs on the wide side.
    """
    span = np.full(int(days[-1] - days[0]) + 1, np.nan)
    span[days - days[0]] = total
    first, later = span[:-7], span[7:]
    ratios = []
    for start in range(0, len(first), 28):
        pair = np.stack([first[start : start + 28], later[start : start + 28]])
        pair = pair[:, np.isfinite(pair).all(axis=0)]
        mean = pair.mean(axis=0)
        if pair.shape[1] >= 7 and mean.sum() > 0:  # noqa: PLR2004 - a week of pairs
            ratios.append((((pair[0] - pair[1]) ** 2 / 2 - mean).sum()) / (mean**2).sum())
    return float(np.clip(np.median(ratios), 0.0, LARGEST_DISPERSION)) if ratios else ASSUMED_DISPERSION
