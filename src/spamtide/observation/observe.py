"""A message and its reception to one Observation."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import fields
from itertools import compress
from operator import attrgetter
from typing import Any, NamedTuple

from spamtide.compiled import native
from spamtide.model import Header, Message, Observation, Provenance, RawMessage
from spamtide.observation import traits
from spamtide.observation.lure import link_domains, link_hosts
from spamtide.observation.redact import RECIPIENT_FIELDS, recipients_of, redactor
from spamtide.observation.relay import Hop, canonical, is_trusted_address, trace
from spamtide.observation.rendering import MOST_NAMES, Frame, render
from spamtide.observation.skeleton import SIMULATED_HEADER, skeleton
from spamtide.observation.template import boundary_shape, message_id_shape
from spamtide.observation.when import believed, read_date
from spamtide.settings import Observing

FIELD_CHARS = 2000
"""Characters of a value taken from one header."""
_DEFAULTS = Observing()
_NAME = attrgetter("name")
_VALUE = attrgetter("value")
_SIMULATED = SIMULATED_HEADER.lower()
_ANGLE = re.compile(r"<[^<>@]*@([^<>@\s]+)>")
_DOMAIN = re.compile(r"@([A-Za-z0-9._-]+|\[[^\]]*\])")


class _Source(NamedTuple):
    """Where a message came from."""

    address: str | None
    provenance: Provenance
    hop: Hop | None
    """The hop that shows the address, where one does."""


class _Head(NamedTuple):
    """The header fields by column."""

    names: list[str]
    """Names in their own letter case, in order."""
    lower: list[str]
    values: list[str]
    first: dict[str, str]
    """Name in lower case -> value of the first field of that name."""
    received: list[str]
    """Values of the trace fields, the sensor's own first."""


def observe(
    raw: RawMessage, message: Message, *, observing: Observing = _DEFAULTS, key: bytes
) -> Observation:
    """Say what was seen of one message at one sensor.

    Args:
        raw: where and when the message was received.
        message: what `message.parse` made of `raw.data`.
        observing: relays that are believed, and headers of the user's own gateway.
        key: the observatory's secret for recipients' hashes, at most 64 bytes are used.

    Total: any message gives an Observation, and no recipient's address is left in it.
    """
    try:
        return _observe(raw, message, observing, key)
    except Exception:  # noqa: BLE001 - the promise is total; the fault is named and the message counted
        return _bare(raw, message)


def _observe(raw: RawMessage, message: Message, observing: Observing, key: bytes) -> Observation:
    """As `observe`, as long as nothing here is wrong."""
    head = _columns(message.headers)
    folded = message.headers[head.lower.index("content-type")].folded if "content-type" in head.first else ""
    simulated = _SIMULATED in head.first
    if simulated:
        head = _without_mark(head)
    hops, entry = trace(head.received, observing)
    source = _source(raw, head.first, hops, entry, observing)
    sent_at, zone = read_date(head.first.get("date", ""))
    received_at, received_at_from = _received_at(raw, head.received, hops, sent_at)
    relays = {(each.by or "").lower() for each in hops}
    from_domain = _from_domain(head.first.get("from", ""))
    id_form = traits.id_host(head.first.get("message-id", ""), from_domain, head.first.get("to", ""), relays)
    plain = _texts(raw, message, head, source) | {
        "from_domain": from_domain,
        "zone": zone,
        "skeleton": _skeleton(head.names, head.lower, added=id_form == "relay"),
    }
    attachments = [f"{part.content_type};{part.name};{part.size};{part.sha256}" for part in message.parts]
    to = compress(head.values, map(RECIPIENT_FIELDS.__contains__, head.lower))
    redact = redactor(recipients_of(to, head.received, raw.envelope.rcpt_to), key)
    # One pass over everything: fields, links and attachments a line each, then the rendering.
    above = [(value or "")[:FIELD_CHARS] for value in plain.values()]
    above += message.links
    above += attachments
    frame = Frame(
        source.address or "",
        plain["helo"] or "",
        plain["skeleton"] or "",
        _habits(message, plain, id_form=id_form, address=source.address or "", folded=folded),
    )
    data = render(above, message, head.names, head.values, frame)
    words = "=?" in "\n".join(head.values)
    *clean, rendering = redact.in_bytes(data, words=words).decode("utf-8").split("\n", len(above))
    seen = dict(zip(plain, clean, strict=False))
    links_end = len(plain) + len(message.links)
    hosts = link_hosts(message.links)
    return Observation(
        sha256=raw.sha256,
        sensor=raw.sensor,
        label=raw.label,
        lab=raw.lab,
        simulated=simulated,
        source=seen["source"],
        received_at=received_at,
        received_at_from=received_at_from,
        sent_at=sent_at,
        zone=seen["zone"],
        message_id=seen["message_id"] or None,
        source_ip=source.address,
        source_ip_from=source.provenance,
        helo=seen["helo"] or None,
        rdns=seen["rdns"] or None,
        relay=seen["relay"] or None,
        hops=len(head.received),
        sender_domain=seen["sender_domain"],
        from_domain=seen["from_domain"],
        recipients=redact.tokens,
        subject=seen["subject"],
        mailer=seen["mailer"],
        skeleton=seen["skeleton"],
        message_id_shape=seen["message_id_shape"],
        boundary_shape=seen["boundary_shape"],
        layout=seen["layout"],
        charset=seen["charset"],
        encoding=seen["encoding"],
        links=tuple(clean[len(plain) : links_end]),
        link_hosts=hosts,
        link_domains=link_domains(hosts),
        attachments=tuple(clean[links_end:]),
        size=message.size,
        defects=message.defects,
        rendering=rendering,
    )


