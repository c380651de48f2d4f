"""What is said of a small world: exact sentences, and what holds of every sentence."""

from __future__ import annotations

import datetime as dt
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from told import DAY, said, shift

from spamtide import schema
from spamtide.change.hours import HourlyAlarm, _change
from spamtide.finding import (
    Behind,
    Composition,
    Event,
    FindingInputs,
    Findings,
    Period,
    Totals,
    claims_table,
    load_events,
    period,
    state,
)
from spamtide.finding.claim.coincidence import calendar
from spamtide.finding.claim.sentences import TEMPLATES
from spamtide.finding.figures import Window
from spamtide.finding.inputs import View
from spamtide.finding.status import STATE_RULES, VOLUME_RULES
from spamtide.model import Change, ChangeKind, Contribution, Exposure, Measurement, Outage
from spamtide.statement import Gathered, Gathering, Maker

Campaigns = Callable[..., Callable[[Window], Gathering]]
Make = Callable[..., FindingInputs]
CAUSAL = (
    r"because|caus(e|es|ed|ing)\b|due to|led to|leads to|result(s|ed)? (in|from|of)|owing to|thanks to|"
    r"trigger|as a consequence|consequently|therefore|hence|brought about|responsible for|explain|driven by|"
    r"account(s|ed)? for|blame|effect of|in response|so that"
)
"""Wording that would claim more than dates can carry."""


def shipped() -> tuple[Event, ...]:
    return load_events([Path(str(files("spamtide.knowledge") / "events.csv"))])


# ---------------------------------------------------------------------------- each kind of claim


def test_the_level_is_said_against_the_weeks_before(make: Make) -> None:
    """Index now and before with intervals, and the difference in percent."""
    claim = said(state(make()), "level")
    assert re.fullmatch(
        r"The volume index \(100 is the mean of 2 July to 29 July\) "
        r"stands at 5\d \[\d\d-\d\d\] in the last week, against 100 \[9\d-10\d\] in the 4 weeks from "
        r"22 August to 18 September: \d\d % \[\d\d-\d\d\] less\.",
        claim.sentence,
    )
    assert claim.numbers["direction"] == "fall"
    assert claim.numbers["base"] == "2010-07-02..2010-07-29"
    assert claim.command == (
        "spamtide export observations --label wild --since 2010-10-08 --until 2010-10-14"
    )
    assert claim.sensors == tuple(f"trap-{x}" for x in "abcdef")


def test_the_lost_points_are_shared_out_and_substitution_is_its_own_number(make: Make) -> None:
    """Contributions come with their intervals; parts that may be nothing are not said."""
    claim = said(state(make()), "decomposition")
    assert claim.sentence == (
        "Rustock lost 49 [46-52] index points and Grum 1.2 [0.4-2.0]; others gained 2.2 [0.1-4.3] meanwhile: "
        "48 [45-51] points less in all."
    )
    assert (claim.numbers["largest"], claim.numbers["largest_word"]) == ("Rustock", "nearly all")


def test_what_happened_to_rise_is_no_gain_of_others(make: Make) -> None:
    """Who rose by chance is told with who fell by chance: one number, which may be nothing; points add up."""
    parts = (
        Contribution("total", "total", -18.0, -26.0, -10.0),
        Contribution("botnet", "rustock", -22.0, -24.0, -20.0),
        Contribution("botnet", "grum", 5.6, 0.5, 10.7),
        Contribution("botnet", "cutwail", 2.6, -2.0, 7.2),
        Contribution("botnet", "xarvester", -2.9, -7.0, 1.2),
        Contribution("botnet", "unknown", -1.3, -5.0, 2.4),
    )
    claim = said(state(make(contributions=parts)), "decomposition")
    assert "gained" not in claim.sentence
    told = said(
        state(
            make(contributions=(*parts[:3], replace(parts[3], points=9.0, low=5.0, high=13.0), *parts[4:]))
        ),
        "decomposition",
    )
    assert "others gained 10 [" in told.sentence


def test_a_move_that_runs_into_the_period_is_told_in_it(quiet: FindingInputs) -> None:
    """Eight weeks' decline is news of the month in which it ends, and none of the month after."""
    began = quiet.period.since - 40 * DAY
    for end, kinds in ((None, 1), (quiet.period.since + 5 * DAY, 1), (quiet.period.since - DAY, 0)):
        fell = shift("decline", "grum", str(began), end=end, ratio=0.3)
        found = state(replace(quiet, changes=(fell,)))
        assert sum(c.kind == "decline" for c in found.claims) == kinds
        assert any(c.kind == "nothing-changed" for c in found.claims) is not bool(kinds)


def test_a_fall_to_nearly_nothing_is_called_negligible(make: Make) -> None:
    """Onset and end with their intervals; the word's own threshold is said."""
    claim = said(state(make()), "decline", "rustock")
    assert claim.sentence == (
        "Rustock began to fall about 20 September [19-21] and was negligible, below 5 % of its earlier "
        "level, by 23 September [22-23]."
    )
    assert claim.claim == "decline:botnet:rustock:2010-09-20"
    assert (
        claim.command
        == "spamtide export observations --botnet rustock --label wild --since 2010-08-22 --until 2010-10-14"
    )
    assert claim.n > 9000


