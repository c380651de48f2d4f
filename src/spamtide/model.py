"""The records of Spamtide up to a change, in the order of the path. Read this first.

    bytes -collect-> RawMessage -parse-> Message -observe-> Observation -cluster-> Campaign
          -attribute-> Attribution -measure-> Panel, Measurement -detect-> Change
          -state-> Claim -compose-> Bulletin

What is said of changes, from checks to the bulletin, stands in `statement`.

Records are frozen. Times are aware datetimes in UTC; days are `datetime.date` in UTC. A field that may
be `None` says what its absence means. Text that came from a message is untrusted everywhere.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

UNKNOWN = "unknown"
"""The answer where evidence is thin. It is an answer, not an error."""
Label = Literal["spam", "ham"]
SubjectKind = Literal["total", "botnet", "programme", "sensor"]
ChangeKind = Literal[
    "decline", "cease", "rise", "resume", "surge", "switch", "new",
    "sensor-outage", "sensor-change", "attribution-loss",
]  # fmt: skip
Provenance = Literal["received", "envelope", "header", "date", "none"]
"""Where a time or an address was taken from, most trusted first."""

Days = NDArray[np.datetime64]
"""Consecutive UTC days, dtype datetime64[D]; in an hourly panel or series, hours, dtype datetime64[h]."""
Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


# ---- collect


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is known of a message's reception besides its bytes."""

    mail_from: str | None = None
    """The SMTP reverse path; '' for the null sender, None when not known."""
    rcpt_to: tuple[str, ...] = ()
    """The SMTP forward paths, as given. Hashed before they are stored anywhere but in the raw table."""
    client_ip: str | None = None
    """Address of the SMTP client as the sensor saw it."""
    helo: str | None = None
    """The name that the client gave in HELO or EHLO."""
    received_at: dt.datetime | None = None
    """When the sensor took the message (an mbox From_ line, a side-car, the trap's clock)."""


NO_ENVELOPE = Envelope()


@dataclass(frozen=True, slots=True)
class RawMessage:
    """One message at one sensor, byte for byte as it was received."""

    sha256: str
    """Lower-case hex SHA-256 of `data`: the message's identity."""
    sensor: str
    """Name of the place of reception."""
    label: Label
    """What the source holds. Ham shows that a sensor was up; it never enters a volume."""
    lab: str | None
    """The family whose bot, run in a lab, sent this; None for mail from the wild."""
    source: str
    """Where it was read from: path as given, and the member of an archive after '!'."""
    data: bytes
    """The message, without what belongs to a mailbox: From_ lines and From_-quoting of an mbox, fields that
    mailbox programs write (Status and the like). Line ends are kept."""
    envelope: Envelope = NO_ENVELOPE
    as_read: str = ""
    """SHA-256 of the bytes with such fields, by which an older Spamtide knew it; '' where there were none."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that a collector met and could not make a RawMessage of; counted, never dropped."""

    source: str
    """As in RawMessage."""
    reason: str
    """One of collector.REASONS."""
    detail: str
    """One line for a person."""
    data: bytes = b""
    """The first bytes of it, at most 64 KiB."""
    sha256: str = ""
    """SHA-256 of the whole of it where that could be computed, else of `data`."""
    size: int = 0
    """Size in bytes of the whole of it."""
    sensor: str = ""
    """As in RawMessage."""


# ---- parse


