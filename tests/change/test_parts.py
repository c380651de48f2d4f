"""A move of all mail is dated by the moves that it is made of."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np

from spamtide.change.causes.telling import Judged
from spamtide.change.moves.event import Event
from spamtide.change.moves.spread import Spread
from spamtide.change.parts import dated_by_parts

START = dt.date(2010, 9, 1)


def day(number: int) -> dt.date:
    return START + dt.timedelta(days=number)


def spread(first: int, *chances: float) -> Spread:
    """Chances of some days from one on."""
    return Spread(day(first).toordinal(), np.array(chances) / sum(chances))


def move(subject: str, levels: tuple[float, float], begun: Spread, settled: Spread, **more: object) -> Judged:
    """A fall with its dates."""
    (onset, end) = begun.estimate(), settled.estimate()
    dates = [dt.date.fromordinal(n) for one in (onset, end) for n in (one.point, one.low, one.high)]
    event = Event(
        "fall", *dates, *levels, since=day(-60), until=day(60), gain=90.0, p_value=1e-9, peak_before=0.0,
        silent_before=False, step=1, begun=begun, settled=settled,
    )  # fmt: skip
    kind = "total" if subject == "total" else "botnet"
    return replace(Judged((kind, subject), event, 0.99, "stopped"), **more)


TOTAL = move("total", (100.0, 48.0), spread(12, *[1] * 12), spread(20, *[1] * 14))
LARGE = move("rustock", (42.0, 1.0), spread(18, 0.12, 0.76, 0.12), spread(22, 0.05, 0.95))
SMALL = move("grum", (12.0, 0.0), spread(26, 0.2, 0.8), spread(28, 0.9, 0.1))


def total_of(*judged: Judged) -> Event:
    return next(item.event for item in dated_by_parts(judged) if item.subject[0] == "total")


def test_the_first_part_begins_it_and_the_last_one_ends_it() -> None:
    """Two ramps with days between them."""
    found = total_of(TOTAL, LARGE, SMALL)
    assert (found.onset, found.onset_low, found.onset_high) == (day(19), day(18), day(20))
    assert (found.end, found.end_low, found.end_high) == (day(28), day(28), day(29))
    assert (found.before, found.after) == (100.0, 48.0)


def test_without_all_of_its_parts_it_keeps_its_own_dates() -> None:
    """Too little explained, one part alone, a part that goes on, a move the other way, a lost name."""
    going_on = replace(SMALL, event=replace(SMALL.event, settled=None))
    other_way = replace(SMALL, event=replace(SMALL.event, kind="rise", before=0.0, after=12.0))
    lost = replace(SMALL, cause="attribution")
    for second in (None, going_on, other_way, lost, replace(SMALL, event=replace(SMALL.event, before=1.0))):
        judged = (TOTAL, LARGE) if second is None else (TOTAL, LARGE, second)
        assert total_of(*judged) is TOTAL.event


def test_a_part_that_is_badly_dated_does_not_pull_the_total_along() -> None:
    """It may have ended with the others; where it surely did not, it counts."""
    vague = move("grum", (12.0, 6.0), spread(8, *[1] * 20), spread(20, *[1] * 16))
    near = move("total", (100.0, 53.0), spread(12, *[1] * 12), spread(20, *[1] * 14))
    found = total_of(near, LARGE, vague)
    assert found.end_low == day(23)
    # Known apart from the others, the later of the two would most likely be day 28.
    assert found.end is not None
    assert found.end <= day(25)
    surely = move("grum", (12.0, 6.0), spread(25, 1), spread(28, 0.5, 0.5))
    assert total_of(near, LARGE, surely).end_low == day(28)


def test_either_prior_of_a_length_is_held() -> None:
    """The end's interval is the hull of both."""
    slow = SMALL.event.settled
    assert slow is not None
    other = replace(SMALL, event=replace(SMALL.event, settled=replace(slow, slower=slow.mass[::-1])))
    found = total_of(TOTAL, LARGE, other)
    assert (found.end_low, found.end_high) == (day(28), day(29))
