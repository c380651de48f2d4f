"""Covariance of a fitted panel: a sandwich with AR(1) correlation within sensors, without T x T matrices.

The information matrix of sensor and day effects is an arrow: the days are a diagonal, bordered by a few
sensors. Eliminating the days leaves one small system over the sensors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spamtide.compiled import native
from spamtide.model import Floats

LARGEST_CORRELATION = 0.95
LEAST_PAIRS = 10
"""Neighbouring residuals needed for a serial correlation."""
ALONE = 0.9
"""Share of a day's information from which one sensor tells its effect alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Arrow:
    """The information matrix at the estimates, days eliminated, and the AR(1) middle of the sandwich."""

    days: NDArray[np.int64]
    """Days with an estimated effect, as positions in the whole span."""
    weight: Floats
    """(S', D) information of each cell: mu^2 / variance."""
    free: NDArray[np.int64]
    """Sensors with an estimated effect, as rows of `weight`."""
    inverse: Floats
    """(F, F) inverse of the Schur complement of the days."""
    prior: Floats
    """(F,) prior precision of the sensor effects."""
    rho: float

    def covariance(self, gradients: Floats, of_sensors: Floats | None = None) -> Floats:
        """Covariance of linear functions of the effects: of days (k, D), and of free sensors (k, F)."""
        by_day = self.weight.sum(axis=0)
        through = -(gradients / by_day) @ self.weight[self.free].T
        sensors = (through if of_sensors is None else through + of_sensors) @ self.inverse
        days = (gradients - sensors @ self.weight[self.free]) / by_day
        full = np.zeros((len(gradients), len(self.weight)))
        full[:, self.free] = sensors
        scores = np.sqrt(self.weight)[:, None] * (days[None] + full.T[:, :, None])
        middle = np.matmul(scores, self._correlate(scores).transpose(0, 2, 1)).sum(axis=0)
        return np.asarray(middle + (sensors * self.prior) @ sensors.T)

    def log_variance(self, share: Floats) -> Floats:
        """Variance of each day effect less `share`-weighted day effects (the base), without T x T work."""
        by_day = self.weight.sum(axis=0)
        border = self.weight[self.free] / by_day
        count = len(self.free)
        of_base = -self.inverse @ (border @ share)
        base_days = (share - of_base @ self.weight[self.free]) / by_day
        # Solving for the unit vector of day t gives a spike at t plus columns shared by all days, so each
        # day's quadratic form needs only R applied to those columns.
        multiple = np.concatenate([self.inverse @ border, np.ones((1, len(by_day)))])
        inner, crossed = self._products(border, (base_days, of_base), multiple)
        lift = np.concatenate([np.eye(count), of_base[:, None]], axis=1)
        inner += lift.T @ (self.prior[:, None] * lift)
        quadratic = ((inner.T @ multiple) * multiple).sum(axis=0)
        return np.asarray(np.maximum(1.0 / by_day + 2.0 * crossed / by_day + quadratic, 0.0))

    def _products(
        self, border: Floats, base: tuple[Floats, Floats], multiple: Floats
    ) -> tuple[Floats, Floats]:
        """The columns' products with R applied to them, and by day the latter's with what they are times.

        Args:
            border: (F, D) share of each free sensor in a day's information.
            base: what the base is to be taken off with, by day (D,) and by free sensor (F,).
            multiple: (F + 1, D).
        """
        (base_days, of_base), count, root = base, len(self.free), np.sqrt(self.weight)
        if native is not None:
            place = np.full(len(root), -1)
            place[self.free] = np.arange(count)
            near = (
                self.rho ** np.diff(self.days).astype(np.float64)
                if self.rho > 0
                else np.zeros(len(self.days) - 1)
            )
            inner, crossed = np.zeros((count + 1, count + 1)), np.zeros(len(self.days))
            arrays = (root, border, base_days, of_base, multiple, near)
            native.spread(tuple(map(np.ascontiguousarray, arrays)), place, inner, crossed)
            return inner, crossed
        columns = np.empty((len(self.weight), count + 1, len(base_days)))
        columns[:, :count] = border
        columns[self.free, np.arange(count)] -= 1.0
        columns[:, count] = -base_days
        columns[self.free, count] -= of_base[:, None]
        columns *= root[:, None]
        smooth = self._correlate(columns)
        inner = np.matmul(columns, smooth.transpose(0, 2, 1)).sum(axis=0)  # small enough for one thread
        return inner, (np.einsum("sd,skd->kd", root, smooth) * multiple).sum(axis=0)

    def _correlate(self, values: Floats) -> Floats:
        """R v along days, the last axis, for R = rho^|t-t'|; absent cells hold zeros, as they may."""
        if self.rho <= 0 or values.shape[2] == 1:
            return values
        near = self.rho ** np.diff(self.days).astype(np.float64)
        if native is not None:
            found = np.empty(values.shape)
            native.correlate(np.ascontiguousarray(values), near, found)
            return found
        from scipy.linalg import solveh_banded

        # The inverse of R is tridiagonal, gaps or not (Markov), so that R v is the solution of a band system.
        alone = 1.0 / (1.0 - near**2)
        band = np.ones((2, len(self.days)))
        band[0, 1:] = -near * alone
        band[1, 1:] += alone - 1.0
        band[1, :-1] += alone - 1.0
        flat = values.reshape(-1, values.shape[2]).T
        return np.asarray(solveh_banded(band, flat, check_finite=False).T.reshape(values.shape))


def arrow_of(
    table: tuple[Floats, Floats],
    days: NDArray[np.int64],
    sensor: Floats,
    day: Floats,
    alpha: float,
    prior: Floats,
    free: NDArray[np.int64],
) -> Arrow:
    """Information and serial correlation at the estimates."""
    y, u = table
    mean = u * np.exp(sensor[:, None] + day)
    weight = mean / (1.0 + alpha * mean)
    residual = np.where(u > 0, (y - mean) / np.sqrt(np.where(u > 0, mean + alpha * mean**2, 1.0)), 0.0)
    by_day = weight.sum(axis=0)
    # What a sensor that never saw the subject lacks is the same every day, and where one sensor tells a day's
    # effect it is left no residual: neither says anything of days in a row.
    telling = (u > 0) & (y.sum(axis=1) > 0)[:, None] & (weight < ALONE * by_day)
    near = (np.diff(days) == 1) & telling[:, 1:] & telling[:, :-1]
    rho = 0.0
    if near.sum() >= LEAST_PAIRS:
        product = (residual[:, 1:] * residual[:, :-1])[near].mean()
        size = (residual[telling] ** 2).mean()
        rho = float(np.clip(product / size, 0.0, LARGEST_CORRELATION)) if size > 0 else 0.0
    schur = np.diag(weight.sum(axis=1)[free] + prior[free]) - (weight[free] / by_day) @ weight[free].T
    inverse = np.linalg.inv(schur) if len(free) else np.zeros((0, 0))
    return Arrow(days, weight, free, inverse, prior[free], rho)
