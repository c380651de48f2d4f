"""The panel model: counts as sensor effect times day effect, fitted by a quasi-score.

    E[y(s, t)] = u(s, t) exp(a(s) + d(t))

Two variance functions: negative binomial, mu + alpha mu^2 (the default), and quasi-Poisson, phi mu
(TRIM's: Pannekoek and van Strien, TRIM 3 Manual, Statistics Netherlands 2005). Both allow for serial
correlation rho^|t-t'| within a sensor. The negative binomial estimates are those of independence, their
covariance the sandwich with the AR(1) correlation in its middle (Liang and Zeger, Biometrika 73, 1986);
it needs no T x T matrix, since the information is an arrow: a diagonal of days bordered by few sensors.

Why negative binomial weights: a Poisson score lets the largest sensor decide the index alone; here a
sensor's say levels off at 1/alpha, so that one flooded trap cannot move the headline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spamtide.model import Floats
from spamtide.series.gee import gee

Variance = Literal["negative-binomial", "quasi-poisson"]
Bools = NDArray[np.bool_]

ASSUMED_DISPERSION = 0.1
"""alpha where too few days and sensors leave nothing to estimate it from: 32 % noise a sensor-day."""
LARGEST_DISPERSION = 50.0
LARGEST_CORRELATION = 0.95
LEAST_FREEDOM = 10
"""Degrees of freedom below which dispersion is taken from day-to-day variation instead of residuals."""
LARGEST_STEP = 1.5
"""Bound on one scoring step, on the log scale."""
STEPS = 100
ROUNDS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A fitted panel. Arrays are over the given sensors (S) and days (T)."""

    level: Floats
    """(T,) day effects, mean 1 over the base; 0 where all sensors that were up counted nothing, NaN where
    no sensor was up or no overlap joins the day to the rest."""
    log_se: Floats
    """(T,) standard error of log level, the base's error included; NaN where level is 0 or NaN."""
    low: Floats
    """(T,) lower end of the 95 % interval of level."""
    high: Floats
    sensor: Floats
    """(S,) expected count of a day at level 1 and exposure 1; 0 for a sensor that took no part."""
    used: Bools
    """(S, T) cells that the fit rests on or speaks about."""
    base: Bools
    """(T,) days of the base period."""
    overdispersion: float
    """alpha of mu + alpha mu^2, or phi of phi mu."""
    serial_correlation: float
    pieces: int
    """Parts of the panel that no overlap joins; above 1, only the part with most mail in the base is fitted."""
    spread: Arrow | None
    """What `period_covariance` needs; None for quasi-Poisson and empty fits."""

    def period_covariance(self, weights: Floats) -> Floats:
        """Covariance of weighted sums of `level` over days, the base's error included.

        Args:
            weights: shape (k, T); days whose level is 0 or NaN count nothing.

        Returns:
            Shape (k, k).
        """
        if self.spread is None:
            return np.zeros((len(weights), len(weights)))
        level = self.level[self.spread.days]
        share = np.where(self.base[self.spread.days], level, 0.0)
        share = share / share.sum() if share.sum() > 0 else share
        gradient = weights[:, self.spread.days] * level
        return self.spread.covariance(gradient - gradient.sum(axis=1, keepdims=True) * share)


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
        scores = np.sqrt(self.weight)[:, :, None] * (days.T[None] + full.T[:, None])
        middle = np.einsum("sdk,sdl->kl", scores, self._correlate(scores))
        return np.asarray(middle + (sensors * self.prior) @ sensors.T)

    def log_variance(self, share: Floats) -> Floats:
        """Variance of each day effect less `share`-weighted day effects (the base), without T x T work."""
        by_day = self.weight.sum(axis=0)
        root = np.sqrt(self.weight)
        border = self.weight[self.free] / by_day
        count = len(self.free)
        of_base = -self.inverse @ (border @ share)
        base_days = (share - of_base @ self.weight[self.free]) / by_day
        # Solving for the unit vector of day t gives a spike at t plus columns shared by all days, so each
        # day's quadratic form needs only R applied to those columns.
        columns = np.zeros((*self.weight.shape, count + 1))
        columns[:, :, :count] = border.T
        columns[self.free, :, np.arange(count)] -= 1.0
        columns[:, :, count] = -base_days
        columns[self.free, :, count] -= of_base[:, None]
        columns *= root[:, :, None]
        smooth = self._correlate(columns)
        inner = np.einsum("sdk,sdl->kl", columns, smooth)
        lift = np.concatenate([np.eye(count), of_base[:, None]], axis=1)
        inner += lift.T @ (self.prior[:, None] * lift)
        multiple = np.concatenate([self.inverse @ border, np.ones((1, len(by_day)))]).T
        crossed = np.einsum("sd,sdk,dk->d", root, smooth, multiple) / by_day
        quadratic = np.einsum("dk,kl,dl->d", multiple, inner, multiple)
        return np.asarray(np.maximum(1.0 / by_day + 2.0 * crossed + quadratic, 0.0))

    def _correlate(self, values: Floats) -> Floats:
        """R v along days for R = rho^|t-t'|; absent cells hold zeros, so gaps need no care of their own."""
        if self.rho <= 0:
            return values
        result = values.copy()
        gaps = np.diff(self.days)
        ahead = np.zeros_like(values[:, 0])
        behind = np.zeros_like(ahead)
        last = values.shape[1] - 1
        for step in range(1, last + 1):
            ahead = (ahead + values[:, step - 1]) * self.rho ** gaps[step - 1]
            result[:, step] += ahead
            behind = (behind + values[:, last - step + 1]) * self.rho ** gaps[last - step]
            result[:, last - step] += behind
        return result


