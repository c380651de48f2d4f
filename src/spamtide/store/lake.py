"""Open, read, append and replace the Delta tables of one observatory."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from spamtide.errors import TryAgainError, UnavailableError
from spamtide.schema import SCHEMA_VERSION, TABLES
from spamtide.store.coded import in_one_piece, reading_codes, with_codes
from spamtide.store.database import database
from spamtide.store.faults import check_place, check_room, first_line, reading, writing
from spamtide.store.form import check_form
from spamtide.store.listed import SCHEMA_NOTE, Edges, edges_of, of_files, rows_of, schema_of
from spamtide.store.weekly import Held, read_weeks
from spamtide.store.written import BY_FILE, as_written, commit_files, in_lots, properties

if TYPE_CHECKING:
    import duckdb
    from deltalake import DeltaTable

LAKE_FOLDER = "lake"
JOINED_BYTES = 128 * 2**20
"""Most bytes of a file that `compact` makes; those below half of it are small."""
MOST_COMPARED = 2_000_000
"""Rows of a table that `replace` compares before it writes."""
MAX_SMALL_FILES = 40
"""`compact` joins a table's files when more of them than this are small. Joined, no two are."""
NEWEST_COMMITS = 10
"""Commits that are looked at first: one of them, nearly always, wrote rows, and more cost time."""


@dataclass(frozen=True, slots=True)
class Files:
    """Some files of a table, for `Lake.query`."""

    table: str
    paths: tuple[str, ...]


