"""Command lines as a person types them: what is said, where, and with which exit code."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from spamtide.cli import run
from spamtide.inquiry import doctor

SUBJECTS = (
    "=cmd|' /C calc'!A0",
    "+49 30 1234",
    "-20 % today",
    "@SUM(A1)",
    "=?utf-8?q?=EF=BC=9D1+1?=",
    "All is well",
)


@pytest.fixture
def hostile(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Path:
    """An observatory with subjects that a spreadsheet program would run."""
    mail = tmp_path / "mail"
    mail.mkdir()
    for number, subject in enumerate(SUBJECTS):
        (mail / f"{number}.eml").write_text(
            "Received: from a (a [192.0.2.1]) by mx; Tue, 5 Mar 2024 10:00:00 +0000\n"
            f"From: a@b.example\nSubject: {subject}\n\nhello {number}\n"
        )
    observatory = tmp_path / "o"
    assert run(["-C", str(observatory), "ingest", str(mail)]) == 0
    capfd.readouterr()
    return observatory


def subjects(text: str) -> set[str]:
    return {row["subject"] for row in csv.DictReader(io.StringIO(text, newline=""))}


def test_csv_has_every_cell_as_it_is_and_says_what_a_spreadsheet_would_run(
    hostile: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["-C", str(hostile), "export", "observations", "--format", "csv"]) == 0
    told = capfd.readouterr()

    assert subjects(told.out) == {*SUBJECTS[:4], "\uff1d1+1", "All is well"}
    assert "5 cells begin like a formula" in told.err
    assert "--spreadsheet" in told.err


def test_a_spreadsheet_runs_nothing(hostile: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "o.csv"
    assert run(["-C", str(hostile), "export", "observations", "--spreadsheet", "-o", str(file)]) == 0

    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    assert subjects(file.read_text("utf-8-sig")) == {
        *(f"'{subject}" for subject in (*SUBJECTS[:4], "\uff1d1+1")),
        "All is well",
    }
    assert "formula" not in capfd.readouterr().err


def test_only_csv_is_for_a_spreadsheet(hostile: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["export", "observations", "--spreadsheet", "--format", "parquet"]
    assert run(["-C", str(hostile), *arguments]) == 64
    assert "--spreadsheet is of csv" in capfd.readouterr().err


def test_an_export_without_rows_says_so(hostile: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A name that is misspelt is not taken for an answer."""
    assert run(["-C", str(hostile), "export", "observations", "--botnet", "rustok"]) == 0
    told = capfd.readouterr()
    assert (told.out, told.err) == ("", "no rows\n")


