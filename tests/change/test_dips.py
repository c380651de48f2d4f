"""Weeks in which several botnets send less, and the week of the year before."""

import datetime as dt

import numpy as np

from spamtide.change.causes.dips import with_dips
from spamtide.model import Change, ChangeKind, Panel

FIRST, DAYS = dt.date(2022, 11, 1), 500
NEW_YEAR = dt.date(2024, 1, 1)
UP = np.ones((1, DAYS))


def panel(*, yearly: bool) -> Panel:
    counts = np.random.default_rng(2).poisson(50.0, (3, 1, DAYS))
    if yearly:
        counts[0, 0, 61:69] = 20
    return Panel(
        days=np.datetime64(FIRST) + np.arange(DAYS),
        sensors=("s0",),
        subjects=(("botnet", "Anvil"), ("botnet", "Birch"), ("botnet", "Cedar")),
        counts=counts,
        ham=np.zeros((1, DAYS), np.int64),
        relays=(("mx",) * DAYS,),
        pairs={},
    )


def move(kind: ChangeKind, name: str, onset: dt.date, ratio: float) -> Change:
    day = dt.timedelta(days=1)
    return Change(kind, "botnet", name, onset, onset - day, onset + day, onset, onset, onset, ratio, 0.99)


def dip(name: str, first: dt.date, days: int = 8, back: float = 2.0) -> list[Change]:
    return [
        move("decline", name, first, 0.5),
        move("rise", name, first + dt.timedelta(days=days), back),
    ]


def test_botnets_that_send_less_over_the_same_days_are_told_with_one_another() -> None:
    day = dt.timedelta(days=1)
    told = [*dip("Anvil", NEW_YEAR), *dip("Birch", NEW_YEAR + day), *dip("Cedar", NEW_YEAR, days=16)]
    found = with_dips(told, panel(yearly=False), UP)
    assert [one.subject for one in found] == [one.subject for one in told]
    for one in found[:2]:
        assert "together with Birch from 2024-01-01 to 2024-01-08, back after" in one.evidence
    assert "together with Anvil" in found[2].evidence
    assert not any(one.evidence for one in found[4:])


def test_a_fall_without_a_return_is_no_dip() -> None:
    stays = [*dip("Anvil", NEW_YEAR, back=1.1), *dip("Birch", NEW_YEAR)]
    assert not any(one.evidence for one in with_dips(stays, panel(yearly=False), UP))


def test_a_week_that_was_as_low_a_year_ago_is_told_so() -> None:
    for yearly in (True, False):
        found = with_dips(dip("Anvil", NEW_YEAR), panel(yearly=yearly), UP)
        assert all(("on these days of the year before it sent" in one.evidence) is yearly for one in found)


def test_a_sensor_that_was_out_a_year_ago_says_nothing_of_what_was_sent() -> None:
    out = UP.copy()
    out[0, 61:69] = 0
    assert not any(one.evidence for one in with_dips(dip("Anvil", NEW_YEAR), panel(yearly=True), out))
