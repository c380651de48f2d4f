"""The command `spamtide ingest`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spamtide.cli.face import FACE
from spamtide.errors import UsageError

if TYPE_CHECKING:  # late, so that the command line starts fast
    from spamtide.ingest import IngestSummary, Source
    from spamtide.observatory import Observatory


def ingest(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH...", help="Files, folders, archives; '-' is one message."),
    ] = None,
    sensor: Annotated[str | None, typer.Option(help="Place of reception [the source's name].")] = None,
    label: Annotated[str, typer.Option(help="What the source holds: spam or ham.")] = "spam",
    lab: Annotated[
        str | None, typer.Option(metavar="FAMILY", help="A lab's bot of this family sent it.")
    ] = None,
    members: Annotated[
        str | None, typer.Option(metavar="GLOB", help="Only files or archive members of this path.")
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Try once more what was quarantined.")] = False,
    heartbeats: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Signs of life of sensors: a CSV file of sensor,time."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Read mail into the lake; the same mail again stores nothing.

    Takes .eml files, folders, Maildir, mbox, and all of these in tar, zip, gz, bz2, xz and zst.

    Examples: `spamtide ingest ~/Maildir/.Junk` · `spamtide ingest --sensor trap-1 2026-11.mbox.gz` ·
    `spamtide ingest --label ham --members 'ham/*' corpus.tar.gz` · `spamtide ingest --lab cutwail lab.mbox` ·
    `spamtide ingest - < message.eml` · `spamtide ingest --heartbeats up.csv`
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # nothing here is solved; threads only wait
    from spamtide import ingest as intake
    from spamtide.collector import refuse_missing

    source = intake.Source(
        tuple(paths or ()),
        sensor,
        "ham" if label == "ham" else "spam",
        lab.strip() if lab else None,
        members,
        sys.stdin.buffer if "-" in (paths or ()) else None,
    )
    if sensor is not None and not sensor.strip():
        message = "--sensor is empty: it names the place that received the mail"
        raise UsageError(message, "without it, the source's name is taken")
    _refuse_contradictions(source, label=label, lab=lab, retry=retry, heartbeats=heartbeats)
    refuse_missing([*source.paths, *([str(heartbeats)] if heartbeats else ())])
    observatory = FACE.observatory(make=True)
    if heartbeats is not None:
        _take_heartbeats(observatory, heartbeats)
    if not (retry or source.paths):
        return
    summary = intake.retry(observatory) if retry else _read(observatory, source)
    _tell(summary, as_json=as_json, retried=retry)
    if summary.fault is not None:
        raise summary.fault


def _refuse_contradictions(
    source: Source, *, label: str, lab: str | None, retry: bool, heartbeats: Path | None
) -> None:
    """Options that say what cannot be, before anything is read or made."""
    if label not in {"spam", "ham"}:
        message = f"--label is spam or ham, not '{label}'"
        raise UsageError(message)
    if lab is not None and not lab.strip():
        message = "--lab is empty: it names the family whose bot sent the mail"
        raise UsageError(message)
    if lab is not None and label == "ham":
        message = "--lab names a family of bots, so its mail is spam"
        raise UsageError(message)
    if retry and source.paths:
        message = "--retry reads what is in quarantine, and no PATH"
        raise UsageError(message, "run the two one after the other")
    if not (retry or source.paths or heartbeats):
        message = "nothing to ingest"
        raise UsageError(message, "name a PATH, or '-' for one message on stdin")


def _take_heartbeats(observatory: Observatory, path: Path) -> None:
    """Import signs of life of sensors."""
    from spamtide.heartbeats import take_heartbeats

    count = take_heartbeats(observatory, path)
    FACE.console.print(f"{count:,} new heartbeats from {path}")


def _read(observatory: Observatory, source: Source) -> IngestSummary:
    """Read a source with a bar of its progress."""
    from spamtide import ingest as intake
    from spamtide.progress import ingest_bar

    with ingest_bar(FACE.console, source.paths, enabled=not FACE.quiet) as on_progress:
        return intake.ingest(observatory, source, on_progress)


def _tell(summary: IngestSummary, *, as_json: bool, retried: bool) -> None:
    """The counts of one ingest, or of what was tried once more."""
    quarantined = sum(summary.quarantined.values())
    if as_json:
        counts = {
            "stored": summary.stored,
            "known": summary.known,
            "quarantined": quarantined,
            "reasons": dict(summary.quarantined),
            "skipped": summary.skipped,
            "recovered": summary.recovered,
            "retried": summary.retried,
            "seconds": round(summary.seconds, 3),
        }
        print(json.dumps(counts))
        return
    if retried:
        told = f"{summary.recovered:,} of {summary.retried:,} quarantined messages could be processed now"
        FACE.console.print(told)
        return
    parts = [f"{summary.stored:,} stored", f"{summary.known:,} already known", f"{quarantined:,} quarantined"]
    if summary.recovered:
        parts.append(f"{summary.recovered:,} recovered from an interrupted run")
    if summary.skipped:
        files = "file that is" if summary.skipped == 1 else "files that are"
        parts.append(f"{summary.skipped:,} {files} no mail skipped")
    rate = f" ({summary.stored / summary.seconds:,.0f} messages a second)" if summary.stored else ""
    FACE.console.print(f"{', '.join(parts)} in {summary.seconds:.1f} s{rate}")
    for reason, count in sorted(summary.quarantined.items()):
        FACE.console.print(f"  quarantined {count:,}: {reason}")
