"""Sensors that changed days ago, in front of one of them or of all; boxes that were read last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spamtide.model import Panel
from spamtide.series import estimate, measure

Make = Callable[..., Any]
DAYS, SENSORS = 64, 6
SIZE = np.array([40.0, 25.0, 20.0, 15.0, 12.0, 10.0])
SHARE = np.array([0.4, 0.25, 0.2, 0.15])
FIRST = np.datetime64("2024-01-01")


def drawn(seed: int, seen: NDArray[np.float64]) -> NDArray[np.int64]:
    """Counts by subject, sensor and day, of sensors that see a part of their mail: `seen`, shape (S, T)."""
    rng = np.random.default_rng(seed)
    level = rng.gamma(25, 1 / 25, (len(SHARE), 1, seen.shape[1]))
    mean = SHARE[:, None, None] * level * SIZE[:, None] * seen
    return np.asarray(rng.poisson(mean))


def told(panel: Panel) -> dict[str, tuple[int, int]]:
    """Sensors that are told to have changed, with the interval of the day."""
    return {
        o.sensor: (
            int((np.datetime64(o.onset_low or o.start) - FIRST).astype(int)),
            int((np.datetime64(o.onset_high or o.start) - FIRST).astype(int)),
        )
        for o in estimate(panel).outages
        if o.kind == "changed" and o.confidence >= 0.5
    }


def the_first_is_told_and_allowed_for(panel: Panel, from_day: int, rel: float) -> None:
    """That the first sensor alone is told to have changed on day 60, and the index of all mail stays."""
    found = told(panel)
    assert set(found) == {"s0"}
    assert found["s0"][0] <= 60 <= found["s0"][1]
    index = measure(panel).series[0].index
    assert np.nanmean(index[from_day:]) == pytest.approx(np.nanmean(index[:60]), rel=rel)


@pytest.mark.parametrize("days", [2, 3, 5, 7, 11])
def test_a_filter_at_one_sensor_is_dated_at_every_look(panel_of: Make, days: int) -> None:
    """At 40 % of a day; the others stay, and so does the index."""
    for seed in range(3):
        seen = np.ones((SENSORS, 60 + days))
        seen[0, 60] = 0.4
        seen[0, 61:] = 0.06
        panel = panel_of(drawn(seed, seen), np.full(seen.shape, 4))
        the_first_is_told_and_allowed_for(panel, from_day=61, rel=0.25)


@pytest.mark.parametrize("days", [4, 7])
def test_a_sensor_that_doubles_is_told_within_the_week(panel_of: Make, days: int) -> None:
    """Where one that one botnet floods is not."""
    for seed in range(3):
        seen = np.ones((SENSORS, 60 + days))
        seen[0, 60:] = 2.0
        panel = panel_of(drawn(seed, seen), np.full(seen.shape, 4))
        the_first_is_told_and_allowed_for(panel, from_day=60, rel=0.2)
        counts = drawn(seed, np.ones(seen.shape))
        counts[0, 0, 60:] *= 4
        assert "s0" not in told(panel_of(counts, np.full(seen.shape, 4)))


@pytest.mark.parametrize("left", [0.5, 2.0])
def test_a_sensor_that_halves_or_doubles_is_mostly_told_by_the_third_day(panel_of: Make, left: float) -> None:
    """A hundred and sixty messages a day; four months of them say how even its days are."""
    found = []
    for seed in range(6):
        seen = 4.0 * np.exp(np.random.default_rng(seed).normal(0, 0.12, (SENSORS, 133)))
        seen[0, 130:] *= left
        found.append(told(panel_of(drawn(seed, seen), np.full(seen.shape, 4))))
        assert {*found[-1]} <= {"s0"}
    assert sum(map(bool, found)) >= 5
    assert all(low <= 130 <= high for one in found for low, high in one.values())


def test_a_sensor_that_shrinks_is_told_where_no_botnet_has_a_name_yet(panel_of: Make) -> None:
    """All mail is of one row: what is left without it says nothing."""
    for seed in range(3):
        seen = np.ones((SENSORS, 64))
        seen[0, 60:] = 0.2
        mail = drawn(seed, seen).sum(axis=0, keepdims=True)
        assert set(told(panel_of(mail, np.full(seen.shape, 4)))) == {"s0"}


def test_a_flood_at_a_large_sensor_shrinks_no_other(panel_of: Make) -> None:
    """Two fifths of its mail come eightfold for days: what the others' botnets do is not told by it."""
    for seed in range(5):
        seen = np.ones((SENSORS, 104))
        seen[0] *= 4
        counts = drawn(seed, seen)
        counts[0, 0, 100:] *= 8
        for stop in (102, 104):
            assert not {*told(panel_of(counts[:, :, :stop], np.full((SENSORS, stop), 4)))} - {"s0"}


@pytest.mark.parametrize("days", [2, 4, 7])
@pytest.mark.parametrize("relays", [True, False], ids=["relays move", "other mail goes on"])
def test_a_filter_in_front_of_all_sensors(panel_of: Make, days: int, relays: bool) -> None:  # noqa: FBT001 - a case of the table above
    for seed in range(3):
        seen = np.ones((SENSORS, 60 + days))
        seen[:, 60] = 0.4
        seen[:, 61:] = 0.04
        names = tuple(
            tuple("edge" if relays and day > 60 else f"mx{s}" for day in range(60 + days))
            for s in range(SENSORS)
        )
        panel = panel_of(drawn(seed, seen), np.full(seen.shape, 0 if relays else 4), names)
        found = told(panel)
        assert len(found) == SENSORS
        assert all(low <= 60 <= high for low, high in found.values())
        assert np.isnan(measure(panel).series[0].index[61:]).all()


def test_botnets_that_stop_are_no_change_of_sensors(panel_of: Make) -> None:
    """The largest two of four stop; relays stay, other mail goes on."""
    for seed in range(3):
        counts = drawn(seed, np.ones((SENSORS, 63)))
        counts[:2, :, 60:] = 0
        assert told(panel_of(counts, np.full((SENSORS, 63), 4))) == {}


def test_a_box_that_was_read_last_is_no_outage_of_the_others(panel_of: Make) -> None:
    """A stray message of a sensor that has no other, a day after all other boxes were read."""
    counts = drawn(1, np.ones((SENSORS, DAYS)))
    counts[:, :, -1] = counts[:, 5] = 0
    counts[0, 5, -1] = 1
    panel = panel_of(counts)
    assert [o for o in estimate(panel).outages if o.kind != "absent"] == []
    assert np.isnan(measure(panel).series[0].index[-1])


def test_a_sensor_that_died_yesterday_is_told_where_the_others_go_on(panel_of: Make) -> None:
    counts = drawn(1, np.ones((SENSORS, DAYS)))
    counts[:, 1, -1] = 0
    (outage,) = estimate(panel_of(counts)).outages
    assert (outage.sensor, outage.kind) == ("s1", "down")
