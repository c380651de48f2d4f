"""Series of whole panels: bases, subjects, offsets, and what the promise of the index is worth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spamtide.errors import SettingsError
from spamtide.model import IndexSeries, Measurement, Panel
from spamtide.series import decompose, measure
from spamtide.series.index import chained, naive
from spamtide.settings import Measuring

Make = Callable[..., Any]
"""Makes a world or a panel; see conftest."""

FIRST = np.datetime64("2024-01-01")


def _series(measurement: Measurement, kind: str, subject: str) -> IndexSeries:
    return next(s for s in measurement.series if (s.subject_kind, s.subject) == (kind, subject))


def test_joins_leaves_and_outages_do_not_move_the_index(world: Make, panel_of: Make) -> None:
    """Found from mail alone: a large sensor joins, one leaves, one is down; the sum and the chain show it."""
    base = slice(0, 28)
    mask = np.arange(180) < 28
    errors, sums = [], []
    for seed in range(12):
        made = world(seed, sizes=(20.0, 50.0, 100.0, 200.0, 80.0, 900.0))
        counts, ham = made.counts(), made.ham.copy()
        for row, gone in ((5, slice(0, 90)), (3, slice(130, None)), (2, slice(100, 108))):
            counts[:, row, gone] = 0
            ham[row, gone] = 0
        total = _series(measure(panel_of(counts, ham)), "total", "total")
        truth = made.index(base)
        assert total.base == "2024-01-01..2024-01-28"
        errors.append(np.log(np.mean(total.index[90:]) / np.mean(truth[90:])))
        sums.append(naive(counts.sum(axis=0), mask)[90:].mean() / np.mean(truth[90:]))
    assert abs(np.mean(errors)) < 0.03
    assert np.max(np.abs(errors)) < 0.2
    assert min(sums) > 2.0


def test_chained_and_naive_agree_with_the_model_where_nothing_happens(panel_of: Make) -> None:
    """Constant counts: all three are 100 throughout."""
    counts = np.full((1, 3, 40), 20)
    base = np.arange(40) < 20
    np.testing.assert_allclose(naive(counts[0], base), 100.0)
    np.testing.assert_allclose(chained(counts[0], np.ones((3, 40)), base), 100.0)
    np.testing.assert_allclose(_series(measure(panel_of(counts)), "total", "total").index, 100.0)


def test_a_changed_sensor_does_not_move_the_index(world: Make, panel_of: Make) -> None:
    """A sensor that loses most of its feed goes on as another sensor; the level is as true as before."""
    errors = []
    for seed in range(8):
        made = world(seed)
        kept = made.mean[:, 3, 120:].copy()
        truth = made.index(slice(0, 28))
        made.mean[:, 3, 120:] = 0.1 * kept
        total = _series(measure(panel_of(made.counts(), made.ham)), "total", "total")
        errors.append(np.log(np.nanmean(total.index[122:]) / truth[122:].mean()))
    assert abs(np.mean(errors)) < 0.05


def test_count_is_about_offset_times_level(world: Make, panel_of: Make) -> None:
    """What detection works on: within 2 % over the span, for the total and a botnet, with a sensor away."""
    made = world(2)
    counts = made.counts()
    counts[:, 3, :70] = 0
    made.ham[3, :70] = 0
    measurement = measure(panel_of(counts, made.ham))
    for kind, subject in (("total", "total"), ("botnet", "b0")):
        series = _series(measurement, kind, subject)
        expected = series.offset * series.index / 100
        assert np.nansum(expected) == pytest.approx(series.count.sum(), rel=0.02)
    total = _series(measurement, "total", "total")
    assert total.offset[:70].max() < total.offset[72:].min()


def test_which_subjects_get_a_series(world: Make, panel_of: Make) -> None:
    """The total, botnets over the floor, unknown always, each sensor."""
    made = world(0)
    counts = made.counts()
    counts[0] = 0
    counts[0, 0, :29] = 1
    counts[1, :, :] = 0
    counts[1, 0, :30] = 1
    counts[-1] = 0
    measurement = measure(panel_of(counts, made.ham), Measuring(subject_floor=30))
    names = [(s.subject_kind, s.subject) for s in measurement.series]
    sensors = [("sensor", f"s{row}") for row in range(5)]
    assert names == [("total", "total"), ("botnet", "b1"), ("botnet", "b2"), ("botnet", "unknown"), *sensors]


def test_a_subject_without_a_message_is_not_estimated(world: Make, panel_of: Make) -> None:
    """'unknown' without mail: no invented level, no invented bound."""
    made = world(0)
    counts = made.counts()
    counts[-1] = 0
    series = _series(measure(panel_of(counts, made.ham)), "botnet", "unknown")
    assert not series.count.any()
    assert np.nan_to_num(series.index).max() == 0
    assert np.isnan(series.high).all()


def test_a_thin_subject_stays_stable(world: Make, panel_of: Make) -> None:
    """A message every other day over five sensors: finite intervals, and a level that does not drift."""
    ratios = []
    for seed in range(10):
        made = world(seed)
        counts = made.counts()
        counts[0] = made.rng.poisson(0.1, counts[0].shape)
        series = _series(measure(panel_of(counts, made.ham)), "botnet", "b0")
        assert np.isfinite(series.index).all()
        assert np.isfinite(series.high).all()
        assert (series.high > 0).all()
        ratios.append(series.index[90:].mean() / series.index[:90].mean())
    assert 0.8 < np.mean(ratios) < 1.25


def test_a_newcomer_gets_a_base_of_its_own(world: Make, panel_of: Make) -> None:
    """A botnet first seen in April is 100 over its own first weeks."""
    made = world(0)
    counts = made.counts()
    counts[0, :, :95] = 0
    series = _series(measure(panel_of(counts, made.ham)), "botnet", "b0")
    assert series.base > "2024-03"
    inside = FIRST + np.arange(180)
    since, until = (np.datetime64(text) for text in series.base.split(".."))
    mask = np.array([since <= day <= until for day in inside])
    assert series.index[mask].mean() == pytest.approx(100.0)


def test_the_base_that_the_settings_name_is_taken(world: Make, panel_of: Make) -> None:
    """Both ends, or one and four weeks from it; outside the span the data choose; nonsense is refused."""
    made = world(0)
    panel = panel_of(made.counts(), made.ham)

    def base(**settings: str) -> str:
        return _series(measure(panel, Measuring(**settings)), "total", "total").base

    assert base(base_since="2024-03-01", base_until="2024-03-10") == "2024-03-01..2024-03-10"
    assert base(base_since="2024-03-01") == "2024-03-01..2024-03-28"
    assert base(base_until="2024-03-28") == "2024-03-01..2024-03-28"
    assert base(base_since="1999-01-01", base_until="1999-02-01") == "2024-01-01..2024-01-28"
    with pytest.raises(SettingsError, match="base_since"):
        base(base_since="March")


def test_stray_early_mail_is_no_base(panel_of: Make) -> None:
    """One old message ten months before the rest does not become the base period."""
    counts = np.zeros((1, 2, 400), dtype=int)
    counts[0, 0, 0] = 1
    counts[0, :, 300:] = 30
    assert _series(measure(panel_of(counts)), "total", "total").base >= "2024-10"


def test_a_gap_that_no_sensor_bridges_breaks_the_index(world: Make, panel_of: Make) -> None:
    """All sensors replaced on one day: NaN and offset 0 from then on, never a made-up level."""
    made = world(0, sizes=(50.0, 50.0, 50.0, 50.0))
    counts, ham = made.counts(), made.ham.copy()
    counts[:, :2, 90:] = counts[:, 2:, :90] = 0
    ham[:2, 90:] = ham[2:, :90] = 0
    total = _series(measure(panel_of(counts, ham)), "total", "total")
    assert np.isfinite(total.index[:90]).all()
    assert np.isnan(total.index[92:]).all()
    assert (total.offset[92:] == 0).all()


def test_one_sensor_alone_has_an_index_with_honest_intervals(world: Make, panel_of: Make) -> None:
    """Nothing to compare with: the interval is that of the sensor's own day-to-day noise, and not nil."""
    made = world(0, sizes=(100.0,))
    total = _series(measure(panel_of(made.counts(), made.ham)), "total", "total")
    truth = made.index(slice(0, 28))
    assert ((total.low <= truth) & (truth <= total.high)).mean() > 0.8
    assert np.median(total.high / total.low) > 1.5


