"""Cutting a series: against exhaustive search, and against plain readings of the formulas."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from spamtide.change.moves.segment import (
    Segments,
    Track,
    cost,
    dispersion,
    moves,
    partition,
    prepare,
    weekday_offsets,
)
from spamtide.change.moves.weigh import merged_gain

START = np.datetime64("2024-01-01")


def track_of(count: ArrayLike, size: float = 5.0, offset: ArrayLike | None = None) -> Track:
    count = np.asarray(count, dtype=float)
    offset = np.ones(len(count)) if offset is None else np.asarray(offset, dtype=float)
    return Track(START.astype(object), 1, count, offset, (offset > 0).astype(float), size)


def plain_cost(values: list[int], r: float) -> float:
    """The formula of one segment, term by term."""
    n, total = len(values), sum(values)
    m = total / n
    if m <= 1e-9:
        return 0.0
    return -2 * (total * math.log(m) - (total + n * r) * math.log(r + m)) - 2 * n * r * math.log(r)


@given(
    st.lists(st.integers(0, 40), min_size=2, max_size=9),
    st.floats(0.5, 50),
    st.floats(0.5, 4),
)
@settings(max_examples=60, deadline=None)
def test_partition_is_the_best_of_all_segmentations(values: list[int], size: float, penalty: float) -> None:
    """Every one of the 2^(n-1) segmentations is tried; none is cheaper."""
    n = len(values)
    beta = penalty * math.log(n)
    cheapest = min(
        sum(plain_cost(values[a:b], size) for a, b in itertools.pairwise((0, *cuts, n))) + beta * len(cuts)
        for k in range(n)
        for cuts in itertools.combinations(range(1, n), k)
    )
    starts = partition(track_of(values, size), penalty).starts
    found = sum(plain_cost(values[a:b], size) for a, b in itertools.pairwise((*starts, n)))
    assert found + beta * (len(starts) - 1) == pytest.approx(cheapest, abs=1e-8)


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=30), st.floats(0.3, 900))
def test_cost_is_the_formula(values: list[int], size: float) -> None:
    assert float(
        cost(np.array([float(sum(values))]), np.array([float(len(values))]), size)[0]
    ) == pytest.approx(plain_cost(values, size), rel=1e-8, abs=1e-6)


def test_gain_at_full_exposure_is_the_difference_of_costs() -> None:
    values, size = [20, 25, 18, 22, 3, 2, 5, 1], 6.0
    expected = plain_cost(values, size) - plain_cost(values[:4], size) - plain_cost(values[4:], size)
    assert merged_gain(track_of(values, size), [0, 4, 8], size) == pytest.approx(expected, rel=1e-9)


def test_gain_of_a_change_of_exposure_alone_is_nothing() -> None:
    """Half the mail while half the sensors are up is no change of level."""
    offset = np.repeat([1.0, 0.5], 20)
    assert merged_gain(track_of(40 * offset, 5.0, offset), [0, 20, 40], 5.0) == pytest.approx(0, abs=1e-9)


@given(st.lists(st.integers(0, 50), min_size=10, max_size=30), st.data())
@settings(max_examples=40, deadline=None)
def test_missing_days_leave_the_segmentation_as_it_is(values: list[int], data: st.DataObject) -> None:
    """A day without exposure may hold any count; segments are those of the days around it."""
    at = data.draw(st.integers(0, len(values)))
    gap = data.draw(st.lists(st.integers(0, 10_000), min_size=1, max_size=5))
    plain = partition(track_of(values), 2.0)
    holed = partition(
        track_of(
            values[:at] + gap + values[at:], offset=[1] * at + [0] * len(gap) + [1] * (len(values) - at)
        ),
        2.0,
    )
    assert tuple(s if s < at else s + len(gap) for s in plain.starts) == holed.starts
    assert holed.levels == pytest.approx(plain.levels)


def test_weekday_offsets_are_medians_of_ratios_to_the_week_around() -> None:
    rng = np.random.default_rng(3)
    wave = np.array([1.4, 1.2, 1.1, 1.0, 0.9, 0.8, 0.6])
    y = rng.poisson(200 * wave[np.arange(70) % 7]).astype(float)
    seen = rng.random(70) > 0.1
    factors = np.ones(7)
    for d in range(7):
        ratios = []
        for t in range(d, 70, 7):
            around = [y[u] for u in range(max(t - 3, 0), min(t + 4, 70)) if seen[u]]
            if seen[t] and np.mean(around) > 2:
                ratios.append(y[t] / np.mean(around))
        factors[d] = max(np.median(ratios), 0.05) if len(ratios) >= 4 else 1.0
    found = weekday_offsets(np.where(seen, y, 0.0), seen.astype(float))
    assert found == pytest.approx(factors / factors.mean(), rel=1e-12)
    assert found == pytest.approx(wave, rel=0.1)


def test_floods_of_a_thin_series_make_no_weekdays() -> None:
    """No other weeks are busy enough to tell: of floods, a weekday's factor would be a few hundredths."""
    for seed in range(20):
        dice = np.random.default_rng([14, seed])
        count = dice.poisson(0.8 * dice.gamma(12, 1 / 12, 366)).astype(float)
        for flood in range(4):
            count[30 + 75 * flood + int(dice.integers(20))] += int(dice.integers(80, 260))
        assert weekday_offsets(count, np.ones(366)).min() > 0.6


def test_a_series_that_comes_on_two_days_of_the_week_has_weekdays() -> None:
    """These are no floods, though all other days have next to nothing."""
    busy = np.isin(np.arange(364) % 7, (1, 4))
    factors = weekday_offsets(np.where(busy, 40.0, 1.0), np.ones(364))
    assert factors[1] > 3
    assert factors[0] < 0.1


