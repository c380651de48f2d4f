"""What is said of programmes: switches, what a fallen botnet advertised, heirs, brands."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import numpy as np
import pytest
from told import Make, said, shift

from spamtide.finding import (
    Behind,
    state,
)
from spamtide.finding.figures import Window
from spamtide.model import Measurement
from spamtide.statement import Maker


def test_a_switch_names_both_programmes_the_share_and_the_day(make: Make) -> None:
    """The share is of mail with a known programme, since the switch."""
    claim = said(state(make()), "switch")
    assert re.fullmatch(
        r"Xarvester, until 1 October a sender of Canadian Pharmacy, has carried Ultimate Replicas in "
        r"(8|9)\d % \[\d\d-\d\d\] of its mail with a known programme since about 2 October \[1-3\]\.",
        claim.sentence,
    )


def test_what_the_fallen_botnet_advertised_and_who_else_did(make: Make) -> None:
    """The programme of the weeks before the fall, with the others that mostly carried it."""
    claim = said(state(make()), "advertised")
    assert claim.sentence == (
        "In the four weeks to 18 September, 100 % [99.9-100] of Rustock's mail with a known programme "
        "advertised Canadian Pharmacy, as did most mail of 2 other botnets (Grum and Xarvester)."
    )


def known_part(world: Measurement, botnet: str, part: float) -> Measurement:
    """The world in which so much of a botnet's mail names its programme."""
    pairs = {key: counts.copy() for key, counts in world.panel.pairs.items()}
    whole = pairs[botnet, "Canadian Pharmacy"] + pairs[botnet, "unknown"]
    pairs[botnet, "Canadian Pharmacy"] = (part * whole).astype(np.int64)
    pairs[botnet, "unknown"] = whole - pairs[botnet, "Canadian Pharmacy"]
    return replace(world, panel=replace(world.panel, pairs=pairs))


def test_what_little_mail_names_is_not_most_mail_of_a_botnet(make: Make) -> None:
    """3 % of Grum's mail names the programme, and none another: most of it names none."""
    found = state(make(known_part(make().measurement, "grum", 0.03)))
    assert said(found, "advertised").sentence.endswith("as did most mail of another botnet (Xarvester).")
    ((_, share),) = next(s.programmes for s in found.statuses if s.botnet == "grum")
    assert share < 0.03


def test_what_a_fallen_botnet_advertised_says_how_little_of_it_is_known(make: Make) -> None:
    """Under a half says so, under a tenth nothing is said."""
    third = state(make(known_part(make().measurement, "rustock", 0.3)))
    assert re.match(
        r"In the four weeks to 18 September, 30 % \[\d\d-\d\d\] of Rustock's mail named a programme that we "
        r"know; 100 % \[[\d.]+-100\] of this advertised Canadian Pharmacy, as did most mail of 2 other bot",
        said(third, "advertised").sentence,
    )
    little = state(make(known_part(make().measurement, "rustock", 0.05)))
    assert not [c for c in little.claims if c.kind == "advertised"]


def inherited(world: Measurement, heir: str, *, grows: bool = True) -> Measurement:
    """The world in which Rustock alone carried a programme that another sender has too, or takes over."""
    pairs = {key: counts.copy() for key, counts in world.panel.pairs.items()}
    daily = world.panel.counts[world.panel.subjects.index(("botnet", "rustock"))].sum(axis=0)
    pairs["rustock", "Lone Meds"] = daily
    fall = (dt.date(2010, 9, 20) - dt.date(2010, 7, 2)).days
    other = np.full(daily.size, 40)
    other[fall + 4 :] = 300 if grows else 40
    pairs[heir, "Lone Meds"] = other
    row = np.vstack([daily + other, *[np.zeros_like(daily)] * (len(world.panel.sensors) - 1)])
    panel = replace(
        world.panel,
        subjects=(*world.panel.subjects, ("programme", "Lone Meds")),
        counts=np.concatenate([world.panel.counts, row[None]]),
        pairs=pairs,
    )
    return replace(world, panel=panel)


@pytest.mark.parametrize(
    ("heir", "words"),
    [
        ("unknown", r"[\d.]+ % \[.*\] of it since 23 September is mail that cannot be attributed"),
        ("waledac", r"[\d.]+ % \[.*\] of it since 23 September comes from Waledac"),
    ],
)
def test_a_programme_that_outlives_its_botnet_is_told_with_its_heir(
    make: Make, heir: str, words: str
) -> None:
    """A succession: who carries what the fallen had carried, and at which level."""
    claim = said(state(make(inherited(make().measurement, heir))), "carried-on", "Lone Meds")
    assert re.fullmatch(
        rf"Mail for Lone Meds did not end with Rustock: {words}, against 1\d % \[.*\] in the four weeks to "
        r"18 September, and it stands at \d\d % \[.*\] of its level of then\.",
        claim.sentence,
    ), claim.sentence
    assert claim.numbers["heir_name"] == heir


def test_a_programme_of_a_botnet_that_was_back_has_no_heir(make: Make) -> None:
    """'Since' is to the end of the period: a later cease of strays does not shorten it, a return ends it."""
    world = inherited(make().measurement, "waledac")
    fell = shift("decline", "rustock", "2010-09-20", end=dt.date(2010, 9, 23), ratio=0.02)
    later = shift("cease", "rustock", "2010-10-04", end=dt.date(2010, 10, 5), ratio=0.0)
    claim = said(state(make(world, changes=(fell, later))), "carried-on", "Lone Meds")
    row = world.panel.counts[world.panel.subjects.index(("programme", "Lone Meds"))]
    assert claim.n == row[:, 83:].sum()
    assert "--since 2010-09-23 --until 2010-10-14" in claim.command
    back = shift("resume", "rustock", "2010-10-04", end=dt.date(2010, 10, 5))
    world.panel.counts[world.panel.subjects.index(("botnet", "rustock"))][:, 94:] = 60
    found = state(make(world, changes=(fell, back)))
    assert not [c for c in found.claims if c.kind == "carried-on"]


