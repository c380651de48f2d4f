"""A lab has one machine: what is that machine's own must not be demanded of the botnet's others.

Each engine writes one more fact of the machine that it runs on into its headers. Rules are learned from one
machine and must hold on others, and must not hold for the same headers by another engine.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from spamtide.attribution import Ruleset, compile_signatures, learn, scan
from spamtide.attribution.learning.layout import Layout, machines_of
from spamtide.message import parse
from spamtide.model import RawMessage
from spamtide.observation import observe

START = dt.datetime(2011, 2, 1, tzinfo=dt.UTC)
ZONES = (
    ("+0300", "MSK"),
    ("-0800", "Pacific Standard Time"),
    ("+0100", "Mitteleuropäische Zeit (Winter)"),
    ("+0100", "=?iso-8859-1?Q?Mitteleurop=E4ische_Zeit?="),
)
DAYS = (("Mon", "Feb"), ("Mo", "Febr"), ("Пн", "фев"))
OTHERS = 40


@dataclass(frozen=True)
class Machine:
    """What a bot finds where it runs."""

    address: str
    helo: str
    user: str
    zone: tuple[str, str]
    days: tuple[str, str]
    charset: str
    build: str
    ticks: int
    inside: str


def machine(rng: random.Random) -> Machine:
    address = f"{rng.randint(31, 99)}.{rng.randint(1, 254)}.{rng.randint(1, 254)}.{rng.randint(1, 254)}"
    word = letters(rng, 6)
    helos = (
        f"{word}-3.pool.example.net",
        f"{word.upper()}-PC",
        "localhost.localdomain",
        f"[{address}]",
        word,
    )
    return Machine(
        address,
        rng.choice(helos),
        rng.choice(("root", "Administrator", "maria", "www-data", "HP_Owner")),
        rng.choice(ZONES),
        rng.choice(DAYS),
        rng.choice(("windows-1252", "windows-1251", "koi8-r", "gb2312")),
        rng.choice(("6.00.2600.0000", "6.00.2900.5512", "14.0.8117.416")),
        10 ** rng.randint(5, 9),
        rng.choice(("10.0.2.15", "192.168.1.7", "192.168.0.102", "127.0.0.1")),
    )


def letters(rng: random.Random, count: int) -> str:
    return "".join(rng.choice("bdfgklmnprstvzaeiou") for _ in range(count))


def hexes(rng: random.Random, count: int) -> str:
    return "".join(rng.choice("0123456789abcdef") for _ in range(count))


Write = Callable[[random.Random, Machine], str]


@dataclass(frozen=True)
class Engine:
    """One engine: its Message-ID and what else differs from the plain one."""

    identifier: Write = lambda rng, _: f"<{hexes(rng, 12)}@example.com>"
    date: Write = lambda _, on: f"Mon, 07 Feb 2011 10:11:12 {on.zone[0]}"
    content: Write = lambda rng, _: f'multipart/mixed; boundary="--=_{hexes(rng, 16)}"'
    author: Write = lambda rng, _: f"{letters(rng, 5)}@example.com"
    more: tuple[tuple[str, Write], ...] = ()


ENGINES = {
    "HELO in the Message-ID": Engine(lambda rng, on: f"<{hexes(rng, 12)}@{on.helo}>"),
    "HELO left of it": Engine(lambda rng, on: f"<{hexes(rng, 8)}.{on.helo}.{hexes(rng, 6)}@example.com>"),
    "address left of it": Engine(lambda rng, on: f"<{hexes(rng, 8)}.{on.inside}.{hexes(rng, 6)}@{on.helo}>"),
    "user in the Message-ID": Engine(
        lambda rng, on: f"<{rng.randrange(10**8)}.JavaMail.{on.user}@{on.helo}>"
    ),
    "clock since the start": Engine(
        lambda rng, on: f"<{rng.randint(on.ticks, 30 * on.ticks)}.{hexes(rng, 6)}@{on.helo}>"
    ),
    "name of the zone": Engine(date=lambda _, on: f"Mon, 07 Feb 2011 10:11:12 {on.zone[0]} ({on.zone[1]})"),
    "zone by name alone": Engine(date=lambda _, on: f"Mon, 07 Feb 2011 10:11:12 {on.zone[1]}"),
    "days in its language": Engine(date=lambda _, on: f"{on.days[0]}, 07 {on.days[1]} 2011 10:11:12 +0100"),
    "code page": Engine(content=lambda _, on: f'text/plain; charset="{on.charset}"'),
    "HELO in the boundary": Engine(
        content=lambda rng, on: f'multipart/mixed; boundary="--=_{on.helo}_{hexes(rng, 9)}"'
    ),
    "whose machine it is": Engine(author=lambda _, on: f"{on.user}@{on.helo.strip('[]')}"),
    "build of a mail program": Engine(more=(("X-Mailer", lambda _, on: f"Microsoft Express {on.build}"),)),
    "fields of its own": Engine(
        more=(
            ("X-Computer", lambda _, on: on.helo),
            ("X-User", lambda _, on: on.user),
            ("Content-Language", lambda _, on: on.days[0]),
        )
    ),
}


def written(engine: Engine, rng: random.Random, on: Machine, server: str) -> str:
    """Rendering of one message, as an observatory makes it."""
    fields = [
        ("Received", f"from {on.helo} (unknown [{on.address}])\n\tby {server} with SMTP id {hexes(rng, 9)}"),
        ("Message-ID", engine.identifier(rng, on)),
        ("From", engine.author(rng, on)),
        ("To", f"{letters(rng, 6)}@example.org"),
        ("Subject", letters(rng, 9)),
        ("Date", engine.date(rng, on)),
        ("MIME-Version", "1.0"),
        ("Content-Type", engine.content(rng, on)),
        *((name, write(rng, on)) for name, write in engine.more),
    ]
    head = "".join(f"{name}: {value}\n" for name, value in fields)
    data = f"{head}\n{letters(rng, 60)}\n".encode()
    raw = RawMessage(hashlib.sha256(data).hexdigest(), "s", "spam", None, "a", data)
    return observe(raw, parse(data), key=b"k").rendering


def learned(renderings: list[str]) -> Ruleset:
    lab = pa.table(
        {
            "sha256": [f"{place:064x}" for place in range(len(renderings))],
            "lab": ["bot"] * len(renderings),
            "received_at": [START + dt.timedelta(hours=place) for place in range(len(renderings))],
            "rendering": renderings,
        }
    )
    none = pa.table({"sha256": pa.array([], pa.string()), "rendering": pa.array([], pa.string())})
    return compile_signatures([(Path(name), text) for name, text in learn(lab, none).files().items()])


def known(rules: Ruleset, renderings: list[str]) -> int:
    """Messages that have a skeleton."""
    return sum(
        any(rule.partition("skeleton_")[2].isdigit() for rule in hits)
        for hits in scan(renderings, rules).hits
    )


@pytest.mark.parametrize("what", ENGINES)
def test_a_skeleton_from_one_machine_holds_on_others(what: str) -> None:
    engine = ENGINES[what]
    rng = random.Random(what)
    lab = machine(rng)
    rules = learned([written(engine, rng, lab, "sink.lab.example") for _ in range(60)])
    wild = [written(engine, rng, machine(rng), "mx.trap.example") for _ in range(OTHERS)]
    assert known(rules, wild) == OTHERS


@pytest.mark.parametrize(
    "other",
    [
        Engine(lambda rng, on: f"<{hexes(rng, 12).upper()}@{on.helo}>"),
        Engine(lambda rng, on: f"<{hexes(rng, 12)}-{hexes(rng, 4)}@{on.helo}>"),
        Engine(
            lambda rng, _: f"<{hexes(rng, 12)}@example.com>",
            author=lambda rng, _: letters(rng, 4) + "@example.com",
        ),
        Engine(
            lambda rng, on: f"<{hexes(rng, 12)}@{on.helo}>",
            content=lambda rng, _: f"multipart/mixed; boundary=b{hexes(rng, 9)}",
        ),
    ],
)
def test_an_imitator_whose_engine_differs_has_it_not(other: Engine) -> None:
    """Another grammar left of the '@', the sender's domain right of it, another boundary."""
    engine = ENGINES["HELO in the Message-ID"]
    rng = random.Random(5)
    lab = machine(rng)
    rules = learned([written(engine, rng, lab, "sink.lab.example") for _ in range(60)])
    assert known(rules, [written(other, rng, machine(rng), "mx.trap.example") for _ in range(OTHERS)]) == 0


def test_one_machine_behind_many_addresses_is_one() -> None:
    """A lab that changes its way out has not got more machines."""
    names = ("ANNA-PC", "ANNA-PC", "ANNA-PC"), ("ANNA-PC", "BERT-PC", "CARL-PC")
    found = [
        machines_of([Layout((), {}, {}, f"192.0.2.{n}", helo) for n, helo in enumerate(of) for _ in range(9)])
        for of in names
    ]
    assert found == [1, 3]
