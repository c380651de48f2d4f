"""Whether mail that lost its name is the mail that `unknown` won."""

from dataclasses import replace

import numpy as np
import pytest
from change_observatory import FALL, START, date

from spamtide.change.causes.handover import Handover, handover
from spamtide.change.causes.silence import find_cause
from spamtide.model import Exposure, Panel

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


@pytest.mark.parametrize("nameless", ["unknown", "acorn-pills"])
def test_what_nobody_without_a_name_ever_advertised_was_not_taken_over(nameless: str) -> None:
    """Uneven days of a small botnet that falls: `unknown` stays, whether of its programme or not."""
    dice = np.random.default_rng(4)
    level = np.where(np.arange(DAYS) < AT, 12.0, 7.0) * dice.gamma(2.0, 0.5, DAYS)
    mine, other = dice.poisson(level / 3, (3, DAYS)), dice.poisson(3.0, (3, DAYS))
    panel = Panel(
        days=START + np.arange(DAYS),
        sensors=("s0", "s1", "s2"),
        subjects=(("total", "total"), ("botnet", "b0"), ("botnet", "unknown")),
        counts=np.stack([mine + other, mine, other]),
        ham=np.zeros((3, DAYS), dtype=np.int64),
        relays=tuple(("",) * DAYS for _ in range(3)),
        pairs={("b0", "acorn-pills"): mine.sum(axis=0), ("unknown", nameless): other.sum(axis=0)},
    )
    fall = replace(
        FALL,
        onset=date(AT),
        onset_low=date(AT),
        onset_high=date(AT),
        end=date(AT),
        end_low=date(AT),
        end_high=date(AT),
        before=12.0,
        after=7.0,
        until=date(DAYS),
    )
    exposure = Exposure(np.ones((3, DAYS)), ())
    assert find_cause(panel, exposure, ("botnet", "b0"), fall, USUAL, USUAL, 0.65) == "stopped"
