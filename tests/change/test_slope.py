"""Slow moves are dated with the levels on either side as badly known as they are."""

from __future__ import annotations

import itertools

import numpy as np
from change_series import find_events

from spamtide.change.moves.cut import cut_track
from spamtide.change.moves.segment import prepare

DAYS = np.arange("2008-09-01", "2009-04-13", dtype="datetime64[D]")
BEGUN, OVER = 133, 202
SIZE, DRIFT, SERIES = 12.0, 0.006, 40


def test_intervals_hold_both_ends_of_a_growth_over_ten_weeks() -> None:
    """From nothing, with three weeks at the level after: the end is not where the slope meets their mean."""
    line = np.clip((np.arange(len(DAYS)) - BEGUN + 1) / (OVER - BEGUN + 1), 0.0, 1.0)
    begins, ends = 0, 0
    for seed in range(SERIES):
        dice = np.random.default_rng([7, seed])
        mean = 36 * line * np.exp(np.cumsum(dice.normal(0.0, DRIFT, len(DAYS))))
        count = dice.poisson(mean * dice.gamma(SIZE, 1 / SIZE, len(DAYS)))
        event, *_ = find_events(prepare(DAYS, count, np.ones(len(DAYS))), 0.65, whole=True)
        first, last = DAYS[BEGUN].item(), DAYS[OVER].item()
        begins += event.onset_low <= first <= event.onset_high
        ends += event.end_low is None or event.end_low <= last <= event.end_high
    assert begins >= 0.9 * SERIES
    assert ends >= 0.9 * SERIES


def test_a_slow_fall_may_have_begun_long_before_its_first_step() -> None:
    """To a fifth over eleven weeks: the first step of the partition lies weeks inside."""
    begun, over, found, inside = 120, 195, 0, 0
    line = np.clip((np.arange(300) - begun + 1) / (over - begun + 1), 0.0, 1.0)
    days = np.arange("2023-03-01", "2023-12-26", dtype="datetime64[D]")
    for seed in range(SERIES):
        dice = np.random.default_rng([8, seed])
        count = dice.poisson(40 * (1 - 0.8 * line) * dice.gamma(25, 1 / 25, 300))
        events = [e for e in find_events(prepare(days, count, np.ones(300)), 0.65, whole=True) if e.end]
        if len(events) == 1:
            found += 1
            inside += events[0].onset_low <= days[begun].item() <= events[0].onset_high
    assert found >= 0.8 * SERIES
    assert inside >= 0.75 * found


def test_moves_of_one_direction_do_not_overlap() -> None:
    """A slope may end within the next staircase; moves that share days cannot be weighed side by side."""
    days = np.arange("2023-01-01", "2023-11-27", dtype="datetime64[D]")
    line = np.clip((np.arange(len(days)) - 119) / 81, 0.0, 1.0)
    for seed in range(SERIES):
        dice = np.random.default_rng([13, seed])
        count = dice.poisson(500 * (1 - line) * dice.gamma(8, 1 / 8, len(days)))
        track = prepare(days, count, np.ones(len(days)))
        falls = [move for move in cut_track(track, 0.65).moves if move[0] == "fall"]
        assert all(one[2] < other[1] for one, other in itertools.pairwise(falls))
        assert find_events(track, 0.65, whole=True)
