"""The record stage `match`: rules tried on new mail, alone or while it is read and clustered.

Clustering keeps one processor busy, and what rules say does not hang on campaigns: the few messages of a
usual update are matched meanwhile, and their campaigns put in afterwards. One look tells what rules say of
nearly all of them, which takes less than to send them to another process and back; that is left to those of
which YARA-X has to be asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from spamtide.attribution import Ruleset, match, sift
from spamtide.compiled import native
from spamtide.engine import ENGINES, LocalEngine, processors
from spamtide.schema import EVIDENCE, MEMBERSHIPS
from spamtide.store import Lake, evidence
from spamtide.store.lake import Files

MATCH_ROWS = 512
"""A worker's helping of renderings."""
COMMIT_ROWS = 100_000
"""Rows of one commit of hits."""
SIFT_ROWS = 4096
"""Observations that are looked at in one go."""
MOST_SIFTED = 50_000
"""Observations that are looked at by a thread beside clustering, without processes of their own: so many take
it half a second, where the processes would cost more than that."""
MOST_BESIDE = 200_000
"""Observations that are matched beside clustering at most: their evidence is held in memory."""

Hits = Future[list[pa.RecordBatch]]
"""Rows of EVIDENCE, their campaigns left out."""


@contextmanager
def beside(lake: Lake, ruleset: Ruleset, workers: int, new: evidence.Fresh) -> Iterator[Hits | None]:
    """Match new mail while the block runs, which must wait for it before it starts processes of its own.

    None where it is to be done later: the rules are others than those of the evidence, so that not only new
    mail is matched, or there is too much of it, or none.
    """
    if (
        lake.note("evidence").get("ruleset") != ruleset.version
        or isinstance(new.members, Files)
        or not 0 < evidence.count(lake, new) <= MOST_BESIDE
    ):
        yield None
        return
    alone = replace(new, members=MEMBERSHIPS.empty_table())
    if ruleset.sifting.always or native is None or evidence.count(lake, new) > MOST_SIFTED:
        with ENGINES["local"](_others(workers)) as engine, ThreadPoolExecutor(1, "match") as thread:
            yield thread.submit(lambda: list(_hits(engine, lake, ruleset, alone)))
        return
    hits: Hits = Future()

    def sift_new() -> tuple[list[pa.RecordBatch], list[pa.RecordBatch]]:
        done, left = _sifted(lake, ruleset, alone)
        if not left:
            hits.set_result(done)
        return done, left

    try:
        with ThreadPoolExecutor(1, "match") as thread:
            sifting = thread.submit(sift_new)
            yield hits
        done, left = sifting.result()
        if left:
            with ENGINES["local"](workers) as engine:
                done += engine.map(partial(match_batch, ruleset=ruleset), left, no_hits)
            hits.set_result(done)
    except BaseException as error:
        if not hits.done():  # whoever waits for them is not to wait for ever
            hits.set_exception(error)
        raise


def _sifted(
    lake: Lake, ruleset: Ruleset, new: evidence.Fresh
) -> tuple[list[pa.RecordBatch], list[pa.RecordBatch]]:
    """Rows of EVIDENCE of what one look tells all of; and, with their renderings, those left to YARA-X."""
    done, left = [], []
    for batch in evidence.unmatched(lake, new, SIFT_ROWS):
        rules = sift(batch.column("rendering").to_pylist(), ruleset)
        known = [one for one in rules if one is not None]
        if len(known) < len(rules):
            told = pa.array([one is not None for one in rules])
            left.append(batch.filter(pc.invert(told)))
            batch = batch.filter(told)  # noqa: PLW2901 - what is left of it
        done.append(_with_rules(batch, known))
    again = pa.Table.from_batches(left).combine_chunks() if left else EVIDENCE.empty_table()
    return done, again.to_batches(max_chunksize=MATCH_ROWS) if again.num_rows else []


def _others(workers: int) -> int:
    """Processes beside the one that clusters, which all wait for in the end."""
    return max(1, (workers or processors()) - 1)


