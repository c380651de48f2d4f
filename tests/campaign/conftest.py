"""Planted campaigns: messages whose campaign is known, and the measures that compare partitions."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from types import SimpleNamespace

import pyarrow as pa
import pytest

from spamtide.campaign import sketch
from spamtide.model import Observation
from spamtide.schema import TIMESTAMP

START = dt.datetime(2010, 3, 1, tzinfo=dt.UTC)
LETTERS = "bcdfghjklmnpqrstvwxz"
SYLLABLES = [consonant + vowel for consonant in LETTERS for vowel in "aeiou"]


def _vocabulary(size: int) -> list[str]:
    dice = random.Random(7)
    words = ["".join(dice.choices(SYLLABLES, k=dice.choice((1, 1, 2, 2, 3)))) for _ in range(size)]
    words = list(dict.fromkeys(words))
    return sorted(words[:150], key=len) + words[150:]


WORDS = _vocabulary(6000)
WEIGHTS = list(accumulate(1 / (rank + 3) for rank in range(len(WORDS))))
"""Zipf's law: unrelated texts share their common words, as real ones do, and those are short."""


def prose(dice: random.Random, size: int) -> list[str]:
    return dice.choices(WORDS, cum_weights=WEIGHTS, k=size)


def observe(text: str, subject: str = "", **facts: object) -> Observation:
    """Make an observation with the given content; everything else is unremarkable."""
    links = facts.get("links", ())
    lines = "".join(f"link: {link}\n" for link in links)  # type: ignore[attr-defined]  # a tuple of str
    rendering = f"client: 192.0.2.1\nhelo: a.example\nsubject: {subject}\n{lines}text: {text}"
    plain: dict[str, object] = {
        "sha256": hashlib.sha256(repr((text, subject, sorted(facts.items(), key=str))).encode()).hexdigest(),
        "sensor": "s", "label": "spam", "lab": None, "simulated": True, "source": "", "received_at": START,
        "received_at_from": "received", "sent_at": None, "zone": "", "message_id": None, "source_ip": None,
        "source_ip_from": "none", "helo": None, "rdns": None, "relay": None, "hops": 1, "sender_domain": "",
        "from_domain": "", "recipients": (), "subject": subject, "mailer": "", "skeleton": "From,To,Subject",
        "message_id_shape": "", "boundary_shape": "", "layout": "text/plain", "charset": "utf-8",
        "encoding": "7bit", "links": (), "link_hosts": (), "link_domains": (), "attachments": (),
        "size": len(text), "defects": (), "rendering": rendering,
    }  # fmt: skip
    return Observation(**(plain | facts))  # type: ignore[arg-type]  # facts are fields by name


@dataclass(frozen=True)
class Template:
    """A spam template: each place holds the words that may stand there."""

    subjects: list[list[str]]
    places: list[list[str]]
    footer: list[str]
    gibberish: int
    path: str

    def fill(self, dice: random.Random, when: dt.datetime) -> Observation:
        """Write one message: words spun, addressed to somebody, with a rotating host and a hash-buster."""
        body = [dice.choice(words) for words in self.places]
        name = dice.choice(WORDS[200:]).title()
        buster = "".join(dice.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=dice.randint(8, 20)))
        host = "".join(dice.choices(SYLLABLES, k=3)) + dice.choice((".example", ".test"))
        link = f"http://{host}/{self.path}?u={dice.getrandbits(40):x}"
        price = f"${dice.randint(20, 99)}.{dice.randint(10, 99)}"
        half = len(body) // 2
        noise = "\n\n" + " ".join(dice.choices(WORDS, k=self.gibberish)) if self.gibberish else ""
        text = (
            f"Dear {name},\n\n{' '.join(body[:half])} {price}\n{link}\n\n{' '.join(body[half:])}\n\n"
            f"{' '.join(self.footer)}\nrcpt.{dice.getrandbits(48):012x}\n{buster}{noise}"
        )
        subject = " ".join(dice.choice(self.subjects))
        return observe(text, f"{subject} {dice.randint(1000, 99999)}", links=(link,), received_at=when)


