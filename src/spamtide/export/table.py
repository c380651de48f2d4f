"""One writer a format, behind one signature: batches in, bytes out."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa

Batches = Iterable[pa.RecordBatch]


FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""What a cell begins with that a spreadsheet program takes for a formula, its wide forms included."""
BYTE_ORDER_MARK = "\ufeff"
"""By this a spreadsheet program knows a CSV file as UTF-8."""


@dataclass(slots=True)
class Written:
    """What was written."""

    rows: int = 0
    formulas: int = 0
    """Cells of a CSV file that begin like a formula."""


def write_table(
    batches: Batches, schema: pa.Schema, file_format: str, out: BinaryIO, *, spreadsheet: bool = False
) -> Written:
    """Write rows to an open binary file.

    Args:
        batches: the rows.
        schema: their schema, so that a table without rows still names its columns.
        file_format: a key of FORMATS.
        out: where to.
        spreadsheet: write CSV for a spreadsheet program: with a byte order mark, and an apostrophe before
            what it would run as a formula. Else every cell is as it is, which is what data tools want.
    """
    if spreadsheet:
        return _csv(batches, schema, out, spreadsheet=True)
    return FORMATS[file_format](batches, schema, out)


def _ndjson(batches: Batches, _schema: pa.Schema, out: BinaryIO) -> Written:
    """One JSON object a line."""
    written = Written()
    for batch in batches:
        for row in batch.to_pylist():
            out.write(json.dumps({name: _plain(value) for name, value in row.items()}).encode() + b"\n")
            written.rows += 1
    return written


def _csv(batches: Batches, schema: pa.Schema, out: BinaryIO, *, spreadsheet: bool = False) -> Written:
    """RFC 4180 with a header line; lists as JSON."""
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    text.write(BYTE_ORDER_MARK if spreadsheet else "")
    writer = csv.writer(text)
    writer.writerow(schema.names)
    written = Written()
    for batch in batches:
        for row in batch.to_pylist():
            cells = [_cell(row[name]) for name in schema.names]
            for at, cell in enumerate(cells):
                if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
                    written.formulas += 1
                    cells[at] = f"'{cell}" if spreadsheet else cell
            writer.writerow(cells)
            written.rows += 1
    text.flush()
    text.detach()
    return written


def _parquet(batches: Batches, schema: pa.Schema, out: BinaryIO) -> Written:
    """Parquet with zstd."""
    import pyarrow.parquet as pq

    written = Written()
    sink = io.BytesIO() if not out.seekable() else out
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch.cast(schema))
            written.rows += batch.num_rows
    if sink is not out and isinstance(sink, io.BytesIO):
        out.write(sink.getvalue())
    return written


FORMATS: dict[str, Callable[[Batches, pa.Schema, BinaryIO], Written]] = {
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
