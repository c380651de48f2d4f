"""How tables are written: which columns have dictionaries, and what may be given as codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from spamtide.schema import TABLES

if TYPE_CHECKING:
    from deltalake import WriterProperties

SINGLE_COLUMNS = frozenset({"data", "digest", "minhash", "rendering", "sha256"})
"""Columns of values that never come again: a dictionary of them does not pay, nor do statistics."""
DICTIONARY_BYTES = {"attributions": 2**24}
"""Most bytes of the dictionary of a column, where values are long and come again: the usual is 2**20."""


def properties(table: str) -> WriterProperties:
    """How a table's files are written."""
    from deltalake import ColumnProperties, WriterProperties

    plain = ColumnProperties(dictionary_enabled=False, statistics_enabled="NONE")
    return WriterProperties(
        compression="ZSTD",
        compression_level=1,
        dictionary_page_size_limit=DICTIONARY_BYTES.get(table),
        column_properties=dict.fromkeys(SINGLE_COLUMNS.intersection(TABLES[table].names), plain),
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
