"""Links to hosts to registered domains, offline, by the bundled public suffix list."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache

from publicsuffixlist import PublicSuffixList

HOST_CHARS = 253
"""The longest host name (RFC 1035)."""

_HOST = re.compile(r"\w[\w.-]*|\[[0-9a-f:.]+\]")
_AUTHORITY_END = re.compile(r"[/?#\\]")


def link_hosts(links: Iterable[str]) -> tuple[str, ...]:
    """Hosts of http(s) links, in lower case, in order of appearance, without repeats."""
    hosts: dict[str, None] = {}
    for link in links:
        scheme, _, rest = link.partition("://")
        if scheme in {"http", "https"}:
            hosts[_host(_AUTHORITY_END.split(rest, maxsplit=1)[0])] = None
    hosts.pop("", None)
    return tuple(hosts)


@lru_cache(maxsize=65536)
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
