"""One writer a format, behind one signature: batches in, bytes out."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

import pyarrow as pa

Batches = Iterable[pa.RecordBatch]


def write_table(batches: Batches, schema: pa.Schema, file_format: str, out: BinaryIO) -> int:
    """Write rows to an open binary file; the number of rows written.

    Args:
        batches: the rows.
        schema: their schema, so that a table without rows still names its columns.
        file_format: a key of FORMATS.
        out: where to.
    """
    return FORMATS[file_format](batches, schema, out)


def _ndjson(batches: Batches, _schema: pa.Schema, out: BinaryIO) -> int:
    """One JSON object a line."""
    rows = 0
    for batch in batches:
        for row in batch.to_pylist():
            out.write(json.dumps({name: _plain(value) for name, value in row.items()}).encode() + b"\n")
            rows += 1
    return rows


def _csv(batches: Batches, schema: pa.Schema, out: BinaryIO) -> int:
    """RFC 4180 with a header line; lists as JSON."""
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(schema.names)
    rows = 0
    for batch in batches:
        for row in batch.to_pylist():
            writer.writerow([_cell(row[name]) for name in schema.names])
            rows += 1
    text.flush()
    text.detach()
    return rows


def _parquet(batches: Batches, schema: pa.Schema, out: BinaryIO) -> int:
    """Parquet with zstd."""
    import pyarrow.parquet as pq

    rows = 0
    sink = io.BytesIO() if not out.seekable() else out
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch.cast(schema))
            rows += batch.num_rows
    if sink is not out and isinstance(sink, io.BytesIO):
        out.write(sink.getvalue())
    return rows


FORMATS: dict[str, Callable[[Batches, pa.Schema, BinaryIO], int]] = {
    "ndjson": _ndjson,
    "csv": _csv,
    "parquet": _parquet,
}


def peek(batches: Iterator[pa.RecordBatch]) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """The schema of a stream of at least one batch, and the whole stream again."""
    first = next(batches)

    def whole() -> Iterator[pa.RecordBatch]:
        yield first
        yield from batches

    return first.schema, whole()


def _plain(value: Any) -> Any:  # noqa: ANN401 - a cell of any column
    """A JSON value: times as RFC 3339 in UTC, dates as ISO, not-a-number as null."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, bytes):
        return value.hex()
    return value


def _cell(value: Any) -> Any:  # noqa: ANN401 - a cell of any column
    """A CSV cell: missing is empty, lists are JSON."""
    plain = _plain(value)
    if plain is None:
        return ""
    if isinstance(plain, bool):
        return "true" if plain else "false"
    return json.dumps(plain) if isinstance(plain, list) else plain
