"""A flood of a day is no level: nothing is held against it, and whose it was is said."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from told import DAY, Make, event, said, shift

from spamtide.finding import FindingInputs, period, state
from spamtide.finding.estimate.forecast import ForecastTest
from spamtide.finding.span import flood_days
from spamtide.model import Contribution, Exposure, Measurement

START = dt.date(2010, 7, 2)
FLOOD = dt.date(2010, 9, 2)
SURGE = shift(
    "surge", "total", "2010-09-02", subject_kind="total", onset_low=FLOOD, end=FLOOD + DAY, ratio=4.0
)


def at(day: dt.date) -> int:
    return (day - START).days


def flooded(quiet: FindingInputs, day: dt.date = FLOOD, sensors: slice = slice(0, 1)) -> Measurement:
    """A quiet world with 3,000 messages of Grum's more on a day, at one sensor if not told otherwise."""
    world = quiet.measurement
    counts = world.panel.counts.copy()
    for subject in (("total", "total"), ("botnet", "grum")):
        counts[world.panel.subjects.index(subject), sensors, at(day)] += 3000
    series = tuple(
        replace(s, index=np.where(s.days == np.datetime64(day), 5 * s.index, s.index))
        if s.subject_kind == "total"
        else s
        for s in world.series
    )
    return replace(world, panel=replace(world.panel, counts=counts), series=series)


def test_no_level_is_held_against_a_flood(quiet: FindingInputs) -> None:
    """The four weeks before are cut to their longest part without; a day in each leaves them whole."""
    world = flooded(quiet)
    since, until = dt.date(2010, 9, 10), dt.date(2010, 10, 10)
    fall = shift("decline", "grum", "2010-09-20", ratio=0.5)
    assert period(world, since, until, (fall,)).before == (dt.date(2010, 8, 22), dt.date(2010, 9, 18))
    assert period(world, since, until, (fall, SURGE)).before == (FLOOD + DAY, dt.date(2010, 9, 18))
    daily = tuple(
        replace(SURGE, onset=day, onset_low=day, end=day + DAY)
        for day in (dt.date(2010, 8, 22) + n * DAY for n in range(0, 28, 5))
    )
    assert period(world, since, until, (fall, *daily)).before == (dt.date(2010, 8, 22), dt.date(2010, 9, 18))


def test_whose_a_flood_was_and_where_it_came_in_is_said(quiet: FindingInputs) -> None:
    """All of it one botnet's and at one sensor; at all of them alike, only whose."""
    for sensors, words in (
        (slice(0, 1), "Nearly all of the flood was Grum's and came to one sensor, trap-a."),
        (slice(None), "Nearly all of the flood was Grum's."),
    ):
        span = period(flooded(quiet), dt.date(2010, 8, 20), dt.date(2010, 9, 20), (SURGE,))
        claim = said(
            state(replace(quiet, measurement=flooded(quiet, sensors=sensors), changes=(SURGE,), period=span)),
            "surge",
        )
        assert claim.sentence.endswith(f"and was back near it by 3 September. {words}"), claim.sentence


def test_a_flood_is_no_level_to_go_on_from(quiet: FindingInputs) -> None:
    """The index of the days to come is what it would be without the flood."""
    day = dt.date(2010, 10, 3)
    surge = replace(SURGE, onset=day, onset_low=day, onset_high=day, end=day + DAY)
    plain = said(state(quiet), "forecast").numbers
    inputs = replace(quiet, measurement=flooded(quiet, day, slice(None)), changes=(surge,))
    told = said(state(inputs), "forecast").numbers
    assert told["week"] == pytest.approx(plain["week"], rel=0.03)
    assert told["week_high"] - told["week_low"] < 1.3 * (plain["week_high"] - plain["week_low"])


def test_a_sensor_is_held_against_others_that_stayed_the_same(quiet: FindingInputs) -> None:
    """Neither a flood at another sensor nor one that left later moves what a sensor stands at."""
    world = flooded(quiet, sensors=slice(1, 2))
    counts = world.panel.counts.copy()
    counts[:, 0, at(dt.date(2010, 9, 8)) :] //= 2
    counts[:, 2:4, at(dt.date(2010, 10, 9)) :] = 0
    world = replace(world, panel=replace(world.panel, counts=counts))
    changed = shift("sensor-change", "trap-a", "2010-09-08", subject_kind="sensor")
    left = tuple(
        shift("sensor-outage", f"trap-{x}", "2010-10-09", subject_kind="sensor", confidence=1.0) for x in "cd"
    )
    span = period(world, dt.date(2010, 8, 20), None, (SURGE,))
    inputs = replace(quiet, measurement=world, changes=(SURGE, changed, *left), period=span)
    claim = said(state(inputs), "sensor-change", "trap-a")
    assert claim.numbers["left"] == pytest.approx(50, abs=4)
    assert "until 6 October" in claim.sentence


