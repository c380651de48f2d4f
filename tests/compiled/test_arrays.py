"""Arrays are reckoned with to the bit alike, and none is read or written beyond its end."""

from __future__ import annotations

import numpy as np
import pytest
from forms import date, wander

from spamtide.compiled import native

pytestmark = pytest.mark.usefixtures("compiled")


def test_dates_and_wandering_are_reckoned_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the bit: every operation is the same one."""
    rng = np.random.default_rng(8)
    count = rng.poisson(np.where(np.arange(120) < 60, 80.0, 30.0) * rng.gamma(8.0, 1 / 8, 120)).astype(float)
    offset = np.where(np.arange(120) % 37 == 20, 0.0, rng.uniform(0.8, 1.2, 120))
    rows, points = 5, len(wander.GRID)
    log = np.where(rng.random((rows, 61)) < 0.1, np.nan, rng.normal(3.0, 0.3, (rows, 61)))
    fresh = rng.random((rows, 61)) < 0.05
    after = np.cumsum(rng.random((rows, 61)) < 0.02, axis=1) % 2.0
    noise, uneven = rng.uniform(0.001, 0.1, (rows, 61)), rng.uniform(0.001, 0.1, (rows, points))
    memory, spread = wander.GRID[:, 0].copy(), wander.GRID[:, 1] ** 2

    def reckoned() -> list[bytes]:
        found = [
            date.ramp_posterior(count, offset, 8.0, (60, 61), (0, 120), residuals)[1]
            for residuals in (date.RESIDUALS, date.SHALLOW_RESIDUALS)
        ]
        found += wander._run(log, noise, uneven, fresh, after, memory, spread)
        return [one.tobytes() for one in found]

    compiled = reckoned()
    monkeypatch.setattr(date, "native", None)
    monkeypatch.setattr(wander, "native", None)
    assert reckoned() == compiled


def test_arrays_of_other_shapes_are_refused() -> None:
    """Nothing is read or written beyond an array."""
    assert native is not None
    with pytest.raises(ValueError, match="shapes"):
        native.paths(np.ones((12, 3, 2)), np.array([2, 2, 2]), np.ones((3, 2, 2)), 2, 2)
    arrays = [np.ones(3), *(np.ones(1) for _ in range(8)), np.ones(3), np.ones(6)]

    def follow(arrays: list[np.ndarray], stop: int) -> None:
        native.follow(tuple(arrays[:3]), tuple(arrays[3:7]), tuple(arrays[7:]), 0, stop)

    follow(arrays, 1)
    with pytest.raises(ValueError, match="shapes"):
        follow(arrays, 2)
    for wrong in range(len(arrays)):
        with pytest.raises(ValueError, match="shapes"):
            follow([np.ones(7) if at == wrong else one for at, one in enumerate(arrays)], 1)
