"""`collect`: paths in, messages out, and one error at the end for all that went wrong."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from spamtide.collector.disk import Disk
from spamtide.collector.naming import STDIN_SENSOR, sensor_of_folder, shown
from spamtide.collector.reading import Item, Place, Reading, Terms
from spamtide.collector.sidecar import SIDECAR_BYTES, read_sidecar
from spamtide.collector.walking import sidecar_of, walk
from spamtide.errors import BadDataError, NoInputError, SpamtideError, UsageError
from spamtide.model import NO_ENVELOPE, Envelope, Label
from spamtide.settings import Limits

STDIN = "-"
DEFAULT_LIMITS = Limits()


def collect(  # noqa: PLR0913 - the options of `spamtide ingest`, all but the paths by keyword
    paths: Sequence[str],
    *,
    sensor: str | None = None,
    label: Label = "spam",
    lab: str | None = None,
    members: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    stdin: BinaryIO | None = None,
    on_bytes: Callable[[int], None] | None = None,
) -> Iterator[Item]:
    """Read mail from files, folders, Maildirs, mboxes, archives of all these, and stdin.

    Args:
        paths: what to read, in this order; '-' is one message on stdin.
        sensor: name of the place of reception; None takes the source's name.
        label: what the sources hold.
        lab: family whose bot sent all this in a lab; None for mail from the wild.
        members: a glob (`*` crosses '/') over the path inside a folder or archive; others are passed over.
        limits: bounds; only `message_bytes` is used.
        stdin: read for '-'; None is the process's own.
        on_bytes: told how many bytes were read from disk, for progress; in the unit of `input_size`.

    Returns:
        Every message, and an Unreadable for all else that was met, in bounded memory. After the last one the
        iterator raises for all that went wrong on the way: the first error, and how many more there were.

    Raises:
        NoInputError: at once when a path is missing; at the end when something may not or cannot be read.
        BadDataError: at the end when something is cut, damaged, or holds no mail.
        UsageError: at once when '-' is given twice.
    """
    refuse_missing(paths)
    terms = Terms(sensor, label, lab, members, limits)
    return _collect(paths, terms, stdin, on_bytes)


def refuse_missing(paths: Sequence[str]) -> None:
    """Refuse missing paths before anything is read, or made.

    Raises:
        NoInputError: a path is missing.
        UsageError: '-' is given twice.
    """
    if list(paths).count(STDIN) > 1:
        message = "'-' is given twice, but stdin can be read only once"
        raise UsageError(message)
    missing: list[SpamtideError] = []
    for path in paths:
        try:
            if path != STDIN:
                Path(path).stat()
        except PermissionError:
            pass  # the others can still be read; it is met again there
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            missing.append(NoInputError(f"{shown(path)}: {reason}", "nothing was read"))
    if missing:
        raise _summary(missing[0], len(missing))


def _collect(
    paths: Sequence[str], terms: Terms, stdin: BinaryIO | None, on_bytes: Callable[[int], None] | None
) -> Iterator[Item]:
    """Read path after path, then raise for what went wrong."""
    first: SpamtideError | None = None
    count = 0
    for path in paths:
        reading = Reading(terms, path)
        if path == STDIN:
            disk = Disk(stdin or sys.stdin.buffer, STDIN, 0, on_bytes)
            yield from reading.read_disk(disk, Place(STDIN, STDIN, STDIN_SENSOR, certain=True, single=True))
        elif os.path.isdir(path):
            yield from _read_folder(path, reading, on_bytes)
        else:
            place = Place(shown(path), Path(path).name, certain=True)
            yield from _read_file(path, sidecar_of(path), place, reading, on_bytes)
        if not reading.holds_mail and not reading.problems:
            wanted = f" that matches '{terms.members}'" if terms.members else ""
            reading.note(shown(path), BadDataError(f"{shown(path)}: holds no mail{wanted}"))
        first = first or reading.first_problem
        count += reading.problems
    if first:
        raise _summary(first, count)


def _summary(first: SpamtideError, count: int) -> SpamtideError:
    """Make one error of several: the first, and how many more there are."""
    return type(first)(first.message + (f" (+{count - 1} more)" if count > 1 else ""), first.advice)


def _read_folder(path: str, reading: Reading, on_bytes: Callable[[int], None] | None) -> Iterator[Item]:
    """Read all files below a folder."""
    sensor = sensor_of_folder(path)
    top = shown(path).rstrip("/")
    for found in walk(path):
        inner = shown(found.inner)
        name = os.path.basename(found.path)
        place = Place(f"{top}/{inner}", name, sensor, inner=inner, single=found.single)
        if found.fault:
            reading.fail(place.source, found.fault)
        elif found.special:
            yield from reading.skip(place, found.special)
        else:
            yield from _read_file(found.path, found.sidecar, place, reading, on_bytes)


def _read_file(
    path: str, sidecar: str, place: Place, reading: Reading, on_bytes: Callable[[int], None] | None
) -> Iterator[Item]:
    """Open and read one file."""
    try:
        file = Path(path).open("rb", buffering=0)  # noqa: SIM115 - closed below
    except (OSError, ValueError) as error:
        reading.fail(place.source, error)
        return
    with closing(file):
        status = os.fstat(file.fileno())
        disk = Disk(file, place.source, status.st_size if stat.S_ISREG(status.st_mode) else 0, on_bytes)
        yield from reading.read_disk(disk, replace(place, envelope=_envelope(sidecar)) if sidecar else place)
        disk.finish()


def _envelope(sidecar: str) -> Envelope:
    """What the side-car of a message knows; nothing when it cannot be read."""
    try:
        with Path(sidecar).open("rb") as file:
            return read_sidecar(file.read(SIDECAR_BYTES))
    except OSError:
        return NO_ENVELOPE