def of_workdays(works: tuple[int, ...], size: float = 12.0, weeks: int = 20, seed: int = 1) -> np.ndarray:
    """Some 100 a day on some days of the week and none on the others."""
    dice = np.random.default_rng(seed)
    days = np.arange(7 * weeks)
    return np.where(np.isin(days % 7, works), dice.poisson(100 * dice.gamma(size, 1 / size, len(days))), 0)


@pytest.mark.parametrize("works", [(0, 1, 2, 3, 4), (1, 4)])
def test_days_off_are_missing_and_make_no_day_uneven(works: tuple[int, ...]) -> None:
    count = of_workdays(works, weeks=40)
    made = prepare(np.datetime64("2024-01-01") + np.arange(len(count)), count, np.ones(len(count)))
    assert made.observed.tolist() == np.isin(np.arange(len(count)) % 7, works).tolist()
    assert 7 < made.size < 25
    # A level is still that of an average day, days off included.
    assert made.count.sum() / made.offset.sum() == pytest.approx(100 * len(works) / 7, rel=0.1)


@pytest.mark.parametrize("trickle", [0, 2])
def test_a_day_off_with_mail_counts_as_one_of_the_others(trickle: int) -> None:
    count = of_workdays((0, 1, 2, 3, 4))
    count[count == 0] = trickle
    count[7 * 10 + 5] = 90
    count[7 * 15 + 6] = 900
    made = prepare(np.datetime64("2024-01-01") + np.arange(len(count)), count, np.ones(len(count)))
    off = np.arange(len(count)) % 7 > 4
    assert np.flatnonzero(made.observed & off).tolist() == [75, 111]
    assert made.rate[75] == pytest.approx(90 / 1.4, rel=0.1)
    assert made.rate[111] == pytest.approx(900 / 1.4, rel=0.1)


def test_mail_on_a_day_off_after_a_silence_counts() -> None:
    count = of_workdays((0, 1, 2, 3, 4))
    count[70:] = 0
    count[7 * 15 + 6] = 20
    made = prepare(np.datetime64("2024-01-01") + np.arange(len(count)), count, np.ones(len(count)))
    assert made.observed[111]
    assert not made.observed[110]


def test_bursts_and_thin_weekends_are_no_days_off() -> None:
    """It must be the habit of a weekday: what sends now and then, or little on Sundays, has none.

    The pauses between bursts are another habit.
    """
    days = np.datetime64("2024-01-01") + np.arange(364)
    for seed in range(20):
        dice = np.random.default_rng([3, seed])
        bursts = np.zeros(364)
        at = 0
        while at < 364:
            bursts[at : at + 2] = dice.poisson(80, len(bursts[at : at + 2]))
            at += int(dice.integers(8, 16))
        thin = dice.poisson(np.where(np.arange(364) % 7 == 6, 0.6, 2.6))
        every_other = np.where(np.arange(364) % 2 == 0, dice.poisson(80, 364), 0)
        assert weekday_offsets(bursts, np.ones(364)).all()
        assert prepare(days, bursts, np.ones(364)).observed[bursts > 0].all()
        for count in (thin, every_other):
            assert prepare(days, count, np.ones(364)).observed.all()


@pytest.mark.parametrize("size", [3.0, 10.0, 30.0])
def test_dispersion_is_found_beside_a_level_shift(size: float) -> None:
    rng = np.random.default_rng(4)
    level = np.repeat([400.0, 40.0], 700)
    y = rng.negative_binomial(size, size / (size + level)).astype(float)
    ones = np.ones(1400)
    assert dispersion(y, ones, ones) == pytest.approx(size, rel=0.25)


def test_counts_too_thin_for_windows_are_not_taken_for_poisson() -> None:
    """At 1.5 a day with r = 1 no window is busy; the pooled estimate still sees the excess."""
    rng = np.random.default_rng(5)
    y = rng.negative_binomial(1.0, 1 / 2.5, 400).astype(float)
    ones = np.ones(400)
    assert 0.5 < dispersion(y, ones, ones) < 2.0


def test_thin_series_are_looked_at_by_the_week() -> None:
    days = START + np.arange(200)
    thin = prepare(days, np.tile([0, 0, 1, 0, 0, 1, 0, 0, 0, 0], 20), np.ones(200))
    busy = prepare(days, np.full(200, 4), np.ones(200))
    assert (thin.step, len(thin.count), thin.day(0)) == (7, 28, (START + 4).astype(object))
    assert (busy.step, len(busy.count)) == (1, 200)


def test_offsets_that_are_no_numbers_are_missing_days() -> None:
    offset = np.array([1.0, np.nan, np.inf, -2.0, 0.0, 1.0, 1e-9] * 10)
    track = prepare(START + np.arange(70), np.full(70, 5), offset)
    assert track.observed.tolist() == ([True] + [False] * 4 + [True, False]) * 10


def test_a_ramp_of_short_steps_is_one_fall_and_its_mirror_one_rise() -> None:
    down = Segments((0, 50, 53, 56), 100, (100.0, 70.0, 30.0, 2.0))
    up = replace(down, starts=(0, 44, 47, 50), levels=down.levels[::-1])
    assert moves(down, "fall", 0.5, 7) == [(1, 3)]
    assert moves(up, "rise", 0.5, 7) == [(1, 3)]
    assert moves(down, "rise", 0.5, 7) == []


def test_steps_that_hold_are_falls_of_their_own() -> None:
    slow = Segments((0, 50, 80), 120, (100.0, 60.0, 20.0))
    assert moves(slow, "fall", 0.5, 7) == [(2, 2)]