def test_a_fallen_botnet_is_quiet_not_gone_while_sensors_and_lab_still_see_it(make: Make) -> None:
    """Volume, residual sensors, lab and control servers are said apart."""
    found = state(make())
    claim = said(found, "status", "rustock")
    assert re.fullmatch(
        r"Rustock is quiet, not gone: 6 of 6 sensors still receive a trickle, \d \[\d-\d+\] messages a day "
        r"between them in the last week, its bot in the lab still sends \(last on 13 October\) and its "
        r"control servers were not checked\.",
        claim.sentence,
    )
    status = next(s for s in found.statuses if s.botnet == "rustock")
    assert (status.volume, status.state) == ("quiet", "quiet, not gone")
    assert status.rule == "trickle: below 5 % of the level before"
    assert status.level_low <= status.level <= status.level_high < 2
    assert {s.botnet: s.state for s in found.statuses if s.botnet != "rustock"} == {
        "grum": "active",
        "cutwail": "active",
        "xarvester": "active",
    }


def test_a_switch_names_both_programmes_the_share_and_the_day(make: Make) -> None:
    """The share is of mail with a known programme, since the switch."""
    claim = said(state(make()), "switch")
    assert re.fullmatch(
        r"Xarvester, until 1 October a sender of Canadian Pharmacy, has carried Ultimate Replicas in "
        r"(8|9)\d % \[\d\d-\d\d\] of its mail with a known programme since about 2 October \[1-3\]\.",
        claim.sentence,
    )


def test_an_outage_is_said_as_such_once(make: Make) -> None:
    """Nine days, allowed for; the exposure's outage and the reported change are one thing."""
    claim = said(state(make()), "sensor-outage")
    assert (
        claim.sentence == "Sensor trap-c was down from 24 September to 2 October, 9 days, and is allowed for."
    )
    alone = said(state(make(changes=())), "sensor-outage")
    assert alone.sentence == claim.sentence


def test_a_sensor_that_left_long_ago_is_no_news(make: Make) -> None:
    """It is said in the quarter after it left, and never again."""
    for day, told in (("2010-07-10", True), ("2010-06-01", False)):
        gone = shift("sensor-outage", "trap-a", day, subject_kind="sensor")
        found = state(make(changes=(gone,)))
        assert any(c.kind == "sensor-outage" and c.subject == "trap-a" for c in found.claims) is told


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


def test_a_single_day_is_said_once(make: Make, campaigns: Campaigns) -> None:
    """Neither 'in these 1 day' nor from a day to itself."""
    day = dt.date(2010, 10, 3)
    one = period(make().measurement, day, day)
    found = state(make(period=one, gathering=campaigns(("c-1", 1, 1, "A subject"))))
    assert said(found, "campaigns").sentence.startswith("1 message on 3 October belongs to 1 campaign")
    assert "at 6 sensors on 3 October" in said(found, "coverage").sentence
    down = shift("sensor-outage", "trap-c", "2010-10-02", subject_kind="sensor", end=day)
    sentence = said(state(make(changes=(down,))), "sensor-outage", "trap-c").sentence
    assert sentence == "Sensor trap-c was down on 2 October and is allowed for."


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


def test_the_outlook_stands_beside_its_base(make: Make) -> None:
    """Nothing after the period is used; n stands beside every share."""
    claim = said(state(make(events=shipped())), "outlook")
    assert claim.sentence == (
        "The chance that Rustock, quiet for 21 days with no action against the botnet on record, is back "
        "within the next 90 days is 26 % [3-70]. Of 9 recorded silences of botnets, 7 ended within 90 days "
        "of their start, after 2 to 33; 3 had lasted longer than 21 days, and 1 of these ended within 90 "
        "more. The record is short and holds what was published: tried on each of its silences "
        "in turn, such forecasts did better than the plain share (Brier score 0.19 against 0.23; 8 of 9 "
        "intervals of 80 % held)."
    )
    assert claim.n == 9


