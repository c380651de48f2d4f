"""What the disk, Arrow, delta-rs and DuckDB throw, told apart by what they say."""

from __future__ import annotations

import errno

DISK_FULL_WORDS = (
    "no space left",
    "os error 28",
    "disk quota",
    "os error 122",
    "file too large",
    "os error 27",
)


def is_disk_full(error: BaseException) -> bool:
    """Whether an error, or one behind it, says that the disk is full."""
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return True
    return any(words in str(error).lower() for words in DISK_FULL_WORDS)


def is_of_reading(error: Exception) -> bool:
    """Whether an error is what Arrow, delta-rs or DuckDB throw at files that are lost or broken."""
    return isinstance(error, OSError | ValueError | RuntimeError) or type(error).__module__.startswith(
        ("_duckdb", "duckdb", "deltalake")
    )


def first_line(error: BaseException) -> str:
    """An error's first line, for a one-line message."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
