"""Reading to the end, errors included, as every test here does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from spamtide.collector import collect
from spamtide.errors import SpamtideError
from spamtide.model import RawMessage, Unreadable


@dataclass(frozen=True)
class Outcome:
    """Everything that one reading gave."""

    messages: list[RawMessage]
    unreadable: list[Unreadable]
    error: SpamtideError | None

    @property
    def data(self) -> list[bytes]:
        """The messages' bytes."""
        return [message.data for message in self.messages]

    @property
    def reasons(self) -> dict[str, str]:
        """Reason by source of all that is no message."""
        return {item.source: item.reason for item in self.unreadable}


def read_all(*paths: object, **options: object) -> Outcome:
    messages, unreadable, error = [], [], None
    try:
        for item in collect([str(path) for path in paths], **options):
            (messages if isinstance(item, RawMessage) else unreadable).append(item)
    except SpamtideError as caught:
        error = caught
    return Outcome(messages, unreadable, error)


@pytest.fixture(scope="session")
def read() -> Callable[..., Outcome]:
    """`collect` as lists, with the error that it ended in."""
    return read_all
