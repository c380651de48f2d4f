"""Faults of input and surroundings: one clear line on stderr, the right exit code, nothing lost."""

from __future__ import annotations

import ctypes
import gzip
import json
import os
import resource
import subprocess
import sys
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from spamtide.schema import LINEAGE

Run = Callable[..., subprocess.CompletedProcess[str]]
Exported = Callable[..., list[dict[str, Any]]]

MESSAGES = [
    b"Received: from bot (bot.example [198.51.100.7]) by mx.example; Mon, 20 Sep 2010 10:%02d:00 +0000\r\n"
    b"From: a@example.com\r\nTo: trap@example.net\r\nSubject: Number %d\r\n\r\nBuy pills number %d now.\r\n"
    % (number, number, number)
    for number in range(40)
]


def folder_of(path: Path, messages: list[bytes] = MESSAGES) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(messages):
        (path / f"{number:03}.eml").write_bytes(data)
    return path


def tar_of(messages: list[bytes] = MESSAGES) -> bytes:
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for number, data in enumerate(messages):
            info = tarfile.TarInfo(f"mail/{number:03}.eml")
            info.size = len(data)
            archive.addfile(info, BytesIO(data))
    return out.getvalue()


def one_line(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.startswith("spamtide: ")]
    assert len(lines) == 1, stderr
    assert "Traceback" not in stderr
    return lines[0]


def test_a_missing_path_is_told_before_anything_is_read_or_made(spamtide: Run, tmp_path: Path) -> None:
    mail = folder_of(tmp_path / "mail")
    done = spamtide("-C", tmp_path / "o", "ingest", mail, tmp_path / "no-such")

    assert done.returncode == 66
    assert "no-such" in one_line(done.stderr)
    assert not (tmp_path / "o").exists()


def test_a_folder_without_mail_is_bad_data(spamtide: Run, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "cat.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    done = spamtide("-C", tmp_path / "o", "ingest", tmp_path / "pictures")

    assert done.returncode == 65
    assert "pictures" in one_line(done.stderr)


def test_what_a_cut_archive_still_holds_is_stored_and_the_rest_comes_with_the_whole_one(
    spamtide: Run, exported: Exported, tmp_path: Path
) -> None:
    whole = tar_of()
    cut = tmp_path / "mail.tar.gz"
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    done = spamtide("-C", tmp_path / "o", "ingest", cut)

    assert done.returncode == 65
    assert "mail.tar.gz" in one_line(done.stderr)
    stored = {row["subject"] for row in exported(tmp_path / "o", "observations")}
    assert 0 < len(stored) < len(MESSAGES)

    cut.write_bytes(whole)
    assert spamtide("-C", tmp_path / "o", "ingest", cut).returncode == 0
    assert len(exported(tmp_path / "o", "observations")) == len(MESSAGES)


def test_a_file_that_may_not_be_read_does_not_stop_the_others(
    spamtide: Run, exported: Exported, tmp_path: Path
) -> None:
    mail = folder_of(tmp_path / "mail")
    (mail / "007.eml").chmod(0)
    done = spamtide("-C", tmp_path / "o", "ingest", mail, before=without_override)

    assert done.returncode == 66
    assert "007.eml" in one_line(done.stderr)
    assert len(exported(tmp_path / "o", "observations")) == len(MESSAGES) - 1


def test_a_named_file_in_a_folder_that_may_not_be_entered_does_not_stop_the_others(
    spamtide: Run, exported: Exported, tmp_path: Path
) -> None:
    closed, mail = folder_of(tmp_path / "closed"), folder_of(tmp_path / "mail")
    closed.chmod(0)
    done = spamtide("-C", tmp_path / "o", "ingest", closed / "001.eml", mail, before=without_override)
    closed.chmod(0o755)

    assert done.returncode == 66
    assert "001.eml" in one_line(done.stderr)
    assert len(exported(tmp_path / "o", "observations")) == len(MESSAGES)


def test_an_observatory_that_may_only_be_read_is_told_so_and_can_be_read(
    spamtide: Run, tmp_path: Path
) -> None:
    mail = folder_of(tmp_path / "mail")
    assert spamtide("-C", tmp_path / "o", "ingest", mail).returncode == 0
    inside = [tmp_path / "o" / "lake", *(tmp_path / "o" / "lake").rglob("*")]
    for path in inside:
        path.chmod(path.stat().st_mode & ~0o222)
    done = spamtide("-C", tmp_path / "o", "update", before=without_override)
    seen = spamtide("-C", tmp_path / "o", "export", "observations", before=without_override)
    for path in inside:
        path.chmod(path.stat().st_mode | 0o200)

    assert done.returncode == 69
    assert "cannot write to" in one_line(done.stderr)
    assert seen.returncode == 0
    assert len(seen.stdout.splitlines()) == len(MESSAGES)


def test_a_reader_who_has_seen_enough_is_no_fault(spamtide: Run, tmp_path: Path) -> None:
    mail = folder_of(tmp_path / "mail")
    for sensor in ("one", "two", "three"):  # more than a pipe holds
        assert spamtide("-C", tmp_path / "o", "ingest", "--sensor", sensor, mail).returncode == 0
    export = [sys.executable, "-m", "spamtide", "-C", str(tmp_path / "o"), "export", "observations"]
    # A pipe that is closed halfway: `run`, which the fixture uses, reads to the end.
    with subprocess.Popen(export, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:  # noqa: S603 - this interpreter, words of this test
        assert running.stdout is not None
        assert running.stdout.read(1) == b"{"
        running.stdout.close()
        assert running.stderr is not None
        assert running.stderr.read() == b""

    assert running.returncode == 0


def test_a_stream_that_was_closed_before_the_start_is_no_fault(spamtide: Run, tmp_path: Path) -> None:
    """`>&-` in a shell, or a service without standard streams."""
    spamtide("init", tmp_path / "o")
    spamtide("-C", tmp_path / "o", "ingest", folder_of(tmp_path / "mail"))
    for command, number in (("export observations", 1), ("status", 1), ("status", 0), ("export sensors", 2)):
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "spamtide", "-C", tmp_path / "o", *command.split()],
            preexec_fn=lambda closed=number: os.close(closed),
            stdout=None if number == 1 else subprocess.PIPE,
            stderr=None if number == 2 else subprocess.PIPE,
            check=False,
        )
        assert done.returncode == 0, (command, number, done.stderr)
        assert not done.stderr


