"""A world as data: who sends, where it is received, and what happens. Read `worlds/` for the shipped ones.

Every record is frozen and literal. Days are UTC days. 'Level' is messages a day over all sensors of size 1.0
in total, so a sensor's size is its share where the sizes add up to 1.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

NO_PROGRAMME = ""
"""Mail that advertises no affiliate programme (advance-fee letters, diplomas)."""


@dataclass(frozen=True, slots=True)
class Creative:
    """One advertisement, as an affiliate's editor would have written it. Texts are macros."""

    name: str
    programme: str
    subject: str
    lines: tuple[str, ...]
    """Paragraphs."""
    call: str = ""
    """Words of the main link; '' where there is none."""
    layout: str = "note"
    """Name in template.LAYOUTS."""
    path: str = ""
    """Path of the link on its host."""
    rows: tuple[str, ...] = ()
    """'product, price' rows of a table."""
    buster: Literal["", "words", "hidden", "code", "story"] = ""
    """What is added to make every copy differ."""


@dataclass(frozen=True, slots=True)
class Kit:
    """A mailer: everything that the engine, not the affiliate, decides. Texts are macros."""

    name: str
    headers: tuple[tuple[str, str], ...]
    """Header fields in order, in the engine's letter case."""
    body: Literal["plain", "html", "alternative", "related"]
    charset: str
    encoding: Literal["7bit", "8bit", "quoted-printable", "base64"]
    boundary: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    """Header block of each MIME part, by 'plain', 'html', 'image'."""
    helo: tuple[str, ...] = ("{$name}",)
    """HELO habits, one chosen for each message."""
    reverse_path: str = "{$from}"
    sender: str = "{$first}.{$last}@{@provider}"
    """The From address."""
    display: str = "{$first} {$last}"
    """The From name."""
    recipients: tuple[int, int] = (1, 1)
    """Fewest and most addresses in To."""
    address: str = "<{$address}>"
    """How one address of To is written."""
    joint: str = ", "
    """What stands between addresses of To."""
    subject: Literal["raw", "encoded"] = "raw"
    zone: str = "local"
    """'local' is the bot's own; else a zone as text, which may be a wrong one."""
    skew: int = 90
    """Most seconds that the bot's clock is wrong by."""
    forged: str = ""
    """Received header that the engine invents; '' for none."""
    preamble: str = ""
    """Text before the first MIME boundary."""
    closes: bool = True
    """Whether the last MIME boundary is written."""
    defects: tuple[str, ...] = ()
    """Names of stdlib `email.errors` defects that this engine is meant to cause."""


@dataclass(frozen=True, slots=True)
class Sender:
    """A botnet, or another source of spam with an engine of its own."""

    name: str
    kit: str
    """Name in kits.KITS or among the world's own."""
    level: float
    """Messages a day over all sensors when nothing happens."""
    mix: Mapping[str, float]
    """Programme -> share of its mail."""
    repertoire: Mapping[str, tuple[str, ...]]
    """Programme -> names of its creatives, in order of first use."""
    captured: bool = True
    """Whether a bot of it runs in the lab; where not, 'unknown' is the right answer."""
    active: int = 2
    """Creatives of a programme that are in use at a time."""
    period: int = 17
    """Days after which the oldest creative in use gives way to the next."""
    phase: int = 0
    """Days by which the rotation is ahead."""
    bots: int = 100
    """Machines that send at a time; for 'provider' sources, accounts."""
    lifetime: float = 14.0
    """Mean days before a machine is replaced by another."""
    host: str = "{@plant}{@trade}.example"
    """Link hosts of its own."""
    amplitude: float = 0.15
    """Size of the weekday wave, on the log scale."""
    peak: int = 2
    """Weekday of most mail, Monday 0."""
    size: float = 15.0
    """Negative binomial size r of a sensor's daily count: variance mu + mu**2 / r."""
    noise: float = 0.05
    """Standard deviation of the day's deviation that all sensors share, on the log scale; it is an AR(1)
    process with coefficient 0.5."""
    drift: float = 0.006
    """Standard deviation of a day's step of the slow drift, on the log scale."""
    lab: float = 5.5
    """Messages a day from the lab's bot."""
    checks: tuple[int, int] = (0, 0)
    """Checks of its control servers in the last week, and how many were answered; (0, 0): not checked."""
    provider: bool = False
    """Sends through accounts at web mail providers, not through bots."""


