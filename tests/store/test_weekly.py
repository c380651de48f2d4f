"""Tables that are kept by week: rows of some weeks read as codes, and files put in the place of others."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from pyarrow.dataset import field

from spamtide.errors import TryAgainError
from spamtide.schema import EVIDENCE, STORED_ATTRIBUTIONS, UNDATED
from spamtide.store import Lake, sharing, written
from spamtide.store.lake import Files

CODED = ["sensor", "label", "lab", "link_domains", "rules"]


def mail(weeks: list[int]) -> pa.Table:
    """Evidence of some weeks, one row each, with lists that are long, empty and null."""
    lists = [["a.example", "b.example"], [], None]
    rows = [
        {"sha256": f"{place:064x}", "sensor": f"s{place % 2}", "week": week, "label": "spam",
         "link_domains": lists[place % 3], "rules": lists[(place + 1) % 3]}
        for place, week in enumerate(weeks)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, EVIDENCE)


def answers(weeks: list[int], botnet: str) -> pa.Table:
    """Answers of some weeks, one row each."""
    rows = [
        {"sha256": f"{place:064x}", "sensor": "s", "botnet": botnet, "botnet_confidence": 0.5,
         "programme": "unknown", "programme_confidence": 0.0, "evidence": "[]", "week": week}
        for place, week in enumerate(weeks)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, STORED_ATTRIBUTIONS)


def texts(rows: pa.Table, names: list[str]) -> list[dict[str, object]]:
    return [{name: row[name] for name in names} for row in rows.to_pylist()]


@pytest.mark.parametrize(
    ("weeks", "wanted"),
    [([UNDATED, 3, 3, 4, 5], {3, 4}), ([5, 3, UNDATED, 4, 3], {3}), ([3, 4], {UNDATED}), ([3, 4], {9})],
)
def test_weeks_as_codes_are_the_rows(tmp_path: Path, weeks: list[int], wanted: set[int]) -> None:
    """In their order, whether they lie together in a file or not; other files have no say."""
    lake = Lake.at(tmp_path)
    lake.append("evidence", mail(weeks))
    first = lake.files("evidence")
    lake.append("evidence", mail([3, 9]))
    whole = lake.read("evidence", paths=first.paths).to_pylist()
    names = ["rules", "sha256", "link_domains", "lab"]
    expected = [{name: row[name] for name in names} for row in whole if row["week"] in wanted]
    found = lake.of_weeks("evidence", names, wanted, CODED, first)
    assert texts(found, names) == expected
    assert found.column_names == names
    assert found.schema.field("rules").type.value_type == pa.dictionary(pa.int32(), pa.string())
    both = lake.of_weeks("evidence", names, {3}, CODED)
    assert both.num_rows == weeks.count(3) + 1
    assert not lake.of_weeks("evidence", names, {3}, CODED, Files("evidence", ())).num_rows


@pytest.mark.parametrize("empty", [[], None])
def test_held_mail_without_any_link_or_rule_is_looked_through(
    tmp_path: Path, empty: list[str] | None
) -> None:
    lake = Lake.at(tmp_path)
    row = {"sha256": "0" * 64, "sensor": "s", "week": 3, "label": "spam", "source_ip": "192.0.2.1"}
    lake.append("evidence", pa.Table.from_pylist([row | {"link_domains": empty, "rules": empty}], EVIDENCE))
    held = sharing.held(lake, lake.files("evidence"), {3})
    mail = sharing.Mail(Files("evidence", ()), held, frozenset({3}))
    wanted = pa.table([["192.0.2.1"], [3]], schema=sharing.KEY)
    found = sharing.by_address(lake, mail, wanted, sharing.ASKED)
    assert found["sha256"].to_pylist() == ["0" * 64]
    assert not sharing.by_domain(lake, mail, wanted, sharing.ASKED).num_rows
    assert sharing.cells(lake, held, {3})["names"].to_pylist() == [""]
    cell = pa.table(
        {"campaign": pa.array([None], pa.string()), "week": pa.array([3], pa.int32()), "names": [""]}
    )
    assert not sharing.in_cells(lake, mail, cell).num_rows  # it has no campaign


def test_no_table_has_no_rows(tmp_path: Path) -> None:
    lake = Lake.at(tmp_path)
    assert lake.of_weeks("evidence", ["week", "rules"], {1}, CODED).column_names == ["week", "rules"]


def test_weeks_are_replaced_in_one_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of other weeks in the same files stay, files of other weeks are not touched, Delta sees it all."""
    monkeypatch.setattr(written, "LOT_ROWS", 2)
    lake = Lake.at(tmp_path)
    lake.append("attributions", answers([UNDATED, 1, 2], "old"))
    lake.append("attributions", answers([3, 3, 4], "old"))
    lake.append("attributions", answers([7], "old"))
    before, apart = lake.version("attributions"), lake.files_of_weeks("attributions", (7, 7))
    assert before is not None
    lake.replace_weeks("attributions", answers([2, 2, 3], "new"), (2, 3))
    assert lake.version("attributions") == before + 1
    expected = sorted(
        [(UNDATED, "old"), (1, "old"), (4, "old"), (7, "old"), (2, "new"), (2, "new"), (3, "new")]
    )
    for rows in (
        lake.read("attributions"),
        lake.query("SELECT week, botnet FROM attributions"),
        DeltaTable(f"{lake.uri}/attributions").to_pyarrow_dataset().to_table(),
        Lake.at(tmp_path).of_weeks("attributions", ["week", "botnet"], {UNDATED, 1, 2, 3, 4, 7}),
    ):
        assert sorted((row["week"], row["botnet"]) for row in rows.to_pylist()) == expected
    assert lake.files_of_weeks("attributions", (7, 7)) == apart
    assert lake.read("attributions", version=before).num_rows == 7
    assert lake.read("attributions", ["week"], paths=lake.files("attributions").paths).num_rows == 7
    assert lake.rows_in(lake.files("attributions")) == 7
    lake.replace_weeks("attributions", STORED_ATTRIBUTIONS.empty_table(), (1, 9))
    assert lake.read("attributions")["week"].to_pylist() == [UNDATED]
    lake.compact("attributions")


