"""Found campaigns against true ones, and orders against one another."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from spamtide.evaluation import Outcome, adjusted_rand, agreement, b_cubed, renamed

TRUTH = {"a": "x", "b": "x", "c": "x", "d": "y", "e": "y", "f": "z"}


def shares(outcomes: list[Outcome]) -> list[float]:
    """What each message counts."""
    return [round(one.success, 6) for one in outcomes]


def test_b_cubed_by_hand() -> None:
    """Bagga and Baldwin's own way of counting: each message asks about its two groups."""
    found = {"a": "1", "b": "1", "c": "2", "d": "2", "e": "2", "f": "3"}
    precision, recall = b_cubed(found, TRUTH)
    assert shares(precision) == [1, 1, 0.333333, 0.666667, 0.666667, 1]
    assert shares(recall) == [0.666667, 0.666667, 0.333333, 1, 1, 1]
    assert [one.campaign for one in precision] == list(TRUTH.values())


def test_mail_without_a_campaign_is_alone() -> None:
    precision, recall = b_cubed({}, TRUTH)
    assert shares(precision) == [1] * 6
    assert shares(recall)[0] == pytest.approx(1 / 3, abs=1e-6)


def test_rand_index_against_counting_pairs() -> None:
    """The index by its definition, over all pairs of random partitions."""
    dice = np.random.default_rng(5)
    items = [str(n) for n in range(40)]
    one, other = ({item: str(dice.integers(6)) for item in items} for _ in range(2))
    pairs = list(combinations(items, 2))
    left = [one[a] == one[b] for a, b in pairs]
    right = [other[a] == other[b] for a, b in pairs]
    both = sum(a and b for a, b in zip(left, right, strict=True))
    chance = sum(left) * sum(right) / len(pairs)
    expected = (both - chance) / ((sum(left) + sum(right)) / 2 - chance)
    assert adjusted_rand(one, other, items) == pytest.approx(expected)
    assert adjusted_rand(one, one, items) == 1
    assert adjusted_rand(one, {item: f"n{name}" for item, name in one.items()}, items) == 1


def test_an_index_has_an_interval_of_campaigns() -> None:
    """Where one campaign of many is torn, the interval holds the index and is not a point."""
    truth = {f"{c}-{n}": str(c) for c in range(60) for n in range(10)}
    torn = {item: "torn" if item in {"7-1", "7-2", "7-3"} else true for item, true in truth.items()}
    row = agreement("x", torn, truth, truth, ">= 97 %")
    assert (row.n, row.campaigns, row.met) == (600, 60, True)
    assert row.low < row.share < row.high <= 1
    assert agreement("x", {}, {}, {}, ">= 97 %").met is None


def test_names_are_held_against_the_next_day() -> None:
    """A change on the day after counts, once; one of later days, and of other mail, does not."""
    after = [
        {"a": "1", "b": "1", "odd": "9"},
        {"a": "1", "b": "2", "c": "3", "odd": "8"},
        {"a": "4", "b": "4", "c": "3", "d": "1"},
    ]
    outcomes = renamed(after, TRUTH)
    assert [(one.campaign, one.success) for one in outcomes] == [("x", False), ("x", True), ("x", False)]
