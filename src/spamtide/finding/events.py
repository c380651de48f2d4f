"""Dated external events: the one file that this room reads, at its edge.

An events file is CSV with the columns of COLUMNS. Shipped events and a user's own have the same form.
For the kinds in SILENCES, `date_end` is the day of return, and is empty where no return is on record.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spamtide.errors import SettingsError

COLUMNS = (
    "date_start",
    "date_end",
    "kind",
    "subject_type",
    "subject",
    "summary",
    "source_url",
    "confidence",
)
REQUIRED = ("date_start", "kind", "subject")

ACTIONS: dict[str, str] = {
    "takedown": "the takedown of {}",
    "host_loss": "the cutting off of {}",
    "programme_closure": "the announced closure of {}",
    "arrest": "the action of police or courts around {}",
    "cleanup": "the clean-up of {}",
    "c2_loss": "the loss of control servers of {}",
    "c2_return": "the return of {}",
    "other": "the event around {}",
}
"""What somebody did or announced, and how a sentence names it. Only these are held against a change."""

SILENCES = ("went_silent", "outage", "pause", "holiday_pause")
"""Kinds of events with which a recorded dormancy of a botnet begins."""

RETURNS = ("resurgence",)
"""Kinds of events that end a dormancy whose own row has no `date_end`."""

EFFECTS = (
    "behaviour_change",
    "campaign",
    "decline",
    "programme_shift",
    "programme_silent",
    "programme_switch",
    "recovery",
    "rise",
)
"""What others measured: shown for orientation, never held against our own measurement of the same thing."""

KINDS = frozenset(ACTIONS) | frozenset(SILENCES) | frozenset(RETURNS) | frozenset(EFFECTS)
SUBJECT_TYPES = frozenset({"", "botnet", "programme", "host", "operation", "global", "sensor", "other"})
CONFIDENCES = frozenset({"high", "medium", "low"})
MAX_ROWS = 100_000
MAX_FIELD = 2_000


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened outside, with its source."""

    date_start: dt.date
    date_end: dt.date | None
    """Last day; for SILENCES the day of return. None when not known or not over."""
    kind: str
    """One of KINDS."""
    subject_type: str
    """One of SUBJECT_TYPES."""
    subject: str
    summary: str
    source_url: str
    """'' where the person who noted it gave none."""
    confidence: str
    """high, medium or low."""


def load_events(paths: Sequence[Path]) -> tuple[Event, ...]:
    """Read events files, the shipped one and a user's own; a path that does not exist is skipped.

    Returns:
        All events, oldest first, equal rows once.

    Raises:
        SettingsError: a file cannot be read or a row is wrong; the message is 'file:line: reason'.
    """
    events: set[Event] = set()
    for path in paths:
        events.update(_read(path))
    return tuple(sorted(events, key=_order))


def _order(event: Event) -> tuple[dt.date, str, str, str, str]:
    """Sort key that leaves no two different events in an order of chance."""
    return event.date_start, event.kind, event.subject, event.summary, event.source_url


def _read(path: Path) -> Iterator[Event]:
    """Read one file, strictly."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}:1: cannot be read: {error}"
        raise SettingsError(message) from error
    rows = csv.reader(text.replace("\x00", "\ufffd").splitlines(keepends=True), strict=True)
    header: list[str] | None = None
    count = 0
    while True:
        line = rows.line_num + 1
        try:
            row = next(rows, None)
        except csv.Error as error:
            message = f"{path}:{line}: not valid CSV: {error}"
            raise SettingsError(message) from error
        if row is None:
            return
        if not any(cell.strip() for cell in row) or row[0].lstrip().startswith("#"):
            continue
        if header is None:
            header = _header(row, f"{path}:{line}")
            continue
        count += 1
        yield _event(header, row, f"{path}:{line}", count)


def _header(row: list[str], where: str) -> list[str]:
    """Check the column names."""
    names = [cell.strip().lower() for cell in row]
    lacking = [name for name in REQUIRED if name not in names]
    foreign = [name for name in names if name not in COLUMNS]
    reason = ""
    if lacking:
        reason = f"column '{lacking[0]}' is missing"
    elif foreign:
        reason = f"no such column '{foreign[0][:40]}'"
    elif len(set(names)) < len(names):
        reason = "a column is named twice"
    if reason:
        message = f"{where}: {reason}"
        raise SettingsError(message, f"columns: {','.join(COLUMNS)}")
    return names


def _event(header: list[str], row: list[str], where: str, count: int) -> Event:
    """Make an event of one row, or say what is wrong with it."""
    reason = ""
    if count > MAX_ROWS:
        reason = f"more than {MAX_ROWS} events"
    elif len(row) != len(header):
        reason = f"{len(row)} fields where the header has {len(header)}"
    elif any(len(cell) > MAX_FIELD for cell in row):
        reason = f"a field is longer than {MAX_FIELD} characters"
    if reason:
        message = f"{where}: {reason}"
        raise SettingsError(message)
    cells = dict.fromkeys(COLUMNS, "") | {
        name: " ".join(cell.split()) for name, cell in zip(header, row, strict=True)
    }
    start = _day(cells["date_start"], "date_start", where)
    end = _day(cells["date_end"], "date_end", where) if cells["date_end"] else None
    confidence = cells["confidence"] or "medium"
    for wrong, reason in (
        (end is not None and end < start, "date_end lies before date_start"),
        (cells["kind"] not in KINDS, f"no such kind '{cells['kind'][:40]}'"),
        (cells["subject_type"] not in SUBJECT_TYPES, f"no such subject_type '{cells['subject_type'][:40]}'"),
        (not cells["subject"], "subject is empty"),
        (confidence not in CONFIDENCES, f"confidence '{confidence[:40]}' is not high, medium or low"),
        (
            bool(cells["source_url"]) and not cells["source_url"].startswith(("http://", "https://")),
            "source_url is no http(s) address",
        ),
    ):
        if wrong:
            message = f"{where}: {reason}"
            raise SettingsError(message, _advice(reason))
    return Event(
        date_start=start,
        date_end=end,
        kind=cells["kind"],
        subject_type=cells["subject_type"],
        subject=cells["subject"],
        summary=cells["summary"],
        source_url=cells["source_url"],
        confidence=confidence,
    )


def _advice(reason: str) -> str:
    """List what is allowed where a word is not known."""
    if reason.startswith("no such kind"):
        return f"known: {', '.join(sorted(KINDS))}"
    if reason.startswith("no such subject_type"):
        return f"known: {', '.join(sorted(SUBJECT_TYPES - {''}))}"
    return ""


def _day(text: str, column: str, where: str) -> dt.date:
    """Read an ISO date."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        message = f"{where}: {column} '{text[:40]}' is no date"
        raise SettingsError(message, "write dates as 2010-09-20") from error
