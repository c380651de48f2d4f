"""Sensors that grow or shrink slowly against the others: over weeks and months, not from one day on.

A domain becomes better known, a feed's users leave. No day of it is a step (`compare`), and a few such
sensors carry the index with them. So each sensor's fortnights are held against what most others' lead one
to expect of them; a ramp has to explain them better than any step does, and its subjects must have moved
alike. Such a sensor counts anew every few weeks while it drifts: what it says of these weeks stays, and its
drift is out of the index.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spamtide.model import Counts, Floats
from spamtide.series.fitting.loglinear import Fit
from spamtide.series.sensors.compare import ALIKE, LEAST_NOISE, TELLING, Epoch

BIN = 14
"""Days that are summed."""
BIN_DAYS, BIN_MAIL = 5, 10.0
"""Days with a sensor up, and messages expected, without which they say nothing."""
SEVERAL = 3
"""Sensors that must tell of a bin, for most of them to be known from a few."""
ROUNDS = 5
"""Times that sensors and fortnights are centred in turn."""
SHORTEST, LONGEST = 4, 26
"""Bins over which a drift goes: what is quicker is a step, what is slower than a year ends with it."""
SURE = 6.0
"""Least drift over its standard error."""
STEP_PART = 0.25
"""Part of a bin by which the steps lie apart that a ramp is held against."""
BETTER = 9.0
"""What a ramp must explain more than the best step does, in chi-squared."""
LEAST = float(np.log(1.35))
"""Least drift as a whole, on the log scale."""
OVER = 2
"""Bins that must tell of a sensor after the one its drift ended in, for the drift to be over."""
STEP, STEP_DAYS, STEP_MAIL = 0.14, 14, 30
"""What a sensor may drift by before it counts anew, and the fewest days and messages of such a stretch."""
QUANTILE = 1.96
SIDE = 28
"""Days before and after a drift over which its subjects are compared."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A sensor that grew or shrank slowly; days as positions in the span."""

    sensor: int
    first: int
    last: int
    steps: tuple[int, ...]
    """Days from which it counts anew."""
    over: bool
    """Whether it came to an end."""
    ratio: tuple[float, float, float]
    """Its size after it against before, and the ends of its 95 % interval."""
    evidence: str


@dataclass(frozen=True, slots=True)
class _Ramp:
    """The ramp that a sensor's bins speak most for: bins at its ends, its height, and how sure it is."""

    first: int
    last: int
    height: float
    sure: float
    over: bool
    """Whether enough bins follow its end: the last ones of a drift that goes on may seem level."""


def surest_drift(by_subject: Counts, epochs: tuple[Epoch, ...], used: Floats, fitted: Fit) -> Drift | None:
    """The surest slow drift of one sensor against the others, or None where none is sure enough.

    Args:
        by_subject: shape (K, S, T): subjects that add up to all spam (botnets with 'unknown').
        epochs: the rows of `used` and of the fit.
        used: shape (E, T), exposure of each epoch, 0 outside it.
        fitted: the total's fit over the epochs.
    """
    bins = _bins(by_subject.sum(axis=0), epochs, used, fitted)
    found: list[tuple[float, int, _Ramp]] = []
    for row in np.flatnonzero(bins.told.sum(axis=1) > SHORTEST + 1).tolist():
        ramp = _best_ramp(bins, row)
        if ramp is not None:
            found.append((abs(ramp.height), row, ramp))
    for _, row, ramp in sorted(found, reverse=True, key=lambda one: one[:2]):
        drift = _confirmed(by_subject, epochs, used, fitted, row, ramp)
        if drift is not None:
            return drift
    return None


@dataclass(frozen=True, slots=True, eq=False)
class _Bins:
    """What each epoch's bins are off what most sensors let expect; arrays of shape (E, bins)."""

    off: Floats
    """Log ratio, about the epoch's own middle."""
    expected: Floats
    told: NDArray[np.bool_]
    noise: Floats
    """(E,) standard deviation of a bin; nothing where too few tell of it."""


