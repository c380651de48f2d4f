"""A level that wanders: what a daily count would have been, or will be, if nothing happens.

Negative binomial regression with a level that takes a small random step each day, weekday effects and, if
wanted, the log of a control series. It is the interrupted time series of Collier et al. (IMC 2019) with
the trend replaced by a random walk, so that the error of a prediction grows with its distance. Fitted by
penalised Newton steps (Laplace); the size of the step is averaged over a grid, weighted by how well each
explains the days. Serial correlation that is left in the residuals widens everything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spamtide.model import Floats

STEPS = np.array([0.002, 0.005, 0.01, 0.02, 0.04, 0.08])
STEP_PRIOR = np.array([0.2, 0.25, 0.25, 0.15, 0.1, 0.05])
"""Standard deviation of a day's step of the log level, and how probable each is beforehand."""
ALPHAS = np.array([0.0, 0.001, 0.003, 0.006, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2])
"""Overdispersion: variance = mean + alpha mean^2."""
MIDDLE_STEP = 0.01
WEEKDAY_SPREAD, CONTROL_SPREAD = 0.4, 0.5
"""Prior standard deviations of a weekday's effect and of the control's coefficient; both centred on 0."""
LEAST_DAYS = 21
"""Days with somebody up from which a level is fitted."""
MOST_DAYS = 91
"""Days before a prediction that it needs, and that it uses."""
NEWTON = 25
"""Bound on steps of the fit."""
CORRELATION = 0.8
"""Serial correlation that is believed at most."""
CLOSE = 1e-3
"""A Newton step this small on the log scale ends the search: far below any interval."""
SMALL = 1e-9

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Days:
    """Consecutive days of one series."""

    counts: Floats
    offset: Floats
    """Expected count at level 1; 0 where no sensor was up."""
    weekday: Ints
    """0 to 6."""
    control: Floats | None = None
    """Log of a control series against its mean, 0 where not known."""

    def part(self, start: int, stop: int) -> Days:
        """Some of the days."""
        control = None if self.control is None else self.control[start:stop]
        return Days(self.counts[start:stop], self.offset[start:stop], self.weekday[start:stop], control)


@dataclass(frozen=True, slots=True)
class Expected:
    """What the days of a window would have held together."""

    mean: float
    """Messages."""
    error: float
    """Standard error of its logarithm."""
    alpha: float
    inflation: float
    """How much serial correlation widens the variance of a sum of days."""
    evenness: float
    """Sum of squared shares of the window's days: 1 / days where all are alike."""

    def dispersion(self, count: float) -> float:
        """Variance over mean of a sum of days with this mean."""
        return 1 + self.uneven * count

    @property
    def uneven(self) -> float:
        """Variance of a sum of days beyond Poisson's, over its mean squared."""
        return self.alpha * self.evenness * self.inflation

    def meant(self, count: float, dice: np.random.Generator, draws: int) -> tuple[Floats, Floats]:
        """Draws of what a sum of days was to hold, given what it held: for a lower bound, and for an upper.

        The confidence distributions of a negative binomial's mean: their spread is that of the mean, not of
        the count, which is too small after a low one. There are two, for a count is discrete: a lower bound
        asks how often so many messages or more would come, an upper one how often so many or fewer (Clopper
        and Pearson 1934, Biometrika 26). Halfway between them, small counts gave effects where none was.
        """
        size = 1 / max(self.uneven, SMALL)
        gamma = dice.gamma(max(count, SMALL), 1.0, draws)
        other = dice.gamma(size, 1.0, draws)
        more = gamma + dice.exponential(1.0, draws)
        low, high = (np.asarray(size * one / other, dtype=np.float64) for one in (gamma, more))
        return low, high


