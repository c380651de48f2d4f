"""Grammars inferred from values: they match what they were made from, and not much else."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spamtide.attribution.learning.grammar import grammar, listed, literal


@given(st.text(max_size=40))
def test_a_literal_matches_itself_alone(text: str) -> None:
    pattern = literal(text).encode()
    data = text.encode("utf-8", "replace")
    assert re.fullmatch(pattern, data, re.DOTALL)
    assert not re.fullmatch(pattern, data + b"x", re.DOTALL)


@given(
    st.lists(
        st.from_regex(r"<[0-9a-f]{4,12}\$?[A-Z]{2}[0-9]{1,3}@[a-z]{1,9}(\.[a-z]{2,3})?>", fullmatch=True),
        min_size=1,
        max_size=12,
    )
)
def test_a_grammar_matches_the_values_it_was_made_from(values: list[str]) -> None:
    pattern = grammar(values).pattern
    assert all(re.fullmatch(pattern, value) for value in values)


def _many(make: str, count: int = 60) -> list[str]:
    """Values of a shape: # hex digit, 9 digit, ~ letter."""
    rng = random.Random(7)
    pool = {"#": "0123456789abcdef", "9": "0123456789", "~": "bcdefghijklmnopqrstuvwxyz"}
    return ["".join(rng.choice(pool[c]) if c in pool else c for c in make) for _ in range(count)]


@pytest.mark.parametrize(
    ("shape", "pattern"),
    [
        ("<000#########$########@~~~~~>", r"<[0-9a-f]{12}\$[0-9a-f]{8}@[a-z]{5}>"),
        ("<msg9999.######@~~~~>", r"<msg[0-9]{4}\.[0-9a-f]{6}@[a-z]{4}>"),
        ("<9999999999.999999@host.example>", r"<[0-9]{10}\.[0-9]{6}@host\.example>"),
        ("----=_NextPart_000_########", r"----=_NextPart_000_[0-9a-f]{8}"),
        ("----=_Part_4121_########", r"----=_Part_[0-9A-Za-z]{2,6}_[0-9a-f]{8}"),
    ],
)
def test_what_an_author_typed_stays_and_slots_become_classes(shape: str, pattern: str) -> None:
    """A constant number may be a process or a machine; a word, zeros and signs are the author's."""
    assert grammar(_many(shape)).pattern == pattern


def test_several_machines_vouch_for_a_constant() -> None:
    assert grammar(_many("----=_Part_4121_########"), machines=4).pattern == "----=_Part_4121_[0-9a-f]{8}"
    assert grammar(_many("<000#########@x>"), machines=4).pattern == "<000[0-9a-f]{9}@x>"


def test_the_leading_digits_of_a_clock_are_not_kept() -> None:
    """Time stamps share their first digits for months; a rule that kept them would die with them."""
    values = [f"<2010091{day}{value:06d}@x>" for day in range(5) for value in range(0, 900_000, 90_001)]
    made = grammar(values)
    assert made.pattern == "<[0-9]{13,15}@x>"
    assert re.fullmatch(made.pattern, "<20310101000000@x>")


def test_a_number_that_is_not_padded_may_grow() -> None:
    """A counter of three digits has four tomorrow."""
    made = grammar([f"a.{number}" for number in range(300, 340)])
    assert re.fullmatch(made.pattern, "a.1024")


def test_many_arrangements_are_described_as_one_run() -> None:
    values = ["Xy-b", "Xy.b", "Xy+b", "Xy=b", "Xy:b", "Xy b"]
    made = grammar(values)
    assert made.pattern.startswith("Xy")
    assert all(re.fullmatch(made.pattern, value) for value in values)


def test_few_values_are_listed() -> None:
    assert listed(["b/1", "a", "a"]) == r"(a|b\/1)"
    assert listed([str(n) for n in range(9)]) is None
