"""Levels that wander: how far is learned, what lies beyond is found, and nothing else is."""

import numpy as np
import pytest
from scipy.signal import lfilter

from spamtide.change.detect import adjust
from spamtide.change.moves import waves
from spamtide.change.moves.cut import cut_track
from spamtide.change.moves.find import find_all
from spamtide.change.moves.foresee import foresee
from spamtide.change.moves.segment import Track, prepare
from spamtide.change.moves.wander import levels_of, wander
from spamtide.change.moves.waves import GRID, Doubt, Known, Levels, Row, likelihoods
from spamtide.each import in_turn

START = np.datetime64("2024-01-01")
DAYS = 150


def track(
    rng: np.random.Generator, spread: float, story: np.ndarray | float = 1.0, phi: float = 0.9
) -> Track:
    """A series of 60 a day at NB size 20 whose log level is an AR(1)."""
    steps = rng.normal(0, spread * np.sqrt(1 - phi**2), DAYS)
    steps[0] = rng.normal(0, spread)
    level = 60 * np.exp(lfilter([1.0], [1.0, -phi], steps)) * story
    return prepare(START + np.arange(DAYS), rng.poisson(level * rng.gamma(20, 1 / 20, DAYS)), np.ones(DAYS))


def believed(tracks: list[Track], at: float = 0.1) -> list[tuple[int, str]]:
    """Moves that Benjamini and Hochberg's procedure would let through."""
    moves = [
        (n, event)
        for n, events in enumerate(find_all(tracks, 0.65))
        for event in events
        if event.alarmed is None
    ]
    adjusted = adjust([event.p_value for _, event in moves], len(tracks))
    return [(n, event.kind) for (n, event), q in zip(moves, adjusted, strict=True) if q <= at]


@pytest.mark.parametrize(("spread", "low", "high"), [(0.0, 0.0, 0.04), (0.1, 0.06, 0.15), (0.25, 0.17, 0.3)])
def test_series_say_together_how_far_they_wander(spread: float, low: float, high: float) -> None:
    rng = np.random.default_rng(1)
    cuts = [cut_track(track(rng, spread), 0.65) for _ in range(16)]
    found = wander([levels_of(cut.track, cut.segments) for cut in cuts], []).series
    means = [float((one.points[:, 1] * one.weights).sum()) for one in found]
    assert low <= np.mean(means) <= high