def test_sensors_that_never_saw_a_botnet_do_not_tell_how_its_days_hang_together(
    world: Make, panel_of: Make
) -> None:
    """A botnet that one sensor of five alone sees, and that falls: days that are drawn apart stay so."""
    for seed in range(5):
        made = world(seed)
        counts = made.counts()
        counts[0] = 0
        counts[0, 3] = made.rng.poisson(np.where(np.arange(180) < 90, 12.0, 1.3))
        series = _series(measure(panel_of(counts, made.ham)), "botnet", "b0")
        assert series.serial_correlation < 0.3
        assert np.median(series.high[:90]) < 2.5 * np.median(series.index[:90])


@pytest.mark.parametrize(
    "shape", [(1, 2, 0), (1, 0, 5), (1, 0, 0), (1, 1, 1), (2, 3, 1), (2, 2, 2), (2, 2, 30)]
)
@pytest.mark.parametrize("level", [0, 5])
@pytest.mark.filterwarnings("error")
def test_panels_at_the_edge_are_measured(panel_of: Make, shape: tuple[int, int, int], level: int) -> None:
    """No days, no sensors, one day, all zero: a measurement all the same, without a warning."""
    measurement = measure(panel_of(np.full(shape, level)))
    total = _series(measurement, "total", "total")
    assert len(total.index) == shape[2]
    assert measurement.exposure.values.shape == shape[1:]


@settings(max_examples=20, deadline=None)
@given(
    counts=arrays(np.int64, (2, 3, 35), elements=st.integers(0, 30)),
    ham=arrays(np.int64, (3, 35), elements=st.integers(0, 2)),
    names=st.lists(st.sampled_from(["", "a", "b"]), min_size=35, max_size=35),
)
def test_any_panel_is_measured_and_taken_apart(
    panel_of: Make, counts: np.ndarray, ham: np.ndarray, names: list[str]
) -> None:
    """Nothing raises; intervals are in order; points of each kind add up to the total's."""
    panel: Panel = panel_of(counts, ham, (tuple(names),) * 3)
    measurement = measure(panel)
    for series in measurement.series:
        told = np.isfinite(series.index) & np.isfinite(series.high)
        assert (series.low[told] <= series.index[told] + 1e-9).all()
        assert (series.index[told] <= series.high[told] + 1e-9).all()
        assert (series.offset >= 0).all()
    day = dt.date(2024, 1, 1)
    found = decompose(
        measurement, (day, day + dt.timedelta(9)), (day + dt.timedelta(20), day + dt.timedelta(34))
    )
    for kind in ("botnet", "programme"):
        points = sum(c.points for c in found if c.subject_kind == kind)
        assert not found or points == pytest.approx(found[0].points, abs=1e-6)
