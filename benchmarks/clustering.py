"""Times the clustering of a day of new mail against a year of campaigns.

    python benchmarks/clustering.py [NEW [STRAINS]]

The mail is made up: letters of words drawn with the frequencies of a language, each strain with words, an
order and a link of its own; each message of a strain spins a tenth of its words, greets somebody else and
links elsewhere. Two of five messages of the day are of strains that nobody saw before. Printed are the
seconds of each step of the stage `cluster` of an update, as the stage tells them, with what it reads from
the lake and writes to it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import random
import resource
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa

from spamtide.engine import ENGINES
from spamtide.ingest.examining import crashed, examine
from spamtide.model import RawMessage
from spamtide.observatory import init_observatory
from spamtide.rows import raw_batch
from spamtide.schema import EVIDENCE, OBSERVATIONS
from spamtide.settings import Clustering, Limits, Observing
from spamtide.store import Lake
from spamtide.update.gathering import Gathered, gather

NEW, STRAINS = 100_000, 20_000
VARIANTS = 9
"""Messages of each strain in the year before."""
LOTS = 6
"""Runs in which the year's mail came."""
VOCABULARY, SHORT = 30_000, 200
"""Words in all, and those of one syllable."""
BATCH = 500
COMMIT = 8
"""Batches of one commit, as many as an ingest's."""
FRESH = 0.4
"""Share of the day's mail that is of new strains."""
FRESH_COPIES = 8


def vocabulary() -> list[str]:
    """Words of syllables, the frequent ones short."""
    rng = random.Random(1)  # noqa: S311 - repeatable
    syllables = [a + b for a in "bcdfghklmnprstvw" for b in "aeiou"]
    return [
        "".join(rng.choice(syllables) for _ in range(1 + (at >= SHORT) + at // 6000))
        for at in range(VOCABULARY)
    ]


def letter(strain: int, copy: int, words: list[str]) -> bytes:
    """One message of a strain."""
    own, spun = random.Random(strain), random.Random(f"{strain}/{copy}")  # noqa: S311 - repeatable
    text = [words[int(VOCABULARY ** own.random()) - 1] for _ in range(own.randint(50, 150))]
    text = [words[spun.randrange(VOCABULARY)] if spun.random() < 0.1 else word for word in text]  # noqa: PLR2004
    lines = [" ".join(text[at : at + 12]) for at in range(0, len(text), 12)]
    host = f"{spun.choice(words)}{spun.randrange(99)}.example"
    at = dt.datetime(2010, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=strain % 8000)
    return (
        f"Received: from x ([198.51.100.{copy % 250}]) by mx.trap.example; {at:%a, %d %b %Y %H:%M:%S} +0000\n"
        f"Subject: {' '.join(text[:5])}\nFrom: a@{host}\nTo: b@trap.example\n\nDear {spun.choice(words)},\n"
        + "\n".join(lines)
        + f"\nhttp://{host}/{own.choice(words)}/{spun.randrange(10**6)}\n"
    ).encode()


def batches(which: list[tuple[int, int]], words: list[str]) -> Iterator[pa.RecordBatch]:
    """Raw mail of (strain, copy)."""
    now = dt.datetime.now(dt.UTC)
    for start in range(0, len(which), BATCH):
        raws = []
        for strain, copy in which[start : start + BATCH]:
            data = letter(strain, copy, words)
            raws.append(RawMessage(hashlib.sha256(data).hexdigest(), "trap", "spam", None, "made", data))
        yield raw_batch(raws, now, "made")


def observe(lake: Lake, which: list[tuple[int, int]], words: list[str]) -> int:
    """Put observations of made-up mail into the lake, as an ingest does; how many."""
    stage, rows = partial(examine, limits=Limits(), observing=Observing(), key=b"k"), 0
    with ENGINES["local"](0) as engine:
        lot: list[pa.RecordBatch] = []
        for batch in engine.map(stage, batches(which, words), crashed):
            lot.append(batch.select(OBSERVATIONS.names))
            if len(lot) == COMMIT:
                rows += commit(lake, lot)
        return rows + commit(lake, lot)


def commit(lake: Lake, lot: list[pa.RecordBatch]) -> int:
    """Append a lot, and empty it."""
    table = pa.Table.from_batches(lot, OBSERVATIONS)
    lake.append("observations", table)
    lot.clear()
    return int(table.num_rows)


def gather_new(lake: Lake) -> Gathered:
    """The stage `cluster` of an update, and the word of the stage after it that it has seen this mail."""
    gathered = gather(lake, Clustering().similarity, 0)
    lake.append("evidence", EVIDENCE.empty_table(), {"observations": gathered.fresh.version})
    return gathered


def processor() -> float:
    """Processor seconds of this process and of its workers that have ended."""
    own, workers = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + workers.ru_utime + workers.ru_stime


def main() -> None:
    """Build the year, then time the day."""
    new = int(sys.argv[1]) if len(sys.argv) > 1 else NEW
    strains = int(sys.argv[2]) if len(sys.argv) > 2 else STRAINS  # noqa: PLR2004
    words = vocabulary()
    with tempfile.TemporaryDirectory() as folder:
        lake = init_observatory(Path(folder)).lake
        year = [(strain, copy) for copy in range(VARIANTS) for strain in range(strains)]
        for lot in range(LOTS):
            rows = observe(lake, year[lot::LOTS], words)
            gathered = gather_new(lake)
            exemplars = lake.read("exemplars").num_rows
            print(f"{rows:,} messages of the year: {exemplars:,} exemplars; {gathered.told()}", flush=True)
        fresh = int(new * FRESH)
        day = [(at % strains, VARIANTS + at // strains) for at in range(new - fresh)]
        day += [(strains + at // FRESH_COPIES, at % FRESH_COPIES) for at in range(fresh)]
        rows = observe(lake, day, words)
        began = processor()
        gathered = gather_new(lake)
        spent = processor() - began
        exemplars = lake.read("exemplars")
    names = len(set(exemplars["campaign"].to_pylist()))
    print(f"a day of {rows:,}: {exemplars.num_rows:,} exemplars of {names:,} strains")
    for name, value in gathered.seconds.items():
        print(f"  {name:8} {value:6.1f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"  {'all':8} {sum(gathered.seconds.values()):6.1f} s; {spent:.1f} s of processors, {peak:.1f} GB")


if __name__ == "__main__":
    main()
