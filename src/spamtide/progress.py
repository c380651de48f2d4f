"""What a person at a terminal sees while work is going on; silent where stderr is no terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console

from spamtide.collector import input_size
from spamtide.ingest import IngestSummary


@contextmanager
def ingest_bar(
    console: Console, paths: Sequence[str], *, enabled: bool
) -> Iterator[Callable[[IngestSummary], None]]:
    """A bar over the bytes of the sources, with rate and remaining time."""
    if not enabled or not console.is_terminal:
        yield lambda _summary: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    started = time.monotonic()
    columns = (
        TextColumn("reading"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[messages]:,} messages, {task.fields[rate]:,.0f}/s, left:"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("ingest", total=input_size(paths) or None, messages=0, rate=0.0)

        def on_progress(summary: IngestSummary) -> None:
            met = summary.taken + summary.known  # those of the commit that is being filled, too
            rate = met / max(time.monotonic() - started, 1e-3)
            bar.update(task, completed=summary.bytes_read, messages=met, rate=rate)

        yield on_progress


@contextmanager
def stage_lines(console: Console) -> Iterator[Callable[[str, str], None]]:
    """A line a stage: a spinner while it runs, then what it did and how long it took."""
    started: dict[str, float] = {}
    with console.status("") as spinner:

        def on_stage(name: str, done: str) -> None:
            if not done:
                started[name] = time.monotonic()
                spinner.update(f"{name} ...")
                return
            seconds = time.monotonic() - started.get(name, time.monotonic())
            console.print(f"{name:10} {done} ({seconds:.1f} s)")

        yield on_stage


@contextmanager
def study_bar(console: Console, *, enabled: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A bar over the studies of a calibration."""
    if not enabled or not console.is_terminal:
        yield lambda *_: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.fields[study]:16}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("calibrate", total=None, study="")

        def on_study(name: str, done: int, whole: int) -> None:
            bar.update(task, completed=done, total=whole, study=name)

        yield on_study
