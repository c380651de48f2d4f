"""Dating a ramp: against a slow reading of the formulas, and against its own mirror."""

import datetime as dt
import itertools
import math

import numpy as np
import pytest

from spamtide.change.moves.date import RESIDUALS, SHALLOW_RESIDUALS, date_move, ramp_posterior
from spamtide.change.moves.segment import Track
from spamtide.change.moves.spread import Spread, estimates, summarise


def log_nb(y: float, mean: float, r: float) -> float:
    """Log NB probability, written out."""
    value = math.lgamma(y + r) - math.lgamma(r) - math.lgamma(y + 1) + r * math.log(r / (r + mean))
    return value + (y * math.log(mean / (r + mean)) if y else 0.0)


def log_sum(values: list[float]) -> float:
    top = max(values)
    return top + math.log(sum(math.exp(v - top) for v in values)) if top > -math.inf else top


def slow_posterior(
    y: np.ndarray, o: np.ndarray, r: float, move: tuple[int, int], residuals: np.ndarray, longest: int
) -> tuple[int, np.ndarray]:
    """P(t0, D) by plain loops over sizes, levels, residuals, onsets and lengths."""
    a, b = move
    n = len(y)
    lo, hi = max(0, a - 43), min(n, b + 31)
    candidates = list(range(max(lo + 7, a - 8), min(n - 1, b + 3) + 1))
    r = min(max(r, 1.5), 200.0)
    base = [y[t] / o[t] for t in range(lo, max(a, lo + 5)) if o[t] > 0]
    m = max(sum(base) / len(base), 0.3)
    terms = {(t0, d): [] for t0 in candidates for d in range(longest + 1)}

    def day(t: int, level: float, size: float) -> float:
        return log_nb(y[t], level * o[t], size) if o[t] > 0 else 0.0

    for size in (0.6 * r, r, 1.7 * r):
        s = min(math.sqrt((m + m * m / size) / len(base)) / m, 0.5)
        for z in np.linspace(-4, 4, 21):
            level = m * math.exp(z * s)
            for f in residuals:
                heights = [f + (1 - f) * (k + 0.5) / 12 for k in range(11, -1, -1)]
                before = {t: day(t, level, size) for t in range(lo, hi)}
                after = {t: day(t, level * f, size) for t in range(lo, hi)}
                steps = {
                    t: [day(t, level * u, size) for u in heights]
                    for t in range(candidates[0], min(candidates[-1] + longest, hi))
                }
                for t0 in candidates:
                    head = sum(before[t] for t in range(lo, t0))
                    path = None
                    for d in range(longest + 1):
                        t1 = t0 + d
                        if t1 > hi - 3:
                            break
                        if d == 1:
                            path = [g - math.log(12) for g in steps[t0]]
                        elif d > 1:
                            path = [
                                log_sum(path[: k + 1]) + steps[t1 - 1][k] + math.log(d / (12 + d - 1))
                                for k in range(12)
                            ]
                        ramp = log_sum(path) if d else 0.0
                        terms[t0, d].append(head + ramp + sum(after[t] for t in range(t1, hi)))
    mass = np.array(
        [
            [
                log_sum(terms[t0, d]) - 1.5 * math.log(max(d, 1)) if terms[t0, d] else -math.inf
                for d in range(longest + 1)
            ]
            for t0 in candidates
        ]
    )
    mass = np.exp(mass - mass.max())
    return candidates[0], mass / mass.sum()


def ramp_series(seed: int = 1, days: int = 70, onset: int = 45) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    level = np.full(days, 30.0)
    level[onset : onset + 3] = [20, 9, 3]
    level[onset + 3 :] = 0.6
    o = np.exp(0.2 * np.cos(2 * np.pi * np.arange(days) / 7))
    y = rng.negative_binomial(8, 8 / (8 + level * o)).astype(float)
    o[[20, onset + 1]] = 0.0
    y[[20, onset + 1]] = 0.0
    return y, o


