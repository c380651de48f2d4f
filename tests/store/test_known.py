"""Known keys: a set in 16 bytes a key."""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spamtide.store import KnownKeys, known

KEYS = st.lists(st.tuples(st.sampled_from(["maple", "oak"]), st.integers(0, 60)), max_size=80)


def digest(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


@settings(deadline=None)
@given(loaded=KEYS, added=KEYS)
def test_it_behaves_as_a_set_of_pairs(loaded: list[tuple[str, int]], added: list[tuple[str, int]]) -> None:
    """Oracle: a Python set."""
    keys, oracle = KnownKeys(), set(loaded)
    keys.load(
        pa.array([digest(n) for _, n in loaded], pa.string()), pa.array([s for s, _ in loaded], pa.string())
    )

    for sensor, number in added:
        assert keys.add(sensor, digest(number)) == ((sensor, number) not in oracle)
        oracle.add((sensor, number))

    assert len(keys) == len(oracle)


def test_merging_fresh_keys_forgets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "MERGE_AT", 3)
    keys = KnownKeys()

    assert all(keys.add("maple", digest(number)) for number in range(20))
    assert not any(keys.add("maple", digest(number)) for number in range(20))
    assert keys.add("oak", digest(0))


def test_a_digest_that_ends_in_zero_bytes_is_its_own_key() -> None:
    keys = KnownKeys()
    first = "ab" * 15 + "00" + "0" * 32
    second = "ab" * 14 + "0000" + "0" * 32

    assert keys.add("maple", first)
    assert keys.add("maple", second)
    keys.load(pa.array([first]), pa.array(["oak"]))
    assert not keys.add("oak", first)
    assert keys.add("oak", second)