def _texts(raw: RawMessage, message: Message, head: _Head, source: _Source) -> dict[str, str | None]:
    """Fields of an Observation that may hold a recipient's address, before they are redacted."""
    hop, message_id = source.hop, head.first.get("message-id")
    helo = raw.envelope.helo if source.provenance == "envelope" and raw.envelope.helo else None
    return {
        "source": raw.source,
        "message_id": message_id,
        "helo": hop.helo if hop and not helo else helo,
        "rdns": hop.rdns if hop else None,
        "relay": hop.by if hop else None,
        "sender_domain": _sender_domain(raw, head.first),
        "subject": message.subject,
        "mailer": head.first.get("x-mailer") or head.first.get("user-agent", ""),
        "message_id_shape": message_id_shape(message_id or ""),
        "boundary_shape": boundary_shape(message.boundary),
        "layout": message.layout,
        "charset": message.charset,
        "encoding": message.encoding,
    }


def _habits(
    message: Message, plain: dict[str, str | None], *, id_form: str, address: str, folded: str
) -> str:
    """The rendering's line of how the mail engine does things: see `traits`."""
    return traits.line(
        id_form=id_form,
        message_id=plain["message_id"] or "",
        from_domain=plain["from_domain"] or "",
        boundary=message.boundary,
        helo=plain["helo"] or "",
        address=address,
        folded=folded,
        layout=message.layout,
        charset=message.charset,
        encoding=message.encoding,
        echoed=traits.echo(message.subject, [part.name for part in message.parts[:MOST_NAMES] if part.name]),
    )


def _without_mark(head: _Head) -> _Head:
    """The fields without the simulator's mark, which no engine wrote."""
    kept = [name != _SIMULATED for name in head.lower]
    names, lower, values = (list(compress(column, kept)) for column in (head.names, head.lower, head.values))
    return head._replace(names=names, lower=lower, values=values)


def _columns(headers: tuple[Header, ...]) -> _Head:
    """Put header fields into columns.

    There are thirty a message: what is done to each is done by `map` and `compress`.
    """
    if native:
        return _Head(*native.columns(headers))
    names = list(map(_NAME, headers))
    lower = list(map(str.lower, names))
    values = list(map(_VALUE, headers))
    first = dict(zip(reversed(lower), reversed(values), strict=True))
    return _Head(names, lower, values, first, list(compress(values, map("received".__eq__, lower))))


def _skeleton(names: list[str], lower: list[str], *, added: bool) -> str:
    """The header skeleton; without a Message-ID that a relay `added`."""
    if added:
        own = [name != "message-id" for name in lower]
        names, lower = list(compress(names, own)), list(compress(lower, own))
    return skeleton(names, lower)


def _source(
    raw: RawMessage, first: dict[str, str], hops: list[Hop], entry: Hop | None, observing: Observing
) -> _Source:
    """Find the injecting address: the sensor's own session, the user's gateway, then the trace."""
    client = canonical(raw.envelope.client_ip or "")
    if client and not is_trusted_address(client, observing.trusted_relays):
        return _Source(client, "envelope", _hop_of(client, hops))
    for name in observing.source_headers:
        address = canonical(first.get(name.lower(), "")[:FIELD_CHARS])
        if address:
            return _Source(address, "header", _hop_of(address, hops))
    if entry:
        return _Source(entry.address, "received", entry)
    return _Source(None, "none", None)


def _hop_of(address: str, hops: list[Hop]) -> Hop | None:
    """The believed hop that shows an address."""
    return next((hop for hop in hops if hop.address == address), None)


def _received_at(
    raw: RawMessage, received: list[str], hops: list[Hop], sent_at: dt.datetime | None
) -> tuple[dt.datetime | None, Provenance]:
    """When the sensor received the message, from the most trusted trace that gives a believable time.

    Where the sensor itself spoke to the client, Received headers that do not show that client are the
    sender's. The envelope may be the sender's too: a body holds a From_ line where an mbox does not quote it.
    """
    client = canonical(raw.envelope.client_ip or "")
    at = believed(raw.envelope.received_at)
    if at is None or client is None or _hop_of(client, hops):
        for value in received[: len(hops)]:
            written, _ = read_date(value.rpartition(";")[2])
            if written:
                return written, "received"
    if at:
        return at, "envelope"
    return (sent_at, "date") if sent_at else (None, "none")


def _sender_domain(raw: RawMessage, first: dict[str, str]) -> str:
    """Domain of the reverse path, in lower case."""
    path = raw.envelope.mail_from
    if path is None:
        path = first.get("return-path", "")
    match = _DOMAIN.search(path, max(path.rfind("@"), 0))
    return match[1].lower().rstrip(".") if match else ""


def _from_domain(value: str) -> str:
    """Domain of the address in From, in lower case; addresses in display names are passed over."""
    value = value[:FIELD_CHARS]
    angles = _ANGLE.findall(value)
    if angles:
        return str(angles[-1]).lower().rstrip(".")
    match = _DOMAIN.search(value, max(value.rfind("@"), 0))
    return match[1].lower().rstrip(".") if match else ""


def _bare(raw: RawMessage, message: Message) -> Observation:
    """What is left to say when something here is wrong: that there was a message."""
    blank: dict[str, Any] = {field.name: _BLANKS.get(str(field.type)) for field in fields(Observation)}
    blank |= dict.fromkeys(("received_at_from", "source_ip_from"), "none")
    blank |= {name: getattr(raw, name) for name in ("sha256", "sensor", "label", "lab")}
    return Observation(**blank | {"size": message.size, "defects": ("internal",)})


_BLANKS = {"str": "", "tuple[str, ...]": (), "int": 0, "bool": False}
"""Type of a field, as written in `model` -> its empty value; every other may be None."""
