"""Which weeks are answered again: of what came, and of what else is known now than when all was answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from spamtide.attribution import REACH_WEEKS
from spamtide.campaign import resolve
from spamtide.errors import UnavailableError
from spamtide.schema import UNDATED
from spamtide.store import Lake, evidence, sharing
from spamtide.store.lake import Files
from spamtide.update.sparing import AMENDING, MOST_NEW, Ahead, News, Read

NO_HAM = evidence.OfHam((), ())


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be answered again."""

    weeks: set[int]
    ham: evidence.OfHam | None = None
    """What is known of other mail, if it was read."""
    news: News | None = None
    """What came, where that is known to the message and all else is as it was."""
    read: Read | None = None
    """What was read ahead."""


def wanted_again(
    lake: Lake, version: str, names: Mapping[str, str], counts: Mapping[int, int], ahead: Ahead | None
) -> Wanted | None:
    """What to answer again; None for all weeks."""
    note = lake.note("sightings")
    paths = lake.added("evidence", note.get("evidence"))
    if note.get("inputs") != version or paths is None:
        return None
    then = _lineage(lake, note.get("lineage"))
    if then is None:
        return None
    before = resolve(then)
    merged = _merged(then, before, names)
    files = Files("evidence", paths)
    new = evidence.arrived(lake, files, sharing.ASKED, MOST_NEW)
    touched = evidence.weeks_in(lake, files) if new is None else set(new["week"].unique().to_pylist())
    if merged:
        touched |= evidence.weeks_of_campaigns(lake, merged)
    since = note.get("evidence")
    exact, ham, barred = (
        evidence.weeks_of_ham(lake, files, since, new)
        if paths
        else (set(), evidence.known_ham(lake, since), NO_HAM)
    )
    around = {
        week + distance for week in touched - {UNDATED} for distance in range(-REACH_WEEKS, REACH_WEEKS + 1)
    }
    weeks = (around | exact | (touched & {UNDATED})) & set(counts)
    if not weeks or new is None or since is None or AMENDING in note:
        return Wanted(weeks, ham)
    if not lake.only_added("evidence", since):
        return Wanted(weeks, ham)
    old = Files("evidence", tuple(sorted({*lake.files("evidence").paths} - {*paths})))
    read = ahead.read() if ahead is not None and ahead.version == since else None
    mail = sharing.Mail(old, read.held, read.weeks) if read else sharing.Mail(old)
    return Wanted(weeks, ham, News(new, since, mail, before, barred), read)


def renamed(lake: Lake, names: Mapping[str, str]) -> set[str] | None:
    """Names of campaigns that go by another name than they did when all was answered; None: unknown."""
    then = _lineage(lake, lake.note("sightings").get("lineage"))
    return None if then is None else _merged(then, resolve(then), names)


def _lineage(lake: Lake, version: int | None) -> pa.Table | None:
    """The lineage as it was at a version; None: unknown."""
    try:
        return lake.read("lineage", version=version)
    except UnavailableError:
        return None


def _merged(then: pa.Table, before: Mapping[str, str], names: Mapping[str, str]) -> set[str]:
    """Names of campaigns that go by another name than they did by the lineage as it was then."""
    # A name that is new has new mail alone; one that was split off again is under none.
    known = {name for column in ("campaign", "other") for name in then[column].to_pylist() if name}
    moved = {name for name in known if before.get(name, name) != names.get(name, name)}
    return (
        moved | {names[name] for name in moved if name in names} | {before[n] for n in moved if n in before}
    )
