"""A tiny world of mail for this room: families with kits and templates, lab captures, wild mail and ham.

It shares nothing with `spamtide.simulate` and makes renderings directly, so that this room is tested alone.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from spamtide.attribution import Ruleset, attribute, compile_signatures
from spamtide.knowledge import Knowledge, load_knowledge
from spamtide.schema import ATTRIBUTIONS
from spamtide.settings import Attributing

sys.path.insert(0, str(Path(__file__).parent))
from answer_rules import DAY, RULES, Ask, AsTable, Rows

START = dt.datetime(2010, 3, 1, tzinfo=dt.UTC)
WORDS = (
    "amber",
    "basin",
    "candle",
    "dapper",
    "ember",
    "fathom",
    "garnet",
    "hollow",
    "island",
    "jovial",
    "kernel",
    "lantern",
    "meadow",
    "nimble",
    "orchard",
    "pebble",
    "quiver",
    "ribbon",
    "saddle",
    "timber",
    "umber",
    "velvet",
    "walnut",
    "yonder",
    "zephyr",
    "anchor",
    "bramble",
    "copper",
    "drizzle",
    "elbow",
    "feather",
    "ginger",
    "harbour",
    "ivory",
    "juniper",
    "kettle",
    "ladder",
    "marble",
    "nectar",
    "olive",
    "parcel",
    "quartz",
    "rocket",
    "silver",
    "thimble",
    "urchin",
    "violet",
    "willow",
    "yellow",
    "zigzag",
    "acorn",
    "button",
    "cactus",
    "donkey",
    "engine",
    "fiddle",
    "goblet",
    "hammer",
    "igloo",
    "jacket",
)
NAMES = ("Ann", "Bob", "Cy", "Dora", "Ed", "Flo", "Gus", "Hal", "Ida", "Jo")

Kit = Callable[[random.Random, dt.datetime], list[tuple[str, str]]]


def _hex(rng: random.Random, length: int) -> str:
    return "".join(rng.choice("0123456789abcdef") for _ in range(length))


def _date(when: dt.datetime, zone: str) -> str:
    return when.strftime("%a, %d %b %Y %H:%M:%S ") + zone


def _subject(rng: random.Random) -> tuple[str, str]:
    return ("Subject", rng.choice(WORDS))


def kit_stone(rng: random.Random, when: dt.datetime) -> list[tuple[str, str]]:
    """A kit with a fixed mailer build and hex Message-IDs."""
    stamp = _hex(rng, 8).upper()
    return [
        ("Message-ID", f"<000{rng.randint(100, 999)}01cab{_hex(rng, 4)}${_hex(rng, 8)}@{_hex(rng, 5)}>"),
        ("From", f'"{rng.choice(NAMES)}" <{rng.choice(WORDS)}@example.com>'),
        ("To", "rcpt.0123456789abcdef"),
        _subject(rng),
        ("Date", _date(when, rng.choice(["+0000", "-0500", "+0300", "+0100"]))),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'text/plain; charset="us-ascii"; boundary="--=_NP_{stamp}"'),
        ("X-Mailer", "Stonecutter 6.00.2900.3138"),
    ]


def kit_reed(rng: random.Random, when: dt.datetime) -> list[tuple[str, str]]:
    """Another kit: other order, decimal Message-IDs, always zone +0000."""
    return [
        ("Date", _date(when, "+0000")),
        ("From", f"{rng.choice(NAMES)} <{rng.choice(WORDS)}@example.net>"),
        ("To", "rcpt.0123456789abcdef"),
        _subject(rng),
        (
            "Message-Id",
            f"<{rng.randint(10**9, 10**10 - 1)}.{rng.randint(10**5, 10**6 - 1)}@{rng.choice(WORDS)}>",
        ),
        ("X-Priority", "3"),
        ("Mime-Version", "1.0"),
        ("Content-Type", "text/plain; charset=iso-8859-1"),
    ]


def kit_plain(rng: random.Random, when: dt.datetime) -> list[tuple[str, str]]:
    """What ordinary people's mailers write."""
    return [
        ("Date", _date(when, rng.choice(["+0100", "-0700"]))),
        ("From", f"{rng.choice(NAMES)} <{rng.choice(WORDS)}@example.org>"),
        ("To", "rcpt.fedcba9876543210"),
        _subject(rng),
        ("Message-ID", f"<{_hex(rng, rng.choice([8, 12, 30]))}@mail.example.org>"),
        ("MIME-Version", "1.0"),
        *([("User-Agent", f"Mutt/1.5.{rng.randint(1, 30)}")] if rng.random() < 0.5 else []),
    ]