class Header(NamedTuple):
    """One header field as the sender wrote it. A named tuple, which costs a quarter to make."""

    name: str
    """Field name in its own letter case."""
    value: str
    """Unfolded value, RFC 2047 words still encoded; bytes outside ASCII as UTF-8 or Latin-1."""
    folded: str = ""
    """The white space that began each continuation line, joined by '|' ('' when not folded)."""


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf of the MIME tree that is not shown as text: an attachment or an inline object."""

    content_type: str
    name: str
    """File name as claimed; '' when there is none."""
    size: int
    """Decoded size in bytes."""
    sha256: str


@dataclass(frozen=True, slots=True)
class Message:
    """What the bytes say. Made by `message.parse`, which never raises on any bytes."""

    headers: tuple[Header, ...]
    """All header fields in order, bounded in number and size (see defects)."""
    subject: str
    """Decoded Subject, white space folded."""
    text: str
    """The visible text: the plain text, and those lines of the HTML's that say more; bounded."""
    html: str
    """The decoded HTML; '' when there is none; bounded."""
    hidden: str
    """Text in the HTML that a reader would not see; bounded."""
    links: tuple[str, ...]
    """Every http(s) address in text and HTML, in order of appearance, without repeats; bounded."""
    layout: str
    """MIME tree as text, e.g. 'multipart/alternative(text/plain,text/html)'."""
    charset: str
    """Charset claimed by the first text part, lower case."""
    encoding: str
    """Content-Transfer-Encoding of the first text part, in its own letter case."""
    boundary: str
    """The outermost boundary parameter, as written; '' when there is none."""
    parts: tuple[Part, ...]
    """Attachments and inline objects; bounded in number."""
    size: int
    """Size of the message in bytes."""
    defects: tuple[str, ...]
    """Names from message.DEFECTS, sorted, without repeats."""
    parser: Literal["fast", "stdlib", "none"]
    """Which MIME parser gave the parts; 'none' when bounds forbade both."""


# ---- observe


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen, not what it means: one row a message and sensor. No recipient address is in it."""

    sha256: str
    sensor: str
    label: Label
    lab: str | None
    simulated: bool
    """The message carries the simulator's mark."""
    source: str
    received_at: dt.datetime | None
    """When the sensor received it; None when no trace gives a believable time."""
    received_at_from: Provenance
    sent_at: dt.datetime | None
    """The Date header, which the sender may forge."""
    zone: str
    """Zone of the Date header as written, e.g. '+0300'; '' when there is none."""
    message_id: str | None
    source_ip: str | None
    """The injecting address: the first hop that is not in trusted_relays."""
    source_ip_from: Provenance
    helo: str | None
    """HELO that the injecting hop gave, where a Received header keeps it."""
    rdns: str | None
    """Name that the receiving relay looked up for source_ip, where it kept one."""
    relay: str | None
    """Host that took the message from source_ip (the 'by' of that Received header)."""
    hops: int
    """Number of Received headers."""
    sender_domain: str
    """Domain of the reverse path (Return-Path or envelope); '' for the null sender or when unknown."""
    from_domain: str
    """Domain of the From header."""
    recipients: tuple[str, ...]
    """Keyed hashes of the recipients, sorted."""
    subject: str
    """Decoded subject, recipients' addresses redacted."""
    mailer: str
    """X-Mailer, else User-Agent; '' when there is none."""
    skeleton: str
    """The header skeleton: sender-made header names in order and letter case, joined by ','."""
    message_id_shape: str
    """Message-ID as a shape, in the alphabet of observation.template."""
    boundary_shape: str
    """MIME boundary as a shape, in the same alphabet."""
    layout: str
    charset: str
    encoding: str
    links: tuple[str, ...]
    """http(s) addresses, recipients' addresses redacted."""
    link_hosts: tuple[str, ...]
    link_domains: tuple[str, ...]
    """Registered domains of link_hosts by the public suffix list; sorted, without repeats."""
    attachments: tuple[str, ...]
    """'type;name;size;sha256' of each part that is not text."""
    size: int
    defects: tuple[str, ...]
    rendering: str
    """The one decoded text that signatures see; its lines are fixed in DESIGN (Signature files)."""


# ---- cluster


