"""What the next days of a series should bring, if its level does nothing but wander as it always did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spamtide.change.moves.wander import Wander
from spamtide.change.moves.waves import Levels
from spamtide.model import Floats

Units = NDArray[np.int64]

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
NODES: Floats = np.asarray(_NODES)
WEIGHTS: Floats = np.asarray(_WEIGHTS / _WEIGHTS.sum())
"""Gauss-Hermite rule of a standard normal variable."""
SLIGHTEST = 1e-9


@dataclass(frozen=True, slots=True)
class Foresight:
    """The level of some days to come, over all that their series' wandering may be."""

    centre: Floats
    """Mean of the log level of these days, by grid point."""
    spread: Floats
    """Its standard deviation: what is not known of the level before, and what it may do meanwhile."""
    size: Floats
    """NB size of the sum of these days' messages around it."""
    weights: Floats
    """Weight of each grid point."""

    @property
    def level(self) -> float:
        """Messages a unit at usual exposure, the median."""
        return float(np.exp((self.weights * self.centre).sum()))

    def chance(self, seen: float, offset: float, told: float, *, rise: bool) -> float:
        """Probability of no more than so many messages, or of no fewer for a rise.

        Args:
            seen: messages that came.
            offset: sum of the days' offsets.
            told: information of these days, as a share of that of usual ones; 0-1. A holiday or a part of a
                day is as uneven as what is left of it, and so is what all botnets are said to have lost.
            rise: whether more than expected came.
        """
        from scipy.special import betainc

        mean = offset * np.exp(self.centre[:, None] + self.spread[:, None] * NODES)
        size = self.size[:, None] * told
        if rise and seen <= 0:
            return 1.0
        # The tail itself in either direction: 1 minus the other one is lost in rounding.
        tail = (
            betainc(seen, size, mean / (size + mean))
            if rise
            else betainc(size, seen + 1, size / (size + mean))
        )
        return float((self.weights[:, None] * WEIGHTS * tail).sum())


def foresee(levels: Levels, wandering: Wander, where: Units, windows: Sequence[int]) -> list[Foresight]:
    """What the last days of a series should have brought, from those before them alone.

    Args:
        levels: the series.
        wandering: how it wanders.
        where: its last observed units, all of one level as far as is known.
        windows: numbers of last units, increasing.
    """
    memory, spread, noise = wandering.points.T
    whole = spread**2
    state, ones, error = np.zeros_like(memory), np.zeros_like(memory), whole.copy()
    cross, power = np.zeros_like(memory), np.zeros_like(memory)
    found: dict[int, Foresight] = {}
    last = int(where[0])
    for place, unit in enumerate(where):
        gap = int(unit) - last
        if gap:
            faded = memory**gap
            state, ones, error = state * faded, ones * faded, error * faded**2 + whole * (1 - faded**2)
            last = int(unit)
        window = len(where) - place
        if window in windows:
            ahead = _ahead(memory, where[place:] - unit)
            mean = cross / np.maximum(power, SLIGHTEST)
            kept = 1 - ahead.fading * ones
            variance = ahead.fading**2 * error + whole * ahead.own + kept**2 / np.maximum(power, SLIGHTEST)
            found[window] = Foresight(
                centre=ahead.fading * state + mean * kept,
                spread=np.sqrt(variance),
                size=window / (noise * levels.uneven),
                weights=wandering.weights,
            )
        if not np.isfinite(levels.log[unit]):
            continue
        total = error + levels.poisson[unit] + noise * levels.uneven
        miss, short = levels.log[unit] - state, 1 - ones
        cross += short * miss / total
        power += short**2 / total
        gain = error / total
        state, ones, error = state + gain * miss, ones + gain * short, error * (1 - gain)
    return [found[window] for window in windows]


@dataclass(frozen=True, slots=True)
class _Ahead:
    """The mean of some days ahead, as the level of the first of them goes on; by grid point."""

    fading: Floats
    """What is left of the level's own deviation."""
    own: Floats
    """Variance of what it does meanwhile, in units of sigma^2."""


def _ahead(memory: Floats, lags: Units) -> _Ahead:
    """The mean over days `lags` after the first."""
    fade = memory[:, None] ** lags
    # Of two days a < b after the first, cov = phi^(b - a) (1 - phi^(2 a)) sigma^2.
    apart = memory[:, None, None] ** np.abs(lags[:, None] - lags[None])
    until = 1 - memory[:, None, None] ** (2 * np.minimum(lags[:, None], lags[None]))
    return _Ahead(fade.mean(axis=1), (apart * until).mean(axis=(1, 2)))
