"""Open, read, append and replace the Delta tables of one observatory."""

from __future__ import annotations

import datetime as dt
import errno
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pyarrow as pa

from spamtide.errors import SpamtideError, TryAgainError, UnavailableError
from spamtide.schema import SCHEMA_VERSION, TABLES

if TYPE_CHECKING:
    import duckdb
    from deltalake import DeltaTable

LAKE_FOLDER = "lake"
SCHEMA_NOTE = "spamtide schema "
SMALL_FILE_BYTES = 64 * 2**20
RESERVE_BYTES = 2**20
"""Room that a write leaves on the disk."""
MAX_SMALL_FILES = 40
"""`compact` joins a table's files when more of them than this are small."""
DISK_FULL_WORDS = (
    "no space left",
    "os error 28",
    "disk quota",
    "os error 122",
    "file too large",
    "os error 27",
)


class Lake:
    """The tables of one observatory, by name. Holds no state but open table handles."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._open: dict[str, DeltaTable] = {}

    @classmethod
    def at(cls, directory: Path) -> Lake:
        """The lake of an observatory's directory."""
        return cls(str(directory / LAKE_FOLDER))

    def exists(self, table: str) -> bool:
        """Whether the table was ever written."""
        return self._handle(table) is not None

    def versions(self) -> dict[str, int]:
        """Delta version of each table that exists: a bulletin names them."""
        found = {name: self._handle(name) for name in TABLES}
        return {name: handle.version() for name, handle in found.items() if handle is not None}

    def note(self, table: str) -> dict[str, Any]:
        """The metadata that the last `append` or `replace` of a table was given."""
        handle = self._handle(table)
        if handle is None:
            return {}
        for commit in handle.history(limit=10):
            if "spamtide" in commit:
                noted: dict[str, Any] = json.loads(commit["spamtide"])
                return noted
        return {}

    def read(self, table: str, columns: Sequence[str] | None = None) -> pa.Table:
        """The whole of a table, or some columns of it; empty when it was never written."""
        handle = self._handle(table)
        names = list(columns) if columns is not None else TABLES[table].names
        if handle is None:
            return pa.schema([TABLES[table].field(name) for name in names]).empty_table()
        with self._reading(table):
            found = handle.to_pyarrow_dataset().to_table(columns=names)
        return found.cast(pa.schema([TABLES[table].field(name) for name in names]))

    def batches(self, table: str, columns: Sequence[str], rows: int = 2048) -> Iterator[pa.RecordBatch]:
        """Some columns of a table, a batch at a time; memory stays bounded."""
        handle = self._handle(table)
        if handle is None:
            return
        with self._reading(table):
            yield from handle.to_pyarrow_dataset().to_batches(
                columns=list(columns), batch_size=rows, batch_readahead=2, fragment_readahead=1
            )

    def append(self, table: str, rows: pa.Table, note: Mapping[str, Any] | None = None) -> None:
        """Add rows in one atomic commit."""
        if rows.num_rows or note:
            self._write(table, rows, "append", note)

    def replace(self, table: str, rows: pa.Table, note: Mapping[str, Any] | None = None) -> None:
        """Make `rows` the whole of the table in one atomic commit; older versions stay readable."""
        self._write(table, rows, "overwrite", note)

    def compact(self, table: str) -> None:
        """Join a table's small files when there are many; rows do not change."""
        handle = self._handle(table)
        if handle is None:
            return
        sizes = pa.table(handle.get_add_actions(flatten=True))["size_bytes"].to_pylist()
        if sum(size < SMALL_FILE_BYTES for size in sizes) > MAX_SMALL_FILES:
            with self._writing(table):
                handle.optimize.compact()
            self._open.pop(table, None)

    def query(self, sql: str, **tables: pa.Table) -> pa.Table:
        """Run SQL over the lake's tables (by name) and the given Arrow tables; the result as Arrow."""
        connection = self._connect(sql, tables)
        try:
            with self._reading("query"):
                return connection.sql(sql).to_arrow_table()
        finally:
            connection.close()

    def stream(
        self, sql: str, rows: int, values: Sequence[object] = (), **tables: pa.Table
    ) -> Iterator[pa.RecordBatch]:
        """As `query`, in batches of at most `rows`, with memory bounded; at least one batch, if an empty one.

        Args:
            sql: one statement; outside text stands as '?' in it.
            rows: most rows of a batch.
            values: what the question marks stand for.
            tables: Arrow tables that the SQL names beside those of the lake.
        """
        connection = self._connect(sql, tables)
        try:
            with self._reading("query"):
                reader: pa.RecordBatchReader = connection.sql(sql, params=list(values)).to_arrow_reader(rows)
                empty = True
                for batch in reader:
                    empty = False
                    yield batch
                if empty:
                    yield pa.RecordBatch.from_pylist([], schema=reader.schema)
        finally:
            connection.close()

    def remove_before(self, table: str, column: str, before: dt.datetime) -> int:
        """Delete the rows whose time in `column` is before a moment; the number of rows removed."""
        handle = self._handle(table)
        if handle is None:
            return 0
        with self._writing(table):
            done = handle.delete(f"{column} < '{before.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}'")
            if done.get("num_deleted_rows"):
                handle.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
        self._open.pop(table, None)
        return int(done.get("num_deleted_rows") or 0)

    # ------------------------------------------------------------------ inside

    def _connect(self, sql: str, tables: Mapping[str, pa.Table]) -> duckdb.DuckDBPyConnection:
        """An in-memory DuckDB with the tables that the SQL names; it never reaches for the network."""
        import duckdb

        connection = duckdb.connect(
            ":memory:",
            config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"},
        )
        connection.execute("SET TimeZone = 'UTC'")
        for name, rows in tables.items():
            connection.register(name, rows)
        for name in TABLES:
            if name not in tables and name in sql:
                connection.register(name, self._relation(name))
        return connection

    def _relation(self, table: str) -> Any:  # noqa: ANN401 - a pyarrow dataset or table
        """What DuckDB scans for a table."""
        handle = self._handle(table)
        return TABLES[table].empty_table() if handle is None else handle.to_pyarrow_dataset()

    def _handle(self, table: str) -> DeltaTable | None:
        """The open Delta table, at its newest version when first asked for; None when it does not exist."""
        if table in self._open:
            return self._open[table]
        from deltalake import DeltaTable
        from deltalake.exceptions import TableNotFoundError

        uri = f"{self.uri}/{table}"
        if "://" not in uri and not Path(uri, "_delta_log").is_dir():
            return None
        try:
            handle = DeltaTable(uri)
        except TableNotFoundError:
            return None
        except Exception as error:
            message = f"cannot open table '{table}' of {self.uri}: {_first_line(error)}"
            raise UnavailableError(message, "run `spamtide doctor`") from error
        self._check_schema(table, handle)
        self._open[table] = handle
        return handle

    def _check_schema(self, table: str, handle: DeltaTable) -> None:
        """Refuse a table that a newer Spamtide wrote, or that Spamtide did not write."""
        words = (handle.metadata().description or "").removeprefix(SCHEMA_NOTE)
        version = int(words) if words.isdigit() else 0
        names = {field.name for field in handle.schema().fields}
        if version > SCHEMA_VERSION or not names.issuperset(TABLES[table].names):
            known = f"this program knows schema {SCHEMA_VERSION}"
            message = f"table '{table}' of {self.uri} has schema {words or '?'}; {known}"
            raise UnavailableError(message, "use the newer Spamtide that wrote it; nothing was changed")

    def _write(self, table: str, rows: pa.Table, mode: str, note: Mapping[str, Any] | None) -> None:
        """One commit."""
        from deltalake import CommitProperties, DeltaTable, WriterProperties, write_deltalake

        handle = self._handle(table)
        self._check_room(table, rows.nbytes)
        with self._writing(table):
            if handle is None:
                handle = DeltaTable.create(
                    f"{self.uri}/{table}",
                    schema=TABLES[table],
                    name=table,
                    description=f"{SCHEMA_NOTE}{SCHEMA_VERSION}",
                )
            options: dict[str, Any] = {
                "mode": mode,
                "writer_properties": WriterProperties(compression="ZSTD", compression_level=1),
            }
            if note:
                options["commit_properties"] = CommitProperties(
                    custom_metadata={"spamtide": json.dumps(note, sort_keys=True)}
                )
            write_deltalake(handle, rows.cast(TABLES[table]), **options)
            handle.update_incremental()
        self._open[table] = handle

    def _check_room(self, table: str, size: int) -> None:
        """Refuse a write that may not fit, before delta-rs meets the full disk and says so in its own way."""
        try:
            free = shutil.disk_usage(self.uri).free
        except OSError:
            return  # an object store, or a folder that is yet to be made
        if free < size + RESERVE_BYTES:
            self._no_room(table)

    def _no_room(self, table: str) -> NoReturn:
        """The disk is full, or as good as."""
        message = f"no room on the disk for table '{table}' of {self.uri}"
        raise TryAgainError(message, "make room; the same command goes on where this one stopped")

    @contextmanager
    def _writing(self, table: str) -> Iterator[None]:
        """Turn what the disk or Delta throws while writing into our errors."""
        try:
            yield
        except SpamtideError:
            raise
        except Exception as error:
            if _is_disk_full(error):
                self._no_room(table)
            message = f"cannot write table '{table}' of {self.uri}: {_first_line(error)}"
            raise UnavailableError(message, "run `spamtide doctor`") from error

    @contextmanager
    def _reading(self, table: str) -> Iterator[None]:
        """Turn what Delta, Parquet or DuckDB throws while reading into our errors."""
        try:
            yield
        except (OSError, ValueError, RuntimeError) as error:
            message = f"cannot read '{table}' of {self.uri}: {_first_line(error)}"
            raise UnavailableError(message, "run `spamtide doctor`") from error


def _is_disk_full(error: BaseException) -> bool:
    """Whether an error, or one behind it, says that the disk is full."""
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return True
    return any(words in str(error).lower() for words in DISK_FULL_WORDS)


def _first_line(error: BaseException) -> str:
    """An error's first line, for a one-line message."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