def test_the_make_up_of_the_mail_counts_what_has_no_answer_too(make: Make) -> None:
    """Counts with shares and intervals; what was not attributed is said."""
    composition = Composition({"spam": 20}, {"rustock": 8, "unknown": 12}, {"unknown": 20})
    found = state(make(composition=composition))
    assert said(found, "botnets").sentence == (
        "Of 20 messages in these 4 weeks, 8 (40 % [22-61]) carry a botnet's traits: Rustock 8 (40 % [22-61])"
        "; 12 (60 % [39-78]) could not be attributed."
    )
    assert said(found, "programmes").sentence == (
        "None of 20 messages in these 4 weeks advertises a programme that we know."
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            shift("rise", "grum", "2010-10-06", confidence=0.9),
            r"Grum probably began to rise about 6 October \[5-7\] and stands at [\d.]+ times \[.*\] its .*",
        ),
        (shift("resume", "grum", "2010-10-06"), r"Grum was back about 6 October \[5-7\]\."),
        (
            shift("surge", "grum", "2010-10-06", end=dt.date(2010, 10, 8), confidence=0.6),
            r"Grum perhaps surged about 6 October \[5-7\], to .* level, and was back near it by 8 October\.",
        ),
        (
            shift("new", "grum", "2010-10-06"),
            r"Grum was first seen .*; 1,\d\d\d messages came to 6 of our sensors since\.",
        ),
        (
            shift("attribution-loss", "grum", "2010-10-06"),
            r"Mail known as Grum fell about 6 October \[5-7\] while mail without traits took its place; .*\.",
        ),
        (
            shift("attribution-loss", "Maple Meds", "2010-10-06", subject_kind="programme"),
            r"Mail that names Maple Meds fell about 6 October \[5-7\] while mail that names no programme .*",
        ),
        (
            shift("decline", "Canadian Pharmacy", "2010-09-20", subject_kind="programme"),
            r"Mail for Canadian Pharmacy began to fall about 20 September \[19-21\] and stands at .*",
        ),
        (
            shift("sensor-outage", "trap-a", "2010-10-10", subject_kind="sensor"),
            r"Sensor trap-a has brought no mail since 10 October, being down or not read in yet, and .*\.",
        ),
        (
            shift("sensor-outage", "trap-a", "2010-09-20", subject_kind="sensor"),
            "Sensor trap-a has been down since 20 September and is allowed for.",
        ),
        (
            shift("sensor-change", "trap-a", "2010-10-06", subject_kind="sensor"),
            r"Sensor trap-a changed about 6 October \[5-7\]: its spam stands at .*\. This is the sensor, .*",
        ),
    ],
)
def test_each_kind_of_change_has_its_sentence(make: Make, change: Change, sentence: str) -> None:
    """Every kind, with and without an end, sure and less sure."""
    claim = said(state(make(changes=(change,))), change.kind, change.subject)
    assert claim.sentence == sentence or re.fullmatch(sentence, claim.sentence), claim.sentence
    assert claim.confidence == change.confidence


@pytest.mark.parametrize(
    ("left", "end", "words"),
    [
        (0, None, "and fell silent."),
        (0, dt.date(2010, 10, 8), "and had fallen silent by 8 October."),
        (3, dt.date(2010, 10, 8), "and was negligible, below 5 % of its earlier level, by 8 October."),
        (3, None, "and is negligible, below 5 % of its earlier level."),
    ],
)
def test_a_botnet_is_silent_only_where_no_message_came(
    make: Make, left: int, end: dt.date | None, words: str
) -> None:
    """A trickle makes a fall negligible, whatever kind the change was given."""
    inputs = make()
    panel = inputs.measurement.panel
    counts = panel.counts.copy()
    at = panel.subjects.index(("botnet", "grum"))
    counts[at, :, 96:] = 0
    counts[at, 0, 98:] = left
    measurement = replace(inputs.measurement, panel=replace(panel, counts=counts))
    fall = shift("cease", "grum", "2010-10-06", end=end)
    claim = said(state(make(measurement, changes=(fall,))), "cease")
    assert claim.sentence == f"Grum began to fall about 6 October [5-7] {words}"


def test_a_fall_of_this_morning_may_still_be_going_on(quiet: FindingInputs) -> None:
    """What is flagged while it happens is no end, and its botnet is not active."""
    fell = shift("cease", "grum", str(quiet.period.until))
    found = state(replace(quiet, changes=(fell,)))
    assert said(found, "cease").sentence.endswith("; it may still be going on.")
    assert next(s.state for s in found.statuses if s.botnet == "grum") == "sending less"
    before = replace(fell, onset=fell.onset - 6 * DAY, onset_low=fell.onset_low - 6 * DAY)
    assert "going on" not in said(state(replace(quiet, changes=(before,))), "cease").sentence


def test_a_period_long_past_says_until_when_mail_was_known(make: Make) -> None:
    """Not where it ends with the mail."""
    inputs = make()
    assert "hindsight" not in {c.kind for c in state(inputs).claims}
    earlier = replace(inputs.period, until=inputs.period.until - 5 * DAY)
    assert said(state(replace(inputs, period=earlier)), "hindsight").sentence == (
        "This is told with what was known by 14 October: days and sizes of changes, and who sent what, rest "
        "on later mail, too."
    )


def test_a_day_that_a_clock_emptied_is_told_as_such(make: Make) -> None:
    """It is in no change and no outage."""
    inputs = make()
    day = inputs.period.until - 9 * DAY
    clock = Outage("trap-b", day, day, "clock", "its clock", lag_hours=-30.0)
    exposure = replace(inputs.measurement.exposure, outages=(clock,))
    found = state(make(replace(inputs.measurement, exposure=exposure), changes=()))
    assert said(found, "sensor-outage").sentence == (
        "Sensor trap-b holds no mail of 5 October: its clock ran 30 hours behind then, and what it took "
        "stands under other days; the gap is allowed for."
    )


@pytest.mark.parametrize(
    ("seen", "sentence", "state_word"),
    [
        (
            0,
            "Grum has been silent since 10:00 UTC on 14 October, in which time 42 messages were due",
            "silent since 10:00 UTC on 14 October, 42 due",
        ),
        (
            2,
            "Grum has sent 2 messages since 10:00 UTC on 14 October, where 42 were due",
            "2 since 10:00 UTC on 14 October, 42 due",
        ),
    ],
)
def test_a_stop_of_hours_is_told_by_its_hour(
    seen: int, sentence: str, state_word: str, quiet: FindingInputs
) -> None:
    """As the hourly alarm words it."""
    since = dt.datetime(2010, 10, 14, 10, tzinfo=dt.UTC)
    alarm = HourlyAlarm("botnet", "grum", since, 6, float(seen), 42.0, 1e-9)
    fell = _change(alarm, quiet.period.until, lost=False)
    found = state(replace(quiet, changes=(fell,)))
    assert said(found, fell.kind).sentence == f"{sentence}; whether it stays so is not known yet."
    assert next(s.state for s in found.statuses if s.botnet == "grum") == state_word


