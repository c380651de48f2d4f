"""Fleets: shared addresses speak for a family, fresh ones against it as far as its own mail shares them."""

from __future__ import annotations

import numpy as np
import pytest

from spamtide.attribution.association import NO_DAY
from spamtide.attribution.fleet import MOST, STEP, kinship

OWN, OTHER, NOBODY = 0, 1, -1
Row = tuple[int, int, int, int, int]


def steps_of(rows: list[Row]) -> list[int]:
    """Steps of rows of (leaning, sure, address, campaign, day)."""
    columns = [np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)]
    return [int(step) for step in kinship(*columns)]


def known(
    addresses: range, *, family: int = OWN, campaigns: tuple[int, ...] = (1, 2), day: int = 70
) -> list[Row]:
    """Mail that is surely a family's: each address in each campaign."""
    return [(NOBODY, family, address, campaign, day) for campaign in campaigns for address in addresses]


def asked(addresses: range, *, campaign: int = 9, day: int = 71) -> list[Row]:
    """Mail that only the engine gives to the family."""
    return [(OWN, NOBODY, address, campaign, day) for address in addresses]


def answer(rows: list[Row], more: list[Row]) -> set[int]:
    """The steps of the rows that were asked about."""
    return set(steps_of(rows + more)[len(rows) :])


SETTLED = [*known(range(40)), *known(range(100, 140), family=OTHER, campaigns=(3, 4))]


def test_a_shared_fleet_speaks_for_the_family() -> None:
    assert answer(SETTLED, asked(range(20))) == {round(MOST / STEP)}


def test_another_fleet_speaks_against_it() -> None:
    """All of the family's addresses come again, none of these does: the kit's other tenant."""
    assert answer(SETTLED, asked(range(200, 220))) == {-round(MOST / STEP)}


def test_only_rows_that_lean_are_answered() -> None:
    assert set(steps_of([*SETTLED, *asked(range(20))])[: len(SETTLED)]) == {0}


def test_one_campaign_does_not_vouch_for_itself() -> None:
    """An address counts if it sent the family's mail in another campaign."""
    alone = known(range(40), campaigns=(9,)) + known(range(50, 90))
    assert answer(alone, asked(range(20))) == {-round(MOST / STEP)}


@pytest.mark.parametrize(
    "rows",
    [
        known(range(4)),
        known(range(40), day=70 + 60),
        [*known(range(40), campaigns=(1,)), *known(range(40, 80), campaigns=(2,))],
    ],
    ids=["too few addresses", "another month", "addresses that never come again"],
)
def test_where_addresses_tell_nothing_nothing_is_said(rows: list[Row]) -> None:
    assert answer(rows, asked(range(200, 220))) == {0}


def test_addresses_that_everybody_shares_tell_nothing() -> None:
    """A relay's addresses send for all: meeting them is no evidence."""
    relays = known(range(40)) + known(range(40), family=OTHER, campaigns=(3, 4))
    assert answer(relays, asked(range(20))) == {0}


def test_the_message_without_address_campaign_or_day() -> None:
    rows = [(OWN, NOBODY, -1, 9, 71), (OWN, NOBODY, 3, -1, 71), (OWN, NOBODY, 3, 9, NO_DAY)]
    assert answer(SETTLED, rows) == {0}
