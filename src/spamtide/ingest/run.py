"""Collect, examine and commit what is new in the sources.

Raw mail is committed first, its observations second. What a killed run left without observations is found
by key at the next run and worked off before anything new; so any run may die at any moment.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from spamtide.collector import collect
from spamtide.engine import ENGINES, LocalEngine
from spamtide.errors import SpamtideError
from spamtide.ingest.examining import crashed, examine, warm
from spamtide.model import Label, RawMessage, Unreadable
from spamtide.observatory import Observatory
from spamtide.rows import raw_batch
from spamtide.schema import QUARANTINE, RAW
from spamtide.store import KnownKeys, Lake, writer_lock
from spamtide.version import VERSION

BATCH_ROWS, BATCH_BYTES = 256, 2 * 2**20
"""A worker's helping."""
COMMIT_ROWS, COMMIT_BYTES = 4096, 32 * 2**20
"""One commit to the lake."""
LAST_ROWS = 1024
"""Rows for which, when the sources are read, a commit of their own pays."""
MAX_UNREADABLE = 256
"""Things without a message that are held before they are written."""
HEAD_BYTES = 64 * 2**10
SKIPPED = "not-mail"
"""Reason of things that are no mail at all: counted apart, stored nowhere."""

OnProgress = Callable[["IngestSummary"], None]


@dataclass(frozen=True, slots=True)
class Source:
    """What `ingest` is asked to read."""

    paths: tuple[str, ...]
    sensor: str | None = None
    label: Label = "spam"
    lab: str | None = None
    members: str | None = None
    stdin: BinaryIO | None = None


@dataclass(slots=True)
class IngestSummary:
    """Counts of one run; stored + known + quarantined is every message that was met."""

    stored: int = 0
    taken: int = 0
    """Messages that were read and examined, whether or not they are committed yet."""
    known: int = 0
    recovered: int = 0
    """Messages that an earlier, interrupted run had left unseen; of a retry, those that work."""
    retried: int = 0
    """Quarantined messages that were tried again."""
    quarantined: Counter[str] = field(default_factory=Counter)
    """Reason -> messages."""
    skipped: int = 0
    """Files that are no mail."""
    bytes_read: int = 0
    """Bytes of the sources, compressed as they are."""
    seconds: float = 0.0
    fault: SpamtideError | None = None
    """What was wrong with a source; everything readable was stored all the same."""


def ingest(
    observatory: Observatory, source: Source, on_progress: OnProgress = lambda _: None
) -> IngestSummary:
    """Read sources into the lake; the same again stores nothing.

    Args:
        observatory: where to.
        source: what to read, and what it is.
        on_progress: called now and then with the counts so far.

    Raises:
        NoInputError: a path is missing (before anything is read).
        TryAgainError: the disk is full or another run holds the observatory; what was committed stays.
    """
    started = time.monotonic()
    warm(observatory.settings.observing)
    engine = ENGINES["local"](observatory.settings.running.workers)
    with engine, writer_lock(observatory.directory / "lake"):
        run = _Run(observatory, engine, on_progress)
        run.recover()
        run.take(source)
        summary = run.summary
    summary.seconds = time.monotonic() - started
    return summary