def test_every_kind_of_change_has_a_template() -> None:
    """The table covers the model's kinds; a switch has its own form."""
    assert set(TEMPLATES) | {"switch"} == set(get_args(ChangeKind))


def test_a_return_says_how_long_the_silence_was(make: Make) -> None:
    """Days without a message are counted in the sensors' own record."""
    inputs = make()
    panel = inputs.measurement.panel
    counts = panel.counts.copy()
    at = panel.subjects.index(("botnet", "grum"))
    counts[at, :, 40:90] = 0
    measurement = replace(inputs.measurement, panel=replace(panel, counts=counts))
    back = shift("resume", "grum", "2010-09-30")
    claim = said(state(make(measurement, changes=(back,))), "resume")
    assert claim.sentence == (
        "Grum was back about 30 September [29 September to 1 October] after 50 days without a message."
    )


def test_a_return_is_held_against_the_level_before_the_fall(make: Make) -> None:
    """What a level between two changes is, is read between them, not across."""
    changes = (
        shift("cease", "grum", "2010-08-10", end=dt.date(2010, 8, 11), ratio=0.0),
        shift("resume", "grum", "2010-09-20", end=dt.date(2010, 9, 21)),
        shift("rise", "cutwail", "2010-08-20", end=dt.date(2010, 8, 21)),
        shift("decline", "cutwail", "2010-09-30", end=dt.date(2010, 10, 1), ratio=0.5),
    )
    inputs = make()
    panel = inputs.measurement.panel
    counts = panel.counts.copy()
    grum, cutwail = (panel.subjects.index(("botnet", name)) for name in ("grum", "cutwail"))
    counts[grum, :, 39:80] = 0
    counts[grum, :, 80:] *= 2
    counts[cutwail, :, 49:90] *= 2
    measurement = replace(inputs.measurement, panel=replace(panel, counts=counts))
    found = state(make(measurement, changes=changes))
    again, left = said(found, "resume").sentence, said(found, "decline").sentence
    assert re.search(r", at 1\.9 times \[1\.8-2\.0\] its level before it fell\.", again)
    assert re.search(r" stood at 5\d % \[4\d-5\d\] of its earlier level by 1 October", left)


def test_a_surge_is_measured_while_it_lasts(make: Make) -> None:
    """Not by the days after it."""
    inputs = make()
    panel = inputs.measurement.panel
    counts = panel.counts.copy()
    counts[panel.subjects.index(("botnet", "grum")), :, 90] *= 5
    day = dt.date(2010, 9, 30)
    surge = shift("surge", "grum", str(day), end=day + dt.timedelta(days=1), ratio=5.0)
    measurement = replace(inputs.measurement, panel=replace(panel, counts=counts))
    claim = said(state(make(measurement, changes=(surge,))), "surge")
    assert 4.0 < claim.numbers["factor"] < 6.0


def test_a_level_that_wanders_is_active(quiet: FindingInputs) -> None:
    """Half of the points before: told with a change on record, else within what levels do."""
    panel = quiet.measurement.panel
    at = panel.subjects.index(("botnet", "rustock"))
    counts = panel.counts.copy()
    lost = counts[at, :, -28:] * 7 // 10
    counts[at, :, -28:] -= lost
    counts[0, :, -28:] -= lost
    measurement = replace(quiet.measurement, panel=replace(panel, counts=counts))
    inputs = replace(quiet, measurement=measurement)
    fell = shift("decline", "rustock", "2010-09-17", ratio=0.55)
    states = [
        {s.botnet: s.state for s in state(one).statuses}["rustock"]
        for one in (inputs, replace(inputs, changes=(fell,)))
    ]
    assert states == ["active", "sending less"]


def test_a_fall_within_a_day_is_no_slope(make: Make) -> None:
    """A day is not said twice."""
    inputs = make()
    panel = inputs.measurement.panel
    counts = panel.counts.copy()
    counts[panel.subjects.index(("botnet", "grum")), :, 90:] = 0
    day = dt.date(2010, 9, 30)
    gone = shift("cease", "grum", str(day), end=day, ratio=0.0)
    measurement = replace(inputs.measurement, panel=replace(panel, counts=counts))
    claim = said(state(make(measurement, changes=(gone,))), "cease")
    assert claim.sentence == (
        "Grum fell silent about 30 September [29 September to 1 October], within 2 days at most."
    )