def fit(
    counts: ArrayLike,
    exposure: ArrayLike,
    *,
    variance: Variance = "negative-binomial",
    base: slice | ArrayLike = slice(None),
    shrink: float = 0.0,
) -> Fit:
    """Fit sensor and day effects to a table of counts.

    Args:
        counts: shape (S, T), not negative; where exposure is 0 or NaN they are not looked at.
        exposure: shape (S, T), share of its usual mail that the sensor could see; 0 or NaN means missing.
            With `shrink`, the expected count instead (exposure times the sensor's effect on all mail).
        variance: 'negative-binomial', or 'quasi-poisson' as TRIM does it.
        base: days whose mean level is 1; a slice or mask over T.
        shrink: standard deviation of a normal prior of log sensor effects about 0; 0 for no prior. Keeps
            thin subjects finite: where they say little, the given exposure decides.

    Raises:
        ValueError: shapes differ, or variance is neither of the two words.
    """
    seen = np.asarray(counts, dtype=np.float64)
    usable = np.nan_to_num(np.asarray(exposure, dtype=np.float64), nan=0.0)
    if seen.shape != usable.shape or seen.ndim != 2:  # noqa: PLR2004 - a table has two sides
        message = f"counts {seen.shape} and exposure {usable.shape} are not one table (sensors, days)"
        raise ValueError(message)
    if variance not in {"negative-binomial", "quasi-poisson"}:
        message = f"no such variance: {variance!r}"
        raise ValueError(message)
    in_base = _mask(base, seen.shape[1])
    up = (usable > 0) & np.isfinite(seen)
    y = np.where(up, np.maximum(np.nan_to_num(seen), 0.0), 0.0)
    u = np.where(up, usable, 0.0)
    used, pieces = _joined(y, up, in_base, joined_by_prior=shrink > 0)
    if not y[used].any():
        return _empty(used, in_base, pieces)
    rows = np.flatnonzero(used.any(axis=1) & ((np.where(used, y, 0).sum(axis=1) > 0) | (shrink > 0)))
    days = np.flatnonzero((y * used).sum(axis=0) > 0)
    cells = np.ix_(rows, days)
    inside = used[cells]
    table = y[cells] * inside, u[cells] * inside
    prior = np.full(len(rows), 1.0 / shrink**2 if shrink > 0 else 0.0)
    free = np.arange(len(rows)) if shrink > 0 else np.delete(np.arange(len(rows)), table[0].sum(axis=1).argmax())
    if variance == "quasi-poisson":
        result = gee(*table, days, _scoring(*table, 0.0, prior, free))
        sensor, day, dispersion, rho = result.sensor, result.day, result.overdispersion, result.rho
        arrow = None
    else:
        sensor, day, dispersion = _negative_binomial(*table, days, prior, free)
        arrow = _arrow(table, days, sensor, day, dispersion, prior, free)
        rho = arrow.rho
    level = np.full(seen.shape[1], np.nan)
    level[used.any(axis=0)] = 0.0
    level[days] = np.exp(day)
    scale = float(np.nanmean(level[in_base])) if np.isfinite(level[in_base]).any() else 0.0
    if scale <= 0:  # a base without mail: the whole span stands in for it
        in_base = np.isfinite(level)
        scale = float(np.mean(level[in_base]))
    level /= scale
    effects = np.zeros(len(seen))
    effects[rows] = np.exp(sensor) * scale
    share = np.where(in_base[days], level[days], 0.0)
    share /= share.sum()
    log_se = np.full(seen.shape[1], np.nan)
    log_se[days] = np.sqrt(arrow.log_variance(share) if arrow else result.log_variance(share))
    low, high = interval(level, log_se, (np.where(used, u, 0) * effects[:, None]), dispersion if arrow else 0.0)
    return Fit(level, log_se, low, high, effects, used, in_base, dispersion, rho, pieces, arrow)


