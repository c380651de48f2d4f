"""What is said of the sensors: outages, changes, those that carry the numbers."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import numpy as np
from told import Make, said, shift

from spamtide.finding import (
    FindingInputs,
    state,
)
from spamtide.model import Exposure, Outage


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


def test_a_sensor_of_much_more_spam_is_told_in_times(make: Make) -> None:
    """Nobody reads percentages of thousands."""
    measurement = make().measurement
    at, day = measurement.panel.sensors.index("trap-a"), np.datetime64("2010-10-05")
    measurement.panel.counts[:, at, measurement.panel.days >= day] *= 21
    changes = (shift("sensor-change", "trap-a", "2010-10-05", subject_kind="sensor"),)
    told = said(state(make(measurement, changes=changes)), "sensor-change", "trap-a").sentence
    assert re.search(r"its spam stands at \d+ times \[\d+-\d+\] (its earlier level|what)", told)


def test_a_sensor_that_drifts_is_told_while_it_does(make: Make) -> None:
    """It began long before the period, and its step is none of these days."""
    start = dt.date(2010, 7, 1)
    inputs = make()
    for end, words in (
        (None, "it has grown slowly since, to 2.5 times [2.2-2.8] its size against the other sensors"),
        (
            dt.date(2010, 10, 4),
            "it grew slowly until 4 October, to 2.5 times [2.2-2.8] its size against the other sensors",
        ),
    ):
        drift = Outage(
            "trap-a", start, end, "changed", "", steps=(start, dt.date(2010, 8, 1)), drift=(2.5, 2.2, 2.8)
        )
        measurement = replace(
            inputs.measurement, exposure=replace(inputs.measurement.exposure, outages=(drift,))
        )
        changes = (shift("sensor-change", "trap-a", "2010-07-01", subject_kind="sensor"),)
        told = said(state(make(measurement, changes=changes)), "sensor-change", "trap-a").sentence
        assert words in told


def test_an_outage_in_a_quiet_period_is_part_of_the_sentence(quiet: FindingInputs) -> None:
    """A dead sensor is no news of the spam, but it is said."""
    down = shift("sensor-outage", "trap-c", "2010-09-24", subject_kind="sensor", end=dt.date(2010, 10, 3))
    sentence = said(state(replace(quiet, changes=(down,))), "nothing-changed").sentence
    assert sentence.endswith("moved; 1 sensor was down for 9 days and is allowed for.")


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
