"""The same pure function over some items, in several processes: for work that is a second long, not a minute.

Processes are forked where they are needed and inherit what the function holds, so that only results travel. A
process that dies leaves its part to this one: nothing is lost but time.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection

from spamtide.engine.local import end_with_parent, processors
from spamtide.model import Item, Result


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
        parts = [items[place::count] for place in range(count)]
        context = multiprocessing.get_context("fork")
        results: list[list[Result] | None] = [None] * count
        waiting = []
        for place in range(1, count):
            receive, send = context.Pipe(duplex=False)
            child = context.Process(target=_work, args=(send, work, parts[place], os.getpid()), daemon=True)
            child.start()
            send.close()
            waiting.append((place, receive, child))
        try:
            results[0] = [work(item) for item in parts[0]]
            for place, receive, _ in waiting:
                with suppress(EOFError, OSError):
                    results[place] = receive.recv()
        finally:
            for _, receive, child in waiting:
                receive.close()
                child.kill()
                child.join()
        done: list[Result] = [None] * len(items)  # type: ignore[list-item]  # each place is filled below
        for place, part in enumerate(parts):
            found = results[place]
            done[place::count] = [work(item) for item in part] if found is None else found
        return done


def _work(
    send: Connection, work: Callable[[Item], Result], items: Sequence[Item], parent: int
) -> None:  # pragma: no cover - runs in a process of its own
    """What a forked process does; where it fails it sends nothing, and the parent meets the failure."""
    end_with_parent(parent)
    with suppress(Exception):
        send.send([work(item) for item in items])
