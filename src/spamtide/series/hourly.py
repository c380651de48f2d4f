"""The hourly index of the last weeks, on the scale of the daily one.

A sensor's size is known from its days, so that hours start from it and only depart from it as far as they
must; hours of day and week are part of the hour effects, as weekdays are part of the day effects.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spamtide.each import Each, in_turn
from spamtide.model import UNKNOWN, Counts, Floats, IndexSeries, Measurement, Panel
from spamtide.series.exposure import told_up, total_of
from spamtide.series.fitting.dispersion import ASSUMED_DISPERSION
from spamtide.series.fitting.interval import interval
from spamtide.series.fitting.loglinear import Fit, fit
from spamtide.series.index import SHRINK, base_mask, levels_of
from spamtide.series.sensors.compare import Epoch
from spamtide.series.sensors.silence import silences

HOURS = 24
SIDE_HOURS = 7 * HOURS
"""Hours on either side of a silence that say what is usual."""
LONG_RUN_HOURS = HOURS
SIZE_DOUBT = 0.25
"""Prior standard deviation of a sensor's log size in these weeks about its size over all days."""


def measure_hours(hourly: Panel, daily: Measurement, each: Each = in_turn) -> tuple[IndexSeries, ...]:
    """Fit the hourly index of the total, of botnets and programmes that have a daily one, and of sensors.

    Args:
        hourly: an hourly panel (`store.panels.hourly`): hours for days.
        daily: the measurement of the daily panel that it belongs to.
        each: how subjects are fitted, one after the other or side by side.

    Returns:
        Series whose `days` are hours (dtype datetime64[h]). `index` is 100 over the daily base period: the
        mean of a day's hours is about the daily index. `offset` is the expected count an hour at index 100,
        over the sensors that were up in that hour, without the hour-of-week pattern, which stays in the
        index: count is about offset x index / 100. `offset` is 0 and index NaN where no sensor was up.
        Empty where there are no hours or the daily panel has no base.
    """
    if not hourly.sensors or not len(hourly.days):
        return ()
    total = next((series for series in daily.series if series.subject_kind == "total"), None)
    if total is None or not total.base:
        return ()
    exposure = hourly_exposure(hourly, daily)
    levels = levels_of(daily.panel, daily.exposure, base_mask(daily.panel, total.base))
    of_all = (levels.exposure * levels.total.sensor[:, None], levels.epochs)
    expected = exposure * _size(hourly, daily, *of_all) / HOURS
    of_total = fit(total_of(hourly), expected, shrink=SIZE_DOUBT)
    known = {(series.subject_kind, series.subject): series for series in daily.series}

    def of_subject(row: int) -> IndexSeries:
        counts = np.asarray(hourly.counts[row])
        if hourly.subjects[row][0] == "total":
            fitted, base = of_total, expected
        else:
            base = expected
            if levels.views:
                view = levels.view(hourly.subjects[row])
                base = exposure * _size(hourly, daily, view.expected, view.epochs) / HOURS
                base = base * _as_now(hourly, daily, hourly.subjects[row])
            base = base * of_total.sensor[:, None]
            fitted = fit(counts, base, shrink=SHRINK)
        reference = known[hourly.subjects[row]]
        return _on_daily_scale(hourly, counts, reference, fitted, base * fitted.sensor[:, None])

    told = [
        row
        for row, (kind, name) in enumerate(hourly.subjects)
        if (kind, name) in known and (name == UNKNOWN or kind == "total" or hourly.counts[row].any())
    ]
    found = each(of_subject, told)
    alpha = of_total.overdispersion or ASSUMED_DISPERSION
    for row, name in enumerate(hourly.sensors):
        of_days = known.get(("sensor", name))
        if of_days is not None:
            found.append(_of_sensor(hourly, row, exposure, of_days, alpha))
    return tuple(found)


def hourly_exposure(hourly: Panel, daily: Measurement) -> Floats:
    """Exposure by hour, shape (S, hours): the day's, and 0 in improbable silences of hours."""
    values = np.ones((len(hourly.sensors), len(hourly.days)))
    rows = {name: row for row, name in enumerate(daily.panel.sensors)}
    day = _day_of(hourly, daily.panel)
    for row, name in enumerate(hourly.sensors):
        if name in rows:
            values[row] = daily.exposure.values[rows[name]][day]
    for run in silences(
        total_of(hourly), hourly.ham, hour_of_day(hourly), side=SIDE_HOURS, long_run=LONG_RUN_HOURS
    ):
        values[run.sensor, run.first : run.last + 1] = 0.0
    told = told_up(hourly)
    return np.where(np.isfinite(told), told, values)


