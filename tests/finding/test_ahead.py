"""Effects, outlook and forecast, by themselves: they mean what they say, and say nothing of thin data."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from effect_world import made

from spamtide.finding.estimate.effects import Scene, effects
from spamtide.finding.estimate.forecast import forecast_test, forecasts
from spamtide.finding.estimate.levels import Days, Expected, Level
from spamtide.finding.estimate.outlook import Dormancy, back_test, dormancies, fit, outlook
from spamtide.finding.events import load_events

DAYS = np.arange(200) + np.datetime64("2010-03-01")


def shipped(until: dt.date) -> tuple[Dormancy, ...]:
    return dormancies(load_events([Path(str(files("spamtide.knowledge") / "events.csv"))]), until)


# ---------------------------------------------------------------------------- effects


def test_what_a_count_was_to_be_has_the_spread_of_its_mean() -> None:
    """A 95 % interval from a count holds the mean that it came from, after low counts as well."""
    rng = np.random.default_rng(3)
    mean, alpha = 30.0, 0.1
    held = []
    for count in rng.negative_binomial(1 / alpha, 1 / (1 + alpha * mean), 400):
        drawn = Expected(mean, 0.1, alpha, 1.0, 1.0).meant(float(count), rng, 2000)
        low, high = np.quantile(drawn, (0.025, 0.975))
        held.append(low <= mean <= high)
    assert np.mean(held) >= 0.93


@pytest.mark.slow
def test_effects_cover_the_truth_and_placebos_find_nothing() -> None:
    """A small form of measure_effects.py, which gives the figures of the page."""
    rng = np.random.default_rng(16)
    hits, false = [], []
    for _ in range(40):
        world = made(rng)
        hits += [
            getattr(one, name).low <= getattr(world, name)[one.days] <= getattr(one, name).high
            for one in effects(world.scene, (7, 28))
            for name in ("own", "lost", "others", "net")
        ]
        false += [one.net.sure for one in effects(made(rng, effect=False).scene, (7, 28))]
    assert np.mean(hits) >= 0.9
    assert np.mean(false) <= 0.1


def test_only_horizons_that_are_over_are_told() -> None:
    world = made(np.random.default_rng(3), after=20)
    assert [one.days for one in effects(world.scene)] == [1, 7]


def test_the_three_numbers_add_up() -> None:
    (one,) = effects(made(np.random.default_rng(4)).scene, (28,))
    assert one.lost.value + one.others.value == pytest.approx(one.net.value)
    assert one.own.low <= one.own.value <= one.own.high


@pytest.mark.parametrize("clean", [0, 5, 20])
def test_with_little_past_no_effect_is_told(clean: int) -> None:
    world = made(np.random.default_rng(5))
    assert effects(replace(world.scene, clean=clean, action=clean)) == ()


def test_empty_and_dark_days_break_nothing() -> None:
    nothing = np.zeros(60, dtype=np.int64)
    dark = Scene(nothing, nothing, np.zeros(60), np.arange(60) % 7.0, 40, 40)
    assert effects(dark) == ()
    assert effects(replace(dark, offset=np.ones(60))) == ()


# ---------------------------------------------------------------------------- outlook


def test_nothing_after_the_day_is_known() -> None:
    """In October 2010 the record holds nine silences, and Rustock's later ones are not among them."""
    record = shipped(dt.date(2010, 10, 14))
    assert len(record) == 9
    assert all(d.start < dt.date(2010, 10, 14) for d in record)
    assert [d.botnet for d in record if d.end is None] == ["Storm", "Waledac"]


def test_the_longer_a_silence_the_less_likely_its_end() -> None:
    record = shipped(dt.date(2026, 11, 1))
    chances = [fit(record, struck=False).chance(lasted, 90)[0] for lasted in (0, 30, 90, 365)]
    assert chances == sorted(chances, reverse=True)
    assert 0.6 < chances[0] < 0.9
    assert chances[-1] < 0.25


def test_kinds_of_end_differ_as_the_record_says() -> None:
    """Of those with an action against them three of ten never came back; of pauses all but one did."""
    record = shipped(dt.date(2026, 11, 1))
    struck, pause = (fit(record, struck=kind).chance(7, 365)[0] for kind in (True, False))
    assert struck < pause


def test_a_short_record_says_nothing_and_an_interval_is_wide() -> None:
    assert outlook(shipped(dt.date(2008, 11, 30)), 10, struck=True) is None
    told = outlook(shipped(dt.date(2010, 10, 14)), 21, struck=False)
    assert told is not None
    assert told.chance.high is not None
    assert told.chance.low is not None
    assert told.chance.high - told.chance.low > 40


def test_the_back_test_of_the_shipped_record() -> None:
    """As docs/path/finding.md gives it; it changes when the record does."""
    test = back_test(shipped(dt.date(2026, 11, 1)))
    assert (test.forecasts, test.intervals, test.held) == (62, 22, 20)
    assert test.brier == pytest.approx(0.254, abs=0.002)
    assert test.base_brier == pytest.approx(0.260, abs=0.002)


def test_silences_that_end_at_once_and_never_are_in_the_grid() -> None:
    day = dt.date(2010, 1, 1)
    record = [Dormancy("a", day, day + dt.timedelta(days=1)), Dormancy("b", day, None, seen=5000.0)] * 4
    early, late = fit(record, struck=False).by(0.1, 0.9)
    assert early < 10
    assert late == math.inf


# ---------------------------------------------------------------------------- forecast


def test_forecast_intervals_hold_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(9)
    held = made_ = 0
    for _ in range(12):
        counts = rng.negative_binomial(40, 40 / (40 + np.full(200, 80.0)))
        test = forecast_test(counts, np.full(200, 80.0), DAYS, (), most=4)
        held, made_ = held + test.held, made_ + test.intervals
    assert made_ == 48
    assert 0.6 <= held / made_ <= 0.95


def test_a_forecast_starts_at_the_last_change() -> None:
    """After a fall to a third the forecast is near the new level, not between the two."""
    rng = np.random.default_rng(2)
    counts = rng.poisson(np.where(np.arange(200) < 170, 90, 30))
    told = forecasts(counts, np.full(200, 90.0), DAYS, 170)
    assert told is not None
    assert told.first == 170
    assert 28 < told.week.value < 40
    assert forecasts(counts, np.full(200, 90.0), DAYS, 195) is None


def test_a_level_follows_its_days_and_knows_less_further_on() -> None:
    days = Days(np.full(60, 50.0), np.full(60, 100.0), np.arange(60) % 7)
    level = Level(days)
    near, far = (level.expect(days.part(0, 7), gap) for gap in (0, 60))
    assert near.mean == pytest.approx(350, rel=0.05)
    assert far.error > near.error