class _Run:
    """The state of one ingest."""

    def __init__(self, observatory: Observatory, engine: LocalEngine, on_progress: OnProgress) -> None:
        self.lake: Lake = observatory.lake
        self.engine = engine
        self.on_progress = on_progress
        self.summary = IngestSummary()
        self.limits = observatory.settings.limits
        self.collected_at = dt.datetime.now(dt.UTC)
        self.known = KnownKeys()
        self.writing = threading.Lock()
        self.refused: set[tuple[str, str]] = set()
        self.drained = False
        """The sources are read, and what was done until then is not yet written."""
        self.examine = partial(
            examine,
            limits=self.limits,
            observing=observatory.settings.observing,
            key=observatory.recipient_key(),
        )

    # -- before

    def recover(self) -> None:
        """Load the known keys, and observe raw mail that an interrupted run left behind."""
        raw = self.lake.read("raw", ["sha256", "sensor"])
        refused = self.lake.read("quarantine", ["sha256", "sensor"])
        self.refused = set(zip(refused["sha256"].to_pylist(), refused["sensor"].to_pylist(), strict=True))
        seen = self.lake.read("observations", ["sha256", "sensor"])
        self.known.load(seen["sha256"], seen["sensor"])  # raw mail past its retention is known by these alone
        observed = len(self.known)
        self.known.load(raw["sha256"], raw["sensor"])
        if len(self.known) == observed:
            return
        for examined in self.examine_stored(_UNSEEN):
            self._commit([], [examined])
            self.summary.recovered += examined.num_rows

    def examine_stored(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Examine raw mail that the lake holds, a few batches at a time."""
        stored = (batch.cast(RAW) for batch in self.lake.stream(sql, BATCH_ROWS) if batch.num_rows)
        yield from self.engine.map(self.examine, stored, crashed)

    # -- during

    def take(self, source: Source) -> None:
        """Collect, examine and commit everything new in the sources."""
        raws: list[pa.RecordBatch] = []
        done: list[pa.RecordBatch] = []
        pending: list[pa.RecordBatch] = []
        rows = size = 0
        writing: Future[None] | None = None
        with ThreadPoolExecutor(1, "commit") as writer:
            for examined in self.engine.map(self.examine, self._batches(source, pending), crashed):
                raws.append(pending.pop(0))
                done.append(examined)
                rows, size = rows + examined.num_rows, size + raws[-1].nbytes
                self.summary.taken += examined.num_rows
                # Once the sources are read, what is done is written while the workers finish the rest.
                last = self.drained and rows >= LAST_ROWS
                if last or rows >= COMMIT_ROWS or size >= COMMIT_BYTES:
                    self.drained = False
                    if writing is not None:
                        writing.result()
                    writing = writer.submit(self._commit, raws, done)
                    raws, done, rows, size = [], [], 0, 0
                self.on_progress(self.summary)
            if writing is not None:
                writing.result()
            self._commit(raws, done)
        for table in ("raw", "observations", "quarantine"):
            self.lake.compact(table)
        self.on_progress(self.summary)

    def _batches(self, source: Source, pending: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Batches of messages that the lake does not hold; each is also put at the end of `pending`."""
        fresh: list[RawMessage] = []
        size = 0
        for raw in self._fresh(source):
            fresh.append(raw)
            size += len(raw.data)
            if len(fresh) >= BATCH_ROWS or size >= BATCH_BYTES:
                pending.append(self._batch(fresh))
                yield pending[-1]
                fresh, size = [], 0
        self.drained = True
        if fresh:
            pending.append(self._batch(fresh))
            yield pending[-1]

    def _batch(self, fresh: Sequence[RawMessage]) -> pa.RecordBatch:
        """One RAW batch; its name is its first message's."""
        return raw_batch(fresh, self.collected_at, fresh[0].sha256[:16])

    def _fresh(self, source: Source) -> Iterator[RawMessage]:
        """Messages that are new; counts what is known, refused or no mail."""
        unreadable: list[Unreadable] = []
        for item in self._collected(source):
            if isinstance(item, RawMessage):
                if self._is_new(item):
                    yield item
                else:
                    self.summary.known += 1
                    if not self.summary.known % 1000:
                        self.on_progress(self.summary)
            elif item.reason == SKIPPED:
                self.summary.skipped += 1
            else:
                self.summary.quarantined[item.reason] += 1
                unreadable.append(item)
                if len(unreadable) >= MAX_UNREADABLE:
                    self._quarantine_unreadable(unreadable)
                    unreadable.clear()
        self._quarantine_unreadable(unreadable)

    def _is_new(self, raw: RawMessage) -> bool:
        """Whether the lake holds it neither as it is nor as an older Spamtide stored it."""
        if raw.as_read and self.known.holds(raw.sensor, raw.as_read):
            return False
        return self.known.add(raw.sensor, raw.sha256)

    def _collected(self, source: Source) -> Iterator[RawMessage | Unreadable]:
        """The collector's stream; a fault of a source is kept for the end."""

        def on_bytes(count: int) -> None:
            self.summary.bytes_read += count

        try:
            yield from collect(
                source.paths,
                sensor=source.sensor,
                label=source.label,
                lab=source.lab,
                members=source.members,
                limits=self.limits,
                stdin=source.stdin,
                on_bytes=on_bytes,
            )
        except SpamtideError as error:
            self.summary.fault = error

    # -- commits

    def _commit(self, raws: Sequence[pa.RecordBatch], done: Sequence[pa.RecordBatch]) -> None:
        """Raw mail first, then quarantine, then observations: the order that recovery relies on."""
        with self.writing:
            self._commit_locked(raws, done)

    def _commit_locked(self, raws: Sequence[pa.RecordBatch], done: Sequence[pa.RecordBatch]) -> None:
        """As `_commit`, with the lock held."""
        if raws:
            self.lake.append("raw", pa.Table.from_batches(raws))
        if not done:
            return
        examined = pa.Table.from_batches(done)
        if examined["failure"].null_count < examined.num_rows:  # hardly ever; a filter copies all of it
            bad = pc.is_valid(examined["failure"])
            self._quarantine_failed(examined.filter(bad))
            examined = examined.filter(pc.invert(bad))
        good = examined.drop_columns(["failure", "failure_detail"])
        self.lake.append("observations", good)
        if raws:
            self.summary.stored += good.num_rows

    def _quarantine_failed(self, failed: pa.Table) -> None:
        """Write messages that a stage could not process; their bytes are in the raw table."""
        rows = []
        for row in failed.select(
            ["sha256", "sensor", "source", "size", "failure", "failure_detail"]
        ).to_pylist():
            self.summary.quarantined[row["failure"]] += 1
            rows.append(
                {
                    "sha256": row["sha256"],
                    "sensor": row["sensor"],
                    "source": row["source"],
                    "stage": "examine",
                    "reason": row["failure"],
                    "detail": row["failure_detail"],
                    "size": row["size"],
                    "version": VERSION,
                    "head": b"",
                }
            )
        self.lake.append("quarantine", pa.Table.from_pylist(rows, schema=QUARANTINE))

    def _quarantine_unreadable(self, unreadable: Iterable[Unreadable]) -> None:
        """Write what the collector could not make a message of, once."""
        rows = []
        for item in unreadable:
            if (item.sha256, item.sensor) in self.refused:
                continue
            self.refused.add((item.sha256, item.sensor))
            rows.append(
                {
                    "sha256": item.sha256,
                    "sensor": item.sensor,
                    "source": item.source,
                    "stage": "collect",
                    "reason": item.reason,
                    "detail": item.detail,
                    "size": item.size,
                    "version": VERSION,
                    "head": item.data[:HEAD_BYTES],
                }
            )
        if rows:
            with self.writing:
                self.lake.append("quarantine", pa.Table.from_pylist(rows, schema=QUARANTINE))


def retry(observatory: Observatory) -> IngestSummary:
    """Examine once more what an earlier version quarantined; what works now leaves the quarantine."""
    with (
        ENGINES["local"](observatory.settings.running.workers) as engine,
        writer_lock(observatory.directory / "lake"),
    ):
        run = _Run(observatory, engine, lambda _: None)
        lake = observatory.lake
        for examined in run.examine_stored(_REFUSED):
            good = examined.filter(pc.is_null(examined.column("failure")))
            columns = pa.Table.from_batches([good]).drop_columns(["failure", "failure_detail"])
            lake.append("observations", columns)
            run.summary.retried += examined.num_rows
            run.summary.recovered += good.num_rows
        left = lake.query("""
                SELECT q.* FROM quarantine q
                ANTI JOIN observations o ON o.sha256 = q.sha256 AND o.sensor = q.sensor
            """)
        lake.replace("quarantine", left.cast(QUARANTINE))
        return run.summary


_UNSEEN = """
    SELECT r.* FROM raw r
    ANTI JOIN observations o ON o.sha256 = r.sha256 AND o.sensor = r.sensor
    ANTI JOIN quarantine q ON q.sha256 = r.sha256 AND q.sensor = r.sensor
"""
"""Raw mail that an interrupted run left without observations."""
_REFUSED = """
    SELECT r.* FROM raw r
    SEMI JOIN quarantine q ON q.sha256 = r.sha256 AND q.sensor = r.sensor
    ANTI JOIN observations o ON o.sha256 = r.sha256 AND o.sensor = r.sensor
"""
"""Raw mail that a stage could not process."""