@dataclass(frozen=True, slots=True)
class Sketch:
    """A message's content in fixed size, for near-duplicate search."""

    sha256: str
    minhash: NDArray[np.uint32]
    """64 MinHash values over the normalised content's shingles."""
    shingles: int
    """Distinct shingles behind the sketch; below campaign.MIN_SHINGLES the text alone decides nothing."""
    key: str
    """Exact key that short or empty texts are grouped by (attachment, layout and link shape)."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """Messages that are variants of one text or template. Named once; the name is never re-derived."""

    campaign: str
    """Minted name, e.g. 'c-4k2m9q'."""
    first_seen: dt.datetime | None
    last_seen: dt.datetime | None
    messages: int
    sources: int
    """Distinct injecting addresses."""
    subject: str
    """An example."""


# ---- attribute


@dataclass(frozen=True, slots=True)
class Signature:
    """One rule of a signature file, as data."""

    rule: str
    """Identifier of the rule."""
    kind: Literal["botnet", "programme"]
    name: str
    confidence: int
    """0-100, the author's."""
    file: str
    line: int
    valid_from: dt.date | None = None
    expires: dt.date | None = None
    author: str = ""
    reference: str = ""
    meta: Mapping[str, str] = field(default_factory=dict)
    """All other meta of the rule, e.g. the learner's measured hits."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for or against one answer."""

    layer: str
    """dialect, skeleton, template, sender, link, brand, landing, campaign, graph or lab."""
    kind: Literal["botnet", "programme"]
    name: str
    """The answer that it speaks for."""
    weight: float
    """Log-odds; negative speaks against."""
    what: str
    """The rule or fact, for a person: 'rule learned_rustock_skeleton_1'."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who sent it and what it advertises, or unknown; with the evidence."""

    sha256: str
    botnet: str
    botnet_confidence: float
    """Probability 0-1 that `botnet` is right; for unknown, 0."""
    programme: str
    programme_confidence: float
    evidence: tuple[Evidence, ...]


# ---- measure


@dataclass(frozen=True, slots=True)
class Panel:
    """Counts of wild spam by subject, sensor and day, and of everything that shows a sensor was up.

    An hourly one (`store.panels.hourly`) has hours of the last weeks for days, no relays ('') and no pairs.
    """

    days: Days
    sensors: tuple[str, ...]
    subjects: tuple[tuple[SubjectKind, str], ...]
    """('total', 'total') first, then botnets and programmes, 'unknown' included."""
    counts: Counts
    """Shape (subjects, sensors, days)."""
    ham: Counts
    """Shape (sensors, days): other mail; shows that the sensor was up."""
    relays: tuple[tuple[str, ...], ...]
    """Shape (sensors, days): the receiving relay that took most mail (spam and ham) that day, '' for none."""
    pairs: Mapping[tuple[str, str], Counts]
    """(botnet, programme) -> counts by day over all sensors, for programme mixes; 'unknown' included."""
    up: Floats | None = None
    """Shape (sensors, days): share of the day that heartbeats show it up, NaN where they say nothing."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A stretch of days in which a sensor did not see what it would have seen."""

    sensor: str
    start: dt.date
    end: dt.date | None
    """Last day, or None while it goes on; of a change: the day before the sensor counts anew."""
    kind: Literal["absent", "down", "changed", "clock"]
    """absent: not yet or no longer running; down: silent amid its life; changed: filter or relay moved;
    clock: emptied by a clock that ran apart, its mail stands under other days."""
    evidence: str
    """One line: the numbers that speak for it."""
    confidence: float = 1.0
    onset_low: dt.date | None = None
    onset_high: dt.date | None = None
    relay_before: str = ""
    relay_after: str = ""
    subjects: tuple[tuple[SubjectKind, str], ...] = ()
    """Of a change that touches some senders only, those and their programmes; () for all."""
    lag_hours: float = 0.0
    """Hours by which a clock ran ahead; negative where behind."""
    steps: tuple[dt.date, ...] = ()
    """Of a slow change, from `start` to `end`, the days on which the sensor counts anew; () for any other."""
    drift: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Of a slow change, the sensor's size after it against before, and the ends of its 95 % interval."""

    def touches(self, subject: tuple[str, str]) -> bool:
        """Whether it changed what is seen of a subject; of all mail, each did."""
        return not self.subjects or subject[0] == "total" or subject in self.subjects


@dataclass(frozen=True, slots=True)
class Exposure:
    """How much of its usual mail each sensor was able to see, by day."""

    values: Floats
    """Shape (sensors, days): 1 fully up, 0 down or absent."""
    outages: tuple[Outage, ...]


