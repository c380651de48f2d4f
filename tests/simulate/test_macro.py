"""The template language: what it makes, and what it refuses."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spamtide.simulate.macro import MacroError, compile_macro, render
from spamtide.simulate.stream import Dice, Streams


def dice(seed: int = 1) -> Dice:
    return Streams("test", seed).dice("macro")


@given(st.text(st.characters(exclude_characters="{}"), max_size=60))
def test_text_without_braces_stands_for_itself(text: str) -> None:
    assert render(compile_macro(text), dice(), {}) == text


def test_every_alternative_comes_up_and_nothing_else() -> None:
    program = compile_macro("{a|b{1|2}|}!")
    rolled = dice()
    assert {render(program, rolled, {}) for _ in range(200)} == {"a!", "b1!", "b2!", "!"}


def test_values_lists_and_characters() -> None:
    program = compile_macro("{$who} {@fruit} {?HEX:4}-{?digit:2-3}", {"fruit": ("pear", "plum {$who}")})
    rolled = dice()
    for _ in range(50):
        text = render(program, rolled, {"who": "Ada"})
        assert re.fullmatch(r"Ada (pear|plum Ada) [0-9A-F]{4}-\d{2,3}", text)


@pytest.mark.parametrize("source", ["{a|b", "a}", "{alone}", "{?nothing:3}", "{@nothing}"])
def test_a_template_that_is_written_wrongly_is_refused(source: str) -> None:
    with pytest.raises(MacroError):
        compile_macro(source)


def test_a_value_that_is_missing_is_an_error_not_a_hole_in_the_mail() -> None:
    with pytest.raises(KeyError):
        render(compile_macro("{$nobody}"), dice(), {})


@given(st.integers(1, 1000), st.integers(0, 40))
def test_random_text_has_its_length_and_alphabet(seed: int, count: int) -> None:
    text = dice(seed).text("xyz", count)
    assert len(text) == count
    assert set(text) <= set("xyz")


def test_random_text_uses_its_alphabet_evenly() -> None:
    text = dice().text("0123456789", 50_000)
    assert all(4700 < text.count(digit) < 5300 for digit in "0123456789")


@given(st.lists(st.integers(), min_size=0, max_size=9), st.integers(0, 12))
def test_a_sample_has_no_repeats(items: list[int], count: int) -> None:
    places = list(enumerate(items))
    drawn = dice().sample(places, count)
    assert len(drawn) == len(set(drawn)) == min(count, len(items))