def _bins(spam: Counts, epochs: tuple[Epoch, ...], used: Floats, fitted: Fit) -> _Bins:
    """Sum up days, and take out what most sensors share: the level that the fit has may drift with a few."""
    level = np.nan_to_num(fitted.level)
    expected = np.where(fitted.used, used, 0.0) * fitted.sensor[:, None] * level
    up = expected > 0
    seen = np.stack([spam[epoch.sensor] for epoch in epochs]) * up
    starts = np.arange(0, spam.shape[1], BIN)
    seen, due, days = (
        np.add.reduceat(one.astype(np.float64), starts, axis=1) for one in (seen, expected, up)
    )
    told = (days >= BIN_DAYS) & (due >= BIN_MAIL)
    off = np.where(told, np.log((seen + 0.5) / (due + 0.5)), np.nan)
    weight = np.where(told, 1.0 / (LEAST_NOISE + 1.0 / (due + 0.5)), 0.0)
    shared = told.sum(axis=0) >= SEVERAL
    told &= shared
    for _ in range(ROUNDS):
        off = off - _middle(off, weight * shared)[:, None]
        off = off - np.where(shared, _middle(off.T, weight.T), 0.0)
    off = np.where(told, off, 0.0)
    # Neighbouring bins tell how uneven they are, whatever the drift.
    bends = np.where(
        told[:, :-2] & told[:, 1:-1] & told[:, 2:], off[:, :-2] - 2 * off[:, 1:-1] + off[:, 2:], 0
    )
    some = (bends != 0).sum(axis=1)
    noise = np.sqrt((bends**2).sum(axis=1) / 6.0 / np.maximum(some, 1))
    return _Bins(off, due, told, np.where(some >= SHORTEST, np.maximum(noise, LEAST_NOISE), np.nan))


def _middle(values: Floats, weight: Floats) -> Floats:
    """Weighted median of each row, 0 where nothing weighs; values of no weight may be NaN."""
    values = np.where(weight > 0, values, np.inf)
    order = np.argsort(values, axis=1)
    heaped = np.cumsum(np.take_along_axis(weight, order, 1), axis=1)
    place = (heaped >= heaped[:, -1:] / 2).argmax(axis=1)
    found = np.take_along_axis(values, order, 1)[np.arange(len(values)), place]
    return np.where(np.isfinite(found), found, 0.0)


def _best_ramp(bins: _Bins, row: int) -> _Ramp | None:
    """The surest ramp in one epoch's bins."""
    inside = np.flatnonzero(bins.told[row])
    if np.isnan(bins.noise[row]):
        return None
    begin, many = int(inside[0]), int(inside[-1] - inside[0]) + 1
    span = slice(begin, begin + many)
    off, expected, told = bins.off[row, span], bins.expected[row, span], bins.told[row, span]
    weight = told / np.maximum(max(bins.noise[row], np.nanmedian(bins.noise)) ** 2, 2.0 / (expected + 0.5))
    spans = [(a, b) for a in range(many) for b in range(a + SHORTEST, min(many, a + LONGEST + 1))]
    if not spans:
        return None
    first, last = np.array(spans).T
    at = np.arange(many)
    ramps = np.clip((at + 0.5 - first[:, None]) / (last - first)[:, None], 0.0, 1.0)
    height, sure = _fitted(ramps, off, weight)
    # A step may be on any day of a bin.
    steps = np.clip(np.arange(0.0, many, STEP_PART)[1:, None] - at, 0.0, 1.0)
    of_step = np.abs(_fitted(steps, off, weight)[1]).max()
    best = int(np.abs(sure).argmax())
    if abs(sure[best]) < SURE or abs(height[best]) < LEAST or sure[best] ** 2 < of_step**2 + BETTER:
        return None
    first_bin, last_bin = begin + int(first[best]), begin + int(last[best])
    over = last_bin + OVER <= inside[-1]
    return _Ramp(first_bin, last_bin, float(height[best]), float(abs(sure[best])), bool(over))


