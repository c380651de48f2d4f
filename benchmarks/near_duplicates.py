"""Near-duplicate bodies: sketches beside TLSH and ssdeep, at equal false alarms.

    python benchmarks/near_duplicates.py [--pairs 8766] [--different 55822]

Wants the extra `bench` (py-tlsh; ppdeep is ssdeep in pure Python). The protocol is Oliver, Cheng and Chen's
(CTC 2013): pairs that are variants of one another and pairs that are not, and of each scheme the share of
either that it takes for variants. The bodies are real: the spam of CSDMC 2010, phishing-pot, SpamAssassin and
the advance-fee letters (SPAMTIDE_CORPORA). A similar pair is two mutations of one body, drawn with a fixed
seed from what spammers do (names, numbers, hosts, hash-busters at either end, a word in eight replaced, a
sentence dropped, sentences in another order). A different pair is two bodies that share no near-duplicate by
a test that no scheme uses: fewer than a quarter of their word triples in common.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import re
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import ppdeep
import tlsh

from spamtide.campaign import sketch
from spamtide.campaign.similarity import MIN_SHINGLES, estimate
from spamtide.message import parse
from spamtide.model import Observation, RawMessage
from spamtide.observation import observe

ROOT = Path(__file__).resolve().parents[1]
CORPORA = Path(os.environ.get("SPAMTIDE_CORPORA", ROOT.parent / "shared" / "corpora"))
SOURCES = {
    "csdmc2010.tar.gz": "/spam/",
    "phishing-pot-to-2023.tar.gz": ".eml",
    "spamassassin.tar.gz": "spam-",
    "glitchy-419.zip": "",
}
"""Archive -> what the names of its spam hold."""
LEAST_WORDS = 25
"""Shorter bodies are left out: TLSH and ssdeep have no digest for them."""
SEED = 20130101
MOST_FALSE = 0.0007
"""TLSH's published false alarms at its threshold of 40, where it finds 49.6 %."""


class Body(NamedTuple):
    """One real body."""

    text: str
    triples: frozenset[int]


class Digests(NamedTuple):
    """What each scheme makes of one text."""

    minhash: np.ndarray
    comparable: bool
    key: str
    tlsh: str
    ssdeep: str


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser()
    options.add_argument("--pairs", type=int, default=8766)
    options.add_argument("--different", type=int, default=55822)
    asked = options.parse_args()
    dice = random.Random(SEED)  # noqa: S311 - a benchmark, not a secret
    bodies = read_bodies()
    print(f"{len(bodies):,} distinct bodies", file=sys.stderr)
    similar = [mutated_pair(dice.choice(bodies), dice) for _ in range(asked.pairs)]
    different = list(different_pairs(bodies, asked.different, dice))
    texts = sorted({text for pair in similar + different for text in pair})
    digests = digest(texts)
    print("| scheme, threshold | similar found | different taken for similar |\n|---|---|---|")
    for name, score, thresholds in SCHEMES:
        found = scores(score, digests, similar)
        wrong = scores(score, digests, different)
        for threshold in (*thresholds, best(wrong)):
            hits, errors = int((found >= threshold).sum()), int((wrong >= threshold).sum())
            print(
                f"| {name} >= {threshold:g} | {hits / len(similar):.1%} ({hits:,} of {len(similar):,}) "
                f"| {errors / len(different):.4%} ({errors:,} of {len(different):,}) |"
            )


def best(wrong: np.ndarray) -> float:
    """The lowest threshold with no more false alarms than MOST_FALSE."""
    allowed = int(MOST_FALSE * wrong.size)
    return float(np.nextafter(np.sort(wrong)[::-1][allowed], np.inf))


# ---------------------------------------------------------------------------- the bodies


def read_bodies() -> list[Body]:
    """Distinct visible texts of the corpora's spam, as the program reads them."""
    found: dict[str, Body] = {}
    for data in spam():
        text = re.sub(r"[ \t]+", " ", parse(data).text[:20_000]).strip()
        words = text.split()
        if len(words) >= LEAST_WORDS:
            triples = frozenset(map(hash, zip(words, words[1:], words[2:], strict=False)))
            found[hashlib.sha256(text.encode()).hexdigest()] = Body(text, triples)
    return [found[name] for name in sorted(found)]


def spam() -> Iterator[bytes]:
    """The messages of every archive."""
    for name, wanted in SOURCES.items():
        path = CORPORA / name
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                yield from (archive.read(one) for one in archive.infolist() if not one.is_dir())
            continue
        with tarfile.open(path) as tar:
            for member in tar:
                stream = tar.extractfile(member) if member.isfile() and wanted in member.name else None
                if stream is not None:
                    yield stream.read()


def different_pairs(bodies: list[Body], count: int, dice: random.Random) -> Iterator[tuple[str, str]]:
    """Pairs of bodies that share less than a quarter of their word triples."""
    while count:
        one, other = dice.sample(bodies, 2)
        shared = len(one.triples & other.triples)
        if 4 * shared < min(len(one.triples), len(other.triples)):
            count -= 1
            yield one.text, other.text


# ---------------------------------------------------------------------------- what spammers do