def test_posterior_is_that_of_the_slow_formulas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Same posterior to 1e-9 as plain loops, with a missing day amid the ramp."""
    monkeypatch.setattr("spamtide.change.moves.date.LONGEST", 4)
    y, o = ramp_series()
    residuals = RESIDUALS[[1, 4, 8]]
    first, slow = slow_posterior(y, o, 8.0, (46, 48), residuals, 4)
    found_first, fast = ramp_posterior(y, o, 8.0, (46, 48), (0, len(y)), residuals)
    assert found_first == first
    assert fast == pytest.approx(slow, abs=1e-9)


@pytest.mark.parametrize("spread", [1.0, 300.0])
def test_ramp_term_is_the_mean_over_all_falling_paths(spread: float) -> None:
    """The recursion against the list of all non-increasing sequences, however unlike the levels."""
    from spamtide.change.moves.date import RAMP_LEVELS, _log_means, _paths

    days = np.random.default_rng(2).normal(scale=spread, size=(RAMP_LEVELS, 4, 1))
    days -= days.max(axis=0)
    numbers = np.array([2, 2, 2, 2])
    means, sums = _log_means(days, numbers), np.zeros((3, 2, 1))
    _paths(np.exp(days), numbers[1:], sums)
    for length in range(1, 4):
        sequences = list(itertools.combinations_with_replacement(range(RAMP_LEVELS), length))
        for onset in range(2):
            every = np.array([sum(days[k, onset + i, 0] for i, k in enumerate(one)) for one in sequences])
            mean = every.max() + math.log(np.exp(every - every.max()).mean())
            assert means[length - 1, onset, 0] == pytest.approx(mean, abs=1e-9)
            assert sums[length - 1, onset, 0] / len(sequences) == pytest.approx(math.exp(mean), rel=1e-9)


@pytest.mark.parametrize("level", [3.0, 60.0, 4000.0])
@pytest.mark.parametrize("residuals", [RESIDUALS, SHALLOW_RESIDUALS])
def test_what_is_left_out_of_a_date_is_nothing(
    level: float, residuals: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same posterior from all cells in logarithms, for falls, noise and a flood."""
    rng = np.random.default_rng(int(level))
    for after, wild in ((0.02, 1.0), (0.6, 1.0), (1.0, 1.0), (0.3, 40.0)):
        mean = level * np.where(np.arange(90) < 50, 1.0, after)
        mean[58] *= wild
        count = rng.poisson(mean * rng.gamma(9.0, 1 / 9.0, 90)).astype(float)
        offset = np.where(np.arange(90) == 47, 0.0, 1.0)
        asked = (count, offset, 9.0, (50, 51), (0, 90), residuals)
        first, posterior = ramp_posterior(*asked)
        with monkeypatch.context() as patch:
            patch.setattr("spamtide.change.moves.date.MUCH", -math.inf)
            slow_first, slowly = ramp_posterior(*asked)
        assert slow_first == first
        assert posterior == pytest.approx(slowly, abs=1e-11)


def test_a_rise_is_a_fall_in_reversed_time() -> None:
    y, o = ramp_series(3)
    n = len(y)
    weight = (o > 0).astype(float)
    start = dt.date(2024, 1, 1)
    fall = date_move(Track(start, 1, y, o, weight, 8.0), "fall", (46, 48), (0, n), 0.06)
    mirror = Track(start, 1, y[::-1], o[::-1], weight[::-1], 8.0)
    rise = date_move(mirror, "rise", (n - 48, n - 46), (0, n), 0.06)
    assert (rise.onset.low, rise.onset.high) == (n - fall.end.high, n - fall.end.low)
    assert rise.end.low <= n - fall.onset.high <= n - fall.onset.low <= rise.end.high
    assert abs(rise.onset.point - (n - fall.end.point)) <= 1
    assert abs(rise.end.point - (n - fall.onset.point)) <= 1