def test_a_sensor_that_changed_long_before_is_even_since(quiet: FindingInputs) -> None:
    """All mail doubles while one sensor halves: the others tell it, also those that changed in July."""
    world = quiet.measurement
    counts = world.panel.counts.copy()
    counts[:, :, at(dt.date(2010, 9, 8)) :] *= 2
    counts[:, 0, at(dt.date(2010, 9, 8)) :] //= 2
    world = replace(world, panel=replace(world.panel, counts=counts))
    changed = shift("sensor-change", "trap-a", "2010-09-08", subject_kind="sensor")
    early = tuple(shift("sensor-change", f"trap-{x}", "2010-07-05", subject_kind="sensor") for x in "bcdef")
    span = period(world, dt.date(2010, 8, 20), None)
    claim = said(
        state(replace(quiet, measurement=world, changes=(changed, *early), period=span)), "sensor-change"
    )
    assert claim.numbers["left"] == pytest.approx(50, abs=4)
    assert "of what the other sensors' mail would lead one to expect" in claim.sentence


def test_a_flood_of_the_last_week_is_no_level_once_it_is_over(quiet: FindingInputs) -> None:
    """Neither the index nor its botnet stands at it; one that is not over, or leaves too little, counts."""
    day, until = dt.date(2010, 10, 11), dt.date(2010, 10, 14)
    week = (dt.date(2010, 10, 8), until)
    world = flooded(quiet, day, slice(None))
    surge = replace(SURGE, onset=day, onset_low=day, onset_high=day, end=day + DAY)
    for changes, after in (
        ((), week),
        ((surge,), (dt.date(2010, 10, 12), until)),
        ((replace(surge, end=None),), week),
        ((replace(surge, end=until + DAY),), week),
        ((replace(surge, onset_low=day - DAY, end=day + 2 * DAY),), week),
    ):
        assert period(world, None, None, changes).after == after
    span = period(world, None, None, (surge,))
    assert span.before == period(world, None, None).before
    found = state(replace(quiet, measurement=world, changes=(surge,), period=span))
    level = said(found, "level")
    days = "from 12 October to 14 October, the longest part of the last week without a flood"
    assert days in level.sentence
    assert level.numbers["index"] == pytest.approx(100, abs=10)
    grum = next(one for one in found.statuses if one.botnet == "grum")
    assert (grum.volume, grum.state) == ("active", "active")
    assert found.unattributed is not None
    points = sum(one.level for one in found.statuses) + found.unattributed.level
    assert points == pytest.approx(level.numbers["index"], abs=0.01)


def test_a_flood_that_is_not_over_stands_to_the_last_day() -> None:
    """Its days are known up to the end of the period, not up to its onset only."""
    day = dt.date(2010, 10, 11)
    surge = replace(SURGE, onset=day, onset_low=day, end=None)
    assert flood_days((surge,), day + 3 * DAY) == {day + n * DAY for n in range(4)}
    assert flood_days((SURGE,), day) == {FLOOD}


def test_a_move_that_is_not_over_stands_where_it_stands_now(quiet: FindingInputs) -> None:
    """Days along a long decline are at no level: the last week tells."""
    world = quiet.measurement
    counts = world.panel.counts.copy()
    row = world.panel.subjects.index(("botnet", "grum"))
    counts[row, :, 45:] = (counts[row, :, 45:] * np.linspace(1, 0.2, counts.shape[2] - 45)).astype(np.int64)
    world = replace(world, panel=replace(world.panel, counts=counts))
    fell = shift("decline", "grum", str(START + 45 * DAY), end=None, ratio=None)
    claim = said(state(replace(quiet, measurement=world, changes=(fell,))), "decline")
    assert claim.numbers["left"] == pytest.approx(22, abs=5)


def test_points_add_up_where_a_day_has_no_level(quiet: FindingInputs) -> None:
    """A last day on which no sensor counted has mail but no index: no botnet loses points by it."""
    world = quiet.measurement
    series = tuple(
        replace(
            s,
            index=np.where(s.days == s.days[-1], np.nan, s.index),
            offset=np.where(s.days == s.days[-1], 0.0, s.offset),
        )
        for s in world.series
    )
    inputs = replace(quiet, measurement=replace(world, series=series))
    found = state(inputs)
    whole = said(found, "nothing-changed").numbers["index"]
    assert found.unattributed is not None
    assert sum(s.level for s in found.statuses) + found.unattributed.level == pytest.approx(whole, abs=0.01)


def test_a_period_does_not_begin_before_the_data(quiet: FindingInputs) -> None:
    """An observatory of two weeks says nothing of the two weeks before it."""
    panel = quiet.measurement.panel
    young = replace(
        panel,
        days=panel.days[-14:],
        counts=panel.counts[..., -14:],
        ham=panel.ham[:, -14:],
        relays=tuple(r[-14:] for r in panel.relays),
        pairs={},
    )
    up = Exposure(quiet.measurement.exposure.values[:, -14:], ())
    chosen = period(Measurement(young, up, ()), None, None)
    assert chosen.since == panel.days[-14].item()