def interval(level: Floats, log_se: Floats, expected: Floats, dispersion: float) -> tuple[Floats, Floats]:
    """95 % interval of levels: gamma quantiles of the count that would be as precise (Jeffreys).

    With a large effective count n = 1/se^2 this is the log-normal interval; with few messages it keeps
    its coverage; with none it runs from 0 to the level at which none would have a 2.5 % chance.

    Args:
        level: (T,) estimates.
        log_se: (T,) standard errors of their logarithms.
        expected: (S, T) expected counts at level 1, for days without a message.
        dispersion: alpha of the variance mu + alpha mu^2.
    """
    from scipy.special import gammaincinv

    low = np.full_like(level, np.nan)
    high = np.full_like(level, np.nan)
    exact = np.isfinite(level) & (log_se == 0)
    low[exact] = high[exact] = level[exact]
    some = np.isfinite(level) & (level > 0) & (log_se > 0)
    n = 1.0 / log_se[some] ** 2
    low[some] = level[some] * np.minimum(gammaincinv(n + 0.5, 0.025) / n, 1.0)
    high[some] = level[some] * np.maximum(gammaincinv(n + 0.5, 0.975) / n, 1.0)
    none = level == 0
    low[none] = 0.0
    high[none] = _highest_without_mail(expected[:, none], dispersion)
    return low, high


def _highest_without_mail(expected: Floats, dispersion: float) -> Floats:
    """Level at which a day without a message has a 2.5 % chance, by bisection on the log scale."""
    target = -np.log(0.025)
    total = np.maximum(expected.sum(axis=0), 1e-300)
    low, high = np.log(target / total) - 1.0, np.log(target / total) + 60.0
    for _ in range(80):
        middle = (low + high) / 2
        rate = expected * np.exp(middle)
        power = np.log1p(dispersion * rate) / dispersion if dispersion > 0 else rate
        enough = power.sum(axis=0) >= target
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.exp(high)


def _mask(base: slice | ArrayLike, days: int) -> Bools:
    """A base given as slice or mask, as mask."""
    mask = np.zeros(days, dtype=bool)
    if isinstance(base, slice):
        mask[base] = True
        return mask
    mask[:] = np.asarray(base, dtype=bool)
    return mask


def _joined(y: Floats, up: Bools, base: Bools, *, joined_by_prior: bool) -> tuple[Bools, int]:
    """Cells of the part of the panel that overlap joins, the one with most mail in the base; number of parts.

    Sensors are joined by days on which both were up and mail came; a sensor or day without any mail joins
    nothing. A prior joins everything.
    """
    if joined_by_prior:
        return up, 1
    live = up & (y.sum(axis=0) > 0) & (y.sum(axis=1) > 0)[:, None]
    left = set(np.flatnonzero(live.any(axis=1)).tolist())
    parts: list[Bools] = []
    while left:
        rows = np.zeros(len(y), dtype=bool)
        rows[min(left)] = True
        size = 0
        while size != rows.sum():
            size = int(rows.sum())
            rows = live[:, live[rows].any(axis=0)].any(axis=1)
        parts.append(rows)
        left -= set(np.flatnonzero(rows).tolist())
    if not parts:
        return up, 0
    best = max(parts, key=lambda rows: (y[rows][:, base].sum(), y[rows].sum()))
    return up & best[:, None], len(parts)


def _empty(used: Bools, base: Bools, pieces: int) -> Fit:
    """A panel without a message: level 0 where a sensor was up, and nothing known of how high it may be."""
    level = np.where(used.any(axis=0), 0.0, np.nan)
    unknown = np.full_like(level, np.nan)
    return Fit(level, unknown, level.copy(), unknown, np.zeros(len(used)), used, base, 0.0, 0.0, pieces, None)


