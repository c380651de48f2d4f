"""The lake: Delta tables, and the only code that knows Delta and DuckDB.

Reads and writes `lake/` of one observatory. Each commit is atomic; a write that fails leaves what was there.
Trusts nothing in the rows. A full disk or a held lock is `TryAgainError`; a lake written by a newer Spamtide,
or one that cannot be read, is `UnavailableError`.
"""

from spamtide.store.known import KnownKeys
from spamtide.store.lake import Lake
from spamtide.store.lock import writer_lock

__all__ = ["KnownKeys", "Lake", "writer_lock"]
