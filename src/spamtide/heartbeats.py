"""Signs of life of sensors from a file, for `spamtide ingest --heartbeats`."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pyarrow as pa

from spamtide.errors import BadDataError, NoInputError
from spamtide.observatory import Observatory
from spamtide.schema import HEARTBEATS
from spamtide.store import heartbeats, writer_lock

COLUMNS = ["sensor", "time"]


def take_heartbeats(observatory: Observatory, path: Path) -> int:
    """Store the signs of life of a CSV file; those that are stored already count nothing.

    The file has the columns sensor and time (ISO 8601, UTC where no zone is given), in this order, with or
    without a header line. A wrong line stores nothing of the file.

    Returns:
        How many were new.

    Raises:
        NoInputError: the file cannot be read.
        BadDataError: a line is wrong; the message names it.
    """
    beats = read_heartbeats(path)
    with writer_lock(observatory.directory / "lake"):
        return heartbeats.add(observatory.lake, beats)


def read_heartbeats(path: Path) -> pa.Table:
    """Rows of HEARTBEATS of a file.

    Raises:
        NoInputError: the file cannot be read.
        BadDataError: it is no CSV, or a line is wrong; the message names it.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [(number, row) for number, row in enumerate(csv.reader(file), start=1) if row]
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}"
        raise NoInputError(message) from error
    except (UnicodeDecodeError, csv.Error) as error:
        message = f"{path} is no CSV: {error}"
        raise BadDataError(message) from error
    if lines and [cell.strip().lower() for cell in lines[0][1]] == COLUMNS:
        lines = lines[1:]
    parsed = [_parse(path, number, row) for number, row in lines]
    columns = [[sensor for sensor, _ in parsed], [moment for _, moment in parsed]]
    return pa.table(columns, schema=HEARTBEATS)


def _parse(path: Path, number: int, row: list[str]) -> tuple[str, dt.datetime]:
    """One line."""
    problem = f"{path}:{number}: a heartbeat is 'sensor,time', not {','.join(row)[:80]!r}"
    if len(row) != len(COLUMNS) or not row[0].strip():
        raise BadDataError(problem)
    try:
        moment = dt.datetime.fromisoformat(row[1].strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=dt.UTC)
        return row[0].strip(), moment.astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise BadDataError(problem, "write the time as 2026-11-26T06:00Z") from error
