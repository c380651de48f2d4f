"""Texts of a table as codes: what repeats in every row is read and counted in a third of the time."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from pyarrow.dataset import ParquetReadOptions

CODED = pa.dictionary(pa.int32(), pa.string())
_ITEMS = ("element", "item")
"""What writers of Parquet call the items of a list."""


def with_codes(schema: pa.Schema, names: Collection[str] | None = None) -> pa.Schema:
    """A schema with its texts as codes, or those of some columns; of lists in such a column, their items."""
    return pa.schema(
        [
            (one.name, _with_codes(one.type, named=names is not None))
            if names is None or one.name in names
            else (one.name, one.type)
            for one in schema
        ]
    )


def _with_codes(kind: pa.DataType, *, named: bool) -> pa.DataType:
    if named and pa.types.is_list(kind):
        return pa.list_(_with_codes(kind.value_type, named=True))
    return CODED if kind == pa.string() else kind


def reading_codes(schema: pa.Schema) -> ParquetReadOptions:
    """How Parquet is read to have the columns that are codes in a schema as they lie in the files."""
    from pyarrow.dataset import ParquetReadOptions

    items = [
        f"{one.name}.list.{item}"
        for one in schema
        if pa.types.is_list(one.type) and one.type.value_type == CODED
        for item in _ITEMS
    ]
    return ParquetReadOptions(dictionary_columns=[one.name for one in schema if one.type == CODED] + items)


def codes_of(column: pa.ChunkedArray | pa.Array) -> tuple[pa.Array, pa.Array]:
    """Places of texts, or other values, among the distinct ones, null where there is none; and these."""
    if pa.types.is_dictionary(column.type):
        chunks = [column] if isinstance(column, pa.Array) else column.chunks
        column = pa.chunked_array(
            [_without_null(chunk) for chunk in chunks], column.type
        ).unify_dictionaries()
    else:
        column = column.dictionary_encode()
    joined = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return joined.indices, joined.dictionary


def in_one_piece(rows: pa.Table) -> pa.Table:
    """Rows in one piece, with one set of codes a column."""
    for place, field in enumerate(rows.schema):
        if field.type == CODED:
            chunks = [_without_null(chunk) for chunk in rows[field.name].chunks]
            rows = rows.set_column(place, field, pa.chunked_array(chunks, CODED))
    return rows.unify_dictionaries().combine_chunks()


def _without_null(codes: pa.DictionaryArray) -> pa.DictionaryArray:
    """Codes of texts of which null is none: where all of a piece is null, Parquet's reader makes it one."""
    return codes.dictionary_decode().dictionary_encode() if codes.dictionary.null_count else codes