def match_new(
    lake: Lake, ruleset: Ruleset, new: evidence.Fresh | None, hits: Hits | None, workers: int
) -> int:
    """Add to evidence what it lacks, all of it where the rules are others; the number of messages.

    Args:
        lake: the observatory's lake.
        ruleset: the rules.
        new: observations that may be new, if they are known.
        hits: what `beside` found.
        workers: processes.
    """
    note: dict[str, str | int | None] = {"ruleset": ruleset.version}
    if lake.note("evidence").get("ruleset") != ruleset.version:
        lake.replace("evidence", EVIDENCE.empty_table(), note)
        new = None
    new = new or evidence.fresh(lake)
    whole = note | {"observations": new.version}
    if hits is not None:
        found = pa.Table.from_batches(hits.result(), EVIDENCE).combine_chunks().to_batches()
        return _store(lake, (_with_campaigns(batch, new) for batch in found), note, whole)
    if not new.observations.paths:
        return _store(lake, (), note, whole)
    with ENGINES["local"](workers) as engine:
        return _store(lake, _hits(engine, lake, ruleset, new), note, whole)


def _hits(engine: LocalEngine, lake: Lake, ruleset: Ruleset, new: evidence.Fresh) -> Iterator[pa.RecordBatch]:
    """Rows of EVIDENCE of what has none."""
    return engine.map(
        partial(match_batch, ruleset=ruleset), evidence.unmatched(lake, new, MATCH_ROWS), no_hits
    )


def _with_campaigns(batch: pa.RecordBatch, new: evidence.Fresh) -> pa.RecordBatch:
    """Rows of EVIDENCE with the campaigns of their contents."""
    if not isinstance(
        new.members, pa.Table
    ):  # pragma: no cover - then all mail is new, and not matched beside
        raise TypeError
    place = pc.index_in(batch["sha256"], new.members["sha256"].combine_chunks())
    campaign = new.members["campaign"].combine_chunks().take(place)
    return batch.set_column(EVIDENCE.get_field_index("campaign"), EVIDENCE.field("campaign"), campaign)


def _store(
    lake: Lake,
    found: Iterable[pa.RecordBatch],
    note: dict[str, str | int | None],
    whole: dict[str, str | int | None],
) -> int:
    """Append rows of EVIDENCE under a note, and the last of them under that which ends it; their number."""
    stored = 0
    last: pa.Table | None = None
    for lot in _lots(found, COMMIT_ROWS):
        if last is not None:
            lake.append("evidence", last, note)
        last = lot.sort_by("week")
        stored += last.num_rows
    if last is not None or lake.note("evidence") != whole:
        lake.append("evidence", EVIDENCE.empty_table() if last is None else last, whole)
    return stored


def match_batch(batch: pa.RecordBatch, *, ruleset: Ruleset) -> pa.RecordBatch:
    """EVIDENCE with a rendering for rules, to rows of EVIDENCE."""
    return _with_rules(batch, match(batch.column("rendering").to_pylist(), ruleset))


def no_hits(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Rows of EVIDENCE for renderings whose worker died: no rule speaks."""
    return _with_rules(batch, [[]] * batch.num_rows)


def _with_rules(batch: pa.RecordBatch, rules: Sequence[Sequence[str]]) -> pa.RecordBatch:
    """Put rules in the rendering's place."""
    columns = [batch.column(name) for name in EVIDENCE.names[:-1]]
    columns.append(pa.array(rules, EVIDENCE.field("rules").type))
    return pa.RecordBatch.from_arrays(columns, schema=EVIDENCE)


def _lots(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Join batches into tables of about `rows` rows."""
    lot: list[pa.RecordBatch] = []
    for batch in batches:
        lot.append(batch)
        if sum(b.num_rows for b in lot) >= rows:
            yield pa.Table.from_batches(lot)
            lot = []
    if lot:
        yield pa.Table.from_batches(lot)
