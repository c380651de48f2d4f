"""What the log of a Delta table, and files' names, say of it and of its files, without a look into them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from deltalake import DeltaTable

SCHEMA_NOTE = "spamtide schema "
"""How a table's description begins."""
Edges = list[tuple[str, int | None, int | None]]
"""Path, first and last week of each file, in the order of the paths; None where it is not said."""
_NAMED = re.compile(r"weeks_(-?\d+)_(-?\d+)_[0-9a-f-]+\.parquet")


def file_name(first: int, last: int) -> str:
    """A name for a new file that holds rows of weeks from first to last."""
    return f"weeks_{first}_{last}_{uuid.uuid4()}.parquet"


def edges_of(handle: DeltaTable) -> Edges:
    """The weeks that each file of a table kept by week holds rows of: by its name, or else by the log."""
    found = pa.table(handle.get_add_actions(flatten=True))
    paths = found["path"].to_pylist()
    edges = [
        found[name].to_pylist() if name in found.column_names else [None] * len(paths)
        for name in ("min.week", "max.week")
    ]
    told = sorted(zip(paths, *edges, strict=True), key=lambda one: one[0])
    named = [(_NAMED.fullmatch(path), path, least, most) for path, least, most in told]
    return [
        (path, int(name[1]), int(name[2])) if name else (path, least, most)
        for name, path, least, most in named
    ]


def rows_of(handle: DeltaTable, paths: Collection[str]) -> int | None:
    """How many rows some files of a table hold; None where it is not said of all."""
    told = pa.table(handle.get_add_actions())
    pairs = zip(told["path"].to_pylist(), told["num_records"].to_pylist(), strict=True)
    counts = [count for path, count in pairs if any(uri.endswith(path) for uri in paths)]
    return None if None in counts else sum(counts)


def of_files(whole: Any, paths: Collection[str]) -> Any:  # noqa: ANN401 - pyarrow datasets
    """Some files of a dataset."""
    kept = [one for one in whole.get_fragments() if any(uri.endswith(one.path) for uri in paths)]
    return type(whole)(kept, whole.schema, whole.format, kept[0].filesystem if kept else None)


def schema_of(handle: DeltaTable) -> int:
    """Schema version that a table was written under; 0 where it does not say."""
    words = (handle.metadata().description or "").removeprefix(SCHEMA_NOTE)
    return int(words) if words.isdigit() else 0
