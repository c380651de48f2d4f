"""TRIM's estimator: generalised estimating equations with quasi-Poisson variance and AR(1) correlation.

Kept apart because its estimates, too, depend on the correlation; it is the reference that the project's
index is held against (published TRIM output), and works on dense T x T matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spamtide.model import Floats

ROUNDS = 200
TOLERANCE = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """Effects, dispersion and covariance of one table."""

    sensor: Floats
    """(S,) log sensor effects."""
    day: Floats
    """(T,) log day effects."""
    overdispersion: float
    """Pearson's chi-square over its degrees of freedom."""
    rho: float
    """Mean product of neighbouring Pearson residuals over the over-dispersion."""
    covariance: Floats
    """(T, T), of day effects up to a common constant."""

    def log_variance(self, share: Floats) -> Floats:
        """Variance of each day effect less the `share`-weighted mean of day effects."""
        of_base = self.covariance @ share
        return np.maximum(np.diag(self.covariance) - 2.0 * of_base + share @ of_base, 0.0)


def gee(y: Floats, u: Floats, days: NDArray[np.int64], start: tuple[Floats, Floats]) -> Estimate:
    """Solve D'V^-1(y - mu) = 0, V = phi sqrt(mu) R sqrt(mu), R = rho^|t-t'|, as TRIM's model 3 does.

    Args:
        y: (S, T) counts, 0 where missing.
        u: (S, T) exposure, 0 where missing.
        days: (T,) day numbers, for the distances in R.
        start: log sensor and log day effects of the Poisson fit.

    Returns:
        The estimate; covariance is phi (D'V^-1 D)^-1.
    """
    sensor, day = start[0].copy(), start[1].copy()
    cells = u > 0
    freedom = max(int(cells.sum()) - len(day) - (len(sensor) - 1), 1)
    phi, rho = 1.0, 0.0
    distance = np.abs(days[:, None] - days)
    for _ in range(ROUNDS):
        root = np.sqrt(u * np.exp(sensor[:, None] + day))
        residual = np.where(cells, (y - root**2) / np.where(cells, root, 1.0), 0.0)
        phi = float((residual**2).sum()) / freedom
        rho = _serial(residual, cells, days, phi)
        information, score = _equations(root, residual, cells, rho**distance)
        # The common constant of sensor and day effects is free: hold the first sensor.
        move = np.zeros(len(score))
        move[1:] = np.linalg.lstsq(information[1:, 1:], score[1:])[0]
        sensor += move[: len(sensor)]
        day += move[len(sensor) :]
        if np.abs(move).max() < TOLERANCE:
            break
    inverse = np.linalg.pinv(information[1:, 1:], hermitian=True)[len(sensor) - 1 :, len(sensor) - 1 :]
    return Estimate(sensor, day, phi, rho, np.asarray(phi * inverse, dtype=np.float64))


def _serial(residual: Floats, cells: NDArray[np.bool_], days: NDArray[np.int64], phi: float) -> float:
    """Lag-one correlation of Pearson residuals within sensors."""
    near = cells[:, 1:] & cells[:, :-1] & (np.diff(days) == 1)
    if not near.any() or phi <= 0:
        return 0.0
    return float(np.clip((residual[:, 1:] * residual[:, :-1])[near].mean() / phi, -0.95, 0.95))


def _equations(
    root: Floats, residual: Floats, cells: NDArray[np.bool_], correlation: Floats
) -> tuple[Floats, Floats]:
    """D'V^-1 D and D'V^-1 (y - mu), both times phi; sensors first, then days."""
    sensors, days = root.shape
    information = np.zeros((sensors + days, sensors + days))
    score = np.zeros(sensors + days)
    for row in range(sensors):
        here = np.flatnonzero(cells[row])
        inverse = np.linalg.inv(correlation[np.ix_(here, here)])
        block = root[row, here, None] * inverse * root[row, here]
        part = root[row, here] * (inverse @ residual[row, here])
        where = sensors + here
        information[np.ix_(where, where)] += block
        information[row, row] = block.sum()
        information[row, where] = information[where, row] = block.sum(axis=0)
        score[where] += part
        score[row] = part.sum()
    return information, score
