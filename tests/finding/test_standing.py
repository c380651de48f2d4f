"""What is said of where a botnet stands: active, quiet, silent, and how long that may last."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import numpy as np
import pytest
from told import DAY, Make, said, shift, shipped

from spamtide.finding import (
    FindingInputs,
    Findings,
    state,
)


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


def test_a_period_long_past_says_until_when_mail_was_known(make: Make) -> None:
    """Not where it ends with the mail."""
    inputs = make()
    assert "hindsight" not in {c.kind for c in state(inputs).claims}
    earlier = replace(inputs.period, until=inputs.period.until - 5 * DAY)
    assert said(state(replace(inputs, period=earlier)), "hindsight").sentence == (
        "This is told with what was known by 14 October: days and sizes of changes, and who sent what, rest "
        "on later mail, too."
    )


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
