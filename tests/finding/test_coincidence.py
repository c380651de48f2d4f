"""What is said of events that fall near a change: coincidence in time, with its odds."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from told import DAY, Make, said, shift

from spamtide.finding import (
    Event,
    period,
    state,
)
from spamtide.finding.claim.coincidence import calendar
from spamtide.finding.inputs import View


def test_an_event_is_a_coincidence_in_time_with_its_odds(make: Make, spamit: Event) -> None:
    """What could concern what is settled by names; how near is near is settled by shifts of the calendar."""
    found = state(make(events=(spamit,)))
    assert not [c for c in found.claims if c.kind == "event"]
    claim = said(found, "nearby")
    assert claim.sentence == (
        "The announced closure of SpamIt is on record for 27 September, 7 days [6-8] after the fall of "
        "Rustock began, which may well be chance (p = 0.15 over the 2 moves and 1 event looked at). 2 of the "
        "3 botnets that mostly carried Canadian Pharmacy fell, or are known to have left it, within 14 days "
        "of that day, against 0 of the 1 other (p = 0.5 for who moved)."
    )
    assert claim.numbers["shifts"] == 105
    near = replace(spamit, date_start=dt.date(2010, 9, 20))
    rarer = said(state(make(events=(near,))), "event")
    assert "0 days [-1 to 1] from the day on which the fall of Rustock began" in rarer.sentence
    assert "closer than chance often brings them (p = 0.0" in rarer.sentence
    assert rarer.sentence.endswith("Dates alone do not say which led to which, or whether either did.")


def test_who_goes_on_without_a_programme_that_fell_has_left_it(make: Make, spamit: Event) -> None:
    """Grum sends as much, and advertises nothing since; that the programme's own fall is told tells it."""
    world = make().measurement
    day = (dt.date(2010, 9, 25) - dt.date(2010, 7, 2)).days
    named = world.panel.pairs["grum", "Canadian Pharmacy"]
    world.panel.pairs["grum", "unknown"][day:] += named[day:]
    named[day:] = 0
    near = replace(spamit, date_start=dt.date(2010, 9, 20))
    inputs = make(world, events=(near,))
    end = dt.date(2010, 9, 26)
    gone = shift("cease", "Canadian Pharmacy", "2010-09-25", subject_kind="programme", end=end)
    for told, count in (((), 2), ((gone,), 3)):
        claim = said(state(replace(inputs, changes=(*inputs.changes, *told))), "event")
        assert claim.numbers["near"] == count
        assert claim.numbers["its"] == 3


def test_nobody_has_left_a_programme_by_mail_of_after_the_period(make: Make, spamit: Event) -> None:
    """Up to the period's end there is too little mail since to tell; what came later is not known then."""
    until = dt.date(2010, 9, 26)
    world = make().measurement
    named = world.panel.pairs["grum", "Canadian Pharmacy"]
    day = (until - dt.date(2010, 7, 2)).days
    world.panel.pairs["grum", "unknown"][day:] += named[day:]
    named[day:] = 0
    world.panel.pairs["grum", "unknown"][day] = 5
    near = replace(spamit, date_start=dt.date(2010, 9, 20))
    gone = shift("cease", "Canadian Pharmacy", "2010-09-25", subject_kind="programme", end=until)
    changes = (*make().changes, gone)
    for last, count in ((until, 1), (dt.date(2010, 10, 14), 3)):
        span = period(world, dt.date(2010, 9, 5), last, changes)
        found = state(make(world, events=(near,), changes=changes, period=span))
        claim = next(c for c in found.claims if c.kind in {"event", "nearby"})
        assert claim.numbers["near"] == count, claim.sentence


def test_an_event_that_chance_brings_as_near_more_often_than_not_is_not_told(
    make: Make, spamit: Event
) -> None:
    """It says nothing, and reads as if it did."""
    days = (dt.date(2010, 7, 10), dt.date(2010, 8, 10), dt.date(2010, 10, 14))
    inputs = make(events=tuple(replace(spamit, date_start=day) for day in days))
    (link,) = [one for one in calendar(View(inputs)).links if one.moves]
    assert link.odds.p > 0.5
    assert not [c for c in state(inputs).claims if c.kind in {"event", "nearby"}]


def test_an_event_on_the_day_of_a_switch_is_worded_as_such(make: Make, spamit: Event) -> None:
    """A switch does not begin, it is."""
    switched = replace(spamit, date_start=dt.date(2010, 10, 2))
    only = tuple(c for c in make().changes if c.kind == "switch")
    (turned,) = [
        c for c in state(make(changes=only, events=(switched,))).claims if c.kind in {"event", "nearby"}
    ]
    assert "0 days [-1 to 1] from the day of the switch of Xarvester, " in turned.sentence


def test_an_event_about_something_else_is_not_told(make: Make) -> None:
    """Of a crowded calendar nothing unrelated is told."""
    crowd = tuple(
        Event(dt.date(2010, 1, 1) + k * 3 * DAY, None, "takedown", "botnet", f"Bot{k}", "", "", "high")
        for k in range(95)
    )
    assert not [c for c in state(make(events=crowd)).claims if c.kind in {"event", "nearby"}]


def test_others_measurements_are_never_held_against_ours(make: Make) -> None:
    """A published decline of the same botnet is no event that could coincide with ours."""
    twin = Event(dt.date(2010, 9, 20), None, "decline", "botnet", "Rustock", "", "", "high")
    assert not [c for c in state(make(events=(twin,))).claims if c.kind == "event"]


def test_what_others_published_stands_side_by_side(make: Make) -> None:
    """Two labs that disagree are both quoted with their sources; nothing is said where nothing moved."""
    labs = tuple(
        Event(
            dt.date(2010, 9, 27), dt.date(2010, 10, 5), "decline", "global", "all spam", what, source, "high"
        )
        for what, source in (
            ("One lab counts 40 % less", "https://a.example/"),
            ("Another 20 %", "https://b.example/"),
        )
    )
    claim = said(state(make(events=labs)), "published")
    assert claim.sentence == (
        "2 measurements of these days by others are on record, each with its own sensors and baseline: "
        "Another 20 %; One lab counts 40 % less."
    )
    assert claim.numbers["source_url1"] == "https://b.example/"
    assert not [c for c in state(make(events=labs, changes=())).claims if c.kind == "published"]


def test_an_effect_is_of_those_that_had_fallen_by_then(make: Make) -> None:
    """A botnet that falls nine days after the largest is in no first week, and among the others there."""
    large = shift("decline", "rustock", "2010-09-20")
    later = shift("decline", "grum", "2010-09-29")
    claim = said(state(make(changes=(large, later))), "effect")
    assert claim.sentence.startswith("From 20 September on Rustock sent ")
    assert claim.numbers["names"] == "Rustock"
    same = shift("decline", "grum", "2010-09-21")
    claim = said(state(make(changes=(large, same))), "effect")
    assert claim.numbers["names"] == "Rustock and Grum"