@dataclass(frozen=True, slots=True)
class Sensor:
    """A place of reception."""

    name: str
    size: float
    """Share of a sender's level that it receives."""
    dialect: str
    """Name in place.DIALECTS: how its MX writes trace headers."""
    relay: str
    """Host name of its MX."""
    zone: str
    """Zone of its clock, e.g. '+0200'."""
    ham: float = 0.0
    """Legitimate messages a day; 0 for a pure trap."""
    joins: dt.date | None = None
    """First day, where later than the world's."""
    leaves: dt.date | None = None
    """First day without it."""
    outages: tuple[tuple[dt.date, dt.date], ...] = ()
    """First and last day of each silence."""
    resizes: tuple[Resize, ...] = ()


@dataclass(frozen=True, slots=True)
class Resize:
    """From a day on a sensor sees more or less spam than before; legitimate mail stays as it was."""

    day: dt.date
    factor: float
    relay: str = ""
    """Host name of the MX from then on; '' when it stays."""


@dataclass(frozen=True, slots=True)
class Decline:
    """A sender goes quiet."""

    sender: str
    onset: dt.date
    ramp: tuple[float, ...]
    """Share of the level before, for each day from `onset` on."""
    residual: Mapping[str, float] = field(default_factory=dict)
    """Sensor -> share of its level before that goes on after the ramp; sensors not named get none."""
    lab_stops: dt.date | None = None
    """First day without mail from the lab's bot; None while it goes on."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A sender runs at another level from a day on: a pause, a return, a slow rise, a start from nothing."""

    sender: str
    onset: dt.date
    ramp: tuple[float, ...]
    """Share of its undisturbed level, for each day from `onset` on; the last stays until its next shift."""
    lab: float | None = None
    """Share of its lab bot's undisturbed mail from `onset` on; None leaves the lab as it was."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A sender moves mail from one programme to another."""

    sender: str
    onset: dt.date
    ramp: tuple[float, ...]
    """Share of the mail of `from_programme` that has moved, for each day from `onset` on; the last stays."""
    from_programme: str
    to_programme: str


@dataclass(frozen=True, slots=True)
class Flood:
    """A sender's one-day burst."""

    sender: str
    day: dt.date
    factor: float


@dataclass(frozen=True, slots=True)
class Event:
    """Something that is announced or done outside the mail."""

    day: dt.date
    kind: str
    subject_kind: str
    subject: str
    summary: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """Everything that is true in one simulation."""

    name: str
    title: str
    since: dt.date
    until: dt.date
    """Last day, included."""
    sensors: tuple[Sensor, ...]
    senders: tuple[Sender, ...]
    declines: tuple[Decline, ...] = ()
    shifts: tuple[Shift, ...] = ()
    """In order of date for each sender."""
    switches: tuple[Switch, ...] = ()
    floods: tuple[Flood, ...] = ()
    holidays: Mapping[dt.date, float] = field(default_factory=dict)
    """Day -> factor on all mail."""
    events: tuple[Event, ...] = ()
    invented: tuple[str, ...] = ()
    """Programmes whose brand never existed."""
    kits: tuple[Kit, ...] = ()
    """Mailers of its own, beside kits.KITS."""
    creatives: tuple[Creative, ...] = ()
    """Advertisements of its own, beside creatives.CREATIVES."""

    @property
    def days(self) -> tuple[dt.date, ...]:
        """Every day of the world, in order."""
        return tuple(self.since + dt.timedelta(days=i) for i in range((self.until - self.since).days + 1))

    @property
    def programmes(self) -> tuple[str, ...]:
        """Every programme that is advertised, sorted."""
        return tuple(sorted({name for sender in self.senders for name in sender.repertoire if name}))