def test_a_stop_from_the_keyboard_is_told(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def stopped(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor, "examine", stopped)
    assert run(["doctor"]) == 130
    assert capfd.readouterr().err.startswith("spamtide: stopped (")


def test_doctor_as_json(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", str(tmp_path), "doctor", "--json"]) == 0
    checks = json.loads(capfd.readouterr().out)
    assert {"program", "observatory"} <= {check["what"] for check in checks}
    assert all(set(check) == {"verdict", "what", "finding"} for check in checks)


def test_doctor_names_rules_that_are_tried_on_every_message(
    hostile: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rule = 'rule odd { meta: kind = "botnet" name = "X" strings: $a = /ta[[:alpha:]]ga/ condition: $a }'
    folder = hostile / "signatures"
    folder.mkdir(exist_ok=True)
    (folder / "own.yar").write_text(rule, encoding="utf-8")
    run(["-C", str(hostile), "doctor"])
    assert "takes longer: own.yar (odd)" in " ".join(capfd.readouterr().out.split())


def test_a_group_without_a_command_says_what_is_missing(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["signatures"]) == 64
    told = capfd.readouterr()
    assert "hunt" in told.out
    assert "spamtide: no command (see" in told.err


def test_rules_are_listed_with_whole_names_and_only_in_states_that_there_are(
    hostile: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert run(["-C", str(hostile), "signatures", "list"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert not any("…" in line for line in lines)
    assert sum(line.split()[0] == "affking_brands" for line in lines if line.strip()) == 1

    assert run(["-C", str(hostile), "signatures", "list", "--state", "dead"]) == 64
    assert "states: live, stale" in capfd.readouterr().err


def test_no_checks_of_control_servers_are_told_as_such(
    hostile: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["-C", str(hostile), "control"]) == 0
    told = capfd.readouterr()
    assert told.out == ""
    assert "no control server was checked yet" in told.err


def test_status_tells_what_there_is_and_no_empty_tables(
    hostile: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Before the first update, and after it."""
    assert run(["-C", str(hostile), "status"]) == 0
    told = capfd.readouterr().out
    assert "Nothing is measured yet" in told
    assert "Botnets" not in told
    assert run(["-C", str(hostile), "update"]) == 0
    capfd.readouterr()
    assert run(["-C", str(hostile), "status"]) == 0
    told = capfd.readouterr().out
    assert "No mail carries the traits of a botnet" in told
    assert "Botnets" not in told
    assert "Sensors" in told


def _exported(capfd: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    """Rows that a command writes: the observatory, then its words."""
    capfd.readouterr()
    assert run(["-C", *words]) == 0
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_series_and_changes_are_narrowed_to_a_subject_of_one_kind(
    hostile: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A filter names a subject by its kind; one that a table does not know is told with those it does."""
    assert run(["-C", str(hostile), "update"]) == 0
    series = str(hostile), "export", "series"
    every = _exported(capfd, *series)
    sensor = next(row["subject"] for row in every if row["subject_kind"] == "sensor")
    of_it = [row for row in every if (row["subject_kind"], row["subject"]) == ("sensor", sensor)]
    assert _exported(capfd, *series, "--sensor", sensor.upper()) == of_it
    assert _exported(capfd, *series, "--botnet", sensor) == []
    assert run(["-C", *series, "--campaign", "c-123456"]) == 64
    assert "it has: botnet, programme, sensor, since, until" in capfd.readouterr().err


def test_a_campaign_is_told_with_its_subject_and_days(
    hostile: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["-C", str(hostile), "update"]) == 0
    one = _exported(capfd, str(hostile), "export", "campaigns")[0]
    assert run(["-C", str(hostile), "explain", one["campaign"]]) == 0
    told = capfd.readouterr().out
    assert f"subject    {one['subject']}" in told
    assert "received   2024-03-05, from 1 address" in told


def test_no_name_or_subject_steers_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither by escape sequences nor by marks that turn the reading direction."""
    mail = tmp_path / "a.eml"
    mail.write_bytes(b"From: a@b.example\nSubject: =?utf-8?b?4oCuYWJjGxtbMzFt?=\n\nhello\n")
    observatory = str(tmp_path / "o")
    assert run(["-C", observatory, "ingest", "--sensor", "trap\x1b[31m", str(mail)]) == 0
    capfd.readouterr()
    assert run(["-C", observatory, "export", "observations"]) == 0
    sha256 = json.loads(capfd.readouterr().out)["sha256"]
    assert run(["-C", observatory, "explain", sha256]) == 0
    assert run(["-C", observatory, "explain", "c-\x1b[31m\u202e"]) == 69
    assert run(["-C", observatory, "update"]) == 0
    assert run(["-C", observatory, "status"]) == 0
    told = "".join(capfd.readouterr())
    assert "trap[31m" in told
    assert "abc" in told
    assert not {"\x1b", "\u202e"} & set(told)


@pytest.mark.parametrize("format_", ["csv", "ndjson"])
def test_a_reader_that_has_left_is_no_error(hostile: Path, format_: str) -> None:
    """As of `spamtide export observations | head -1`."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "spamtide", "-C", str(hostile), "export", "observations"]
    command += ["--format", format_]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, check=False)  # noqa: S603 - our own program and words
    os.close(write)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)


def test_what_is_no_plain_file_is_written_to_and_stays(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A pipe, and a link; a folder is refused. Root would else have a device replaced."""
    observatory = str(tmp_path / "o")
    mail = tmp_path / "a.eml"
    mail.write_bytes(b"From: a@b.example\nSubject: hello\n\nhello\n")
    assert run(["-C", observatory, "ingest", str(mail)]) == 0
    pipe, link, aim = tmp_path / "pipe", tmp_path / "link", tmp_path / "aim"
    os.mkfifo(pipe)
    link.symlink_to(aim)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert run(["-C", observatory, "export", "observations", "-o", str(pipe)]) == 0
        assert b'"sha256"' in os.read(reading, 65536)
    finally:
        os.close(reading)
    assert pipe.is_fifo()
    aim.write_text("old")
    assert run(["-C", observatory, "export", "observations", "-o", str(link)]) == 0
    assert link.is_symlink()
    assert '"sha256"' in aim.read_text()
    capfd.readouterr()
    for folder in (tmp_path, Path(), Path("..")):
        assert run(["-C", observatory, "export", "observations", "-o", str(folder)]) == 65
        assert "cannot write" in capfd.readouterr().err


@pytest.mark.parametrize("option", [("--label", "ham"), ("--lab", "Stone")])
def test_status_does_not_ask_for_an_update_where_no_spam_is_of_the_wild(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], option: tuple[str, str]
) -> None:
    """An update has nothing to measure there, before it and after."""
    (tmp_path / "a.eml").write_bytes(b"From: a@b.example\nSubject: noon\n\nShall we have lunch?\n")
    here = ["-C", str(tmp_path / "o")]
    assert run([*here, "ingest", "--sensor", "a", *option, str(tmp_path / "a.eml")]) == 0
    for _ in range(2):
        capfd.readouterr()
        assert run([*here, "status"]) == 0
        told = " ".join(capfd.readouterr().out.split())  # as wide as the terminal is
        assert "none was read yet: `spamtide ingest` does it" in told
        assert "spamtide update" not in told
        assert run([*here, "update"]) == 0
