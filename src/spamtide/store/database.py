"""The DuckDB that queries of one process share: to make one costs as much as a small query."""

from __future__ import annotations

import os
import secrets
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

MOST = 4
"""Lakes whose DuckDB a process keeps."""
_MADE: dict[tuple[int, str], duckdb.DuckDBPyConnection] = {}
"""By process and lake. What a fork inherited is kept and left alone: its threads stayed behind."""


def database(lake: str) -> duckdb.DuckDBPyConnection:
    """The DuckDB of this process for a lake, in memory and empty; it never reaches for the network.

    A query takes a `cursor`, a connection: what that registers, and its temporary views, are its own.

    Args:
        lake: the lake's address.
    """
    process = os.getpid()
    found = _MADE.get((process, lake))
    if found is None:
        import duckdb

        own = [key for key in list(_MADE) if key[0] == process]
        for key in own[: len(own) - MOST + 1]:
            _MADE.pop(key, None)  # a query that still runs has its share of it
        made = duckdb.connect(
            ":memory:",
            config={
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "temp_directory": _spill_folder(lake),
            },
        )
        made.execute("SET GLOBAL parquet_metadata_cache = true")  # of files that never change
        found = _MADE.setdefault((process, lake), made)
    return found


def _spill_folder(lake: str) -> str:
    """Where one process's DuckDB may put what it cannot hold in memory; it makes and removes the folder.

    It is mail, and DuckDB lets all read it: so it lies beside the tables, no more open than these, and
    where these may not be written to, under a name that nobody can take beforehand.
    """
    if "://" not in lake and os.access(lake, os.W_OK):
        return f"{lake}/.spill-{os.getpid()}"
    return f"{tempfile.gettempdir()}/spamtide-{secrets.token_hex(16)}"
