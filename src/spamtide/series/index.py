"""The index: level of the total, of each botnet and programme, and of each sensor, 100 over a base period.

The total is fitted first. A subject starts from the total's sensor effects and departs from them as far as
its own mail says so (a normal prior on the log scale), so that a thin subject keeps a stable index and its
level is on the total's scale. Sensors have their raw counts over their own base.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spamtide.each import Each, in_turn
from spamtide.errors import SettingsError
from spamtide.model import UNKNOWN, Counts, Exposure, Floats, IndexSeries, Measurement, Panel
from spamtide.series.exposure import (
    date_of,
    epoch_counts,
    epoch_exposure,
    epochs_of,
    estimate,
    total_of,
)
from spamtide.series.fitting.dispersion import ASSUMED_DISPERSION
from spamtide.series.fitting.interval import interval
from spamtide.series.fitting.loglinear import Fit, fit
from spamtide.series.sensors.compare import Epoch
from spamtide.settings import Measuring

Bools = NDArray[np.bool_]

BASE_DAYS = 28
"""Length of a base period that the data choose; half the span if that is shorter."""
BASE_MAIL = 30
"""Messages that the total's base period holds at least."""
BASE_SHARE = 0.25
"""And at least this share of the median window with mail, so that stray early mail is no base."""
LONG_DARK = 182
"""Days with next to no mail after which a base from before them is no yardstick any more."""
SUBJECT_BASE_MAIL = 10
"""Messages that a subject needs in the total's base period; else it gets one of its own."""
SHRINK = 1.0
"""Prior standard deviation of a subject's log sensor effects about the total's: a factor of e either way."""


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """The total's fit and what subjects are fitted on."""

    epochs: tuple[Epoch, ...]
    exposure: Floats
    """(E, T), 0 where an epoch is not joined to the rest of the panel."""
    total: Fit
    base: Bools
    """Days of the total's base period, shape (T,)."""
    views: tuple[View, ...] = ()
    """What subjects are fitted on that a change of some senders only does not touch; () without any."""

    def view(self, subject: tuple[str, str]) -> View:
        """What one subject is fitted on."""
        for view in self.views:
            if subject in view.subjects:
                return view
        return View((), self.epochs, self.exposure * self.total.sensor[:, None], self.total.sensor)

    def subject(self, subject: tuple[str, str], counts: Counts, base: Bools | None = None) -> Fit:
        """Fit one subject, counts of shape (S, T), on the total's scale."""
        view = self.view(subject)
        return fit(
            epoch_counts(counts, view.epochs),
            view.expected,
            base=self.base if base is None else base,
            shrink=SHRINK,
        )


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Which epochs of the sensors, and how large, some subjects are fitted on."""

    subjects: tuple[tuple[str, str], ...]
    epochs: tuple[Epoch, ...]
    expected: Floats
    """(E, T) all mail that is expected at level 1; 0 outside the epoch and where it says nothing."""
    size: Floats
    """(E,) the same by epoch, counted once for each of the total's epochs that it takes in."""

    def count(self, counts: Counts) -> Counts:
        """Messages by day that a fit rests on, of counts of shape (S, T)."""
        table = epoch_counts(counts, self.epochs) * (self.expected > 0)
        return np.asarray(table.sum(axis=0))


def measure(
    panel: Panel,
    measuring: Measuring = Measuring(),  # noqa: B008 - a frozen record
    each: Each = in_turn,
) -> Measurement:
    """Estimate exposure and fit the index of every subject of a panel.

    Subjects are the total, botnets and programmes with at least `measuring.subject_floor` messages,
    'unknown' always, and each sensor. A day is NaN where no sensor was up, or where none that was is joined
    by overlap to the base period: an index across such a gap would be invented.

    Args:
        panel: the counts.
        measuring: settings.
        each: how subjects are fitted, one after the other or side by side.

    Raises:
        SettingsError: base_since or base_until is no ISO date.
    """
    exposure = estimate(panel)
    return Measurement(panel, exposure, *_series(panel, exposure, measuring, each))


