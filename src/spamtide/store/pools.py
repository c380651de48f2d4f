"""Receiving relays that are one pool: hosts of one domain whose names differ in their numbers only.

A provider's front ends take turns, so that one of them after another is no relay that moved.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

OWN_LABELS = 2
"""Last labels of a name, which say whose host it is; numbers in them are part of the owner's name."""
_NUMBER = re.compile(r"\d+")
_HOST = re.compile(r"[a-z]")


def pool_of(host: str) -> str:
    """The form of a host's name: 'mx*.example.net' of mx1 and mx2.

    A label with several numbers is a machine's, letters and all: '*.mail.protection.outlook.com'. Addresses
    are kept as they are.
    """
    labels = host.lower().rstrip(".").split(".")
    if ":" in host or not _HOST.search(labels[-1]):
        return host
    first = labels[:-OWN_LABELS]
    return ".".join([*map(_label, first), *labels[len(first) :]])


def _label(label: str) -> str:
    """A label without its numbers."""
    numbers = len(_NUMBER.findall(label))
    return "*" if numbers > 1 else _NUMBER.sub("*", label)


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
