"""Traits: habits of a mail engine that no single header line shows, as one line of the rendering.

`traits: id-host=from clock=shared helo=name fold=tab layout=text/plain charset=us-ascii encoding=7bit`

- id-host: what stands right of the '@' in Message-ID: from (the From domain), relay (a host that took the
  message: it added the field, which the sender had left out), to (a recipient's domain), literal
  ([address]), name (a word without a dot), domain, none
- clock: shared where Message-ID and boundary hold the same hexadecimal word, which a mailer that makes them
  at different instants never writes; else apart; none without a boundary
- helo: literal, address, from, local, name, domain; none where nobody noted it
- fold: how Content-Type is folded: none, tab, or the number of spaces
- layout, charset, encoding: the MIME tree, and what its first text part claims, in its own letter case
- echo, where a part has a file name: number where a name holds a number of the subject, name where it is the
  subject but for its signs and its extension, else none
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

VALUE_CHARS = 200
"""Characters of one value."""
_HEX_WORD = re.compile(r"[0-9a-f]{8}")
_LITERAL = re.compile(r"\[[0-9A-Fa-f.:]{3,60}\]")
_NUMBER = re.compile(r"[0-9]{4,}")
_SIGNS = re.compile(r"[\W_]+")
_SPACE = re.compile(r"\s+")
_LOCAL = frozenset({"localhost", "localhost.localdomain", "127.0.0.1", "[127.0.0.1]"})


def id_host(message_id: str, from_domain: str, recipients: str, relays: Collection[str]) -> str:
    """What the right side of a Message-ID is.

    Args:
        message_id: the field's value.
        from_domain: domain of the From address, in lower case.
        recipients: the To header.
        relays: hosts that took the message, in lower case.
    """
    host = message_id.rpartition("@")[2].strip().rstrip(">").lower() if "@" in message_id else ""
    if not host:
        return "none"
    if host == from_domain:
        return "from"
    # A filter behind the gateway calls itself localhost, and so do many bots: that names neither.
    if host in relays and "." in host and host not in _LOCAL:
        return "relay"
    if "@" + host in recipients.lower():
        return "to"
    if _LITERAL.fullmatch(host):
        return "literal"
    return "domain" if "." in host else "name"


def clock(message_id: str, boundary: str) -> str:
    """Whether Message-ID and boundary share a hexadecimal word of eight; '' boundaries share nothing."""
    if not boundary:
        return "none"
    left = message_id.lower()
    return "shared" if any(word in left for word in _HEX_WORD.findall(boundary.lower())) else "apart"


def helo_form(helo: str, address: str, from_domain: str) -> str:
    """What kind of name a client gave."""
    name = helo.lower()
    if not name:
        return "none"
    if name in _LOCAL:
        return "local"
    if _LITERAL.fullmatch(name):
        return "literal"
    if name == address:
        return "address"
    if name == from_domain:
        return "from"
    return "domain" if "." in name else "name"


def fold(white: str) -> str:
    """How a header is folded, from the white space of its continuation lines."""
    first = white.partition("|")[0]
    return "none" if not first else "tab" if first.startswith("\t") else str(len(first))


def echo(subject: str, names: Sequence[str]) -> str:
    """How attachments' names repeat the subject: number, name or none; '' without names."""
    if not names:
        return ""
    numbers = set(_NUMBER.findall(subject))
    if numbers and any(number in numbers for name in names for number in _NUMBER.findall(name)):
        return "number"
    title = _SIGNS.sub("", subject.lower())
    stems = (_SIGNS.sub("", name.rpartition(".")[0].lower() or name.lower()) for name in names)
    return "name" if title and title in stems else "none"


def line(  # noqa: PLR0913 - one argument a fact
    *,
    id_form: str,
    message_id: str,
    from_domain: str,
    boundary: str,
    helo: str,
    address: str,
    folded: str,
    layout: str,
    charset: str,
    encoding: str,
    echoed: str,
) -> str:
    """The line's text after 'traits: '; `id_form` is what `id_host` says, `echoed` what `echo` says."""
    shown = [_shown(value) for value in (layout, charset, encoding)]
    return (
        f"id-host={id_form} clock={clock(message_id, boundary)}"
        f" helo={helo_form(helo, address, from_domain)} fold={fold(folded)}"
        f" layout={shown[0]} charset={shown[1]} encoding={shown[2]}" + (f" echo={echoed}" if echoed else "")
    )


@lru_cache(maxsize=256)
def _shown(value: str) -> str:
    """A value without white space, cut; there are few of them."""
    return _SPACE.sub("", value)[:VALUE_CHARS] or "none"
