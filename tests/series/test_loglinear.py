"""The panel model against published output, direct solutions and known truth."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spamtide.series import fit
from spamtide.series.fitting.interval import _quantile
from spamtide.series.fitting.loglinear import _scoring

Make = Callable[..., Any]
"""Makes a world or a panel; see conftest."""


@pytest.fixture(scope="session")
def trim(corpora: Path) -> tuple[np.ndarray, dict]:
    """Counts (sites, years), NaN where not observed, and the published figures."""
    folder = corpora.parent / "reference" / "trim"
    if not (folder / "expected.json").is_file():
        reason = "no TRIM reference beside the corpora"
        if os.environ.get("SPAMTIDE_REQUIRE_ALL") == "1":
            pytest.fail(f"required, but missing: {reason}")
        pytest.skip(reason)
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    with (folder / "skylark.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    sites = sorted({row["site"] for row in rows})
    counts = np.full((len(sites), len(expected["years"])), np.nan)
    for row in rows:
        if row["count"] not in {"", "NA"}:
            counts[sites.index(row["site"]), expected["years"].index(int(row["year"]))] = float(row["count"])
    return counts, expected


@pytest.mark.corpus
def test_published_trim_output_is_reproduced(trim: tuple[np.ndarray, dict]) -> None:
    """Index to four decimals, standard errors within 1 %, dispersion and correlation as printed."""
    counts, expected = trim
    fitted = fit(
        counts, np.where(np.isfinite(counts), 1.0, np.nan), variance="quasi-poisson", base=slice(0, 1)
    )
    np.testing.assert_allclose(fitted.level, expected["index_base_1984"], atol=5e-5)
    np.testing.assert_allclose(fitted.log_se, expected["se_log_index"], rtol=0.01, atol=1e-12)
    np.testing.assert_allclose(fitted.level * fitted.log_se, expected["se_index"], rtol=0.01, atol=1e-12)
    assert fitted.overdispersion == pytest.approx(expected["overdispersion"], abs=5e-5)
    assert fitted.serial_correlation == pytest.approx(expected["serial_correlation"], abs=5e-5)


def test_poisson_scores_equal_a_direct_maximum_of_the_likelihood() -> None:
    """Scoring with the days eliminated finds what a general optimiser finds on a small table with gaps."""
    from scipy.optimize import minimize

    rng = np.random.default_rng(4)
    y = rng.poisson(8, (3, 9)).astype(float)
    u = rng.uniform(0.5, 2.0, (3, 9))
    u[0, :3] = 0.0
    y[0, :3] = 0.0
    sensor, day = _scoring(y, u, 0.0, (np.zeros(3), np.zeros(3)), np.array([0, 1]))

    def loss(effects: np.ndarray) -> float:
        mean = u * np.exp(np.append(effects[:2], 0.0)[:, None] + effects[2:])
        return float(mean.sum() - (y * np.log(np.where(u > 0, mean, 1.0))).sum())

    best = minimize(loss, np.zeros(11), method="BFGS", options={"gtol": 1e-8}).x
    np.testing.assert_allclose(np.exp(day + sensor[2]), np.exp(best[2:]), rtol=1e-4)
    np.testing.assert_allclose(sensor[:2] - sensor[2], best[:2], atol=1e-4)


def test_a_full_poisson_table_has_the_closed_solution() -> None:
    """Without gaps the Poisson index is the sum over sensors."""
    y = np.array([[3, 6, 9, 0], [10, 22, 28, 0]])
    fitted = fit(y, np.ones(y.shape), variance="quasi-poisson", base=slice(0, 1))
    np.testing.assert_allclose(fitted.level, [1.0, 28 / 13, 37 / 13, 0.0], rtol=1e-6)


@pytest.mark.parametrize("rho", [0.0, 0.4])
def test_covariance_without_large_matrices_equals_the_dense_sandwich(rho: float) -> None:
    """log_variance, covariance and the textbook A^-1 B A^-1 agree to rounding."""
    from dataclasses import replace

    rng = np.random.default_rng(1)
    u = np.ones((4, 30))
    u[1, :7] = 0.0
    u[2, 11:14] = 0.0
    spread = fit(rng.poisson(20, (4, 30)), u).spread
    assert spread is not None
    spread = replace(spread, rho=rho)
    sensors, days = spread.weight.shape
    bread = np.zeros((sensors + days, sensors + days))
    meat = np.zeros_like(bread)
    for row in range(sensors):
        design = np.concatenate([np.eye(sensors)[[row] * days], np.eye(days)], axis=1)
        design *= np.sqrt(spread.weight[row])[:, None]
        bread += design.T @ design
        meat += design.T @ rho ** np.abs(spread.days[:, None] - spread.days) @ design
    bread[spread.free, spread.free] += spread.prior
    meat[spread.free, spread.free] += spread.prior
    keep = np.append(spread.free, np.arange(sensors, sensors + days))
    inverse = np.linalg.inv(bread[np.ix_(keep, keep)])
    dense = (inverse @ meat[np.ix_(keep, keep)] @ inverse)[len(spread.free) :, len(spread.free) :]
    share = np.where(np.arange(days) < 7, 1 / 7, 0.0)
    contrast = np.eye(days) - share
    np.testing.assert_allclose(spread.log_variance(share), np.diag(contrast @ dense @ contrast.T), rtol=1e-9)
    np.testing.assert_allclose(spread.covariance(contrast), contrast @ dense @ contrast.T, atol=1e-12)


def test_a_sensor_ten_times_larger_moves_the_sum_but_not_the_index(world: Make) -> None:
    """Joining half-way: mean error of the level after the join within 2 % over 30 worlds; the sum doubles."""
    errors, jumps = [], []
    for seed in range(30):
        made = world(seed, sizes=(20.0, 50.0, 100.0, 200.0, 80.0, 900.0))
        counts = made.counts().sum(axis=0)
        exposure = np.ones(counts.shape)
        exposure[5, :90] = 0.0
        counts[5, :90] = 0
        fitted = fit(counts, exposure, base=slice(0, 28))
        truth = made.index(slice(0, 28)) / 100
        errors.append(np.log(fitted.level[90:].mean() / truth[90:].mean()))
        jumps.append(counts.sum(axis=0)[90:].mean() / counts.sum(axis=0)[:28].mean() / truth[90:].mean())
    assert abs(np.mean(errors)) < 0.02
    assert np.std(errors) < 0.08
    assert min(jumps) > 2.0


def test_intervals_hold_the_truth_about_as_often_as_they_say(world: Make) -> None:
    """Nominal 95 %, day by day, with noise, correlation, a joiner and outages: 91 to 98 % over 30 worlds."""
    inside = []
    for seed in range(30):
        made = world(100 + seed)
        counts = made.counts().sum(axis=0)
        exposure = np.ones(counts.shape)
        exposure[3, :60] = 0.0
        exposure[1, 100:110] = 0.0
        fitted = fit(counts, exposure, base=slice(0, 28))
        truth = made.index(slice(0, 28)) / 100
        inside.append(((fitted.low <= truth) & (truth <= fitted.high)).mean())
    assert 0.91 < np.mean(inside) < 0.98


def test_intervals_of_thin_mail_hold_the_truth(world: Make) -> None:
    """The same with a message or two a day, most sensor-days empty."""
    inside = []
    for seed in range(20):
        made = world(seed, sizes=(0.2, 0.3, 0.5, 1.0), subjects=1)
        fitted = fit(made.counts().sum(axis=0), np.ones((4, 180)), base=slice(0, 60))
        truth = made.index(slice(0, 60)) / 100
        inside.append(((fitted.low <= truth) & (truth <= fitted.high)).mean())
    assert 0.92 < np.mean(inside) <= 1.0


def test_dispersion_and_correlation_are_found(world: Make) -> None:
    """Dispersion 0.1 and correlation 0.3 come back within a third, on average."""
    fits = [fit(world(seed).counts().sum(axis=0), np.ones((5, 180))) for seed in range(10)]
    assert np.mean([f.overdispersion for f in fits]) == pytest.approx(0.1, rel=0.33)
    assert np.mean([f.serial_correlation for f in fits]) == pytest.approx(0.3, rel=0.4)


def test_days_without_mail_are_zero_with_an_upper_bound() -> None:
    """Index 0, low 0, high above 0 and below the usual level."""
    y = np.full((3, 40), 5)
    y[:, 20] = 0
    fitted = fit(y, np.ones(y.shape))
    assert fitted.level[20] == 0
    assert fitted.low[20] == 0
    assert 0 < fitted.high[20] < 1


def test_days_that_no_overlap_joins_are_unknown() -> None:
    """One sensor leaves before the other joins: two parts, and only the base's is told."""
    exposure = np.ones((2, 40))
    exposure[0, 20:] = 0
    exposure[1, :20] = 0
    fitted = fit(np.full((2, 40), 9), exposure, base=slice(0, 10))
    assert fitted.pieces == 2
    assert np.isfinite(fitted.level[:20]).all()
    assert np.isnan(fitted.level[20:]).all()


