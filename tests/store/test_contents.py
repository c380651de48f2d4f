"""Known contents: found by number and by name, whatever became of the table between."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from spamtide.schema import MEMBERSHIPS, OBSERVATIONS
from spamtide.store import Lake, contents
from spamtide.store.lake import MAX_SMALL_FILES, Files


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    (tmp_path / "lake").mkdir()
    return Lake.at(tmp_path)


def name(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def given(lake: Lake, *numbers: int) -> None:
    rows = {"sha256": [name(n) for n in numbers], "campaign": [f"c-{n}" for n in numbers]}
    lake.append("memberships", pa.table(rows, schema=MEMBERSHIPS))


def asked(lake: Lake, *numbers: int) -> dict[str, str]:
    before = set(lake.files("observations").paths)
    rows = [{"sha256": name(n), "sensor": "s", "label": "spam"} for n in numbers]
    lake.append("observations", pa.Table.from_pylist(rows, schema=OBSERVATIONS))
    files = Files("observations", tuple(set(lake.files("observations").paths) - before))
    found = contents.members(lake, files)
    return dict(zip(found["sha256"].to_pylist(), found["campaign"].to_pylist(), strict=True))


def test_known_contents_are_found_and_no_others(lake: Lake) -> None:
    """Also those that were given a campaign after the table was kept, and where nothing was kept."""
    assert asked(lake, 1, 2) == {}
    given(lake, *range(100))
    assert asked(lake, 5, 200) == {name(5): "c-5"}
    assert asked(lake, 300) == {}
    given(lake, 300)
    assert asked(lake, 300, 301) == {name(300): "c-300"}
    assert lake.read("contents").num_rows == 101


def test_a_lost_or_left_behind_table_is_made_good(lake: Lake, tmp_path: Path) -> None:
    given(lake, 1)
    contents.keep(lake)
    kept = lake.version("contents")
    contents.keep(lake)
    assert lake.version("contents") == kept
    given(lake, 2)
    shutil.rmtree(tmp_path / "lake" / "contents")
    again = Lake.at(tmp_path)
    assert asked(again, 2, 3) == {name(2): "c-2"}
    assert again.read("contents").num_rows == 2


def test_memberships_of_many_updates_are_joined(lake: Lake) -> None:
    """Their rows stay, and each content keeps one number: also where a run died between the two."""
    days = MAX_SMALL_FILES + 1
    for day in range(days):
        given(lake, 2 * day, 2 * day + 1)
        contents.keep(lake)
        assert len(lake.files("memberships").paths) == (1 if day == days - 1 else day + 1)
    rows = lake.read("memberships").sort_by("campaign")
    assert sorted(rows["sha256"].to_pylist()) == sorted(map(name, range(2 * days)))
    assert [int(one[2:]) for one in rows["campaign"].to_pylist()] == sorted(range(2 * days), key=str)
    assert lake.read("contents").num_rows == 2 * days
    kept = lake.version("contents")
    assert asked(lake, 5, 1000) == {name(5): "c-5"}
    assert lake.version("contents") == kept

    for number in range(1000, 1000 + days):
        given(lake, number)
    lake.compact("memberships")
    assert asked(lake, 7, 1000, 5000) == {name(7): "c-7", name(1000): "c-1000"}
    assert lake.read("contents").num_rows == 3 * days


def test_names_of_any_length_have_a_number(lake: Lake) -> None:
    """No hash is as short, but a table may hold what it likes."""
    lake.append(
        "memberships",
        pa.table({"sha256": ["", "a", "\u20ac" * 9], "campaign": ["c"] * 3}, schema=MEMBERSHIPS),
    )
    contents.keep(lake)
    assert lake.read("contents").num_rows == 3
