"""What takes weeks is dated as widely as its days leave it open, whatever way it took."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from change_series import find_events

from spamtide.change.moves.segment import partition, prepare
from spamtide.change.moves.slow import slow_move

DAYS = np.arange("2023-03-01", "2023-12-26", dtype="datetime64[D]")
BEGUN, OVER, SERIES = 120, 180, 30


def _series(shape: str, seed: int, level: float, left: float) -> np.ndarray:
    """Messages a day of a series that falls over two months."""
    done = np.clip((np.arange(len(DAYS)) - BEGUN + 1) / (OVER - BEGUN + 1), 0.0, 1.0)
    share = {
        "line": 1 - (1 - left) * done,
        "factor": left**done,
        "s": 1 - (1 - left) * done**2 * (3 - 2 * done),
    }
    dice = np.random.default_rng([9, seed])
    return dice.poisson(level * share[shape] * dice.gamma(25, 1 / 25, len(DAYS)))


@pytest.mark.parametrize("shape", ["line", "factor", "s"])
def test_a_fall_over_two_months_holds_its_first_day_though_its_partition_has_one_step(shape: str) -> None:
    """To a quarter of 15 messages a day: one step in its middle, weeks after the first day."""
    found = onsets = ends = 0
    for seed in range(SERIES):
        track = prepare(DAYS, _series(shape, seed, 15, 0.25), np.ones(len(DAYS)))
        events = [event for event in find_events(track, 0.65, whole=True) if event.kind == "fall"]
        if len(events) != 1 or events[0].end is None:
            continue
        found += 1
        onsets += events[0].onset_low <= DAYS[BEGUN].item() <= events[0].onset_high
        ends += events[0].end_low <= DAYS[OVER].item() <= events[0].end_high
    assert found >= 0.6 * SERIES
    assert onsets >= 0.85 * found
    assert ends >= 0.85 * found


@pytest.mark.parametrize(("level", "left"), [(40, 0.0), (40, 0.1), (400, 0.4)])
def test_a_fall_of_a_day_is_no_slow_one(level: float, left: float) -> None:
    """Where the days say that it was quick, its interval does not grow."""
    done = (np.arange(len(DAYS)) >= BEGUN).astype(float)
    for seed in range(10):
        dice = np.random.default_rng([10, seed])
        mean = level * (1 - (1 - left) * done)
        count = dice.poisson(mean * dice.gamma(25, 1 / 25, len(DAYS)))
        track = prepare(DAYS, count, np.ones(len(DAYS)))
        segments = partition(track, 3.0)
        number = segments.starts.index(min(segments.starts, key=lambda start: abs(start - BEGUN)))
        slow = slow_move(track, segments, (number, number), (0, len(DAYS)), 22)
        assert slow is None or slow.chances[0] < 0.1


def test_the_levels_of_a_slow_fall_are_those_beside_all_of_it() -> None:
    """Its partition may have two steps, of which one alone is a move: the other's days are none before it."""
    for level, seed in itertools.product((3, 12, 30), range(5)):
        dice = np.random.default_rng([41, seed, 60])
        done = np.clip((np.arange(420) - 180 + 1) / 61, 0.0, 1.0)
        mean = level * (1 - 0.95 * done**2 * (3 - 2 * done))
        count = dice.poisson(mean * dice.gamma(8, 1 / 8, 420))
        days = np.datetime64("2023-01-01") + np.arange(420)
        falls = [
            event
            for event in find_events(prepare(days, count, np.ones(420)), 0.65, whole=True)
            if event.kind == "fall"
        ]
        for fall in falls:
            assert fall.end is not None
            assert fall.since <= fall.onset < fall.end <= fall.until
            assert fall.reach is not None
        if len(falls) == 1:
            assert 0.65 * level < falls[0].before < 1.5 * level


def test_a_fall_within_a_slow_one_is_not_told_beside_it() -> None:
    """A slow fall has the days between the moves that are dated, sure ones or not."""
    days = np.datetime64("2023-01-01") + np.arange(288)
    within = 0
    for seed in range(SERIES):
        dice = np.random.default_rng([12, seed])
        lines = [
            np.clip((np.arange(288) - begun + 1) / (took + 1), 0, 1) for begun, took in ((161, 68), (165, 38))
        ]
        mean = 800 * (1 - lines[0]) * (1 - lines[1] / 2)
        count = dice.poisson(mean * dice.gamma(1.3, 1 / 1.3, 288))
        events = find_events(prepare(days, count, np.ones(288)), 0.65, whole=True)
        falls = [event for event in events if event.kind == "fall"]
        within += any(b.end and a.end and b.end <= a.end for a, b in itertools.pairwise(falls))
    assert within == 0


@pytest.mark.parametrize(("left", "widest"), [(0.5, 12), (0.65, 28)])
def test_a_shallow_fall_of_a_day_is_not_said_to_have_taken_months(left: float, widest: float) -> None:
    """Its days often do not say that it was quick; any length is as likely as another on a log scale then."""
    widths, held = [], 0
    for seed in range(SERIES):
        dice = np.random.default_rng([14, seed])
        mean = 100 * (1 - (1 - left) * (np.arange(len(DAYS)) >= BEGUN))
        count = dice.poisson(mean * dice.gamma(15, 1 / 15, len(DAYS)))
        events = find_events(prepare(DAYS, count, np.ones(len(DAYS))), 0.8, whole=True)
        falls = [event for event in events if event.kind == "fall"]
        if len(falls) != 1:
            continue
        widths.append((falls[0].onset_high - falls[0].onset_low).days + 1)
        held += falls[0].onset_low <= DAYS[BEGUN].item() <= falls[0].onset_high
    assert len(widths) >= 0.8 * SERIES
    assert held >= 0.9 * len(widths)
    assert np.mean(widths) < widest


def test_a_fall_of_two_weeks_to_next_to_nothing_is_held_by_its_interval() -> None:
    """Its first days are hardly off the level: they lie further back than those of what is gone at once."""
    held, took = 0, 15
    done = np.clip((np.arange(len(DAYS)) - BEGUN + 1) / took, 0.0, 1.0)
    for seed in range(SERIES):
        dice = np.random.default_rng([15, seed])
        count = dice.poisson(200 * (1 - 0.98 * done) * dice.gamma(15, 1 / 15, len(DAYS)))
        events = find_events(prepare(DAYS, count, np.ones(len(DAYS))), 0.65, whole=True)
        first, *_ = [event for event in events if event.kind == "fall"]
        held += first.onset_low <= DAYS[BEGUN].item() <= first.onset_high
    assert held >= 0.85 * SERIES
