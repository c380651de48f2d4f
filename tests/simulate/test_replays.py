"""The replays tell the published story: what falls, when, by how much, and what comes back."""

from __future__ import annotations

import datetime as dt

import pytest

from spamtide.simulate import WORLDS, TrueChange, true_changes
from spamtide.simulate.truth import sender_level


def found(world: str, kind: str, subject: str) -> TrueChange:
    """The one change of a kind and subject."""
    (one,) = (each for each in true_changes(WORLDS[world]) if (each.kind, each.subject) == (kind, subject))
    return one


def total(world: str, day: str) -> float:
    """Level of all spam on a day, as a share of the world's first day."""
    each = WORLDS[world]
    levels = sum(sender.level * sender_level(each, sender.name) for sender in each.senders)
    return float(levels[(dt.date.fromisoformat(day) - each.since).days] / levels[0])


STORY = [
    ("mccolo-2008", "decline", "total", "2008-11-11", "2008-11-13"),
    ("mccolo-2008", "cease", "srizbi", "2008-11-11", "2008-11-12"),
    ("mccolo-2008", "resume", "rustock", "2008-11-25", "2008-11-27"),
    ("mccolo-2008", "resume", "mega-d", "2008-12-01", "2008-12-06"),
    ("mccolo-2008", "new", "xarvester", "2009-01-12", "2009-03-22"),
    ("rustock-pause-2010", "decline", "rustock", "2010-12-25", "2010-12-26"),
    ("rustock-pause-2010", "decline", "lethic", "2010-12-28", "2010-12-29"),
    ("rustock-pause-2010", "decline", "xarvester", "2010-12-31", "2011-01-01"),
    ("rustock-pause-2010", "resume", "rustock", "2011-01-10", "2011-01-11"),
    ("rustock-takedown-2011", "cease", "rustock", "2011-03-16", "2011-03-17"),
    ("rustock-takedown-2011", "rise", "bagle", "2011-03-23", "2011-04-05"),
    ("necurs-2017", "cease", "necurs", "2016-12-21", "2016-12-23"),
    ("necurs-2017", "resume", "necurs", "2017-03-20", "2017-03-21"),
]


@pytest.mark.parametrize(("world", "kind", "subject", "onset", "end"), STORY)
def test_the_story_has_its_dates(world: str, kind: str, subject: str, onset: str, end: str) -> None:
    change = found(world, kind, subject)

    assert (change.onset.isoformat(), str(change.end)) == (onset, end)


@pytest.mark.parametrize(
    ("world", "day", "low", "high"),
    [
        ("mccolo-2008", "2008-11-14", 0.20, 0.35),  # -65 to -80 % by most measurers
        ("mccolo-2008", "2009-03-23", 0.95, 1.10),  # recovered
        ("rustock-pause-2010", "2011-01-05", 0.20, 0.49),  # more than halved
        ("rustock-takedown-2011", "2011-03-18", 0.60, 0.70),  # a third less
        ("rustock-takedown-2011", "2011-04-15", 0.95, 1.00),  # others filled in
        ("necurs-2017", "2017-02-01", 0.45, 0.55),  # about half
    ],
)
def test_the_total_is_where_the_record_puts_it(world: str, day: str, low: float, high: float) -> None:
    assert low < total(world, day) < high


def test_a_programme_moves_while_its_botnet_is_away() -> None:
    moved = found("rustock-pause-2010", "switch", "rustock")

    assert (moved.from_programme, moved.to_programme) == ("Canadian Pharmacy", "Pharmacy Express")
