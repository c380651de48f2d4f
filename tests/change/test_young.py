"""A part of a botnet's mail that lost its name two days ago."""

import datetime as dt
from dataclasses import replace

import numpy as np

from spamtide.change.causes.names import Names
from spamtide.change.causes.telling import Judged
from spamtide.change.causes.trail import UNTRACED
from spamtide.change.causes.young import _began_on, just_lost
from spamtide.model import UNKNOWN, Carried, Panel, SubjectKind, Trace, Tracing

FIRST, DAYS = dt.date(2024, 1, 1), 60


def observatory(kept: float, *, won: float = 1.0, found: int = 40, of: Carried = "addresses") -> Names:
    """Forty messages a day of Anvil, of which a part is left for two days; what is gone is nobody's."""
    rng = np.random.default_rng(1)
    anvil, nobody = np.full((2, DAYS), 40.0) * rng.gamma(20, 1 / 20, (2, DAYS))
    anvil[-2:] = 40 * kept
    nobody[-2:] = 40 + 40 * (1 - kept) * won
    counts = np.array([anvil + nobody, anvil, nobody]).round().astype(np.int64)[:, None]
    days = np.datetime64(FIRST) + np.arange(DAYS)
    panel = Panel(
        days=days,
        sensors=("s0",),
        subjects=(("total", "total"), ("botnet", "Anvil"), ("botnet", UNKNOWN)),
        counts=counts,
        ham=np.zeros((1, DAYS), np.int64),
        relays=(("mx",) * DAYS,),
        pairs={},
    )

    def tracing(
        _: tuple[SubjectKind, str], first: dt.date, last: dt.date, until: dt.date
    ) -> tuple[Trace, ...]:
        assert first == last == until - dt.timedelta(days=2)
        return (Trace(of, (200, 280), (3, 7), (found, 2), (17, 24)),)

    asked: Tracing = tracing
    return Names(panel, np.ones(DAYS), asked)


def test_most_of_a_name_that_is_gone_for_two_days_is_known_by_its_addresses() -> None:
    (lost,) = just_lost(observatory(0.3), [])
    day = FIRST + dt.timedelta(days=DAYS - 2)
    assert (lost.subject, lost.cause) == (("botnet", "Anvil"), "attribution")
    assert lost.confidence >= 0.95
    assert lost.event.onset == day
    assert lost.event.onset_low < day
    assert "40 in 2 since" in lost.trail.evidence


def test_a_poor_day_or_a_stop_is_no_lost_name() -> None:
    """Nor what an engine says, which others may rent; nor what nobody's mail did not win."""
    assert not [*just_lost(observatory(0.8), [])]
    assert not [*just_lost(observatory(0.3, found=1), [])]
    assert not [*just_lost(observatory(0.3, of="engines"), [])]
    assert not [*just_lost(observatory(0.3, won=0.0), [])]


def test_a_fall_that_is_known_is_not_told_again() -> None:
    last = FIRST + dt.timedelta(days=DAYS)
    known = _began_on(last - dt.timedelta(days=4), FIRST, last)
    judged = Judged(("botnet", "Anvil"), known, 0.99, "stopped", UNTRACED)
    assert not [*just_lost(observatory(0.3), [judged])]


def test_days_on_which_no_sensor_was_up_ask_no_messages() -> None:
    def tracing(*_: object) -> tuple[Trace, ...]:
        raise AssertionError

    seen = observatory(0.3)
    up = seen.usual.copy()
    up[-4:] = 0
    assert not [*just_lost(replace(seen, usual=up, tracing=tracing), [])]
