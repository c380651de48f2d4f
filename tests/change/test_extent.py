"""How far a move went: its ratio, with an interval that holds, from the units next to it."""

import datetime as dt

import numpy as np
from change_series import START

from spamtide.change.moves.extent import extent, near
from spamtide.change.moves.segment import Track


def track(count: np.ndarray, size: float = 20.0) -> Track:
    ones = np.ones(len(count))
    return Track(START.astype(dt.date), 1, count.astype(float), ones, ones, size)


def test_the_interval_of_a_ratio_holds() -> None:
    """A fall to 30 %, days over-dispersed and each like the day before: held by about 95 of 100 intervals."""
    rng = np.random.default_rng(8)
    held = 0
    for _ in range(300):
        noise = np.zeros(56)
        for day in range(1, 56):
            noise[day] = 0.4 * noise[day - 1] + rng.normal(0, 0.12)
        level = np.where(np.arange(56) < 28, 40.0, 12.0) * np.exp(noise)
        found = extent(track(rng.poisson(level * rng.gamma(20, 1 / 20, 56))), (0, 28), (28, 56))
        assert found is not None
        held += found[1] <= 0.3 <= found[2]
    assert 0.92 <= held / 300 <= 1.0


def test_what_was_never_there_has_no_ratio_and_what_is_gone_has_a_bound() -> None:
    gone = np.array([9] * 20 + [0] * 20)
    assert extent(track(gone), (20, 30), (30, 40)) is None
    found = extent(track(gone), (0, 20), (20, 40))
    assert found is not None
    assert found[:2] == (0.0, 0.0)
    assert 0 < found[2] < 0.1
    back = extent(track(gone[::-1] + (np.arange(40) == 3)), (0, 20), (20, 40))
    assert back is not None
    assert back[1] < 180 < back[2]


def test_units_in_doubt_count_only_where_too_few_are_sure() -> None:
    assert near((0, 60), (64, 99), (55, 62, 62, 70)) == ((27, 55), (70, 98))
    assert near((0, 9), (64, 70), (5, 62, 62, 68)) == ((0, 9), (64, 70))
