"""A move of all mail is told by the moves of botnets that it is made of."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from spamtide.change.causes.telling import Judged, Subject
from spamtide.change.moves.event import Event
from spamtide.change.moves.segment import Track, prepare
from spamtide.change.moves.spread import Spread
from spamtide.change.summed import TOTAL, told_by_parts

DAYS = np.arange("2008-09-01", "2009-03-20", dtype="datetime64[D]")
START: dt.date = DAYS[0].astype(dt.date)
BEGUN, OVER = 80, 150
LINE = np.clip((np.arange(len(DAYS)) - BEGUN + 1) / (OVER - BEGUN + 1), 0.0, 1.0)
RATIO = 0.65


def day(number: int) -> dt.date:
    return START + dt.timedelta(days=number)


def spread(number: int) -> Spread:
    """A day, and a little of the one before."""
    return Spread(day(number - 1).toordinal(), np.array([0.1, 0.9]))


def move(subject: Subject, levels: tuple[float, float], dates: tuple[int, int], **more: object) -> Judged:
    """A believed move."""
    begun, over = dates
    event = Event(
        "rise" if levels[1] > levels[0] else "fall",
        day(begun), day(begun - 1), day(begun), day(over), day(over - 1), day(over), *levels,
        since=day(0), until=day(len(DAYS)), gain=90.0, p_value=1e-9, peak_before=0.0, silent_before=False,
        step=1, begun=spread(begun), settled=spread(over),
    )  # fmt: skip
    return replace(Judged(subject, event, 0.99, "stopped"), **more)


GROWN = move(("botnet", "xarvester"), (0.0, 40.0), (BEGUN, OVER))


def tracks(part: np.ndarray, rest: np.ndarray) -> dict[Subject, Track]:
    """A botnet, and all mail with it, as uneven as counts are."""
    dice = np.random.default_rng(1)
    mine, others = dice.poisson(part), dice.poisson(rest)
    ones = np.ones(len(DAYS))
    return {
        TOTAL: prepare(DAYS, mine + others, ones),
        ("botnet", "xarvester"): prepare(DAYS, mine, ones),
    }


GROWING = tracks(40 * LINE, np.full(len(DAYS), 100.0))


def totals(judged: list[Judged], series: dict[Subject, Track] = GROWING) -> list[Judged]:
    return [item for item in told_by_parts(judged, series, RATIO) if item.subject == TOTAL]


def test_a_slow_growth_of_a_botnet_is_one_of_all_mail() -> None:
    """With the botnet's dates, its name, and the total's own levels."""
    (found,) = totals([GROWN])
    event = found.event
    assert (event.kind, event.onset, event.end) == ("rise", day(BEGUN), day(OVER))
    assert (event.onset_low, event.end_low) == (day(BEGUN - 1), day(OVER - 1))
    assert event.parts == (("xarvester", 40.0),)
    assert event.before == pytest.approx(100, rel=0.05)
    assert event.after == pytest.approx(140, rel=0.05)
    assert event.reach is not None
    assert event.reach[1] < 1.4 < event.reach[2]
    assert found.confidence == pytest.approx(0.99)


def test_all_other_mail_must_stay() -> None:
    """What others lost meanwhile leaves no rise, and what they won beside it is not the botnet's."""
    for rest in (100 - 40 * LINE, 100 + 20 * LINE):
        assert not totals([GROWN], tracks(40 * LINE, rest))


def test_what_is_no_news_of_all_mail_is_none() -> None:
    """A small botnet, a lost name, a sensor's change."""
    small = replace(GROWN, event=replace(GROWN.event, after=15.0))
    assert not totals([small], tracks(15 * LINE, np.full(len(DAYS), 100.0)))
    assert not totals([replace(GROWN, cause="attribution")])
    assert not totals([replace(GROWN, cause="sensor")])


def test_what_is_told_already_stays() -> None:
    """A move of the total that began long before; but what lies about the slow growth is a piece of it."""
    own = move(TOTAL, (100.0, 140.0), (BEGUN - 40, OVER - 20))
    assert totals([GROWN, own]) == [own]
    for dates in ((BEGUN + 20, BEGUN + 30), (BEGUN - 13, OVER + 4)):
        (found,) = totals([GROWN, move(TOTAL, (110.0, 130.0), dates)])
        assert found.event.parts


def test_nothing_else_may_happen_meanwhile() -> None:
    """Another botnet's fall within its days."""
    fall = move(("botnet", "srizbi"), (60.0, 20.0), (BEGUN + 10, BEGUN + 12))
    assert not totals([GROWN, fall])
    before = move(("botnet", "srizbi"), (60.0, 20.0), (20, 22))
    assert len(totals([GROWN, before])) == 1


def test_a_growth_that_goes_on_has_no_end_yet() -> None:
    """As of the day on which it is nearly over."""
    going_on = replace(GROWN.event, end=None, end_low=None, end_high=None, settled=None)
    series = {subject: track.without(slice(OVER, None)) for subject, track in GROWING.items()}
    cut = {
        subject: replace(
            track, count=track.count[:OVER], offset=track.offset[:OVER], weight=track.weight[:OVER]
        )
        for subject, track in series.items()
    }
    (found,) = totals([replace(GROWN, event=going_on)], cut)
    assert found.event.onset == day(BEGUN)
    assert found.event.end is None
