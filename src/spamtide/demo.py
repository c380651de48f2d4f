"""The demonstration: a simulated world through the whole path, from files to a bulletin."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from spamtide import pipeline
from spamtide.ingest import Source, ingest
from spamtide.inquiry import reading
from spamtide.observatory import Observatory, init_observatory
from spamtide.progress import stage_lines
from spamtide.servers import import_lists
from spamtide.simulate import mail_of, simulate

WORLD = "autumn-2010"
HEADLINES = 8
FORMATS = ("html", "md", "json")


def run_demo(directory: Path, seed: int, console: Console, world: str = WORLD) -> None:
    """Simulate, ingest, learn, update, and write the bulletin; running it again stores nothing twice.

    Args:
        directory: gets world/ (mail and truth), observatory/ and bulletin.html, .md and .json.
        seed: the same seed makes the same world.
        console: where progress and the bulletin in short go.
        world: a name in simulate.WORLDS.

    Raises:
        UsageError: no such world.
    """
    started = time.monotonic()
    made = directory / "world"
    console.print(f"simulate   world '{world}', seed {seed}: made-up mail, written to files only")
    simulate(world, made, seed=seed)
    observatory = init_observatory(directory / "observatory")
    _ingest_world(observatory, made, console)
    new = import_lists(observatory, (made / "control.csv",), None)
    console.print(f"control    {new:,} checks of control servers")
    for line in pipeline.learn_signatures(observatory, ()):
        console.print(f"learn      {line}")
    with stage_lines(console) as on_stage:
        pipeline.update(observatory, on_stage)
    texts = {name: reading.bulletin(observatory, None, None, name) for name in FORMATS}
    for name, text in texts.items():
        (directory / f"bulletin.{name}").write_text(text, encoding="utf-8")
    _headlines(json.loads(texts["json"]), directory, console)
    console.print(f"\nDone in {time.monotonic() - started:.0f} s.")


def _ingest_world(observatory: Observatory, world: Path, console: Console) -> None:
    """Spam and ham by sensor, and each lab capture as what its bot sent."""
    mail = mail_of(world)
    labs = (Source((str(path),), sensor="lab", lab=family) for family, path in mail.lab.items())
    for source in (Source(mail.spam, label="spam"), Source(mail.ham, label="ham"), *labs):
        summary = ingest(observatory, source)
        what = f"lab {source.lab}" if source.lab else source.label
        known = f", {summary.known:,} already known" if summary.known else ""
        rate = f" ({summary.stored / summary.seconds:,.0f} a second)" if summary.stored else ""
        console.print(f"ingest     {what}: {summary.stored:,} messages{known}{rate}")


def _headlines(bulletin: dict[str, Any], directory: Path, console: Console) -> None:
    """Print the bulletin in short, and where the whole of it lies."""
    short = [line["text"] for line in bulletin["summary"]]
    said = short or [claim["sentence"] for claim in bulletin["claims"][:HEADLINES]]
    console.print(f"\nSIMULATED DATA. {bulletin['title']}", markup=False)
    for line in said:
        console.print(f"  * {line}", markup=False)
    console.print(f"\nThe bulletin, with intervals: {directory / 'bulletin.html'} (also .md and .json)")
    console.print(f"The truth of the simulated world: {directory / 'world' / 'truth.json'}")
