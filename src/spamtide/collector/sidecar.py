"""The side-car of a message: a small JSON file beside `name.eml` that knows its envelope.

The names of the fields are those that the SHIVA honeypot writes into `name.meta`
(<https://github.com/shiva-spampot/shiva>, receiver/src/shiva_handler.py), and their usual synonyms.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json

from spamtide.collector.naming import shown
from spamtide.model import NO_ENVELOPE, Envelope

SIDECAR_SUFFIX = ".meta"
SIDECAR_BYTES = 2**20
"""A larger side-car is not looked at."""
_TEXT_CHARS = 1000
_RECIPIENTS = 10_000

CLIENT_FIELDS = ("client_addr", "client_ip", "client_address", "ip")
HELO_FIELDS = ("helo", "ehlo")
SENDER_FIELDS = ("sender", "mail_from", "mailfrom")
RECIPIENT_FIELDS = ("recipients", "rcpt_to", "rcpt_tos", "rcpttos")
TIME_FIELDS = ("index_ts", "received_at", "timestamp", "time")
"""An ISO 8601 time (UTC unless it says otherwise) or seconds since 1970."""


def read_sidecar(data: bytes) -> Envelope:
    """Read a side-car; what is missing or makes no sense in it stays unknown. Never raises."""
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        return NO_ENVELOPE
    if not isinstance(values, dict):
        return NO_ENVELOPE
    recipients = _first(values, RECIPIENT_FIELDS)
    if isinstance(recipients, str):
        recipients = [recipients]
    return Envelope(
        mail_from=_text(_first(values, SENDER_FIELDS)),
        rcpt_to=tuple(text for item in recipients[:_RECIPIENTS] if (text := _text(item)))
        if isinstance(recipients, list)
        else (),
        client_ip=_address(_first(values, CLIENT_FIELDS)),
        helo=_text(_first(values, HELO_FIELDS)),
        received_at=_time(_first(values, TIME_FIELDS)),
    )


def joined(first: Envelope, second: Envelope) -> Envelope:
    """Make one envelope of two; where both know something, `first` counts."""
    return Envelope(
        mail_from=second.mail_from if first.mail_from is None else first.mail_from,
        rcpt_to=first.rcpt_to or second.rcpt_to,
        client_ip=first.client_ip or second.client_ip,
        helo=second.helo if first.helo is None else first.helo,
        received_at=first.received_at or second.received_at,
    )


def _first(values: dict[str, object], names: tuple[str, ...]) -> object:
    """Value of the first of these fields that is there."""
    return next((values[name] for name in names if values.get(name) is not None), None)


def _text(value: object) -> str | None:
    """Text of a field; None for anything else."""
    return shown(value[:_TEXT_CHARS].strip()) if isinstance(value, str) else None


def _address(value: object) -> str | None:
    """IP address of a field; an IPv4 address in IPv6 clothing is undressed."""
    if not isinstance(value, str):
        return None
    try:
        address = ipaddress.ip_address(value.strip("[] "))
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


def _time(value: object) -> dt.datetime | None:
    """Time of a field in UTC."""
    try:
        if isinstance(value, str):
            at = dt.datetime.fromisoformat(value.strip())
            return at.replace(tzinfo=dt.UTC) if at.tzinfo is None else at.astimezone(dt.UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return dt.datetime.fromtimestamp(value, dt.UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None