def _fitted(shapes: Floats, log: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """The height of each shape (M, n) beside a level, and its standard errors from nothing."""
    centred = shapes - (shapes @ weight / weight.sum())[:, None]
    told = (centred**2 @ weight).clip(1e-12)
    height = centred @ (weight * log) / told
    return height, height * np.sqrt(told)


def _confirmed(
    by_subject: Counts, epochs: tuple[Epoch, ...], used: Floats, fitted: Fit, row: int, ramp: _Ramp
) -> Drift | None:
    """The drift, if the sensor's subjects moved alike, each against the same subject at the others."""
    epoch = epochs[row]
    first, last = max(ramp.first * BIN, epoch.first), min(ramp.last * BIN, epoch.last)
    part = (last - first) // 6
    before = np.arange(max(first - SIDE, epoch.first), first + part)
    after = np.arange(last - part, min(last + SIDE, epoch.last + 1))
    size = used * fitted.sensor[:, None] * fitted.used
    here = size[row] > 0
    before, after = before[here[before]], after[here[after]]
    if not len(before) or not len(after):
        return None
    rest = [other for other, one in enumerate(epochs) if one.sensor != epoch.sensor]
    was, now = (_level(by_subject, epochs, size, rest, days) for days in (before, after))
    mine, seen = (by_subject[:, epoch.sensor][:, days].sum(axis=1) for days in (before, after))
    expected = mine * now / np.maximum(was, 1e-12) * size[row, after].sum() / size[row, before].sum()
    change = float(np.log((seen.sum() + 0.5) / (expected.sum() + 0.5)))
    each = np.log((seen + 0.5) / (expected + 0.5))
    telling = (expected >= TELLING) | (seen >= TELLING)
    alike = telling & (np.sign(each) == np.sign(change)) & (np.abs(each) >= abs(change) / 2)
    if (
        abs(change) < LEAST / 2
        or np.sign(change) != np.sign(ramp.height)
        or telling.sum() < min(2, max(1, int((mine >= TELLING).sum())))
        or alike.sum() < ALIKE * telling.sum()
    ):
        return None
    steps = _steps(by_subject.sum(axis=0)[epoch.sensor], (first, last, epoch.last), abs(ramp.height))
    how = "grew" if ramp.height > 0 else "shrank"
    error = QUANTILE * abs(ramp.height) / ramp.sure
    ratio, low, high = (float(np.exp(ramp.height + off)) for off in (0.0, -error, error))
    evidence = (
        f"{how} slowly to {ratio:.2g} times in {last - first} days, against the other sensors "
        f"({ramp.sure:.1f} standard errors); {alike.sum()} of {telling.sum()} subjects moved alike"
    )
    return Drift(epoch.sensor, first, last, steps, ramp.over, (ratio, low, high), evidence) if steps else None


def _level(
    by_subject: Counts, epochs: tuple[Epoch, ...], size: Floats, rows: list[int], days: NDArray[np.int64]
) -> Floats:
    """Each subject's messages at some epochs' sensors over what these see of all mail at its level; (K,)."""
    seen = np.zeros(len(by_subject))
    for row in rows:
        up = days[size[row, days] > 0]
        seen += by_subject[:, epochs[row].sensor][:, up].sum(axis=1)
    below = float(size[rows][:, days].sum())
    return (seen + 0.5) / max(below, 1e-12)


def _steps(own: Counts, span: tuple[int, int, int], height: float) -> tuple[int, ...]:
    """Days of a drift from which the sensor counts anew, with enough days and mail in between."""
    first, last, end = span
    length = max(STEP_DAYS, int((last - first) * STEP / height))
    steps: list[int] = []
    since = 0
    for day in range(first, last + length, length):
        at = min(day, last)
        if own[at : end + 1].sum() < STEP_MAIL or end + 1 - at < STEP_DAYS:
            break
        if steps and (own[since:at].sum() < STEP_MAIL or at - since < STEP_DAYS):
            continue
        if at >= STEP_DAYS:
            steps.append(at)
            since = at
    return tuple(steps)
