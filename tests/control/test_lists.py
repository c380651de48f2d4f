"""Lists of checks: what is read, what is refused and how the refusal reads."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spamtide.control import read_list
from spamtide.errors import NoInputError, SettingsError
from spamtide.statement import Check

PLAIN = "host,port,family,time,alive\n"
FEODO = '"first_seen_utc","dst_ip","dst_port","c2_status","last_online","malware"\n'
UPDATED = "# Last updated: 2021-05-21 08:15:17 UTC   #\n"


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def test_the_plain_form_is_read_with_port_and_source_optional(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(
        "# mine\nhost,family,time,alive\nC1.Example,Rustock,2010-10-14T06:00:00+02:00,yes\n"
        "c1.example,Rustock,2010-10-13,down\n"
    )
    assert read_list(path) == (
        Check("c1.example", 0, "Rustock", at("2010-10-13T12:00"), alive=False, source="list"),
        Check("c1.example", 0, "Rustock", at("2010-10-14T04:00"), alive=True, source="list"),
    )


def test_feodo_trackers_form_gives_a_check_for_each_date_that_it_states(tmp_path: Path) -> None:
    """First seen, last online, and online or not when the list was made."""
    path = tmp_path / "ipblocklist.csv"
    path.write_text(
        UPDATED + FEODO + '"2021-01-17 07:30:05","192.0.2.7","443","offline","2021-05-02","Dridex"\n# END\n'
    )
    told = [(check.at, check.alive) for check in read_list(path)]
    assert told == [
        (at("2021-01-17T07:30:05"), True),
        (at("2021-05-02T12:00"), True),
        (at("2021-05-21T08:15:17"), False),
    ]
    assert {(c.host, c.port, c.family, c.source) for c in read_list(path)} == {
        ("192.0.2.7", 443, "Dridex", "feodo-tracker")
    }


def test_a_list_without_its_time_says_nothing_of_now_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "ipblocklist.csv"
    path.write_text(FEODO + '"2021-01-17 07:30:05","192.0.2.7","443","offline","2021-05-02","Dridex"\n')
    assert [check.alive for check in read_list(path)] == [True, True]
    assert [check.alive for check in read_list(path, at("2021-06-01"))] == [True, True, False]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "no header line"),
        ("host,family,time\n", 1, "column 'alive' is missing"),
        ("host,family,time,alive,colour\n", 1, "not known or named twice"),
        (PLAIN + "c1.example,80,R,2010-10-14\n", 2, "4 fields where the header has 5"),
        (PLAIN + "\nc1.example,80,R,yesterday,1\n", 3, "'yesterday' is no time"),
        (PLAIN + "\nc1.example,80,R,0001-01-01T00:00+14:00,1\n", 3, "is no time"),
        (PLAIN + "c1.example,99999,R,2010-10-14,1\n", 2, "port '99999'"),
        (PLAIN + "c1.example,80,R,2010-10-14,maybe\n", 2, "alive 'maybe'"),
        (PLAIN + "c1 example,80,R,2010-10-14,1\n", 2, "host 'c1 example'"),
        (PLAIN + "c1.example,80,,2010-10-14,1\n", 2, "the family is empty"),
        (PLAIN + 'c1.example,80,"R\n', 2, "not valid CSV"),
        (FEODO + '"2021-01-17","192.0.2.7","443","gone","","D"\n', 2, "c2_status 'gone'"),
    ],
)
def test_a_wrong_line_is_named_by_file_line_and_reason(
    tmp_path: Path, text: str, line: int, reason: str
) -> None:
    path = tmp_path / "list.csv"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_list(path)
    assert f"{path}:{line}: " in caught.value.message
    assert reason in caught.value.message


def test_a_missing_list_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(NoInputError):
        read_list(tmp_path / "absent.csv")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "list.csv"
    path.write_bytes(PLAIN.encode() + data)
    try:
        found = read_list(path)
    except SettingsError as error:
        assert str(path) in error.message  # noqa: PT017 - either outcome is right; each has its own check
    else:
        assert all(isinstance(check, Check) for check in found)
