"""Check the installation and one observatory, and say what to do about what is wrong."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from spamtide.attribution import judge, load_signatures, read_pages
from spamtide.compiled import native
from spamtide.errors import SpamtideError, UnavailableError
from spamtide.knowledge import load_knowledge
from spamtide.observatory import Observatory, is_observatory, open_observatory
from spamtide.pipeline import signature_folders
from spamtide.store import rollup
from spamtide.store.clocks import clocks
from spamtide.version import VERSION

MIN_FREE_BYTES = 2**30
EX_UNAVAILABLE = UnavailableError.exit_code
MISDATED = {"undated": "without a date", "ahead": "dated after they were stored"}
PARTS = ("deltalake", "duckdb", "fast-mail-parser", "pyarrow", "rensa", "selectolax", "yara-x", "altair")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    verdict: str
    """ok, note or wrong."""
    what: str
    finding: str
    exit_code: int = 0


def examine(directory: Path) -> Iterator[Check]:
    """Run every check that makes sense, in order; what fails does not stop the rest."""
    yield Check("ok", "program", f"Spamtide {VERSION}, Python {sys.version.split()[0]}")
    yield _compiled()
    yield _parts()
    if not is_observatory(directory):
        yield Check("note", "observatory", f"none at {directory}; `spamtide init` makes one")
        return
    try:
        observatory = open_observatory(directory)
    except SpamtideError as error:
        yield Check("wrong", "settings", str(error), error.exit_code)
        return
    for what, look in CHECKS.items():
        try:
            yield look(what, observatory)
        except SpamtideError as error:
            yield Check("wrong", what, str(error), error.exit_code)
        except OSError as error:
            yield Check("wrong", what, f"{error.filename or 'a file'}: {error.strerror}", EX_UNAVAILABLE)


def _parts() -> Check:
    """The libraries that all else rests on."""
    found: list[str] = []
    for part in PARTS:
        try:
            found.append(f"{part} {importlib.metadata.version(part)}")
        except importlib.metadata.PackageNotFoundError:
            return Check("wrong", "parts", f"{part} is missing; install Spamtide again", EX_UNAVAILABLE)
    return Check("ok", "parts", ", ".join(found))


def _compiled() -> Check:
    """Which form of the loops over characters is in use."""
    if native:
        return Check("ok", "compiled form", "in use")
    advice = "with a C compiler and Python's headers at hand, install again"
    return Check("note", "compiled form", f"not in use, so that ingest takes longer; {advice}")


def _signatures(what: str, observatory: Observatory) -> Check:
    """The rules compile."""
    ruleset = load_signatures(signature_folders(observatory), load_knowledge(observatory.knowledge))
    slow = ", ".join(f"{file} ({rule or 'not understood'})" for file, rule in ruleset.sifting.left)
    told = f"; tried on every message, which takes longer: {slow}" if slow else ""
    return Check("ok", what, f"{len(ruleset.signatures)} rules{told}")


def _knowledge(what: str, observatory: Observatory) -> Check:
    """The knowledge graph is whole."""
    knowledge = load_knowledge(observatory.knowledge)
    return Check("ok", what, f"{len(knowledge.botnets)} botnets, {len(knowledge.programmes)} programmes")


def _landing(what: str, observatory: Observatory) -> Check:
    """The saved landing pages can be read, and say something."""
    knowledge = load_knowledge(observatory.knowledge)
    pages = read_pages(observatory.landing)
    if not pages:
        return Check("ok", what, f"none saved; {observatory.landing} holds them")
    found = judge(pages, load_signatures(signature_folders(observatory), knowledge), knowledge)
    return Check("ok", what, f"{len(pages)} pages, {len(found)} domains with a programme")


def _lake(what: str, observatory: Observatory) -> Check:
    """The tables open."""
    versions = observatory.lake.versions()
    told = ", ".join(f"{table} v{version}" for table, version in versions.items())
    return Check("ok", what, told or "empty; `spamtide ingest PATH` fills it")


def _clocks(what: str, observatory: Observatory) -> Check:
    """Sensors' clocks and the `Date` of their mail go together."""
    told = []
    for clock in clocks(observatory.lake):
        hours = f"{abs(clock.hours):.0f} hours {'ahead' if clock.hours > 0 else 'behind'}"
        when = "all the time"
        if clock.days:
            first, last = clock.days[0], clock.days[-1]
            when = f"on {len(clock.days)} days" if len(clock.days) > 1 else "on one day"
            when += f" ({first}{f' to {last}' if last != first else ''})"
        told.append(f"{clock.sensor} runs {hours} {when}, {clock.messages:,} messages")
    if not told:
        return Check("ok", what, "as the Date of the mail says")
    return Check("note", what, f"{'; '.join(told)}, by the Date of the mail; it is counted under wrong days")


def _interrupted(what: str, observatory: Observatory) -> Check:
    """No run left raw mail without observations."""
    left = rollup.interrupted(observatory.lake)
    if left:
        return Check("note", what, f"{left:,} messages of an interrupted run; the next ingest works them off")
    return Check("ok", what, "none")


def _quarantine(what: str, observatory: Observatory) -> Check:
    """What could not be processed."""
    reasons = rollup.quarantine_reasons(observatory.lake)
    if reasons:
        told = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
        advice = "`spamtide ingest --retry`, after an upgrade, tries those again whose bytes are kept"
        return Check("note", what, f"{told}; {advice}")
    return Check("ok", what, "empty")


def _dates(what: str, observatory: Observatory) -> Check:
    """When mail was received is known."""
    told = [
        f"{row['sensor']}: "
        + " and ".join(f"{row[kind]:,} {words}" for kind, words in MISDATED.items() if row[kind])
        for row in rollup.misdated(observatory.lake)
    ]
    if told:
        advice = "they may be in no series; keep the Received lines that the sensor adds"
        return Check("note", what, f"{'; '.join(told)}: {advice}")
    return Check("ok", what, "all believable")


def _disk(what: str, observatory: Observatory) -> Check:
    """There is room."""
    free = shutil.disk_usage(observatory.directory).free
    verdict = "ok" if free > MIN_FREE_BYTES else "note"
    return Check(verdict, what, f"{free / 2**30:.1f} GiB free")


CHECKS: dict[str, Callable[[str, Observatory], Check]] = {
    "signatures": _signatures,
    "knowledge": _knowledge,
    "landing": _landing,
    "lake": _lake,
    "clocks": _clocks,
    "interrupted": _interrupted,
    "quarantine": _quarantine,
    "dates": _dates,
    "disk": _disk,
}