@pytest.mark.parametrize(
    ("lab", "state_then"),
    [("2010-10-14", "quiet, not gone"), ("2010-10-06", "silent"), ("2010-10-02", "silent")],
)
def test_a_lab_bot_that_stopped_with_its_botnet_speaks_for_nothing(
    quiet: FindingInputs, lab: str, state_then: str
) -> None:
    """Silent since 2 October; only a bot that goes on sending says that the botnet is there."""
    panel = quiet.measurement.panel
    at = panel.subjects.index(("botnet", "rustock"))
    counts = panel.counts.copy()
    counts[0, :, -13:] -= counts[at, :, -13:]
    counts[at, :, -13:] = 0
    measurement = replace(quiet.measurement, panel=replace(panel, counts=counts))
    lab_seen = {"rustock": dt.date.fromisoformat(lab)}
    found = state(replace(quiet, measurement=measurement, lab_last_seen=lab_seen))
    assert {s.botnet: s.state for s in found.statuses}["rustock"] == state_then


def test_sensors_that_change_together_make_one_headline(make: Make) -> None:
    """Relay and other mail are the evidence; the headline says that it is not the spam."""
    inputs = make()
    outages = tuple(
        Outage(
            f"trap-{x}",
            dt.date(2010, 10, 5),
            None,
            "changed",
            "",
            relay_before="mx.old",
            relay_after="mx.new",
        )
        for x in "ab"
    )
    ham = np.full_like(inputs.measurement.panel.ham, 3)
    measurement = replace(
        inputs.measurement,
        panel=replace(inputs.measurement.panel, ham=ham),
        exposure=replace(inputs.measurement.exposure, outages=outages),
    )
    changes = tuple(shift("sensor-change", f"trap-{x}", "2010-10-05", subject_kind="sensor") for x in "ab")
    found = state(make(measurement, changes=changes))
    together = said(found, "sensor-change", "several")
    assert together.sentence == (
        "2 of 6 sensors changed about 5 October [4-6]: what moved there is the sensors, not the spam."
    )
    single = said(found, "sensor-change", "trap-a").sentence
    assert "messages of other mail came since; its receiving relay was mx.old and is mx.new." in single


def test_a_sensor_that_takes_less_of_some_says_of_whom_and_is_no_lost_sensor(make: Make) -> None:
    """A filter against three senders: they are named, and the level of all mail can still be told."""
    inputs = make()
    day = dt.date(2010, 10, 5)
    touched = tuple(("botnet", name) for name in ("rustock", "grum", "unknown"))
    outages = tuple(
        Outage(f"trap-{x}", day, None, "changed", "takes less of ...", subjects=touched) for x in "abc"
    )
    measurement = replace(inputs.measurement, exposure=replace(inputs.measurement.exposure, outages=outages))
    changes = tuple(shift("sensor-change", f"trap-{x}", "2010-10-06", subject_kind="sensor") for x in "abc")
    found = state(make(measurement, changes=changes))
    assert re.fullmatch(
        r"Sensor trap-a changed about 6 October \[5-7\]: it takes less of Rustock, Grum and mail that "
        r"cannot be attributed, and of the rest as before; all its spam stands at .*",
        said(found, "sensor-change", "trap-a").sentence,
    )
    assert not [c for c in found.claims if c.kind == "unclear"]


# ---------------------------------------------------------------------------- quiet and thin


def test_a_quiet_period_says_that_nothing_changed(quiet: FindingInputs) -> None:
    """One sentence in place of a level, and no change anywhere."""
    found = state(quiet)
    assert re.fullmatch(
        r"Nothing changed in this period: the volume index is \d+ \[\d+-\d+\], "
        r"no botnet and no programme moved\.",
        said(found, "nothing-changed").sentence,
    )
    assert {c.kind for c in found.claims} == {
        "nothing-changed",
        "botnets",
        "programmes",
        "coverage",
        "forecast",
        "labels",
    }


def test_a_quiet_period_says_that_others_send_what_is_sent_since_a_far_off_base(quiet: FindingInputs) -> None:
    """Whose points came and went is told; what a near window holds, and what is small, is not."""
    exchanged = (
        Contribution("total", "total", -1.0, -6.0, 4.0),
        Contribution("botnet", "rustock", -30.0, -34.0, -26.0),
        Contribution("botnet", "cutwail", 25.0, 21.0, 29.0),
        Contribution("botnet", "grum", 2.0, 1.0, 3.0),
        Contribution("botnet", "xarvester", 12.0, -1.0, 25.0),
        Contribution("botnet", "unknown", 20.0, 15.0, 25.0),
    )
    assert quiet.period.far
    told = said(state(replace(quiet, contributions=exchanged)), "exchange")
    assert told.sentence.endswith(
        "but it is not made of the same: Cutwail has gained 25 [21-29] points; "
        "Rustock has lost 30 [26-34] points."
    )
    day = quiet.period.before[1] + dt.timedelta(days=9)
    fell = shift("cease", "rustock", str(day), end=day + dt.timedelta(days=1))
    dated = said(state(replace(quiet, contributions=exchanged, changes=(fell,))), "exchange").sentence
    assert re.search(
        r"Rustock has lost 30 \[26-34\] points \(it began to fall about \d+ \w+ \[[^]]+\]\)\.$", dated
    )
    back = shift("resume", "rustock", str(day + 9 * DAY))
    turned = said(state(replace(quiet, contributions=exchanged, changes=(fell, back))), "exchange").sentence
    assert re.search(r" \(it began to fall about [^(]+ and was back about \d+ \w+ \[[^]]+\]\)\.$", turned)
    since = quiet.period.since
    near = replace(quiet.period, before=(since - dt.timedelta(days=28), since - dt.timedelta(days=1)))
    moved = shift("cease", "rustock", str(since + 3 * DAY), end=since + 4 * DAY)
    found = state(replace(quiet, contributions=exchanged, period=near, changes=(moved,)))
    assert "exchange" not in {c.kind for c in found.claims}


