"""How improbable so few messages are where their mean is uncertain."""

import numpy as np
import pytest
from scipy.stats import poisson

from spamtide.series.sensors.tail import mixed_chance


@pytest.mark.parametrize(("seen", "expected"), [(3, 12.0), (40, 80.0), (30, 12.0)])
def test_of_a_mean_that_is_known_it_is_a_poissons(seen: int, expected: float) -> None:
    wanted = poisson.cdf(seen, expected) if seen < expected else poisson.sf(seen - 1, expected)
    assert mixed_chance(seen, expected, 1e-9, 1.0) == pytest.approx(wanted, rel=1e-3)


def test_heavy_tails_and_uneven_days_make_more_of_it_chance() -> None:
    drawn = np.random.default_rng(1).normal(0, np.sqrt(np.log1p(0.04)), 400_000)
    wanted = float(poisson.cdf(60, 100 * np.exp(drawn)).mean())
    light = mixed_chance(60, 100.0, 0.04, 0.05)
    assert light == pytest.approx(wanted, rel=0.15)
    assert mixed_chance(30, 100.0, 0.04, 3.0) > 10 * mixed_chance(30, 100.0, 0.04, 0.05)
    assert mixed_chance(0, 0.0, 0.04, 1.0) == 1.0
