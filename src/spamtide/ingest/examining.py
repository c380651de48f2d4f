"""The record stage of `ingest`: parse, observe and sketch each message of a batch, or say why not."""

from __future__ import annotations

import datetime as dt
import gc
import math
import signal
import threading
import time
from collections.abc import Sequence
from types import FrameType
from typing import Any

import pyarrow as pa

from spamtide.campaign import sketch
from spamtide.message import parse
from spamtide.model import Observation, RawMessage, Sketch
from spamtide.observation import observe
from spamtide.rows import raw_batch, raw_messages, to_arrow
from spamtide.schema import OBSERVATIONS
from spamtide.settings import Limits, Observing

FAILURE_REASONS: dict[str, str] = {
    "too-slow": "took longer than limits.seconds",
    "crashed": "its worker process died or hung",
    "error": "a stage raised an error; a defect of Spamtide",
}
"""Why the per-record stages quarantine a message; the collector's own reasons are collector.REASONS."""

EXAMINED = OBSERVATIONS.append(pa.field("failure", pa.string())).append(
    pa.field("failure_detail", pa.string())
)


class _TooSlowError(BaseException):
    """Raised by the watchdog; no stage may swallow it, hence BaseException."""


TICKS = 10
"""Looks at the clock in the time that one message may take. To set an alarm for each message costs more."""
_due = math.inf
"""When the message at hand must be done, in processor time: a busy machine costs no message."""


def _ring(_signal: int, _frame: FrameType | None) -> None:
    """SIGPROF handler."""
    if time.thread_time() > _due:
        raise _TooSlowError


def examine(batch: pa.RecordBatch, *, limits: Limits, observing: Observing, key: bytes) -> pa.RecordBatch:
    """Parse, observe and sketch each message of a RAW batch; a row of EXAMINED each, in order. Pure."""
    watched = threading.current_thread() is threading.main_thread()
    if watched:
        signal.signal(signal.SIGPROF, _ring)
        signal.setitimer(signal.ITIMER_PROF, limits.seconds / TICKS, limits.seconds / TICKS)
    observations: list[Observation] = []
    failures: list[tuple[str | None, str | None]] = []
    collecting = gc.isenabled()
    gc.disable()  # a batch leaves next to no cycles; walking its thousands of live records costs a tenth
    try:
        for raw in raw_messages(batch):
            observation, failure = _examine_one(raw, limits, observing, key)
            observations.append(observation)
            failures.append(failure)
        return _examined(observations, failures)
    finally:
        if watched:
            signal.setitimer(signal.ITIMER_PROF, 0)
        if collecting:
            gc.enable()


def warm(observing: Observing) -> None:
    """Load what the first message loads (the public suffix list), once, before workers are forked."""
    message = b"From: a@example.com\nTo: b@example.com\n\nhttp://www.example.com/\n"
    raw = RawMessage("0" * 64, "warm", "spam", None, "warm", message)
    examine(raw_batch([raw], dt.datetime.now(dt.UTC), ""), limits=Limits(), observing=observing, key=b"")


def _examine_one(
    raw: RawMessage, limits: Limits, observing: Observing, key: bytes
) -> tuple[Observation, tuple[str | None, str | None]]:
    """One message's observation, or a blank and the reason."""
    global _due  # noqa: PLW0603 - what a signal's handler sees of the work that it interrupts
    try:
        try:
            _due = time.thread_time() + limits.seconds
            return observe(raw, parse(raw.data, limits), observing=observing, key=key), (None, None)
        finally:
            _due = math.inf
    except _TooSlowError:
        return _blank(raw), ("too-slow", f"over {limits.seconds} s for {len(raw.data)} bytes")
    except Exception as error:  # noqa: BLE001 - one bad message never stops a run; it is quarantined
        return _blank(raw), ("error", f"{type(error).__name__}: {error}"[:500])


def crashed(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The row of a message whose worker died."""
    blanks = [_blank(raw) for raw in raw_messages(batch)]
    return _examined(blanks, [("crashed", FAILURE_REASONS["crashed"])] * len(blanks))


def observation_rows(observations: Sequence[Observation], sketches: Sequence[Sketch]) -> pa.RecordBatch:
    """Observations and their sketches as rows of OBSERVATIONS."""
    facts = to_arrow(observations, pa.schema([f for f in OBSERVATIONS if f.name not in _SKETCHED]))
    columns = {
        "minhash": pa.array([s.minhash.astype("<u4").tobytes() for s in sketches], pa.binary()),
        "shingles": pa.array([s.shingles for s in sketches], pa.int32()),
        "sketch_key": pa.array([s.key for s in sketches], pa.string()),
    }
    arrays = [columns[f.name] if f.name in columns else facts.column(f.name) for f in OBSERVATIONS]
    return pa.RecordBatch.from_arrays(arrays, schema=OBSERVATIONS)


def _examined(
    observations: Sequence[Observation], failures: Sequence[tuple[str | None, str | None]]
) -> pa.RecordBatch:
    """Rows of EXAMINED."""
    rows = observation_rows(observations, sketch(observations))
    told = [pa.array([failure[at] for failure in failures], pa.string()) for at in (0, 1)]
    return pa.RecordBatch.from_arrays([*rows.columns, *told], schema=EXAMINED)


_SKETCHED = {"minhash", "shingles", "sketch_key"}


def _blank(raw: RawMessage) -> Observation:
    """An observation that says nothing but whose it is; stands in for a failed one."""
    values: dict[str, Any] = {
        column.name: () if pa.types.is_list(column.type) else "" if pa.types.is_string(column.type) else 0
        for column in OBSERVATIONS
        if column.name not in _SKETCHED
    }
    values |= {"received_at": None, "sent_at": None, "simulated": False, "received_at_from": "none"}
    values |= {"source_ip_from": "none", "sha256": raw.sha256, "sensor": raw.sensor, "label": raw.label}
    return Observation(**(values | {"lab": raw.lab, "source": raw.source, "size": len(raw.data)}))
