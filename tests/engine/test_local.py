"""The local engine: order, bounded flight, and a record that kills its worker."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

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


@pytest.mark.parametrize("stage", [die_at_13, hang_at_13])
def test_one_record_that_kills_or_hangs_its_worker_is_given_back_alone(
    stage: local.Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "SECONDS_PER_BATCH", 0.5)
    monkeypatch.setattr(local, "SECONDS_PER_ROW", 0.05)
    with LocalEngine(2) as engine:
        found = numbers(engine.map(stage, (batch(n, n + 1, n + 2) for n in range(0, 30, 3)), minus_one))

    assert found == [-1 if n == 13 else 2 * n for n in range(30)]
