"""One small and one full simulation for the tests of this room, each made once."""

from __future__ import annotations

import csv
import email
import email.message
import gzip
import json
import mailbox
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from spamtide.simulate import Truth, simulate


@dataclass(frozen=True)
class Made:
    """A simulation on disk, with what it returned."""

    out: Path
    truth: Truth

    @property
    def json(self) -> dict[str, Any]:
        """truth.json as read."""
        loaded: dict[str, Any] = json.loads((self.out / "truth.json").read_text("utf-8"))
        return loaded

    @property
    def rows(self) -> list[dict[str, str]]:
        """The rows of truth_messages.csv.gz."""
        with gzip.open(self.out / "truth_messages.csv.gz", "rt", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    @property
    def mailboxes(self) -> list[Path]:
        """Every mbox file."""
        return sorted([*self.out.glob("sensors/*.mbox.gz"), *self.out.glob("lab/*.mbox.gz")])


def read_mbox(path: Path, tmp_path: Path) -> Iterator[tuple[str, bytes]]:
    """Each message of a gzipped mboxrd file: its From_ line and its bytes as they were sent."""
    plain = tmp_path / path.name.removesuffix(".gz")
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    box = mailbox.mbox(plain, create=False)
    for key in box.iterkeys():
        whole = box.get_bytes(key, from_=True)
        line, _, data = whole.partition(b"\n")
        yield line.decode("ascii"), unquote(data)


def unquote(data: bytes) -> bytes:
    """Undo mboxrd quoting, line by line, as an oracle for the writer's one expression."""
    lines = data.split(b"\n")
    return b"\n".join(
        line[1:] if line.lstrip(b">").startswith(b"From ") and line[:1] == b">" else line for line in lines
    )


def parse(data: bytes) -> email.message.Message:
    return email.message_from_bytes(data)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """'autumn-2010' at a twentieth of its mail."""
    out = tmp_path_factory.mktemp("small") / "out"
    return Made(out, simulate("autumn-2010", out, scale=0.05))


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """'autumn-2010' as shipped."""
    out = tmp_path_factory.mktemp("full") / "out"
    return Made(out, simulate("autumn-2010", out))
