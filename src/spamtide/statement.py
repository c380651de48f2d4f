"""The records of what is said: checks of control servers, claims, states of botnets, the bulletin.

The end of the path; what comes before stands in `model`, and what is said there of records holds here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from spamtide.model import SubjectKind

SEVERAL = 5
"""Times below which a claim says them with a decimal, and a title, too."""


@dataclass(frozen=True, slots=True)
class Check:
    """One look at one control server, ours or a list's."""

    host: str
    """Address or name, lower case."""
    port: int
    """0 where the list gives none."""
    family: str
    """As the list writes it."""
    at: dt.datetime
    alive: bool
    """Whether it answered."""
    source: str
    """Who looked: 'feodo-tracker', 'own', 'simulated', or what a list says of itself."""


@dataclass(frozen=True, slots=True)
class ControlState:
    """What the checks of one botnet's control servers say at the end of a day."""

    family: str
    servers: int
    """Servers ever checked, over the last `control.REACH` days."""
    checks: int
    """Checks in the last 7 days."""
    answered: int
    """Of these, answered."""
    last_check: dt.date
    alive: float
    """Probability that one of the servers at least is alive at the end of the day."""
    expected: float
    """Servers alive, as expected from their probabilities."""
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of a bulletin with everything that stands behind it."""

    claim: str
    """Stable id: kind, subject and date, e.g. 'decline:botnet:rustock:2010-09-20'."""
    kind: str
    subject_kind: SubjectKind
    subject: str
    sentence: str
    """Plain text; every number in it is also in `numbers`."""
    numbers: Mapping[str, float | str | None]
    """Name -> value, intervals as name_low and name_high."""
    n: int
    """Messages behind it."""
    sensors: tuple[str, ...]
    command: str
    """The command that shows the messages or rows behind it."""
    importance: float
    """Order in the bulletin, the largest first."""
    confidence: float
    versions: Mapping[str, int] = field(default_factory=dict)
    """Table -> Delta version of each table that it was made from."""


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of one botnet at the end of the period, each side apart from the others."""

    botnet: str
    volume: Literal["active", "falling", "rising", "quiet", "gone", "new", "unknown"]
    level: float
    """Mean index points of the total over the last 7 days."""
    level_low: float
    level_high: float
    before: float
    """The same over the reference period."""
    residual_sensors: int
    """Sensors that still saw it in the last 7 days."""
    sensors: int
    """Sensors up in the last 7 days."""
    residual_per_day: float
    last_seen: dt.date | None
    lab_last_seen: dt.date | None
    """Last message of a lab sensor of this family."""
    programmes: tuple[tuple[str, float], ...]
    """By share of all mail of its last 28 days with mail; what is missing names none that we know."""
    state: str
    """The word computed from the rest, e.g. 'quiet, not gone'."""
    rule: str
    """The rule that made `state`."""
    control: ControlState | None = None
    """Its control servers; None where no check is on record."""
    name: str = ""
    """The name to show."""


@dataclass(frozen=True, slots=True)
class Brief:
    """One line of a bulletin in short: words of claims without their intervals, which stand beside it."""

    text: str
    figures: tuple[str, ...]
    """Its numbers and days with their intervals, as the claims write them."""
    n: int
    """Messages behind its first claim."""
    claims: tuple[str, ...]
    """Their ids."""


@dataclass(frozen=True, slots=True)
class Bulletin:
    """A composed bulletin; the same from the same table versions, to the byte."""

    title: str
    since: dt.date
    until: dt.date
    simulated: bool
    sensors: int
    messages: int
    paragraphs: tuple[tuple[str, str, tuple[str, ...]], ...]
    """(heading or '', text, claim ids) in reading order."""
    claims: tuple[Claim, ...]
    statuses: tuple[Status, ...]
    versions: Mapping[str, int]
    """Table -> Delta version that was read."""
    unattributed: Status | None = None
    """Mail that carries no botnet's traits, so that levels add up to the total's; it is no actor."""
    summary: tuple[Brief, ...] = ()
    """The prose in short; empty where it is short."""


@dataclass(frozen=True, slots=True)
class Maker:
    """An engine without a known family, and what it made of the mail of some days."""

    engine: str
    """Its provisional name, 'engine-' and six hexadecimal digits."""
    messages: int
    sources: int
    """Addresses that they came from."""
    first_seen: dt.date
    """First day of any message of it that no botnet is named for."""


MANY, ELSEWHERE = 20, 0.9
"""Messages of a campaign, and share of addresses among them, from which it may be no one sender's."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """One campaign's part in the mail of some days."""

    campaign: str
    messages: int
    sources: int
    """Addresses that they came from."""
    engines: int
    """Header skeletons among them: what one sender makes has few. 0 where mail is not scattered, unasked."""
    subject: str
    """The most frequent."""

    @property
    def scattered(self) -> bool:
        """Whether it is of so many addresses that it may be no one sender's."""
        return scattered(self.messages, self.sources)


def scattered(messages: int, sources: int) -> bool:
    """As Gathered.scattered."""
    return messages >= MANY and sources >= ELSEWHERE * messages


@dataclass(frozen=True, slots=True)
class Gathering:
    """The campaigns that some days' wild mail falls into."""

    messages: int
    campaigns: int
    alone: int
    """Messages that are the only one of their campaign in the whole lake."""
    largest: tuple[Gathered, ...]
    """The campaigns with most of the mail, the largest first."""
