"""Rented engines: counted by week where addresses tell, and remembered where they do not."""

from __future__ import annotations

import numpy as np
import pytest

from spamtide.attribution import rented, weeks_of_engines
from spamtide.attribution.ties.association import NO_DAY
from spamtide.attribution.ties.fleet import JOINS, STEP
from spamtide.attribution.ties.rented import count_kits
from spamtide.schema import UNDATED

JOIN = round(JOINS / STEP)
Row = tuple[int, int, bool, int]


def counted(rows: list[Row]) -> dict[tuple[int, str], tuple[int, int, int]]:
    """KITS of rows of (asked, steps, told, day), by week and botnet."""
    asked, kin, told, days = (np.array(column) for column in zip(*rows, strict=True))
    table = count_kits(asked, kin, told, days, ("alpha", "beta"), np.ones(len(rows), dtype=np.bool_))
    return {
        (row["week"], row["botnet"]): (row["own"], row["others"], row["untold"]) for row in table.to_pylist()
    }


def test_what_addresses_say_is_counted_by_week_and_family() -> None:
    rows = [(0, JOIN, True, 70), (0, -JOIN, True, 71), (0, 0, False, 77), (1, JOIN, True, 70)]
    assert counted(rows) == {(10, "alpha"): (1, 1, 0), (11, "alpha"): (0, 0, 1), (10, "beta"): (1, 0, 0)}


def test_what_is_neither_surely_is_untold() -> None:
    assert counted([(0, JOIN - 1, True, 70), (-1, JOIN, True, 70)]) == {(10, "alpha"): (0, 0, 1)}


def test_mail_without_a_day_is_of_no_week() -> None:
    assert counted([(0, 0, False, int(NO_DAY))]) == {(UNDATED, "alpha"): (0, 0, 1)}


@pytest.mark.parametrize(
    ("own", "others", "names"),
    [(0, 19, set()), (0, 20, {"alpha"}), (180, 20, {"alpha"}), (181, 20, set())],
    ids=["too few", "enough", "a tenth", "under a tenth"],
)
def test_an_engine_is_rented_from_a_tenth_of_others(own: int, others: int, names: set[str]) -> None:
    rows = [(0, JOIN, True, 70)] * own + [(0, -JOIN, True, 700)] * others
    asked, kin, told, days = (np.array(column) for column in zip(*rows, strict=True))
    kits = count_kits(asked, kin, told, days, ("alpha", "beta"), np.ones(len(rows), dtype=np.bool_))
    assert rented(kits) == names


def test_weeks_that_hang_on_it_are_those_with_the_engine() -> None:
    rows = np.array([(0, 0, 0, 70), (0, JOIN, 1, 77), (1, 0, 0, 84)])
    kits = count_kits(
        rows[:, 0], rows[:, 1], rows[:, 2] > 0, rows[:, 3], ("alpha", "beta"), np.ones(3, dtype=np.bool_)
    )
    assert weeks_of_engines(kits, frozenset({"alpha"})) == {10, 11}