def plant_template(
    dice: random.Random, spin: float, *, size: int = 0, footer: Sequence[str] = ()
) -> Template:
    """Draw a template in which a share `spin` of the words has two or three synonyms."""
    places = [
        [word, *prose(dice, dice.choice((1, 2)))] if dice.random() < spin else [word]
        for word in prose(dice, size or dice.randint(40, 200))
    ]
    subjects = [prose(dice, dice.randint(2, 6)) for _ in range(dice.randint(1, 4))]
    return Template(
        subjects, places, list(footer), dice.choice((0, 0, 6)), dice.choice(("", "a/b", "shop.php"))
    )


@dataclass(frozen=True)
class World:
    """Messages in order of arrival, and the true campaign of each."""

    observations: list[Observation]
    truth: dict[str, int]


def plant(seed: int, campaigns: int = 25, singles: int = 100, spin: float = 0.15, most: int = 60) -> World:
    """Plant campaigns of very different sizes over sixty days among unrelated single messages.

    Every fifth pair of campaigns shares a legal footer of forty words.
    """
    dice = random.Random(seed)
    messages: list[tuple[Observation, int]] = []
    footer: list[str] = []
    for number in range(campaigns):
        if number % 5 == 0:
            footer = prose(dice, 40)
        shared = footer if number % 5 in (0, 1) else ()
        template = plant_template(dice, dice.uniform(0, spin), size=80 if shared else 0, footer=shared)
        begin = dice.uniform(0, 45)
        for _ in range(max(2, int(most * dice.random() ** 2))):
            when = START + dt.timedelta(days=begin + dice.uniform(0, 15))
            messages.append((template.fill(dice, when), number))
    for number in range(campaigns, campaigns + singles):
        when = START + dt.timedelta(days=dice.uniform(0, 60))
        messages.append((plant_template(dice, 0).fill(dice, when), number))
    messages.sort(key=lambda pair: (pair[0].received_at or START, pair[0].sha256))
    return World([message for message, _ in messages], {message.sha256: true for message, true in messages})


def tabulate(observations: Sequence[Observation]) -> pa.Table:
    """The table that `cluster` takes."""
    sketches = sketch(observations)
    return pa.table(
        {
            "sha256": pa.array([one.sha256 for one in sketches], pa.string()),
            "received_at": pa.array([one.received_at for one in observations], TIMESTAMP),
            "minhash": pa.array([one.minhash.astype("<u4").tobytes() for one in sketches], pa.binary()),
            "shingles": pa.array([one.shingles for one in sketches], pa.int32()),
            "sketch_key": pa.array([one.key for one in sketches], pa.string()),
        }
    )


def b_cubed(found: dict[str, str], truth: dict[str, int]) -> tuple[float, float]:
    """B-cubed precision and recall (Bagga and Baldwin 1998).

    Means over messages: how pure their found campaign is, and how much of their true campaign it holds.
    """
    cells = Counter((found[item], truth[item]) for item in truth)
    by_found = Counter(found[item] for item in truth)
    by_truth = Counter(truth.values())
    total = len(truth)
    precision = sum(count * count / by_found[name] for (name, _), count in cells.items()) / total
    recall = sum(count * count / by_truth[true] for (_, true), count in cells.items()) / total
    return precision, recall


def adjusted_rand(one: dict[str, str], other: dict[str, str]) -> float:
    """Adjusted Rand index (Hubert and Arabie 1985) of two partitions of the same items."""

    def pairs(counts: Counter[object]) -> float:
        return sum(count * (count - 1) / 2 for count in counts.values())

    both = pairs(Counter((one[item], other[item]) for item in one))
    left, right = pairs(Counter(one.values())), pairs(Counter(other.values()))
    expected = left * right / max(len(one) * (len(one) - 1) / 2, 1)
    ceiling = (left + right) / 2
    return 1.0 if ceiling == expected else (both - expected) / (ceiling - expected)


@pytest.fixture(scope="session")
def planting() -> SimpleNamespace:
    """The generator and the measures, as one name each."""
    return SimpleNamespace(
        observe=observe,
        plant=plant,
        template=plant_template,
        prose=prose,
        tabulate=tabulate,
        b_cubed=b_cubed,
        adjusted_rand=adjusted_rand,
    )
