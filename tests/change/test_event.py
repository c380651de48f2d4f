"""Events in simulated series: found, dated, covered, and absent where nothing happens."""

import datetime as dt

import numpy as np
import pytest
from change_series import START, Scenario, find_events, measure

from spamtide.change.moves.segment import Track, prepare
from spamtide.change.moves.weigh import tail


def test_the_bar_lies_nearer_where_days_are_even() -> None:
    """By the scatter of days, between the ratio and its root."""

    def bar(level: float, size: float) -> float:
        ones = np.ones(100)
        return Track(START.astype(dt.date), 1, level * ones, ones, ones, size).bar(0.64)

    assert bar(5, 5) == bar(40, 8) == 0.64
    assert 0.65 < bar(40, 100) < 0.79
    assert bar(1000, 100) == pytest.approx(0.8)


def test_a_third_less_of_all_mail_is_an_event() -> None:
    """For days that differ by a tenth; the same fall among days that differ by half is none."""
    rng = np.random.default_rng(4)
    level = np.where(np.arange(110) < 58, 200.0, 140.0)
    for size, kinds in ((100.0, ["fall"]), (4.0, [])):
        count = rng.poisson(level * rng.gamma(size, 1 / size, 110))
        found = find_events(
            prepare(START + np.arange(110, dtype="m8[D]"), count, np.ones(110)), 0.65, whole=True
        )
        assert [event.kind for event in found if event.p_value < 0.01] == kinds


@pytest.mark.parametrize(
    ("scenario", "ratio", "found", "error", "cover"),
    [
        (Scenario(), 0.5, 1.0, 1.1, 0.93),
        (Scenario(drift=0.02), 0.5, 0.95, 0.9, 0.9),
        (Scenario(happens="rise"), 0.5, 1.0, 0.4, 0.93),
        (Scenario(levels=(5,), sizes=(5,)), 0.5, 0.95, 1.6, 0.87),
        (Scenario(outage=True), 0.5, 0.95, 1.4, 0.9),
        (Scenario(residuals=(0.5,)), 0.8, 0.9, 2.2, 0.85),
    ],
    ids=["fall", "drifting", "rise", "five a day", "outage at onset", "half"],
)
def test_moves_are_found_and_dated(
    scenario: Scenario, ratio: float, found: float, error: float, cover: float
) -> None:
    """Detection, onset error and coverage on 16 series; the full tables need hundreds."""
    score = measure(scenario, 16, seed=11, ratio=ratio)
    assert score.found >= found
    assert score.onset_error <= error
    assert score.onset_cover >= cover


@pytest.mark.parametrize("drift", [0.0, 0.02], ids=["steady", "drifting"])
def test_next_to_nothing_is_found_where_nothing_happens(drift: float) -> None:
    """Fewer than .05 false events a series-year, on 44 of them."""
    score = measure(Scenario(happens="nothing", drift=drift), 40, seed=12)
    assert score.others_a_year < 0.05


def series(*pieces: tuple[int, float]) -> Track:
    """A Poisson series of (days, level) pieces."""
    rng = np.random.default_rng(7)
    level = np.concatenate([np.full(days, float(value)) for days, value in pieces])
    return prepare(START + np.arange(len(level), dtype="m8[D]"), rng.poisson(level), np.ones(len(level)))


def test_a_burst_is_a_surge_and_leaves_no_rise_or_fall() -> None:
    (event,) = find_events(series((60, 50), (3, 300), (60, 50)), 0.5)
    assert (event.kind, event.onset, event.end) == (
        "surge",
        (START + np.timedelta64(60, "D")).astype(dt.date),
        (START + 63).astype(dt.date),
    )
    assert event.ratio == pytest.approx(6, rel=0.1)


@pytest.mark.parametrize("hole", [(1, 0), (2, 0), (2, 20)], ids=["a day", "two days", "two days at 40 %"])
def test_a_short_silence_is_passed_over(hole: tuple[int, float]) -> None:
    assert find_events(series((60, 50), hole, (60, 50)), 0.5) == ()


