"""Folding, words and disguised wording, on generated texts: both forms give the same."""

from __future__ import annotations

from importlib import import_module

import pytest
from forms import brands, folding, python_alone, words
from hypothesis import given, settings
from hypothesis import strategies as st

readings = import_module("spamtide.attribution.brand.reading")
wording_of = import_module("spamtide.attribution.brand.words").wording_of
pytestmark = pytest.mark.usefixtures("compiled")


@given(st.text(alphabet="ab\u0dff\u0e00\u0e7f\u0e80\u3040ー\u3100\u3400\u4dc0世\ua000😀\u200bK", max_size=5))
def test_scripts_without_spaces_are_told_alike(value: str) -> None:
    """First and last characters of each range."""
    compiled = folding._fold_unicode(value)
    with python_alone():
        assert compiled == folding._fold_unicode(value)


GREETED = (
    "Dear", "hello", " ", " ", "Mr.", "dr", "Anna", "rcpt.", "rcpt.12ab", "@", "x.y-z", "ab", ",", ":", "!",
    "\n", "\t", "\x1c", "\ntext:", "é", "уважаемый", "世", "attn", "good day", "HI", "hit", "-",
)  # fmt: skip


@settings(max_examples=500)
@given(st.lists(st.sampled_from(GREETED), max_size=30), st.lists(st.sampled_from(GREETED), max_size=8))
def test_texts_are_folded_alike(pieces: list[str], subject: list[str]) -> None:
    """Greetings, tokens that stand for recipients, texts that are longer than what is compared."""

    class Shown:
        def __init__(self, subject: str, rendering: str) -> None:
            self.subject, self.rendering = subject, rendering

    visible, title = "".join(pieces), "".join(subject)
    for one in (
        Shown(title, f"header A: é\ntext:\n{visible}"),
        Shown(title * 400, f"text:\ntext:{'x' * 3990}{visible}"),
        Shown(title, "Ü\ntext:\n" + "word rcpt.0f@a.b " * 20 + visible + "z" * 4000 + "é"),
        Shown(title, visible),
    ):
        compiled = folding.fold(one)
        with python_alone():
            assert compiled == folding.fold(one)


PIECES = (
    "viagra", "V1@gra", "vvii agra", "argaiv", "canadian", "c a n a d i a n", "rx", "pills", "soft", "tabs",
    " ", "\u0430", "\u200b", "é", "世", "😀", "\ud800", "x" * 40, "cialis", "1",
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12), st.integers(1, 150))
def test_disguised_wording_is_missed_by_neither(pieces: list[str], wordings: int) -> None:
    """Few and many wordings, forwards, backwards, dressed; texts longer than the compiled form's own room."""
    said = [
        "viagra soft tabs",
        "canadian pills",
        "viagra",
        "cialis",
        *(f"made{n:x}wording" for n in range(wordings)),
    ]
    index = brands.Index([one for text in said if (one := wording_of(text, cased=False))])
    for value in ("".join(pieces), "zq" * 5000 + "".join(pieces)):
        compiled = index.places(value)
        with python_alone():
            assert sorted(compiled, key=repr) == sorted(index.places(value), key=repr)


DRESSED = (
    "viagra", "viagra soft tabs", "Viagra", "v1agra", "viagr", "vviagra", "argaiv", "made1wording",
    "made22wording",
    "Made2wording", " ", "-", "!", "|", "v!agra", "\u202e", "\n", "\nsubject: ", "\ntext:\n",
    "\nheader From: ", "<",
    "=?utf-8?q?viagra?=", "link: ", "http://viagra.example", "a", "v", "\u0430", "\u200b", "é", "世",
    "😀", "\ud800",
    "\U000e0100", "1", "2", "a" * 60, "x" * 10_000,
)  # fmt: skip


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.sampled_from(DRESSED), max_size=14), st.booleans())
def test_where_a_look_tells_that_nothing_is_said_nothing_is(pieces: list[str], cased: bool) -> None:  # noqa: FBT001 - hypothesis gives it by name
    """Looked at twice: what a wording's rule has is known from the first time that it was found."""
    said = ["viagra soft tabs", "viagra", "Viagra ", *(f"made{n}wording" for n in (1, 2, 22)), "xax wax"]
    reading = readings.reading_of([one for text in said if (one := wording_of(text, cased=cased))])
    text = "".join(pieces)
    for rendering in (text, f"\nheader From: {text}<\nsubject: {text}\ntext:\n{text}"):
        looked = [readings.finds(rendering, reading) for _ in range(2)]
        with python_alone():
            assert looked == [readings.finds(rendering, reading)] * 2


WORDS = (
    "word", "of", "buy", "v.i.a.g.r.a", "12.50", "100mg", "xkcdqwrt", "a@b.cc", "http://x.yz", "\n",
    " ", "é", "世", "\u200b", "😀", "lengthened", "extraordinary", "0" * 30, "q" * 30, "\x02", "\x7f", "..",
    "a1b2",
)  # fmt: skip


@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=60), max_size=4))
def test_words_are_alike(texts: list[list[str]]) -> None:
    """Numbers, addresses, random words, padding, repeats, all of a batch."""
    folded = [" ".join(pieces).encode() for pieces in texts]
    compiled = words.read_words(folded)
    with python_alone():
        plain = words.read_words(folded)
    assert compiled.hashes.tolist() == plain.hashes.tolist()
    assert compiled.text.tolist() == plain.text.tolist()
