"""Work that is done apart: the same results in the same order, whatever happens to the processes."""

from __future__ import annotations

import gc
import os
import time

import pyarrow as pa
import pytest

from spamtide.engine import Apart, LocalEngine, apart


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_results_are_in_the_items_order(workers: int, count: int) -> None:
    """Whatever the number of processes; what the function holds need not be picklable."""
    held = {number: str(number) for number in range(count)}
    assert Apart(workers)(lambda number: held[number], list(range(count))) == list(held.values())


def test_what_a_process_leaves_is_done_here() -> None:
    """One that dies in the middle costs time and nothing else."""
    here = os.getpid()

    def work(number: int) -> int:
        if os.getpid() != here:
            os._exit(1)
        return number**2

    assert Apart(3)(work, [1, 2, 3, 4]) == [1, 4, 9, 16]


def test_who_is_free_takes_the_next() -> None:
    """One long item leaves the rest to others, also where there are more items than lots."""
    here = os.getpid()

    def work(number: int) -> int:
        if not number:
            time.sleep(0.5)
        return os.getpid()

    done = Apart(2)(work, range(8))
    assert len(set(done)) == 2
    assert done.count(done[0]) == 1
    assert here in done
    assert Apart(3)(lambda number: -number, range(5000)) == [-number for number in range(5000)]


def test_nobody_waits_for_a_number_that_does_not_come() -> None:
    """Not even where something else holds the end that they are written to."""
    pipe = os.pipe
    kept: list[int] = []

    def copied() -> tuple[int, int]:
        ends = pipe()
        kept.append(os.dup(ends[1]))
        return ends

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(apart.os, "pipe", copied)
        assert Apart(2)(lambda number: -number, [1, 2, 3]) == [-1, -2, -3]
    for one in kept:
        os.close(one)


def test_a_failure_is_raised_here() -> None:
    """Also one that only another process met."""
    with pytest.raises(ZeroDivisionError):
        Apart(2)(lambda number: 1 // number, [1, 0])


def test_results_that_do_not_travel_are_made_here() -> None:
    """Such as functions."""
    assert [one() for one in Apart(2)(lambda number: lambda: number, [1, 2, 3])] == [1, 2, 3]


@pytest.mark.parametrize("workers", [1, 2])
def test_aside(workers: int) -> None:
    """Something else is done meanwhile; what its process does not find out, is found out here."""
    here, held = os.getpid(), {"a": 1}
    assert Apart(workers).aside(lambda: held)() == held
    assert Apart(workers).aside(lambda: here if os.getpid() == here else os._exit(1))() == here
    with pytest.raises(ZeroDivisionError):
        Apart(workers).aside(lambda: 1 // 0)()


def test_a_process_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its part is done here."""
    monkeypatch.setattr(apart, "PATIENCE", 0.2)
    here = os.getpid()

    def work(number: int) -> int:
        if os.getpid() != here:
            time.sleep(60)
        return -number

    assert Apart(2)(work, [1, 2, 3]) == [-1, -2, -3]


class Bound:
    """Garbage that only a collection frees, and only where it was made: elsewhere its threads are missing."""

    def __init__(self) -> None:
        self.itself, self.here = self, os.getpid()

    def __del__(self) -> None:
        if os.getpid() != self.here:
            os._exit(1)


@pytest.mark.parametrize("collecting", [True, False])
def test_what_a_process_inherits_is_never_collected(collecting: bool) -> None:  # noqa: FBT001 - both ways
    """Neither while it works nor in the end; here all is collected as before."""

    def work() -> int:
        gc.collect()
        return os.getpid()

    gc.disable()
    try:
        Bound()
        if collecting:
            gc.enable()
        assert Apart(2).aside(work)() != os.getpid()
        assert gc.isenabled() == collecting
    finally:
        gc.enable()


def test_workers_never_collect_what_they_inherit() -> None:
    """Those of a pool that was started again while the programme was under way."""
    engine = LocalEngine(1)
    gc.disable()
    try:
        with engine:
            Bound()
            engine._restart()
            (given,) = engine.map(collected, [pa.record_batch({"a": [1]})], failed)
    finally:
        gc.enable()
    assert given.to_pylist() == [{"a": 1}]


def collected(batch: pa.RecordBatch) -> pa.RecordBatch:
    gc.collect()
    return batch


def failed(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.slice(0, 0)
