"""From checks to what may be said of each server, and of each botnet's servers together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from spamtide.control.liveness import fit
from spamtide.statement import Check, ControlState

REACH = 365
"""Days before the end over which checks are used."""
WEEK = 7
MOST_CHECKS = 400
"""Latest checks of one server that are used."""
DAY = 86_400.0
MADE_UP = "simulated"
"""Source of checks that a simulation wrote."""


@dataclass(frozen=True, slots=True)
class Server:
    """One control server at the end of a day."""

    host: str
    port: int
    family: str
    checks: int
    """Checks in the last 7 days."""
    answered: int
    last_check: dt.datetime
    last_answer: dt.datetime | None
    alive: float
    """Probability that it is alive at the end of the day."""


def servers(checks: Sequence[Check], until: dt.date) -> tuple[Server, ...]:
    """Every server that was checked in the REACH days to `until`, by family, host and port."""
    return _assessed(checks, until, lambda family: family)[0]


def control_states(
    checks: Sequence[Check], until: dt.date, subject_of: Callable[[str], str]
) -> Mapping[str, ControlState]:
    """What the checks say of each botnet at the end of a day.

    Args:
        checks: from lists and of our own.
        until: the day; nothing after it is used.
        subject_of: a list's name for a family -> the botnet's name here.
    """
    return _assessed(checks, until, subject_of)[1]


def _assessed(
    checks: Sequence[Check], until: dt.date, subject_of: Callable[[str], str]
) -> tuple[tuple[Server, ...], Mapping[str, ControlState]]:
    """Servers one by one and family by family, from one fit over all of them."""
    end = dt.datetime.combine(until + dt.timedelta(days=1), dt.time(), tzinfo=dt.UTC)
    start, week = end - dt.timedelta(days=REACH), end - dt.timedelta(days=WEEK)
    by_server: dict[tuple[str, str, int], list[Check]] = {}
    for check in sorted(checks, key=lambda c: (c.at, c.source, c.alive)):
        if start <= check.at < end:
            key = (subject_of(check.family), check.host, check.port)
            by_server.setdefault(key, []).append(check)
    keys = sorted(by_server)
    kept = [by_server[key][-MOST_CHECKS:] for key in keys]
    found = fit(
        [[(c.at - start).total_seconds() / DAY for c in own] for own in kept],
        [[c.alive for c in own] for own in kept],
        (end - start).total_seconds() / DAY,
    )
    told = [
        Server(
            host=host,
            port=port,
            family=family,
            checks=sum(c.at >= week for c in own),
            answered=sum(c.at >= week and c.alive for c in own),
            last_check=own[-1].at,
            last_answer=max((c.at for c in own if c.alive), default=None),
            alive=round(float(found.alive[at]), 6),
        )
        for at, ((family, host, port), own) in enumerate(zip(keys, kept, strict=True))
    ]
    states = {}
    for family in sorted({key[0] for key in keys}):
        own = [at for at, key in enumerate(keys) if key[0] == family]
        states[family] = ControlState(
            family=family,
            servers=len(own),
            checks=sum(told[at].checks for at in own),
            answered=sum(told[at].answered for at in own),
            last_check=max(told[at].last_check for at in own).date(),
            alive=round(found.any_of(own), 6),
            expected=round(float(sum(found.alive[at] for at in own)), 4),
            simulated=any(c.source == MADE_UP for at in own for c in kept[at]),
        )
    return tuple(told), states