def test_names_that_look_like_markup_are_shown_as_they_are(spamtide: Run, tmp_path: Path) -> None:
    mail = folder_of(tmp_path / "mail", MESSAGES[:1])
    made = spamtide("-C", tmp_path / "o", "ingest", "--sensor", "[/x]", mail)
    assert made.returncode == 0, made.stderr
    assert spamtide("-C", tmp_path / "o", "update").returncode == 0
    told = spamtide("-C", tmp_path / "o", "status")

    assert told.returncode == 0, told.stderr
    assert "[/x]" in told.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("export", "changes", "--since", "0001-01-01T00:00+14:00", "--until", "9999-12-31"), 0, ""),
        (("bulletin", "-o", "bulletin.txt"), 64, "bulletin.txt tells no bulletin format"),
        (("ingest", "--retry", "more.mbox"), 64, "--retry"),
        (("init", "mail [old]"), 64, "its name holds '['"),
        (("init", "mail%20old"), 64, "its name holds '%20'"),
        (("evaluate", "--corpora", "no-such-folder"), 66, "no-such-folder"),
    ],
)
def test_words_that_do_not_fit_are_told_apart_from_defects(
    spamtide: Run, tmp_path: Path, arguments: tuple[str, ...], code: int, told: str
) -> None:
    assert spamtide("init", tmp_path / "o").returncode == 0
    done = spamtide("-C", tmp_path / "o", *arguments)

    assert done.returncode == code
    assert told in (one_line(done.stderr) if code else "")


def test_a_checkout_of_the_text_files_alone_can_be_updated(spamtide: Run, tmp_path: Path) -> None:
    assert spamtide("init", tmp_path / "o").returncode == 0
    (tmp_path / "o" / "lake").rmdir()

    done = spamtide("-C", tmp_path / "o", "update")
    assert done.returncode == 0, done.stderr


PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