def levels_of(panel: Panel, exposure: Exposure, base: Bools) -> Levels:
    """Fit the total over the sensors' epochs, 1 on average over the days of `base`, shape (T,)."""
    epochs = epochs_of(panel, exposure.outages)
    used = epoch_exposure(exposure.values, epochs)
    total = fit(epoch_counts(total_of(panel), epochs), used, base=base)
    levels = Levels(epochs, np.where(total.used, used, 0.0), total, total.base)
    return replace(levels, views=tuple(_views(panel, exposure, levels)))


def _views(panel: Panel, exposure: Exposure, levels: Levels) -> Iterator[View]:
    """What subjects are fitted on that some change of a few senders does not touch: the sensor as it was."""
    partial = [outage for outage in exposure.outages if outage.subjects]
    whole = [outage for outage in exposure.outages if not outage.subjects]
    groups: dict[tuple[bool, ...], list[tuple[str, str]]] = defaultdict(list)
    for subject in panel.subjects:
        touched = tuple(outage.touches(subject) for outage in partial)
        if not all(touched):
            groups[touched].append(subject)
    for touched, subjects in groups.items():
        mine = [outage for outage, own in zip(partial, touched, strict=True) if own]
        epochs = epochs_of(panel, (*whole, *mine))
        expected, size = np.zeros((len(epochs), len(panel.days))), np.zeros(len(epochs))
        for row, epoch in enumerate(epochs):
            inside = [
                part
                for part, one in enumerate(levels.epochs)
                if one.sensor == epoch.sensor
                and epoch.first <= one.first <= epoch.last
                and levels.total.sensor[part] > 0
            ]
            if inside:
                of_all = float(levels.total.sensor[inside[0]])
                span = slice(epoch.first, epoch.last + 1)
                expected[row, span] = exposure.values[epoch.sensor, span] * of_all
                size[row] = of_all * len(inside)
        yield View(tuple(subjects), epochs, expected, size)


def _series(
    panel: Panel, exposure: Exposure, measuring: Measuring, each: Each
) -> tuple[tuple[IndexSeries, ...], dict[tuple[str, str], Fit]]:
    """All series of a panel, and the fits behind those on the total's base."""
    spam = total_of(panel)
    wanted = _wanted_base(panel, measuring)
    up = exposure.values > 0
    base = (
        choose_base((spam * up).sum(axis=0), np.asarray(up.any(axis=0)), BASE_MAIL, anew=True)
        if wanted is None
        else wanted
    )
    levels = levels_of(panel, exposure, base)
    fixed = wanted is not None

    def of_subject(row: int) -> tuple[IndexSeries, Fit | None]:
        if panel.subjects[row][0] == "total":
            of_all = View((), levels.epochs, levels.exposure, levels.total.sensor)
            return _of_fit(panel, row, levels.total, of_all), None
        counts = np.asarray(panel.counts[row])
        view = levels.view(panel.subjects[row])
        used = view.count(counts)
        own = levels.base
        if used[own].sum() < SUBJECT_BASE_MAIL and not fixed:
            own = choose_base(used, np.asarray(view.expected.any(axis=0)), SUBJECT_BASE_MAIL)
        fitted = levels.subject(panel.subjects[row], counts, own)
        series = _of_fit(panel, row, fitted, view)
        return series, fitted if own is levels.base else None

    told = [
        row
        for row, (kind, name) in enumerate(panel.subjects)
        if kind == "total" or name == UNKNOWN or panel.counts[row].sum() >= measuring.subject_floor
    ]
    found = each(of_subject, told)
    series = [one for one, _ in found]
    fits = {panel.subjects[row]: one for row, (_, one) in zip(told, found, strict=True) if one is not None}
    alpha = levels.total.overdispersion
    series += [
        _of_sensor(panel, row, exposure, alpha or ASSUMED_DISPERSION, wanted)
        for row in range(len(panel.sensors))
    ]
    return tuple(series), {(str(kind), name): one for (kind, name), one in fits.items()}