def _scoring(
    y: Floats,
    u: Floats,
    alpha: float,
    prior: Floats,
    free: NDArray[np.int64],
    start: tuple[Floats, Floats] | None = None,
) -> tuple[Floats, Floats]:
    """Fisher scoring with the days eliminated; returns log sensor effects and log day effects."""
    if start is None:
        ratio = (y.sum(axis=1) + 0.5) / u.sum(axis=1)
        sensor = np.zeros(len(y)) if prior.any() else np.log(ratio)
        day = np.log(y.sum(axis=0) / (u * np.exp(sensor)[:, None]).sum(axis=0))
    else:
        sensor, day = start[0].copy(), start[1].copy()
    for _ in range(STEPS):
        mean = u * np.exp(np.clip(sensor[:, None] + day, -50.0, 50.0))
        damp = 1.0 / (1.0 + alpha * mean)
        weight = mean * damp
        score = (y - mean) * damp
        by_day = weight.sum(axis=0)
        border = (weight / by_day)[free]
        schur = np.diag(weight.sum(axis=1)[free] + prior[free]) - border @ weight[free].T
        right = (score.sum(axis=1) - prior * sensor)[free] - border @ score.sum(axis=0)
        move = np.zeros(len(y))
        move[free] = np.linalg.solve(schur, right) if len(free) else 0.0
        shift = (score.sum(axis=0) - move @ weight) / by_day
        longest = max(np.abs(move).max(), np.abs(shift).max())
        pace = min(1.0, LARGEST_STEP / longest) if longest > 0 else 1.0
        sensor += pace * move
        day += pace * shift
        if longest < 1e-9:  # noqa: PLR2004 - far below any digit that is shown
            break
    return sensor, day


def _negative_binomial(
    y: Floats, u: Floats, days: NDArray[np.int64], prior: Floats, free: NDArray[np.int64]
) -> tuple[Floats, Floats, float]:
    """Alternate effects and dispersion: Pearson's chi-square set equal to its degrees of freedom."""
    sensor, day = _scoring(y, u, 0.0, prior, free)
    cells = u > 0
    freedom = int(cells.sum()) - len(day) - (len(sensor) - 1)
    if freedom < LEAST_FREEDOM:
        alpha = local_dispersion(y.sum(axis=0), days)
        return *_scoring(y, u, alpha, prior, free, (sensor, day)), alpha
    alpha = 0.0
    for _ in range(ROUNDS):
        mean = np.where(cells, u * np.exp(sensor[:, None] + day), 1.0)
        square = np.where(cells, (y - mean) ** 2, 0.0)
        before, alpha = alpha, _moment_dispersion(square[cells], mean[cells], freedom)
        sensor, day = _scoring(y, u, alpha, prior, free, (sensor, day))
        if abs(alpha - before) <= 1e-3 * alpha + 1e-9:
            break
    return sensor, day, alpha


def _moment_dispersion(square: Floats, mean: Floats, freedom: int) -> float:
    """The alpha at which the squared residuals over mu + alpha mu^2 add up to the degrees of freedom."""
    if (square / mean).sum() <= freedom:
        return 0.0
    low, high = 1e-9, LARGEST_DISPERSION
    for _ in range(60):
        middle = float(np.sqrt(low * high))
        if (square / (mean + middle * mean**2)).sum() > freedom:
            low = middle
        else:
            high = middle
    return high


def local_dispersion(total: Floats, days: NDArray[np.int64]) -> float:
    """Dispersion from differences between days a week apart, median over blocks of four weeks.

    For panels without residuals (one sensor): it cannot tell noise from a true change of one day, and
    counts both, so that the interval errs on the wide side.
    """
    span = np.full(int(days[-1] - days[0]) + 1, np.nan)
    span[days - days[0]] = total
    first, later = span[:-7], span[7:]
    ratios = []
    for start in range(0, len(first), 28):
        pair = np.stack([first[start : start + 28], later[start : start + 28]])
        pair = pair[:, np.isfinite(pair).all(axis=0)]
        mean = pair.mean(axis=0)
        if pair.shape[1] >= 7 and mean.sum() > 0:  # noqa: PLR2004 - a week of pairs
            ratios.append((((pair[0] - pair[1]) ** 2 / 2 - mean).sum()) / (mean**2).sum())
    return float(np.clip(np.median(ratios), 0.0, LARGEST_DISPERSION)) if ratios else ASSUMED_DISPERSION


def _arrow(
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
    near = (np.diff(days) == 1) & (u[:, 1:] > 0) & (u[:, :-1] > 0)
    rho = 0.0
    if near.sum() >= LEAST_FREEDOM and len(y) > 1:
        product = (residual[:, 1:] * residual[:, :-1])[near].mean()
        size = (residual**2).sum() / (u > 0).sum()
        rho = float(np.clip(product / size, 0.0, LARGEST_CORRELATION)) if size > 0 else 0.0
    by_day = weight.sum(axis=0)
    schur = np.diag(weight.sum(axis=1)[free] + prior[free]) - (weight[free] / by_day) @ weight[free].T
    inverse = np.linalg.inv(schur) if len(free) else np.zeros((0, 0))
    return Arrow(days, weight, free, inverse, prior[free], rho)
