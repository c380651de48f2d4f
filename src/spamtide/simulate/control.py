"""Checks of control servers, as a list that an observatory imports: made up, like everything here.

A sender's `checks` fixes the last week exactly. The weeks before are checked as often; a server answers
while it lives, but for MISSED of the checks, and never when dead. A sender whose checks are unanswered in
the last week lost its servers when its lab bot fell silent, else when its fall was over, else never had any.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from spamtide.simulate.stream import Streams
from spamtide.simulate.world import Sender, World

COLUMNS = ("host", "port", "family", "time", "alive", "source")
SOURCE = "simulated"
WEEK = 7
MOST_SERVERS = 4
MISSED = 0.04
QUIET = 0.05
"""A shift to less than this share of its level may be the loss of a sender's servers."""
PORTS = (80, 443, 8080, 25)


@dataclass(frozen=True, slots=True)
class Look:
    """One made-up check."""

    host: str
    port: int
    family: str
    at: dt.datetime
    alive: bool


def server_count(sender: Sender) -> int:
    """Control servers of a sender that are checked."""
    return min(max(sender.checks[0] // 3, 1), MOST_SERVERS) if sender.checks[0] else 0


def alive_at_end(sender: Sender) -> bool | None:
    """Whether its servers are alive on the last day; None where none is checked."""
    return None if not sender.checks[0] else sender.checks[1] > 0


def looks(world: World, streams: Streams) -> tuple[Look, ...]:
    """All checks of a world, by time."""
    found = [look for sender in world.senders for look in _of(world, sender, streams)]
    return tuple(sorted(found, key=lambda look: (look.at, look.host, look.port)))


def _of(world: World, sender: Sender, streams: Streams) -> Iterator[Look]:
    """The checks of one sender, week by week back from the last day."""
    checks, answered = sender.checks
    if not checks:
        return
    dice = streams.dice("control", sender.name)
    lost = None if answered else _lost(world, sender)
    servers = [(f"c{at + 1}.{sender.name}.invalid", dice.pick(PORTS)) for at in range(server_count(sender))]
    end = dt.datetime.combine(world.until + dt.timedelta(days=1), dt.time(), tzinfo=dt.UTC)
    weeks = len(world.days) // WEEK
    for back in range(weeks):
        silent = set(dice.sample(range(checks), checks - answered)) if back == 0 else set()
        for at in range(checks):
            host, port = servers[at % len(servers)]
            ago = dt.timedelta(days=WEEK * (back + (at + 0.5) / checks))
            moment = (end - ago).replace(microsecond=0)
            lives = not _away(world, sender, moment.date()) and (lost is None or moment.date() < lost)
            answers = at not in silent if back == 0 else lives and not dice.chance(MISSED)
            yield Look(host, port, sender.name, moment, answers)


def _away(world: World, sender: Sender, day: dt.date) -> bool:
    """Whether a shift has taken its mail and its lab bot's, as when the network of its servers is cut."""
    last = max(
        (shift for shift in world.shifts if shift.sender == sender.name and shift.onset <= day),
        key=lambda shift: shift.onset,
        default=None,
    )
    return last is not None and last.lab == 0 and last.ramp[-1] < QUIET


def _lost(world: World, sender: Sender) -> dt.date:
    """First day without its servers."""
    for decline in world.declines:
        if decline.sender == sender.name:
            return decline.lab_stops or decline.onset + dt.timedelta(days=len(decline.ramp))
    falls = [shift.onset for shift in world.shifts if shift.sender == sender.name and shift.ramp[-1] < QUIET]
    return max(falls, default=world.since)