def test_an_outage_in_a_quiet_period_is_part_of_the_sentence(quiet: FindingInputs) -> None:
    """A dead sensor is no news of the spam, but it is said."""
    down = shift("sensor-outage", "trap-c", "2010-09-24", subject_kind="sensor", end=dt.date(2010, 10, 3))
    sentence = said(state(replace(quiet, changes=(down,))), "nothing-changed").sentence
    assert sentence.endswith("moved; 1 sensor was down for 9 days and is allowed for.")


def test_much_mail_on_few_days_is_short(make: Make) -> None:
    inputs = make()
    panel = inputs.measurement.panel
    counts = np.zeros_like(panel.counts)
    for at in (0, panel.subjects.index(("botnet", "unknown"))):
        counts[at, 0, 50:61] = 40
    measurement = Measurement(replace(panel, counts=counts, pairs={}), Exposure(np.ones((6, 105)), ()), ())
    found = state(make(measurement, changes=(), contributions=(), lab_last_seen={}))
    assert said(found, "thin").sentence.endswith("are of too few days to tell a change from chance.")


def test_thin_data_says_something_true(make: Make) -> None:
    """Twenty messages on three days at one sensor, all unknown: no level, no change, the make-up first."""
    inputs = make()
    panel = inputs.measurement.panel
    counts = np.zeros_like(panel.counts)
    for at in (0, panel.subjects.index(("botnet", "unknown"))):
        counts[at, 0, [60, 61, 63]] = [8, 7, 5]
    measurement = Measurement(replace(panel, counts=counts, pairs={}), Exposure(np.ones((6, 105)), ()), ())
    found = state(
        make(
            measurement,
            changes=(),
            contributions=(),
            composition=Composition({"spam": 20}, {"unknown": 20}, {"unknown": 20}),
            totals=Totals(messages=20, quarantined=1, undated=2),
            lab_last_seen={},
        )
    )
    assert said(found, "thin").sentence == (
        "20 messages on 3 days at 1 sensor are too few to tell a change from chance."
    )
    assert [c.kind for c in found.claims] == ["thin", "botnets", "coverage", "quarantine"]
    assert said(found, "botnets").sentence == (
        "None of 20 messages in these 4 days carries a botnet's traits, and none advertises a programme that "
        "we know."
    )
    assert "2 more bear no believable date and are in no series" in said(found, "coverage").sentence
    assert all(s.state == "too little mail to tell" or s.last_seen is None for s in found.statuses)


def test_campaigns_say_what_the_mail_is(make: Make, campaigns: Campaigns) -> None:
    """The largest of the period by their subjects; no recipient's mark, no heap of strangers, no list."""
    largest = (
        ("c-1", 17, 10, "rcpt.f73868067afa2cdf - wir gratulieren"),
        ("c-2", 12, 5, "Account unusual signin"),
        ("c-3", 5, 1, ""),
        ("c-4", 4, 4, "A fourth"),
    )
    found = state(make(gathering=campaigns(*largest, alone=12)))
    claim = said(found, "campaigns")
    assert claim.sentence == (
        "50 messages in these 4 weeks belong to 16 campaigns; 12 (24 % [14-37]) are like no other message. "
        'The largest are c-1 ("wir gratulieren") with 17 (34 % [22-48]) from 10 addresses, c-2 ("Account '
        'unusual signin") with 12 from 5 and c-3 with 5 from 1.'
    )
    assert claim.n == 50
    heap = Gathered("c-heap", 30, 30, 9, "Loans")
    gathering = Gathering(33, 2, 0, (heap, Gathered("c-1", 3, 2, 1, "Pills")))
    sentence = said(state(make(gathering=lambda _: gathering)), "campaigns").sentence
    assert sentence.endswith('. The largest is c-1 ("Pills") with 3 (9 % [3-24]) from 2 addresses.')


def test_no_mail_at_all_is_no_error(make: Make) -> None:
    """An empty measurement with a period gives a thin claim and nothing untrue."""
    days = np.array([], dtype="datetime64[D]")
    panel = replace(
        make().measurement.panel,
        days=days,
        sensors=(),
        subjects=(),
        counts=np.zeros((0, 0, 0), dtype=np.int64),
        ham=np.zeros((0, 0), dtype=np.int64),
        relays=(),
        pairs={},
    )
    measurement = Measurement(panel, Exposure(np.zeros((0, 0)), ()), ())
    window = (dt.date(2010, 10, 8), dt.date(2010, 10, 14))
    found = state(
        FindingInputs(measurement, (), (), Period(*window, window, window), Composition(), Totals(0))
    )
    assert said(found, "thin").sentence.startswith("0 messages on 0 days at 0 sensors are too few")