def test_the_engine_behind_an_heir_has_a_name_that_can_be_followed(make: Make) -> None:
    """Most of the heir's mail is one engine's: its name, first day, addresses, and the command."""
    asked: list[tuple[str | None, Window]] = []

    def making(programme: str | None, window: Window) -> tuple[Maker, ...]:
        asked.append((programme, window))
        first = dt.date(2010, 9, 22)
        return (Maker("engine-0a1b2c", 6000, 310, first), Maker("engine-ffffff", 50, 9, first))

    found = state(make(inherited(make().measurement, "unknown"), making=making))
    claim = said(found, "heir-engine", "Lone Meds")
    assert re.fullmatch(
        r"Nearly all of the mail for Lone Meds that cannot be attributed comes from one engine, "
        r"engine-0a1b2c, first seen on 22 September: 6,000 of 6,340 messages since 23 September "
        r"\(95 % \[94-95\]\), from 310 addresses\.",
        claim.sentence,
    ), claim.sentence
    assert claim.n == 6000
    assert "--engine engine-0a1b2c --programme 'Lone Meds' --label wild" in claim.command
    assert asked == [("Lone Meds", (dt.date(2010, 9, 23), dt.date(2010, 10, 14)))]
    small = Maker("engine-1", 900, 5, dt.date(2010, 9, 1))
    few = make(inherited(make().measurement, "unknown"), making=lambda *_: (small,))
    assert not [c for c in state(few).claims if c.kind == "heir-engine"]


def test_the_engine_behind_a_rise_of_nameless_mail_is_named_if_one_makes_most_of_it(make: Make) -> None:
    """By what it rose: an engine that was there before and did not grow makes none of it."""
    rise = shift("rise", "unknown", "2010-09-22", ratio=1.5, end=dt.date(2010, 9, 23))
    world = make().measurement
    row = world.panel.subjects.index(("botnet", "unknown"))
    world.panel.counts[row][0, 83:] += 60
    world.panel.counts[0][0, 83:] += 60

    def making(_: str | None, window: Window) -> tuple[Maker, ...]:
        since = window[0] >= dt.date(2010, 9, 20)
        old = Maker("engine-01d", 2500 if since else 3000, 700, dt.date(2010, 7, 2))
        return (old, Maker("engine-5e7", 1200, 90, dt.date(2010, 9, 22))) if since else (old,)

    claim = said(state(make(world, changes=(rise,), making=making)), "engine", "unknown")
    assert (
        "One engine, engine-5e7, first seen on 22 September, makes nearly all of the rise" in claim.sentence
    )
    assert "against 0 % [0-0.1] in the four weeks before), from 90 addresses" in claim.sentence


def test_what_others_always_carried_makes_no_heir(make: Make) -> None:
    """A share grows when the largest sender falls; that alone is no succession."""
    found = state(make(inherited(make().measurement, "grum", grows=False)))
    assert not [c for c in found.claims if c.kind == "carried-on" and c.subject == "Lone Meds"]


def test_who_lost_its_name_before_the_fall_took_nothing_over(make: Make) -> None:
    """Grum sent as much all along, named up to 7 September: none of it was ever the fallen botnet's."""
    world = inherited(make().measurement, "unknown")
    lost = (dt.date(2010, 9, 8) - dt.date(2010, 7, 2)).days
    nameless = world.panel.pairs["unknown", "Lone Meds"]
    up = next(s.offset for s in world.series if s.subject_kind == "total")
    sent = (300 * up / up.max()).astype(np.int64)
    named = np.where(np.arange(nameless.size) < lost, sent, 0)
    nameless[:] = sent - named
    row = world.panel.subjects.index(("programme", "Lone Meds"))
    world.panel.counts[row][0] = world.panel.pairs["rustock", "Lone Meds"] + sent
    world.panel.pairs["grum", "Lone Meds"] = named
    world.panel.counts[world.panel.subjects.index(("botnet", "grum"))][:, lost:] = 0
    loss = shift("attribution-loss", "grum", "2010-09-08", end=dt.date(2010, 9, 8), ratio=0.0)
    fell = shift("decline", "rustock", "2010-09-20", end=dt.date(2010, 9, 23), ratio=0.02)
    for changes, heirs in (((fell,), 1), ((fell, loss), 0)):
        found = state(make(world, changes=changes))
        assert [c.kind for c in found.claims].count("carried-on") == heirs


def test_a_brand_is_linked_to_its_programmes_by_those_who_say_so(make: Make) -> None:
    """Published links stand with their publisher, their address behind the sentence."""
    told = (
        Behind("SpamIt", "M86 Security Labs", "https://m86.example/"),
        Behind("GlavMed", "The Register", ""),
    )
    claim = said(state(make(behind={"Canadian Pharmacy": told})), "advertised")
    assert claim.sentence.endswith(
        "(Grum and Xarvester). M86 Security Labs links that brand to SpamIt and The Register links it to "
        "GlavMed."
    )
    assert claim.numbers["source_url1"] == "https://m86.example/"
