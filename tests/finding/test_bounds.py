"""What a count says of what was meant: bounds that hold at least as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from spamtide.finding.estimate.levels import Expected

DRAWS = 2_000


def bounds(count: float, alpha: float) -> tuple[float, float]:
    """The 95 % interval of what one day was to hold."""
    dice = np.random.default_rng(1)
    low, high = Expected(10.0, 0.1, alpha, 1.0, 1.0).meant(count, dice, DRAWS)
    return float(np.quantile(low, 0.025)), float(np.quantile(high, 0.975))


@pytest.mark.parametrize(("mean", "alpha"), [(0.7, 0.1), (6.0, 0.02), (30.0, 0.05)])
def test_they_hold_at_least_as_often_as_they_say(mean: float, alpha: float) -> None:
    """Of counts drawn around a known mean; small ones are discrete, and hold more often."""
    dice = np.random.default_rng(7)
    counts = dice.negative_binomial(1 / alpha, 1 / (1 + alpha * mean), 4_000)
    known = {count: bounds(float(count), alpha) for count in set(counts.tolist())}
    held = np.mean([known[count][0] <= mean <= known[count][1] for count in counts.tolist()])
    assert held >= 0.945


def test_nothing_seen_has_a_lower_bound_of_nothing() -> None:
    """And an upper one of about three messages and a half."""
    low, high = bounds(0.0, 0.0)
    assert low == pytest.approx(0.0, abs=1e-6)
    assert high == pytest.approx(3.7, abs=0.3)
