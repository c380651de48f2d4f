"""Sensors that take less of some senders: greylisting, blocklists, filters; and what only looks so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from spamtide.calibration.plan import Fall, Plan, Rename, botnet_name, sensor_name
from spamtide.calibration.world import make_world
from spamtide.change import detect
from spamtide.model import Panel
from spamtide.series import estimate, measure

ONSET, DAYS = 100, 145
FALLS = {"decline", "cease"}


def _world(
    *falls: Fall | Rename, seed: int = 7, days: int = DAYS, volume: float = 500.0
) -> tuple[Plan, Panel]:
    """A world of six sensors and eight botnets."""
    plan = Plan(days=days, sensors=6, botnets=8, volume=volume, even=True, happenings=falls)
    return plan, make_world(plan, np.random.default_rng([seed, 90])).panel


@pytest.mark.parametrize("hit", [(2,), (0, 1, 2, 3, 4)])
@pytest.mark.parametrize("days", [DAYS, ONSET + 9])
def test_a_sensor_that_takes_less_of_some(hit: tuple[int, ...], days: int) -> None:
    """It is the sensor's change, on the day, with its senders; nothing falls, the index least of all."""
    plan, panel = _world(*(Fall(b, ONSET, 1, 0.05, only=(1,)) for b in hit), days=days)
    measured = measure(panel)
    told = detect(measured, whole=True)
    assert [(c.kind, c.subject) for c in told if c.kind == "sensor-change"] == [
        ("sensor-change", sensor_name(1))
    ]
    assert not [c for c in told if c.kind in FALLS]
    (outage,) = [o for o in measured.exposure.outages if o.kind == "changed"]
    assert abs((outage.start - plan.date(ONSET)).days) <= 1
    assert {name for kind, name in outage.subjects if kind == "botnet"} >= {botnet_name(b) for b in hit}
    index = measured.series[0].index
    assert index[ONSET + 1 :].mean() == pytest.approx(index[ONSET - 28 : ONSET].mean(), rel=0.1)


def test_sensors_that_left_days_before_hide_nothing() -> None:
    """The others' mail is less then because they are fewer, not because their senders fell."""
    plan, panel = _world(*(Fall(b, ONSET, 1, 0.05, only=(1,)) for b in (2, 5)), days=220)
    counts = panel.counts.copy()
    counts[:, 4:] *= 4
    counts[:, 4, ONSET - 4 :] = counts[:, 5, ONSET - 9 :] = 0
    found = [o for o in measure(replace(panel, counts=counts)).exposure.outages if o.subjects]
    assert [(o.sensor, {name for kind, name in o.subjects if kind == "botnet"}) for o in found] == [
        (sensor_name(1), {botnet_name(2), botnet_name(5)})
    ]
    assert abs((found[0].start - plan.date(ONSET)).days) <= 1


def test_greylisting_that_ends_is_told_twice() -> None:
    """Off again, the sensor takes more of what it took less of."""
    _, panel = _world(*(Fall(b, ONSET - 40, 1, 0.1, until=ONSET, only=(3,)) for b in range(5)))
    found = [o for o in measure(panel).exposure.outages if o.subjects]
    assert [o.sensor for o in found] == [sensor_name(3)] * 2
    assert "takes less" in found[0].evidence
    assert "takes more" in found[1].evidence


def test_what_falls_at_half_of_the_sensors_is_the_botnet() -> None:
    """One list of addresses that a botnet no longer uses is no fault of three sensors."""
    _, panel = _world(Fall(2, ONSET, 1, 0.05, only=(0, 1, 2)))
    assert not [o for o in measure(panel).exposure.outages if o.subjects]


def test_a_botnet_of_one_sensor_is_itself() -> None:
    """Nobody else can say whether it goes on."""
    _, panel = _world(Fall(2, ONSET, 1, 0.0), Fall(2, 0, 1, 0.0, only=(0, 1, 3, 4, 5)))
    told = detect(measure(panel), whole=True)
    assert not [c for c in told if c.kind == "sensor-change"]
    assert [c.subject for c in told if c.kind == "cease"] == [botnet_name(2)]


def test_a_real_fall_is_found_though_some_sensors_see_it_more() -> None:
    """A fall to 40 % that three sensors see as one to 12 % is a fall, on its day."""
    plan, panel = _world(Fall(2, ONSET, 2, 0.4), Fall(2, ONSET, 2, 0.3, only=(0, 4)))
    told = detect(measure(panel), whole=True)
    (fall,) = [c for c in told if c.kind in FALLS and c.subject_kind == "botnet"]
    assert (fall.subject, fall.onset_low <= plan.date(ONSET) <= fall.onset_high) == (botnet_name(2), True)
    assert not [c for c in told if c.kind == "sensor-change"]


def test_a_name_lost_at_one_sensor_is_no_fault() -> None:
    """Mail that goes on without its name is not missing."""
    _, panel = _world()
    row = [n for _, n in panel.subjects].index(botnet_name(2))
    nameless = panel.subjects.index(("botnet", "unknown"))
    gone = panel.counts[row, 1, ONSET:].copy()
    panel.counts[row, 1, ONSET:] -= gone
    panel.counts[nameless, 1, ONSET:] += gone
    assert not [o for o in measure(panel).exposure.outages if o.subjects]


def test_a_filter_is_known_on_its_second_day() -> None:
    """One botnet or several, at one sensor; and no botnet falls by it."""
    for hit in ((2,), (0, 1, 2)):
        falls = tuple(Fall(b, ONSET, 1, 0.03, only=(1,)) for b in hit)
        plan, panel = _world(*falls, seed=8, days=ONSET + 2, volume=3000.0)
        told = detect(measure(panel), whole=True)
        (change,) = [c for c in told if c.onset >= plan.date(ONSET - 5)]
        assert (change.kind, change.subject) == ("sensor-change", sensor_name(1))


def test_a_flood_elsewhere_is_no_fall_here(panel_of: Callable[..., Panel]) -> None:
    """Nor is the end of a flood here."""
    rng = np.random.default_rng(4)
    counts = rng.poisson(20.0, (6, 5, 120))
    counts[1, 3, -2:] *= 8
    counts[1, 0, -12:-8] *= 6
    counts[1, 0, -2:] = 12
    assert not estimate(panel_of(counts)).outages
