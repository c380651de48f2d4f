"""Lists of control-server checks, read strictly: a plain CSV and Feodo Tracker's CSV.

The plain form has the columns of COLUMNS; `port` and `source` may be left out. Feodo Tracker (abuse.ch)
gives one row a server: when it was first seen, the last day on which it was online, and whether it is online
now; 'now' is the '# Last updated' line of the file. Each such row makes up to three checks.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spamtide.errors import NoInputError, SettingsError
from spamtide.statement import Check

COLUMNS = ("host", "port", "family", "time", "alive", "source")
REQUIRED = ("host", "family", "time", "alive")
FEODO = frozenset({"first_seen_utc", "dst_ip", "dst_port", "last_online", "malware"})
"""Columns by which Feodo Tracker's form is known; 'c2_status' came later and may be missing."""
FEODO_SOURCE, PLAIN_SOURCE = "feodo-tracker", "list"
WORDS: dict[str, bool] = {
    "1": True, "true": True, "yes": True, "up": True, "online": True, "alive": True,
    "0": False, "false": False, "no": False, "down": False, "offline": False, "dead": False,
}  # fmt: skip
MAX_BYTES = 256 * 2**20
MAX_ROWS = 2_000_000
MAX_FIELD = 300
NOON = dt.time(12)
"""A day without a time of day counts as its noon."""
PORTS = 65_535

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.:-]{0,252}[A-Za-z0-9])?")
_UPDATED = re.compile(r"#\s*last updated:\s*(\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2})?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list with its place."""

    cells: dict[str, str]
    where: str
    """'file:line'."""


def read_list(path: Path, at: dt.datetime | None = None) -> tuple[Check, ...]:
    """Read one list; its form is known by its columns.

    Args:
        path: the file, CSV in UTF-8.
        at: when the list was made, for a Feodo Tracker file without its '# Last updated' line.

    Returns:
        All checks, by time and host, equal ones once.

    Raises:
        NoInputError: the file cannot be read.
        SettingsError: a line is wrong; the message is 'file:line: reason'.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            message = f"{path}:1: larger than {MAX_BYTES >> 20} MiB"
            raise SettingsError(message)
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{path}:1: is not UTF-8: {error.reason}"
        raise SettingsError(message) from error
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror or error}"
        raise NoInputError(message) from error
    header, rows = _rows(path, text)
    if set(header) >= FEODO:
        updated = _UPDATED.search(text)
        made = _moment(updated[1], f"{path}:1") if updated else at
        found = {check for row in rows for check in _feodo(row, made)}
    else:
        _check_header(header, path)
        found = {_plain(row) for row in rows}
    return tuple(sorted(found, key=lambda c: (c.at, c.host, c.port, c.family, c.alive, c.source)))


def _rows(path: Path, text: str) -> tuple[list[str], list[Row]]:
    """Header and rows; lines that begin with '#' and empty ones are passed over."""
    reader = csv.reader(text.replace("\x00", "\ufffd").splitlines(keepends=True), strict=True)
    header: list[str] = []
    rows: list[Row] = []
    for where, cells in _lines(reader, path):
        if not header:
            header = [cell.lower() for cell in cells]
            continue
        if len(cells) != len(header):
            message = f"{where}: {len(cells)} fields where the header has {len(header)}"
            raise SettingsError(message)
        if len(rows) >= MAX_ROWS or any(len(cell) > MAX_FIELD for cell in cells):
            message = f"{where}: more than {MAX_ROWS:,} rows, or a field of more than {MAX_FIELD} characters"
            raise SettingsError(message)
        rows.append(Row(dict(zip(header, cells, strict=True)), where))
    if not header:
        message = f"{path}:1: no header line"
        raise SettingsError(message, f"columns: {','.join(COLUMNS)}")
    return header, rows


def _lines(reader: Iterator[list[str]], path: Path) -> Iterator[tuple[str, list[str]]]:
    """Records of a CSV with their place, comments left out."""
    while True:
        where = f"{path}:{reader.line_num + 1}"  # type: ignore[attr-defined]  # csv readers have line_num
        try:
            cells = next(reader, None)
        except csv.Error as error:
            message = f"{where}: not valid CSV: {error}"
            raise SettingsError(message) from error
        if cells is None:
            return
        if any(cell.strip() for cell in cells) and not cells[0].lstrip().startswith("#"):
            yield where, [" ".join(cell.split()) for cell in cells]


def _check_header(header: list[str], path: Path) -> None:
    """Refuse a header that is neither form."""
    lacking = [name for name in REQUIRED if name not in header]
    foreign = [name for name in header if name not in COLUMNS]
    if lacking or foreign or len(set(header)) < len(header):
        what = f"column '{lacking[0]}' is missing" if lacking else "a column is not known or named twice"
        message = f"{path}:1: {what}"
        raise SettingsError(message, f"columns: {','.join(COLUMNS)}, or Feodo Tracker's")


def _plain(row: Row) -> Check:
    """One row of the plain form."""
    alive = WORDS.get(row.cells["alive"].lower())
    if alive is None:
        message = f"{row.where}: alive '{row.cells['alive'][:40]}' is neither yes nor no"
        raise SettingsError(message, f"known: {', '.join(WORDS)}")
    return Check(
        host=_host(row.cells["host"], row.where),
        port=_port(row.cells.get("port", ""), row.where),
        family=_family(row.cells["family"], row.where),
        at=_moment(row.cells["time"], row.where),
        alive=alive,
        source=row.cells.get("source", "") or PLAIN_SOURCE,
    )


def _feodo(row: Row, made: dt.datetime | None) -> Iterator[Check]:
    """The checks that one row of Feodo Tracker's form stands for."""
    host = _host(row.cells["dst_ip"], row.where)
    port = _port(row.cells["dst_port"], row.where)
    family = _family(row.cells["malware"], row.where)

    def check(at: dt.datetime, *, alive: bool) -> Check:
        return Check(host, port, family, at, alive, FEODO_SOURCE)

    yield check(_moment(row.cells["first_seen_utc"], row.where), alive=True)
    online = row.cells["last_online"]
    last = _moment(online, row.where) if online else None
    if last is not None and (made is None or last <= made):
        yield check(last, alive=True)
    status = row.cells.get("c2_status", "").lower()
    if status and status not in {"online", "offline"}:
        message = f"{row.where}: c2_status '{status[:40]}' is neither online nor offline"
        raise SettingsError(message)
    if status and made is not None:
        yield check(made, alive=status == "online")


def _host(text: str, where: str) -> str:
    """A host's address or name."""
    if not _HOST.fullmatch(text):
        message = f"{where}: host '{text[:40]}' is neither an address nor a name"
        raise SettingsError(message)
    return text.lower()


def _port(text: str, where: str) -> int:
    """A port; 0 for none."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and int(text[:6]) <= PORTS):
        message = f"{where}: port '{text[:40]}' is no number up to {PORTS}"
        raise SettingsError(message)
    return int(text)


def _family(text: str, where: str) -> str:
    """A family's name."""
    if not text:
        message = f"{where}: the family is empty"
        raise SettingsError(message)
    return text


def _moment(text: str, where: str) -> dt.datetime:
    """A time in UTC; a day alone is its noon."""
    try:
        found = dt.datetime.fromisoformat(text)
        if len(text) == len("2010-10-14"):
            found = dt.datetime.combine(found.date(), NOON)
        return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        message = f"{where}: '{text[:40]}' is no time"
        raise SettingsError(message, "write times as 2010-10-14T06:00:00Z or 2010-10-14") from error
