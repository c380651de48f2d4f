"""Stretches without mail at any sensor: nobody was looking, and no botnet stopped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from spamtide.change import detect
from spamtide.model import Panel
from spamtide.series import estimate, measure

Make = Callable[..., Any]
"""Makes a world or a panel; see conftest."""

FIRST = dt.date(2024, 1, 1)
DARK = 120
"""The day from which nothing is collected."""
SEEDS = range(3)


def _read_once(world: Make, panel_of: Make, seed: int, *, ham: bool, strays: tuple[int, ...]) -> Panel:
    """A box that was read on day DARK, and a few messages of the months after."""
    made = world(seed, days=300)
    counts, other = made.counts(), made.ham.copy()
    counts[:, :, DARK:] = 0
    other[:, DARK:] = 0
    for day in strays:
        counts[-1, 0, day] = 1
    return panel_of(counts, other if ham else None)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("ham", [True, False])
@pytest.mark.parametrize("strays", [(299,), (130, 200, 299), (121, 299)])
def test_a_stray_behind_months_without_mail_is_no_end_of_anything(
    world: Make, panel_of: Make, seed: int, strays: tuple[int, ...], *, ham: bool
) -> None:
    measurement = measure(_read_once(world, panel_of, seed, ham=ham, strays=strays))
    kinds = {one.kind for one in detect(measurement) if ((one.end or one.onset) - FIRST).days >= DARK - 7}
    assert kinds <= {"sensor-outage"}
    dark = [one for one in measurement.exposure.outages if one.kind == "down"]
    assert {one.sensor for one in dark} == set(measurement.panel.sensors)
    assert {(one.start - FIRST).days for one in dark} <= {DARK}
    assert not measurement.exposure.values[:, DARK:].any()


@pytest.mark.parametrize("seed", SEEDS)
def test_mail_that_comes_back_ends_the_stretch(world: Make, panel_of: Make, seed: int) -> None:
    made = world(seed, days=300)
    counts, ham = made.counts(), made.ham.copy()
    counts[:, :, DARK:200] = 0
    ham[:, DARK:200] = 0
    counts[-1, 0, 150] = 1
    exposure = estimate(panel_of(counts, ham))
    assert not exposure.values[:, DARK:200].any()
    assert exposure.values[:, 201:].all()
    assert {((one.start - FIRST).days, (one.end - FIRST).days) for one in exposure.outages if one.end} == {
        (DARK, 199)
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_mail_that_comes_back_thinly_ends_the_stretch(world: Make, panel_of: Make, seed: int) -> None:
    """A message every other day is a stray beside hundreds a day, and none beside months without."""
    made = world(seed, days=400)
    counts, ham = made.counts(), made.ham.copy()
    counts[:, :, DARK:] = 0
    ham[:, DARK:] = 0
    counts[0, 0, 300::2] = 1
    counts[0, 0, 150] = 1
    exposure = estimate(panel_of(counts, ham))
    assert exposure.values[0, 300:].all()
    (first,) = [one for one in exposure.outages if one.sensor == panel_of(counts, ham).sensors[0]]
    assert ((first.start - FIRST).days, first.end and (first.end - FIRST).days) == (DARK, 299)
    assert first.evidence.startswith("hardly any mail (1) for 180 days")


@pytest.mark.parametrize("seed", SEEDS)
def test_other_mail_shows_that_somebody_looked(world: Make, panel_of: Make, seed: int) -> None:
    """All spam stops and ham goes on: that is not the end of the collecting, and no sensor is down."""
    made = world(seed, days=300)
    counts = made.counts()
    counts[:, :, DARK:] = 0
    exposure = estimate(panel_of(counts, made.ham))
    assert not [one for one in exposure.outages if one.kind == "down"]


@pytest.mark.parametrize("seed", SEEDS)
def test_one_botnet_that_is_all_there_is_may_stop(panel_of: Make, seed: int) -> None:
    """One sender at three sensors, no other mail, and a trickle after it: no second sender says otherwise."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(20.0, (2, 3, 300))
    counts[1] = 0
    counts[0, :, DARK:] = rng.poisson(0.03, (3, 180))
    changes = detect(measure(panel_of(counts)))
    assert {"b0"} <= {change.subject for change in changes if change.kind == "cease"}
