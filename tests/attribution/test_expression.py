"""Regular expressions of rules, taken apart: where a part ends, and what is not read."""

from __future__ import annotations

import pytest

from spamtide.attribution.expression import Part, UnreadError, options_of


@pytest.mark.parametrize(
    ("pattern", "part"),
    [
        ("}", Part("char", "}", "")),
        ("a{2,}?", Part("char", "a", "{2,}?")),
        (r"\x4a+", Part("escape", "x4a", "+")),
        (r"\[*?", Part("escape", "[", "*?")),
        ("[]a]", Part("set", "]a", "")),
        ("[^]a]?", Part("set", "^]a", "?")),
        (r"[a\]b]", Part("set", r"a\]b", "")),
        (".", Part("any", ".", "")),
        ("$", Part("edge", "$", "")),
    ],
)
def test_a_part_ends_where_the_rule_language_ends_it(pattern: str, part: Part) -> None:
    assert options_of(pattern) == ((part,),)


def test_alternatives_stand_in_groups_too() -> None:
    a, b = Part("char", "a", ""), Part("char", "b", "")
    group = Part("group", "?:", "{2}", ((a,), (), (b,)))

    assert options_of("(?:a||b){2}|b|") == ((group,), (b,), ())


@pytest.mark.parametrize(
    "pattern", ["(a", "a)", "[a", "*a", "a{b", "(?i)a", r"\x4", "a\\", "[[:alpha:]", "a**"]
)
def test_what_is_of_another_form_is_not_read(pattern: str) -> None:
    with pytest.raises(UnreadError):
        options_of(pattern)
