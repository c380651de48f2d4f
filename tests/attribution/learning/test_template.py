"""Texts as templates: what a match is worth by how much it says."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from spamtide.attribution.learning.lab import Family, Mail
from spamtide.attribution.learning.measuring import confidence, measure_draft
from spamtide.attribution.learning.template import template_drafts, windows

WORDS = [f"word{number}" for number in range(4000)]
"""Of what surrounds the text: no two letters have a stretch of it in common."""


def _letters(text: str) -> dict[str, str]:
    """A family's lab mail that has one text in common."""
    rng = random.Random(7)
    around = [" ".join(rng.sample(WORDS, 12)) for _ in range(60)]
    return {f"{number:064x}": f"subject: x\ntext:\n{words}\n{text}" for number, words in enumerate(around)}


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("sorry for the trouble that this causes", 75, 90),
        ("sorry for all the trouble that this may cause", 91, 95),
        ("sorry for all the trouble that this may cause to you and your friends", 96, 99),
    ],
)
def test_a_sentence_that_anybody_may_write_is_worth_less_than_a_text(
    text: str, least: int, most: int
) -> None:
    documents = _letters(text)
    allowed = windows(f"text:\n{text}", 5)
    (draft,) = template_drafts("alpha", documents, allowed, 5, 7)
    assert draft.words == len(text.split())
    mail = tuple(Mail(sha256, dt.date(2025, 3, 1), letter) for sha256, letter in documents.items())
    family = Family("alpha", mail, mail, ())
    assert least <= confidence(measure_draft(draft, [family], [], set(), frozenset(documents)), 1.0) <= most


def test_words_that_stand_in_a_longer_text_count_once() -> None:
    """A subject that the text repeats is one sentence, and no more than anybody may write."""
    short, text = "sorry for the trouble that", "sorry for the trouble that this causes"
    documents = {s: m.replace("subject: x", f"subject: {short}") for s, m in _letters(text).items()}
    (draft,) = template_drafts("alpha", documents, windows(f"text:\n{text}", 5), 5, 7)
    assert draft.words == len(text.split())
