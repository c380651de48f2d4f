"""Received headers to hops, and the hop at which a message entered the receiver's world.

A hop is believed only while every hop above it was the receiver's own: everything below is the sender's to
forge. Grammar of the lines: RFC 5321 section 4.4, and what Postfix, Sendmail, Exim, qmail, Exchange,
ZMailer, Google and fetchmail really write.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from spamtide.settings import Observing

HOPS = 60
"""Received headers that are looked at, from the top."""
LINE_CHARS = 2000
"""Characters of one Received header that are looked at."""

INTERNAL = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.168.0.0/16", "::/127", "fe80::/10", "fc00::/7",
    )
)  # fmt: skip
"""This host, private, loopback, link-local and carrier-grade NAT addresses: never where a message came from.
Addresses kept for documentation are not here, for simulated mail uses them."""


class Edge(NamedTuple):
    """Relays of a well-known receiver whose own hops stand above the one at which a message entered."""

    names: tuple[str, ...]
    """Ends of the names of hosts that hand on."""
    by: tuple[str, ...]
    """Ends of the names of hosts that take over; empty for any."""
    why: str


EDGES = (
    Edge(
        names=(".prod.outlook.com", ".prod.protection.outlook.com", ".prod.exchangelabs.com"),
        by=(".prod.outlook.com", ".outlook.office365.com", ".prod.exchangelabs.com"),
        why="Outlook.com: front end, hub and mailbox hand on over public IPv6. Strangers are met by hosts of"
        " *.mail.protection.outlook.com, tenants come from *.outbound.protection.outlook.com: not here.",
    ),
    Edge(
        names=(".kernel.org", ".vger.email", ".monkeyblade.net"),
        by=(),
        why="The vger lists: mirror, list host and receiving relay (lindbergh.monkeyblade.net until November"
        " 2023, smtp.subspace.kernel.org since) stand between a subscriber and the stranger who posted.",
    ),
)
"""Stepped over without any setting. A host is known by its looked-up name; by its HELO only where the relay
that wrote the line keeps no looked-up names."""


class Hop(NamedTuple):
    """One Received header, as far as it could be read."""

    address: str | None
    """Address that the message came from, as the relay saw it."""
    helo: str | None
    rdns: str | None
    """Name that the relay looked up; None when it found or keeps none."""
    by: str | None
    keeps_names: bool
    """The relay writes down looked-up names, so that a HELO is not to be taken for one."""


_USUAL = re.compile(
    r"from (\S+) \((?!HELO |EHLO )((?:[^\s()\[\]]+ )?)\[(?:IPv6:)?([0-9A-Fa-f:.]+)\](?: \(may be forged\))?\)"
)
"""Postfix, Sendmail, Google: from HELO (name [address])."""
_BY = re.compile(r"(?:^|\s)by\s+([^\s;()]+)", re.IGNORECASE)
_FROM = re.compile(r"from\s+", re.IGNORECASE)
_ADDRESS = r"\[?(?:IPv6:)?([0-9A-Fa-f:.]{3,45})(?:%\w+)?\]?"
_DIALECTS = (
    # qmail: from name (HELO helo) (ident@address)
    re.compile(
        rf"(?P<rdns>\S+)?\s*\((?:HELO|EHLO)\s+(?P<helo>[^()]*)\)\s*\(?(?:[^()\s@]*@)?{_ADDRESS}\)?",
        re.IGNORECASE,
    ),
    # ZMailer: from name ([address]:port "EHLO helo" flags)
    re.compile(
        rf"(?P<rdns>\S+)\s+\({_ADDRESS}(?::\d+)?\s+\"(?:HELO|EHLO)\s+(?P<helo>[^\"]*)\"", re.IGNORECASE
    ),
    # Exim: from name ([address]:port helo=helo ident=...), and from [address] (helo=helo)
    re.compile(rf"(?P<rdns>\S+)\s+\({_ADDRESS}(?::\d+)?\s+(?:port=\d+\s+)?helo=(?P<helo>[^\s()]+)"),
    re.compile(rf"{_ADDRESS}(?::\d+)?\s+\((?:port=\d+\s+)?helo=(?P<helo>[^\s()]+)"),
    # with ident or a space more than usual: from helo (IDENT:user@name [address])
    re.compile(
        r"(?P<helo>\S+)\s*\(\s*(?:IDENT:)?(?:[^\s()\[\]@]*@)?(?P<rdns>[^\s()\[\]@]*)\s*"
        r"\[(?:IPv6:)?([0-9A-Fa-f:.]+)\]"
    ),
    # Exchange, and qmail without a HELO: from helo (address); SMTPD32, fetchmail: from helo [address]
    re.compile(rf"(?P<helo>\S+)\s+\(?{_ADDRESS}\)?(?:\s|\Z)"),
    # from [address]
    re.compile(rf"{_ADDRESS}(?:\s|\Z)"),
)
"""Tried in turn on what stands after 'from'; the first that fits is believed."""
_WITHOUT_HELO = _DIALECTS[4:]
"""Those that can fit a line in which no HELO is named."""


def _head(value: str) -> str:
    """What of a Received header names the hop: it stands before the queue id.

    So the receiver's own hops, which come again with every message, are read once.
    """
    head = value[:LINE_CHARS].partition(" id ")[0]
    return head if " by " in head else value[:LINE_CHARS]


def _read(value: str) -> Hop:
    """Read one Received header, unfolded, or what of it stands before its queue id; total."""
    usual = _USUAL.match(value)
    if usual:
        found = _BY.search(value, usual.end())
        rdns = usual[2].rpartition("@")[2].strip().rstrip(".")
        if "(Exim" in value and not rdns:
            rdns = usual[1]
        address = canonical(usual[3])
        return Hop(address, usual[1], _name(rdns), found[1] if found else None, keeps_names=True)
    begin = _FROM.match(value)
    by = _BY.search(value, begin.end() if begin else 0)
    host = by[1] if by else None
    if begin is None:
        return Hop(None, None, None, host, keeps_names=True)
    clause = value[begin.end() : by.start() if by else len(value)]
    spoken = clause.lower()
    for dialect in _DIALECTS if "helo" in spoken or "ehlo" in spoken else _WITHOUT_HELO:
        match = dialect.match(clause)
        address = canonical(match[_address_group(dialect)]) if match else None
        if match and address:
            groups = match.groupdict()
            helo = groups.get("helo") or None
            keeps = "rdns" in groups
            return Hop(address, helo, _name((groups.get("rdns") or "").rstrip(".")), host, keeps_names=keeps)
    return Hop(None, clause.split(" ", 1)[0] or None, None, host, keeps_names=True)


@lru_cache(maxsize=16)
def _address_group(dialect: re.Pattern[str]) -> int:
    """Number of the one group without a name: the address."""
    return next(n for n in range(1, dialect.groups + 1) if n not in dialect.groupindex.values())


def _name(text: str) -> str | None:
    """A looked-up name; None for what relays write when there is none."""
    return None if not text or text.lower() in {"unknown", "unverified"} or text[0] == "[" else text


@lru_cache(maxsize=16384)
def canonical(text: str) -> str | None:
    """An address in its usual form, IPv4 taken out of IPv6; None for what is no address."""
    text = text.strip().strip("[]").removeprefix("IPv6:")
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address)


@lru_cache(maxsize=64)
def _trusted(
    relays: tuple[str, ...],
) -> tuple[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...], frozenset[str], tuple[str, ...]]:
    """Networks, names and ends of names among the settings' trusted relays."""
    networks = list(INTERNAL)
    names: set[str] = set()
    for relay in relays:
        try:
            networks.append(ipaddress.ip_network(relay, strict=False))
        except ValueError:
            names.add(relay.lower())
    ends = tuple(sorted(name for name in names if name.startswith(".")))
    return tuple(networks), frozenset(names) - set(ends), ends