class Level:
    """A fitted level, ready to predict the days that follow. Raises nothing on any counts."""

    def __init__(self, before: Days) -> None:
        """Fit the days before; the last MOST_DAYS of them are used."""
        start = max(len(before.counts) - MOST_DAYS, 0)
        self._days = before.part(start, len(before.counts))
        self._warm: Floats | None = None
        scores = np.array([self._fit(MIDDLE_STEP, float(alpha))[0] for alpha in ALPHAS])
        likely = np.exp(scores - scores.max())
        self._alpha = float(likely @ ALPHAS / likely.sum())
        fits = [self._fit(float(step), self._alpha) for step in STEPS]
        logs = np.array([score for score, *_ in fits]) + np.log(STEP_PRIOR)
        weights = np.exp(logs - logs.max())
        self._weights = weights / weights.sum()
        # Of the twelve fits that only say how uneven days are, no covariance is asked.
        self._fits = [(centre, np.linalg.inv(hessian).astype(float)) for _, centre, hessian in fits]
        self._inflation = self._correlated(fits[int(np.argmax(weights))][1])

    @property
    def enough(self) -> bool:
        """Whether there are days and mail enough to predict from."""
        return int((self._days.offset > 0).sum()) >= LEAST_DAYS and float(self._days.counts.sum()) > 0

    def expect(self, after: Days, gap: int = 0) -> Expected:
        """What days that follow `gap` days after the fitted ones would hold together."""
        used = after.offset > 0
        size = len(self._days.counts)
        means, variances, even = [], [], []
        for (centre, inverse), step in zip(self._fits, STEPS, strict=True):
            fixed = self._design(after)[:, size:]
            log = np.clip(centre[size - 1] + fixed @ centre[size:], -30, 30)
            daily = np.where(used, after.offset * np.exp(log), 0.0)
            whole = max(float(daily.sum()), SMALL)
            share = daily / whole
            gradient = np.zeros(len(centre))
            gradient[size - 1] = 1.0
            gradient[size:] = share @ fixed
            later = np.cumsum(share[::-1])[::-1]
            walk = step**2 * (gap + float((later**2).sum()))
            means.append(math.log(whole))
            variances.append(self._inflation * float(gradient @ inverse @ gradient) + walk)
            even.append(float((share**2).sum()))
        mean = float(self._weights @ means)
        variance = float(self._weights @ (np.array(variances) + (np.array(means) - mean) ** 2))
        return Expected(
            math.exp(mean), math.sqrt(variance), self._alpha, self._inflation, float(self._weights @ even)
        )

    def _design(self, days: Days) -> Floats:
        """Columns of the fixed effects, weekdays and control, after empty ones for the levels."""
        size = len(self._days.counts)
        columns = np.zeros((len(days.counts), size + 7 + (self._days.control is not None)))
        columns[np.arange(len(days.counts)), size + days.weekday] = 1.0
        if self._days.control is not None and days.control is not None:
            columns[:, -1] = days.control
        return columns

    def _fit(self, step: float, alpha: float) -> tuple[float, Floats, Floats]:
        """Laplace score, most probable levels and effects, and the inverse of their covariance."""
        days = self._days
        size = len(days.counts)
        design = self._design(days)
        design[np.arange(size), np.arange(size)] = 1.0
        used = days.offset > 0
        design, counts, logs = design[used], days.counts[used], np.log(days.offset[used])
        precision = np.zeros((design.shape[1], design.shape[1]))
        walk = np.arange(size - 1)
        after = walk + 1
        for i, j, sign in ((walk, walk, 1), (after, after, 1), (walk, after, -1), (after, walk, -1)):
            np.add.at(precision, (i, j), sign / step**2)
        precision[0, 0] += 1e-2
        spreads = np.full(design.shape[1] - size, WEEKDAY_SPREAD)
        if days.control is not None:
            spreads[-1] = CONTROL_SPREAD
        precision[np.arange(size, len(precision)), np.arange(size, len(precision))] = 1 / spreads**2
        start = math.log((counts.sum() + 0.5) / max(np.exp(logs).sum(), SMALL)) if len(counts) else 0.0
        origin = np.zeros(design.shape[1])
        origin[:size] = start
        centre = origin if self._warm is None else self._warm
        hessian = precision.copy()
        for _ in range(NEWTON):
            mean = np.exp(np.clip(logs + design @ centre, -30, 30))
            slope = (counts - mean) / (1 + alpha * mean)
            weight = mean * (1 + alpha * counts) / (1 + alpha * mean) ** 2
            hessian = precision + design.T @ (weight[:, None] * design)
            move = np.linalg.solve(hessian, design.T @ slope - precision @ (centre - origin))
            centre = centre + np.clip(move, -2, 2)
            if np.abs(move).max() < CLOSE:
                break
        self._warm = centre
        mean = np.exp(np.clip(logs + design @ centre, -30, 30))
        away = centre - origin
        score = (
            _log_likelihood(counts, mean, alpha)
            - 0.5 * float(away @ precision @ away)
            + 0.5 * float(np.linalg.slogdet(precision)[1] - np.linalg.slogdet(hessian)[1])
        )
        return score, centre.astype(float), hessian.astype(float)

    def _correlated(self, centre: Floats) -> float:
        """(1 + r) / (1 - r) for the correlation r from day to day that the fit leaves."""
        days, size = self._days, len(self._days.counts)
        design = self._design(days)
        design[np.arange(size), np.arange(size)] = 1.0
        mean = days.offset * np.exp(np.clip(design @ centre, -30, 30))
        scale = np.sqrt(np.maximum(mean + self._alpha * mean**2, SMALL))
        residual = np.where(days.offset > 0, (days.counts - mean) / scale, 0.0)
        whole = float(residual @ residual)
        r = float(residual[1:] @ residual[:-1]) / whole if whole > 0 and size > 1 else 0.0
        r = min(max(r, 0.0), CORRELATION)
        return (1 + r) / (1 - r)


def _log_likelihood(counts: Floats, mean: Floats, alpha: float) -> float:
    """Negative binomial log likelihood, Poisson's for alpha 0."""
    from scipy.special import gammaln

    mean = np.maximum(mean, SMALL)
    if alpha <= 0:
        return float((counts * np.log(mean) - mean - gammaln(counts + 1)).sum())
    size = 1 / alpha
    return float(
        (
            gammaln(counts + size)
            - gammaln(size)
            - gammaln(counts + 1)
            + size * np.log(size / (size + mean))
            + counts * np.log(mean / (size + mean))
        ).sum()
    )
