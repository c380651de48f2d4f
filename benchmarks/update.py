"""Time of `spamtide update` over a year of mail, stage by stage: all answers anew, then one more day.

    python benchmarks/update.py DIR [OBSERVATIONS]

DIR is made by `update_lake` if there is nothing in it (some minutes for ten million), else used as it is.
Evidence (what signatures match, campaign) of the year is there already, as on an observatory that is updated
daily: matching and clustering are paid once a message, and are timed on the day that is added. Each update is
a process of its own, prepared as the command prepares itself; `whole` is from its start to its end. Wall time
is that of the machine as it is; processor time is of the process and its workers. A stage may leave the
storing of what it made to the time of those after it.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from update_lake import build

from spamtide import pipeline
from spamtide.observatory import Observatory, open_observatory
from spamtide.schema import DERIVED, OBSERVATIONS
from spamtide.store import contents, writer_lock

APART = """
import os, sys, pathlib
from spamtide.__main__ import prepare
prepare()
from update import timed_update
timed_update(pathlib.Path(sys.argv[1]))
os._exit(0)
"""
"""An update in a process that starts and leaves as the command does."""
DAYS = 364
WEEK = pa.scalar(7 * 86_400_000_000, pa.duration("us"))
PLACES = 6
"""Of the 64 values of a sketch, those that are changed in another day's copy of a text."""


def main() -> None:
    """Make the lake if need be, and time two updates."""
    folder, number = Path(sys.argv[1]), int((*sys.argv[2:], "10000000")[0])
    if not (folder / "lake" / "observations").is_dir():
        say(f"making {number:,} observations in {folder}")
        build(folder, number, DAYS, matched=True)
    for table in DERIVED - {"evidence", "profiles", "contents"}:
        shutil.rmtree(folder / "lake" / table, ignore_errors=True)
    lake = open_observatory(folder).lake  # one that is updated daily has these files joined, and this table
    lake.compact("memberships", contents.JOINED_BYTES)
    contents.keep(lake)
    processors = len(os.sched_getaffinity(0))
    say(f"{processors} processors; load of the machine {os.getloadavg()[0]:.1f}")
    rows = open_observatory(folder).lake.query("SELECT count(*) AS n FROM observations")["n"][0].as_py()
    say(f"all answers of {rows:,} observations anew")
    update_apart(folder)
    say(f"one more day, {another_day(open_observatory(folder)):,} observations")
    update_apart(folder)
    say(f"largest memory {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20:.1f} GB")


def update_apart(folder: Path) -> None:
    """One update in a process of its own."""
    begun = now()
    # An installed program has its bytecode: where it is not to be written, all of it would be made anew.
    installed = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(  # noqa: S603 - this program
        [sys.executable, "-c", APART, str(folder.resolve())],
        cwd=Path(__file__).parent,
        check=True,
        env=installed,
    )
    say(f"  whole      {spent(begun)}")


def timed_update(folder: Path) -> None:
    """One update with a line a stage."""
    marks = [now()]
    begun = marks[0]

    def on_stage(name: str, did: str) -> None:
        if did:
            say(f"  {name:10} {spent(marks[-1])}  {did}")
        marks.append(now())

    pipeline.update(open_observatory(folder), on_stage)
    say(f"  all        {spent(begun)}")


def now() -> tuple[float, float]:
    """Wall and processor seconds, workers that have ended included."""
    multiprocessing.active_children()  # takes note of those that ended
    own, workers = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return time.monotonic(), own.ru_utime + own.ru_stime + workers.ru_utime + workers.ru_stime


def spent(since: tuple[float, float]) -> str:
    """Seconds since a mark."""
    wall, processor = (after - before for after, before in zip(now(), since, strict=True))
    return f"{wall:7.1f} s wall {processor:7.1f} s processor"


def another_day(observatory: Observatory) -> int:
    """One more day: that of a week before, each text changed a little, in commits of an ingest's size.

    Not the last day again: after some runs a lake would end in days that are alike, which none does.
    """
    lake = observatory.lake
    last = lake.query("SELECT max(received_at)::DATE AS day FROM observations")["day"][0].as_py()
    day = pa.table({"day": [last - dt.timedelta(days=6)]})
    sql = "SELECT o.* FROM observations o SEMI JOIN given d ON o.received_at::DATE = d.day"
    rows = lake.query(sql, given=day).cast(OBSERVATIONS)
    count = rows.num_rows
    rng = np.random.default_rng(last.toordinal())
    sketches = np.frombuffer(b"".join(rows["minhash"].to_pylist()), dtype="<u4").reshape(count, -1).copy()
    places = rng.integers(0, sketches.shape[1], (count, PLACES))
    fresh = rng.integers(0, 2**32, places.shape, dtype=np.uint64).astype(np.uint32)
    np.put_along_axis(sketches, places, fresh, axis=1)
    for name, values in (
        ("sha256", pa.array([rng.bytes(32).hex() for _ in range(count)])),
        ("received_at", pc.add(rows["received_at"], WEEK)),
        ("minhash", pa.array([row.tobytes() for row in sketches], pa.binary())),
    ):
        rows = rows.set_column(rows.column_names.index(name), name, values)
    with writer_lock(observatory.directory / "lake"):
        for start in range(0, count, 4096):
            lake.append("observations", rows.slice(start, 4096).cast(OBSERVATIONS))
    return int(count)


def say(line: str) -> None:
    """One line of the report."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
