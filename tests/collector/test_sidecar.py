"""Side-cars: what they tell of the envelope, and nonsense in them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from spamtide.collector.sidecar import read_sidecar
from spamtide.model import NO_ENVELOPE

MAIL = b"Subject: a\n\nbody\n"
FROM_LINE = b"From x@example.org Wed Jul  3 12:34:56 2002\n"


def test_a_side_car_fills_the_envelope(tmp_path: Path, read: Callable) -> None:
    """SHIVA's fields, beside the message; the side-car itself is neither mail nor counted."""
    (tmp_path / "m.eml").write_bytes(FROM_LINE + MAIL)
    (tmp_path / "m.meta").write_text(
        json.dumps(
            {
                "client_addr": "::ffff:192.0.2.7",
                "client_port": 1,
                "sender": "s@example.org",
                "recipients": ["r@example.org", "q@example.org"],
                "sensor_name": "x",
                "index_ts": "2025-01-02T03:04:05+01:00",
            }
        )
    )
    for source in (tmp_path, tmp_path / "m.eml"):
        outcome = read(source)
        (envelope,) = [m.envelope for m in outcome.messages]
        assert outcome.unreadable == []
        assert envelope.client_ip == "192.0.2.7"
        assert envelope.mail_from == "s@example.org"
        assert envelope.rcpt_to == ("r@example.org", "q@example.org")
        assert envelope.received_at == dt.datetime(2025, 1, 2, 2, 4, 5, tzinfo=dt.UTC)
    (tmp_path / "alone.meta").write_text("{}")
    assert read(tmp_path).reasons == {f"{tmp_path}/alone.meta": "not-mail"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["sender", "recipients", "index_ts", "client_addr", "helo"]), inner)
    ),
    max_leaves=12,
)


@given(JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=50))
@example(b"[" * 100_000)
@example(b'{"index_ts": 1e400}')
@example(b'{"index_ts": ' + b"9" * 400 + b"}")
@example(b'{"sender": "\\ud800", "helo": 1}')
def test_any_side_car_can_be_read(data: bytes) -> None:
    """Nonsense in a side-car is no knowledge, never an error, and what it gives can be stored."""
    envelope = read_sidecar(data)
    for text in (envelope.mail_from, envelope.helo, *envelope.rcpt_to):
        assert text is None or text.encode("utf-8").decode() == text
    assert envelope.received_at is None or envelope.received_at.tzinfo is dt.UTC


def test_a_side_car_that_knows_nothing_is_no_envelope() -> None:
    """A list, a number, an unknown field."""
    assert read_sidecar(b"[1]") == read_sidecar(b"7") == NO_ENVELOPE == read_sidecar(b'{"x": 1}')
