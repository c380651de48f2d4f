"""Fork processes beside a thread that writes tables, and count those that did not answer.

python benchmarks/forks.py --forks 1000
python benchmarks/forks.py --forks 1000 --garbage     with connections and tables that wait to be collected
"""

from __future__ import annotations

import argparse
import gc
import os
import tempfile
import threading
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from spamtide.engine import Apart, apart
from spamtide.schema import MEMBERSHIPS
from spamtide.store import Lake

ROWS = 20_000
WAITED = 10.0
"""Seconds after which a process counts as hung."""


class Knot:
    """Garbage that only a collection frees."""

    def __init__(self, held: object) -> None:
        self.itself, self.held = self, held


def rows(first: int) -> pa.Table:
    """Some memberships."""
    names = [f"{number:064d}" for number in range(first, first + ROWS)]
    return pa.table({"sha256": names, "campaign": ["c"] * ROWS}, schema=MEMBERSHIPS)


def write(lake: Lake, stop: threading.Event, written: list[int]) -> None:
    """Replace, append, query and join, over and over."""
    while not stop.is_set():
        lake.replace("memberships", rows(len(written)))
        lake.append("memberships", rows(0))
        lake.query("SELECT sha256, count(*) FROM memberships GROUP BY sha256 ORDER BY 2 LIMIT 5")
        lake.compact("memberships")
        written.append(1)


def work() -> int:
    """What is asked of a process: numpy and Python, as fits and dates are."""
    values = np.random.default_rng(1).random((60, 60))
    for _ in range(5):
        np.linalg.solve(values @ values.T + np.eye(60), values)
    gc.collect()
    return os.getpid()


def main() -> None:
    """Run and print one line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--forks", type=int, default=200)
    parser.add_argument("--garbage", action="store_true")
    given = parser.parse_args()
    apart.PATIENCE = WAITED
    each, stop, written, lost = Apart(2), threading.Event(), [0], 0
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "lake").mkdir()
        writer = threading.Thread(target=write, args=(Lake.at(Path(folder)), stop, written))
        writer.start()
        began = time.monotonic()
        for _ in range(given.forks):
            if given.garbage:
                connection = duckdb.connect()
                connection.execute("SELECT 1")
                for held in (connection, rows(0)):
                    Knot(held)
                del connection, held
            lost += each.aside(work)() == os.getpid()
        seconds = time.monotonic() - began
        stop.set()
        writer.join()
    print(
        f"{lost} of {given.forks} processes lost beside {len(written) - 1} rounds of writing, {seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
