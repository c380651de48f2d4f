"""A run may die at any moment: the same command again, and the lake is as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from spamtide.observatory import RECIPIENT_KEY, init_observatory
from spamtide.schema import KEYS

KILLS = 10
MESSAGES = 6000


def mbox(path: Path) -> Path:
    """An mbox of many messages of uneven size."""
    dice = random.Random(7)
    with path.open("wb") as out:
        for number in range(MESSAGES):
            words = " ".join(dice.choice(["cheap", "pills", "watch", "offer", "today"]) for _ in range(200))
            out.write(
                b"From bot@example.com Mon Sep 20 10:00:00 2010\n"
                b"Received: from bot (unknown [198.51.100.%d]) by mx.example.net; "
                b"Mon, 20 Sep 2010 %02d:%02d:00 +0000\n"
                b"From: bot@example.com\nTo: trap%d@example.net\nSubject: offer %d\n\n%s\n\n"
                % (number % 250, number // 60 % 24, number % 60, number, number, words.encode())
            )
    return path


def observatory(path: Path) -> Path:
    """An observatory whose recipients' key is the same in every run of this test."""
    made = init_observatory(path)
    key = pa.table({"name": [RECIPIENT_KEY], "value": [bytes(32)]}, schema=KEYS)
    made.lake.append("keys", key)
    return path


def whole_table(path: Path) -> list[dict[str, Any]]:
    """Every column of the observations table, in order of key."""
    table = init_observatory(path).lake.read("observations")
    rows: list[dict[str, Any]] = table.sort_by([("sha256", "ascending"), ("sensor", "ascending")]).to_pylist()
    return rows


def test_ten_kills_change_no_row(tmp_path: Path, ingest: Callable[..., dict[str, Any]]) -> None:
    """Kill -9 at ten random moments, each followed by the same command again."""
    mail = mbox(tmp_path / "mail.mbox")
    quiet = observatory(tmp_path / "quiet")
    started = time.monotonic()
    assert ingest(quiet, mail)["stored"] == MESSAGES
    seconds = time.monotonic() - started

    troubled = observatory(tmp_path / "troubled")
    dice = random.Random()
    moments = [dice.uniform(0.05, seconds) for _ in range(KILLS)]
    for moment in moments:
        command = [sys.executable, "-m", "spamtide", "-q", "-C", str(troubled), "ingest", str(mail)]
        process = subprocess.Popen(command, start_new_session=True)  # noqa: S603 - our own command
        time.sleep(moment)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    counts = ingest(troubled, mail)

    assert whole_table(troubled) == whole_table(quiet), moments
    assert counts["known"] + counts["stored"] == MESSAGES
    assert ingest(troubled, mail)["stored"] == 0