@pytest.mark.parametrize("left", [0, 20], ids=["silent", "at 40 %"])
def test_a_week_away_is_a_fall_and_a_rise(left: int) -> None:
    fall, rise = find_events(series((60, 50), (7, left), (60, 50)), 0.5)
    assert (fall.kind, rise.kind) == ("fall", "rise")
    assert (fall.end, rise.onset) == (
        (START + np.timedelta64(60, "D")).astype(dt.date),
        (START + 67).astype(dt.date),
    )


def test_a_day_at_twice_an_even_level_is_a_surge_and_one_of_an_uneven_level_is_none() -> None:
    dice = np.random.default_rng(3)
    for size, kinds in ((200.0, ["surge"]), (5.0, [])):
        count = dice.negative_binomial(size, size / (size + 80), 112)
        count[70] = 170
        days = START + np.arange(112, dtype="m8[D]")
        found = find_events(prepare(days, count, np.ones(112)), 0.65)
        assert [event.kind for event in found] == kinds


def test_what_grows_over_ten_weeks_is_one_rise_with_the_end_of_the_growth() -> None:
    held = 0
    for seed in range(10):
        dice = np.random.default_rng(seed)
        level = 40 * np.clip((np.arange(200) - 49) / 70, 0, 1)
        count = dice.negative_binomial(15, 15 / (15 + np.maximum(level, 1e-9)))
        found = find_events(prepare(START + np.arange(200, dtype="m8[D]"), count, np.ones(200)), 0.65)
        (rise,) = [event for event in found if event.kind == "rise"]
        assert rise.end is not None
        assert rise.end_low is not None
        assert rise.end_high is not None
        assert rise.end > rise.onset + dt.timedelta(days=45)
        held += rise.end_low <= (START + 119).astype(dt.date) <= rise.end_high
    assert held >= 7


def test_a_fall_is_over_on_the_first_day_under_a_twentieth_though_less_is_left_later() -> None:
    count = np.array([*([85] * 60), 25, 3, *([0] * 30)])
    (fall,) = find_events(
        prepare(START + np.arange(len(count), dtype="m8[D]"), count, np.ones(len(count))), 0.5
    )
    assert fall.end_low is not None
    assert fall.end_low <= (START + 61).astype(dt.date)


def test_a_fall_on_the_last_day_is_not_believed_yet() -> None:
    """The last day of a series may be a part of a day."""
    assert find_events(series((60, 50), (1, 0)), 0.5) == ()


def test_a_fall_that_reaches_the_end_of_the_series_has_no_end_yet() -> None:
    event, flagged = find_events(series((60, 50), (2, 0)), 0.5)
    assert event.kind == flagged.kind == "fall"
    assert flagged.alarmed
    assert event.end is None or event.end <= (START + 61).astype(dt.date)


def test_a_thin_series_has_weeks_for_dates() -> None:
    """Eight messages a month that stop: the interval holds the day and is weeks wide, not days."""
    rng = np.random.default_rng(8)
    level = np.where(np.arange(400) < 283, 0.4, 0.0)
    (event,) = find_events(
        prepare(START + np.arange(400, dtype="m8[D]"), rng.poisson(level), np.ones(400)), 0.5
    )
    assert event.step == 7
    assert event.onset_low <= (START + 283).astype(dt.date) <= event.onset_high
    assert (event.onset_high - event.onset_low).days >= 6


def test_two_falls_in_two_weeks_are_dated_by_their_outer_edges() -> None:
    """A staircase longer than a ramp: onset by its first step, end by its last."""
    (event,) = find_events(series((80, 300), (6, 150), (6, 60), (60, 12)), 0.5)
    assert abs((event.onset - (START + 80).astype(dt.date)).days) <= 1
    assert abs((event.end - (START + 92).astype(dt.date)).days) <= 1


def test_tail_counts_the_places_and_never_exceeds_one() -> None:
    assert tail(0.0, 1, 100, 100) == 1.0
    assert tail(30.0, 1, 100, 100) == pytest.approx(100 * tail(30.0, 1, 100, 1))
    assert tail(30.0, 1, 40, 40) > tail(30.0, 1, 400, 40)
