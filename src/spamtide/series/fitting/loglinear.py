"""The panel model: counts as sensor effect times day effect, fitted by a quasi-score.

    E[y(s, t)] = u(s, t) exp(a(s) + d(t))

Two variance functions: negative binomial, mu + alpha mu^2 (the default), and quasi-Poisson, phi mu
(TRIM's: Pannekoek and van Strien, TRIM 3 Manual, Statistics Netherlands 2005). Both allow for serial
correlation rho^|t-t'| within a sensor. The negative binomial estimates are those of independence, their
covariance the sandwich with the AR(1) correlation in its middle (Liang and Zeger, Biometrika 73, 1986);
`arrow` computes it without a T x T matrix.

Why negative binomial weights: a Poisson score lets the largest sensor decide the index alone; here a
sensor's say levels off at 1/alpha, so that one flooded trap cannot move the headline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spamtide.compiled import native
from spamtide.model import Floats
from spamtide.series.fitting.arrow import Arrow, arrow_of
from spamtide.series.fitting.dispersion import local_dispersion, moment_dispersion
from spamtide.series.fitting.gee import gee
from spamtide.series.fitting.interval import interval

Variance = Literal["negative-binomial", "quasi-poisson"]
Bools = NDArray[np.bool_]

LEAST_FREEDOM = 10
"""Degrees of freedom below which dispersion is taken from day-to-day variation instead of residuals."""
LARGEST_STEP = 1.5
"""Bound on one scoring step, on the log scale."""
STEPS = 100
ARRIVED = 1e-9
"""Longest step at which scoring has arrived: far below any digit that is shown."""
MOST_EXPONENT = 50.0
"""Bound of logarithms of levels while scoring."""
LOOSE = 5.0
"""Prior standard deviation of log sensor effects about their raw rates: too wide to matter, but it keeps
finite a sensor whose mail all came when no other was up."""
ROUNDS = 8
MOST_HIDDEN = 0.3
"""Bound on the share of over-dispersion that fitted days hide: it is a first-order expansion."""


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
    low_90: Floats
    """(T,) lower end of the 90 % interval of level."""
    high_90: Floats
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
    """Parts of the panel that no overlap joins; only the one with most mail in the base is fitted."""
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
    y, u, up = _usable(counts, exposure)
    if variance not in {"negative-binomial", "quasi-poisson"}:
        message = f"no such variance: {variance!r}"
        raise ValueError(message)
    in_base = _mask(base, y.shape[1])
    used, pieces = _joined(y, up, in_base, joined_by_prior=shrink > 0)
    if not y[used].any():
        return _empty(used, in_base, pieces)
    rows = np.flatnonzero(used.any(axis=1) & ((np.where(used, y, 0).sum(axis=1) > 0) | (shrink > 0)))
    used[np.delete(np.arange(len(used)), rows)] = False
    days = np.flatnonzero((y * used).sum(axis=0) > 0)
    cells = np.ix_(rows, days)
    inside = used[cells]
    table = y[cells] * inside, u[cells] * inside
    weak = 1.0 / LOOSE**2 if variance == "negative-binomial" else 0.0
    prior = np.full(len(rows), 1.0 / shrink**2 if shrink > 0 else weak)
    centre = np.log((table[0].sum(axis=1) + 0.5) / np.maximum(table[1].sum(axis=1), 1e-12)) * (shrink <= 0)
    free = np.arange(len(rows))
    if shrink <= 0:  # the constant that sensor and day effects share: the largest sensor keeps its centre
        free = np.delete(free, table[0].sum(axis=1).argmax())
    if variance == "quasi-poisson":
        result = gee(*table, days, _scoring(*table, 0.0, (centre, prior), free))
        sensor, day, dispersion, rho = result.sensor, result.day, result.overdispersion, result.rho
        arrow = None
    else:
        sensor, day, dispersion = _negative_binomial(*table, days, (centre, prior), free)
        arrow = arrow_of(table, days, sensor, day, dispersion, prior, free)
        rho = arrow.rho
    level, scale, in_base = _scaled(used, days, day, in_base)
    effects = np.zeros(len(y))
    effects[rows] = np.exp(sensor) * scale
    share = np.where(in_base[days], level[days], 0.0) / level[days][in_base[days]].sum()
    log_se = np.full(y.shape[1], np.nan)
    log_se[days] = np.sqrt(arrow.log_variance(share) if arrow else result.log_variance(share))
    expected = np.where(used, u, 0) * effects[:, None]
    alpha = dispersion if arrow else 0.0
    (low, high), (low_90, high_90) = (
        interval(level, log_se, expected, alpha, coverage) for coverage in (0.95, 0.90)
    )
    return Fit(
        level, log_se, low, high, low_90, high_90, effects, used, in_base, dispersion, rho, pieces, arrow
    )


def _usable(counts: ArrayLike, exposure: ArrayLike) -> tuple[Floats, Floats, Bools]:
    """Counts, exposure and the cells that have both; elsewhere they are 0."""
    seen = np.asarray(counts, dtype=np.float64)
    usable = np.nan_to_num(np.asarray(exposure, dtype=np.float64), nan=0.0)
    if seen.shape != usable.shape or seen.ndim != 2:  # noqa: PLR2004 - a table has two sides
        message = f"counts {seen.shape} and exposure {usable.shape} are not one table (sensors, days)"
        raise ValueError(message)
    up = (usable > 0) & np.isfinite(seen)
    return np.where(up, np.maximum(np.nan_to_num(seen), 0.0), 0.0), np.where(up, usable, 0.0), up


def _scaled(used: Bools, days: NDArray[np.int64], day: Floats, base: Bools) -> tuple[Floats, float, Bools]:
    """Levels by day with mean 1 in the base, what they were divided by, and the base that served.

    Where the base has no mail, the whole span stands in for it.
    """
    level = np.where(used.any(axis=0), 0.0, np.nan)
    level[days] = np.exp(day)
    scale = float(np.nanmean(level[base])) if np.isfinite(level[base]).any() else 0.0
    if scale <= 0:
        base = np.isfinite(level)
        scale = float(np.mean(level[base]))
    return level / scale, scale, base


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
    low, none = level.copy(), np.zeros(len(used))
    return Fit(level, unknown, low, unknown, low, unknown, none, used, base, 0.0, 0.0, pieces, None)


def _scoring(
    y: Floats,
    u: Floats,
    alpha: float,
    prior: tuple[Floats, Floats],
    free: NDArray[np.int64],
    start: tuple[Floats, Floats] | None = None,
) -> tuple[Floats, Floats]:
    """Fisher scoring with the days eliminated; returns log sensor effects and log day effects.

    `prior` is the centre, where scoring starts, and the precision of the sensor effects.
    """
    centre, precision = prior
    if start is None:
        sensor = centre.copy()
        day = np.log(y.sum(axis=0) / (u * np.exp(sensor)[:, None]).sum(axis=0))
    else:
        sensor, day = start[0].copy(), start[1].copy()
    if native is not None:
        held = -1 if len(free) == len(sensor) else int(np.setdiff1d(np.arange(len(sensor)), free)[0])
        found = sensor.copy(), day.copy()
        bounds = STEPS, LARGEST_STEP, MOST_EXPONENT, ARRIVED
        if native.score((y, u), (centre, precision), found, held, alpha, bounds):
            return found
    inner = np.ix_(free, free)
    for _ in range(STEPS):
        mean = u * _levels(sensor, day)
        score = y - mean
        if alpha > 0:
            damp = 1.0 / (1.0 + alpha * mean)
            score *= damp
            mean *= damp
        weight = mean
        by_day, left = weight.sum(axis=0), score.sum(axis=0)
        border = weight / by_day
        schur = (np.diag(weight.sum(axis=1) + precision) - border @ weight.T)[inner]
        right = (score.sum(axis=1) - precision * (sensor - centre) - border @ left)[free]
        move = np.zeros(len(y))
        move[free] = np.linalg.solve(schur, right) if len(free) else 0.0
        shift = (left - move @ weight) / by_day
        longest = max(np.abs(move).max(), np.abs(shift).max())
        pace = min(1.0, LARGEST_STEP / longest) if longest > 0 else 1.0
        sensor += pace * move
        day += pace * shift
        if longest < ARRIVED:
            break
    return sensor, day


def _levels(sensor: Floats, day: Floats) -> Floats:
    """Exponentials of sensor and day effects, within what a number holds; shape (S, T)."""
    if np.abs(sensor).max() + np.abs(day).max() < MOST_EXPONENT:
        return np.exp(sensor)[:, None] * np.exp(day)
    return np.asarray(np.exp(np.clip(sensor[:, None] + day, -MOST_EXPONENT, MOST_EXPONENT)))


def _negative_binomial(
    y: Floats,
    u: Floats,
    days: NDArray[np.int64],
    prior: tuple[Floats, Floats],
    free: NDArray[np.int64],
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
        before, alpha = alpha, moment_dispersion(square[cells], mean[cells], freedom)
        sensor, day = _scoring(y, u, alpha, prior, free, (sensor, day))
        if abs(alpha - before) <= 1e-3 * alpha + 1e-9:
            break
    return sensor, day, alpha / (1.0 - _hidden_by_the_day(alpha, float(cells.sum(axis=0).mean())))


def _hidden_by_the_day(alpha: float, sensors: float) -> float:
    """Share of uneven mail that is not seen, since a sensor's wild day lifts the day's own level with it.

    The bias of a squared coefficient of variation of n values, to first order, for log-normal ones:
    (3 alpha + 2 alpha^2) / n. For the gamma's it is alpha / n; the log-normal's errs to the safe side.
    """
    return min((3.0 * alpha + 2.0 * alpha**2) / max(sensors, 1.0), MOST_HIDDEN)
