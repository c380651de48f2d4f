"""The hourly alarm: a stop within hours, a name that was lost as such, and nothing on a poor morning."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from spamtide.change import watch_hours
from spamtide.model import IndexSeries

DAY = 24


def hourly(names: list[str], change: dict[str, float], hours: int = 6, seed: int = 1) -> list[IndexSeries]:
    """Four weeks of 20 an hour with waves; in the last hours some series have a multiple of it."""
    rng = np.random.default_rng(seed)
    t = np.arange(28 * DAY + hours)
    wave = np.exp(0.5 * np.cos(2 * np.pi * (t % DAY - 14) / DAY))
    series = []
    for name in names:
        mean = 20 * wave * rng.gamma(15, 1 / 15, max(30, len(t) // DAY + 1))[t // DAY]
        mean[-hours:] *= change.get(name, 1.0)
        count = rng.poisson(mean)
        series.append(
            IndexSeries(
                "botnet",
                name,
                np.datetime64("2024-01-01T00") + t,
                count,
                mean,
                mean,
                mean,
                "",
                np.ones(len(t)),
                0.1,
                0.0,
            )
        )
    return series


def test_a_stop_is_flagged_within_six_hours() -> None:
    found = [watch_hours(hourly(["a", "b", "c"], {"a": 0.0}, seed=s), ()) for s in range(10)]
    assert sum([(c.kind, c.subject, c.end) for c in told] == [("cease", "a", None)] for told in found) >= 9


def lumpy(item: IndexSeries, seed: int) -> IndexSeries:
    """A botnet whose hours are like the hour before: a standard deviation of .6 on the log scale."""
    rng = np.random.default_rng([2, seed])
    steps, value = rng.normal(0, 0.6 * 0.6, len(item.days)), 0.0
    level = np.array([value := 0.8 * value + step for step in steps])
    return replace(item, count=rng.poisson(item.index * np.exp(level - 0.18)))


def test_who_sends_in_lumps_is_known_by_what_the_hours_right_before_brought() -> None:
    """By the size of its lumps alone, half a day without any mail would be weather."""
    stops, goes_on = ([hourly(["a", "b", "c"], {"a": part}, 8, s) for s in range(20)] for part in (0, 1))
    told = [[watch_hours([lumpy(a, s), b, c], ()) for s, (a, b, c) in enumerate(x)] for x in (stops, goes_on)]
    assert sum(bool(found) for found in told[0]) >= 12
    assert not any(told[1])


def test_a_pause_that_a_botnet_makes_every_week_is_no_stop() -> None:
    """Six silent hours are news the first and the second time; then they are how it sends."""
    for before, flagged in (((), True), ((9,), True), ((9, 16), False)):
        series = hourly(["a", "b", "c"], {"a": 0.0})
        for day in before:
            series[0].count[day * DAY + 12 :][:7] = 0
        assert [c.subject for c in watch_hours(series, ())] == ["a"] * flagged


def test_hours_that_were_poor_for_all_are_no_habit_of_one() -> None:
    """A relay that was down twice, or spam folders that were read late, excuse no stop."""
    series = hourly(["a", "b", "c"], {"a": 0.0})
    for item in series:
        for day in (9, 16):
            item.count[day * DAY + 12 :][:7] = 0
    assert [c.subject for c in watch_hours(series, ())] == ["a"]


def test_a_day_that_is_poor_for_all_and_what_is_told_already_are_not_flagged() -> None:
    everyone = hourly(["a", "b", "c"], dict.fromkeys("abc", 0.1))
    assert watch_hours(everyone, ()) == ()
    stopped = hourly(["a", "b", "c"], {"a": 0.0})
    (told,) = watch_hours(stopped, ())
    assert watch_hours(stopped, (told,)) == ()


def test_a_lost_name_is_no_stop() -> None:
    (told,) = watch_hours(hourly(["a", "b", "unknown"], {"a": 0.0, "unknown": 2.0}), ())
    assert (told.kind, told.subject) == ("attribution-loss", "a")


def test_hours_without_a_sensor_say_nothing() -> None:
    blind = []
    for item in hourly(["a", "b"], {"a": 0.0}):
        offset = item.offset.copy()
        offset[-6:] = 0
        blind.append(replace(item, offset=offset))
    assert watch_hours(blind, ()) == ()
    assert watch_hours((), ()) == ()


def test_a_botnet_without_weekends_has_not_stopped_on_a_saturday() -> None:
    """However much it sends on others; one that stops on a Friday has."""
    everyone = hourly(["a", "b", "c"], {}, 5 * DAY + 20)
    weekday = (np.arange(len(everyone[0].days)) // DAY) % 7
    everyone[0].count[:] = np.where(weekday < 5, everyone[0].count * 30, 0)
    assert watch_hours(everyone, ()) == ()
    friday = [
        replace(i, days=i.days[:-DAY], count=i.count[:-DAY].copy(), offset=i.offset[:-DAY]) for i in everyone
    ]
    friday[0].count[-6:] = 0
    assert [c.subject for c in watch_hours(friday, ())] == ["a"]


def test_a_silence_does_not_begin_while_nobody_watched() -> None:
    blind = []
    for item in hourly(["a", "b", "c"], {"a": 0.0}, 12):
        item.count[-72:-12] = 0
        offset = item.offset.copy()
        offset[-72:-12] = 0
        blind.append(replace(item, offset=offset))
    (told,) = watch_hours(blind, ())
    assert told.since == dt.datetime(2024, 1, 29, tzinfo=dt.UTC)


def test_a_silence_is_told_from_its_last_message_on_also_the_next_day() -> None:
    """Not from where the longest window begins; and what was due is that of all its hours."""
    series = hourly(["a", "b", "c"], {"a": 0.0}, 30)
    series[0].count[-30] = 1
    (told,) = watch_hours(series, ())
    assert (told.since, told.onset, told.seen) == (
        dt.datetime(2024, 1, 29, 1, tzinfo=dt.UTC),
        dt.date(2024, 1, 29),
        0,
    )
    assert told.due == pytest.approx(series[1].count[-29:].sum(), rel=0.15)
    assert "0 messages since 2024-01-29 01:00 UTC" in told.evidence


def of_programme(item: IndexSeries, name: str) -> IndexSeries:
    return replace(item, subject_kind="programme", subject=name)


def test_a_programme_stops_with_the_botnets_that_carry_it_only() -> None:
    """What another botnet lost, and what its own lost in other hours, says nothing of it."""
    a, b, c, lost = hourly(["a", "b", "c", "d"], {"a": 0.0, "d": 0.0})
    series = [a, b, c, of_programme(lost, "P")]
    one = np.ones(28, dtype=np.int64)
    for pairs, programmes in (
        ({("a", "P"): one}, {"P"}),
        ({("a", "P"): one, ("a", "Q"): 3 * one}, set()),
        ({("a", "Q"): one, ("b", "P"): one, ("c", "P"): one}, set()),
        ({}, set()),
    ):
        told = watch_hours(series, (), pairs)
        assert {c.subject for c in told} == {"a", *programmes}


def test_hours_in_which_nothing_at_all_came_are_not_over() -> None:
    """Other mail was read up to the evening and spam up to the morning: one stopped, and what it carries."""
    series = hourly(["a", "b", "c"], {"a": 0.0}, 19)
    series = [*series, of_programme(series[0], "P"), of_programme(series[1], "Q")]
    for item in series:
        item.count[-11:] = 0
    carried = {(name, of): np.ones(28, dtype=np.int64) for name, of in (("a", "P"), ("b", "Q"), ("c", "Q"))}
    told = watch_hours(series, (), carried)
    assert [c.subject for c in told] == ["a", "P"]
    assert all(c.since is not None and c.since >= dt.datetime(2024, 1, 29, tzinfo=dt.UTC) for c in told)
    earlier = [replace(i, days=i.days[:-11], count=i.count[:-11], offset=i.offset[:-11]) for i in series]
    assert told == watch_hours(earlier, (), carried)
    alone = [replace(series[0]), *(replace(i, count=np.zeros_like(i.count)) for i in series[1:3])]
    assert [c.subject for c in watch_hours(alone, ())] == ["a"]
