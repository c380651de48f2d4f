"""What the observation tests share: raw messages made from text."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import settings

from spamtide.model import NO_ENVELOPE, Envelope, RawMessage

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

Make = Callable[..., RawMessage]


@pytest.fixture(scope="session")
def raw() -> Make:
    """Makes a RawMessage of a message's text."""

    def make(text: str | bytes, envelope: Envelope = NO_ENVELOPE, source: str = "mail.mbox!1") -> RawMessage:
        data = text if isinstance(text, bytes) else text.encode()
        return RawMessage(hashlib.sha256(data).hexdigest(), "trap-a", "spam", None, source, data, envelope)

    return make
