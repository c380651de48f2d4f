"""Grammars inferred from values: they match what they were made from, and not much else."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spamtide.attribution.grammar import grammar, listed, literal


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
    pattern = grammar(values)
    assert pattern is None or all(re.fullmatch(pattern, value) for value in values)


def _many(make: str, count: int = 60) -> list[str]:
    """Values of a shape: # hex digit, 9 digit, ~ letter."""
    rng = random.Random(7)  # noqa: S311 - test data
    pool = {"#": "0123456789abcdef", "9": "0123456789", "~": "bcdefghijklmnopqrstuvwxyz"}
    return ["".join(rng.choice(pool[c]) if c in pool else c for c in make) for _ in range(count)]


@pytest.mark.parametrize(
    ("shape", "pattern"),
    [
        ("<000#########$########@~~~~~>", r"<000[0-9a-f]{9}\$[0-9a-f]{8}@[a-z]{5}>"),
        ("<9IX999EJXVWD999@~~~~.~~>", r"<[0-9]IX[0-9]{3}EJXVWD[0-9]{3}@[^ >\n]{1,255}>"),
        ("<9999999999.999999@host.example>", r"<[0-9]{10}\.[0-9]{6}@host\.example>"),
        ("----=_Part_0007_########", r"----=_Part_0007_[0-9a-f]{8}"),
    ],
)
def test_fixed_parts_stay_and_slots_become_classes(shape: str, pattern: str) -> None:
    assert grammar(_many(shape)) == pattern


def test_the_leading_digits_of_a_clock_are_not_kept() -> None:
    """Time stamps share their first digits for months; a rule that kept them would die with them."""
    values = [f"<2010091{day}{value:06d}@x>" for day in range(5) for value in range(0, 900_000, 90_001)]
    assert grammar(values) == "<[0-9]{14}@x>"


def test_values_without_a_common_form_have_no_grammar() -> None:
    assert grammar(["a-b", "a.b", "a+b", "a=b", "a:b"]) is None
    assert grammar(["a@b", "c"]) is None


def test_few_values_are_listed() -> None:
    assert listed(["b/1", "a", "a"]) == r"(a|b\/1)"
    assert listed([str(n) for n in range(9)]) is None
