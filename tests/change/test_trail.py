"""Addresses and campaigns that outlive a name."""

import datetime as dt

import numpy as np
import pytest
from change_observatory import Setting, date, make

from spamtide.change import look
from spamtide.change.trail import SUPPORTED, SURE, weigh_traces
from spamtide.model import Measurement, Trace, Tracing


def addresses(before: int, after: int, days: int = 2, own: tuple[int, int] = (140, 200)) -> tuple[Trace, ...]:
    return (Trace("addresses", own, (before, 7), (after, days)),)


def test_a_fleet_that_goes_on_without_its_name_lost_it() -> None:
    """Thirty a day are gone, seven of ten of which had come from known addresses: forty in two days."""
    found = weigh_traces(addresses(3, 40), 30.0)
    assert found.odds > SURE
    assert found.corrects("stopped") == "attribution"
    assert "3 in 7 days before, 40 in 2 since; of its own 140 of 200" in found.evidence


def test_a_fleet_that_fell_silent_fell() -> None:
    found = weigh_traces(addresses(3, 1), 30.0)
    assert found.odds < -SURE
    assert found.corrects("attribution") == found.corrects("doubtful") == "stopped"


def test_a_fleet_that_always_sent_nameless_mail_too_says_little() -> None:
    assert abs(weigh_traces(addresses(140, 45), 4.0).odds) < SUPPORTED


@pytest.mark.parametrize("own", [(0, 0), (5, 8), (4, 200)])
def test_where_addresses_never_come_again_nothing_is_said(own: tuple[int, int]) -> None:
    assert weigh_traces(addresses(0, 0, own=own), 30.0).odds == 0.0


def test_new_campaigns_say_nothing_and_known_ones_do() -> None:
    new = Trace("campaigns", (190, 200), (0, 7), (0, 3))
    known = Trace("campaigns", (190, 200), (0, 7), (80, 3))
    assert weigh_traces([new], 30.0).odds == 0.0
    assert weigh_traces([*addresses(3, 1), known], 30.0).corrects("stopped") == "attribution"


def test_after_weeks_a_fleet_may_be_another() -> None:
    assert weigh_traces(addresses(3, 1), 30.0, stale=True).odds == 0.0
    assert weigh_traces(addresses(3, 40), 30.0, stale=True).odds > SURE


def test_what_it_still_sends_shows_that_its_fleet_is_the_same() -> None:
    """Half of thirty a day is gone over weeks; what is left is of its addresses, the nameless is not."""
    same = Trace("addresses", (140, 200), (3, 7), (2, 7), (60, 100))
    found = weigh_traces([same], 15.0, stale=True)
    assert found.corrects("attribution") == "stopped"
    assert "of its own 140 of 200, 60 of 100 since" in found.evidence
    another = Trace("addresses", (140, 200), (3, 7), (2, 7), (3, 100))
    assert weigh_traces([another], 15.0, stale=True).odds == 0.0


def of_fleet(part: float) -> Tracing:
    """Every botnet that is asked about has this part of its mail since in mail without a name."""

    def tracing(_botnet: str, first: dt.date, last: dt.date, until: dt.date) -> tuple[Trace, ...]:
        days = min((until - last).days, 7)
        assert days > 0
        assert first <= last
        return addresses(2, round(part * 30 * days), days, (160, 200))

    return tracing


def test_traces_decide_where_counts_mislead() -> None:
    """A name is lost; by counts it is that, and addresses say the one or the other."""
    measured = make(np.random.default_rng(3), Setting(lose_name=(60, 3)))
    (lost,) = look(measured, tracing=of_fleet(0.8)).changes
    assert (lost.kind, lost.subject) == ("attribution-loss", "b2")
    assert abs((lost.onset - date(60)).days) <= 3
    assert "messages without a name from its addresses" in lost.evidence
    fell = look(measured, tracing=of_fleet(0.0)).changes
    assert {(c.kind, c.subject) for c in fell} >= {("cease", "b2"), ("rise", "unknown")}


def test_a_rise_of_unknown_names_the_botnet_whose_addresses_it_came_from() -> None:
    """The fall of the botnet is not sure by itself; its addresses in mail without a name are."""
    measured = make(np.random.default_rng(3), Setting(lose_name=(60, 3)))
    panel = measured.panel
    steady = tuple(s for s in measured.series if s.subject != "b2")
    without = Measurement(panel, measured.exposure, steady)
    told = {(c.kind, c.subject) for c in look(without, tracing=of_fleet(0.8)).changes}
    assert told == {("attribution-loss", "b2")}
    assert ("rise", "unknown") in {(c.kind, c.subject) for c in look(without, tracing=of_fleet(0.0)).changes}


def test_a_stop_is_not_asked_about_where_unknown_won_nothing() -> None:
    measured = make(np.random.default_rng(3), Setting(cease=(60, 3)))
    asked: list[str] = []

    def tracing(botnet: str, *_: dt.date) -> tuple[Trace, ...]:
        asked.append(botnet)
        return ()

    assert ("cease", "b0") in {(c.kind, c.subject) for c in look(measured, tracing=tracing).changes}
    assert "b0" not in asked