def test_a_note_alone_is_a_commit(tmp_path: Path) -> None:
    lake = Lake.at(tmp_path)
    lake.append("attributions", answers([1], "one"))
    lake.append("attributions", STORED_ATTRIBUTIONS.empty_table(), {"said": 1})
    assert lake.note("attributions") == {"said": 1}
    assert lake.read("attributions").num_rows == 1


def test_any_filter_finds_the_rows_of_replaced_weeks(tmp_path: Path) -> None:
    """Also beside files of delta-rs, which says of most columns what is in them."""
    for joined in (False, True):
        lake = Lake.at(tmp_path / str(joined))
        lake.append("attributions", answers([1, 2], "old"))
        if joined:
            DeltaTable(f"{lake.uri}/attributions").optimize.compact()
            lake = Lake.at(tmp_path / str(joined))
        lake.replace_weeks("attributions", answers([5, UNDATED, 5], "new"), (UNDATED, 5))
        lake.append("attributions", answers([9], "old"))
        whole = DeltaTable(f"{lake.uri}/attributions").to_pyarrow_dataset()
        for name, value, rows in (
            ("botnet", "new", 3), ("botnet", "old", 1), ("week", UNDATED, 1), ("sha256", f"{1:064x}", 1),
        ):  # fmt: skip
            assert whole.to_table(filter=field(name) == value).num_rows == rows
        assert DeltaTable(f"{lake.uri}/attributions").to_pyarrow_table(
            filters=[("botnet", "=", "new")]
        ).num_rows == 3  # fmt: skip


def test_a_query_finds_rows_below_a_folder_of_any_name(tmp_path: Path) -> None:
    for name in ("a*b", "a?b", "a%b"):
        lake = Lake.at(tmp_path / name)
        lake.append("attributions", answers([1], "old"))
        lake.replace_weeks("attributions", answers([2, 3], "new"), (2, 3))
        assert lake.query("SELECT week FROM attributions WHERE botnet = 'new'").num_rows == 2
        files = lake.files("attributions")
        assert lake.query("SELECT week FROM given WHERE botnet = 'new'", given=files).num_rows == 2


def test_files_of_weeks_are_told_by_name_or_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "LOT_ROWS", 1)
    lake = Lake.at(tmp_path)
    lake.append("evidence", mail([3, 4]))  # by delta-rs
    lake.append("evidence", mail([UNDATED, 9]))
    assert len(lake.files_of_weeks("evidence", (5, 8))) == 1
    assert len(lake.files_of_weeks("evidence", (4, 8))) == 2
    lake.append("attributions", answers([3, 4], "old"))
    lake.replace_weeks("attributions", answers([UNDATED], "new"), (UNDATED, UNDATED))
    lake.replace_weeks("attributions", answers([7, 8], "new"), (7, 8))
    for weeks, files in (((5, 6), 0), ((4, 7), 2), ((UNDATED, 2), 1), ((7, 8), 2), ((UNDATED, 9), 4)):
        assert len(lake.files_of_weeks("attributions", weeks)) == files
    assert Lake.at(tmp_path).rows_in(lake.files("attributions")) == 5


def test_two_runs_cannot_both_replace_a_week(tmp_path: Path) -> None:
    one = Lake.at(tmp_path)
    one.append("attributions", answers([1], "old"))
    other = Lake.at(tmp_path)
    assert other.version("attributions") == one.version("attributions")
    one.replace_weeks("attributions", answers([5], "one"), (5, 5))
    with pytest.raises(TryAgainError, match="another run changed table 'attributions'") as refused:
        other.replace_weeks("attributions", answers([5], "other"), (5, 5))
    assert refused.value.exit_code == 75
    assert sorted(Lake.at(tmp_path).read("attributions")["botnet"].to_pylist()) == ["old", "one"]
    other.replace_weeks("attributions", answers([5], "other"), (5, 5))  # it looked again
    assert sorted(Lake.at(tmp_path).read("attributions")["botnet"].to_pylist()) == ["old", "other"]
    one.append("attributions", answers([6], "more"))  # what only adds need not know of it
    assert Lake.at(tmp_path).read("attributions").num_rows == 3


def test_a_reach_from_undated_mail_on_is_not_walked(tmp_path: Path) -> None:
    lake = Lake.at(tmp_path)
    lake.append("attributions", answers([UNDATED, 2, 9], "old"))
    lake.replace_weeks("attributions", answers([7], "old"), (7, 7))
    tracemalloc.start()
    try:
        lake.replace_weeks("attributions", answers([3], "new"), (UNDATED, 5))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sorted(lake.read("attributions")["week"].to_pylist()) == [3, 7, 9]
    assert peak < 10_000_000  # a set of the weeks between takes seven times that
