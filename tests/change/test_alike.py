"""Days that are like the day before tell less of a move's dates, and a slow fall in them is one fall."""

from __future__ import annotations

import math

import numpy as np
from change_series import find_events

from spamtide.change.moves.alike import MOST, alike
from spamtide.change.moves.segment import Segments, partition, prepare

DAYS = np.arange("2023-03-01", "2023-10-17", dtype="datetime64[D]")
SERIES = 24


def _noise(dice: np.random.Generator, memory: float, spread: float) -> np.ndarray:
    """Factors of days, each like the day before."""
    wave = np.zeros(len(DAYS))
    for day in range(1, len(DAYS)):
        wave[day] = memory * wave[day - 1] + dice.normal(0, spread * math.sqrt(1 - memory**2))
    return np.exp(wave)


def test_how_alike_days_are_is_read_off_a_partition() -> None:
    """Independent days seem hardly alike; of a wave that remembers, most of its memory is seen."""
    for memory, least, most in ((0.0, 0.0, 0.1), (0.6, 0.35, 0.7), (0.98, 0.3, MOST)):
        found = []
        for seed in range(SERIES):
            dice = np.random.default_rng([31, seed])
            track = prepare(DAYS, dice.poisson(2000 * _noise(dice, memory, 0.15)), np.ones(len(DAYS)))
            found.append(alike(track, partition(track, 3.0)))
        assert least <= np.mean(found) <= most
    few = prepare(DAYS[:30], np.ones(30), np.ones(30))
    assert alike(few, Segments((0,), 2, (1.0,))) == 0.0


def test_a_fall_over_three_weeks_is_one_fall_where_days_are_even_and_alike() -> None:
    """Its steps lie two weeks from one another, and each by itself might be a wave."""
    found = onsets = ends = 0
    begun, over = 110, 130
    for seed in range(SERIES):
        dice = np.random.default_rng([32, seed])
        done = np.clip((np.arange(len(DAYS)) - begun + 1) / (over - begun + 1), 0, 1)
        count = dice.poisson(2000 * (1 - done / 2) * _noise(dice, 0.5, 0.12))
        events = find_events(prepare(DAYS, count, np.ones(len(DAYS))), 0.65, whole=True)
        falls = [event for event in events if event.kind == "fall"]
        if len(falls) != 1 or falls[0].end_low is None or falls[0].end_high is None:
            continue
        found += 1
        onsets += falls[0].onset_low <= DAYS[begun].item() <= falls[0].onset_high
        ends += falls[0].end_low <= DAYS[over].item() <= falls[0].end_high
    assert found >= 0.8 * SERIES
    assert onsets >= 0.85 * found
    assert ends >= 0.85 * found
