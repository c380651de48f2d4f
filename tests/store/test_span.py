"""Which days a panel has: those with mail, without strays of wrong clocks and forged dates."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from spamtide.store.panels import _span

FIRST = np.datetime64("2024-01-01")
STORED = dt.datetime(2024, 4, 30, 12, tzinfo=dt.UTC)
"""Day 120, counted from the first."""


def _days(*numbers: int) -> np.ndarray:
    return FIRST + np.array(numbers, dtype="m8[D]")


@pytest.mark.parametrize(
    ("later", "counts"), [((150,), (1,)), ((125, 4000), (3, 26)), ((121, 122, 5000), (9, 2, 26))]
)
def test_days_after_the_mail_was_stored_are_forged(later: tuple[int, ...], counts: tuple[int, ...]) -> None:
    days = np.concatenate([FIRST + np.arange(100, dtype="m8[D]"), _days(*later)])
    found = _span(days, np.concatenate([np.full(100, 20), counts]), STORED)
    assert (found[0], found[-1]) == (FIRST, FIRST + np.timedelta64(99 if later[0] > 121 else 121, "D"))


def test_a_stray_of_decades_ago_does_not_make_forged_days_usual() -> None:
    days = np.concatenate([_days(-12000), FIRST + np.arange(100, dtype="m8[D]"), _days(150)])
    found = _span(days, np.concatenate([[1], np.full(100, 20), [1]]), STORED)
    assert (found[0], found[-1]) == (FIRST, FIRST + np.timedelta64(99, "D"))


def test_a_late_clock_of_this_machine_leaves_no_mail_out() -> None:
    days = FIRST + np.arange(200, dtype="m8[D]")
    assert len(_span(days, np.full(200, 20), STORED)) == 200
    assert len(_span(days, np.full(200, 20), dt.datetime(1970, 1, 1, tzinfo=dt.UTC))) == 200


def test_a_stray_a_year_away_is_left_out_at_either_end() -> None:
    days = np.concatenate([_days(-500), FIRST + np.arange(100, dtype="m8[D]"), _days(600)])
    found = _span(days, np.concatenate([[1], np.full(100, 20), [2]]), None)
    assert (found[0], found[-1]) == (FIRST, FIRST + np.timedelta64(99, "D"))
