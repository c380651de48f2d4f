"""Addresses: bots and their machines, mail providers, link hosts.

No address can belong to anybody: bots stand in 240.0.0.0/4 (reserved, RFC 1112; not private as RFC 1918 has
it), mail servers in the documentation blocks of RFC 5737, and every name ends in .example, .test or
.invalid (RFC 2606).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spamtide.simulate.macro import compile_macro, render
from spamtide.simulate.stream import Dice, Streams
from spamtide.simulate.words import WORDS
from spamtide.simulate.world import NO_PROGRAMME, Sender

ZONES = ("-0800", "-0500", "-0300", "+0000", "+0100", "+0200", "+0300", "+0530", "+0700", "+0800")
COMMON_BLOCKS = 400
"""/16 networks that hold all bots; a sender prefers OWN_BLOCKS of them, so senders overlap."""
OWN_BLOCKS = 30
ELSEWHERE = 0.15
"""Share of a sender's bots outside its preferred networks."""
SHARED_HOSTS = 40
"""Machines that are infected by more than one family, and the share of each fleet that stands on them."""
ON_SHARED_HOST = 0.02
LAB_MACHINES = 2
"""Machines that the lab lets one family run on at a time."""
NAMED = 0.6
"""Share of bots whose address has a name."""
HOSTS_AT_A_TIME = 6
HOST_DAYS = 3
"""Days that a set of link hosts is in use."""
PROGRAMME_HOSTS = 0.25
"""Share of links that lead to hosts which the programme, not the sender, provides."""

_MACHINE = compile_macro("{@machine}", WORDS)
_PROGRAMME_HOST: Mapping[str, str] = {
    "Canadian Pharmacy": "{@plant}{@med}.example",
    "Pharmacy Express": "{@med}{@trade}.test",
    "Ultimate Replicas": "{@watch}{@plant}.example",
    "Grand Harbour Casino": "{@card}{@trade}.test",
}


@dataclass(frozen=True, slots=True)
class Machine:
    """Something that connects to a mail exchanger."""

    ip: str
    rdns: str
    """Name of the address; '' when it has none."""
    name: str
    """What the machine calls itself."""
    domain: str
    """Domain of the network that it stands in."""
    zone: str


class Fleet:
    """The bots of one sender, with machines cleaned and others infected from day to day."""

    def __init__(self, sender: Sender, days: int, streams: Streams) -> None:
        self._sender = sender.name
        self._streams = streams
        dice = streams.dice("blocks")
        self._common = [f"{dice.between(241, 250)}.{dice.number(256)}" for _ in range(COMMON_BLOCKS)]
        self._shared = [
            f"{dice.pick(self._common)}.{dice.number(256)}.{dice.between(1, 254)}"
            for _ in range(SHARED_HOSTS)
        ]
        self._own = streams.dice("blocks", sender.name).sample(self._common, OWN_BLOCKS)
        generator = streams.generator("fleet", sender.name)
        renewed = generator.random((days, sender.bots)) < 1 / sender.lifetime
        self._generation: list[list[int]] = np.cumsum(renewed, axis=0).tolist()
        self._machines: dict[tuple[int, int], Machine] = {}

    def pick(self, day: int, dice: Dice) -> Machine:
        """Give one machine that sends on a day."""
        generations = self._generation[day]
        slot = dice.number(len(generations))
        key = (slot, generations[slot])
        if key not in self._machines:
            self._machines[key] = self._infect(self._streams.dice("bot", self._sender, *key))
        return self._machines[key]

    def _infect(self, dice: Dice) -> Machine:
        """Make a machine."""
        if dice.chance(ON_SHARED_HOST):
            ip = dice.pick(self._shared)
        else:
            block = dice.pick(self._common if dice.chance(ELSEWHERE) else self._own)
            ip = f"{block}.{dice.number(256)}.{dice.between(1, 254)}"
        return make_machine(ip, dice)


def make_machine(ip: str, dice: Dice) -> Machine:
    """Make a home or office machine at an address."""
    domain = dice.pick(WORDS["isp"])
    dashed = ip.replace(".", "-")
    rdns = dice.pick((f"host-{dashed}.{domain}", f"{dashed}.dyn.{domain}", f"adsl-{dashed}.pool.{domain}"))
    return Machine(
        ip=ip,
        rdns=rdns if dice.chance(NAMED) else "",
        name=render(_MACHINE, dice, {}),
        domain=domain,
        zone=dice.pick(ZONES),
    )


def lab_machines(sender: Sender, days: int, streams: Streams) -> tuple[tuple[Machine, ...], ...]:
    """The lab's infected machines of one family, by week: it starts afresh every seven days."""
    net = streams.dice("lab-net", sender.name)
    block = f"240.{net.number(256)}.{net.number(256)}"
    weeks = []
    for week in range(days // 7 + 1):
        dice = streams.dice("lab", sender.name, week)
        weeks.append(
            tuple(make_machine(f"{block}.{dice.between(2, 254)}", dice) for _ in range(LAB_MACHINES))
        )
    return tuple(weeks)


def provider_machine(provider: str) -> Machine:
    """The mail server of a web mail provider; honest mail comes from there as well."""
    order = WORDS["provider"].index(provider)
    return Machine(
        f"203.0.113.{order * 8 + 5}", f"webmail.{provider}", f"webmail.{provider}", provider, "+0000"
    )


class LinkHosts:
    """Hosts that links lead to: sets that are replaced every few days."""

    def __init__(self, sender: Sender, streams: Streams) -> None:
        self._sender = sender
        self._streams = streams
        self._books: dict[tuple[str, ...], Sequence[str]] = {}

    def pick(self, programme: str, day: int, dice: Dice) -> str:
        """Give a host for a link of a programme on a day."""
        epoch = str(day // HOST_DAYS)
        if programme != NO_PROGRAMME and dice.chance(PROGRAMME_HOSTS):
            book = self._book(
                _PROGRAMME_HOST.get(programme, self._sender.host), "programme", programme, epoch
            )
        else:
            book = self._book(self._sender.host, "sender", self._sender.name, programme, epoch)
        return dice.pick(book)

    def _book(self, source: str, *key: str) -> Sequence[str]:
        """Make or look up one set of hosts."""
        if key not in self._books:
            program = compile_macro(source, WORDS)
            dice = self._streams.dice("hosts", *key)
            self._books[key] = [render(program, dice, {}) for _ in range(HOSTS_AT_A_TIME)]
        return self._books[key]
