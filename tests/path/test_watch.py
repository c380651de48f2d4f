"""A message that takes too long costs its own time and nothing else."""

from __future__ import annotations

import datetime as dt
from itertools import count

import pytest

from spamtide.ingest import examining
from spamtide.model import Message, RawMessage
from spamtide.rows import raw_batch
from spamtide.settings import Limits, Observing


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parser that never comes back from one message."""
    parse = examining.parse

    def slow(data: bytes, limits: Limits) -> Message:
        for _ in count() if b"stuck" in data else ():
            pass
        return parse(data, limits)

    monkeypatch.setattr(examining, "parse", slow)


@pytest.mark.usefixtures("stuck")
def test_a_message_over_its_time_is_named_and_the_others_are_not() -> None:
    raws = [
        RawMessage(f"{number:064d}", "trap", "spam", None, "x", b"Subject: %b\n\nx\n" % word)
        for number, word in enumerate((b"one", b"stuck", b"two"))
    ]
    batch = raw_batch(raws, dt.datetime.now(dt.UTC), "b")
    rows = examining.examine(batch, limits=Limits(seconds=0.2), observing=Observing(), key=b"k").to_pylist()
    assert [row["failure"] for row in rows] == [None, "too-slow", None]
    assert [row["subject"] for row in rows] == ["one", "", "two"]
