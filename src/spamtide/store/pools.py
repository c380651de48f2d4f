"""Receiving relays that are one pool: hosts of one domain whose names differ in their numbers only.

A provider's front ends take turns, so that one of them after another is no relay that moved.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

from publicsuffixlist import PublicSuffixList

_NUMBER = re.compile(r"\d+")
_HOST = re.compile(r"[a-z]")


def pool_of(host: str) -> str:
    """The form of a host's name: 'mx*.example.net' of mx1 and mx2.

    A label with several numbers is a machine's, letters and all, between its dashes:
    '*.mail.protection.outlook.com'. Numbers in the registered domain are part of the owner's name. Addresses
    are kept as they are.
    """
    name = host.lower().rstrip(".")
    labels = name.split(".")
    if ":" in host or not _HOST.search(labels[-1]):
        return host
    owner = (_suffixes().privatesuffix(name) or name).split(".")
    return ".".join([*map(_label, labels[: -len(owner)]), *owner])


def read_suffixes() -> None:
    """Read the list of suffixes, which is kept, before a host is asked about: it takes .05 s."""
    _suffixes()


def _label(label: str) -> str:
    """A label without its numbers."""
    if len(_NUMBER.findall(label)) <= 1:
        return _NUMBER.sub("*", label)
    return "-".join("*" if _NUMBER.search(part) else part for part in label.split("-"))


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    """Read when a relay is named; of a suffix that is not listed ('local') two labels are the owner's."""
    return PublicSuffixList()


def named_pools(hosts: Iterable[str]) -> dict[str, str]:
    """What to call each host by: the form of its pool, or its own name where no other host shares it."""
    pools: defaultdict[str, set[str]] = defaultdict(set)
    for host in hosts:
        pools[pool_of(host)].add(host)
    return {
        host: pool if len({name.lower() for name in members}) > 1 else min(members)
        for pool, members in pools.items()
        for host in members
    }
