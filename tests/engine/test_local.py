"""The local engine: order, bounded flight, and a record that kills its worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from spamtide.engine import LocalEngine, local

SCHEMA = pa.schema([("n", pa.int64())])


def batch(*numbers: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(numbers, pa.int64())], schema=SCHEMA)


def double(rows: pa.RecordBatch) -> pa.RecordBatch:
    return batch(*(2 * n for n in rows.column(0).to_pylist()))


def die_at_13(rows: pa.RecordBatch) -> pa.RecordBatch:
    if 13 in rows.column(0).to_pylist():
        os.kill(os.getpid(), signal.SIGKILL)
    return double(rows)


def hang_at_13(rows: pa.RecordBatch) -> pa.RecordBatch:
    if 13 in rows.column(0).to_pylist():
        signal.pause()
    return double(rows)


class Panic(BaseException):
    """What pyo3 makes of a panic is no Exception either."""


def panic_at_13(rows: pa.RecordBatch) -> pa.RecordBatch:
    if 13 in rows.column(0).to_pylist():
        raise Panic
    return double(rows)


def minus_one(rows: pa.RecordBatch) -> pa.RecordBatch:
    return batch(*[-1] * rows.num_rows)


def numbers(batches: Iterator[pa.RecordBatch]) -> list[int]:
    return [n for rows in batches for n in rows.column(0).to_pylist()]


def test_results_come_in_order() -> None:
    with LocalEngine(2) as engine:
        found = numbers(engine.map(double, (batch(n, n + 1) for n in range(0, 40, 2)), minus_one))

    assert found == [2 * n for n in range(40)]


def test_only_a_few_batches_are_in_flight() -> None:
    taken = 0

    def source() -> Iterator[pa.RecordBatch]:
        nonlocal taken
        for n in range(100):
            taken += 1
            yield batch(n)

    with LocalEngine(2) as engine:
        results = engine.map(double, source(), minus_one)
        next(results)
        assert taken <= 6
        results.close()


@pytest.mark.parametrize("stage", [die_at_13, hang_at_13, panic_at_13])
def test_one_record_that_kills_or_hangs_its_worker_is_given_back_alone(
    stage: local.Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "SECONDS_PER_BATCH", 0.5)
    monkeypatch.setattr(local, "SECONDS_PER_ROW", 0.05)
    with LocalEngine(2) as engine:
        found = numbers(engine.map(stage, (batch(n, n + 1, n + 2) for n in range(0, 30, 3)), minus_one))

    assert found == [-1 if n == 13 else 2 * n for n in range(30)]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_workers_end_when_the_run_is_killed() -> None:
    script = """
import sys
from spamtide.engine import LocalEngine
with LocalEngine(2) as engine:
    print(*[process.pid for process in engine._pool._processes.values()], flush=True)
    sys.stdin.read()
"""
    run = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    workers = [int(pid) for pid in run.stdout.readline().split()]
    run.kill()
    run.wait()

    assert len(workers) == 2
    deadline = time.monotonic() + 30
    while any(alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [pid for pid in workers if alive(pid)] == []


def alive(pid: int) -> bool:
    """Whether a process runs; one that waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
