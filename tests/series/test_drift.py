"""Sensors that grow or shrink slowly against the others, and what only looks so."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from spamtide.change import detect
from spamtide.model import Floats, Outage, Panel
from spamtide.series import estimate, measure

DAYS, FIRST, LAST = 210, 50, 170
MakePanel = Callable[..., Panel]


def _counts(seed: int, size: Floats, botnets: int = 5) -> np.ndarray:
    """Counts of botnets at sensors whose size is given by day, shape (S, T)."""
    rng = np.random.default_rng(seed)
    level = rng.uniform(30, 90, botnets)[:, None] * rng.gamma(12, 1 / 12, (botnets, size.shape[1]))
    share = rng.dirichlet(np.full(len(size), 20.0))[:, None] * size
    noise = np.exp(rng.normal(0, 0.15, size.shape))
    return rng.poisson(level[:, None] * (share * noise)[None] * 2)


def _grown(times: float) -> Floats:
    return np.exp(np.clip((np.arange(DAYS) - FIRST) / (LAST - FIRST), 0, 1) * np.log(times))


def _drifts(panel: Panel) -> list[Outage]:
    return [o for o in estimate(panel).outages if o.steps]


@pytest.mark.parametrize("times", [2.5, 0.4])
def test_a_sensor_that_drifts_is_told_and_leaves_the_index(panel_of: MakePanel, times: float) -> None:
    """Three of eight that grow or shrink together carry no index, and each is told once."""
    size = np.ones((8, DAYS))
    size[:3] = _grown(times)
    panel = panel_of(_counts(3, size))
    found = _drifts(panel)
    assert [o.sensor for o in found] == ["s0", "s1", "s2"]
    for outage in found:
        low, high = outage.drift[1:]
        assert low < outage.drift[0] < high
        assert 0.7 < outage.drift[0] / times < 1.4
    measured = measure(panel)
    told = detect(measured, whole=True)
    assert {(c.kind, c.subject) for c in told} == {("sensor-change", f"s{n}") for n in range(3)}
    assert [c.ratio for c in told] == [o.drift[0] for o in sorted(found, key=lambda o: (o.start, o.sensor))]
    index = measured.series[0].index
    true = panel_of(_counts(3, np.ones((8, DAYS)))).counts[0].sum(axis=0)
    assert index[-28:].mean() / index[:28].mean() == pytest.approx(
        true[-28:].mean() / true[:28].mean(), rel=0.08
    )


def test_no_day_of_a_drift_is_lost(panel_of: MakePanel) -> None:
    """The sensor counts anew every few weeks; it is up all along."""
    size = np.ones((6, DAYS))
    size[2] = _grown(3)
    panel = panel_of(_counts(5, size))
    exposure = estimate(panel)
    (outage,) = [o for o in exposure.outages if o.steps]
    assert exposure.values.all()
    assert len(outage.steps) > 3
    assert outage.end is not None
    assert outage.start <= outage.steps[0]
    assert outage.steps[-1] <= outage.end


def test_a_drift_that_goes_on_has_no_end(panel_of: MakePanel) -> None:
    size = np.ones((6, DAYS))
    size[2] = np.exp(np.clip((np.arange(DAYS) - 90) / 120, 0, 1) * np.log(3))
    (outage,) = _drifts(panel_of(_counts(6, size)))
    assert outage.sensor == "s2"
    assert outage.end is None


def test_a_drift_that_goes_on_is_over_on_no_day(panel_of: MakePanel) -> None:
    """Day by day, wherever the last fortnight ends; and it is over once fortnights have followed its end."""
    size = np.ones((6, DAYS))
    size[2] = np.exp(np.clip((np.arange(DAYS) - 40) / 110, 0, 1) * np.log(3))
    counts = _counts(10, size)
    found = [_drifts(panel_of(counts[:, :, :days])) for days in range(129, 151)]
    assert all(len(drifts) == 1 and drifts[0].end is None for drifts in found)
    (outage,) = _drifts(panel_of(counts))
    assert outage.end is not None


def test_a_step_is_no_drift(panel_of: MakePanel) -> None:
    size = np.ones((6, DAYS))
    size[2, 100:] = 2.5
    (outage,) = estimate(panel_of(_counts(7, size))).outages
    assert outage.sensor == "s2"
    assert not outage.steps


def test_of_two_sensors_nobody_knows_which_drifts(panel_of: MakePanel) -> None:
    size = np.ones((2, DAYS))
    size[1] = _grown(2.5)
    assert not _drifts(panel_of(_counts(8, size)))


def test_a_botnet_that_fades_is_no_drift_of_its_sensors(panel_of: MakePanel) -> None:
    """A sensor with much of its mail loses more than the others: its subjects do not."""
    counts = _counts(9, np.ones((6, DAYS)))
    counts[0, :2] *= 6
    counts[0] = np.random.default_rng(1).binomial(counts[0], np.minimum(_grown(0.03), 1.0))
    assert not _drifts(panel_of(counts))
