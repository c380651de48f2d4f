"""What is told of little mail, of none, of one sensor, and which fall is the period's."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import numpy as np
from told import Make, said, shift

from spamtide.finding import FindingInputs, period, state
from spamtide.model import Contribution, Exposure, Measurement, Outage

# ---------------------------------------------------------------------------- little, none, one sensor


def test_a_level_says_how_little_it_rests_on_and_a_rise_is_told_in_times(make: Make) -> None:
    """A twelvefold rise of one person's few messages: 'times', and from how many at one sensor."""
    world = make().measurement
    days = world.panel.days.size
    row = np.zeros((1, days), dtype=np.int64)
    row[0, ::2] = 1
    row[0, days - 35 :] = 8
    panel = replace(
        world.panel,
        sensors=("mailbox",),
        subjects=(("total", "total"),),
        counts=row[None],
        ham=np.zeros_like(row),
        relays=(("",) * days,),
        pairs={},
    )
    exposure = np.ones((1, days))
    index = 200.0 * row[0]
    base = "2010-07-02..2010-07-29"
    series = (
        replace(
            world.series[0],
            count=row[0],
            index=index,
            low=0.7 * index,
            high=1.4 * index,
            offset=np.full(days, 0.5),
            base=base,
        ),
    )
    inputs = make(Measurement(panel, Exposure(exposure, ()), series), changes=(), contributions=())
    claim = said(state(inputs), "level")
    assert re.search(r": 16 times \[\d+-\d+\] as much, from 224 messages at one sensor\.$", claim.sentence)
    assert (claim.numbers["sample"], claim.numbers["sample_sensors"]) == (224, 1)


def test_days_without_any_collecting_are_told_as_such(make: Make) -> None:
    """All sensors down for a month: nothing is said of spam then; a last week in the dark has no level."""
    world = make().measurement
    exposure, counts = world.exposure.values.copy(), world.panel.counts.copy()
    exposure[:, 40:72], counts[..., 40:72] = 0, 0
    down = tuple(
        Outage(name, dt.date(2010, 8, 11), dt.date(2010, 9, 11), "down", "no mail")
        for name in world.panel.sensors
    )
    panel = replace(world.panel, counts=counts, pairs={})
    dark = Measurement(panel, Exposure(exposure, down), world.series)
    chosen = period(dark, dt.date(2010, 8, 15), dt.date(2010, 9, 5))
    found = state(make(dark, changes=(), period=chosen))
    assert {c.kind for c in found.claims} == {"dark", "sensor-outage"}
    assert said(found, "dark").sentence == (
        "Nothing was collected from 15 August to 5 September: no sensor was up. "
        "What spam did then is not known."
    )
    assert said(found, "sensor-outage", "several").sentence == (
        "All 6 sensors have been down since 11 August: what spam did then is not known."
    )
    assert [c.subject for c in found.claims if c.kind == "sensor-outage"] == ["several"]
    series = tuple(replace(s, index=np.where(exposure.any(axis=0), s.index, np.nan)) for s in world.series)
    partly = Measurement(panel, Exposure(exposure, down), series)
    chosen = period(partly, dt.date(2010, 7, 20), dt.date(2010, 8, 25))
    found = state(make(partly, changes=(), period=chosen))
    assert said(found, "unclear").sentence == (
        "What the volume of spam did cannot be told: no sensor was up from 19 August to 25 August."
    )


def test_where_one_sensor_alone_had_mail_the_collecting_may_have_changed(make: Make) -> None:
    """Five of six sensors begin only later: what moves before is one's collecting, perhaps."""
    world = make().measurement
    days = world.panel.days
    world.panel.counts[:, 1:, days < np.datetime64("2010-12-01")] = 0
    changes = (
        shift("rise", "unknown", "2010-09-20", ratio=3.0, subject_kind="programme"),
        shift("decline", "rustock", "2010-09-20", ratio=0.02),
    )
    found = state(make(world, changes=changes))
    words = " Only one sensor, trap-a, had mail in these weeks: its collecting may have changed instead."
    assert said(found, "rise", "unknown").sentence.endswith(words)
    assert said(found, "decline", "rustock").sentence.endswith(words)
    assert "its collecting" not in said(state(make()), "decline", "rustock").sentence


def test_what_one_sensor_alone_sees_is_said_to_be_so_once(make: Make) -> None:
    """A botnet at one of six sensors: with its first change, not with its second."""
    world = make().measurement
    row = world.panel.subjects.index(("botnet", "grum"))
    world.panel.counts[row][1:] = 0
    changes = (
        shift("decline", "grum", "2010-09-20", ratio=0.4),
        shift("rise", "grum", "2010-10-04", ratio=2.0),
        shift("decline", "rustock", "2010-09-20", ratio=0.02),
    )
    found = state(make(world, changes=changes))
    fell, rose = (said(found, kind, "grum").sentence for kind in ("decline", "rise"))
    assert fell.endswith(" This is seen at one sensor of 6 only.")
    assert "one sensor" not in rose + said(found, "decline", "rustock").sentence


# ---------------------------------------------------------------------------- which fall, against what