class Lake:
    """The tables of one observatory, by name. Holds no state but open handles, and files of past versions."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._open: dict[str, DeltaTable] = {}
        self._past: dict[tuple[str, int], frozenset[str]] = {}
        """Files of versions that were asked for: those never change."""
        self._held = Held()
        self._weeks: dict[str, tuple[int, Edges]] = {}
        """By table, the version that was last asked about, and its edges."""

    @classmethod
    def at(cls, directory: Path) -> Lake:
        """The lake of an observatory's directory.

        Raises:
            UsageError: delta-rs cannot open tables there.
        """
        check_place(directory)
        return cls(str(directory / LAKE_FOLDER))

    def exists(self, table: str) -> bool:
        """Whether the table was ever written."""
        return self._handle(table) is not None

    def versions(self) -> dict[str, int]:
        """Delta version of each table that exists: a bulletin names them."""
        found = {name: self._handle(name) for name in TABLES}
        return {name: handle.version() for name, handle in found.items() if handle is not None}

    def version(self, table: str) -> int | None:
        """Delta version of one table; None when it does not exist."""
        handle = self._handle(table)
        return None if handle is None else handle.version()

    def files(self, table: str) -> Files:
        """All files of a table."""
        handle = self._handle(table)
        return Files(table, () if handle is None else tuple(handle.file_uris()))

    def files_of_weeks(self, table: str, weeks: tuple[int, int]) -> tuple[str, ...]:
        """Files of a table kept by week that may hold rows of the weeks from first to last, in order."""
        handle = self._handle(table)
        if handle is None:
            return ()
        return tuple(
            path
            for path, least, most in self._edges(table, handle)
            if least is None or most is None or (least <= weeks[1] and most >= weeks[0])
        )

    def holding(self, table: str, weeks: Collection[int]) -> list[str]:
        """Files of a table kept by week that hold any of some weeks, in order; it looks into local ones."""
        edges = (weeks[0], weeks[-1]) if isinstance(weeks, range) else (min(weeks), max(weeks))
        paths = [f"{self.uri}/{table}/{path}" for path in self.files_of_weeks(table, edges)]
        return [path for path in paths if "://" in path or any(week in weeks for week in self._held(path))]

    def _edges(self, table: str, handle: DeltaTable) -> Edges:
        """`edges_of` a table, which is asked again and again, as of its version."""
        known = self._weeks.get(table)
        if known is None or known[0] != handle.version():
            known = self._weeks[table] = handle.version(), edges_of(handle)
        return known[1]

    def added(self, table: str, since: int | None) -> tuple[str, ...] | None:
        """Files that hold all rows added after version `since`; they may hold older rows too (compaction).

        None where that cannot be told (no version, a newer one than there is, or one that is gone): then
        every row may be new.
        """
        handle = self._handle(table)
        if handle is None:
            return ()
        if since is None or since > handle.version():
            return None
        if since == handle.version():
            return ()
        before = self._files_at(table, since)
        return None if before is None else tuple(sorted(set(handle.file_uris()) - before))

    def only_added(self, table: str, since: int | None) -> bool:
        """Whether all files of version `since` are still there, so that `added` gives new rows alone."""
        handle = self._handle(table)
        if handle is None or since is None or since > handle.version():
            return False
        before = self._files_at(table, since)
        return before is not None and before <= set(handle.file_uris())

    def _files_at(self, table: str, version: int) -> frozenset[str] | None:
        """Files of a version; None where it is gone."""
        from deltalake import DeltaTable

        if (table, version) not in self._past:
            try:
                files = frozenset(DeltaTable(f"{self.uri}/{table}", version=version).file_uris())
            except Exception:  # noqa: BLE001 - delta-rs has many words for a version that is gone
                return None
            self._past[table, version] = files
        return self._past[table, version]

    def of_weeks(
        self,
        table: str,
        columns: Sequence[str],
        weeks: Collection[int],
        coded: Sequence[str] = (),
        among: Files | None = None,
    ) -> pa.Table:
        """Some columns of a table that is kept by week, of some weeks; those in `coded` as dictionaries.

        Of a list, it is the items that are. Rows come in the same order whatever columns are asked for. With
        `among`, only these files are looked at.
        """
        handle = self._handle(table)
        schema = with_codes(TABLES[table], coded)
        if handle is None or not weeks:
            return pa.schema([schema.field(name) for name in columns]).empty_table()
        with reading(table, self.uri):
            if "://" in self.uri:
                whole = handle.to_pyarrow_dataset()
                parts = whole if among is None else of_files(whole, among.paths)
                return read_weeks(parts, schema, columns, weeks)
            paths = self.holding(table, weeks)
            if among is not None:
                wanted = {Path(path).name for path in among.paths}
                paths = [path for path in paths if Path(path).name in wanted]
            return read_weeks(paths, schema, columns, weeks)

    def rows_in(self, files: Files) -> int:
        """How many rows some files of a table hold, by what they say of themselves."""
        handle = self._handle(files.table)
        if handle is None or not files.paths:
            return 0
        told = rows_of(handle, files.paths)
        if told is not None:
            return told
        with reading(files.table, self.uri):
            return int(of_files(handle.to_pyarrow_dataset(), files.paths).count_rows())

    def note(self, table: str) -> dict[str, Any]:
        """The metadata that the last `append` or `replace` of a table was given."""
        handle = self._handle(table)
        if handle is None:
            return {}
        for commit in handle.history(limit=NEWEST_COMMITS):
            if "spamtide" in commit:
                noted: dict[str, Any] = json.loads(commit["spamtide"])
                return noted
        return {}

    def written(self, table: str) -> dt.datetime | None:
        """When rows were last written to the table, by this machine's clock; None where that is not known.

        Joining files and removing rows does not count.
        """
        handle = self._handle(table)
        if handle is None:
            return None
        with reading(table, self.uri):
            for commits in (handle.history(limit=NEWEST_COMMITS), handle.history()):
                for commit in commits:
                    if commit.get("operation") == "WRITE":
                        return dt.datetime.fromtimestamp(commit["timestamp"] / 1000, dt.UTC)
        return None

    def read(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        *,
        version: int | None = None,
        coded: bool = False,
        paths: Collection[str] | None = None,
    ) -> pa.Table:
        """The whole of a table, or some columns or files of it; empty when it was never written.

        `coded` gives texts as codes, in a third of the time where they repeat.

        Raises:
            UnavailableError: it cannot be read, or not as it was at `version`.
        """
        handle = self._handle(table)
        if handle is not None and version is not None and version != handle.version():
            from deltalake import DeltaTable

            with reading(table, self.uri):
                handle = DeltaTable(f"{self.uri}/{table}", version=version)
        names = list(columns) if columns is not None else TABLES[table].names
        schema = pa.schema([TABLES[table].field(name) for name in names])
        schema = with_codes(schema) if coded else schema
        if handle is None:
            return schema.empty_table()
        with reading(table, self.uri):
            dataset = handle.to_pyarrow_dataset(parquet_read_options=reading_codes(schema) if coded else None)
            if paths is not None:
                dataset = of_files(dataset, paths)
            found = dataset.to_table(columns=names).cast(schema)
        return in_one_piece(found) if coded else found

    def batches(self, table: str, columns: Sequence[str], rows: int = 2048) -> Iterator[pa.RecordBatch]:
        """Some columns of a table, a batch at a time; memory stays bounded."""
        handle = self._handle(table)
        if handle is None:
            return
        with reading(table, self.uri):
            yield from handle.to_pyarrow_dataset().to_batches(
                columns=list(columns), batch_size=rows, batch_readahead=2, fragment_readahead=1
            )

    def append(self, table: str, rows: pa.Table, note: Mapping[str, Any] | None = None) -> None:
        """Add rows in one atomic commit."""
        if rows.num_rows or note:
            self._write(table, rows, "append", note)

    def replace(self, table: str, rows: pa.Table, note: Mapping[str, Any] | None = None) -> None:
        """Make `rows` the whole of the table in one atomic commit; older versions stay readable.

        A table that holds exactly these rows under this note stays at its version, so that what was made
        from it can still name it.
        """
        if self._holds(table, rows, note):
            return
        self._write(table, rows, "overwrite", note)

    def replace_weeks(self, table: str, rows: pa.Table, weeks: tuple[int, int]) -> None:
        """Make `rows` all that a table holds of the weeks from first to last, in one atomic commit."""
        self._write(table, rows, "overwrite", None, weeks)

    def drop_outdated(self, names: Iterable[str]) -> None:
        """Remove those tables that an older Spamtide wrote in another form."""
        from deltalake import DeltaTable

        for table in names:
            folder = Path(self.uri, table)
            if "://" in self.uri or not (folder / "_delta_log").is_dir():
                continue
            with reading(table, self.uri):
                handle = DeltaTable(str(folder))
                columns = {field.name for field in handle.schema().fields}
            if 0 < schema_of(handle) <= SCHEMA_VERSION and not columns.issuperset(TABLES[table].names):
                shutil.rmtree(folder)
                self._open.pop(table, None)
            elif table not in self._open:
                self._check_schema(table, handle)
                self._open[table] = handle

    def _holds(self, table: str, rows: pa.Table, note: Mapping[str, Any] | None) -> bool:
        """Whether a table holds exactly these rows, in any order, under this note."""
        handle = self._handle(table)
        if handle is None or rows.num_rows > MOST_COMPARED or (note or {}) != self.note(table):
            return False
        with reading(table, self.uri):
            if handle.to_pyarrow_dataset().count_rows() != rows.num_rows:
                return False
        return bool(_sorted(self.read(table)).equals(_sorted(rows.cast(TABLES[table]))))

    def compact(self, table: str, most: int = JOINED_BYTES) -> None:
        """Join a table's small files when there are many, to files of `most` bytes; rows do not change."""
        handle = self._handle(table)
        if handle is None:
            return
        sizes = pa.table(handle.get_add_actions(flatten=True))["size_bytes"].to_pylist()
        if sum(2 * size < most for size in sizes) > MAX_SMALL_FILES:
            with self._writing(table):
                handle.optimize.compact(target_size=most, writer_properties=properties(table))
            self._open.pop(table, None)

    def query(self, sql: str, **tables: pa.Table | Files) -> pa.Table:
        """Run SQL over the lake's tables (by name) and the given ones; the result as Arrow.

        Args:
            sql: one statement.
            tables: Arrow tables, or `Files` of a table of the lake, by the name that the SQL gives them.
        """
        connection = self._connect(sql, tables)
        try:
            with reading("query", self.uri):
                return connection.sql(sql).to_arrow_table()
        finally:
            connection.close()

    def stream(
        self, sql: str, rows: int, values: Sequence[object] = (), **tables: pa.Table | Files
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
            with reading("query", self.uri):
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

    def _connect(self, sql: str, tables: Mapping[str, pa.Table | Files]) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the DuckDB of this process, with the tables that the SQL names."""
        connection = database(self.uri).cursor()
        connection.execute("SET TimeZone = 'UTC'")
        for name, rows in tables.items():
            if isinstance(rows, Files):
                self._view(connection, name, rows.table, rows.paths)
            else:
                connection.register(name, rows)
        for name in TABLES:
            if name not in tables and name in sql:
                self._view(connection, name, name, self.files(name).paths)
        return connection

    def _view(
        self, connection: duckdb.DuckDBPyConnection, name: str, table: str, paths: Sequence[str]
    ) -> None:
        """Let SQL see some files of a table: DuckDB reads local ones itself, Arrow those of object stores."""
        if not paths:
            connection.register(name, TABLES[table].empty_table())
        elif "://" in self.uri or any(letter in path for path in paths for letter in "*?[%"):
            connection.register(name, self._dataset(table, set(paths)))
        else:
            files = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
            columns = ", ".join(f'"{name}"' for name in TABLES[table].names)
            with reading(table, self.uri):
                view = f'CREATE TEMP VIEW "{name}" AS SELECT {columns} FROM read_parquet([{files}])'  # noqa: S608 - paths of our own files, quoted
                connection.execute(view)

    def _dataset(self, table: str, paths: set[str]) -> Any:  # noqa: ANN401 - a pyarrow dataset
        """Some files of a table as an Arrow dataset."""
        handle = self._handle(table)
        if handle is None:
            return TABLES[table].empty_table()
        whole = handle.to_pyarrow_dataset()
        return whole if len(paths) == len(handle.file_uris()) else of_files(whole, paths)

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
            message = f"cannot open table '{table}' of {self.uri}: {first_line(error)}"
            raise UnavailableError(message, "run `spamtide doctor`") from error
        self._check_schema(table, handle)
        self._open[table] = handle
        return handle

    def _check_schema(self, table: str, handle: DeltaTable) -> None:
        """Refuse a table that a newer Spamtide wrote, or that Spamtide did not write."""
        check_form(table, self.uri, schema_of(handle), [field.name for field in handle.schema().fields])

    def _write(
        self,
        table: str,
        rows: pa.Table,
        mode: str,
        note: Mapping[str, Any] | None,
        weeks: tuple[int, int] | None = None,
    ) -> None:
        """One commit; with weeks, only rows of these, from the first to the last, are overwritten."""
        from deltalake import CommitProperties, DeltaTable, write_deltalake

        handle = self._handle(table)
        check_room(table, self.uri, rows.nbytes)
        with self._writing(table):
            if handle is None:
                handle = DeltaTable.create(
                    f"{self.uri}/{table}",
                    schema=TABLES[table],
                    name=table,
                    description=f"{SCHEMA_NOTE}{SCHEMA_VERSION}",
                )
            said = (
                CommitProperties(custom_metadata={"spamtide": json.dumps(note, sort_keys=True)})
                if note
                else None
            )
            rows = rows.cast(as_written(table, rows.schema))
            if table in BY_FILE and "://" not in self.uri and (weeks or mode == "append"):
                gone, lots = None, [rows]
                if weeks:
                    gone = self.holding(table, range(weeks[0], weeks[1] + 1))
                    lots = [*in_lots(rows), *self._other_weeks(table, gone, weeks)]
                commit_files(handle, f"{self.uri}/{table}", table, lots, gone, said)
            else:
                options: dict[str, Any] = {"mode": mode, "commit_properties": said}
                if weeks is not None:
                    options["predicate"] = f"week >= {weeks[0]} AND week <= {weeks[1]}"
                write_deltalake(handle, rows, writer_properties=properties(table), **options)
            handle.update_incremental()
        self._open[table] = handle

    @contextmanager
    def _writing(self, table: str) -> Iterator[None]:
        """As `writing`; a table that another run changed is looked at again when it is next asked for."""
        try:
            with writing(table, self.uri):
                yield
        except TryAgainError:
            self._open.pop(table, None)
            raise

    def _other_weeks(self, table: str, paths: Sequence[str], weeks: tuple[int, int]) -> Iterator[pa.Table]:
        """Rows of some files that are not of the weeks from first to last."""
        for path in paths:
            others = {week for week in self._held(path) if not weeks[0] <= week <= weeks[1]}
            if others:
                yield read_weeks([path], with_codes(TABLES[table]), TABLES[table].names, others)


def _sorted(rows: pa.Table) -> pa.Table:
    """Rows in the order of their plain columns: a table keeps no order of its own."""
    keys = [(field.name, "ascending") for field in rows.schema if not pa.types.is_nested(field.type)]
    return rows.sort_by(keys).combine_chunks()
