"""Times the clustering of a day of new mail against a year of campaigns.

    python benchmarks/clustering.py [NEW [STRAINS]]

The mail is made up: letters of words drawn with the frequencies of a language, each strain with words, an
order and a link of its own; each message of a strain spins a tenth of its words, greets somebody else and
links elsewhere. Two of five messages of the day are of strains that nobody saw before. Printed are the
seconds of each step of the stage `cluster` of an update; but for `profile` they run on one processor.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from spamtide.campaign import COLUMNS, CampaignState, cluster, no_profiles, profile, relate
from spamtide.engine import ENGINES, LocalEngine
from spamtide.ingest import crashed, examine, raw_batch
from spamtide.model import RawMessage
from spamtide.settings import Limits, Observing

NEW, STRAINS = 100_000, 20_000
VARIANTS = 9
"""Messages of each strain in the year before."""
LOTS = 6
"""Runs in which the year's mail came."""
VOCABULARY, SHORT = 30_000, 200
"""Words in all, and those of one syllable."""
BATCH = 500
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


def observed(engine: LocalEngine, which: list[tuple[int, int]], words: list[str]) -> pa.Table:
    """Observations of made-up mail."""
    stage = partial(examine, limits=Limits(), observing=Observing(), key=b"k")
    return pa.Table.from_batches(list(engine.map(stage, batches(which, words), crashed)))


def step(
    engine: LocalEngine, mail: pa.Table, state: CampaignState, profiles: pa.Table | None, counts: Counter[str]
) -> tuple[CampaignState, pa.Table, dict[str, float]]:
    """The stage `cluster` of an update: the state after, profiles, and seconds of each step."""
    seconds: dict[str, float] = {}
    began = time.perf_counter()
    done = cluster(mail, state)
    seconds["cluster"] = time.perf_counter() - began
    began = time.perf_counter()
    fresh = mail.filter(pc.is_in(mail["sha256"], done.state.exemplars["sha256"])).select(list(COLUMNS))
    found = pa.Table.from_batches(
        list(engine.map(profile, fresh.to_batches(max_chunksize=BATCH), no_profiles))
    )
    profiles = pa.concat_tables([profiles, found]) if profiles is not None else found
    profiles = profiles.filter(pc.is_in(profiles["sha256"], done.state.exemplars["sha256"]))
    seconds["profile"] = time.perf_counter() - began
    began = time.perf_counter()
    counts.update(done.memberships["campaign"].to_pylist())
    state = relate(done, state, profiles, counts)
    seconds["relate"] = time.perf_counter() - began
    return state, profiles, seconds


def main() -> None:
    """Build the year, then time the day."""
    new = int(sys.argv[1]) if len(sys.argv) > 1 else NEW
    strains = int(sys.argv[2]) if len(sys.argv) > 2 else STRAINS  # noqa: PLR2004
    words = vocabulary()
    with ENGINES["local"](0) as engine:
        year = [(strain, copy) for copy in range(VARIANTS) for strain in range(strains)]
        state, profiles, counts = CampaignState.empty(), None, Counter[str]()
        for lot in range(LOTS):
            mail = observed(engine, year[lot::LOTS], words)
            state, profiles, _ = step(engine, mail, state, profiles, counts)
            print(
                f"{mail.num_rows:,} messages of the year: {state.exemplars.num_rows:,} exemplars", flush=True
            )
        fresh = int(new * FRESH)
        day = [(at % strains, VARIANTS + at // strains) for at in range(new - fresh)]
        day += [(strains + at // FRESH_COPIES, at % FRESH_COPIES) for at in range(fresh)]
        mail = observed(engine, day, words)
        processor = time.process_time()
        state, _, seconds = step(engine, mail, state, profiles, counts)
        processor = time.process_time() - processor
    names = len(set(state.exemplars["campaign"].to_pylist()))
    print(f"a day of {mail.num_rows:,}: {state.exemplars.num_rows:,} exemplars, {names:,} campaigns")
    for name, value in seconds.items():
        print(f"  {name:8} {value:6.1f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"  {'all':8} {sum(seconds.values()):6.1f} s; {processor:.1f} s of one processor, {peak:.1f} GB")


if __name__ == "__main__":
    main()
