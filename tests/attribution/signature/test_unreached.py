"""Why not: which rules of a name miss a message, and by which strings."""

from __future__ import annotations

from pathlib import Path

import pytest

from spamtide.attribution import load_signatures, unreached
from spamtide.attribution.signature.ruleset import Ruleset
from spamtide.knowledge import load_knowledge

RULES = r"""
rule stone_near {
    meta:
        kind = "botnet"
        name = "stone"
    strings:
        $order = /header-order: From,To[,\n]/
        $id = "Message-ID: <zz" nocase
        $text = /cheap [a-z]{3,9} pills/
    condition:
        all of them
}
rule stone_far {
    meta:
        kind = "botnet"
        name = "stone"
    strings:
        $a = "nowhere"
        $b = "neither \"here\""
    condition:
        all of them
}
rule reed {
    meta:
        kind = "botnet"
        name = "reed"
    strings:
        $a = "pills"
    condition:
        $a
}
"""
MAIL = "header-order: From,To\nheader message-id: <ZZ1@x>\ntext:\ncheap blue tablets\n"


@pytest.fixture
def rules(tmp_path: Path) -> Ruleset:
    (tmp_path / "own.yar").write_text(RULES, encoding="utf-8")
    return load_signatures((tmp_path,))


def test_the_nearest_rule_comes_first_with_what_it_lacks(rules: Ruleset) -> None:
    lines = unreached(MAIL, "Stone", rules, (), load_knowledge())
    assert lines[0] == "Stone: 2 rules, 0 matching"
    assert lines[1] == "  no match stone_near (2 of 3 strings; not: text)"
    assert lines[2] == "  no match stone_far (0 of 2 strings; not: a, b)"


def test_a_rule_that_matches_is_said_to(rules: Ruleset) -> None:
    lines = unreached(MAIL, "stone", rules, ("stone_near",), load_knowledge())
    assert lines[:2] == ["stone: 2 rules, 1 matching", "  matches  stone_near"]


def test_a_name_that_no_rule_knows(rules: Ruleset) -> None:
    assert unreached(MAIL, "willow", rules, (), load_knowledge()) == ["willow: no rule speaks for it"]


def test_a_file_that_is_gone_is_no_error(rules: Ruleset, tmp_path: Path) -> None:
    """Somebody deleted the rules between loading and asking."""
    (tmp_path / "own.yar").unlink()
    assert unreached(MAIL, "reed", rules, (), load_knowledge())[1] == "  no match reed (strings not read)"


def test_an_alias_is_asked_for_as_the_name_that_the_rules_have(tmp_path: Path) -> None:
    (tmp_path / "own.yar").write_text(RULES.replace('"reed"', '"Cutwail"'), encoding="utf-8")
    lines = unreached(MAIL, "pushdo", load_signatures((tmp_path,)), (), load_knowledge())
    assert lines[0] == "pushdo: 1 rule, 0 matching"
