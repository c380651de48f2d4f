"""Arrays are reckoned with alike, and none is read or written beyond its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from forms import arrow, date, dispersion, kinship, loglinear, regrouping, waves

from spamtide.compiled import native
from spamtide.each import in_turn

pytestmark = pytest.mark.usefixtures("compiled")


@pytest.mark.parametrize("level", [0.2, 80.0, 30_000.0])
def test_dates_are_reckoned_alike(monkeypatch: pytest.MonkeyPatch, level: float) -> None:
    """But for the last digits; of few messages and of so many that a ramp's days tell all."""
    rng = np.random.default_rng(8)
    unlike = rng.gamma(8.0, 1 / 8, 120)
    count = rng.poisson(level * np.where(np.arange(120) < 60, 1.0, 0.4) * unlike).astype(float)
    offset = np.where(np.arange(120) % 37 == 20, 0.0, rng.uniform(0.8, 1.2, 120))
    asked = [
        (residuals, move, size)
        for residuals in (date.RESIDUALS, date.SHALLOW_RESIDUALS)
        for move in ((60, 61), (40, 90), (119, 120), (1, 2))
        for size in (0.5, 8.0, 5000.0)
    ]

    def reckoned() -> list[np.ndarray]:
        return [
            date.ramp_posterior(count, offset, size, move, (0, 120), residuals)[1]
            for residuals, move, size in asked
        ]

    compiled = reckoned()
    monkeypatch.setattr(date, "native", None)
    for one, other in zip(compiled, reckoned(), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-9)


def test_wandering_is_reckoned_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the bit: every operation is the same one."""
    rng = np.random.default_rng(8)
    rows, points = 5, len(waves.GRID)
    log = np.where(rng.random((rows, 61)) < 0.1, np.nan, rng.normal(3.0, 0.3, (rows, 61)))
    after = np.cumsum(rng.random((rows, 61)) < 0.02, axis=1) % 2.0
    noise, uneven = rng.uniform(0.001, 0.1, (rows, 61)), rng.uniform(0.001, 0.1, (rows, points))
    memory, spread = waves.GRID[:, 0].copy(), waves.GRID[:, 1] ** 2

    def reckoned() -> list[bytes]:
        found = waves._run(waves._Rows(log, noise, uneven, after), memory, spread)[:2]
        return [one.tobytes() for one in found]

    compiled = reckoned()
    monkeypatch.setattr(waves, "native", None)
    assert reckoned() == compiled


def test_ramps_of_other_shapes_are_refused() -> None:
    """Nothing is read or written beyond an array."""
    assert native is not None
    days, kinds = (np.ones(9), np.ones(9), np.zeros((2, 9))), (np.ones(3), np.ones((3, 9)), np.ones((3, 9)))
    grid = np.ones((3, 2)), np.ones(2)

    def ramps(first: int, numbers: list[int], sides: list[np.ndarray], mass: tuple[int, int]) -> None:
        given = tuple(sides[:3]), tuple(sides[3:6]), tuple(sides[6:])
        native.ramps(*given, first, np.array(numbers, dtype=np.int64), (50.0, 500.0), np.zeros(mass))

    sides = [*days, *kinds, *grid]
    ramps(4, [2, 2, 1], sides, (3, 2))
    for first, numbers, mass in (
        (-1, [2, 2, 1], (3, 2)),
        (9, [2, 1, 1], (3, 2)),
        (4, [3, 2, 1], (3, 2)),
        (4, [0, 2, 1], (3, 2)),
        (4, [2, 1, 2], (3, 2)),
        (7, [2, 2, 2], (3, 2)),
        (4, [], (0, 2)),
        (4, [2], (1, 0)),
    ):
        with pytest.raises(ValueError, match="shapes"):
            ramps(first, numbers, sides, mass)
    for wrong in range(len(sides)):
        for length in (0,) if wrong == len(sides) - 1 else (0, 1, 7):  # any number of residuals will do
            with pytest.raises(ValueError, match="shapes"):
                ramps(
                    4,
                    [2, 2, 1],
                    [np.ones(length) if at == wrong else one for at, one in enumerate(sides)],
                    (3, 2),
                )


def test_mixes_and_levels_of_other_shapes_are_refused() -> None:
    """Nothing is read or written beyond an array."""
    assert native is not None

    def exchange(sides: list[Any], old: list[int], new: list[int], programmes: tuple[int, int]) -> None:
        units = tuple(np.array(one, dtype=np.int64) for one in (old, new))
        bounds = 0.1, 0.05, 0.15, 1.0, 0.003, 0.8, 0.1
        native.exchange(tuple(sides), units, (np.ones(2), np.ones(2)), (*programmes, 2, 3), bounds)

    sides = [np.ones((2, 9)), np.ones(9), np.ones(9, dtype=bool)]
    exchange(sides, [0, 1, 2, 3], [5, 6], (0, 1))
    for old, new, programmes in (
        ([0, 9], [5], (0, 1)),
        ([-1, 2], [5], (0, 1)),
        ([0, 1], [9], (0, 1)),
        ([2, 1], [5], (0, 1)),
        ([0, 1], [5], (2, 1)),
        ([0, 1], [5], (0, -1)),
    ):
        with pytest.raises(ValueError, match="shapes"):
            exchange(sides, old, new, programmes)
    for wrong in range(len(sides)):
        with pytest.raises(ValueError, match="shapes"):
            exchange([np.ones(7) if at == wrong else one for at, one in enumerate(sides)], [0], [5], (0, 1))
    for programmes, windows in ((0, 1), (2, 1), (1, 3)):
        with pytest.raises(ValueError, match="shapes"):
            native.uneven(np.ones(9), programmes, (5, 12.0, 1e-12), np.zeros(windows))
    for part, window in ((8, 7), (9, 0)):
        with pytest.raises(ValueError, match="shapes"):
            native.swing(np.ones(part), np.ones(9), 0.1, window, (0.1, 0.9, 2.56))
    for offset, bounds in ((8, [0, 9]), (9, [0]), (9, [0, 10]), (9, [-1, 9]), (9, [0, 5, 4, 9])):
        with pytest.raises(ValueError, match="shapes"):
            native.levels(np.ones(9), np.ones(offset), 1.0, np.array(bounds, dtype=np.int64), (9, 1e-9))
    sums = np.arange(10.0)

    def lines(days: list[np.ndarray], begins: list[int], left: int, right: int, ends: int) -> None:
        places = np.array(begins, dtype=np.int64), np.array([7] * ends, dtype=np.int64)
        native.lines(tuple(days), places, left, right, 1.0, 1e-9, np.zeros((1, 2)))

    days = [np.ones(9), np.ones(9), sums, sums]
    lines(days, [3], 1, 9, 2)
    for begins, left, right, ends in (
        ([3, 4], 1, 9, 2),
        ([3], 1, 10, 2),
        ([0], 1, 9, 2),
        ([3], 1, 6, 2),
        ([3], 1, 9, 1),
    ):
        with pytest.raises(ValueError, match="shapes"):
            lines(days, begins, left, right, ends)
    for wrong in range(len(days)):
        with pytest.raises(ValueError, match="shapes"):
            lines([np.ones(7) if at == wrong else one for at, one in enumerate(days)], [3], 1, 9, 2)


def test_the_nearest_strains_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each one's nearest, with ties and more of them than are kept, of a part of all strains."""
    rng = np.random.default_rng(5)
    traits = sp.random(90, 40, 0.2, "csr", rng=rng)
    traits.data = np.round(traits.data * 4) / 4  # so that many are as near as others
    ours, turned = traits[::3], traits.T.tocsr()
    asked, among = np.arange(0, 90, 3), np.arange(90)

    def pairs(each: Callable[..., Any]) -> set[tuple[int, int]]:
        here, there = kinship._nearest(ours, turned, asked, among, 0.5, each)
        found = set(zip(here.tolist(), there.tolist(), strict=True))
        assert len(found) == len(here)
        return found

    compiled = pairs(in_turn)
    monkeypatch.setattr(kinship, "native", None)
    assert pairs(in_turn) == compiled
    assert len(compiled) > 90


