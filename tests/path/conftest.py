"""Run the real command in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
Exported = Callable[..., list[dict[str, Any]]]


def command(*arguments: object) -> list[str]:
    """The program's argument vector."""
    return [sys.executable, "-m", "spamtide", *map(str, arguments)]


@pytest.fixture(scope="session")
def spamtide() -> Run:
    """Run `spamtide ARGUMENTS`; stdin bytes and a function to run in the child by keyword."""

    def run(
        *arguments: object, stdin: bytes | None = None, before: Callable[[], None] | None = None
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(  # noqa: S603 - our own command
            command(*arguments),
            input=stdin,
            capture_output=True,
            check=False,
            preexec_fn=before,
            env={**os.environ, "TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "200"},
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    return run


@pytest.fixture(scope="session")
def ingest(spamtide: Run) -> Callable[..., dict[str, Any]]:
    """Ingest into an observatory and give the summary."""

    def run(observatory: Path, *arguments: object) -> dict[str, Any]:
        done = spamtide("-q", "-C", observatory, "ingest", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        counts: dict[str, Any] = json.loads(done.stdout)
        return counts

    return run


@pytest.fixture(scope="session")
def exported(spamtide: Run) -> Exported:
    """The rows of an exported table."""

    def run(observatory: Path, table: str, *options: object) -> list[dict[str, Any]]:
        done = spamtide("-C", observatory, "export", table, *options)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run
