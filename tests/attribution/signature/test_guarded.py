"""Skeleton rules behind their header order: the same hits as YARA-X gives, and only plain rules are taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from spamtide.attribution.signature.guarded import Guard, split

RULE = """rule learned_x_skeleton_1
{
    meta:
        kind = "botnet"
    strings:
        $order      = /header-order: ([^\\n]{0,2000},)?From,To[,\\n]/
        $message_id = /header Message-ID: %s\\n/
    condition:
        %s
}
"""
MAIL = b"header-order: From,To\nheader Message-ID: <ab12@x>\ntext:\nheader Message-ID: <zz@x>\n"


@pytest.mark.parametrize(
    ("pattern", "condition", "hits"),
    [
        (r"<[a-z]{2}[0-9]{2}@x>", "all of them", 1),
        (r"<zz@x>", "all of them", 0),
        (r"<zz@x>", "$order and not all of ($message_id)", 0),
    ],
)
def test_a_plain_rule_is_tried_behind_its_order(pattern: str, condition: str, hits: int) -> None:
    """Text is never looked at; a deviation counts only where its rule matches."""
    left, rules = split([(Path("a.yar"), RULE % (pattern, condition))])
    assert len(rules) == 1
    assert "rule" not in left[0][1]
    assert len(Guard(rules).hits(MAIL)) == hits


@pytest.mark.parametrize(
    ("pattern", "condition"),
    [("<a(?=b)>", "all of them"), ("a|header X: b", "all of them"), ("a", "$order or $message_id")],
)
def test_other_rules_stay_with_yara(pattern: str, condition: str) -> None:
    text = RULE % (pattern, condition)
    left, rules = split([(Path("a.yar"), text)])
    assert rules == ()
    assert left[0][1] == text
