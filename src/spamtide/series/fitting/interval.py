"""Intervals of levels that stay sensible at few messages and at none."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.polynomial.chebyshev import chebinterpolate, chebval

from spamtide.model import Floats

MANY = 200.0
"""Effective counts from which gamma quantiles are taken by Wilson and Hilferty's cube root (PNAS 17, 1931);
the error is below 1e-5."""
LEAST = 0.5
"""Shape of nothing at all."""
DEGREE = 40
"""Of the polynomial that stands for quantiles of few: its error is below 1e-13, in a fifth of their time."""
NORMAL = {0.95: 1.959964, 0.90: 1.644854}
"""Coverage -> two-sided normal quantile."""
STEPS = 100
PRECISE = 1e-12
"""Log level at which Newton's method has arrived."""
EXPONENT_KEPT = 600.0
"""Bound of exponents: far above any level that is told, and within what a float holds."""


def interval(
    level: Floats, log_se: Floats, expected: Floats, dispersion: float, coverage: float = 0.95
) -> tuple[Floats, Floats]:
    """Interval of levels: gamma quantiles of the count that would be as precise (Jeffreys).

    With a large effective count n = 1/se^2 this is the log-normal interval; with few messages it keeps
    its coverage; with none it runs from 0 to the level at which none would have a 2.5 % (5 %) chance.

    Args:
        level: (T,) estimates.
        log_se: (T,) standard errors of their logarithms.
        expected: (S, T) expected counts at level 1, for days without a message.
        dispersion: alpha of the variance mu + alpha mu^2.
        coverage: a key of NORMAL.
    """
    low = np.full_like(level, np.nan)
    high = np.full_like(level, np.nan)
    exact = np.isfinite(level) & (log_se == 0)
    low[exact] = high[exact] = level[exact]
    some = np.isfinite(level) & (level > 0) & (log_se > 0)
    n = 1.0 / log_se[some] ** 2
    low[some] = level[some] * np.minimum(_quantile(n + 0.5, -1, coverage) / n, 1.0)
    high[some] = level[some] * np.maximum(_quantile(n + 0.5, 1, coverage) / n, 1.0)
    none = level == 0
    low[none] = 0.0
    none &= expected.any(axis=0)
    high[none] = _highest_without_mail(expected[:, none], dispersion, (1.0 - coverage) / 2)
    return low, high


def _quantile(shape: Floats, side: int, coverage: float) -> Floats:
    """Lower (side -1) or upper (1) end of a gamma distribution of scale 1 and a shape of LEAST or more."""
    ninth = 1.0 / (9.0 * shape)
    found = shape * (1.0 - ninth + side * NORMAL[coverage] * np.sqrt(ninth)) ** 3
    few = shape < MANY
    found[few] = np.exp(chebval(_scaled(np.log(shape[few])), _logarithms(side, coverage)))
    return np.asarray(found)


@cache
def _logarithms(side: int, coverage: float) -> Floats:
    """Logarithms of quantiles of few, as a polynomial in the scaled logarithm of the shape."""
    from scipy.special import gammaincinv

    low, high = math.log(LEAST), math.log(MANY)

    def at(place: Floats) -> Floats:
        shape = np.exp(low + (high - low) * (place + 1.0) / 2.0)
        return np.asarray(np.log(gammaincinv(shape, 0.5 + side * coverage / 2)))

    return np.asarray(chebinterpolate(at, DEGREE))  # type: ignore[type-var]  # of floats, whatever it says


def _scaled(log: Floats) -> Floats:
    """Logarithms from LEAST to MANY as -1 to 1."""
    low, high = math.log(LEAST), math.log(MANY)
    return 2.0 * (log - low) / (high - low) - 1.0


def _highest_without_mail(expected: Floats, dispersion: float, chance: float) -> Floats:
    """Level at which a day without a message has a chance, by Newton's method on the log scale.

    What is solved for is convex there, so that from above every step stays above; a step down is bounded by
    where the Poisson root, the least that it can be, lies.
    """
    target = -np.log(chance)
    total = expected.sum(axis=0)
    least = np.log(target / total)
    if dispersion <= 0:
        return np.asarray(np.exp(least))
    # One sensor alone would have to be this high; more of them only bring it down.
    alone = np.log(np.expm1(min(dispersion * target, EXPONENT_KEPT)) / dispersion / expected.max(axis=0))
    level = np.maximum(alone, least)
    for _ in range(STEPS):
        rate = dispersion * expected * np.exp(level)
        slope = (rate / (1.0 + rate)).sum(axis=0)
        step = (np.log1p(rate).sum(axis=0) - dispersion * target) / slope
        level = np.maximum(level - step, least)
        if np.abs(step).max(initial=0.0) < PRECISE:
            break
    return np.asarray(np.exp(level))