def test_a_rise_of_two_weeks_is_held_by_its_interval() -> None:
    """What others fill in comes slowly: the first day and the last lie days off the middle that is cut."""
    rng = np.random.default_rng(23)
    inside = []
    for _ in range(12):
        mean = 150 * (1 + 0.7 * np.clip((np.arange(120) - 60 + 1) / 14, 0, 1))
        count = rng.poisson(mean * rng.gamma(60, 1 / 60, 120)).astype(float)
        track = Track(dt.date(2024, 1, 1), 1, count, np.ones(120), np.ones(120), 60.0)
        ramp = date_move(track, "rise", (66, 67), (0, 120), 0.6)
        inside.append(ramp.onset.low <= 60 <= ramp.onset.high and ramp.end.low <= 73 <= ramp.end.high)
    assert np.mean(inside) >= 0.75


def test_a_clear_stop_is_dated_to_the_day() -> None:
    y = np.concatenate((np.full(60, 500.0), np.zeros(30)))
    track = Track(dt.date(2024, 1, 1), 1, y, np.ones(90), np.ones(90), 200.0)
    ramp = date_move(track, "fall", (60, 60), (0, 90), 0.0)
    assert (ramp.onset.point, ramp.end.point) == (60, 60)
    assert ramp.onset.low <= 60 <= ramp.onset.high


def test_move_near_the_start_or_the_end_still_has_a_date() -> None:
    y = np.concatenate((np.full(3, 80.0), np.zeros(60)))
    track = Track(dt.date(2024, 1, 1), 1, y, np.ones(63), np.ones(63), 50.0)
    assert date_move(track, "fall", (3, 3), (0, 63), 0.0).onset.point == 3
    late = Track(dt.date(2024, 1, 1), 1, y[::-1], np.ones(63), np.ones(63), 50.0)
    assert date_move(late, "rise", (60, 60), (0, 63), 0.0).onset.point == 60


def test_two_priors_give_an_edge_each() -> None:
    """An outer edge by moves that take long, an inner one by those that do not; the same in reversed time."""
    short = np.array([0.0, 0.0, 0.0, 0.02, 0.1, 0.8, 0.06, 0.02])
    long = np.array([0.02, 0.02, 0.3, 0.3, 0.3, 0.04, 0.02, 0.0])
    begun = Spread(10, short, long)
    onset, end = estimates("fall", begun, begun.mirrored(40))
    assert (onset.point, onset.low, onset.high) == (15, 12, 16)
    assert (end.point, end.low, end.high) == (25, 24, 28)
    slow, _ = estimates("fall", begun, begun, slow=True)
    assert (slow.low, slow.high) == (12, 15)
    alone, _ = estimates("rise", Spread(10, short), Spread(10, short))
    assert alone == summarise(short, 10)


def test_interval_is_the_shortest_that_holds_enough() -> None:
    mass = np.array([0.02, 0.5, 0.01, 0.44, 0.03])
    found = summarise(mass, 10, 0.9)
    assert (found.point, found.low, found.high) == (11, 11, 13)
    lopsided = np.array([0.04, 0.3, 0.3, 0.3, 0.005, 0.005, 0.05])
    found = summarise(lopsided, 0, 0.94)
    assert (found.low, found.high) == (0, 3)


@pytest.mark.parametrize(("one", "days"), [(0.91, 1), (0.89, 2)])
def test_the_nearest_interval_of_whole_days_may_hold_a_little_less(one: float, days: int) -> None:
    mass = np.array([1 - one, one])
    found = summarise(mass, 0, nearest=True)
    assert found.high - found.low + 1 == days
    assert summarise(mass, 0).low == 0


def test_nearest_intervals_hold_their_chance_in_the_mean() -> None:
    rng = np.random.default_rng(5)
    held = []
    for _ in range(2000):
        mass = rng.dirichlet(rng.uniform(0.3, 3) * np.array([1, 3, 9, 3, 1]))
        found = summarise(mass, 0, nearest=True)
        held.append(mass[found.low : found.high + 1].sum())
    assert 0.94 < np.mean(held) < 0.96
