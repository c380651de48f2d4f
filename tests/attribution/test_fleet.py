"""Fleets: shared addresses speak for a family, fresh ones against it as far as its own mail shares them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from spamtide.attribution.association import NO_DAY
from spamtide.attribution.fleet import MOST, STEP, kinship

OWN, OTHER, NOBODY = 0, 1, -1
Row = tuple[int, int, int, int, int]


def told_of(rows: list[Row], *, kit: bool = False) -> list[int | None]:
    """Steps of rows of (leaning, sure, address, campaign, day); None where addresses do not tell."""
    columns = [np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)]
    steps, told = kinship(*columns, kit=kit)
    return [int(step) if said else None for step, said in zip(steps, told, strict=True)]


def known(
    addresses: range, *, family: int = OWN, campaigns: tuple[int, ...] = (1, 2), day: int = 70
) -> list[Row]:
    """Mail that is surely a family's: each address in each campaign."""
    return [(NOBODY, family, address, campaign, day) for campaign in campaigns for address in addresses]


def asked(addresses: range, *, campaign: int = 9, day: int = 71) -> list[Row]:
    """Mail that only the engine gives to the family."""
    return [(OWN, NOBODY, address, campaign, day) for address in addresses]


def answer(rows: list[Row], more: list[Row], *, kit: bool = False) -> set[int | None]:
    """The steps of the rows that were asked about."""
    return set(told_of(rows + more, kit=kit)[len(rows) :])


SETTLED = [*known(range(40)), *known(range(100, 140), family=OTHER, campaigns=(3, 4))]


def test_a_shared_fleet_speaks_for_the_family() -> None:
    assert answer(SETTLED, asked(range(20))) == {round(MOST / STEP)}


def test_another_fleet_speaks_against_it() -> None:
    """All of the family's addresses come again, none of these does: the kit's other tenant."""
    assert answer(SETTLED, asked(range(200, 220))) == {-round(MOST / STEP)}


def test_only_rows_that_lean_are_answered() -> None:
    assert set(told_of([*SETTLED, *asked(range(20))])[: len(SETTLED)]) == {None}


def test_one_campaign_does_not_vouch_for_itself() -> None:
    """An address counts if it sent the family's mail in another campaign."""
    alone = known(range(40), campaigns=(9,)) + known(range(50, 90))
    assert max(step or 0 for step in answer(alone, asked(range(20)))) * STEP < math.log(9)  # 90 %


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
    assert answer(rows, asked(range(200, 220))) == {None}


def test_addresses_that_everybody_shares_tell_nothing() -> None:
    """A relay's addresses send for all: meeting them is no evidence."""
    relays = known(range(40)) + known(range(40), family=OTHER, campaigns=(3, 4))
    assert answer(relays, asked(range(20))) == {None}


def test_the_message_without_address_or_day() -> None:
    rows = [(OWN, NOBODY, -1, 9, 71), (OWN, NOBODY, 3, 9, NO_DAY)]
    assert answer(SETTLED, rows) == {None}


def test_a_message_without_a_campaign_is_one_of_its_own() -> None:
    assert min(step or 0 for step in answer(SETTLED, [(OWN, NOBODY, 3, -1, 71)])) > 0


def test_a_lone_message_is_as_likely_the_familys_as_the_engines_other_mail() -> None:
    """Two messages from fresh addresses: beside strangers' campaigns they are strangers'."""
    few = [(OWN, NOBODY, address, 50 + address, 71) for address in (300, 301)]
    settled = [*known(range(40)), *known(range(1000, 1160), campaigns=(1,)), *SETTLED[-80:]]
    beside_own = max(step for step in answer(settled, few + asked(range(20))) if step is not None)
    lone = told_of([*settled, *few, *asked(range(20))])[len(settled)]
    crowded = told_of([*settled, *few, *asked(range(400, 480))])[len(settled)]
    assert lone is not None
    assert crowded is not None
    assert crowded < 0 < lone < beside_own


def test_addresses_are_fetched_from_further_where_all_templates_are_new() -> None:
    """The family's last sure mail is two weeks old: its addresses are judged over as long a time."""
    then = [row for week in range(5) for row in known(range(40), campaigns=(10 + week,), day=70 + 7 * week)]
    now = asked(range(20), day=70 + 7 * 6)
    assert answer([*then, *SETTLED[-80:]], now) == {round(MOST / STEP)}
    assert answer([*then, *SETTLED[-80:]], asked(range(200, 220), day=70 + 7 * 6)) == {-round(MOST / STEP)}


def test_the_only_campaign_vouches_by_its_other_weeks() -> None:
    """With one known campaign its addresses can be compared with those of its other weeks alone."""
    one = [row for week in range(3) for row in known(range(40), campaigns=(1,), day=70 + 7 * week)]
    assert min(step or 0 for step in answer(one, asked(range(20), day=78))) > 0
    assert max(step or 0 for step in answer(one, asked(range(200, 220), day=78))) < 0


def test_in_a_mixed_campaign_each_address_speaks_for_itself() -> None:
    """One text of two tenants: the family's addresses are its own, the others' are not."""
    book = [row for number in range(4) for row in known(range(60), campaigns=(20 + number,))]
    mixed = [*asked(range(30)), *asked(range(500, 530))]
    steps = told_of([*book, *SETTLED[-80:], *mixed], kit=True)[-60:]
    assert all(step is not None for step in steps)
    assert min(step or 0 for step in steps[:30]) > 0 > max(step or 0 for step in steps[30:])


def test_of_a_kit_of_several_nobody_is_expected() -> None:
    """One address that met nobody: a family's own engine may still send new mail, a kit's tenant is open."""
    settled = [*known(range(40)), *known(range(1000, 1160), campaigns=(1,)), *SETTLED[-80:]]
    fresh = [(OWN, NOBODY, 900, 50, 71)]
    alone, kit = answer(settled, fresh), answer(settled, fresh, kit=True)
    assert min(step or 0 for step in alone) > 0 >= max(step or 0 for step in kit)


def test_the_order_of_rows_decides_nothing() -> None:
    rows = [
        *SETTLED,
        *asked(range(10)),
        *asked(range(200, 210), campaign=10),
        *asked(range(35, 45), campaign=11),
    ]
    turned = rows[::-1]
    assert told_of(rows) == told_of(turned)[::-1]
