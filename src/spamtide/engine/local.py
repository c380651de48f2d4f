"""The local engine: a pool of processes on this machine."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import lru_cache
from types import TracebackType
from typing import Self

import pyarrow as pa

from spamtide.errors import UnavailableError

Stage = Callable[[pa.RecordBatch], pa.RecordBatch]
"""A pure per-record stage: as many rows out as in, in the same order."""

Packed = tuple[bytes, bytes]
"""A schema and a batch as Arrow IPC messages."""

SECONDS_PER_ROW = 20.0
SECONDS_PER_BATCH = 60.0
"""Backstop against a worker that hangs in native code; each record's own time bound is far below it."""

_PR_SET_PDEATHSIG = 1
"""Of Linux's prctl.h."""
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
"""Of glibc's malloc.h."""
_KEPT, _PAD = 2**25, 2**23
"""Bytes: blocks up to the first are kept; the heap grows by the second. The first is the most glibc takes."""


class LocalEngine:
    """Maps stages over batches with a pool of worker processes, in order, with bounded memory.

    Args:
        workers: number of processes; 0 means one for each processor that this process may use; 1 runs in a
            process of its own all the same, so that a crash in native code cannot take the run with it.
    """

    def __init__(self, workers: int = 0) -> None:
        self.workers = workers or processors()
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        """Start the workers now, while this process has no threads that a fork would upset."""
        _keep_memory()
        gc.collect()
        gc.freeze()  # what is loaded stays: no collection walks it, no worker copies its pages for that
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the workers."""
        self._stop()

    def map(self, stage: Stage, batches: Iterable[pa.RecordBatch], failed: Stage) -> Iterator[pa.RecordBatch]:
        """Yield `stage(batch)` for each batch, in order; at most a few batches are in flight.

        Args:
            stage: a picklable pure function.
            batches: the input, read only as fast as it is worked off.
            failed: makes the output row of a one-record batch whose worker died or hung.
        """
        waiting: deque[tuple[pa.RecordBatch, Future[Packed]]] = deque()
        for batch in batches:
            waiting.append((batch, self._submit(stage, batch)))
            if len(waiting) > self.workers + 2:
                yield self._result(stage, failed, waiting)
        while waiting:
            yield self._result(stage, failed, waiting)

    # ------------------------------------------------------------------ inside

    def _result(
        self, stage: Stage, failed: Stage, waiting: deque[tuple[pa.RecordBatch, Future[Packed]]]
    ) -> pa.RecordBatch:
        """The oldest batch's result; after a death, all batches in flight are submitted again."""
        batch, future = waiting.popleft()
        try:
            return _unpack(future.result(timeout=SECONDS_PER_BATCH + SECONDS_PER_ROW * batch.num_rows))
        except (BrokenProcessPool, TimeoutError):
            self._restart()
            result = self._take_apart(stage, failed, batch)
            again = [(other, self._submit(stage, other)) for other, _ in waiting]
            waiting.clear()
            waiting.extend(again)
            return result

    def _take_apart(self, stage: Stage, failed: Stage, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Halve a batch that killed its worker until the record that does it stands alone."""
        if batch.num_rows == 1:
            return failed(batch)
        middle = batch.num_rows // 2
        halves = []
        for half in (batch.slice(0, middle), batch.slice(middle)):
            with _pool_of(1) as apart:
                future = apart.submit(_work, stage, _pack(half))
                try:
                    done = future.result(timeout=SECONDS_PER_BATCH + SECONDS_PER_ROW * half.num_rows)
                    halves.append(_unpack(done))
                    continue
                except (BrokenProcessPool, TimeoutError):
                    _kill(apart)
            halves.append(self._take_apart(stage, failed, half))
        joined = pa.Table.from_batches(halves).combine_chunks()
        return joined.to_batches()[0]

    def _submit(self, stage: Stage, batch: pa.RecordBatch) -> Future[Packed]:
        """Hand a batch to the pool, starting it when need be."""
        if self._pool is None:
            self._start()
        if self._pool is None:  # pragma: no cover - _start always sets it
            raise RuntimeError
        try:
            return self._pool.submit(_work, stage, _pack(batch))
        except BrokenProcessPool:
            self._restart()
            return self._pool.submit(_work, stage, _pack(batch))

    def _start(self) -> None:
        """Start the pool and its processes."""
        self._pool = _pool_of(self.workers)
        for future in [self._pool.submit(_wake) for _ in range(self.workers)]:
            future.result()

    def _stop(self) -> None:
        """Stop the pool without waiting for work nobody will read."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _restart(self) -> None:
        """Replace a pool that broke or hangs."""
        if self._pool is not None:
            _kill(self._pool)
            self._pool = None
        self._start()


def _keep_memory() -> None:
    """Keep freed memory for the next batch, here and in the workers.

    glibc gives large blocks back to the kernel at once and asks for them again a moment later; that the
    kernel blanks every page costs more than all copying between the processes.
    """
    with suppress(AttributeError, OSError, TypeError):  # a C library of another make
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, size in ((_M_MMAP_THRESHOLD, _KEPT), (_M_TRIM_THRESHOLD, _KEPT), (_M_TOP_PAD, _PAD)):
            mallopt(parameter, size)


def _pack(batch: pa.RecordBatch) -> Packed:
    """A batch for the way between processes, in one copy; pickling it takes one a buffer."""
    return batch.schema.serialize().to_pybytes(), batch.serialize().to_pybytes()


def _unpack(packed: Packed) -> pa.RecordBatch:
    """The batch again, in place."""
    return pa.ipc.read_record_batch(pa.py_buffer(packed[1]), _schema(packed[0]))


@lru_cache(maxsize=16)
def _schema(packed: bytes) -> pa.Schema:
    return pa.ipc.read_schema(pa.py_buffer(packed))


def _pool_of(workers: int) -> ProcessPoolExecutor:
    """A pool whose processes end with this one, however it ends.

    Raises:
        UnavailableError: the system has no semaphores, which the pool's queues need.
    """
    try:
        return ProcessPoolExecutor(
            workers, mp_context=_context(), initializer=_begin, initargs=(os.getpid(),)
        )
    except (ImportError, NotImplementedError, OSError) as error:
        message = f"worker processes cannot share a queue here: {error}"
        raise UnavailableError(message, "they need /dev/shm, mounted so that it can be written to") from error


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _begin(parent: int) -> None:
    """What a worker does first: what it inherits is never collected, for threads of it stayed behind."""
    gc.freeze()
    end_with_parent(parent)


def end_with_parent(parent: int) -> None:
    """Have the kernel end this worker when its parent is killed.

    Workers hold each other's pipes open, so none of them would see an end of file.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died in between
            os._exit(0)


def _work(stage: Stage, packed: Packed) -> Packed:
    """What a worker does; a panic of a Rust library, which is no `Exception`, counts as its death."""
    try:
        return _pack(stage(_unpack(packed)))
    except Exception:
        raise
    except BaseException:  # noqa: BLE001 - told by the death of the process
        os._exit(1)


def _wake() -> None:
    """Nothing: makes a worker start."""


def _context() -> multiprocessing.context.BaseContext:
    """Fork where it is safe and quick (Linux), else the platform's default."""
    return multiprocessing.get_context("fork" if sys.platform == "linux" else None)


def _kill(pool: ProcessPoolExecutor) -> None:
    """Kill a pool's processes, hung ones too."""
    for process in list((pool._processes or {}).values()):  # noqa: SLF001 - the executor has no public way to kill
        process.kill()
    pool.shutdown(wait=False, cancel_futures=True)
