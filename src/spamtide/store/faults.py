"""What the disk, Arrow, delta-rs and DuckDB throw, told apart by what they say and made errors of ours."""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from spamtide.errors import SpamtideError, TryAgainError, UnavailableError, UsageError

RESERVE_BYTES = 2**20
"""Room that a write leaves on the disk."""
DISK_FULL_WORDS = (
    "no space left",
    "os error 28",
    "disk quota",
    "os error 122",
    "file too large",
    "os error 27",
)
CONFLICT_WORDS = ("concurrent transaction", "already exists")
"""How delta-rs says that a commit does not go with one that came before it."""
UNOPENED = re.compile(r"[\[\]^|\\\x00-\x1f\x7f\ud800-\udfff]|%[0-9a-fA-F]{2}")
"""What delta-rs cannot have in a path: at some it panics, as at no name of a host, some it refuses, and what
looks like an escape it undoes when it reads, so that it reads from another folder than it writes to."""


def is_disk_full(error: BaseException) -> bool:
    """Whether an error, or one behind it, says that the disk is full."""
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return True
    return any(words in str(error).lower() for words in DISK_FULL_WORDS)


def is_of_reading(error: Exception) -> bool:
    """Whether an error is what Arrow, delta-rs or DuckDB throw at files that are lost or broken."""
    return isinstance(error, OSError | ValueError | RuntimeError) or type(error).__module__.startswith(
        ("_duckdb", "duckdb", "deltalake", "_internal")
    )  # delta-rs calls the module of its errors `_internal`


def first_line(error: BaseException) -> str:
    """An error's first line, for a one-line message."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def check_place(directory: Path) -> None:
    """Refuse a folder in which delta-rs cannot open tables.

    Raises:
        UsageError: it is one.
    """
    found = UNOPENED.search(directory.absolute().as_posix())
    if found:
        message = f"tables cannot be kept below {directory.absolute()}: its name holds {found[0]!a}"
        raise UsageError(message, "rename the folder, or choose another")


def check_room(table: str, lake: str, size: int) -> None:
    """Refuse a write that may not fit, before delta-rs meets the full disk and says so in its own way."""
    try:
        free = shutil.disk_usage(lake).free
    except OSError:
        return  # an object store, or a folder that is yet to be made
    if free < size + RESERVE_BYTES:
        _no_room(table, lake)


def _no_room(table: str, lake: str) -> NoReturn:
    """The disk is full, or as good as."""
    message = f"no room on the disk for table '{table}' of {lake}"
    raise TryAgainError(message, "make room; the same command goes on where this one stopped")


def changed_by_another(table: str, lake: str) -> TryAgainError:
    """Another writer's commit came first; nothing was written."""
    message = f"another run changed table '{table}' of {lake}"
    return TryAgainError(message, "wait for it to end, then run the same command again")


@contextmanager
def writing(table: str, lake: str) -> Iterator[None]:
    """Turn what the disk or Delta throws while writing into our errors."""
    try:
        yield
    except SpamtideError:
        raise
    except Exception as error:
        if is_disk_full(error):
            _no_room(table, lake)
        if type(error).__name__ == "CommitFailedError" and any(
            words in str(error) for words in CONFLICT_WORDS
        ):
            raise changed_by_another(table, lake) from error
        message = f"cannot write table '{table}' of {lake}: {first_line(error)}"
        raise UnavailableError(message, "run `spamtide doctor`") from error


@contextmanager
def reading(table: str, lake: str) -> Iterator[None]:
    """Turn what Delta, Parquet or DuckDB throws while reading into our errors."""
    try:
        yield
    except Exception as error:
        if isinstance(error, SpamtideError) or not is_of_reading(error):
            raise
        message = f"cannot read '{table}' of {lake}: {first_line(error)}"
        raise UnavailableError(message, "run `spamtide doctor`") from error
