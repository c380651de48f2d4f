"""The hourly index: on the daily scale, blind to sensors, silent where a sensor is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spamtide.model import IndexSeries, Measurement, Panel
from spamtide.series import measure, measure_hours

LAST = 28


def hours_of(panel: Panel, seed: int = 1) -> Panel:
    """The last days of a daily panel, each day's mail spread over its hours by a daily wave."""
    wave = 1.0 + 0.6 * np.cos(2 * np.pi * (np.arange(24) - 15) / 24)
    days = panel.counts[:, :, -LAST:]
    drawn = np.random.default_rng(seed).multinomial(days.reshape(-1), wave / wave.sum())
    counts = drawn.reshape(*days.shape[:2], LAST * 24)
    start = panel.days[-LAST].astype("datetime64[h]")
    return replace(
        panel,
        days=start + np.arange(LAST * 24),
        counts=counts,
        ham=np.zeros(counts.shape[1:], dtype=np.int64),
        relays=(("",) * (LAST * 24),) * len(panel.sensors),
        pairs={},
    )


@pytest.fixture(scope="module")
def panels(world: Callable[..., Any], panel_of: Callable[..., Panel]) -> tuple[Panel, Panel, Measurement]:
    made = world(5, sizes=(200.0, 500.0, 900.0, 300.0), days=120)
    panel = panel_of(made.counts(), made.ham)
    return panel, hours_of(panel), measure(panel)


def of(series: tuple[IndexSeries, ...], name: str) -> IndexSeries:
    return next(item for item in series if item.subject == name)


def test_a_days_hours_mean_its_daily_index(panels: tuple[Panel, Panel, Measurement]) -> None:
    """On average over the window exactly, day by day within the noise of the two fits."""
    panel, hourly, daily = panels
    series = measure_hours(hourly, daily)
    for name in ("total", "b0", "b1"):
        by_day = of(series, name).index.reshape(LAST, 24).mean(axis=1)
        reference = of(daily.series, name).index[-LAST:]
        assert by_day.mean() == pytest.approx(reference.mean(), rel=1e-6)
        assert np.abs(np.log(by_day / reference)).max() < 0.15
    assert of(series, "total").count.sum() == panel.counts[0][:, -LAST:].sum()


def test_offsets_are_what_an_average_hour_brings(panels: tuple[Panel, Panel, Measurement]) -> None:
    """Count over a whole week is about the sum of offset x index / 100."""
    _, hourly, daily = panels
    for item in measure_hours(hourly, daily):
        expected = (item.offset * item.index / 100)[-168:].sum()
        assert item.count[-168:].sum() == pytest.approx(expected, rel=0.1), item.subject


def test_a_sensor_that_falls_silent_does_not_move_the_hours(
    panels: tuple[Panel, Panel, Measurement],
) -> None:
    """The largest sensor stops 12 hours before the end: the offset gives way, the index does not."""
    _, hourly, daily = panels
    counts = hourly.counts.copy()
    counts[:, 2, -12:] = 0
    whole, broken = (measure_hours(replace(hourly, counts=table), daily) for table in (hourly.counts, counts))
    before, after = of(whole, "total"), of(broken, "total")
    assert of(broken, "s2").offset[-12:].max() == 0
    assert np.isnan(of(broken, "s2").index[-12:]).all()
    assert after.offset[-6:].max() < 0.75 * before.offset[-6:].min()
    assert np.abs(np.log(after.index[-12:] / before.index[-12:])).mean() < 0.25


def test_nothing_to_measure(panels: tuple[Panel, Panel, Measurement]) -> None:
    _, hourly, daily = panels
    none = replace(hourly, days=hourly.days[:0], counts=hourly.counts[:, :, :0], ham=hourly.ham[:, :0])
    assert measure_hours(none, daily) == ()
