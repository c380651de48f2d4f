"""Texts that tenants of a kit send for one another tell none of them apart."""

from __future__ import annotations

import numpy as np
import pytest

from spamtide.attribution.ties.association import NO_DAY
from spamtide.attribution.ties.meeting import Labs
from spamtide.attribution.ties.tenants import JOINTLY, NOTHING, TELLS, told_by_texts

A, B, C = 0, 1, 2
Captured = dict[int, dict[int, int]]
APART: Captured = {A: {1: 10, 2: 10, 3: 10, 4: 10}, B: {11: 10, 12: 10, 13: 10}}
"""Family -> campaign -> messages in its lab."""
TOGETHER: Captured = {A: {1: 10, 2: 10, 3: 10, 4: 10}, B: {1: 3, 2: 3, 3: 3}}


def said(captured: Captured, campaign: int, *, day: int = 70, kit: int = 0) -> int:
    """What one message's text says, of a kit of A and B."""
    mail = [(f, c) for f, texts in captured.items() for c, count in texts.items() for _ in range(count)]
    families, campaigns = (np.array(column, dtype=np.int64) for column in zip(*mail, strict=True))
    labs = Labs.of(families, campaigns, np.full(len(mail), 70, dtype=np.int64))
    asked = (np.array([value], dtype=np.int64) for value in (kit, campaign, day))
    return int(told_by_texts([(A, B)], *asked, labs)[0])


@pytest.mark.parametrize("campaign", [1, 11, 99])
def test_where_labs_share_nothing_each_text_tells(campaign: int) -> None:
    assert said(APART, campaign) == TELLS


@pytest.mark.parametrize("campaign", [1, 4, 99])
def test_where_labs_share_their_texts_none_tells(campaign: int) -> None:
    """Nor one that the smaller lab missed, nor one that is new to both."""
    assert said(TOGETHER, campaign) == NOTHING


def test_one_text_of_many_that_both_have_is_one_of_theirs() -> None:
    many: Captured = {A: dict.fromkeys(range(1, 12), 10), B: {1: 10} | dict.fromkeys(range(20, 30), 10)}
    assert said(many, 1) == JOINTLY
    assert said(many, 2) == said(many, 20) == TELLS


def test_what_a_small_lab_does_not_show_is_not_absent() -> None:
    """Half of the texts are shared: one that the other's lab would have shown tells, a rarer one does not."""
    shared = dict.fromkeys(range(3), 20)
    half: Captured = {A: shared | {3: 20, 4: 20, 5: 1}, B: shared | {30: 20, 31: 20}}
    assert said(half, 4) == TELLS
    assert said(half, 5) == NOTHING


def test_other_families_and_far_weeks_say_nothing() -> None:
    stranger: Captured = {A: {1: 10, 2: 10}, B: {11: 10}, C: {1: 10, 2: 10, 11: 10}}
    assert said(stranger, 1) == TELLS
    assert said(TOGETHER, 1, day=70 + 7 * 9) == TELLS
    assert said(TOGETHER, 1, day=int(NO_DAY)) == TELLS
    assert said(TOGETHER, 1, kit=-1) == TELLS
