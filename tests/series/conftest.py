"""Worlds with known levels, and panels made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from spamtide.model import Panel

Array = NDArray[np.float64]
FIRST = np.datetime64("2024-01-01")


@dataclass(frozen=True, slots=True)
class World:
    """Expected counts by subject, sensor and day as if every sensor were always up, and other mail."""

    mean: Array
    """(K, S, T)."""
    ham: NDArray[np.int64]
    """(S, T)."""
    noise: Array
    """(S, T) sensor-day factors, mean 1, AR(1) within a sensor on the log scale."""
    rng: np.random.Generator

    def counts(self) -> NDArray[np.int64]:
        """Draw what is counted, (K, S, T)."""
        return self.rng.poisson(self.mean * self.noise)

    def index(self, base: slice) -> Array:
        """The true index of the total."""
        total = self.mean.sum(axis=(0, 1))
        return 100.0 * total / total[base].mean()


def _world(
    seed: int,
    sizes: tuple[float, ...] = (20.0, 50.0, 100.0, 200.0, 80.0),
    subjects: int = 4,
    days: int = 180,
    alpha: float = 0.1,
    rho: float = 0.3,
    drift: float = 0.02,
) -> World:
    """Sensors of given sizes; subjects that drift; a weekday wave; over-dispersed, correlated noise."""
    rng = np.random.default_rng(seed)
    week = np.exp(0.2 * np.cos(2 * np.pi * np.arange(days) / 7))
    share = rng.dirichlet(np.full(subjects, 3.0))
    level = np.exp(np.cumsum(rng.normal(0, drift, (subjects, days)), axis=1))
    mean = share[:, None, None] * level[:, None] * week * np.array(sizes)[None, :, None]
    normal = rng.normal(size=(len(sizes), days))
    for day in range(1, days):
        normal[:, day] = rho * normal[:, day - 1] + np.sqrt(1 - rho**2) * normal[:, day]
    sigma = np.sqrt(np.log1p(alpha))
    ham = rng.poisson(5, (len(sizes), days))
    return World(mean, ham, np.exp(sigma * normal - sigma**2 / 2), rng)


def _panel(
    counts: NDArray[np.int64],
    ham: NDArray[np.int64] | None = None,
    relays: tuple[tuple[str, ...], ...] | None = None,
    kinds: tuple[str, ...] | None = None,
) -> Panel:
    """A panel of subjects b0, b1, ..., unknown (botnets unless `kinds` says otherwise) and their total."""
    subjects, sensors, days = counts.shape
    names = [f"b{number}" for number in range(subjects - 1)] + ["unknown"]
    kinds = kinds or ("botnet",) * subjects
    total = counts[[row for row, kind in enumerate(kinds) if kind == "botnet"]].sum(axis=0)
    return Panel(
        days=FIRST + np.arange(days),
        sensors=tuple(f"s{number}" for number in range(sensors)),
        subjects=(("total", "total"), *zip(kinds, names, strict=True)),
        counts=np.concatenate([total[None], counts]).astype(np.int64),
        ham=np.zeros((sensors, days), dtype=np.int64) if ham is None else ham,
        relays=relays or (("",) * days,) * sensors,
        pairs={},
    )


@pytest.fixture(scope="session")
def world() -> Callable[..., World]:
    return _world


@pytest.fixture(scope="session")
def panel_of() -> Callable[..., Panel]:
    return _panel
