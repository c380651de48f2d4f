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
    assert (one.share, one.met, one.verdict) == (1.0, None, "too few to tell")
    assert one.low == pytest.approx(20 / (20 + 1.959964**2), abs=1e-6)


def test_nothing_is_neither_met_nor_missed() -> None:
    assert score("x", [], ">= 95 %").met is None


@pytest.mark.parametrize(
    ("right", "of", "target", "verdict"),
    [
        (0, 5, "<= 1 %", "too few to tell"),
        (1, 5, "<= 1 %", "MISSED"),
        (0, 2000, "<= 1 %", "met"),
        (1900, 2000, "<= 1 %", "MISSED"),
        (18, 20, ">= 95 %", "MISSED, too few to be sure"),
        (5, 113, ">= 95 %", "MISSED"),
        (5, 5, "", ""),
    ],
)
def test_a_verdict_holds_for_the_whole_interval(right: int, of: int, target: str, verdict: str) -> None:
    """Five campaigns without an error do not show that there is one in a hundred at most."""
    assert score("x", [Outcome(f"c{n}", n < right) for n in range(of)], target).verdict == verdict
