"""The same pure function over some items, in several processes: for work that is a second long, not a minute.

Processes are forked where they are needed and inherit what the function holds, so that only results travel. A
process that dies, or is not done long after this one, leaves its part to this one: nothing is lost but time.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Generic

from spamtide.each import Item, Result
from spamtide.engine.local import end_with_parent, processors

PATIENCE = 60.0
"""Seconds that a process is waited for at least when this one is done with its own part, and as long again as
it has been at work."""
MOST_LOTS = 1024
"""Lots that items are taken in, one after the other by whoever is free: a pipe holds all their numbers."""
_WIDTH = 4


class Apart:
    """Maps functions over items; the results are in the items' order and do not depend on the processes.

    Args:
        workers: number of processes, this one among them; 0 means one for each processor that this process
            may use. With 1, and where the system cannot fork safely, everything is done here.
    """

    def __init__(self, workers: int = 0) -> None:
        self.workers = (workers or processors()) if sys.platform == "linux" else 1

    def __call__(self, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """The results of `work`, which must be pure; what it raises is raised here."""
        count = min(self.workers, len(items))
        if count <= 1:
            return [work(item) for item in items]
        lots = min(len(items), MOST_LOTS)
        done: dict[int, list[Result]] = {}

        def some() -> dict[int, list[Result]]:
            return {lot: [work(item) for item in items[lot::lots]] for lot in _taken(waiting)}

        with _numbers(lots) as waiting:
            others = [_Process(some) for _ in range(count - 1)]
            try:
                done = some()
                for other in others:
                    done |= other.result()
            finally:
                for other in others:
                    other.end()
        results: list[Result] = [None] * len(items)  # type: ignore[list-item]  # each place is filled below
        for lot in range(lots):  # what a process took and did not give back is done here
            results[lot::lots] = done[lot] if lot in done else [work(item) for item in items[lot::lots]]
        return results

    def aside(self, work: Callable[[], Result]) -> Callable[[], Result]:
        """Have `work`, which must be pure, done in a process of its own; what is given back waits for it."""
        if self.workers <= 1:
            return work
        return _Process(work).result


@contextmanager
def _numbers(count: int) -> Iterator[int]:
    """A pipe of the numbers below `count`, from which each process takes its next until there is none."""
    reading, writing = os.pipe()
    # All are in it before any is taken; nobody waits for a copy of its other end.
    os.set_blocking(reading, False)
    try:
        with suppress(OSError), os.fdopen(writing, "wb") as pipe:
            pipe.write(b"".join(number.to_bytes(_WIDTH, "little") for number in range(count)))
        yield reading
    finally:
        os.close(reading)


def _taken(waiting: int) -> Iterator[int]:
    """Numbers that no other process has taken."""
    with suppress(BlockingIOError):
        while number := os.read(waiting, _WIDTH):
            yield int.from_bytes(number, "little")


class _Process(Generic[Result]):
    """A forked process, and what it is to find out."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self._work, self._begun = work, time.monotonic()
        context = multiprocessing.get_context("fork")
        self._receive, send = context.Pipe(duplex=False)
        self._child = context.Process(target=_work, args=(send, work, os.getpid()), daemon=True)
        collecting = gc.isenabled()
        gc.disable()  # until the new process has put aside what it inherits
        try:
            self._child.start()
        finally:
            if collecting:
                gc.enable()
        send.close()

    def result(self) -> Result:
        """What it found out; where it found nothing, that is done here."""
        with suppress(EOFError, OSError):
            if self._receive.poll(max(PATIENCE, time.monotonic() - self._begun)):
                found: Result = self._receive.recv()
                # It leaves by itself. What a large process held is given back slowly, and is not waited for.
                self._receive.close()
                return found
        self.end()
        return self._work()

    def end(self) -> None:
        """End it, whatever it is at, if it has not told what it found out."""
        if not self._receive.closed:
            self._receive.close()
            self._child.kill()
            self._child.join()


def _work(
    send: Connection, work: Callable[[], object], parent: int
) -> None:  # pragma: no cover - runs in a process of its own
    """What a forked process does; where it fails it sends nothing, and the parent meets the failure.

    What it inherits is never collected: to free a connection or a table whose threads stayed behind kills a
    process, or has it wait for them for ever. Nor does it clear up in the end, for the same reason.
    """
    gc.freeze()
    gc.enable()
    end_with_parent(parent)
    with suppress(Exception):
        send.send(work())
    os._exit(0)
