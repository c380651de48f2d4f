"""How improbable some days of a sensor are, and when they began: negative binomial tails and a profile."""

from __future__ import annotations

import datetime as dt

import numpy as np

from spamtide.model import Days, Floats

LEAST_ALPHA = 0.01
"""Of variance = mean + alpha mean**2: no sensor is steadier."""
FARTHEST, STEPS = 15.0, 301
"""Standard deviations of a mean's logarithm that are added up, and in how many steps."""
LIKELY = 3.84
"""Onsets within this of the best, in twice the log-likelihood, are in the 95 % interval."""


def chance_of(seen: float, expected: float, size: float) -> float:
    """Chance of so few messages, or of so many where there are more than expected."""
    if seen < expected:
        return _lower_tail(seen, expected, size)
    return 1 - _lower_tail(seen - 1, expected, size)


def mixed_chance(seen: float, expected: float, variance: float, tail: float) -> float:
    """Chance of so few messages, or of so many where there are more than expected, of an uncertain mean.

    The logarithm of the mean has Student's distribution.

    Args:
        seen: messages.
        expected: their mean.
        variance: that of the mean's logarithm.
        tail: its excess kurtosis.
    """
    from scipy.special import gammainc, gammaincc

    if expected <= 0:
        return 1.0
    freedom = 4.0 + 6.0 / tail
    steps = np.linspace(-FARTHEST, FARTHEST, STEPS)
    weight = (1.0 + steps**2 / (freedom - 2.0)) ** (-(freedom + 1.0) / 2.0)
    spread = np.sqrt(np.log1p(variance))
    mean = expected * np.exp(spread * steps)
    chance = gammaincc(seen + 1.0, mean) if seen < expected else gammainc(max(seen, 1e-9), mean)
    return float((weight * chance).sum() / weight.sum())


def _lower_tail(seen: float, mean: float, size: float) -> float:
    """Probability of no more than `seen` messages under a negative binomial of this mean and size."""
    from scipy.special import betainc

    if mean <= 0:
        return 1.0
    return float(betainc(size, seen + 1, size / (size + mean))) if seen >= 0 else 0.0


def unevenness(seen: Floats, expected: Floats) -> float:
    """Over-dispersion of a sensor's days about what one is led to expect, shapes (days,)."""
    mean = np.maximum(expected * seen.sum() / max(expected.sum(), 1e-9), 1e-9)
    excess = ((seen - mean) ** 2 - mean).sum() / (mean**2).sum()
    return float(max(excess, LEAST_ALPHA))


def memory(seen: Floats, expected: Floats) -> float:
    """Serial correlation of a sensor's days about what one is led to expect, 0 to 0.8."""
    rest = seen / np.maximum(expected * seen.sum() / max(float(expected.sum()), 1e-9), 1e-9) - 1
    power = float((rest**2).sum())
    return float(np.clip((rest[1:] * rest[:-1]).sum() / power, 0.0, 0.8)) if power > 0 else 0.0


def mean_of(days: int, rho: float) -> float:
    """Variance of a mean of some days over that of one day, days being correlated."""
    lags = rho * (1 - (1 - rho**days) / (days * (1 - rho))) / (1 - rho)
    return float(1 + 2 * lags) / days


def onset_within(seen: Floats, expected: Floats, alpha: float, longest: int) -> tuple[int, int, int]:
    """How many days ago a change of level began: most likely, and the ends of its 95 % interval.

    The day before the first whole day at the new level may have been a part of one, so the interval takes
    it in. All three are numbers of days at the end of the series; the interval's start is the larger one.

    Args:
        seen: messages by day, shape (days,).
        expected: what they would have been, had nothing changed, on any scale; shape (days,).
        alpha: over-dispersion.
        longest: days ago at most.
    """
    days = np.arange(1, min(longest, len(seen) - 1) + 1)
    gain = np.empty(len(days))
    for place, day in enumerate(days):
        gain[place] = sum(
            _likelihood(seen[part], expected[part], alpha) for part in (slice(None, -day), slice(-day, None))
        )
    likely = days[2 * (gain.max() - gain) <= LIKELY]
    return int(days[gain.argmax()]), int(likely[-1]) + 1, int(likely[0])


def _likelihood(seen: Floats, expected: Floats, alpha: float) -> float:
    """Negative binomial log-likelihood at the best common factor, up to a constant."""
    mean = np.maximum(expected * (seen.sum() + 0.5) / max(float(expected.sum()), 1e-9), 1e-9)
    return float((seen * np.log(mean) - (seen + 1 / alpha) * np.log1p(alpha * mean)).sum())


def ago(days: Days, number: int) -> dt.date:
    """The first of the last `number` days; the first of all where there are fewer."""
    day: dt.date = days[max(len(days) - number, 0)].astype("datetime64[D]").astype(dt.date)
    return day