def test_a_sensor_without_spam_is_none_of_those_counted_on_every_day(make: Make) -> None:
    inputs = make()
    before = said(state(inputs), "coverage").numbers
    panel = inputs.measurement.panel
    counts = panel.counts.copy()
    counts[:, 1] = 0
    measurement = replace(inputs.measurement, panel=replace(panel, counts=counts))
    after = said(state(replace(inputs, measurement=measurement)), "coverage").numbers
    assert (after["k"], after["always"]) == (before["k"] - 1, before["always"] - 1)


def test_a_dead_sensor_is_not_a_silent_botnet(make: Make) -> None:
    """Where the only sensor that saw a botnet is down, its silence tells nothing."""
    inputs = make()
    panel = inputs.measurement.panel
    counts = panel.counts.copy()
    at = panel.subjects.index(("botnet", "grum"))
    counts[at, 1:] = 0
    counts[at, 0, 90:] = 0
    exposure = inputs.measurement.exposure.values.copy()
    exposure[0, 90:] = 0
    blind = replace(inputs.measurement, panel=replace(panel, counts=counts), exposure=Exposure(exposure, ()))
    seeing = replace(blind, exposure=Exposure(np.ones_like(exposure), ()))
    states = {
        name: next(s for s in state(make(m)).statuses if s.botnet == "grum").state
        for name, m in (("blind", blind), ("seeing", seeing))
    }
    assert states == {"blind": "too little mail to tell", "seeing": "silent"}


# ---------------------------------------------------------------------------- what holds of all


def numbers_of(values: Mapping[str, float | str | None]) -> set[str]:
    """How the numbers of a claim may be written: whole or with up to two decimals, days, years."""
    written: set[str] = set()
    for value in values.values():
        if isinstance(value, float):
            written |= {f"{abs(value):,.{digits}f}" for digits in (0, 1, 2)} | {f"{value:.2g}"}
        elif isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            year, _, day = value.split("-")
            written |= {str(int(day)), year}
    return written


HOSTILE = "Buy <script>alert(1)</script>\u202e\x00 http://evil.example.com/x?q=1 **now** | [a](b)"


def rich(make: Make, campaigns: Campaigns) -> FindingInputs:
    """Inputs that yield nearly every kind of claim, with hostile text in what strangers wrote."""
    return make(
        events=shipped(),
        gathering=campaigns(("c-4k2m9q", 3000, 120, HOSTILE), ("c-b", 900, 3, "hello")),
        totals=Totals(messages=80_000, quarantined=3, simulated=True, undated=5),
    )


def test_every_number_in_a_sentence_is_in_its_numbers(make: Make, campaigns: Campaigns) -> None:
    """No figure without a name: names out, every run of digits must be one of the claim's numbers."""
    for claim in state(rich(make, campaigns)).claims:
        sentence = claim.sentence
        for value in claim.numbers.values():
            if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
                sentence = sentence.replace(value, "")
        known = numbers_of(claim.numbers)
        for number in re.findall(r"\d[\d,]*(?:\.\d+)?", sentence):
            assert number.rstrip(",") in known, (number, claim.sentence, claim.numbers)


def test_no_sentence_claims_a_cause(make: Make, campaigns: Campaigns) -> None:
    """Nowhere in the claims, nor in any template or rule."""
    texts = [c.sentence for c in state(rich(make, campaigns)).claims]
    texts += [part for parts in TEMPLATES.values() for part in parts]
    texts += [rule for rule, *_ in (*VOLUME_RULES, *STATE_RULES)]
    for text in texts:
        assert not re.search(CAUSAL, text, re.IGNORECASE), text


def test_hostile_text_is_one_harmless_line(make: Make, campaigns: Campaigns) -> None:
    """Control and direction marks are gone, the link is unusable; escaping is left to the renderer."""
    sentence = said(state(rich(make, campaigns)), "campaigns").sentence
    assert '"Buy <script>alert(1)</script> hxxp://evil[.]example[.]com/x' in sentence
    assert not set(sentence) & set("\x00\n\u202e")


def test_claims_are_ordered_unique_and_the_same_again(make: Make, campaigns: Campaigns) -> None:
    """The order is that of importance; two runs agree to the byte; the table holds every claim."""
    inputs = rich(make, campaigns)
    first, second = state(inputs), state(inputs)
    assert first == second
    assert repr(first) == repr(second)
    importances = [c.importance for c in first.claims]
    assert importances == sorted(importances, reverse=True)
    assert len({c.claim for c in first.claims}) == len(first.claims)
    table = claims_table(first.claims)
    assert table.schema == schema.CLAIMS
    assert table.column("claim").to_pylist() == [c.claim for c in first.claims]


def test_every_claim_is_marked_when_the_data_is_simulated(make: Make, campaigns: Campaigns) -> None:
    """A claim that leaves the bulletin still says what it was made from."""
    assert {c.numbers["data"] for c in state(rich(make, campaigns)).claims} == {"simulated"}
    assert not [c for c in state(make()).claims if "data" in c.numbers]


def test_commands_are_safe_to_paste(make: Make) -> None:
    """A hostile family name stays one argument of the command."""
    name = "x; rm -rf ~ $(id)"
    inputs = make()
    panel = inputs.measurement.panel
    subjects = tuple((k, name if s == "grum" else s) for k, s in panel.subjects)
    measurement = replace(inputs.measurement, panel=replace(panel, subjects=subjects))
    claim = said(state(make(measurement, changes=(shift("rise", name, "2010-10-06"),))), "rise")
    assert shlex.split(claim.command)[3:5] == ["--botnet", name]


