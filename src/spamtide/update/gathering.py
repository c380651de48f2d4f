"""New mail gathered into campaigns: what the stage `cluster` of an update reads, does and writes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib import import_module

import pyarrow as pa
import pyarrow.compute as pc

from spamtide.campaign import (
    COLUMNS,
    CampaignState,
    Clustering,
    cluster,
    no_profiles,
    profile,
    relate,
    resolve,
)
from spamtide.engine import ENGINES, Apart
from spamtide.schema import EXEMPLARS, LINEAGE, PROFILES
from spamtide.store import Lake, evidence, rollup

PROFILE_ROWS = 512
"""A worker's helping of renderings."""
PROFILED_ALONE = 4096
"""New exemplars that this process reads by itself: processes take as long to begin."""
LOADED = ("scipy.sparse", "scipy.special")
"""Modules that later work needs, loaded while compiled code leaves the interpreter free."""
TOLD = 1.0
"""Seconds from which a step is told of."""

Hits = Future[list[pa.RecordBatch]] | None
"""What comes of other work on the same mail; see `matching`."""
Meanwhile = Callable[[evidence.Fresh], AbstractContextManager[Hits]]
"""Begins it."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What became of the contents that had no campaign yet."""

    contents: int
    names: dict[str, str]
    """Absorbed campaign name -> surviving name."""
    fresh: evidence.Fresh
    """Observations that may have no evidence yet, with their campaigns."""
    seconds: dict[str, float]
    """Of each step, in order: read, cluster, profile, relate, write."""
    hits: Hits
    """What the work came to that was done meanwhile."""

    def told(self) -> str:
        """One line for a person, with the steps that took long."""
        long = [f"{step} {took:.1f} s" for step, took in self.seconds.items() if took >= TOLD]
        return f"{self.contents:,} new contents" + (f": {', '.join(long)}" if long else "")


class _Clock:
    """Seconds of one step after another."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._began = time.perf_counter()

    def ended(self, step: str) -> None:
        """Whatever was done since the last step ended, was this one."""
        now = time.perf_counter()
        self.seconds[step] = now - self._began
        self._began = now


def gather(
    lake: Lake, similarity: float, workers: int, meanwhile: Meanwhile = lambda _: nullcontext()
) -> Gathered:
    """Give every new content a campaign; names are carried, never re-derived.

    Args:
        lake: the tables; exemplars, profiles, lineage and memberships are written.
        similarity: as `cluster` takes it.
        workers: number of processes; 0 means one for each processor.
        meanwhile: what is to be done with the same mail while one process reads and clusters.
    """
    clock = _Clock()
    fresh = evidence.incoming(lake)
    clustering: Clustering | None = None
    with meanwhile(fresh) as hits, ThreadPoolExecutor(2, "load") as loading:
        reading = loading.submit(lambda: CampaignState(lake.read("exemplars"), lake.read("lineage")))
        counting = loading.submit(rollup.contents_by_name, lake)
        # Relating and measuring need these, which take as long to load as clustering takes.
        for name in LOADED:
            loading.submit(import_module, name)
        fresh = evidence.known(lake, fresh)
        new = evidence.unclustered(lake, fresh)
        state = reading.result()
        if new.num_rows:
            counts = Counter(counting.result())
        clock.ended("read")
        if new.num_rows:
            clustering = cluster(new, state, similarity=similarity, messages=counts)
    if clustering is not None:
        clock.ended("cluster")
        profiles = _profiles(lake, clustering.state.exemplars, fresh, workers)
        clock.ended("profile")
        counts.update(clustering.memberships["campaign"].to_pylist())
        state = relate(clustering, state, profiles, counts, Apart(workers))
        clock.ended("relate")
        lake.replace("lineage", state.lineage.cast(LINEAGE))
        lake.replace("exemplars", state.exemplars.cast(EXEMPLARS))
        if state.exemplars.num_rows < clustering.state.exemplars.num_rows:
            profiles = _of(profiles, state.exemplars["sha256"])
        lake.replace("profiles", profiles)
        lake.append("memberships", clustering.memberships)
        fresh = evidence.with_members(lake, fresh, clustering.memberships)
        clock.ended("write")
    return Gathered(new.num_rows, resolve(state.lineage), fresh, clock.seconds, hits)


def _profiles(lake: Lake, exemplars: pa.Table, fresh: evidence.Fresh, workers: int) -> pa.Table:
    """What each exemplar talks about: known ones from the lake, new ones from their renderings.

    New exemplars are of new mail as a rule; older observations are read only for those that are not.
    """
    known = _of(lake.read("profiles"), exemplars["sha256"])
    for files in (fresh.observations, None):
        wanted = exemplars.select(["sha256"])
        wanted = wanted.filter(pc.invert(pc.is_in(wanted["sha256"], known["sha256"])))
        if not wanted.num_rows:
            break
        batches = rollup.shown(lake, wanted, COLUMNS, PROFILE_ROWS, files)
        if wanted.num_rows <= PROFILED_ALONE:
            found = [profile(batch) for batch in batches]
        else:
            with ENGINES["local"](workers) as engine:
                found = list(engine.map(profile, batches, no_profiles))
        known = pa.concat_tables([known, pa.Table.from_batches(found, PROFILES)])
    return known


def _of(profiles: pa.Table, hashes: pa.ChunkedArray) -> pa.Table:
    """The profiles of some contents."""
    return profiles.filter(pc.is_in(profiles["sha256"], hashes))
