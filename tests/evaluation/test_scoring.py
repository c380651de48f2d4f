"""Shares and intervals by campaign."""

from __future__ import annotations

import pytest

from spamtide.evaluation import Outcome, score


def test_the_campaign_is_the_unit() -> None:
    """A thousand messages of ten campaigns that stand or fall together are ten, not a thousand."""
    together = [Outcome(f"c{n % 10}", n % 10 > 0) for n in range(1000)]
    apart = [Outcome(f"c{n}", n % 10 > 0) for n in range(1000)]
    assert score("x", together).share == score("x", apart).share == pytest.approx(0.9)
    assert score("x", together).low < 0.7
    assert score("x", apart).low > 0.87


def test_perfect_rows_rest_on_their_campaigns() -> None:
    one = score("x", [Outcome(f"c{n % 20}", success=True) for n in range(2000)], ">= 95 %")
    assert (one.share, one.met) == (1.0, True)
    assert one.low == pytest.approx(20 / (20 + 1.959964**2), abs=1e-6)


def test_nothing_is_neither_met_nor_missed() -> None:
    assert score("x", [], ">= 95 %").met is None
