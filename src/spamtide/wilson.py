"""The interval of a share: what it may be, given what was counted."""

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
