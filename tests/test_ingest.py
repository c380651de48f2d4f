"""Ingest inside one process: what earlier runs left behind is worked off, and quarantine can be emptied."""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc
import pytest

from spamtide import ingest as intake
from spamtide.ingest import examining
from spamtide.message import parse as parse_message
from spamtide.model import Message
from spamtide.observatory import Observatory, init_observatory
from spamtide.settings import Limits


def mail(number: int) -> bytes:
    return b"From: a@example.com\nDate: Mon, 20 Sep 2010 10:00:00 +0000\nSubject: %d\n\nText %d\n" % (
        number,
        number,
    )


def take(observatory: Observatory, folder: Path, *numbers: int) -> intake.IngestSummary:
    folder.mkdir(exist_ok=True)
    for number in numbers:
        (folder / f"{number}.eml").write_bytes(mail(number))
    paths = tuple(str(folder / f"{number}.eml") for number in numbers)
    return intake.ingest(observatory, intake.Source(paths, sensor="trap"))


def subjects(observatory: Observatory, table: str = "observations") -> list[str]:
    return sorted(observatory.lake.read(table)["subject"].to_pylist())


def test_mail_of_an_interrupted_run_is_found_though_older_raw_mail_is_past_its_retention(
    tmp_path: Path,
) -> None:
    observatory = init_observatory(tmp_path / "o")
    lake = observatory.lake
    take(observatory, tmp_path / "mail", 1, 2, 3)
    raw, seen = lake.read("raw"), lake.read("observations")
    lost = seen.filter(pc.equal(seen["subject"], "3"))["sha256"][0]
    lake.replace("raw", raw.filter(pc.equal(raw["sha256"], lost)))  # the others' time is over
    lake.replace("observations", seen.filter(pc.not_equal(seen["sha256"], lost)))  # the run died before it
    done = take(observatory, tmp_path / "mail", 1)

    assert (done.recovered, done.stored, done.known) == (1, 0, 1)
    assert subjects(observatory) == ["1", "2", "3"]


def test_what_works_on_a_second_try_leaves_the_quarantine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails_on(*bad: bytes) -> None:
        def parse(data: bytes, limits: Limits) -> Message:
            if any(b"Subject: %b\n" % number in data for number in bad):
                raise ValueError(bad)
            return parse_message(data, limits)

        monkeypatch.setattr(examining, "parse", parse)

    observatory = init_observatory(tmp_path / "o")
    fails_on(b"2", b"3")
    first = take(observatory, tmp_path / "mail", 1, 2, 3)
    assert (first.stored, dict(first.quarantined)) == (1, {"error": 2})

    fails_on(b"3")
    second = intake.retry(observatory)

    assert (second.retried, second.recovered) == (2, 1)
    assert subjects(observatory) == ["1", "2"]
    assert observatory.lake.read("quarantine")["reason"].to_pylist() == ["error"]
    assert intake.retry(observatory).recovered == 0
    assert subjects(observatory) == ["1", "2"]
