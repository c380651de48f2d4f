"""The lake: atomic commits, reads, notes, errors that say what to do."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError
from pyarrow.dataset import field

from spamtide.engine import Apart
from spamtide.errors import TryAgainError, UnavailableError, UsageError
from spamtide.schema import DERIVED, KEYS, LINEAGE, MEMBERSHIPS, TABLES
from spamtide.store import Lake
from spamtide.store.database import _spill_folder


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    (tmp_path / "lake").mkdir()
    return Lake.at(tmp_path)


def members(*names: str) -> pa.Table:
    return pa.table({"sha256": list(names), "campaign": ["c-1"] * len(names)}, schema=MEMBERSHIPS)


def test_a_table_never_written_reads_as_empty(lake: Lake) -> None:
    for name, schema in TABLES.items():
        assert lake.read(name).schema.equals(schema)
        assert lake.read(name).num_rows == 0
    assert lake.versions() == {}


def test_what_is_appended_is_read_back_and_seen_by_a_second_handle(lake: Lake, tmp_path: Path) -> None:
    lake.append("memberships", members("a", "b"))
    lake.append("memberships", members("c"))

    assert sorted(lake.read("memberships")["sha256"].to_pylist()) == ["a", "b", "c"]
    assert sorted(Lake.at(tmp_path).read("memberships", ["sha256"])["sha256"].to_pylist()) == ["a", "b", "c"]


def test_replace_leaves_only_the_new_rows_and_counts_a_version(lake: Lake) -> None:
    lake.append("memberships", members("a"))
    before = lake.versions()["memberships"]
    lake.replace("memberships", members("z"))

    assert lake.read("memberships")["sha256"].to_pylist() == ["z"]
    assert lake.versions()["memberships"] == before + 1


def test_replacing_by_nothing_empties_a_table(lake: Lake) -> None:
    lake.append("memberships", members("a"))
    lake.replace("memberships", MEMBERSHIPS.empty_table())

    assert lake.read("memberships").num_rows == 0


def test_a_note_is_kept_with_the_commit(lake: Lake, tmp_path: Path) -> None:
    lake.append("memberships", members("a"), {"ruleset": "r1"})
    lake.append("memberships", members("b"), {"ruleset": "r2"})

    assert Lake.at(tmp_path).note("memberships") == {"ruleset": "r2"}


def test_queries_see_lake_tables_and_given_tables(lake: Lake) -> None:
    lake.append("memberships", members("a", "b"))
    other = pa.table({"sha256": ["b"]})

    found = lake.query("SELECT m.sha256 FROM memberships m ANTI JOIN other o USING (sha256)", other=other)

    assert found["sha256"].to_pylist() == ["a"]
    streamed = list(lake.stream("SELECT sha256 FROM memberships ORDER BY sha256", 1))
    assert [row for batch in streamed for row in batch.column(0).to_pylist()] == ["a", "b"]


def test_compaction_changes_no_row(lake: Lake) -> None:
    names = [f"m{number:03}" for number in range(45)]
    for name in names:
        lake.append("memberships", members(name))
    lake.compact("memberships")

    assert sorted(lake.read("memberships")["sha256"].to_pylist()) == names


def test_joining_and_removing_do_not_count_as_written(lake: Lake) -> None:
    for number in range(60):
        lake.append("memberships", members(str(number)))
    before = lake.written("memberships"), lake.version("memberships")
    lake.compact("memberships")
    assert (lake.written("memberships"), lake.version("memberships")) != before
    assert lake.written("memberships") == before[0]


def test_a_log_that_cannot_be_read_is_told_in_our_words(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_options: object) -> None:
        message = "Invalid JSON in log"
        raise DeltaError(message)

    lake.append("memberships", members("a"))
    monkeypatch.setattr(DeltaTable, "history", broken)
    with pytest.raises(UnavailableError, match="Invalid JSON"):
        lake.written("memberships")


def test_compaction_leaves_large_files_alone(lake: Lake) -> None:
    lake.append("memberships", members(*(f"{number:064x}" for number in range(3000))))
    large = lake.files("memberships").paths
    for number in range(45):
        lake.append("memberships", members(f"m{number:03}"))
    most = Path(large[0]).stat().st_size
    lake.compact("memberships", most)

    assert set(large) < set(lake.files("memberships").paths)
    assert len(lake.files("memberships").paths) < 20
    assert lake.read("memberships").num_rows == 3045


def test_a_lake_of_a_newer_schema_is_refused_and_left_alone(lake: Lake, tmp_path: Path) -> None:
    uri = tmp_path / "lake" / "lineage"
    DeltaTable.create(str(uri), schema=LINEAGE, description="spamtide schema 99")

    with pytest.raises(UnavailableError, match="schema 99"):
        lake.read("lineage")
    with pytest.raises(UnavailableError, match="schema 99"):
        lake.append("lineage", LINEAGE.empty_table(), {"x": 1})
    assert DeltaTable(str(uri)).version() == 0


def test_a_foreign_delta_table_is_refused(lake: Lake, tmp_path: Path) -> None:
    write_deltalake(str(tmp_path / "lake" / "claims"), pa.table({"x": [1]}))

    with pytest.raises(UnavailableError, match="schema"):
        lake.read("claims")


def test_a_delta_protocol_of_the_future_is_refused(lake: Lake, tmp_path: Path) -> None:
    lake.append("memberships", members("a"))
    log = tmp_path / "lake" / "memberships" / "_delta_log" / f"{0:020}.json"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        if "protocol" in line:
            line["protocol"] = {"minReaderVersion": 99, "minWriterVersion": 99}
    log.write_text("\n".join(map(json.dumps, lines)))

    with pytest.raises(UnavailableError, match="memberships"):
        Lake.at(tmp_path).read("memberships")


def test_a_write_that_may_not_fit_is_refused_before_it_starts(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.append("memberships", members("a"))
    monkeypatch.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(free=1000))

    with pytest.raises(TryAgainError, match="no room"):
        lake.append("memberships", members("b"))
    assert Lake.at(tmp_path).read("memberships")["sha256"].to_pylist() == ["a"]


def test_a_lost_data_file_is_one_clear_error(lake: Lake, tmp_path: Path) -> None:
    lake.append("memberships", members("a"))
    for file in (tmp_path / "lake" / "memberships").glob("*.parquet"):
        file.unlink()

    with pytest.raises(UnavailableError, match="cannot read"):
        Lake.at(tmp_path).read("memberships")


@pytest.mark.parametrize("table", list(TABLES))
def test_sql_sees_every_table_with_all_its_columns(tmp_path: Path, table: str) -> None:
    """Columns may bear names that SQL has a use for."""
    lake = Lake.at(tmp_path)
    row = pa.Table.from_batches([pa.RecordBatch.from_pylist([{}], schema=TABLES[table])])
    lake.append(table, row)
    found = Lake.at(tmp_path).query(f"SELECT * FROM {table}")  # noqa: S608 - a table's name
    assert found.column_names == TABLES[table].names
    assert found.num_rows == 1


def test_the_same_rows_again_make_no_new_version(tmp_path: Path) -> None:
    """Whatever their order; other rows or another note do."""
    lake = Lake.at(tmp_path)
    rows = pa.table({"name": ["a", "b"], "value": [b"1", b"2"]}, schema=KEYS)
    lake.replace("keys", rows)
    first = lake.versions()["keys"]
    lake.replace("keys", rows.take([1, 0]))
    assert lake.versions()["keys"] == first
    lake.replace("keys", rows.slice(0, 1))
    assert lake.versions()["keys"] == first + 1
    lake.replace("keys", rows.slice(0, 1), {"ruleset": "x"})
    assert lake.versions()["keys"] == first + 2


def test_a_derived_table_of_an_older_form_is_made_anew_and_others_are_kept(tmp_path: Path) -> None:
    """As the first releases wrote attributions: without a week. What cannot be made anew is never removed."""
    old = pa.table({"sha256": ["a"], "sensor": ["s"]})
    for table in ("attributions", "memberships"):
        write_deltalake(str(tmp_path / "lake" / table), old, description="spamtide schema 1")
    with pytest.raises(UnavailableError, match="older Spamtide"):
        Lake.at(tmp_path).read("attributions")
    with pytest.raises(UnavailableError, match="lacks column campaign and has column sensor") as caught:
        Lake.at(tmp_path).read("memberships")
    assert "newer" not in str(caught.value.advice)
    lake = Lake.at(tmp_path)
    lake.drop_outdated(DERIVED)
    assert lake.read("attributions").num_rows == 0
    assert (tmp_path / "lake" / "memberships").is_dir()


def test_what_does_not_fit_into_memory_lies_beside_the_tables_or_under_a_name_of_its_own(
    tmp_path: Path,
) -> None:
    (tmp_path / "lake").mkdir()
    elsewhere = "s3://bucket/lake"

    assert Path(_spill_folder(Lake.at(tmp_path).uri)).parent == tmp_path / "lake"
    assert _spill_folder(elsewhere) != _spill_folder(elsewhere)


def test_queries_of_a_process_and_of_its_forks_do_not_see_one_another(tmp_path: Path) -> None:
    """Each query has its own tables, side by side and in a process that was forked in between."""
    lake = Lake(str(tmp_path))

    def total(number: int) -> int:
        rows = pa.table({"n": [number, 1]})
        return int(lake.query("SELECT sum(n)::BIGINT AS n FROM given", given=rows)["n"][0].as_py())

    wanted = [number + 1 for number in range(40)]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(total, range(40))) == wanted
    assert Apart(2)(total, range(40)) == wanted
    with pytest.raises(Exception, match="given"):
        lake.query("SELECT * FROM given")


@pytest.mark.parametrize(
    "name", ["a%20b", "a%41", "a[b", "a]", "a|b", "a^b", "a\\b", "a\tb", "a\x7f", "a\udce9"]
)
def test_a_folder_that_delta_cannot_open_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="tables cannot be kept") as refused:
        Lake.at(tmp_path / name)

    assert "rename the folder" in refused.value.advice


@pytest.mark.parametrize(
    "name", ["50% spam", "a%", "a%zz", "a b", "ä", "a#b?c", "{a}", "a'b\"c", "a:b*~", " a;&<>"]
)
def test_a_folder_of_any_other_name_holds_a_lake(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    Lake.at(folder).append("memberships", members("c-1"))
    Lake.at(folder).append("memberships", members("c-2"))
    lake = Lake.at(folder)

    assert lake.read("memberships").num_rows == 2
    assert lake.query("SELECT count(*) AS n FROM memberships")["n"].to_pylist() == [2]
    assert [path.name for path in tmp_path.iterdir()] == [name]


CHANGES: dict[str, Callable[[Lake], object]] = {
    "replace": lambda lake: lake.replace("raw", received(3)),
    "compact": lambda lake: lake.compact("raw"),
    "remove": lambda lake: lake.remove_before("raw", "collected_at", dt.datetime(2010, 1, 3, tzinfo=dt.UTC)),
}


def received(*days: int) -> pa.Table:
    rows = [
        {"sha256": f"{day}", "collected_at": dt.datetime(2010, 1, day, tzinfo=dt.UTC), "data": b"x"}
        for day in days
    ]
    return pa.Table.from_pylist(rows, schema=TABLES["raw"])


@pytest.mark.parametrize("change", CHANGES)
def test_of_two_runs_that_change_a_table_the_second_is_told_to_try_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """The lock keeps Spamtide's own runs apart; other programs, and runs on an object store, know none."""
    monkeypatch.setattr("spamtide.store.lake.MAX_SMALL_FILES", 0)
    one = Lake.at(tmp_path)
    one.append("raw", received(1, 5))
    one.append("raw", received(2, 6))
    other = Lake.at(tmp_path)
    assert other.version("raw") == one.version("raw")
    one.replace("raw", received(2, 5, 6))

    with pytest.raises(TryAgainError, match="another run changed table 'raw'") as refused:
        CHANGES[change](other)

    assert refused.value.exit_code == 75
    assert sorted(Lake.at(tmp_path).read("raw")["sha256"].to_pylist()) == ["2", "5", "6"]
    CHANGES[change](other)  # it looked again
    left = {"replace": ["3"], "compact": ["2", "5", "6"], "remove": ["5", "6"]}[change]
    assert sorted(Lake.at(tmp_path).read("raw")["sha256"].to_pylist()) == left


@pytest.mark.parametrize("table", ["observations", "raw", "memberships", "evidence", "profiles"])
def test_a_filter_on_any_text_finds_its_rows_by_way_of_arrow(lake: Lake, table: str) -> None:
    """A column without least and greatest value, in a file that has those of others, would hold nothing."""
    schema = TABLES[table]
    texts = [one.name for one in schema if one.type == pa.string()]
    values = {one.name: ["a" * 64, "b" * 64] if one.name in texts else [None, None] for one in schema}
    lake.append(table, pa.table(values, schema=schema))
    whole = DeltaTable(f"{lake.uri}/{table}").to_pyarrow_dataset()
    for name in texts:
        assert whole.to_table(columns=[name], filter=field(name) == "b" * 64).num_rows == 1, name