def template(rng: random.Random) -> Callable[[random.Random], str]:
    """A text with constant parts and slots, made once for a family and a week."""
    parts = [" ".join(rng.sample(WORDS, rng.randint(5, 9))) for _ in range(4)]
    slots = [rng.sample(WORDS, 6) for _ in range(3)]

    def fill(own: random.Random) -> str:
        chosen = [own.choice(slot) for slot in slots]
        body = f"{parts[0]} {chosen[0]}.\n{parts[1]} {chosen[1]}\n{parts[2]} {chosen[2]} {parts[3]}\n"
        return f"Hello {own.choice(NAMES)},\n{body}ref {_hex(own, 8)}"

    return fill


@dataclass
class World:
    """Makes rows; `rows` holds them in the order made."""

    seed: int = 1
    rows: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def send(self, kit: Kit, text: str, day: float, **row: Any) -> dict[str, Any]:  # noqa: ANN401 - any column
        """One message `day` days after START."""
        when = START + dt.timedelta(days=day)
        headers = kit(self.rng, when)
        address = row.get("source_ip") or f"10.{self.rng.randint(0, 255)}.{self.rng.randint(0, 255)}.7"
        lines = [
            f"client: {address}",
            "helo: host",
            f"header-order: {','.join(name for name, _ in headers)}",
            *(f"header {name}: {value}" for name, value in headers),
            f"subject: {dict(headers)['Subject']}",
            *(f"link: http://www.{domain}/" for domain in row.get("link_domains", [])),
            "text:",
            text,
        ]
        rendering = "\n".join(lines)
        made = {
            "sha256": hashlib.sha256(f"{len(self.rows)} {rendering}".encode()).hexdigest(),
            "sensor": "trap",
            "label": "spam",
            "lab": None,
            "received_at": when,
            "source_ip": address,
            "campaign": None,
            "link_domains": [],
            "rendering": rendering,
            "truth": None,
        } | row
        self.rows.append(made)
        return made

    def family(self, name: str, kit: Kit, *, weeks: int = 4, lab: int = 60, wild: int = 60) -> None:
        """A family whose template changes every week, with lab captures and wild mail in each."""
        for week in range(weeks):
            fill = template(self.rng)
            for number in range(lab + wild):
                captured = number < lab
                self.send(
                    kit,
                    fill(self.rng),
                    7 * week + self.rng.random() * 7,
                    lab=name if captured else None,
                    sensor="lab" if captured else "trap",
                    truth=name,
                    campaign=f"c-{name}-{week}",
                )

    def ham(self, count: int) -> None:
        """Other mail: free text, with phrases in it that spam uses as well."""
        for _ in range(count):
            text = " ".join(self.rng.choice(WORDS) for _ in range(self.rng.randint(20, 80)))
            self.send(kit_plain, text, self.rng.random() * 28, label="ham", truth=None)


def table(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as the columns that this room reads."""
    columns = {
        "sha256": pa.string(),
        "sensor": pa.string(),
        "label": pa.string(),
        "lab": pa.string(),
        "received_at": pa.timestamp("us", tz="UTC"),
        "source_ip": pa.string(),
        "campaign": pa.string(),
        "link_domains": pa.list_(pa.string()),
        "rendering": pa.string(),
        "rules": pa.list_(pa.string()),
    }
    return pa.table({name: pa.array([row.get(name) for row in rows], kind) for name, kind in columns.items()})


@pytest.fixture(scope="session")
def kits() -> dict[str, Kit]:
    """Mailer kits by name: each makes the header fields of one message."""
    return {"stone": kit_stone, "reed": kit_reed, "plain": kit_plain}


@pytest.fixture(scope="session")
def new_world() -> Callable[..., World]:
    return World


@pytest.fixture(scope="session")
def as_table() -> Callable[[list[dict[str, Any]]], pa.Table]:
    return table


@pytest.fixture(scope="session")
def new_template() -> Callable[[random.Random], Callable[[random.Random], str]]:
    return template


@pytest.fixture(scope="session")
def ruleset() -> Ruleset:
    return compile_signatures([(Path("test.yar"), RULES)])


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return load_knowledge()


@pytest.fixture
def ask(ruleset: Ruleset, knowledge: Knowledge, as_table: AsTable) -> Ask:
    """Attribute some rows, given by what is special about them."""

    def asked(rows: Rows, **thresholds: float) -> list[dict[str, Any]]:
        whole = [
            {
                "sha256": f"{number:064x}",
                "sensor": "trap",
                "label": "spam",
                "received_at": DAY,
                "link_domains": [],
                "rules": [],
            }
            | row
            for number, row in enumerate(rows)
        ]
        table = attribute(as_table(whole), ruleset, knowledge, attributing=Attributing(**thresholds))
        assert table.schema == ATTRIBUTIONS
        return [dict(row) for row in table.to_pylist()]

    return asked
