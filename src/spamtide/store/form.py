"""Whether a stored table has the form that this program reads, and what to say where it has not."""

from __future__ import annotations

from collections.abc import Collection

from spamtide.errors import UnavailableError
from spamtide.schema import DERIVED, SCHEMA_VERSION, TABLES

MOST_NAMED = 6
"""Columns that a message names."""


def check_form(table: str, uri: str, version: int, columns: Collection[str]) -> None:
    """Refuse a table that this program cannot read; columns that it does not know do no harm by themselves.

    Args:
        table: its name.
        uri: the lake that it is in, for the message.
        version: schema version that it was written under; 0 where it does not say.
        columns: names of its columns.

    Raises:
        UnavailableError: it lacks columns, or a newer Spamtide wrote it.
    """
    wanted = TABLES[table].names
    missing = [name for name in wanted if name not in columns]
    if not missing and version <= SCHEMA_VERSION:
        return
    where = f"table '{table}' of {uri}"
    if 0 < version <= SCHEMA_VERSION and table in DERIVED:
        message = f"{where} was written by an older Spamtide: it lacks {_listed(missing)}"
        raise UnavailableError(message, "run `spamtide update`, which makes it anew")
    unknown = [name for name in columns if name not in wanted]
    parts = [f"lacks {_listed(missing)}"] if missing else []
    parts += [f"has {_listed(unknown)} that this program does not know"] if unknown else []
    if version > SCHEMA_VERSION:
        told = f"{where} has schema {version}, and this program knows {SCHEMA_VERSION}"
        message = told + (f": it {' and '.join(parts)}" if parts else "")
        raise UnavailableError(message, "use the newer Spamtide that wrote it; nothing was changed")
    message = f"{where} {'' if version else 'has no schema of Spamtide: it '}{' and '.join(parts)}"
    if version:
        advice = (
            "use the Spamtide that wrote it, or `spamtide init` a new observatory and ingest its mail again"
        )
    else:
        advice = "no Spamtide wrote it: move it out of the lake"
    raise UnavailableError(message, f"{advice}; nothing was changed")


def _listed(names: Collection[str]) -> str:
    """'column a', 'columns a, b', and of many the first and how many more."""
    told = ", ".join(sorted(names)[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return f"column{'s' * (len(names) > 1)} {told}" + (f" and {more} more" if more > 0 else "")