def test_the_effect_is_that_of_the_periods_own_fall(make: Make) -> None:
    """A fall of July, back long since, is not told beside one of September; nor is it when nobody fell."""
    old = shift("cease", "grum", "2010-07-20", ratio=0.0)
    back = shift("resume", "grum", "2010-08-01")
    own = shift("decline", "rustock", "2010-09-20", ratio=0.02, end=dt.date(2010, 9, 23))
    assert said(state(make(changes=(old, back, own))), "effect").subject == "rustock"
    later = period(make().measurement, dt.date(2010, 10, 8), dt.date(2010, 10, 14))
    assert not [c for c in state(make(changes=(old, back), period=later)).claims if c.kind == "effect"]
    ends = period(make().measurement, dt.date(2010, 10, 10), dt.date(2010, 10, 14))
    away = replace(own, onset=dt.date(2010, 9, 15), onset_low=dt.date(2010, 9, 14))
    again = shift("resume", "rustock", "2010-10-01")
    told = said(state(make(changes=(away, again), period=ends)), "effect").sentence
    assert "Rustock was back before the end of the first 4 weeks." in told


def test_a_level_below_that_of_the_base_is_not_about_the_same(quiet: FindingInputs) -> None:
    """An exchange says what the difference is where it is beyond chance."""
    parts = (
        Contribution("total", "total", -15.0, -19.0, -11.0),
        Contribution("botnet", "rustock", -20.0, -24.0, -16.0),
    )
    world = quiet.measurement
    lower = tuple(
        replace(s, index=s.index * scale, low=s.low * scale, high=s.high * scale)
        for s, scale in ((s, np.where(np.arange(s.days.size) < 60, 1.0, 0.85)) for s in world.series)
    )
    measurement = Measurement(world.panel, world.exposure, lower)
    told = said(state(replace(quiet, measurement=measurement, contributions=parts)), "exchange")
    assert re.match(r"All spam stands 1\d % \[\d+-\d+\] below its level in the 4 weeks", told.sentence)


def test_most_of_a_rise_is_of_all_that_rose(make: Make) -> None:
    """What others lost of it does not make a small part of a gain the most of it (title)."""
    parts = (
        Contribution("total", "total", 7.0, 3.0, 11.0),
        Contribution("botnet", "grum", 5.0, 3.0, 6.0),
        Contribution("botnet", "unknown", 8.0, 3.0, 12.0),
        Contribution("botnet", "cutwail", 3.0, 2.0, 4.0),
        Contribution("botnet", "rustock", -9.0, -11.0, -7.0),
    )
    claim = said(state(make(contributions=parts)), "decomposition")
    assert (claim.numbers["largest"], claim.numbers["largest_word"]) == ("Grum", "a good part")
    assert claim.numbers["nameless_word"] == "most"


def test_a_switch_behind_a_silence_is_of_the_day_of_the_return(make: Make) -> None:
    """A botnet that comes back with another programme did not change it on a day on which it was silent."""
    switch = shift(
        "switch", "xarvester", "2010-10-01", onset_low=dt.date(2010, 9, 25), onset_high=dt.date(2010, 10, 3),
        from_programme="Canadian Pharmacy", to_programme="Ultimate Replicas",
    )  # fmt: skip
    back = shift("resume", "xarvester", "2010-10-02")
    sentence = said(state(make(changes=(switch, back))), "switch").sentence
    assert sentence.startswith("Xarvester, before its silence a sender of Canadian Pharmacy, has carried")
    assert sentence.endswith("since it was back about 2 October [1-3].")
    assert "until 30 September" in said(state(make(changes=(switch,))), "switch").sentence


def _split(make: Make) -> Measurement:
    """A world in which Xarvester goes on with half of what it turned from."""
    world = make().measurement
    pairs = {key: daily.copy() for key, daily in world.panel.pairs.items()}
    half = pairs["xarvester", "Ultimate Replicas"] // 2
    pairs["xarvester", "Ultimate Replicas"] -= half
    pairs["xarvester", "Canadian Pharmacy"] += half
    return replace(world, panel=replace(world.panel, pairs=pairs))


def test_who_still_carries_half_of_what_it_turned_from_is_told_to_split(make: Make) -> None:
    """'Until' would be false of a sender that goes on with it."""
    sentence = said(state(make(_split(make))), "switch", "xarvester").sentence
    assert re.fullmatch(
        r"Xarvester, a sender of Canadian Pharmacy, has carried Ultimate Replicas in 4\d % \[.*\] of its "
        r"mail with a known programme since about 2 October \[1-3\], and Canadian Pharmacy still in 5\d % "
        r"\[.*\]\.",
        sentence,
    ), sentence


def test_who_is_back_and_carries_both_is_told_since_its_return(make: Make) -> None:
    """A fifth of what it sent before its silence does not make it a sender of the days between."""
    world = _split(make)
    switch = shift(
        "switch", "xarvester", "2010-10-01", onset_low=dt.date(2010, 9, 25), onset_high=dt.date(2010, 10, 3),
        from_programme="Canadian Pharmacy", to_programme="Ultimate Replicas",
    )  # fmt: skip
    back = shift("resume", "xarvester", "2010-10-02")
    sentence = said(state(make(world, changes=(switch, back))), "switch").sentence
    assert sentence.startswith("Xarvester, before its silence a sender of Canadian Pharmacy, has carried")
    assert "since it was back about 2 October [1-3], and Canadian Pharmacy still in 5" in sentence
    on = shift(
        "switch", "xarvester", "2010-10-09", from_programme="Ultimate Replicas", to_programme="Maple Meds"
    )
    first = next(
        c.sentence for c in state(make(world, changes=(switch, on))).claims if c.claim.endswith("2010-10-01")
    )
    assert "to 8 October, and Canadian Pharmacy in 5" in first
    assert "still" not in first
    both = state(make(world, changes=(switch, back, on))).claims
    told = next(c.sentence for c in both if c.kind == "switch" and c.claim.endswith("2010-10-01"))
    assert "carried Ultimate Replicas in 4" in told
    assert "from its return about 2 October [1-3] to 8 October" in told
