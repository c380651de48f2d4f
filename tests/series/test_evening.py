"""A last day that is not over: when it counts as one, and what is said without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spamtide.model import Panel
from spamtide.series import is_over, measure, without_last_day

START = np.datetime64("2024-01-01T00")


def by_hour(panel_of: Callable[..., Panel], rates: tuple[float, ...], until: tuple[int, ...]) -> Panel:
    """Ten days of mail at even rates an hour; on the last day each sensor has it up to its own hour alone."""
    rng = np.random.default_rng(4)
    counts = rng.poisson(np.asarray(rates)[:, None], (len(rates), 240))
    for row, hour in enumerate(until):
        counts[row, 216 + hour :] = 0
    seen = np.flatnonzero(counts.sum(axis=0))[-1] + 1
    made = panel_of(counts[None, :, :seen])
    return replace(made, days=START + np.arange(seen))


@pytest.mark.parametrize(
    ("over", "rates", "until"),
    [
        (True, (10, 20, 5), (24, 24, 24)),
        (True, (10, 20, 5), (22, 22, 22)),  # two hours are as good as none
        (False, (10, 20, 5), (9, 9, 9)),
        (False, (10, 20, 5), (9, 9, 24)),  # one fast clock closes no day
        (True, (10, 20, 5), (24, 24, 0)),  # nor does one that died keep it open
        (True, (0.02, 0.01), (12, 12)),  # next to nothing is to come
        (False, (0.4, 0.3), (6, 6)),
    ],
)
def test_a_day_is_over_by_the_hours_of_most_of_its_mail(
    panel_of: Callable[..., Panel], *, over: bool, rates: tuple[float, ...], until: tuple[int, ...]
) -> None:
    assert is_over(by_hour(panel_of, rates, until)) is over


def test_without_hours_nobody_knows(panel_of: Callable[..., Panel]) -> None:
    assert is_over(panel_of(np.zeros((1, 2, 0), dtype=int))) is None
    assert is_over(panel_of(np.zeros((1, 0, 0), dtype=int))) is None


def test_an_open_day_has_its_count_and_no_level(
    world: Callable[..., Any], panel_of: Callable[..., Panel]
) -> None:
    """Every other day stays as it was, to the bit."""
    made = world(2)
    measured = measure(panel_of(made.counts(), made.ham))
    told = without_last_day(measured)
    assert (told.exposure.values[:, -1] == 0).all()
    assert np.array_equal(told.exposure.values[:, :-1], measured.exposure.values[:, :-1])
    for before, after in zip(measured.series, told.series, strict=True):
        assert np.array_equal(before.count, after.count)
        assert after.offset[-1] == 0
        for name in ("index", "low", "high", "low_90", "high_90"):
            assert np.isnan(getattr(after, name)[-1])
            assert np.array_equal(getattr(before, name)[:-1], getattr(after, name)[:-1], equal_nan=True)
    nothing = measure(panel_of(np.zeros((1, 2, 0), dtype=int)))
    assert without_last_day(nothing).series == () or all(
        not len(s.days) for s in without_last_day(nothing).series
    )
