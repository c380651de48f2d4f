"""One writer at a time in an observatory: an advisory lock that the kernel drops when its holder dies."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spamtide.errors import TryAgainError, UnavailableError

LOCK_FILE = ".writer"
POLL_SECONDS = 0.2


@contextmanager
def writer_lock(folder: Path, *, wait_seconds: float = 10.0) -> Iterator[None]:
    """Hold the observatory's writer lock.

    Raises:
        TryAgainError: another run held it for all of `wait_seconds`.
        UnavailableError: the observatory may not be written to.
    """
    try:
        folder.mkdir(exist_ok=True)  # a checkout of the text files alone has none yet
        handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    except PermissionError as error:
        message = f"cannot write to {folder}"
        raise UnavailableError(message, "its files belong to somebody else, or may only be read") from error
    try:
        _acquire(handle, folder, time.monotonic() + wait_seconds)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, folder: Path, deadline: float) -> None:
    """Try until the deadline."""
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in {errno.EAGAIN, errno.EACCES}:
                raise
            if time.monotonic() >= deadline:
                message = f"another run is writing to {folder}"
                raise TryAgainError(message, "wait for it to end, then run the same command again") from error
            time.sleep(POLL_SECONDS)
        else:
            return
