"""Answers: what a sender says himself is compared, not the letters of others below it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spamtide.campaign.similarity import link_shape
from spamtide.campaign.target import target
from spamtide.quoting import own_words, without_quoted

OWN = "Please see the document that I attach, and confirm it today."
STOLEN = "Thank you for the minutes.\nWe meet again on Thursday, at the usual place."
QUOTED = "\n".join(f"> {line}" for line in STOLEN.split("\n"))
ANSWERS = {
    "marked": f"{OWN}\n\nOn 16.11.2020, Anders Oakes wrote:\n{QUOTED}\n",
    "broken": f"{OWN}\n\nOn Mon, Nov 16, 2020 at 10:02 AM Anders Oakes <a@firm.example>\nwrote:\n\n{QUOTED}",
    "whole": f"{OWN}\n\nAm Montag, 16. November 2020 um 10:02 schrieb Anders Oakes:\n{STOLEN}",
    "signed": f"{OWN}\n\nOn 16.11.2020, Anders Oakes wrote:\n{QUOTED}\n-- \nBea\n",
    "of a list": f"{QUOTED}\n{OWN}\n{'_' * 40}\nOakes-talk mailing list\n",
    "ruled": f"{OWN}\n\n-----Original Message-----\nFrom: Anders\n{STOLEN}",
    "headed": f"{OWN}\n\nFrom: Anders Oakes\nSent: Monday\nTo: Bea\nSubject: Minutes\n\n{STOLEN}",
    "headed in German": f"{OWN}\nVon: Anders Oakes\nGesendet: Montag\nAn: Bea\nBetreff: Protokoll\n{STOLEN}",
    "headed in Japanese": f"{OWN}\n差出人: Anders\n送信日時: 2020年\n宛先: Bea\n件名: 議事録\n{STOLEN}",
}


@pytest.mark.parametrize("text", ANSWERS.values(), ids=ANSWERS)
def test_the_stolen_letter_is_left_out(text: str) -> None:
    """Whatever marks it; and the stolen subject with it."""
    subject, own = own_words("Re: Minutes of the board", text)
    assert (subject, own.strip()) == ("", OWN)


def test_what_stands_below_a_marked_quote_is_kept() -> None:
    """Who answers line by line says something in between."""
    text = f"{QUOTED}\n\n{OWN}\n{QUOTED}\nAnd call me about the rest of it."
    assert own_words("AW: Protokoll", text)[1].split("\n") == ["", OWN, "And call me about the rest of it."]


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Minutes", ANSWERS["marked"]),
        ("Fwd: Minutes", ANSWERS["headed"]),
        ("Re: Minutes", f"Yes.\n\nOn 16.11.2020, Anders wrote:\n{QUOTED}\n"),
        ("Re: your order", f"{OWN}\n> Order here\nFrom: 9 dollars a month\n"),
        ("Re: your order", f"{OWN}\nDr. Smith wrote:\n{STOLEN}"),
    ],
)
def test_what_is_no_answer_is_left_as_it_is(subject: str, text: str) -> None:
    """No answer, mail that is passed on, next to nothing of one's own, an arrow, a label, a testimonial."""
    assert own_words(subject, text) == (subject, text)


@given(
    st.text(),
    st.lists(st.sampled_from(["> ", ">", "On 1 x wrote:", "From: ", "To: ", "Date: ", "\n", "word "])),
)
def test_any_text(subject: str, pieces: list[str]) -> None:
    """Nothing raises, and nothing is added."""
    text = "".join(pieces)
    assert len(own_words(f"Re: {subject}", text)[1]) <= len(text)


LED = {
    "https://urldefense.proofpoint.com/v2/url?u=http-3A__rin.example_shop_buy.php-3Fe-3D1&d=Dw": "2 .php 1",
    "https://eur03.safelinks.protection.outlook.com/?url=http%3A%2F%2Frin.example%2Fbuy.php&d=2": "1 .php 0",
    "https://urldefense.com/v3/__http://rin.example/shop/buy.php?e=1__;!!x$": "2 .php 1",
    "https://urldefense.com/v3/__https://x.proofpoint.com/v2/url?u=http-3A__rin.example_a&d=D__;!!": "1  0",
    "http://rin.example/shop/buy.php?e=1": "2 .php 1",
}


@pytest.mark.parametrize(("link", "shape"), LED.items())
def test_a_rewritten_link_has_the_shape_of_what_it_leads_to(link: str, shape: str) -> None:
    """Behind every gateway a campaign's links are the same."""
    assert target(link).startswith("http://rin.example/")
    assert link_shape(link) == shape


MONSTERS = {
    "feet": "-----\n" * 2_600 + f"{OWN}\n{QUOTED}",
    "marks in turn": "> a\nx\n" * 2_600 + OWN,
    "heads": "From:\n" * 2_600 + f"{OWN}\n{QUOTED}",
    "attributions": "On 1 x wrote:\n" * 1_100 + OWN,
    "labels": "From: x\n" + "Sent:" * 3_000,
}


@pytest.mark.parametrize("name", MONSTERS)
def test_monsters(name: str) -> None:
    """Texts made to cost time cost what others of their length cost, by far less than a message may."""
    begun = time.process_time()
    own_words("Re: x", MONSTERS[name])
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("text", [">\nx\n" * 50_000, "\n>\n" * 66_000], ids=["in turn", "empty lines"])
def test_monsters_as_long_as_a_text_may_be(text: str) -> None:
    """All of a rendering's text is looked at for what is quoted, so that the time must be linear."""
    begun = time.process_time()
    without_quoted(text)
    assert time.process_time() - begun < 2


def test_a_link_made_to_cost_time() -> None:
    begun = time.process_time()
    target("http://x.example/" + "/v3/__http:/" * 400 + "&u=http:/" * 400)
    assert time.process_time() - begun < 1