def test_who_did_as_ever_is_not_told_to_have_gone_with_all_mail(make: Make) -> None:
    """Of many botnets one lies outside its interval by chance; a change on record makes it a part."""
    chance = (
        Contribution("total", "total", -18.0, -26.0, -10.0),
        Contribution("botnet", "rustock", -22.0, -24.0, -20.0),
        Contribution("botnet", "grum", -3.0, -5.8, -0.2),
        Contribution("botnet", "cutwail", 0.2, -2.0, 2.2),
        Contribution("botnet", "xarvester", 0.1, -2.0, 2.0),
        Contribution("botnet", "unknown", -0.3, -2.0, 1.4),
    )
    assert "Grum" not in said(state(make(contributions=chance)), "decomposition").sentence
    fell = shift("decline", "grum", "2010-10-01", end=dt.date(2010, 10, 3), ratio=0.8)
    known = make(contributions=chance, changes=(*make().changes, fell))
    assert "and Grum 3.0 [0.2-5.8]" in said(state(known), "decomposition").sentence


def test_a_lab_bot_that_stopped_with_its_botnet_does_not_still_send(make: Make) -> None:
    """Four days ago both were last seen: nothing goes on."""
    world = make().measurement
    row = world.panel.subjects.index(("botnet", "rustock"))
    world.panel.counts[row, :, at(dt.date(2010, 10, 11)) :] = 0
    cease = shift("cease", "rustock", "2010-10-11", end=dt.date(2010, 10, 11), ratio=0.0)
    for lab, words in ((dt.date(2010, 10, 10), "last sent on"), (dt.date(2010, 10, 14), "still sends")):
        inputs = make(world, changes=(cease,), lab_last_seen={"rustock": lab})
        assert f"its bot in the lab {words}" in said(state(inputs), "status", "rustock").sentence


def test_who_carries_a_programme_is_of_now(make: Make) -> None:
    """The last four weeks tell who carries it and at which level, not all the months since."""
    world = make().measurement
    pairs = {key: daily.copy() for key, daily in world.panel.pairs.items()}
    subjects = [*world.panel.subjects, ("programme", "Lone Meds")]
    days = world.panel.days.size
    for botnet in ("rustock", "cutwail", "grum"):
        pairs[botnet, "Lone Meds"] = np.zeros(days, dtype=np.int64)
    pairs["rustock", "Lone Meds"][:40] = 100
    pairs["grum", "Lone Meds"][:70] = 5
    pairs["cutwail", "Lone Meds"][70:] = 100
    daily = sum(pairs[b, "Lone Meds"] for b in ("rustock", "cutwail", "grum"))
    rows = np.zeros((1, *world.panel.counts.shape[1:]), dtype=np.int64)
    rows[0, 0] = daily
    counts = np.concatenate([world.panel.counts, rows])
    gone = counts[subjects.index(("botnet", "rustock"))]
    gone[:, 40:] = 0
    panel = replace(world.panel, counts=counts, subjects=tuple(subjects), pairs=pairs)
    fell = shift("cease", "rustock", str(START + 40 * DAY), end=START + 40 * DAY, ratio=0.0)
    span = period(replace(world, panel=panel), START + 30 * DAY, None, (fell,))
    found = state(make(replace(world, panel=panel), changes=(fell,), period=span))
    claim = said(found, "carried-on", "Lone Meds")
    assert "of it since 17 September comes from Cutwail" in claim.sentence
    assert claim.numbers["left"] == pytest.approx(100, abs=3)


def test_an_operation_strikes_and_is_not_struck(make: Make) -> None:
    """'The takedown by Operation X': it was not taken down itself."""
    inputs = make(events=(event("2010-09-20", "takedown", "Operation Ebb", subject_type="operation"),))
    told = [c for c in state(inputs).claims if c.kind in {"event", "nearby"}]
    assert told[0].sentence.startswith("The takedown by Operation Ebb is on record for 20 September")


def test_what_a_botnet_lost_is_no_quiet_period_though_no_change_could_be_dated(quiet: FindingInputs) -> None:
    """A week-old observatory dates nothing yet; a tenth of all mail that went is told all the same."""
    since = quiet.period.since
    near = replace(quiet.period, before=(since - 28 * DAY, since - DAY))
    small, large = (
        (
            Contribution("total", "total", points, points - 4, points + 4),
            Contribution("botnet", "rustock", points, points - 3, points + 3),
            *(Contribution("botnet", b, 0.0, -1.0, 1.0) for b in ("grum", "cutwail", "xarvester", "unknown")),
        )
        for points in (-5.0, -14.0)
    )
    assert said(state(replace(quiet, period=near, contributions=small)), "nothing-changed")
    found = state(replace(quiet, period=near, contributions=large))
    assert not [c for c in found.claims if c.kind == "nothing-changed"]
    assert said(found, "level")
    assert "Rustock has lost 14 [11-17] points" in said(found, "exchange").sentence


def test_one_past_week_is_a_week(quiet: FindingInputs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a young record there is one week to try forecasts on."""
    monkeypatch.setattr("spamtide.finding.claim.timing.forecast_test", lambda *_: ForecastTest(1, 0))
    assert "of 1 past week forecast in this way, 0 came out inside" in said(state(quiet), "forecast").sentence
