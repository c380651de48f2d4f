"""Pauses that are a habit are no events; silences that are longer than them are."""

import numpy as np
import pytest

from spamtide.change.moves.event import Event
from spamtide.change.moves.find import find_all
from spamtide.change.moves.pause import pauses
from spamtide.change.moves.segment import Track, prepare

START = np.datetime64("2024-01-01")
DAYS = 240


def bursts(seed: int, shortest: int = 7, longest: int = 13, days: int = DAYS) -> np.ndarray:
    """The level of who sends for two to four days and then not at all for some."""
    rng = np.random.default_rng(seed)
    level = np.zeros(days)
    day = int(rng.integers(0, 5))
    while day < days:
        on = int(rng.integers(2, 5))
        level[day : day + on] = 100 * rng.gamma(4, 1 / 4, len(level[day : day + on]))
        day += on + int(rng.integers(shortest, longest + 1))
    return level


def ready(level: np.ndarray, seed: int = 1) -> Track:
    count = np.random.default_rng(seed).poisson(level)
    return prepare(START + np.arange(len(level)), count, np.ones(len(level)))


def events(level: np.ndarray) -> list[Event]:
    (found,) = find_all([ready(level)], 0.65, whole=True)
    return [event for event in found if event.alarmed is not None or event.p_value < 0.02]


@pytest.mark.parametrize(("shortest", "longest"), [(7, 13), (3, 9), (12, 12)])
def test_bursts_over_and_over_are_no_events(shortest: int, longest: int) -> None:
    for seed in range(4):
        level = bursts(seed, shortest, longest)
        assert ready(level).pausing
        assert not events(level)


def test_pauses_are_missing_and_days_of_bursts_are_not() -> None:
    level = bursts(5)
    one = ready(level)
    assert not one.observed[level == 0].any()
    assert one.observed[level > 20].all()


def test_a_silence_longer_than_its_pauses_is_dated_from_its_last_burst() -> None:
    for seed in range(4):
        level = bursts(seed)
        stop = int(np.flatnonzero(level[:160] > 20)[-1]) + 1
        level[stop:] = 0
        (fall,) = events(level)
        assert fall.kind == "fall"
        assert abs((fall.onset - START.astype(object)).days - stop) <= 2
        assert (fall.onset_high - fall.onset_low).days <= 21


def test_a_long_silence_among_pauses_is_a_fall_and_a_return() -> None:
    level = bursts(2)
    stop = int(np.flatnonzero(level[:110] > 20)[-1]) + 1
    level[stop : stop + 45] = 0
    assert [event.kind for event in events(level)] == ["fall", "rise"]


def test_a_silence_within_its_pauses_is_none_yet_and_one_beyond_them_is() -> None:
    level = bursts(3)
    stop = int(np.flatnonzero(level[:160] > 20)[-1]) + 1
    level[stop:] = 0
    assert not events(level[: stop + 12])
    assert events(level[: stop + 40])


def test_bursts_that_shrink_to_a_third_fell_and_did_not_fall_silent() -> None:
    level = bursts(4)
    level[120:] /= 3
    assert {event.kind for event in events(level)} <= {"fall"}
    assert not any(event.after < 0.05 * event.before for event in events(level))


def test_who_stops_now_and_then_has_no_habit_of_it() -> None:
    level = np.full(DAYS, 100.0)
    for first in (30, 80, 130, 180):
        level[first : first + 10] = 0
    one = ready(level)
    assert not one.pausing
    assert one.observed.all()


@pytest.mark.parametrize("mean", [0.0, 1.5, 4.0, 60.0])
def test_uneven_days_are_no_pauses(mean: float) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        assert pauses(rng.poisson(mean * rng.gamma(2, 1 / 2, DAYS)).astype(float)) is None


def test_days_on_which_nobody_watched_are_no_pauses() -> None:
    rate = np.full(DAYS, 100.0)
    for first in range(5, DAYS - 10, 12):
        rate[first : first + 8] = np.nan
    assert pauses(rate) is None


def test_strays_after_a_stop_are_no_bursts() -> None:
    level = bursts(6)
    stop = int(np.flatnonzero(level[:160] > 20)[-1]) + 1
    level[stop:] = 0
    count = np.random.default_rng(1).poisson(level)
    count[stop + 4 :: 9] = 2
    one = prepare(START + np.arange(DAYS), count, np.ones(DAYS))
    assert one.pausing
    assert one.observed[stop:].all()


@pytest.mark.parametrize("before", [100.0, 10000.0])
def test_what_is_left_of_a_fall_is_no_bursts(before: float) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        level = np.where(np.arange(DAYS) < 60, before, before / 100) * rng.gamma(3, 1 / 3, DAYS)
        assert not ready(level, seed).pausing


def test_a_habit_that_was_given_up_excuses_no_silence() -> None:
    """Bursts for 200 days, then mail on each of 100: a stop is told as anybody's."""
    for seed in range(4):
        steady = 100 * np.random.default_rng(seed).gamma(10, 1 / 10, 100)
        level = np.concatenate((bursts(seed, days=200), steady, np.zeros(12)))
        assert ready(level).observed[-12:].all()
        assert any(e.kind == "fall" and (e.onset - START.astype(object)).days > 290 for e in events(level))


def test_who_sends_every_day_between_its_floods_does_not_pause() -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        level = 100 * rng.gamma(10, 1 / 10, 300)
        level[np.cumsum(rng.integers(8, 20, 14))] += 4000
        assert not ready(level, seed).pausing


def test_days_on_which_nobody_watched_make_no_stops_a_habit() -> None:
    rate = np.full(300, 100.0)
    for first in (20, 60, 180, 210, 240, 270):
        rate[first : first + 3] = 0
    rate[75:160], rate[160] = np.nan, 0
    assert pauses(rate) is None
