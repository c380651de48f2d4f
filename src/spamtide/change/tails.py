"""Tails: how often counts, or single days, are so far off by chance."""

from __future__ import annotations

import numpy as np

from spamtide.model import Floats

WORST = 0.1
"""Share of days, the worst, from which the tail of single days is judged."""
FEWEST_WORST = 30


def lower_tail(seen: float, mean: float, size: float) -> float:
    """Probability of no more than `seen` messages under a negative binomial of this mean and size."""
    from scipy.special import betainc

    if mean <= 0:
        return 1.0
    if seen < 0:
        return 0.0
    return float(betainc(size, seen + 1, size / (size + mean)))


def worst_tail(usual: Floats, value: float) -> float:
    """Chance of a value beyond `value`, by an exponential tail through the worst tenth of the usual ones."""
    if len(usual) < FEWEST_WORST:
        return 0.0
    usual = np.asarray(usual - np.median(usual)) * np.sign(value)
    edge = float(np.quantile(usual, 1 - WORST))
    beyond = usual[usual > edge]
    if abs(value) <= edge or not len(beyond):
        return 1.0 if abs(value) <= edge else 0.0
    return float(WORST * np.exp(-(abs(value) - edge) / max(float((beyond - edge).mean()), 1e-3)))
