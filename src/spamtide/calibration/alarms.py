"""How often alarms are raised where nothing happens, and how soon the hourly one is where a botnet stops."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from spamtide.calibration.oracle import ORACLES, best_waits
from spamtide.calibration.plan import START, Plan
from spamtide.calibration.row import Row, median, rate, share
from spamtide.calibration.world import make_world
from spamtide.change import watch_hours
from spamtide.change.causes.shared_days import share_days
from spamtide.change.moves.find import find_all
from spamtide.change.moves.segment import prepare
from spamtide.model import Counts, Floats, IndexSeries
from spamtide.settings import Detecting

YEAR = 365.25
WARM_UP = 60
VOLUMES, SIZES = (20.0, 60.0, 200.0, 1000.0), (3.0, 5.0, 10.0, 25.0)
FALLING, PATIENCE = 4, 21
"""Series of six that fall, and days after which an alarm that did not come is not waited for."""
WEEK_DAYS = 7
QUIET_AGAIN = 14
"""Days without an alarm after which the next one is another."""
DAY, WEEK = 24, 168
HOUR_NOISE, HOUR_MEMORY = 0.25, 0.6
LATEST = 12
SIX = 6


def false_alarms(worlds: int, seed: int) -> Iterator[Row]:
    """Daily alarms on series in which nothing happens, as of every day."""
    raised, days = 0, 0
    for world in range(max(worlds // 6, 1)):
        rng = np.random.default_rng([seed, 80, world])
        plan = Plan(
            days=240,
            sensors=3,
            botnets=8,
            even=True,
            volume=8 * float(rng.choice((20, 100, 500))),
            drift=0.01,
            holidays=False,
        )
        found, seen = standing_alarms(make_world(plan, rng).panel.counts[1 : 1 + plan.botnets].sum(axis=1))
        raised, days = raised + found, days + seen
    yield Row(
        "online",
        "nothing happens",
        "false alarms a series-year",
        *rate(raised, days / YEAR),
        round(days / YEAR),
        "series-years",
        "<= 1",
        0.0,
        1.0,
    )


def standing_alarms(counts: Counts) -> tuple[int, int]:
    """Alarms as of every day, and the days looked at; days that all botnets share are told apart first.

    Args:
        counts: messages a day of the series of one observatory, shape (series, days).
    """
    raised, last = 0, np.full(len(counts), -QUIET_AGAIN)
    start = np.datetime64(START)
    for today in range(WARM_UP, counts.shape[1] + 1):
        days = start + np.arange(today)
        tracks = {row: prepare(days, count[:today], np.ones(today)) for row, count in enumerate(counts)}
        shared = share_days(tracks, [*tracks])
        for row, events in enumerate(find_all([*shared.values()], Detecting().ratio, whole=True)):
            if any(event.alarmed is not None for event in events):
                raised += int(today - last[row] >= QUIET_AGAIN)
                last[row] = today
    return raised, len(counts) * (counts.shape[1] - WARM_UP)


def by_volume(worlds: int, seed: int) -> Iterator[Row]:
    """Days until a fall to half is flagged, by messages a day and by how uneven days are."""
    for row, level in enumerate(VOLUMES):
        for column, size in enumerate(SIZES):
            waits: list[float] = []
            for world in range(max(worlds // 6, 1)):
                rng = np.random.default_rng([seed, 83, row, column, world])
                waits += _waits(rng, level, size)
            yield Row(
                "online",
                f"fall of 50 %, {level:.0f} a day, size {size:.0f}",
                "median delay, days of data",
                *median(waits),
                len(waits),
                "falls",
            )
            yield Row(
                "online",
                f"fall of 50 %, {level:.0f} a day, size {size:.0f}",
                "the same of the best test that knows all",
                *median(best_waits(np.random.default_rng([seed, 84, row, column]), level, size)),
                ORACLES,
                "falls",
            )


def _waits(rng: np.random.Generator, level: float, size: float) -> list[float]:
    """Days until each of the falls of one observatory of six series is flagged."""
    onset = int(rng.integers(70, 110))
    story = np.ones((6, onset + PATIENCE))
    story[:FALLING, onset:] = 0.5
    week = np.exp(
        0.25 * np.cos(2 * np.pi * (np.arange(story.shape[1]) + rng.integers(7, size=(6, 1))) / WEEK_DAYS)
    )
    spread = np.sqrt(np.log1p(1 / size))
    uneven = np.exp(rng.normal(0, spread, story.shape) - spread**2 / 2)
    counts = rng.poisson(level * story * week / week.mean(axis=1, keepdims=True) * uneven)
    first: dict[int, float] = {}
    for waited in range(1, PATIENCE + 1):
        days = np.datetime64(START) + np.arange(onset + waited)
        tracks = [prepare(days, count[: onset + waited], np.ones(onset + waited)) for count in counts]
        found = find_all(tracks, Detecting().ratio, whole=True)
        for number, events in enumerate(found[:FALLING]):
            near = [
                e for e in events if e.kind == "fall" and e.onset >= START + dt.timedelta(days=onset - 10)
            ]
            if near:
                first.setdefault(number, float(waited))
        if len(first) == FALLING:
            break
    return [first.get(number, PATIENCE + 1.0) for number in range(FALLING)]


def hourly(worlds: int, seed: int) -> Iterator[Row]:
    """Hours until a stop is flagged where 20 messages an hour are expected, and false hourly alarms."""
    waits: list[float] = []
    for world in range(worlds):
        rng = np.random.default_rng([seed, 81, world])
        onset = DAY * 20 + int(rng.integers(DAY * 7))
        series = _hours(rng, 20.0, DAY * 28, onset)
        for hours in range(1, LATEST + 1):
            if any(
                change.subject == "botnet-00" for change in watch_hours(_until(series, onset + hours), ())
            ):
                waits.append(float(hours))
                break
        else:
            waits.append(float(LATEST + 1))
    yield Row(
        "online, by the hour",
        "20 an hour, all stop",
        "median delay, hours",
        *median(waits),
        len(waits),
        "stops",
        "<= 6",
        0.0,
        6.0,
    )
    yield Row(
        "online, by the hour",
        "20 an hour, all stop",
        "flagged within 6 hours",
        *share([wait <= SIX for wait in waits]),
        len(waits),
        "stops",
    )
    raised, looked = 0, 0
    for world in range(max(worlds // 3, 1)):
        series = _hours(np.random.default_rng([seed, 82, world]), 20.0, DAY * 50, None)
        last: dict[str, int] = {}
        for now in range(DAY * 14, DAY * 50, 2):
            for change in watch_hours(_until(series, now), ()):
                raised += now - last.get(change.subject, -DAY) >= DAY
                last[change.subject] = now
        looked += DAY * 36 * len(series)
    yield Row(
        "online, by the hour",
        "nothing happens",
        "false alarms a series-year",
        *rate(raised, looked / DAY / YEAR),
        round(looked / DAY / YEAR),
        "series-years",
        "<= 1",
        0.0,
        1.0,
    )


def _hours(rng: np.random.Generator, level: float, hours: int, stop: int | None) -> list[IndexSeries]:
    """Hourly series of four botnets, the first of which may stop: waves, uneven days, AR(1) hours."""
    from scipy.signal import lfilter

    t = np.arange(hours)
    wave = np.exp(
        0.4 * np.cos(2 * np.pi * (t % DAY - 14) / DAY) + 0.2 * np.cos(2 * np.pi * (t % WEEK) / WEEK)
    )
    series = []
    for botnet in range(4):
        days = rng.gamma(10, 1 / 10, hours // DAY + 1)[t // DAY]
        steps = rng.normal(0, HOUR_NOISE * np.sqrt(1 - HOUR_MEMORY**2), hours)
        expected: Floats = (
            level * wave / wave.mean() * days * np.exp(lfilter([1.0], [1.0, -HOUR_MEMORY], steps))
        )
        if stop is not None and botnet == 0:
            expected[stop:] = 0
        count = rng.poisson(expected)
        series.append(
            IndexSeries(
                "botnet",
                f"botnet-{botnet:02}",
                np.datetime64("2023-01-02T00") + t,
                count,
                expected,
                expected,
                expected,
                "",
                np.ones(hours),
                0.1,
                0.0,
            )
        )
    return series


def _until(series: Sequence[IndexSeries], hours: int) -> list[IndexSeries]:
    """The series as they were after some hours."""
    return [
        replace(
            item,
            days=item.days[:hours],
            count=item.count[:hours],
            offset=item.offset[:hours],
            index=item.index[:hours],
            low=item.low[:hours],
            high=item.high[:hours],
        )
        for item in series
    ]
