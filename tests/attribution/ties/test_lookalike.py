"""Look-alikes: strangers whose mailer happens to write as a family's engine does."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from spamtide.attribution.ties.association import NO_DAY
from spamtide.attribution.ties.lookalike import MOST, Lookalikes, own_odds, texts_of
from spamtide.attribution.ties.meeting import REACH, WEEK

OWN, NOBODY = 0, -1
Row = tuple[int, int, bool, int, int]


def odds_of(rows: list[Row]) -> list[float]:
    """Log-odds of rows of (leaning, seen, stranger, campaign, day)."""
    leaning, seen, strangers, campaigns, days = (np.array(column) for column in zip(*rows, strict=True))
    texts = texts_of(campaigns)
    known = Lookalikes.of(leaning, seen, strangers.astype(bool), texts, days)
    return [float(odds) for odds in own_odds(known, leaning, texts, days)]


def engine(campaign: int = -1, day: int = 700) -> Row:
    """A message with nothing but the engine."""
    return (OWN, NOBODY, False, campaign, day)


def strangers(count: int, campaign: int = -1, day: int = 700) -> list[Row]:
    """Mail that nothing speaks for."""
    return [(NOBODY, NOBODY, True, campaign, day)] * count


def at_work(count: int, day: int = 700) -> list[Row]:
    """Mail that is surely the family's, of texts of its own."""
    return [(NOBODY, OWN, False, 5, day)] * count


@pytest.mark.parametrize("day", [700 - (REACH + 1) * WEEK, 700, 700 + (REACH + 1) * WEEK])
def test_a_family_that_is_at_work_is_likelier_than_a_stranger(day: int) -> None:
    """Far from its mail the same message is a stranger's."""
    told = odds_of([engine(), *strangers(100), *at_work(200, day)])[0]
    assert (told > 2) == (day == 700)
    assert (told < -1) == (day != 700)


def test_the_more_strangers_the_likelier_one_of_them_looks_alike() -> None:
    told = [odds_of([engine(), *strangers(count), *at_work(100)])[0] for count in (0, 100, 1000, 10_000)]
    assert told == sorted(told, reverse=True)
    assert told[0] > 2
    assert told[-1] < -1


def test_a_text_speaks_by_how_much_of_it_has_the_engine() -> None:
    """All of few copies, or many among more: a botnet's. One or two of hundreds: strangers'."""
    told = {
        (have, rest): odds_of([*[engine(7)] * have, *strangers(rest, 7), *strangers(100)])[0]
        for have, rest in ((1, 0), (6, 0), (60, 200), (1, 300), (2, 300))
    }
    assert told[6, 0] > 3
    assert 0 > told[1, 0] > told[1, 300]
    assert told[60, 200] > 3
    assert told[2, 300] < -3


def test_nothing_is_said_of_what_is_not_asked_or_has_no_day() -> None:
    rows = [engine(day=int(NO_DAY)), *strangers(5), *at_work(5)]
    assert set(odds_of(rows)) == {MOST}


def test_a_week_is_told_from_the_weeks_around_it() -> None:
    """Mail out of reach changes nothing, and the order of rows does not."""
    rows = [engine(7), engine(7, 710), *strangers(40, 7, 690), *strangers(30), *at_work(9, 720)]
    far = [engine(7, 700 + (REACH + 5) * WEEK), *strangers(50, 7, 700 - (REACH + 3) * WEEK)]
    assert odds_of(rows)[:2] == odds_of([*rows, *far])[:2] == odds_of([*far, *rows[::-1]])[-2:][::-1]


@pytest.mark.parametrize("seed", range(5))
def test_nothing_rests_on_mail_out_of_reach(seed: int) -> None:
    """An update that reads the weeks around those that it answers tells what one that reads all tells."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = [
        (OWN, NOBODY, False, *place) if kind == 0 else (NOBODY, NOBODY, True, *place) if kind < 5 else
        (NOBODY, OWN, False, *place)
        for kind, place in (
            (int(rng.choice([0, 1, 1, 1, 1, 5])), (int(rng.integers(-1, 9)), int(rng.integers(700, 900))))
            for _ in range(900)
        )
    ]  # fmt: skip
    whole = odds_of(rows)
    for week in range(700 // WEEK, 900 // WEEK + 1):
        near = [row for row, (*_, day) in enumerate(rows) if abs(day // WEEK - week) <= REACH]
        part = odds_of([rows[row] for row in near])
        assert [odds for row, odds in zip(near, part, strict=True) if rows[row][4] // WEEK == week] == [
            whole[row] for row in near if rows[row][4] // WEEK == week
        ]


def test_many_texts_over_many_years_take_little_memory() -> None:
    """A forged date makes the span long, and mail without a campaign is a text a message."""
    rows = [engine(day=700), *(engine(day=13_000 + number % 300) for number in range(60_000))]
    tracemalloc.start()
    odds_of(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6


def test_a_family_that_is_only_around_what_is_asked_is_asked_nothing() -> None:
    """It fell silent weeks ago; the mail of today is answered all the same."""
    leaning, seen, days = np.array([OWN, NOBODY]), np.array([NOBODY, NOBODY]), np.array([700, 735])
    texts = texts_of(np.array([-1, -1]))
    known = Lookalikes.of(leaning, seen, np.array([False, True]), texts, days)
    assert own_odds(known, np.array([NOBODY, NOBODY]), texts, days).tolist() == [MOST, MOST]