def without_override() -> None:
    """In the child: root gives up reading what its mode forbids (prctl(2), capabilities(7))."""
    if os.getuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def small_files() -> None:
    """In the child: no file may grow past 24 KB, as if the disk were full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (24 * 2**10, 24 * 2**10))


def test_a_full_disk_loses_nothing_and_the_same_command_goes_on(
    spamtide: Run, exported: Exported, tmp_path: Path
) -> None:
    noise = [data + os.urandom(3000).hex().encode() for data in MESSAGES]
    mail = folder_of(tmp_path / "mail", noise)
    done = spamtide("-C", tmp_path / "o", "ingest", mail, before=small_files)

    assert done.returncode == 75
    assert "room" in one_line(done.stderr)
    assert spamtide("-C", tmp_path / "o", "ingest", mail).returncode == 0
    assert len(exported(tmp_path / "o", "observations")) == len(MESSAGES)


def test_a_lake_of_a_newer_schema_is_refused(spamtide: Run, tmp_path: Path) -> None:
    observatory = tmp_path / "o"
    assert spamtide("init", observatory).returncode == 0
    DeltaTable.create(str(observatory / "lake" / "lineage"), schema=LINEAGE, description="spamtide schema 99")

    done = spamtide("-C", observatory, "update")

    assert done.returncode == 69
    assert "99" in one_line(done.stderr)


@pytest.mark.parametrize("arguments", [["status"], ["update"], ["bulletin"], ["export", "series"], ["learn"]])
def test_reading_commands_want_an_observatory(spamtide: Run, tmp_path: Path, arguments: list[str]) -> None:
    done = spamtide("-C", tmp_path / "nowhere", *arguments)

    assert done.returncode == 69
    assert "no observatory" in one_line(done.stderr)
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["ingest", "--no-such-option", "x"],
        ["ingest"],
        ["ingest", "--label", "maybe", "x"],
        ["ingest", "--lab", "", "x"],
        ["ingest", "--sensor", " ", "x"],
        ["ingest", "--label", "ham", "--lab", "rustock", "x"],
        ["export", "no-such-table"],
        ["export", "changes", "--campaign", "c-123456"],
        ["export", "series", "--since", "yesterday"],
        ["bulletin", "--format", "pdf"],
        ["explain", "xyz"],
        ["simulate", "no-such-world", "-o", "x"],
    ],
)
def test_wrong_use_is_64(spamtide: Run, tmp_path: Path, arguments: list[str]) -> None:
    assert spamtide("init", tmp_path / "o").returncode == 0
    done = spamtide("-C", tmp_path / "o", *arguments)

    assert done.returncode == 64
    assert one_line(done.stderr)


def test_an_empty_lab_is_not_taken_for_ham(spamtide: Run, tmp_path: Path) -> None:
    assert spamtide("init", tmp_path / "o").returncode == 0
    assert "--lab is empty" in one_line(spamtide("-C", tmp_path / "o", "ingest", "--lab", "", "x").stderr)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("spamtide.toml", "name = 'x'\n[running]\nworkerz = 3\n", "spamtide.toml:3"),
        ("spamtide.toml", "[observing]\ntrusted_relays = ['10.0.0.0/99']\n", "spamtide.toml:2"),
        ("spamtide.toml", "= nonsense\n", "spamtide.toml"),
        ("signatures/mine.yar", 'rule a { strings: $a = "x" condition: $b }\n', "mine.yar:1"),
        ("signatures/mine.yar", 'rule a { strings: $a = "x" condition: $a }\n', "mine.yar:1"),
    ],
)
def test_a_wrong_file_of_the_user_is_named_with_its_line(
    spamtide: Run, tmp_path: Path, name: str, text: str, told: str
) -> None:
    observatory = tmp_path / "o"
    assert spamtide("init", observatory).returncode == 0
    (observatory / name).write_text(text)

    done = spamtide("-C", observatory, "update")

    assert done.returncode == 65
    assert told in one_line(done.stderr)


def test_stdin_takes_one_message_and_data_goes_to_stdout_alone(
    spamtide: Run, exported: Exported, tmp_path: Path
) -> None:
    done = spamtide("-C", tmp_path / "o", "ingest", "--json", "-", stdin=MESSAGES[0])

    assert done.returncode == 0
    counts: dict[str, Any] = json.loads(done.stdout)
    assert counts["stored"] == 1
    assert exported(tmp_path / "o", "observations")[0]["sensor"] == "stdin"


def test_an_export_to_a_file_is_whole(spamtide: Run, tmp_path: Path) -> None:
    spamtide("-C", tmp_path / "o", "ingest", folder_of(tmp_path / "mail"))
    done = spamtide("-C", tmp_path / "o", "export", "observations", "-o", tmp_path / "x.ndjson")

    assert done.returncode == 0
    assert len((tmp_path / "x.ndjson").read_text().splitlines()) == len(MESSAGES)


def test_a_gzip_of_nothing_holds_no_mail(spamtide: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.mbox.gz").write_bytes(gzip.compress(b""))
    done = spamtide("-C", tmp_path / "o", "ingest", tmp_path / "empty.mbox.gz")

    assert done.returncode == 65
    assert one_line(done.stderr)
