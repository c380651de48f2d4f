"""What is said of the volume: its level, who lost and gained, what the mail is made of."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import numpy as np
import pytest
from told import DAY, Campaigns, Make, said, shift

from spamtide.finding import (
    Composition,
    FindingInputs,
    Totals,
    state,
)
from spamtide.model import Contribution, Exposure, Measurement
from spamtide.statement import Gathered, Gathering


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


def test_a_quiet_level_far_from_its_base_says_what_that_is(quiet: FindingInputs) -> None:
    """Else 300 reads as a jump."""
    since = quiet.period.since
    before = (since - dt.timedelta(days=28), since - dt.timedelta(days=1))
    scaled = [
        replace(s, index=3 * s.index, low=3 * s.low, high=3 * s.high) if s.subject_kind == "total" else s
        for s in quiet.measurement.series
    ]
    measurement = replace(quiet.measurement, series=tuple(scaled))
    found = state(replace(quiet, measurement=measurement, period=replace(quiet.period, before=before)))
    told = said(found, "nothing-changed")
    assert "(100 is the mean of 2 July to 29 July)" in told.sentence
    assert told.numbers["base_month"] == "July"


def test_a_quiet_period_says_that_nothing_changed(quiet: FindingInputs) -> None:
    """One sentence in place of a level, and no change anywhere."""
    found = state(quiet)
    assert re.fullmatch(
        r"Nothing changed in this period: the volume index is \d+ \[\d+-\d+\], "
        r"no botnet and no programme moved\.",
        said(found, "nothing-changed").sentence,
    )
    assert "base_month" not in said(found, "nothing-changed").numbers
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


def test_a_sensor_that_takes_mail_was_up(quiet: FindingInputs) -> None:
    """One that counts for nothing, as since it changed, is not said to be down."""
    world = quiet.measurement
    last = slice(-20, None)
    exposure = world.exposure.values.copy()
    exposure[:, last] = 0.0
    series = tuple(replace(s, index=np.where(exposure.any(axis=0), s.index, np.nan)) for s in world.series)
    lost = replace(quiet, measurement=replace(world, exposure=Exposure(exposure, ()), series=series))
    assert "no sensor could be counted from" in said(state(lost), "unclear").sentence
    changes = tuple(shift("sensor-change", f"trap-{x}", "2010-10-05", subject_kind="sensor") for x in "abc")
    changed = state(replace(lost, changes=changes))
    assert "3 of 6 sensors changed" in said(changed, "unclear").sentence


def test_what_is_not_attributed_makes_the_levels_add_up(make: Make) -> None:
    """The botnets' levels and those of mail without a name are the total's."""
    found = state(make())
    rest = found.unattributed
    assert rest is not None
    level = said(found, "level").numbers
    assert sum(s.level for s in found.statuses) + rest.level == pytest.approx(level["index"], abs=0.01)
    assert sum(s.before for s in found.statuses) + rest.before == pytest.approx(level["before"], abs=0.01)
    assert rest.level_low < rest.level < rest.level_high
