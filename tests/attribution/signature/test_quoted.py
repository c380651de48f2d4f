"""Words of a letter that is quoted or passed on: rules that match nothing else are marked."""

from __future__ import annotations

from pathlib import Path

import pytest

from spamtide.attribution import Ruleset, match
from spamtide.attribution.signature.quoted import QUOTED, own_rendering
from spamtide.attribution.signature.ruleset import compile_signatures

RULES = """
rule words { meta: kind = "botnet" name = "alpha" strings: $a = "Cheap pills from the north" condition: $a }
rule title { meta: kind = "botnet" name = "alpha" strings: $a = "subject: " $b = "Your pills are here"
             condition: all of them }
rule place { meta: kind = "botnet" name = "alpha" strings: $a = "link: http://pills.example/" condition: $a }
rule brand { meta: kind = "programme" name = "Maple Meds" strings: $a = "Maple Meds" condition: $a }
"""
SPAM = "Cheap pills from the north\nMaple Meds, http://pills.example/now\nand much more."
MINE = "Look what I got today, report this please:"
LETTERS = {
    "marked": f"{MINE}\n\n"
    + "\n".join(f"> {line}" for line in ("Received: from x", "From: y", *SPAM.split("\n"))),
    "answered": f"{MINE}\n\nOn 16.11.2020, Anders Oakes wrote:\n{SPAM}",
    "passed on": f"{MINE}\n---------- Forwarded message ---------\nFrom: A <a@b.example>\nDate: Monday\n"
    f"Subject: Your pills are here\nTo: me\n\n{SPAM}",
    "headers and all": f"{MINE}\nReturn-Path: <a@b.example>\nFrom: A\nTo: me\nSubject: x\n\n{SPAM}",
}


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    return compile_signatures([(Path("a.yar"), RULES)])


def rendering(subject: str, text: str) -> str:
    links = "link: http://pills.example/now\n" if "http://pills" in text else ""
    return f"header-order: From,To\nsubject: {subject}\n{links}text:\n{text}\n"


@pytest.mark.parametrize("text", LETTERS.values(), ids=LETTERS)
def test_words_of_a_letter_that_is_passed_on_are_marked(ruleset: Ruleset, text: str) -> None:
    """Its text, its subject and its links; a programme is advertised whoever does so."""
    hits = match([rendering("Fwd: Your pills are here", text)], ruleset)[0]
    assert set(hits) == {f"words{QUOTED}", f"title{QUOTED}", f"place{QUOTED}", "brand"}


def test_what_the_message_says_itself_counts(ruleset: Ruleset) -> None:
    """Above, between or below what it quotes, in its own subject and its own links."""
    text = f"{SPAM}\n\nOn 16.11.2020, Anders Oakes wrote:\n> Thank you for the minutes.\n> We meet again."
    hits = match([rendering("Your pills are here", text)], ruleset)[0]
    assert set(hits) == {"words", "title", "place", "brand"}


def test_mail_that_quotes_nothing_is_asked_once(ruleset: Ruleset) -> None:
    text = rendering("Re: Your pills are here", f"{SPAM}\n> one line alone is an arrow")
    assert own_rendering(text) is None
    assert set(match([text], ruleset)[0]) == {"words", "title", "place", "brand"}
