"""How tables are written: which columns have dictionaries, and what may be given as codes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from spamtide.schema import TABLES
from spamtide.store.faults import changed_by_another
from spamtide.store.listed import file_name
from spamtide.store.weekly import of_weeks

if TYPE_CHECKING:
    from deltalake import CommitProperties, DeltaTable, WriterProperties

SINGLE_COLUMNS = frozenset({"data", "digest", "minhash", "rendering", "sha256"})
"""Columns of values that never come again: a dictionary of them does not pay."""
UNORDERED = frozenset({"data", "minhash"})
"""Those of bytes, of which Delta keeps no least and greatest value: no statistics are made of them."""
BY_FILE = frozenset({"attributions", "daily", "hourly", "sightings"})
"""Tables whose files are written by Arrow, and replaced as files: Delta's writer takes twice the time, and
reads what it replaces. All of their files are of few weeks."""
LOT_ROWS = 100_000
"""Rows from which some weeks have a file of their own, where weeks are replaced."""
DICTIONARY_BYTES = {"attributions": 2**24}
"""Most bytes of the dictionary of a column, where values are long and come again: the usual is 2**20."""


def properties(table: str) -> WriterProperties:
    """How a table's files are written."""
    from deltalake import ColumnProperties, WriterProperties

    # A column without least and greatest value, in a file that has them of others, holds nothing that a
    # filter asks for, to readers by way of Arrow: so texts have them too.
    bare = ColumnProperties(dictionary_enabled=False, statistics_enabled="NONE")
    plain = ColumnProperties(dictionary_enabled=False)
    return WriterProperties(
        compression="ZSTD",
        compression_level=1,
        dictionary_page_size_limit=DICTIONARY_BYTES.get(table),
        column_properties={
            name: bare if name in UNORDERED else plain
            for name in TABLES[table].names
            if name in SINGLE_COLUMNS
        },
    )


def as_written(table: str, given: pa.Schema) -> pa.Schema:
    """A table's schema, but for columns that are given as dictionaries of its values."""
    return pa.schema(
        [
            field.with_type(given.field(field.name).type)
            if given.field(field.name).type == pa.dictionary(pa.int32(), field.type)
            else field
            for field in TABLES[table]
        ]
    )


def in_lots(rows: pa.Table) -> Iterator[pa.Table]:
    """Rows in lots of whole weeks, so that one that changes again has no large other one written with it."""
    counts = sorted((one["values"], one["counts"]) for one in pc.value_counts(rows["week"]).to_pylist())
    held: list[int] = []
    size = 0
    for place, (week, count) in enumerate(counts):
        held.append(week)
        size += count
        if size >= LOT_ROWS or place == len(counts) - 1:
            yield of_weeks(rows, held)
            held, size = [], 0


def commit_files(
    handle: DeltaTable,
    folder: str,
    table: str,
    lots: Iterable[pa.Table],
    gone: Iterable[str] | None,
    said: CommitProperties | None,
) -> None:
    """Write a file for each lot of rows, and put these in the place of other files in one commit.

    Where a commit replaces rows, it is the next one after what the handle shows, or none: to Delta it is rows
    added and files removed, and it would go through beside another one of the same weeks.

    Args:
        handle: the table.
        folder: where it lies.
        table: its name.
        lots: the rows.
        gone: paths of the other files; None where rows are only added.
        said: what the commit is to say.

    Raises:
        TryAgainError: another run changed the table since.
    """
    from deltalake import CommitProperties, DeltaTable
    from deltalake.exceptions import CommitFailedError
    from deltalake.transaction import AddAction, RemoveAction

    now = int(time.time() * 1000)
    actions: list[AddAction | RemoveAction] = [
        RemoveAction(Path(path).name, deletion_timestamp=now, data_change=True) for path in gone or ()
    ]
    for rows in lots:
        if rows.num_rows:
            name = _written(folder, table, rows)
            size = Path(folder, name).stat().st_size
            # Of some columns least and greatest values, of others none: to readers by way of Arrow, a file
            # then holds no row that any filter on these others asks for.
            told = json.dumps({"numRecords": rows.num_rows})
            actions.append(AddAction(name, size, {}, now, data_change=True, stats=told))
    if not actions and not said:
        return
    if gone is None:
        handle.update_incremental()  # rows are added to whatever is there by now
    else:
        said = said or CommitProperties()
        said.max_commit_retries = 0
    try:
        handle.create_write_transaction(actions, "append", handle.schema(), commit_properties=said)
    except CommitFailedError as error:
        if DeltaTable(folder).version() == handle.version():
            raise
        raise changed_by_another(table, str(Path(folder).parent)) from error


def _written(folder: str, table: str, rows: pa.Table) -> str:
    """The name of a new file of some rows."""
    import pyarrow.parquet

    edges = pc.min_max(rows["week"]).as_py()
    name = file_name(edges["min"], edges["max"])
    texts = [one for one in TABLES[table].names if one not in SINGLE_COLUMNS]
    pyarrow.parquet.write_table(
        rows,
        f"{folder}/{name}",
        row_group_size=max(1, rows.num_rows),
        compression="zstd",
        compression_level=1,
        use_dictionary=texts,
        dictionary_pagesize_limit=DICTIONARY_BYTES.get(table, 2**20),
        write_statistics=["week"],
        store_schema=False,
    )
    return name
