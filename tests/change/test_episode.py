"""Episodes: a dip or a swell of some weeks that a partition does not pay for."""

import itertools
import math

import numpy as np
import pytest

from spamtide.change.moves.episode import (
    BESIDE,
    LONGEST_EPISODE,
    SHORTEST_DIP,
    SHORTEST_SWELL,
    with_episodes,
)
from spamtide.change.moves.segment import Segments, Track, cost, partition
from spamtide.model import Floats

START = np.datetime64("2024-01-01").astype(object)
SIZE, PENALTY, RATIO = 25.0, 3.0, 0.65


def track_of(count: Floats, step: int = 1) -> Track:
    ones = np.ones(len(count))
    return Track(START, step, np.asarray(count, dtype=float), ones, ones, SIZE)


def drawn(seed: int, level: Floats) -> Track:
    dice = np.random.default_rng(seed)
    return track_of(dice.poisson(level * dice.gamma(SIZE, 1 / SIZE, len(level))))


def dipped(days: int, first: int, last: int, left: float) -> Floats:
    level = np.full(days, 13.0)
    level[first:last] *= left
    return level


def found(track: Track) -> Segments:
    return with_episodes(track, partition(track, PENALTY), RATIO, PENALTY)


def exhaustive(track: Track) -> tuple[float, tuple[int, int]]:
    """The gain of the best episode of a series of one level, by trying every one."""
    days, count = len(track.count), track.count

    def of(part: Floats) -> float:
        return float(cost(np.array([part.sum()]), np.array([float(len(part))]), SIZE)[0])

    best = (-math.inf, (0, 0))
    for begin, length in itertools.product(range(BESIDE, days), range(SHORTEST_DIP, LONGEST_EPISODE + 1)):
        end = begin + length
        if end > days - BESIDE:
            continue
        inside, around = count[begin:end], np.concatenate((count[:begin], count[end:]))
        low = inside.mean() < RATIO * around.mean()
        high = inside.mean() * RATIO > around.mean() and length >= SHORTEST_SWELL
        if low or high:
            best = max(best, (of(count) - of(inside) - of(around), (begin, end)))
    return best


@pytest.mark.parametrize("seed", range(12))
def test_the_best_of_all_episodes_is_cut_out_where_it_pays(seed: int) -> None:
    track = drawn(seed, dipped(90, 40, 52, 0.55 if seed % 2 else 1.7))
    whole = Segments((0,), 90, (float(track.count.mean()),))
    gain, span = exhaustive(track)
    price = (PENALTY - 1) * math.log(90) + PENALTY * math.log(LONGEST_EPISODE)
    segments = with_episodes(track, whole, RATIO, PENALTY)
    if gain > price:
        assert segments.starts[1:3] == span
        assert segments.levels[0] == segments.levels[2]
    else:
        assert segments == whole


def test_a_fall_to_half_for_two_weeks_is_found_where_two_change_points_do_not_pay() -> None:
    tracks = [drawn(seed, dipped(220, 70, 84, 0.5)) for seed in range(100, 140)]
    parted = sum(len(partition(track, PENALTY).starts) > 1 for track in tracks)
    cut = sum(len(found(track).starts) > 1 for track in tracks)
    assert cut > parted
    assert cut >= 36


@pytest.mark.parametrize("seed", [186, 202, 207])
def test_steps_that_an_episode_explains_better_give_way(seed: int) -> None:
    """A partition pays for two steps in a dip's place, or for one somewhere else, and gets the days wrong."""
    track = drawn(seed, dipped(220, 70, 84, 0.5))
    starts = found(track).starts
    assert partition(track, PENALTY).starts not in {(0,), starts}
    assert len(starts) == 3
    assert abs(starts[1] - 70) <= 2
    assert abs(starts[2] - 84) <= 2


def test_a_level_that_holds_has_no_episode() -> None:
    quiet = [found(drawn(seed, np.full(220, 13.0))) for seed in range(200, 260)]
    assert sum(len(segments.starts) > 1 for segments in quiet) <= 2


def test_a_step_that_stays_is_left_as_it_is() -> None:
    track = drawn(7, np.repeat([13.0, 26.0], 100))
    assert found(track) == partition(track, PENALTY)


def test_a_week_is_no_day() -> None:
    weeks = track_of(dipped(200, 80, 92, 0.3), step=7)
    one = Segments((0,), 200, (13.0,))
    assert with_episodes(weeks, one, RATIO, PENALTY) == one


def test_days_without_any_sensor_are_no_part_of_it() -> None:
    track = drawn(3, dipped(120, 50, 66, 0.3)).without(slice(56, 60))
    starts = found(track).starts
    assert len(starts) == 3
    assert abs(starts[1] - 50) <= 2
    assert abs(starts[2] - 66) <= 2
