"""What is said of a botnet's moves: each kind of change has its sentence."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from told import DAY, Campaigns, Make, said, shift

from spamtide.change.hours import HourlyAlarm, _change
from spamtide.finding import (
    FindingInputs,
    period,
    state,
)
from spamtide.finding.claim.sentences import TEMPLATES
from spamtide.model import Change, ChangeKind, Outage


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


def test_a_fall_of_this_morning_may_still_be_going_on(quiet: FindingInputs) -> None:
    """What is flagged while it happens is no end, and its botnet is not active."""
    fell = shift("cease", "grum", str(quiet.period.until))
    found = state(replace(quiet, changes=(fell,)))
    assert said(found, "cease").sentence.endswith("; it may still be going on.")
    assert next(s.state for s in found.statuses if s.botnet == "grum") == "sending less"
    before = replace(fell, onset=fell.onset - 6 * DAY, onset_low=fell.onset_low - 6 * DAY)
    assert "going on" not in said(state(replace(quiet, changes=(before,))), "cease").sentence


def test_a_first_message_is_a_fact(make: Make) -> None:
    """Its day is told as it is; from when on there were more is inferred, and only that is doubted."""
    inputs = make()
    panel = inputs.measurement.panel
    counts = panel.counts.copy()
    first = int((np.datetime64("2010-09-20") - panel.days[0]).astype(int))
    counts[panel.subjects.index(("botnet", "grum")), :, :first] = 0
    measurement = replace(inputs.measurement, panel=replace(panel, counts=counts))

    def sentence(onset: str, confidence: float = 0.99) -> str:
        new = shift("new", "grum", onset, confidence=confidence)
        return said(state(make(measurement, changes=(new,))), "new").sentence

    assert sentence("2010-09-20").startswith("Grum was first seen on 20 September; ")
    assert sentence("2010-09-20", 0.85).startswith("Grum was first seen on 20 September; ")
    later = "Grum was first seen on 20 September, probably in numbers from about 24 September [23-25] on; "
    assert sentence("2010-09-24", 0.85).startswith(later)


def test_a_silence_of_this_morning_does_not_go_on_falling(quiet: FindingInputs) -> None:
    """Nothing is left of it that could."""
    panel = quiet.measurement.panel
    counts = panel.counts.copy()
    counts[panel.subjects.index(("botnet", "grum")), :, -2:] = 0
    measurement = replace(quiet.measurement, panel=replace(panel, counts=counts))
    fell = shift("cease", "grum", str(quiet.period.until - DAY))
    sentence = said(state(replace(quiet, measurement=measurement, changes=(fell,))), "cease").sentence
    assert sentence.endswith(" and fell silent.")


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


@pytest.mark.parametrize(
    ("level", "end", "words"),
    [
        (
            1.0,
            "2010-09-20",
            r"rose .*, back to 1\.[01]\d times \[.*\] its level before it fell about 10 September\.",
        ),
        (1.0, None, r"began to rise .* and is back at \d\.\d\d times \[.*\] its level before it fell .*\."),
        (0.8, None, r"began to rise .* and stands at \d+ % \[.*\] of its level before it fell about .*\."),
        (0.8, "2010-09-20", r"rose .* at most, to \d+ % \[.*\] of its level before it fell about .*\."),
        (
            0.4,
            "2010-09-20",
            r"rose .*, to .* its earlier level, which is 4\d % \[.*\] of its level before it .*\.",
        ),
    ],
)
def test_a_rise_out_of_a_dip_is_held_against_the_level_before_it(
    make: Make, level: float, end: str | None, words: str
) -> None:
    """It is back where it was: no many times of anything."""
    day = dt.date.fromisoformat(end) if end else None
    changes = (
        shift("decline", "grum", "2010-09-10", end=dt.date(2010, 9, 10), ratio=0.1),
        shift("rise", "grum", "2010-09-20", end=day, ratio=10 * level),
    )
    inputs = make()
    panel = inputs.measurement.panel
    counts = panel.counts.copy()
    grum = panel.subjects.index(("botnet", "grum"))
    was = int(counts[grum, :, :70].mean())
    counts[grum, :, 70:80] = was // 10
    counts[grum, :, 80:] = round(level * was + 0.3)
    measurement = replace(inputs.measurement, panel=replace(panel, counts=counts))
    sentence = said(state(make(measurement, changes=changes)), "rise").sentence
    assert re.search(words, sentence), sentence


def test_what_is_hardly_known_is_no_return(make: Make) -> None:
    """Days that differ by much leave an interval that holds the level before: also at two fifths of it."""
    day = dt.date(2010, 9, 20)
    changes = (
        shift("decline", "grum", "2010-09-10", end=dt.date(2010, 9, 10), ratio=0.05),
        shift("rise", "grum", str(day), end=day, ratio=10.0, ratio_low=1.2, ratio_high=30.0),
    )
    inputs = make()
    panel = inputs.measurement.panel
    counts = panel.counts.copy()
    grum = panel.subjects.index(("botnet", "grum"))
    counts[grum] = 0
    counts[grum, 0] = 8
    counts[grum, 0, 70:80] = 1
    counts[grum, 0, 80:] = 0
    counts[grum, 0, 80::7] = 24
    measurement = replace(inputs.measurement, panel=replace(panel, counts=counts))
    claim = said(state(make(measurement, changes=changes)), "rise")
    assert "back" not in claim.sentence
    assert re.search(r"which is \d\d % \[\d+-1\d\d\] of its level before it fell", claim.sentence), (
        claim.sentence
    )


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
