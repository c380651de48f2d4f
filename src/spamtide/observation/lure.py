"""Links to hosts to registered domains, offline, by the bundled public suffix list."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache

from publicsuffixlist import PublicSuffixList

HOST_CHARS = 253
"""The longest host name (RFC 1035)."""

_AUTHORITY = re.compile(r"https?://([^/?#\\]*)")
_HOST = re.compile(r"\w[\w.-]*|\[[0-9a-f:.]+\]")


def link_hosts(links: Iterable[str]) -> tuple[str, ...]:
    """Hosts of links, in lower case, in order of appearance, without repeats."""
    hosts: dict[str, None] = {}
    for link in links:
        host = _host(link)
        if host:
            hosts[host] = None
    return tuple(hosts)


def _host(link: str) -> str:
    """Host of one link; '' when it has none that could be looked up."""
    match = _AUTHORITY.match(link)
    if match is None:
        return ""
    host = match[1].rpartition("@")[2].lower()
    if not host.startswith("["):
        host = host.partition(":")[0]
    elif "]" in host:
        host = host[: host.index("]") + 1]
    host = host.rstrip(".")
    return host if len(host) <= HOST_CHARS and _HOST.fullmatch(host) else ""


def link_domains(hosts: Iterable[str]) -> tuple[str, ...]:
    """Registered domains of hosts, sorted, without repeats; addresses have none."""
    return tuple(sorted({domain for host in hosts if (domain := _registered(host))}))


@lru_cache(maxsize=65536)
def _registered(host: str) -> str:
    """Registered domain of a host; '' for an address, a bare name or a public suffix itself."""
    if host.startswith("[") or host.rpartition(".")[2].isdigit():
        return ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _suffixes().privatesuffix(host) or ""
    return ""


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False)
