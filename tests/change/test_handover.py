"""Whether mail that lost its name is the mail that `unknown` won."""

import numpy as np

from spamtide.change.causes.handover import Handover, handover

DAYS, AT, SENSORS = 60, 50, 6
USUAL = np.ones(DAYS)
SIDES = np.arange(DAYS) < AT, np.arange(DAYS) >= AT
UP = np.ones((SENSORS, DAYS), dtype=bool)
MINE = np.array([30.0, 20.0, 10.0, 5.0, 2.0, 1.0])
NAMELESS = MINE[::-1] / 4


def drawn(rates: np.ndarray, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).poisson(rates)


def test_mail_that_lost_its_name_comes_where_it_came() -> None:
    for seed in range(8):
        mine = np.where(SIDES[0], MINE[:, None], 0.0)
        nameless = NAMELESS[:, None] + np.where(SIDES[1], MINE[:, None], 0.0)
        found = handover(drawn(mine, seed), drawn(nameless, seed + 50), UP, SIDES, USUAL)
        assert found.sensors > 2
        assert found.explains(0.0)
        assert found.explains(0.6)


def test_unknown_that_rises_where_it_always_came_took_nothing_over() -> None:
    for seed in range(8):
        mine = np.where(SIDES[0], MINE[:, None], 0.0)
        nameless = NAMELESS[:, None] * np.where(SIDES[1], 5.0, 1.0)
        found = handover(drawn(mine, seed), drawn(nameless, seed + 50), UP, SIDES, USUAL)
        assert found.explains(0.0) is False


def test_a_rise_by_and_by_is_no_lost_name() -> None:
    mine = np.where(SIDES[0], MINE[:, None], 0.0)
    grown = np.interp(np.arange(DAYS), [20, DAYS], [0.0, 1.0])
    found = handover(drawn(mine, 1), drawn(NAMELESS[:, None] + MINE[:, None] * grown, 2), UP, SIDES, USUAL)
    assert not found.at_once


def test_a_shallow_fall_needs_the_sensors() -> None:
    assert Handover(0.0, at_once=True).explains(0.6) is None
    assert Handover(0.0, at_once=True).explains(0.2) is True
    assert Handover(3.0, at_once=True).explains(0.6) is True
    assert Handover(3.0, at_once=False).explains(0.2) is False


def test_one_sensor_tells_nothing_of_where() -> None:
    mine = np.where(SIDES[0], 20.0, 0.0)[None]
    found = handover(drawn(mine, 1), drawn(25.0 - mine, 2), UP[:1], SIDES, USUAL)
    assert found.sensors == 0.0