def mutated_pair(body: Body, dice: random.Random) -> tuple[str, str]:
    """Two variants of one body."""
    return mutated(body.text, dice), mutated(body.text, dice)


def mutated(text: str, dice: random.Random) -> str:
    """One variant: several of MUTATIONS, in order."""
    for change in MUTATIONS:
        if dice.random() < 0.5:  # noqa: PLR2004 - every other
            text = change(text, dice)
    return text


def _numbers(text: str, dice: random.Random) -> str:
    return re.sub(r"\d", lambda _: str(dice.randrange(10)), text)


def _hosts(text: str, dice: random.Random) -> str:
    host = "".join(dice.choices("abcdefghiklmnoprstuvw", k=dice.randint(6, 14)))
    return re.sub(r"(https?://)[^/\s]+", rf"\g<1>{host}.example", text)


def _greeting(text: str, dice: random.Random) -> str:
    name = "".join(dice.choices("aeiklmnorst", k=6)).title()
    return f"{dice.choice(('Dear', 'Hello', 'Hi'))} {name},\n\n{text}"


def _buster(text: str, dice: random.Random) -> str:
    noise = " ".join(
        "".join(dice.choices("bcdfghjklmnpqrstvwxz0123456789", k=dice.randint(6, 12))) for _ in range(8)
    )
    return f"{noise}\n\n{text}" if dice.random() < 0.5 else f"{text}\n\n{noise}"  # noqa: PLR2004


def _words(text: str, dice: random.Random) -> str:
    parts = re.split(r"(\s+)", text)
    pool = [part for part in parts if part.isalpha()]
    return "".join(
        dice.choice(pool) if part.isalpha() and pool and dice.random() < 1 / 8 else part for part in parts
    )


def _dropped(text: str, dice: random.Random) -> str:
    sentences = re.split(r"(?<=[.!?])\s+", text)
    if len(sentences) > 3:  # noqa: PLR2004 - one of a few is too much
        sentences.pop(dice.randrange(len(sentences)))
    return " ".join(sentences)


def _reordered(text: str, dice: random.Random) -> str:
    sentences = re.split(r"(?<=[.!?])\s+", text)
    dice.shuffle(sentences)
    return " ".join(sentences)


MUTATIONS: tuple[Callable[[str, random.Random], str], ...] = (
    _dropped,
    _reordered,
    _words,
    _numbers,
    _hosts,
    _greeting,
    _buster,
)


# ---------------------------------------------------------------------------- the schemes


def digest(texts: list[str]) -> dict[str, Digests]:
    """Every scheme's digest of every text; says on stderr what each costs."""
    spent = {}
    start = time.process_time()
    sketches = sketch([seen(text) for text in texts])
    spent["sketch"] = time.process_time() - start
    start = time.process_time()
    trend = [tlsh.hash(text.encode()) for text in texts]
    spent["TLSH"] = time.process_time() - start
    start = time.process_time()
    fuzzy = [ppdeep.hash(text.encode()) for text in texts]
    spent["ssdeep (Python)"] = time.process_time() - start
    for name, seconds in spent.items():
        print(f"{name}: {seconds / len(texts) * 1e6:,.0f} us a text", file=sys.stderr)
    return {
        text: Digests(one.minhash, one.shingles >= MIN_SHINGLES, one.key, a, b)
        for text, one, a, b in zip(texts, sketches, trend, fuzzy, strict=True)
    }


def seen(text: str) -> Observation:
    """The text as a message's only content."""
    data = b"From: a@example.org\nContent-Type: text/plain; charset=utf-8\n\n" + text.encode()
    raw = RawMessage(hashlib.sha256(data).hexdigest(), "s", "spam", None, "", data)
    return observe(raw, parse(data), key=b"")


def scores(
    score: Callable[[Digests, Digests], float], digests: dict[str, Digests], pairs: list[tuple[str, str]]
) -> np.ndarray:
    """How alike a scheme says each pair is; higher is more alike."""
    return np.array([score(digests[one], digests[other]) for one, other in pairs], dtype=np.float64)


def by_sketch(one: Digests, other: Digests) -> float:
    """Estimated Jaccard similarity of sketches; texts that say too little are equal by key or not at all."""
    if one.comparable and other.comparable:
        return float(estimate(one.minhash, other.minhash))
    return float(bool(one.key) and one.key == other.key)


def by_tlsh(one: Digests, other: Digests) -> float:
    """300 less TLSH's distance; 0 where a text has no digest."""
    if "TNULL" in (one.tlsh, other.tlsh) or not one.tlsh or not other.tlsh:
        return 0.0
    return max(0.0, 300.0 - tlsh.diff(one.tlsh, other.tlsh))


def by_ssdeep(one: Digests, other: Digests) -> float:
    """Ssdeep's score, 0-100."""
    return float(ppdeep.compare(one.ssdeep, other.ssdeep))


SCHEMES = (
    ("Spamtide's sketch, Jaccard", by_sketch, (0.6, 0.45)),
    ("300 - TLSH distance", by_tlsh, (300 - 39, 300 - 99)),
    ("ssdeep", by_ssdeep, (1, 51)),
)
"""Name, score, thresholds: those in use or published. The best one for MOST_FALSE is added."""


if __name__ == "__main__":
    main()
