"""Brands that a list's letter mentions in passing: rules that match nothing else of it are marked."""

from __future__ import annotations

from pathlib import Path

import pytest
from answer_rules import Ask

from spamtide.attribution import Ruleset, match, unreached
from spamtide.attribution.signature.passing import MOST_PARAGRAPHS, PASSING, apart
from spamtide.attribution.signature.ruleset import compile_signatures
from spamtide.knowledge import Knowledge

RULES = """
private rule has_link { strings: $a = "link: https://" condition: $a }
rule brand { meta: kind = "programme" name = "Maple Meds" strings: $a = "Maple Meds" fullword
             condition: has_link and $a }
rule news { meta: kind = "botnet" name = "alpha" strings: $a = "researchers" condition: $a }
"""
NEWS = (
    "This week researchers of a university told how the people behind\n"
    "Maple Meds moved their sites to other registrars after the last\n"
    "takedown, and what it cost them. Volumes fell by a third."
)
OTHER = "In other news, a vendor closed three holes in its mail server, and two of them were old."
END = "Read more at https://news.example/2"


@pytest.fixture(scope="module")
def lists() -> Ruleset:
    return compile_signatures([(Path("a.yar"), RULES)])


def rendering(
    *paragraphs: str, subject: str = "This week", field: str = "List-Id", between: str = "\n\n"
) -> str:
    return (
        f"header-order: From,To\nheader {field}: <weekly.news.example>\nheader From: News <n@news.example>\n"
        f"subject: {subject}\nlink: https://news.example/2\ntext:\n{between.join(paragraphs)}\n"
    )


@pytest.mark.parametrize("between", ["\n\n", "\n"])
@pytest.mark.parametrize("field", ["List-Id", "List-ID", "list-unsubscribe", "List-Post"])
def test_one_mention_in_running_prose_is_marked(lists: Ruleset, field: str, between: str) -> None:
    """In wrapped lines with empty ones between, and in paragraphs of HTML, a line each; no botnet's is."""
    wrapped = NEWS if between == "\n\n" else NEWS.replace("\n", " ")
    text = rendering("Dear reader,", wrapped, OTHER, END, field=field, between=between)
    assert match([text], lists)[0] == (f"brand{PASSING}", "news")


@pytest.mark.parametrize(
    "text",
    [
        rendering(NEWS, OTHER, END, field="X-Mailer"),
        rendering("Maple Meds", NEWS, OTHER, END),
        rendering(NEWS, OTHER, "Order now: Maple Meds"),
        rendering(NEWS, OTHER, END, subject="News of Maple Meds"),
        rendering(NEWS, OTHER, NEWS, END),
        rendering(
            "MAPLE MEDS AND OTHERS: Maple Meds HAS ALL PILLS FOR ALL MEN AND ALL DAYS OF THE YEAR.", END
        ),
        rendering("Maple Meds has it. Come."),
        rendering(NEWS, *["word"] * MOST_PARAGRAPHS),
        rendering(NEWS.replace("\n", " "), "M.a.p.l.e M.e.d.s", END, between="\n"),
    ],
    ids=[
        "no list's",
        "a heading",
        "a line below",
        "the subject",
        "twice",
        "no prose",
        "too short",
        "too long a letter",
        "in disguise as well",
    ],
)
def test_what_is_shown_counts(lists: Ruleset, text: str) -> None:
    assert "brand" in match([text], lists)[0]
    assert f"brand{PASSING}" not in match([text], lists)[0]


def test_another_brand_in_disguise_makes_it_no_more_than_a_mention() -> None:
    more = RULES.replace("rule brand", "rule other").replace("Maple Meds", "Birch Watches")
    more = more[more.index("rule other") : more.index("rule news")]
    ruleset = compile_signatures([(Path("a.yar"), RULES + more)])
    text = rendering(NEWS, OTHER, "B.i.r.c.h W.a.t.c.h.e.s", END)
    assert match([text], ruleset)[0] == (f"brand{PASSING}", "news", "other")


def test_letters_without_prose_are_asked_once() -> None:
    assert apart(rendering("Maple Meds", END)) is None
    assert apart("subject: x\n") is None


def test_a_mention_names_nobody_by_itself(ask: Ask) -> None:
    """It is told, and weak; another word for the brand makes it one."""
    (alone,) = ask([{"rules": [f"brand_x{PASSING}"]}])
    assert alone["programme"] == "unknown"
    assert ask([{"rules": ["brand_x"]}])[0]["programme"] == "Maple Meds"
    assert "only once in the running prose of a mailing list's letter" in alone["evidence"]


def test_why_not_says_what_it_matches(lists: Ruleset) -> None:
    lines = unreached(rendering(NEWS), "Maple Meds", lists, [f"brand{PASSING}"], Knowledge({}, {}, ()))
    assert lines[1].endswith("matches  brand (only once in the running prose of a mailing list's letter)")
    lines = unreached(rendering(NEWS), "alpha", lists, ["news>"], Knowledge({}, {}, ()))
    assert lines[1].endswith("matches  news (only what the message quotes)")
