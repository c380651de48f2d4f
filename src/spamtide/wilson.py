"""Score intervals of what was counted: of a share, of a count's mean, and of one mean over another."""

from __future__ import annotations

import math

Z95 = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""


def wilson(share: float, n: float) -> tuple[float, float]:
    """The 95 % score interval of a share, within 0 and 1.

    Wilson 1927, as in Brown, Cai, DasGupta 2001 (Statistical Science 16), section 3.1.1.

    Args:
        share: successes by trials, 0-1.
        n: trials, above 0; not whole where they are worth fewer than there are.
    """
    square = Z95 * Z95
    centre = (share + square / (2 * n)) / (1 + square / n)
    half = Z95 / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def poisson_bounds(count: float, dispersion: float = 1.0) -> tuple[float, float]:
    """The 95 % score interval of a count's mean, its variance `dispersion` times the mean (Rao score)."""
    x = count / dispersion
    half = Z95 * math.sqrt(x + Z95 * Z95 / 4)
    return dispersion * max(x + Z95 * Z95 / 2 - half, 0.0), dispersion * (x + Z95 * Z95 / 2 + half)


def mover(above: tuple[float, float, float], below: tuple[float, float, float]) -> tuple[float, float]:
    """The 95 % interval of one mean over another, by MOVER-R (Donner and Zou 2012).

    Args:
        above: a mean, not negative, and its interval.
        below: the mean that it is divided by, above 0, and its interval.
    """
    (a, al, au), (b, bl, bu) = above, below
    product = a * b
    low_root = max(product**2 - al * (2 * a - al) * bu * (2 * b - bu), 0.0)
    low = (product - math.sqrt(low_root)) / (bu * (2 * b - bu)) if 2 * b > bu else 0.0
    high_root = max(product**2 - au * (2 * a - au) * bl * (2 * b - bl), 0.0)
    high = (product + math.sqrt(high_root)) / (bl * (2 * b - bl)) if bl > 0 else math.inf
    return max(low, 0.0), high