def test_a_period_that_the_caller_chose_is_kept(make: Make) -> None:
    """Claims speak of the period given: an earlier one knows nothing of the fall."""
    inputs = make()
    early = period(inputs.measurement, dt.date(2010, 8, 1), dt.date(2010, 8, 31), inputs.changes)
    found = state(make(period=early, contributions=()))
    assert "nothing-changed" in {c.kind for c in found.claims}
    assert not [c for c in found.claims if "September" in c.sentence]


def test_a_botnet_that_stopped_two_days_ago_is_silent(quiet: FindingInputs) -> None:
    """Before any change is dated: many were due and none came; a last day that is hardly begun is none."""
    panel = quiet.measurement.panel
    at = panel.subjects.index(("botnet", "rustock"))

    def stopped(counts: np.ndarray) -> Findings:
        measurement = replace(quiet.measurement, panel=replace(panel, counts=counts))
        return state(replace(quiet, measurement=measurement))

    silent = panel.counts.copy()
    silent[0, :, -2:] -= silent[at, :, -2:]
    silent[at, :, -2:] = 0
    found = stopped(silent)
    assert said(found, "status", "rustock").sentence.startswith("Rustock is ")
    assert "no sensor has seen it since 12 October" in said(found, "status", "rustock").sentence
    assert not [c for c in found.claims if c.kind == "nothing-changed"]
    bursts = silent.copy()
    bursts[0, :, 60:63] -= bursts[at, :, 60:63]
    bursts[at, :, 60:63] = 0
    assert {s.botnet: s.volume for s in stopped(bursts).statuses}["rustock"] != "gone"
    begun = panel.counts.copy()
    begun[:, :, -1] = 0
    begun[0, 0, -1] = begun[panel.subjects.index(("botnet", "grum")), 0, -1] = 1
    assert {s.botnet: s.volume for s in stopped(begun).statuses}["rustock"] != "gone"


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


def test_every_claim_names_the_versions_of_the_tables_that_it_rests_on(make: Make) -> None:
    found = state(make(versions={"series": 4, "changes": 2, "observations": 9, "raw": 1}))
    assert said(found, "level").versions == {"series": 4}
    assert said(found, "decline", "rustock").versions == {"changes": 2, "observations": 9, "series": 4}
    assert all(claim.versions for claim in found.claims if claim.kind != "quarantine")


def test_a_botnet_that_was_hardly_ever_recognised_is_not_called_silent(quiet: FindingInputs) -> None:
    """Its lab bot sends and six wild messages carry its traits: that says nothing of its absence."""
    panel = quiet.measurement.panel
    counts = panel.counts.copy()
    at = panel.subjects.index(("botnet", "cutwail"))
    counts[at] = 0
    counts[at, 0, 40:46] = 1
    measurement = replace(quiet.measurement, panel=replace(panel, counts=counts))
    found = state(replace(quiet, measurement=measurement, lab_last_seen={"cutwail": dt.date(2010, 10, 14)}))
    assert next(s for s in found.statuses if s.botnet == "cutwail").state == "not established"
    assert said(found, "status", "cutwail").sentence == (
        "Cutwail's bot in the lab sent until 14 October, but only 6 messages in the wild carry its traits: "
        "whether it sends to these sensors is not established."
    )


def test_mail_that_cannot_be_attributed_is_no_actor(make: Make) -> None:
    """Its own fall is worded as mail; it is in no effect, and it is no news where it is the total's."""
    alone = shift("decline", "unknown", "2010-10-06")
    found = state(make(changes=(alone,)))
    assert said(found, "decline", "unknown").sentence.startswith(
        "Mail that cannot be attributed began to fall"
    )
    assert not [c for c in found.claims if c.kind in {"effect", "advertised"}]
    twin = shift("decline", "total", "2010-10-06", subject_kind="total")
    assert not [c for c in state(make(changes=(alone, twin))).claims if c.subject == "unknown"]


def test_where_most_sensors_changed_nothing_is_said_of_the_volume(quiet: FindingInputs) -> None:
    """Neither a level nor 'nothing changed'."""
    changes = tuple(shift("sensor-change", f"trap-{x}", "2010-10-05", subject_kind="sensor") for x in "abc")
    found = state(replace(quiet, changes=changes))
    assert said(found, "unclear").sentence == (
        "What the volume of spam did cannot be told: 3 of 6 sensors changed in the period."
    )
    assert not {"level", "nothing-changed"} & {c.kind for c in found.claims}


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


def test_what_is_not_attributed_makes_the_levels_add_up(make: Make) -> None:
    """The botnets' levels and those of mail without a name are the total's."""
    found = state(make())
    rest = found.unattributed
    assert rest is not None
    level = said(found, "level").numbers
    assert sum(s.level for s in found.statuses) + rest.level == pytest.approx(level["index"], abs=0.01)
    assert sum(s.before for s in found.statuses) + rest.before == pytest.approx(level["before"], abs=0.01)
    assert rest.level_low < rest.level < rest.level_high
