"""Near-duplicate bodies: sketches beside TLSH and ssdeep, and the whole path, at equal false alarms.

    python benchmarks/near_duplicates.py [--pairs 8766] [--different 55822]

Wants the extra `bench` (py-tlsh; ppdeep is ssdeep in pure Python). The protocol is Oliver, Cheng and Chen's
(CTC 2013): pairs that are variants of one another and pairs that are not, and of each scheme the share of
either that it takes for variants. The bodies are real: the spam of CSDMC 2010, phishing-pot, SpamAssassin and
the advance-fee letters (SPAMTIDE_CORPORA). A similar pair is two mutations of one body, drawn with a fixed
seed from what spammers do (names, numbers, hosts, hash-busters at either end, a word in eight replaced, a
sentence dropped, sentences in another order). A different pair is two bodies that share no near-duplicate by
a test that no scheme uses: fewer than a quarter of their word triples in common.

The last rows are what the program does, setting and all: `cluster` alone, and `cluster` with `relate`. The
similar pairs are put among the other bodies, those of LOT bodies at a time and one of each, and a
pair is found if both have one campaign. For the different pairs all bodies are clustered at once, so that a
chain of others may join two. A hard pair is each body with the HARDEST others that are most like it in
words (cosine, rare words weigh more) and still share less than a quarter of its triples: letters of one kind,
and of one sender, who may well have sent both in one campaign.
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
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import ppdeep
import pyarrow as pa
import scipy.sparse as sp
import tlsh

from spamtide.campaign import COLUMNS, CampaignState, cluster, profile, relate, resolve, sketch
from spamtide.campaign.similarity import MIN_SHINGLES, estimate
from spamtide.message import parse
from spamtide.model import Observation, RawMessage
from spamtide.observation import observe
from spamtide.schema import EXEMPLARS, OBSERVATIONS

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
LOT = 400
"""Similar pairs that lie among the other bodies at once."""
HARDEST = 3
"""Bodies most like each one in words, of those that share few triples with it."""
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
    sources = [dice.randrange(len(bodies)) for _ in range(asked.pairs)]
    similar = [mutated_pair(bodies[source], dice) for source in sources]
    different = list(different_pairs(bodies, asked.different, dice))
    hard = hard_pairs(bodies)
    texts = sorted({text for pair in similar + different + hard for text in pair})
    digests = digest(texts)
    print("| scheme, threshold | similar found | different taken for similar | hard pairs likewise |")
    print("|---|---|---|---|")
    for name, score, thresholds in SCHEMES:
        found, wrong, harder = (scores(score, digests, pairs) for pairs in (similar, different, hard))
        for threshold in (*thresholds, best(wrong)):
            reached = [own >= threshold for own in (found, wrong, harder)]
            print(row(f"{name} >= {threshold:g}", *reached), flush=True)
    for name, related in (("`cluster` as it is set", False), ("`cluster` and `relate`", True)):
        whole = campaigns([one.text for one in bodies], related=related)
        reached = [np.array([whole[a] == whole[b] for a, b in pairs]) for pairs in (different, hard)]
        print(row(name, found_among(similar, sources, bodies, related=related), *reached), flush=True)


def row(name: str, found: np.ndarray, wrong: np.ndarray, hard: np.ndarray) -> str:
    """One row of the table."""
    cells = [
        f"{own.mean():.{places}%} ({int(own.sum()):,} of {own.size:,})"
        for own, places in ((found, 1), (wrong, 4), (hard, 1))
    ]
    return f"| {name} | {' | '.join(cells)} |"


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


def hard_pairs(bodies: list[Body]) -> list[tuple[str, str]]:
    """Each body with the HARDEST most like it in words that share less than a quarter of its word triples."""
    names: dict[str, int] = {}
    rows = [
        sorted({names.setdefault(word, len(names)) for word in one.text.lower().split()}) for one in bodies
    ]
    matrix = sp.csr_matrix(
        (np.ones(sum(map(len, rows))), np.concatenate(rows), np.cumsum([0, *map(len, rows)])),
        shape=(len(bodies), len(names)),
    )
    weighed = matrix @ sp.diags(np.log(len(bodies) / np.asarray(matrix.sum(axis=0)).ravel()))
    length = np.sqrt(np.asarray(weighed.multiply(weighed).sum(axis=1)).ravel())
    unit = (sp.diags(1 / np.maximum(length, 1e-9)) @ weighed).tocsr()
    found = set()
    for number, body in enumerate(bodies):
        likeness = np.asarray((unit @ unit[number].T).todense()).ravel()
        likeness[number] = -1.0
        taken = 0
        for other in np.argsort(-likeness, kind="stable").tolist():
            theirs = bodies[other].triples
            if 4 * len(body.triples & theirs) < min(len(body.triples), len(theirs)):
                found.add((min(number, other), max(number, other)))
                taken += 1
                if taken == HARDEST:
                    break
    return [(bodies[one].text, bodies[other].text) for one, other in sorted(found)]


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


# ---------------------------------------------------------------------------- the program itself


def campaigns(texts: list[str], *, related: bool) -> dict[str, str]:
    """The campaign of each text when they come at once, by `cluster` alone or with `relate`."""
    one_each = {one.sha256: one for one in map(seen, texts)}
    observations = list(one_each.values())
    sketches = sketch(observations)
    columns = {
        "sha256": [one.sha256 for one in sketches],
        "received_at": [None] * len(sketches),
        "minhash": [one.minhash.astype("<u4").tobytes() for one in sketches],
        "shingles": [one.shingles for one in sketches],
        "sketch_key": [one.key for one in sketches],
    }
    new = pa.table({name: pa.array(own, EXEMPLARS.field(name).type) for name, own in columns.items()})
    done = cluster(new, CampaignState.empty())
    given = dict(zip(*(done.memberships[name].to_pylist() for name in ("sha256", "campaign")), strict=True))
    if related:
        shown = {
            name: pa.array([getattr(one, name) for one in observations], OBSERVATIONS.field(name).type)
            for name in COLUMNS
        }
        profiles = pa.Table.from_batches([profile(pa.RecordBatch.from_pydict(shown))])
        state = relate(done, CampaignState.empty(), profiles, Counter(given.values()))
        now = resolve(state.lineage)
        given = {sha256: now.get(name, name) for sha256, name in given.items()}
    return {text: given[seen(text).sha256] for text in texts}


def found_among(
    similar: list[tuple[str, str]], sources: list[int], bodies: list[Body], *, related: bool
) -> np.ndarray:
    """Which similar pairs have one campaign, among the bodies that they are not of."""
    found = np.zeros(len(similar), dtype=np.bool_)
    left = list(range(len(similar)))
    while left:
        taken: dict[int, int] = {}
        for number in left:
            if len(taken) < LOT:
                taken.setdefault(sources[number], number)
        chosen = set(taken.values())
        left = [number for number in left if number not in chosen]
        others = [one.text for number, one in enumerate(bodies) if number not in taken]
        names = campaigns(
            [*others, *(text for number in chosen for text in similar[number])], related=related
        )
        for number in chosen:
            one, other = similar[number]
            found[number] = names[one] == names[other]
    return found


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