def test_a_thin_subject_keeps_the_given_sensor_effects() -> None:
    """With a prior, five messages cannot make a sensor that has none impossible."""
    counts = np.zeros((3, 60), dtype=int)
    counts[0, [3, 9, 27, 44, 51]] = 1
    expected = np.repeat([[1.0], [1.0], [30.0]], 60, axis=1)
    fitted = fit(counts, expected, shrink=1.0)
    assert (fitted.sensor > 0).all()
    assert np.isfinite(fitted.low).all()
    assert np.isfinite(fitted.high).all()


def test_words_and_shapes_that_do_not_fit_are_refused() -> None:
    """ValueError, naming what is wrong."""
    with pytest.raises(ValueError, match="not one table"):
        fit(np.ones((2, 3)), np.ones((3, 2)))
    with pytest.raises(ValueError, match="no such variance"):
        fit(np.ones((2, 3)), np.ones((2, 3)), variance="gamma")  # type: ignore[arg-type]  # on purpose


@settings(max_examples=60, deadline=None)
@given(
    counts=arrays(np.int64, (3, 12), elements=st.integers(0, 40)),
    exposure=arrays(np.float64, (3, 12), elements=st.sampled_from([0.0, 0.5, 1.0, np.nan])),
    shrink=st.sampled_from([0.0, 1.0]),
)
def test_any_table_gives_ordered_intervals(counts: np.ndarray, exposure: np.ndarray, shrink: float) -> None:
    """No table raises; levels lie in their intervals; days without an exposed sensor are NaN."""
    fitted = fit(counts, exposure, shrink=shrink)
    told = np.isfinite(fitted.level) & np.isfinite(fitted.high)
    assert (fitted.low[told] <= fitted.level[told]).all()
    assert (fitted.level[told] <= fitted.high[told]).all()
    assert np.isnan(fitted.level[~(np.nan_to_num(exposure) > 0).any(axis=0)]).all()


def test_a_sensor_that_never_saw_anything_says_nothing() -> None:
    """Where only such a sensor was up, the level is unknown, not zero."""
    y = np.full((2, 30), 7)
    y[1] = 0
    exposure = np.ones((2, 30))
    exposure[0, 10:13] = 0
    fitted = fit(y, exposure)
    assert np.isnan(fitted.level[10:13]).all()
    assert np.isfinite(np.delete(fitted.level, [10, 11, 12])).all()


@pytest.mark.parametrize("coverage", [0.9, 0.95])
@pytest.mark.parametrize("side", [-1, 1])
def test_quantiles_of_few_are_those_of_the_gamma_distribution(side: int, coverage: float) -> None:
    """From the shape of nothing to that of many; beyond it the cube root's error is below 1e-5."""
    from scipy.special import gammaincinv

    shape = np.concatenate((0.5 + np.geomspace(1e-9, 199.4, 500), [0.5, 200.0, 1e4]))
    found, exact = _quantile(shape, side, coverage), gammaincinv(shape, 0.5 + side * coverage / 2)
    assert found[:501] == pytest.approx(exact[:501], rel=1e-12)
    assert found == pytest.approx(exact, rel=1e-5)
