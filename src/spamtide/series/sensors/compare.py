"""Sensors that lost or gained part of their feed, told by comparison with the others.

One subject that falls on all sensors is a botnet; all subjects that fall on one sensor are that sensor.
The search runs over the ratio of a sensor's spam to what its size and the other sensors' days lead one to
expect; what it finds must then hold subject by subject.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spamtide.model import Counts, Floats
from spamtide.series.fitting.loglinear import Fit, fit
from spamtide.series.sensors.relays import JUMP, LIKELY, Shift

BIN_MAIL = 10.0
"""Messages that a bin of days should hold, so that its log ratio is about normal."""
LONGEST_BIN = 28
"""Days that counts are summed over, at most."""
EDGE_BINS, EDGE_DAYS = 3, 7
"""Bins and days that must lie on either side of a change."""
WINDOWS = (28, 91)
"""Days on either side that are compared: four weeks, and a quarter for thin mail. Short, so that a slow
drift of one sensor is left to the model's serial correlation."""
LEAST_NOISE = 0.02
"""Standard deviation of a bin's log ratio that is reckoned with in any case."""
SURE = 5.0
"""Least change over its standard error: strict, for it is sought on every day of every sensor."""
LOCAL_MAIL = 100
"""Messages that make the four weeks enough for the check by subject."""
TELLING = 20.0
"""Messages expected of a subject from which its ratio says something."""
ALIKE = 0.75
"""Share of the telling subjects that must have moved alike."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """A stretch of a sensor's life in which it let us see the same; positions, both ends included."""

    sensor: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, eq=False)
class _Ratios:
    """One epoch against the others: days, its counts, and what the others lead one to expect."""

    epoch: Epoch
    days: NDArray[np.int64]
    seen: Floats
    expected: Floats
    alpha: float
    rho: float


def surest_shift(by_subject: Counts, epochs: tuple[Epoch, ...], used: Floats, fitted: Fit) -> Shift | None:
    """The surest change of one sensor against the others, or None where none is sure enough.

    Args:
        by_subject: shape (K, S, T): subjects that add up to all spam (botnets with 'unknown').
        epochs: the rows of `used` and of the fit.
        used: shape (E, T), exposure of each epoch, 0 outside it.
        fitted: the total's fit over the epochs.
    """
    candidates = []
    for row in range(len(epochs)):
        ratios = _against_others(row, by_subject.sum(axis=0), epochs, used, fitted)
        if ratios is not None:
            found = _strongest(replace(ratios, rho=0.0))
            if found is not None:
                known = _strongest(ratios)
                candidates.append((known is not None, *(known or found), ratios))
    for sure, _, split, ratios in sorted(candidates, key=lambda item: item[:2], reverse=True):
        shift = _confirmed(_dated(ratios, split), ratios, by_subject, epochs, used)
        if shift is not None and (sure or _is_sure_once_told(shift, ratios, by_subject, epochs, used)):
            return shift
    return None


def _is_sure_once_told(
    shift: Shift, ratios: _Ratios, by_subject: Counts, epochs: tuple[Epoch, ...], used: Floats
) -> bool:
    """Whether a change is sure by the serial correlation of the fit in which it is told.

    A step that the fit does not know of makes days in a row alike, and would so pass for noise: its own, and
    that of every other step. What a just sure step of mere chance would have taken with it is put back: z
    standard errors of a noise of correlation rho bear z^2 (1 + rho) / cells of it.
    """
    row = epochs.index(ratios.epoch)
    before, after = used[row].copy(), used[row].copy()
    before[shift.low :], after[: shift.high + 1] = 0.0, 0.0
    told = np.concatenate([used[:row], before[None], used[row + 1 :], after[None]])
    spam = by_subject.sum(axis=0)
    sensors = [*(epoch.sensor for epoch in epochs), shift.sensor]
    rho = fit(spam[sensors] * (told > 0), told).serial_correlation
    rho += SURE**2 * (1.0 + rho) / np.count_nonzero(told)
    return bool(rho < ratios.rho) and _strongest(replace(ratios, rho=rho)) is not None


