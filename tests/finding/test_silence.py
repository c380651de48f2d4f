"""A silence lasts from the end of its cease on, whatever strays come, until the subject is back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from told import DAY, Make, said, shift

from spamtide.finding import Event, FindingInputs, Findings, state
from spamtide.finding.inputs import View
from spamtide.finding.silence import silence_of
from spamtide.model import Change, Measurement

CEASED = dt.date(2010, 7, 31)
STRAYS = (45, 60, 75, 98)
"""Days on which one message bears the name after all."""
UNTIL = dt.date(2010, 10, 14)


def strays(
    make: Make,
    *changes: Change,
    back: int | None = None,
    measurement: Measurement | None = None,
    more: Iterable[int] = (),
) -> FindingInputs:
    """Grum stops on the thirtieth day; four messages bear its name later."""
    measurement = measurement or make().measurement
    panel = measurement.panel
    counts = panel.counts.copy()
    at = panel.subjects.index(("botnet", "grum"))
    end = back or counts.shape[2]
    counts[0] -= np.where(np.arange(counts.shape[2]) >= 29, counts[at], 0) * (
        np.arange(counts.shape[2]) < end
    )
    counts[at, :, 29:end] = 0
    for day in (*STRAYS, *more):
        counts[at, 0, day] += 1
        counts[0, 0, day] += 1
    measurement = replace(measurement, panel=replace(panel, counts=counts))
    return make(measurement, changes=(cease(), *changes))


def cease(**more: object) -> Change:
    """Its fall, dated a day too early as often as not."""
    return shift("cease", "grum", "2010-07-30", end=CEASED, end_low=CEASED, end_high=CEASED, **more)


def grum(found: Findings) -> tuple[str, str]:
    status = next(s for s in found.statuses if s.botnet == "grum")
    return status.volume, status.state


def test_strays_do_not_begin_a_silence_anew(make: Make) -> None:
    """76 days after its cease, three after the last message that bears its name."""
    inputs = strays(make)
    told = silence_of(View(inputs), "botnet", "grum", UNTIL)
    assert told is not None
    assert (told.since, told.days(UNTIL), told.strays) == (CEASED, 75, len(STRAYS))
    for until in (UNTIL, UNTIL - 9 * DAY):
        assert grum(state(replace(inputs, period=replace(inputs.period, until=until)))) == ("gone", "silent")


def test_a_trickle_is_more_than_strays(make: Make) -> None:
    """One message in five days, at most; one of them in the last week."""
    inputs = strays(make, more=range(35, 104, 6))
    assert grum(state(inputs)) == ("quiet", "quiet, not gone")


def test_an_action_on_the_last_day_of_an_onset_came_before_it(make: Make, quiet: FindingInputs) -> None:
    """The outlook is that of a silence of 75 days after an action, not of days and without one."""
    struck = Event(dt.date(2010, 7, 31), None, "takedown", "botnet", "Grum", "", "https://x.example/", "high")
    inputs = strays(make, measurement=quiet.measurement)
    record = tuple(
        Event(day, day + 8 * DAY, "pause", "botnet", f"Old{k}", "", "", "high")
        for k, day in enumerate(dt.date(2008, 1, 1) + 20 * k * DAY for k in range(8))
    )
    inputs = replace(inputs, changes=(cease(),), events=(*record, struck))
    (outlook,) = [c for c in state(inputs).claims if c.kind == "outlook"]
    assert "silent for 75 days after an action against the botnet" in outlook.sentence


def test_a_return_is_told_with_the_strays_before_it(make: Make) -> None:
    inputs = strays(make, shift("resume", "grum", "2010-10-10"), back=100)
    sentence = said(state(inputs), "resume").sentence
    assert "after 71 days in which it sent next to nothing (4 messages)" in sentence


@pytest.mark.parametrize("since", ["resume", "rise"])
def test_what_was_back_is_in_no_silence(make: Make, since: str) -> None:
    view = View(strays(make, shift(since, "grum", "2010-09-10"), back=70))
    assert silence_of(view, "botnet", "grum", UNTIL) is None
    before = silence_of(view, "botnet", "grum", dt.date(2010, 9, 9))
    assert before is not None
    assert before.since == CEASED


def test_a_name_that_was_lost_before_says_nothing_of_silence(make: Make) -> None:
    """The few that still bore it ended; its mail may go on."""
    inputs = strays(make, shift("attribution-loss", "grum", "2010-07-10"))
    assert silence_of(View(inputs), "botnet", "grum", UNTIL) is None
