"""The online alarm: soon, and not on holidays, part days or wild days."""

import numpy as np
import pytest
from scipy.signal import lfilter

from spamtide.change.causes.shared_days import as_shared, common_days
from spamtide.change.moves.alarm import Alarm, correlation, lower_tail, raise_alarm, worst_tail
from spamtide.change.moves.cut import cut_track
from spamtide.change.moves.segment import Track, prepare
from spamtide.change.moves.wander import levels_of, wander

START = np.datetime64("2024-01-01")


def track(level: np.ndarray, seed: int = 1, size: float = 10.0) -> Track:
    rng = np.random.default_rng(seed)
    count = rng.poisson(level * rng.gamma(size, 1 / size, len(level)))
    return prepare(START + np.arange(len(level)), count, np.ones(len(level)))


def alarm_of(one: Track, *, whole: bool = True) -> Alarm | None:
    """The alarm at the end of a series of which nothing else is known."""
    cut = cut_track(one, 0.65)
    levels = levels_of(cut.track, cut.segments)
    (wandering,) = wander([levels], []).series
    return raise_alarm(cut.track, levels, wandering, 0.65, whole=whole)


def falling(days: int, left: float) -> np.ndarray:
    return np.where(np.arange(100 + days) < 100, 80.0, 80.0 * left)


def test_a_stop_is_flagged_on_its_first_day_and_half_a_fall_within_the_week() -> None:
    assert all(alarm_of(track(falling(1, 0.0), s)) for s in range(10))
    week = [alarm_of(track(falling(7, 0.5), s)) for s in range(10)]
    assert sum(alarm is not None and alarm.direction == "fall" for alarm in week) >= 8


def of_workdays(days: int, left: float, works: tuple[int, ...] = (0, 1, 2, 3, 4)) -> np.ndarray:
    """A botnet that sends on some days of the week only, and falls on a Tuesday."""
    on = np.isin(np.arange(99 + days) % 7, works)
    return np.where(on, np.where(np.arange(99 + days) < 99, 80.0, 80.0 * left), 0.0)


@pytest.mark.parametrize("works", [(0, 1, 2, 3, 4), (1, 4)])
def test_who_has_days_off_is_flagged_on_the_first_day_and_for_what_workdays_bring(
    works: tuple[int, ...],
) -> None:
    first = [alarm_of(track(of_workdays(1, 0.0, works), s)) for s in range(10)]
    assert sum(alarm is not None and alarm.direction == "fall" for alarm in first) >= 9
    # To the Sunday after it: a weekend without mail neither raises an alarm nor ends one.
    later = [alarm_of(track(of_workdays(6, 0.1, works), s)) for s in range(10)]
    assert sum(alarm is not None for alarm in later) >= 9
    assert sum(alarm_of(track(of_workdays(6, 1.0, works), s)) is not None for s in range(10)) == 0


def test_a_holiday_is_known_as_of_a_sunday_that_most_botnets_have_off() -> None:
    level = of_workdays(6, 1.0)
    level[88] *= 0.4
    days = common_days({s: track(level, s) for s in range(8)}, list(range(8)))
    assert days is not None
    assert np.flatnonzero(days < 1).tolist() == [88]


def test_of_a_part_of_a_day_off_the_day_before_it_is_a_whole_one() -> None:
    level = of_workdays(5, 0.0)
    assert alarm_of(track(level), whole=False) is not None


def test_a_single_day_is_not_believed_where_nobody_can_tell_a_part_of_a_day() -> None:
    assert alarm_of(track(falling(1, 0.0)), whole=False) is None


def test_what_all_botnets_lose_on_one_day_is_the_days() -> None:
    """The last day is a twentieth of a day, the one before a holiday: no botnet fell."""
    level = np.full(100, 60.0)
    level[-2:] *= (0.5, 0.05)
    tracks = {s: track(level, s) for s in range(12)}
    days = common_days(tracks, list(tracks))
    assert days is not None
    assert days[-1] < 0.3
    assert days[-2] < 0.8
    assert np.median(days[:-2]) == 1.0
    raised = [alarm_of(as_shared(one, days)) is not None for one in tracks.values()]
    without = [alarm_of(one) is not None for one in tracks.values()]
    assert sum(raised) == 0
    assert sum(without) >= 10
    assert common_days(tracks, [0, 1, 2]) is None


def test_what_all_botnets_lose_for_good_is_no_holiday() -> None:
    tracks = {s: track(falling(8, 0.3), s) for s in range(6)}
    days = common_days(tracks, list(tracks))
    assert days is not None
    assert (days[-8:] == 1).all()


def test_who_fell_for_good_says_nothing_of_the_days_after() -> None:
    """Three of six fall and one halves; the two that go on have neither a holiday nor a flood."""
    tracks = {s: track(falling(9, left), s) for s, left in enumerate((0.0, 0.0, 0.03, 0.5))}
    tracks |= {s: track(np.full(109, 12.0), s) for s in (4, 5)}
    days = common_days(tracks, list(tracks))
    assert days is not None
    assert (days[-9:] == 1).all()


def test_one_wild_day_is_no_rise() -> None:
    level = np.full(100, 60.0)
    level[-2] *= 8
    assert alarm_of(track(level)) is None


def test_lower_tail_is_the_negative_binomials() -> None:
    from scipy.stats import nbinom

    assert lower_tail(7, 20.0, 5.0) == pytest.approx(nbinom.cdf(7, 5, 5 / 25), rel=1e-9)
    assert lower_tail(-1, 20.0, 5.0) == 0.0


def test_the_tail_of_wild_days_is_wider_than_that_of_tame_ones() -> None:
    rng = np.random.default_rng(2)
    tame, wild = rng.normal(0, 0.2, 300), 0.2 * rng.standard_t(3, 300)
    assert worst_tail(wild, 1.5) > 10 * worst_tail(tame, 1.5)
    assert worst_tail(wild[:10], 1.5) == 0.0


def test_days_that_are_like_the_day_before_are_known() -> None:
    """Neither days that are unlike nor waves of weeks pass for it."""
    rng = np.random.default_rng(6)

    def waves(phi: float) -> np.ndarray:
        return lfilter([1.0], [1.0, -phi], rng.normal(0, 0.3 * np.sqrt(1 - phi**2), 200))

    unlike = np.mean([correlation(rng.normal(0, 0.3, 200)) for _ in range(40)])
    alike = np.mean([correlation(waves(0.5)) for _ in range(40)])
    slow = np.mean([correlation(0.5 * waves(0.95) + rng.normal(0, 0.3, 200)) for _ in range(40)])
    assert unlike < 0.05
    assert 0.3 < alike < 0.55
    assert slow < 0.1
    assert correlation(np.full(200, 1.0)) == correlation(np.full(200, np.nan)) == 0.0