@lru_cache(maxsize=16384)
def is_trusted_address(address: str, relays: tuple[str, ...]) -> bool:
    """Whether an address is internal or one of the settings' trusted relays."""
    parsed = ipaddress.ip_address(address)
    return any(parsed in network for network in _trusted(relays)[0])


def is_own(hop: Hop, relays: tuple[str, ...]) -> bool:
    """Whether a hop lies within the receiver's world, so that the next one may be believed."""
    if hop.address is None or is_trusted_address(hop.address, relays):
        return True
    name = (hop.rdns or ("" if hop.keeps_names else hop.helo) or "").lower()
    if not name:
        return False
    _, names, ends = _trusted(relays)
    if name in names or name.endswith(ends):
        return True
    by = (hop.by or "").lower()
    return any(
        name.endswith(edge.names) and (by.endswith(edge.by) if edge.by else hop.keeps_names) for edge in EDGES
    )


def trace(received: Sequence[str], observing: Observing) -> tuple[list[Hop], Hop | None]:
    """Hops that may be believed, from the top, and the one at which the message entered (the last of them).

    `received` holds the values of the Received headers in order. The second value is None when no hop shows
    an address that is not the receiver's own.
    """
    hops: list[Hop] = []
    for value in received[:HOPS]:
        hop, own = _judge(_head(value), "(fetchmail" in value, observing.trusted_relays)
        hops.append(hop)
        if not own:
            return hops, hop
    return hops, None


@lru_cache(maxsize=8192)
def _judge(head: str, polled: bool, relays: tuple[str, ...]) -> tuple[Hop, bool]:  # noqa: FBT001 - a cache's key
    """A hop, and whether it is the receiver's own; the receiver's come again with every message.

    Of a hop that fetchmail `polled` the address is that of the mailbox.
    """
    hop = _read(head)
    return hop, polled or is_own(hop, relays)
