"""Own checks: one TCP connection to hosts that the user lists, opened and closed, nothing sent.

The only code of Spamtide that contacts a control server. It takes targets from the settings alone, never
from mail or lists, makes one connection at a time with a pause between, and asks no host again too soon.
An open port is weaker evidence than an answer in the bot's own protocol; the model of `liveness` allows for
dead servers that answer.
"""

from __future__ import annotations

import datetime as dt
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from spamtide.errors import SettingsError
from spamtide.settings import Controlling
from spamtide.statement import Check

SOURCE = "own"
_TARGET = re.compile(r"\[?([A-Za-z0-9][A-Za-z0-9_.:-]*?)\]?:(\d{1,5})\s+(\S.*)")


@dataclass(frozen=True, slots=True)
class Target:
    """A host that the user may check."""

    host: str
    port: int
    family: str


def targets(settings: Controlling) -> tuple[Target, ...]:
    """The hosts of the settings.

    Raises:
        SettingsError: one is not written as 'host:port family'.
    """
    found = []
    for text in settings.hosts:
        match = _TARGET.fullmatch(text.strip())
        if match is None or not 0 < int(match[2]) < 2**16:
            message = f"[controlling] hosts: '{text[:60]}' is not 'host:port family'"
            raise SettingsError(message, "for example hosts = ['192.0.2.7:8080 rustock']")
        found.append(Target(match[1].lower(), int(match[2]), match[3].strip()))
    return tuple(dict.fromkeys(found))


def connects(target: Target, seconds: float) -> bool:
    """Whether a TCP connection to the target opens in time; it is closed at once."""
    try:
        with socket.create_connection((target.host, target.port), timeout=seconds):
            return True
    except (OSError, UnicodeError):  # the latter of a host that can be no name
        return False


def probe(
    wanted: Sequence[Target],
    settings: Controlling,
    last: Mapping[tuple[str, int], dt.datetime],
    *,
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    sleep: Callable[[float], None] = time.sleep,
    ask: Callable[[Target, float], bool] = connects,
) -> Iterator[Check]:
    """Check each target once, slowly; one that was checked too recently is passed over.

    Args:
        wanted: from `targets`.
        settings: time to answer, pause, least hours between two checks of a host.
        last: (host, port) -> the last own check on record.
        now: the clock.
        sleep: how to pause.
        ask: how to check one target.
    """
    asked = False
    for target in wanted:
        before = last.get((target.host, target.port))
        if before is not None and now() - before < dt.timedelta(hours=settings.least_hours):
            continue
        if asked:
            sleep(settings.pause_seconds)
        asked = True
        at = now().replace(microsecond=0)
        alive = ask(target, settings.seconds)
        yield Check(target.host, target.port, target.family, at, alive, SOURCE)