def test_inner_products_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the bit, whatever the order of the two."""
    rng = np.random.default_rng(6)
    vectors = [
        dict(zip(rng.permutation(60).tolist(), rng.random(n).tolist(), strict=False)) for n in (0, 9, 50, 60)
    ]
    compiled = [regrouping._dot(one, other) for one in vectors for other in vectors]
    monkeypatch.setattr(regrouping, "native", None)
    assert [regrouping._dot(one, other) for one in vectors for other in vectors] == compiled


@pytest.mark.parametrize("sensors", [1, 2, 7])
@pytest.mark.parametrize("shrink", [0.0, 0.5])
def test_fits_are_the_same(monkeypatch: pytest.MonkeyPatch, sensors: int, shrink: float) -> None:
    """But for the last digits: sums are taken in another order."""
    rng = np.random.default_rng(sensors)
    exposure = np.where(rng.random((sensors, 61)) < 0.1, 0.0, rng.gamma(9.0, 2.0, (sensors, 61)))
    counts = rng.poisson(exposure * rng.gamma(4.0, 1 / 4, (sensors, 61)) * rng.gamma(5.0, 1 / 5, 61))
    counts[0, :40] = counts[-1, 20:25] = 0

    def fitted() -> list[np.ndarray]:
        found = [loglinear.fit(counts, exposure, shrink=shrink, base=slice(5, 50))]
        found += [loglinear.fit(counts, exposure, shrink=shrink, variance="quasi-poisson")]
        return [
            np.array([*one.level, *one.log_se, *one.low, *one.high_90, *one.sensor, one.overdispersion])
            for one in found
        ]

    compiled = fitted()
    for user in (loglinear, arrow, dispersion):
        monkeypatch.setattr(user, "native", None)
    for one, other in zip(compiled, fitted(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_a_fit_that_comes_to_nothing_is_left_to_the_python() -> None:
    """A day without any weight: no effect of it can be told."""
    assert native is not None
    table, prior = (np.ones((2, 3)), np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]])), (np.zeros(2), np.ones(2))
    assert not native.score(table, prior, (np.zeros(2), np.zeros(3)), -1, 0.1, (9, 1.5, 50.0, 1e-9))


def test_panels_of_other_shapes_are_refused() -> None:
    """Nothing is read or written beyond an array."""
    assert native is not None
    bounds = 9, 1.5, 50.0, 1e-9
    sides = [np.ones((2, 3)), np.ones((2, 3)), np.zeros(2), np.ones(2), np.zeros(2), np.zeros(3)]

    def score(sides: list[np.ndarray], held: int) -> None:
        native.score(tuple(sides[:2]), tuple(sides[2:4]), tuple(sides[4:]), held, 0.1, bounds)

    score(sides, 1)
    for held in (-2, 2):
        with pytest.raises(ValueError, match="shapes"):
            score(sides, held)
    for wrong in range(len(sides)):
        for length in (0, 1, 7):
            with pytest.raises(ValueError, match="shapes"):
                score([np.ones(length) if at == wrong else one for at, one in enumerate(sides)], 0)
    with pytest.raises(ValueError, match="shapes"):
        native.dispersion(np.ones(3), np.ones(2), 2, (50.0, 9, 1e-9))
    for places, ends in ((3, 2), (0, 0), (0, 2), (1, 0)):
        with pytest.raises(ValueError, match="shapes"):
            native.cuts(np.ones(places), 0.0, 1.0, np.zeros(ends, dtype=np.int64))
    shapes = [(2, 3), (1, 3), (3,), (1,), (2, 3), (2,)]

    def spread(arrays: list[np.ndarray], place: list[int], inner: int = 2, crossed: int = 3) -> None:
        sides = np.array(place, dtype=np.int64), np.zeros((inner, inner)), np.zeros(crossed)
        native.spread(tuple(arrays), *sides)

    arrays = [np.ones(shape) for shape in shapes]
    spread(arrays, [-1, 0])
    for place, inner, crossed in (
        ([-2, 0], 2, 3),
        ([0, 1], 2, 3),
        ([0], 2, 3),
        ([0, 0], 3, 3),
        ([0, 0], 2, 2),
    ):
        with pytest.raises(ValueError, match="shapes"):
            spread(arrays, place, inner, crossed)
    for wrong in range(len(arrays)):
        with pytest.raises(ValueError, match="shapes"):
            spread([np.ones(7) if at == wrong else one for at, one in enumerate(arrays)], [-1, 0])
    native.correlate(np.ones((2, 3)), np.ones(2), np.ones((2, 3)))
    for values, near, out in (((2, 3), 3, (2, 3)), ((2, 3), 2, (2, 2)), ((7,), 2, (7,))):
        with pytest.raises(ValueError, match="shapes"):
            native.correlate(np.ones(values), np.ones(near), np.ones(out))


def test_arrays_of_other_shapes_are_refused() -> None:
    """Nothing is read or written beyond an array."""
    assert native is not None
    arrays = [np.ones(3), *(np.ones(1) for _ in range(8)), np.ones(3), np.ones(6)]

    def follow(arrays: list[np.ndarray], stop: int) -> None:
        native.follow(tuple(arrays[:3]), tuple(arrays[3:7]), tuple(arrays[7:]), 0, stop)

    follow(arrays, 1)
    with pytest.raises(ValueError, match="shapes"):
        follow(arrays, 2)
    for wrong in range(len(arrays)):
        with pytest.raises(ValueError, match="shapes"):
            follow([np.ones(7) if at == wrong else one for at, one in enumerate(arrays)], 1)
    rows = np.ones(2), np.array([0, 1], dtype=np.int32), np.array([0, 1, 2])

    def nearest(ours: tuple[np.ndarray, ...], theirs: tuple[np.ndarray, ...], strains: int) -> None:
        native.nearest(ours, theirs, np.arange(2), np.arange(strains), 0.5, np.zeros((2, 1), dtype=np.int64))

    nearest(rows, rows, 2)
    beyond = (*rows[:2], np.array([0, 3, 2])), (rows[0], np.array([0, 2], dtype=np.int32), rows[2])
    for wrong in beyond:
        for ours, theirs in ((wrong, rows), (rows, wrong)):
            with pytest.raises(ValueError, match="shapes"):
                nearest(ours, theirs, 2)
    with pytest.raises(ValueError, match="shapes"):
        nearest(rows, rows, 1)
    with pytest.raises(TypeError):
        native.inner({1: 1.0}, {1: 1})