@dataclass(frozen=True, slots=True)
class IndexSeries:
    """The index of one subject: 100 x exp(day effect), 100 over the base period."""

    subject_kind: SubjectKind
    subject: str
    days: Days
    count: Counts
    """Messages seen that day over all sensors."""
    index: Floats
    """NaN where no sensor was up."""
    low: Floats
    """Lower end of the 95 % interval."""
    high: Floats
    base: str
    """The base period, 'YYYY-MM-DD..YYYY-MM-DD'."""
    offset: Floats
    """Expected count a day at day effect 1 over the sensors that were up: count / level; 0 where none was."""
    overdispersion: float
    """alpha in variance = mean + alpha x mean squared."""
    serial_correlation: float
    low_90: Floats | None = None
    """Lower end of the 90 % interval; None where nobody computed it."""
    high_90: Floats | None = None


@dataclass(frozen=True, slots=True)
class Contribution:
    """One subject's part in the total's change between two periods, in index points of the total."""

    subject_kind: SubjectKind
    subject: str
    points: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """Everything that is measured from one panel."""

    panel: Panel
    exposure: Exposure
    series: tuple[IndexSeries, ...]
    fits: Mapping[tuple[str, str], object] = field(default_factory=dict, compare=False, repr=False)
    """Fits behind the series on the total's base, by kind and name: what `decompose` need not fit again."""


# ---- detect


@dataclass(frozen=True, slots=True)
class Change:
    """One dated change. Dates carry 95 % intervals."""

    kind: ChangeKind
    subject_kind: SubjectKind
    subject: str
    onset: dt.date
    """First day of the new behaviour (median)."""
    onset_low: dt.date
    onset_high: dt.date
    end: dt.date | None
    """First day at the new level (median); None for kinds that have no ramp or are still going on."""
    end_low: dt.date | None
    end_high: dt.date | None
    ratio: float | None
    """Level after / level before; None where it means nothing."""
    confidence: float
    """Probability 0-1 that the change is real and of this kind."""
    from_programme: str | None = None
    to_programme: str | None = None
    evidence: str = ""
    """One line: the numbers behind it."""
    ratio_low: float | None = None
    """The ratio's 95 % interval; None where it has no bound, or was not estimated."""
    ratio_high: float | None = None
    since: dt.datetime | None = None
    """Of a fall that the last hours show and no day does yet: the start of its first hour. Else None."""
    seen: int | None = None
    """Messages from `since` on."""
    due: float | None = None
    """Messages that were expected from `since` on."""


@dataclass(frozen=True, slots=True)
class Detected:
    """What changed, and what may have."""

    changes: tuple[Change, ...]
    """Sorted by onset, kind and subject."""
    alarms: tuple[Change, ...]
    """What the last days hint at, and is not sure enough to be reported: to be looked at, not to be told."""


Carried = Literal["addresses", "campaigns", "engines"]
"""What mail carries of who sent it, also without a name."""


@dataclass(frozen=True, slots=True)
class Trace:
    """How much mail carries something that a botnet's or programme's carried in the two weeks before."""

    of: Carried
    """What is looked for: sending addresses, campaigns, or the engines that made the mail."""
    own: tuple[int, int]
    """Its own messages of a week before it fell: those that carry such, and all."""
    before: tuple[int, int]
    """Messages without a name of its kind in the same week: those that carry such; and days."""
    after: tuple[int, int]
    """The same since it fell, for a week at most."""
    since: tuple[int, int] = (0, 0)
    """Its own messages since it fell, likewise: how much of its fleet of then still sends."""
    elsewhere: tuple[int, int] = (0, 0)
    """Messages of other programmes that carry such, of the days of `before` and `after`; not of botnets."""


Tracing = Callable[[tuple[SubjectKind, str], dt.date, dt.date, dt.date], tuple[Trace, ...]]
"""(kind and name, first day of its fall, first at the new level, first not known yet) -> traces, or ().

Where the last of these lies before the others, time is read backwards: of a rise, its last day, the last at
the level before it, and the last that is too early."""
