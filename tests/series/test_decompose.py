"""The total's change taken apart, against worlds with known truth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spamtide.series import decompose, measure
from spamtide.settings import Measuring

Make = Callable[..., Any]
"""Makes a world or a panel; see conftest."""

FIRST = dt.date(2024, 1, 1)
BEFORE = (FIRST + dt.timedelta(60), FIRST + dt.timedelta(87))
AFTER = (FIRST + dt.timedelta(120), FIRST + dt.timedelta(147))


def _fallen(world: Make, seed: int) -> Any:  # noqa: ANN401 - a World of conftest, which cannot be imported
    """A world in which b0 falls to a tenth and b1 rises by half on day 100."""
    made = world(seed)
    made.mean[0, :, 100:] *= 0.1
    made.mean[1, :, 100:] *= 1.5
    return made


def _truth(mean: np.ndarray) -> dict[str, float]:
    """Points of each subject as if every sensor had been up."""
    by_day = mean.sum(axis=1)
    base = by_day.sum(axis=0)[:28].mean()
    change = 100 * (by_day[:, 120:148].mean(axis=1) - by_day[:, 60:88].mean(axis=1)) / base
    names = [f"b{row}" for row in range(len(change) - 1)] + ["unknown"]
    return {**dict(zip(names, change.tolist(), strict=True)), "total": float(change.sum())}


@pytest.mark.parametrize("joins", [False, True])
def test_points_add_up_and_intervals_hold_the_truth(world: Make, panel_of: Make, joins: bool) -> None:  # noqa: FBT001 - a case
    """Each kind adds up exactly; over 15 worlds at least 85 % of the 95 % intervals hold the truth."""
    held = []
    for seed in range(15):
        made = _fallen(world, seed)
        counts, ham = made.counts(), made.ham.copy()
        if joins:
            counts[:, 3, :90] = 0
            ham[3, :90] = 0
        found = decompose(measure(panel_of(counts, ham)), BEFORE, AFTER)
        for kind in ("botnet", "programme"):
            points = sum(c.points for c in found if c.subject_kind == kind)
            assert points == pytest.approx(found[0].points, abs=1e-9)
        truth = _truth(made.mean)
        held += [c.low <= truth[c.subject] <= c.high for c in found if c.subject_kind != "programme"]
    assert np.mean(held) > 0.85


def test_order_and_names(world: Make, panel_of: Make) -> None:
    """The total first, botnets by size of change, 'unknown' last; then programmes likewise."""
    made = _fallen(world, 3)
    panel = panel_of(made.counts(), made.ham, kinds=("botnet", "botnet", "programme", "botnet"))
    found = decompose(measure(panel), BEFORE, AFTER)
    kinds = [c.subject_kind for c in found]
    assert kinds == ["total", "botnet", "botnet", "botnet", "programme", "programme"]
    assert [found[3].subject, found[5].subject] == ["unknown", "unknown"]
    assert abs(found[1].points) >= abs(found[2].points)


def test_one_botnet_explains_a_fall_that_is_its_own(world: Make, panel_of: Make) -> None:
    """With all else level, b0 has the largest part, and the narrower interval."""
    for seed in range(5):
        made = world(seed, drift=0.0)
        made.mean[0, :, 100:] *= 0.05
        found = decompose(measure(panel_of(made.counts(), made.ham)), BEFORE, AFTER)
        total, first = found[0], found[1]
        assert first.subject == "b0"
        assert first.high < 0
        assert total.low < first.points < total.high
        assert first.high - first.low < total.high - total.low


def test_a_sensor_that_joins_gives_nobody_points(world: Make, panel_of: Make) -> None:
    """Half of all mail joins between the periods; nothing else happens; no subject moves by 5 points."""
    moved = []
    for seed in range(10):
        made = world(seed, drift=0.0)
        counts, ham = made.counts(), made.ham.copy()
        counts[:, 3, :95] = 0
        ham[3, :95] = 0
        found = decompose(measure(panel_of(counts, ham)), BEFORE, AFTER)
        moved.append([c.points for c in found if c.subject_kind == "botnet"])
    assert np.abs(np.mean(moved, axis=0)).max() < 5


def test_a_period_with_two_sundays_does_not_fall_behind(panel_of: Make) -> None:
    """Strong weekends, no change: ten days against seven give no points."""
    week = np.array([100, 100, 100, 100, 100, 20, 10])
    counts = np.tile(week, 12)[None, None].repeat(3, axis=1)
    after = (FIRST + dt.timedelta(40), FIRST + dt.timedelta(49))
    before = (FIRST + dt.timedelta(21), FIRST + dt.timedelta(27))
    found = decompose(measure(panel_of(counts)), before, after)
    assert found[0].points == pytest.approx(0.0, abs=1e-6)


def test_a_subject_that_fell_to_nothing_keeps_some_doubt(world: Make, panel_of: Make) -> None:
    """No message in the later period is not certainty: the interval has width."""
    made = world(1, sizes=(3.0, 4.0))
    counts = made.counts()
    counts[0, :, 100:] = 0
    found = {c.subject: c for c in decompose(measure(panel_of(counts, made.ham)), BEFORE, AFTER)}
    assert found["b0"].high > found["b0"].points > found["b0"].low


def test_a_period_without_an_index_gives_no_answer(world: Make, panel_of: Make) -> None:
    """Outside the span, or in a dark stretch: empty, not zero."""
    made = world(1)
    measurement = measure(panel_of(made.counts(), made.ham))
    long_ago = (dt.date(2001, 1, 1), dt.date(2001, 1, 28))
    assert decompose(measurement, long_ago, AFTER) == ()
    assert decompose(measure(panel_of(np.zeros((1, 1, 0)))), BEFORE, AFTER) == ()


def test_the_same_measurement_gives_the_same_points(world: Make, panel_of: Make) -> None:
    """No random number is drawn."""
    measurement = measure(panel_of(world(1).counts()))
    assert decompose(measurement, BEFORE, AFTER) == decompose(measurement, BEFORE, AFTER)


def test_fits_are_used_again_where_they_are_the_same(world: Make, panel_of: Make) -> None:
    """The points are those of new fits, to the bit, also where thin botnets are no series of their own."""
    made = _fallen(world, 6)
    for floor in (0, 20_000):
        measured = measure(panel_of(made.counts(), made.ham), Measuring(subject_floor=floor))
        assert measured.fits
        assert decompose(measured, BEFORE, AFTER) == decompose(replace(measured, fits={}), BEFORE, AFTER)