def choose_base(count: Counts, up: Bools, least: int, *, anew: bool = False) -> Bools:
    """The first four weeks with enough mail and a sensor up on most days; else those with most mail.

    Args:
        count: messages a day, shape (T,).
        up: days on which a sensor was up, shape (T,).
        least: messages that a base period holds at least.
        anew: begin after the last LONG_DARK days without any such weeks, where there are some: a level of
            years ago, with next to nothing between that ties today's to it, is no yardstick.

    Returns:
        The days of the base, shape (T,).
    """
    length = min(BASE_DAYS, -(-len(count) // 2))
    mask = np.zeros(len(count), dtype=bool)
    if not length:
        return mask
    sums = np.convolve(count, np.ones(length, dtype=np.int64), "valid")
    days = np.convolve(up, np.ones(length, dtype=np.int64), "valid")
    typical = float(np.median(sums[sums > 0])) if sums.any() else 0.0
    fits = np.flatnonzero((sums >= max(least, BASE_SHARE * typical)) & (days >= length / 2))
    gaps = np.flatnonzero(np.diff(fits) > LONG_DARK + length)
    fits = fits[gaps[-1] + 1 :] if anew and len(gaps) else fits
    start = int(fits[0]) if len(fits) else int(np.argmax(sums))
    mask[start : start + length] = True
    return mask


def base_text(panel: Panel, base: Bools) -> str:
    """A base period as 'YYYY-MM-DD..YYYY-MM-DD'; '' for none."""
    days = np.flatnonzero(base)
    return f"{date_of(panel, days[0])}..{date_of(panel, days[-1])}" if len(days) else ""


def base_mask(panel: Panel, text: str) -> Bools:
    """The days of a base period written by `base_text`."""
    since, _, until = text.partition("..")
    days = panel.days.astype("datetime64[D]")
    if not until:
        return np.zeros(len(days), dtype=bool)
    return np.asarray((days >= np.datetime64(since)) & (days <= np.datetime64(until)))


def _wanted_base(panel: Panel, measuring: Measuring) -> Bools | None:
    """The base period that the settings ask for; None without one, or with none of it in the span."""
    if not (measuring.base_since or measuring.base_until):
        return None
    since = _date("base_since", measuring.base_since)
    until = _date("base_until", measuring.base_until)
    if since is None and until is not None:
        since = until - dt.timedelta(days=BASE_DAYS - 1)
    if until is None and since is not None:
        until = since + dt.timedelta(days=BASE_DAYS - 1)
    mask = base_mask(panel, f"{since}..{until}")
    return mask if mask.any() else None


def _date(key: str, text: str) -> dt.date | None:
    """One date of the settings."""
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError as error:
        message = f"measuring.{key}: {text!r} is no date"
        raise SettingsError(message, "write it as YYYY-MM-DD") from error


def _of_fit(panel: Panel, row: int, fitted: Fit, view: View) -> IndexSeries:
    """The series of a fitted subject; its sensor effects multiply what the view expects."""
    counts = np.asarray(panel.counts[row])
    count = counts.sum(axis=0)
    used = view.count(counts)
    offset = (view.expected * fitted.sensor[:, None]).sum(axis=0)
    # Mail of days and sensors that the fit leaves out is in `count` all the same; the offset follows it.
    offset = offset * np.where(used > 0, count / np.maximum(used, 1), 1.0)
    kind, name = panel.subjects[row]
    return IndexSeries(
        subject_kind=kind,
        subject=name,
        days=panel.days,
        count=count,
        index=100.0 * fitted.level,
        low=100.0 * fitted.low,
        high=100.0 * fitted.high,
        base=base_text(panel, fitted.base),
        offset=np.where(np.isfinite(fitted.level), offset, 0.0),
        overdispersion=fitted.overdispersion,
        serial_correlation=fitted.serial_correlation,
        low_90=100.0 * fitted.low_90,
        high_90=100.0 * fitted.high_90,
    )


def _of_sensor(panel: Panel, row: int, exposure: Exposure, alpha: float, wanted: Bools | None) -> IndexSeries:
    """A sensor's raw counts over their own base. Changes of the sensor stay in: they are its story."""
    count = total_of(panel)[row]
    out = np.zeros(len(count), dtype=bool)
    for outage in exposure.outages:
        if outage.sensor == panel.sensors[row] and outage.kind != "changed":
            until = outage.end or date_of(panel, len(count) - 1)
            out |= base_mask(panel, f"{outage.start}..{until}")
    up = ~out
    base = (
        wanted
        if wanted is not None and (count * wanted).any()
        else choose_base(count * up, up, SUBJECT_BASE_MAIL)
    )
    level = np.where(up, 0.0, np.nan)
    mean = float(count[base & up].mean()) if (base & up).any() else 0.0
    if mean > 0:
        level[up] = count[up] / mean
    log_se = np.full(len(count), np.nan)
    some = up & (count > 0)
    log_se[some] = np.sqrt(1.0 / count[some] + alpha)
    offset = np.where(up, mean, 0.0)
    low, high = interval(level, log_se, offset[None], alpha)
    low_90, high_90 = interval(level, log_se, offset[None], alpha, 0.90)
    if mean <= 0:
        high = high_90 = np.full(len(count), np.nan)
    return IndexSeries(
        subject_kind="sensor",
        subject=panel.sensors[row],
        days=panel.days,
        count=count,
        index=100.0 * level,
        low=100.0 * low,
        high=100.0 * high,
        base=base_text(panel, base),
        offset=offset,
        overdispersion=alpha,
        serial_correlation=0.0,
        low_90=100.0 * low_90,
        high_90=100.0 * high_90,
    )


def naive(counts: Counts, base: Bools) -> Floats:
    """The sum over sensors, 100 over the base: what a join or an outage moves. For comparison only."""
    total = counts.sum(axis=0).astype(np.float64)
    mean = total[base].mean() if base.any() else 0.0
    return total / mean * 100.0 if mean > 0 else np.full(len(total), np.nan)


def chained(counts: Counts, exposure: Floats, base: Bools) -> Floats:
    """Chained Jevons index: geometric mean of daily ratios over sensors with mail on both days.

    Undefined at zero (such days' ratios are left out) and prone to chain drift. For comparison only.
    """
    live = (counts > 0) & (exposure > 0)
    log = np.log(np.where(live, counts, 1))
    pair = live[:, 1:] & live[:, :-1]
    steps = (np.diff(log, axis=1) * pair).sum(axis=0) / np.maximum(pair.sum(axis=0), 1)
    level = np.exp(np.concatenate([[0.0], np.cumsum(steps)]))[: counts.shape[1]]
    return np.asarray(100.0 * level / level[base].mean()) if base.any() else np.full(len(level), np.nan)


def beside(measurement: Measurement, series: IndexSeries) -> tuple[Floats, Floats]:
    """The naive sum and the chained index of a daily series, on its own base, for comparison only."""
    panel = measurement.panel
    base = base_mask(panel, series.base)
    if series.subject_kind == "sensor":
        rows = slice(panel.sensors.index(series.subject), panel.sensors.index(series.subject) + 1)
        counts, exposure = total_of(panel)[rows], measurement.exposure.values[rows]
    else:
        row = panel.subjects.index((series.subject_kind, series.subject))
        counts, exposure = np.asarray(panel.counts[row]), measurement.exposure.values
    return naive(counts, base), chained(counts, exposure, base)