def hour_of_day(hourly: Panel) -> Counts:
    """Hour of the day in UTC, 0-23, of each hour."""
    return np.asarray(hourly.days.astype("datetime64[h]").astype(np.int64) % HOURS)


def _day_of(hourly: Panel, daily: Panel) -> NDArray[np.int64]:
    """Position in the daily panel of the day of each hour."""
    days = hourly.days.astype("datetime64[D]") - daily.days[0]
    return np.asarray(np.clip(days.astype(np.int64), 0, len(daily.days) - 1))


def _size(hourly: Panel, daily: Measurement, expected: Floats, epochs: tuple[Epoch, ...]) -> Floats:
    """Expected count a day at index 100 of each sensor, by hour; 0 where the daily index leaves it out.

    `expected` is the same by epoch and day.
    """
    by_day = np.zeros((len(daily.panel.sensors), len(daily.panel.days)))
    for epoch, row in zip(epochs, expected, strict=True):
        by_day[epoch.sensor] += row
    rows = {name: row for row, name in enumerate(daily.panel.sensors)}
    size = np.zeros((len(hourly.sensors), len(hourly.days)))
    for row, name in enumerate(hourly.sensors):
        if name in rows:
            size[row] = by_day[rows[name]][_day_of(hourly, daily.panel)]
    return size


def _as_now(hourly: Panel, daily: Measurement, subject: tuple[str, str]) -> Floats:
    """1 in hours in which a sensor took in as much of a subject as it does now, else 0; shape (S, hours)."""
    same = np.ones((len(hourly.sensors), len(hourly.days)))
    for outage in daily.exposure.outages:
        if outage.subjects and outage.end and outage.touches(subject) and outage.sensor in hourly.sensors:
            same[hourly.sensors.index(outage.sensor), hourly.days < np.datetime64(outage.end, "h")] = 0.0
    return same


def _on_daily_scale(
    hourly: Panel, counts: Counts, reference: IndexSeries, fitted: Fit, expected: Floats
) -> IndexSeries:
    """A fit of hours with its level brought to the daily index of the same days."""
    day = (hourly.days.astype("datetime64[D]") - reference.days[0]).astype(np.int64)
    by_day = reference.index[np.clip(day, 0, len(reference.days) - 1)]
    both = np.isfinite(by_day) & np.isfinite(fitted.level)
    mean = float(fitted.level[both].mean()) if both.any() else 0.0
    # Where no mail came in these weeks, the hours' own unit is that of the expected counts already.
    scale = float(by_day[both].mean()) / mean if mean > 0 else 100.0
    offset = expected.sum(axis=0) * (100.0 / scale if scale > 0 else 1.0)
    return replace(
        reference,
        days=hourly.days,
        count=np.asarray(counts.sum(axis=0)),
        index=scale * fitted.level,
        low=scale * fitted.low,
        high=scale * fitted.high,
        low_90=scale * fitted.low_90,
        high_90=scale * fitted.high_90,
        offset=np.where(np.isfinite(fitted.level), offset, 0.0),
        overdispersion=fitted.overdispersion,
        serial_correlation=fitted.serial_correlation,
    )


def _of_sensor(
    hourly: Panel, row: int, exposure: Floats, reference: IndexSeries, alpha: float
) -> IndexSeries:
    """A sensor's raw counts by hour over a 24th of its daily base."""
    count = total_of(hourly)[row]
    day = (hourly.days.astype("datetime64[D]") - reference.days[0]).astype(np.int64)
    offset = reference.offset[np.clip(day, 0, len(reference.days) - 1)] / HOURS * (exposure[row] > 0)
    level = np.where(offset > 0, count / np.where(offset > 0, offset, 1.0), np.nan)
    log_se = np.where(count > 0, np.sqrt(1.0 / np.maximum(count, 1) + alpha), np.nan)
    low, high = interval(level, log_se, offset[None], alpha)
    low_90, high_90 = interval(level, log_se, offset[None], alpha, 0.90)
    return replace(
        reference,
        days=hourly.days,
        count=count,
        index=100.0 * level,
        low=100.0 * low,
        high=100.0 * high,
        low_90=100.0 * low_90,
        high_90=100.0 * high_90,
        offset=offset,
        overdispersion=alpha,
        serial_correlation=0.0,
    )
