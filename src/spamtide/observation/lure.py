"""Links to hosts to registered domains, offline, by the bundled public suffix list."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from publicsuffixlist import PublicSuffixList

from spamtide.compiled import native

HOST_CHARS = 253
"""The longest host name (RFC 1035)."""

_HOST = re.compile(r"\w[\w.-]*|\[[0-9a-f:.]+\]")
_CARRIED = re.compile(
    r"https?(?::|%3a)(?://|%2f%2f)((?:[a-z0-9-]{1,63}\.){1,8}[a-z][a-z0-9-]{1,62})(?![a-z0-9.-])",
    re.IGNORECASE,
)
"""An address inside an address, percent-encoded or not, and its host."""
_AUTHORITY_END = re.compile(r"[?#\\]")


def link_hosts(links: Sequence[str]) -> tuple[str, ...]:
    """Hosts of http(s) links, in lower case, in order of appearance, without repeats.

    A link through a redirector gives the redirector's host and then that of the address which it carries.
    """
    hosts: dict[str, None] = {}
    read = native.link_authorities(tuple(links)) if native else None
    if read is not None:
        for one in read:
            if isinstance(one, str):
                hosts[_host(one)] = None
            elif carried := _CARRIED.search(one[0]):
                hosts[_host(carried[1])] = None
        hosts.pop("", None)
        return tuple(hosts)
    for link in links:
        scheme, _, rest = link.partition("://")
        if scheme not in {"http", "https"}:
            continue
        authority = rest.partition("/")[0]
        if "?" in authority or "#" in authority or "\\" in authority:
            authority = _AUTHORITY_END.split(authority, maxsplit=1)[0]
        hosts[_host(authority)] = None
        if ("http" in rest or "HTTP" in rest) and (carried := _CARRIED.search(rest)):
            hosts[_host(carried[1])] = None
    hosts.pop("", None)
    return tuple(hosts)


@lru_cache(maxsize=16384)
def _host(authority: str) -> str:
    """Host of one authority; '' when it is none that could be looked up."""
    host = authority.rpartition("@")[2].lower()
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