def test_a_question_goes_on_from_where_its_series_stood(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if its filter had run from the first day, with missing days and moves that are taken for real."""
    rng, story = np.random.default_rng(7), np.where(np.arange(DAYS) < 70, 1.0, 0.1)
    levels = []
    for _ in range(3):
        made = track(rng, 0.2, story).without(slice(40, 47))
        levels.append(levels_of(made, cut_track(made, 0.65).segments))
    doubts = [Doubt(n, begin, begin + 3) for n in range(3) for begin in (5, 33, 69, 100, 128)]
    resumed = wander(levels, doubts)
    monkeypatch.setattr(waves, "_MARK", 1024)
    whole = wander(levels, doubts)
    assert max(resumed.gains) > 50 > min(resumed.gains)
    np.testing.assert_allclose(resumed.gains, whole.gains, rtol=1e-9, atol=1e-9)


def test_waves_are_no_changes() -> None:
    """120 series of 150 days that wander by 20 %: 49 series-years."""
    rng = np.random.default_rng(2)
    told = [one for _ in range(6) for one in believed([track(rng, 0.2) for _ in range(20)])]
    assert len(told) <= 2


def test_a_stop_a_fall_to_a_third_and_a_dip_are_found_among_waves() -> None:
    rng = np.random.default_rng(3)
    day = np.arange(DAYS)
    stop, third = np.where(day < 90, 1.0, 0.02), np.where(day < 70, 1.0, 0.33)
    dip = np.where((day >= 60) & (day < 80), 0.03, 1.0)
    tracks = [track(rng, 0.15) for _ in range(12)]
    tracks += [track(rng, 0.15, stop), track(rng, 0.15, third), track(rng, 0.15, dip)]
    assert believed(tracks) == [(12, "fall"), (13, "fall"), (14, "fall"), (14, "rise")]


def test_a_step_says_little_where_levels_wander_and_much_where_they_hold_still() -> None:
    half = np.where(np.arange(DAYS) < 75, 1.0, 0.6)
    gains = []
    for spread in (0.0, 0.3):
        rng = np.random.default_rng(4)
        cuts = [cut_track(track(rng, spread, half if n == 0 else 1.0), 0.65) for n in range(10)]
        levels = [levels_of(cut.track, cut.segments) for cut in cuts]
        gains += wander(levels, [Doubt(0, 75, 75)]).gains
    assert gains[0] > 20
    assert gains[0] > gains[1] + 10


def test_what_is_foreseen_comes() -> None:
    """Tails of the last week under what was foreseen are about uniform."""
    rng = np.random.default_rng(5)
    low, number = 0, 0
    for _ in range(12):
        cuts = [cut_track(track(rng, 0.15), 0.65) for _ in range(12)]
        levels = [levels_of(cut.track, cut.segments) for cut in cuts]
        for cut, one, how in zip(cuts, levels, wander(levels, []).series, strict=True):
            where = np.flatnonzero(cut.track.observed)
            if len(where) < DAYS:
                continue
            (ahead,) = foresee(one, how, where[-60:], (7,))
            seen, offset = cut.track.count[-7:].sum(), cut.track.offset[-7:].sum()
            low += ahead.chance(seen, offset, 1.0, rise=False) < 0.1
            number += 1
    assert 0.03 <= low / number <= 0.2


def test_seasons_of_a_thin_series_are_no_changes_and_its_end_is_one() -> None:
    """Eight messages a week for seven years, which come and go over months; then a fifth of them."""
    rng = np.random.default_rng(6)
    days = 2459
    told: list[tuple[int, str]] = []
    for left in (1.0, 0.2):
        for n in range(10):
            steps = rng.normal(0, 0.35 * np.sqrt(1 - 0.995**2), days + 1000)
            level = 1.2 * np.exp(lfilter([1.0], [1.0, -0.995], steps))[1000:] * rng.gamma(2, 0.5, days)
            level[1500:] *= left
            one = prepare(START - 2000 + np.arange(days), rng.poisson(level), np.ones(days))
            assert one.step == 7
            told += [(n if left < 1 else n - 100, kind) for _, kind in believed([one], 0.05)]
    assert len([n for n, _ in told if n < 0]) <= 1
    assert {n for n, kind in told if n >= 0 and kind == "fall"} == set(range(10))


def test_nothing_is_said_of_no_series() -> None:
    assert find_all([], 0.65) == []
    assert wander([], []).gains == []


@pytest.mark.parametrize("days", [3, 7])
def test_a_level_that_wanders_is_never_silent(days: int) -> None:
    """Among levels that wander by a fifth, days without any mail are a fall and a return, and surely so."""
    rng = np.random.default_rng(17)
    story = np.where((np.arange(DAYS) >= 70) & (np.arange(DAYS) < 70 + days), 0.0, 0.4)
    tracks = [track(rng, 0.2, story), *(track(rng, 0.2, 0.4) for _ in range(9))]
    fall, back = (event for event in find_all(tracks, 0.65)[0] if event.alarmed is None)
    assert (fall.kind, back.kind) == ("fall", "rise")
    assert max(fall.p_value, back.p_value) < 1e-4


def test_what_pieces_say_is_what_the_whole_covariance_says() -> None:
    """Of every stretch between breaks, with its mean and its step fitted; also where a round knows some."""
    rng = np.random.default_rng(4)
    units = 150
    log = np.where(rng.random(units) < 0.05, np.nan, 3 + np.cumsum(rng.normal(0, 0.1, units)))
    levels = Levels(log, rng.uniform(0.001, 0.1, units), 0.05, 1)
    one, two, three = Doubt(0, 45, 48), Doubt(0, 90, 90), Doubt(0, 120, 124)
    rows = [
        Row(0, breaks, question)
        for breaks, question in (
            ((), ()),
            ((), (two,)),
            ((), (one, two)),
            ((two,), ()),
            ((two,), (one,)),
            ((two,), (three,)),
            ((one, two), (three,)),
            ((one,), (two, three)),
            ((two,), (one, three)),
        )
    ]
    known = Known()
    for some in (rows[:3], rows):
        found = likelihoods([(levels, row) for row in some], in_turn, known)
        for row in some:
            for point in (0, 3, 40, 150, len(GRID) - 1):
                expected = _by_covariance(levels, row, point)
                np.testing.assert_allclose([side[point] for side in found[row]], expected, rtol=0, atol=1e-8)


def _by_covariance(levels: Levels, row: Row, point: int) -> tuple[float, float]:
    """Log likelihood of a row without its step and with it, from the covariance of all units of a stretch."""
    memory, spread, noise = GRID[point]
    log, stretch = levels.log.copy(), np.zeros(len(levels.log))
    step = np.zeros(len(log))
    for one in (*row.breaks, *row.question):
        log[one.begin : one.end] = np.nan
    for one in row.breaks:
        stretch[one.end :] += 1
    for one in row.question:
        step[one.end :] = 1 - step[one.end :]
    sums = np.zeros(2)
    for number in np.unique(stretch):
        mine = np.flatnonzero((stretch == number) & np.isfinite(log))
        covariance = spread**2 * memory ** np.abs(mine[:, None] - mine) + np.diag(
            levels.poisson[mine] + levels.uneven * noise
        )
        root = np.linalg.cholesky(covariance)
        seen = np.linalg.solve(root, log[mine])
        for which, columns in enumerate(([np.ones(len(mine))], [np.ones(len(mine)), step[mine]])):
            told = np.linalg.solve(root, np.array(columns).T)
            left = seen - told @ np.linalg.lstsq(told, seen)[0]
            sums[which] -= np.log(np.diag(root)).sum() + left @ left / 2
    return float(sums[0]), float(sums[1])
