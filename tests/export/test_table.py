"""Exported rows: the same values in every format, hostile cells included."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spamtide.export import FORMATS, write_table

TABLE = pa.table(
    {
        "text": ["plain", 'quote " comma , line\nbreak', "=cmd()|'x'", None],
        "at": pa.array(
            [dt.datetime(2010, 9, 20, 6, tzinfo=dt.UTC), None, None, None], pa.timestamp("us", tz="UTC")
        ),
        "day": pa.array([dt.date(2010, 9, 20), None, None, None], pa.date32()),
        "number": [1.5, float("nan"), float("inf"), None],
        "names": [["a", "b,c"], [], None, ["ü"]],
        "yes": [True, False, None, None],
    }
)


def written(file_format: str, table: pa.Table = TABLE) -> bytes:
    out = io.BytesIO()
    assert write_table(table.to_batches(), table.schema, file_format, out).rows == table.num_rows
    return out.getvalue()


def test_ndjson_has_one_object_a_line_with_null_for_missing() -> None:
    rows = [json.loads(line) for line in written("ndjson").splitlines()]

    assert rows[0] == {
        "text": "plain",
        "at": "2010-09-20T06:00:00Z",
        "day": "2010-09-20",
        "number": 1.5,
        "names": ["a", "b,c"],
        "yes": True,
    }
    assert [row["number"] for row in rows[1:]] == [None, None, None]


def test_csv_reads_back_with_hostile_cells_whole() -> None:
    rows = list(csv.DictReader(io.StringIO(written("csv").decode(), newline="")))

    assert [row["text"] for row in rows] == ["plain", 'quote " comma , line\nbreak', "=cmd()|'x'", ""]
    assert json.loads(rows[0]["names"]) == ["a", "b,c"]
    assert (rows[0]["yes"], rows[2]["yes"]) == ("true", "")


def test_parquet_reads_back_as_it_was() -> None:
    assert (
        pq.read_table(io.BytesIO(written("parquet")))
        .select(["text", "at", "day", "names", "yes"])
        .equals(TABLE.select(["text", "at", "day", "names", "yes"]))
    )


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_table_without_rows_still_has_its_columns(file_format: str) -> None:
    text = written(file_format, TABLE.slice(0, 0))

    if file_format == "csv":
        assert text.decode().strip() == "text,at,day,number,names,yes"
    if file_format == "parquet":
        assert pq.read_table(io.BytesIO(text)).schema.names == TABLE.schema.names
