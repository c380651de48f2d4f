"""Who fills in after a fall: nobody who came back, fell or rose by a move of its own."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from told import Make, said, shift

from spamtide.finding import state
from spamtide.model import Change, Measurement
from spamtide.statement import Claim

FALL = shift("decline", "rustock", "2010-09-20", end=dt.date(2010, 9, 23), ratio=0.02)
ONSET = (FALL.onset - dt.date(2010, 7, 2)).days


def scaled(world: Measurement, botnet: str, days: slice, factor: int) -> None:
    """Multiply a botnet's mail on some days, in the total as well."""
    row = world.panel.counts[world.panel.subjects.index(("botnet", botnet))]
    more = row[:, days] * (factor - 1)
    row[:, days] += more
    world.panel.counts[0][:, days] += more


def effect(make: Make, world: Measurement, *others: Change) -> Claim:
    """The claim on what the fall did."""
    return said(state(make(world, changes=(FALL, *others))), "effect")


def returned(make: Make) -> Measurement:
    """The world in which Cutwail, silent for three weeks, sends sixfold from the day after the fall on."""
    world = make().measurement
    scaled(world, "cutwail", slice(ONSET - 20, ONSET + 1), 0)
    scaled(world, "cutwail", slice(ONSET + 1, None), 6)
    return world


def test_a_botnet_that_came_back_fills_nothing_in(make: Make) -> None:
    """A return is a move of its own, whether it is dated a day before the fall or a day after it."""
    for day in ("2010-09-19", "2010-09-21"):
        claim = effect(make, returned(make), shift("resume", "cutwail", day))
        assert (
            "others, leaving out Cutwail for a move of its own, did not measurably fill in" in claim.sentence
        )
    unknown = effect(make, returned(make)).numbers["others"]  # were no return of it known
    assert unknown > 10 * abs(claim.numbers["others"])


def test_a_rise_that_began_after_the_fall_fills_in_and_one_before_it_does_not(make: Make) -> None:
    """Who takes over the work begins to grow when there is work to take over."""
    world = make().measurement
    scaled(world, "grum", slice(ONSET + 3, None), 3)
    after = effect(make, world, shift("rise", "grum", "2010-09-23")).sentence
    assert re.search(r"others filled in \d\d % \[\d\d-\d\d\] of all mail expected in the first week", after)
    before = effect(make, world, shift("rise", "grum", "2010-09-18")).sentence
    assert "others, leaving out Grum for a move of its own, did not measurably fill in" in before


def test_where_earlier_dates_give_effects_nothing_is_beyond_chance(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One date of eight may do so by chance; two of them make the same number of this one chance."""
    world = make().measurement
    scaled(world, "grum", slice(ONSET + 3, None), 3)
    for gave, beyond in ((1, True), (2, False)):
        monkeypatch.setattr("spamtide.finding.claim.action._placebos", lambda _, gave=gave: (8, gave))
        sentence = effect(make, world).sentence
        assert ("others filled in" in sentence) is beyond
        assert ("which is not beyond chance where earlier dates give effects" in sentence) is not beyond
        assert ("(which is not beyond chance where earlier dates give" in sentence) is not beyond


def test_a_silence_before_makes_no_number_that_nobody_can_read(make: Make) -> None:
    """The fallen are predicted from the days since their last move, and what stays vague is not printed."""
    world = make().measurement
    scaled(world, "rustock", slice(ONSET - 45, ONSET - 30), 0)
    silent = shift("cease", "rustock", "2010-08-06", end=dt.date(2010, 8, 7))
    back = shift("resume", "rustock", "2010-08-21", end=dt.date(2010, 8, 22))
    claim = effect(make, world, silent, back)
    assert claim.numbers["own_7d_high"] - claim.numbers["own_7d_low"] < 20
    unaware = state(make(world, changes=(FALL,)))  # as if nobody knew of the silence
    assert not [c for c in unaware.claims if c.kind == "effect"]