def _against_others(
    row: int, spam: Counts, epochs: tuple[Epoch, ...], used: Floats, fitted: Fit
) -> _Ratios | None:
    """Counts of one epoch beside the level of all others, each weighted as the fit weights it."""
    table = np.stack([spam[epoch.sensor] for epoch in epochs]) * (used > 0)
    expected = np.where(fitted.used, used, 0.0) * fitted.sensor[:, None]
    weight = 1.0 / (1.0 + fitted.overdispersion * expected * np.nan_to_num(fitted.level))
    weight[row] = 0.0
    below = (weight * expected).sum(axis=0)
    days = np.flatnonzero((below > 0) & (expected[row] > 0))
    if len(days) < 2 * EDGE_DAYS:
        return None
    level = (weight * table * (expected > 0)).sum(axis=0)[days] / below[days]
    seen = table[row, days].astype(np.float64)
    return _Ratios(
        epochs[row], days, seen, expected[row, days] * level, fitted.overdispersion, fitted.serial_correlation
    )


def _strongest(ratios: _Ratios) -> tuple[float, int] | None:
    """Largest standardised change of the log ratio between neighbouring windows, and its place."""
    mean = max(float(ratios.seen.mean()), 1e-9)
    width = int(np.clip(np.ceil(BIN_MAIL / mean), 1, LONGEST_BIN))
    bins = len(ratios.days) // width
    if bins < 2 * EDGE_BINS:
        return None
    seen = ratios.seen[: bins * width].reshape(bins, width).sum(axis=1)
    expected = ratios.expected[: bins * width].reshape(bins, width).sum(axis=1)
    log = np.log((seen + 0.5) / (expected + 0.5))
    telling = log[expected >= 1.0]  # where nobody has mail, the ratio is still, and says nothing of noise
    noise = float(np.median(np.abs(np.diff(telling)))) / (0.6745 * np.sqrt(2.0)) if len(telling) > 1 else 1.0
    if width == 1:
        # Differences hide part of a correlated noise, and its means vary more: both are put back.
        noise *= np.sqrt(1.0 + ratios.rho) / (1.0 - ratios.rho)
    variance = np.maximum(max(noise, LEAST_NOISE) ** 2, 2.0 / (expected + 0.5))
    summed = np.concatenate([[0.0], np.cumsum(log)])
    doubt = np.concatenate([[0.0], np.cumsum(variance)])
    edge = max(EDGE_BINS, -(-EDGE_DAYS // width))
    places = np.arange(edge, bins - edge + 1)
    best: tuple[float, int] | None = None
    for window in WINDOWS:
        reach = max(EDGE_BINS, window // width)
        left, right = np.minimum(places, reach), np.minimum(bins - places, reach)
        change = (summed[places + right] - summed[places]) / right
        change -= (summed[places] - summed[places - left]) / left
        error = (doubt[places + right] - doubt[places]) / right**2
        error += (doubt[places] - doubt[places - left]) / left**2
        sure = np.abs(change) / np.sqrt(error)
        sure[np.abs(change) < JUMP] = 0.0
        if len(places) and sure.max() >= SURE and (best is None or sure.max() > best[0]):
            best = float(sure.max()), int(places[np.argmax(sure)]) * width
    return best


def _dated(ratios: _Ratios, split: int) -> tuple[int, int, int]:
    """Most likely first day of the new level near a split, and the ends of its 95 % interval (positions)."""
    reach = WINDOWS[0]
    while reach < WINDOWS[1] and ratios.seen[max(0, split - reach) : split].sum() < LOCAL_MAIL:
        reach += 7
    low, high = max(0, split - reach), min(len(ratios.days), split + reach)
    seen, expected = ratios.seen[low:high], ratios.expected[low:high]
    was = (ratios.seen[low:split].sum() + 0.5) / (ratios.expected[low:split].sum() + 0.5)
    now = (ratios.seen[split:high].sum() + 0.5) / (ratios.expected[split:high].sum() + 0.5)
    gain = _log_likelihood(seen, expected * was, ratios.alpha) - _log_likelihood(
        seen, expected * now, ratios.alpha
    )
    profile = np.concatenate([[0.0], np.cumsum(gain)])[:-1]
    inflation = (1.0 + ratios.rho) / (1.0 - ratios.rho)
    likely = np.flatnonzero(2.0 * (profile.max() - profile) <= LIKELY * inflation)
    days = ratios.days[low:high]
    # The day before the first whole one at the new level may have been a part of one.
    return int(days[np.argmax(profile)]), int(days[max(likely[0] - 1, 0)]), int(days[likely[-1]])


def _log_likelihood(seen: Floats, mean: Floats, alpha: float) -> Floats:
    """Negative binomial log likelihood without the terms that do not depend on the mean."""
    mean = np.maximum(mean, 1e-9)
    if alpha <= 0:
        return seen * np.log(mean) - mean
    return seen * np.log(mean) - (seen + 1.0 / alpha) * np.log1p(alpha * mean)


def _confirmed(
    dated: tuple[int, int, int],
    ratios: _Ratios,
    by_subject: Counts,
    epochs: tuple[Epoch, ...],
    used: Floats,
) -> Shift | None:
    """The shift, if the sensor's own mail jumped and its subjects did so alike, each against the others."""
    day, low, high = dated
    sensor = ratios.epoch.sensor
    row = epochs.index(ratios.epoch)
    live = np.flatnonzero(used[row] > 0)
    before, after = live[live < low][::-1], live[live > high]
    own = by_subject.sum(axis=0)[sensor]
    before, after = _near(before, own), _near(after, own)
    if min(len(before), len(after)) < EDGE_DAYS:
        return None
    others = [
        other
        for other, epoch in enumerate(epochs)
        if epoch.sensor != sensor and (used[other, before] > 0).all() and (used[other, after] > 0).all()
    ]
    if not others:
        others = [other for other, epoch in enumerate(epochs) if epoch.sensor != sensor]
    was_used, now_used = used[others][:, before] > 0, used[others][:, after] > 0
    theirs = by_subject[:, [epochs[other].sensor for other in others]]
    was = (theirs[:, :, before] * was_used).sum(axis=(1, 2)) / max(was_used.sum(), 1)
    now = (theirs[:, :, after] * now_used).sum(axis=(1, 2)) / max(now_used.sum(), 1)
    cells = max(was_used.sum(), 1), max(now_used.sum(), 1)
    factor = (now + 0.5 / cells[1]) / (was + 0.5 / cells[0])
    mine = by_subject[:, sensor][:, before].sum(axis=1)
    seen = by_subject[:, sensor][:, after].sum(axis=1)
    expected = mine * factor * len(after) / len(before)
    change = float(np.log((seen.sum() + 0.5) / (expected.sum() + 0.5)))
    raw = float(np.log((own[after].mean() + 0.5 / len(after)) / (own[before].mean() + 0.5 / len(before))))
    each = np.log((seen + 0.5) / (expected + 0.5))
    telling = (expected >= TELLING) | (seen >= TELLING)
    alike = telling & (np.sign(each) == np.sign(change)) & (np.abs(each) >= abs(change) / 2)
    if (
        abs(change) < JUMP
        or np.sign(raw) != np.sign(change)
        or abs(raw) < abs(change) / 2
        or telling.sum() < min(2, max(1, int((mine >= TELLING).sum())))
        or alike.sum() < ALIKE * telling.sum()
    ):
        return None
    evidence = (
        f"spam {mine.sum()} in {len(before)} days before, {seen.sum()} in {len(after)} after, against "
        f"{expected.sum():.0f} expected from the other sensors; "
        f"{alike.sum()} of {telling.sum()} subjects moved alike"
    )
    confidence = 0.99 if telling.sum() > 1 else 0.9
    return Shift(sensor, day, low, high, float(np.exp(change)), evidence, confidence)


def _near(days: NDArray[np.int64], own: Counts) -> NDArray[np.int64]:
    """The nearest four weeks of live days, more while they hold little mail, up to a quarter."""
    reach = WINDOWS[0]
    while reach < WINDOWS[1] and own[days[:reach]].sum() < LOCAL_MAIL:
        reach += 7
    return days[:reach]
