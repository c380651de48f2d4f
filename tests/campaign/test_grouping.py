"""Banding and union-find against brute force, and the guard against gluing."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spamtide.campaign import candidates, grouping, mixing
from spamtide.campaign.candidates import WINDOW, Edges, find_edges
from spamtide.campaign.grouping import Groups
from spamtide.campaign.similarity import PERMUTATIONS, estimate

THRESHOLD = 0.6


def drawn(seed: int, rows: int, centres: int, kept: float) -> np.ndarray:
    """Sketches scattered around centres: each value is the centre's with chance `kept`."""
    dice = np.random.default_rng(seed)
    base = dice.integers(0, 2**32, (centres, PERMUTATIONS), dtype=np.uint32)
    sketches = base[dice.integers(0, centres, rows)]
    changed = dice.random(sketches.shape) > kept
    sketches[changed] = dice.integers(0, 2**32, int(changed.sum()), dtype=np.uint32)
    return np.unique(sketches, axis=0)


def all_pairs(sketches: np.ndarray, threshold: float) -> Edges:
    """Brute force: every pair compared."""
    left, right = np.triu_indices(len(sketches), 1)
    similarity = estimate(sketches[left], sketches[right])
    passed = similarity >= threshold
    return Edges(left[passed], right[passed], similarity[passed])


def components(edges: Edges, count: int) -> list[int]:
    """Brute force: smallest label spread over the edges until nothing changes."""
    label = list(range(count))
    pairs = list(zip(edges.left.tolist(), edges.right.tolist(), strict=True))
    while True:
        before = list(label)
        for left, right in pairs:
            label[left] = label[right] = min(label[left], label[right])
        if label == before:
            return label


def labels(groups: Groups) -> list[int]:
    """Groups as the smallest member of each."""
    roots = groups.roots()
    smallest = {root: int(np.flatnonzero(roots == root)[0]) for root in set(roots.tolist())}
    return [smallest[root] for root in roots.tolist()]


@given(st.integers(0, 10_000), st.integers(2, 40), st.floats(0.7, 1))
@settings(max_examples=60, deadline=None)
def test_without_the_guard_groups_are_connected_components(seed: int, rows: int, kept: float) -> None:
    """Union-find, blocks and path halving give the partition that brute force gives."""
    sketches = drawn(seed, rows, 4, kept)
    edges = all_pairs(sketches, THRESHOLD)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "COHESION", 0.0)
        patch.setattr(grouping, "LIKENESS", 0.0)
        patch.setattr(grouping, "_BLOCK", 7)
        groups = Groups(sketches, np.arange(len(sketches)), THRESHOLD)
        groups.join_all(edges)
    assert labels(groups) == components(edges, len(sketches))


def test_banding_finds_what_brute_force_finds() -> None:
    """Of all pairs at the threshold or above, banding misses under one in a hundred, and invents none."""
    sketches = drawn(1, 400, 80, 0.87)
    found = find_edges(sketches, np.ones(len(sketches), dtype=np.bool_), THRESHOLD)
    truth = all_pairs(sketches, THRESHOLD)
    exact = set(zip(truth.left.tolist(), truth.right.tolist(), strict=True))
    met = set(zip(found.left.tolist(), found.right.tolist(), strict=True))
    assert len(exact) > 500
    assert met <= exact
    assert len(met) > 0.99 * len(exact)


def test_only_pairs_with_something_new_are_compared() -> None:
    """What was compared before is not compared again."""
    sketches = drawn(2, 60, 3, 0.95)
    fresh = np.arange(len(sketches)) % 5 == 0
    found = find_edges(sketches, fresh, THRESHOLD)
    assert found.left.size
    assert np.all(fresh[found.left] | fresh[found.right])
    assert not find_edges(sketches, np.zeros(len(sketches), dtype=np.bool_), THRESHOLD).left.size


def test_a_giant_bucket_costs_a_bounded_number_of_pairs_and_stays_together() -> None:
    """Three thousand variants of one text are compared with neighbours only, and still are one campaign.

    One stray in a thousand may stand apart: it is as far from the others as a text that shares a footer.
    """
    sketches = drawn(3, 3000, 1, 0.9)
    edges = find_edges(sketches, np.ones(len(sketches), dtype=np.bool_), THRESHOLD)
    assert edges.left.size <= len(sketches) * 21 * WINDOW
    groups = Groups(sketches, np.arange(len(sketches)), THRESHOLD)
    groups.join_all(edges)
    assert max(Counter(groups.roots().tolist()).values()) >= 0.999 * len(sketches)


def shared(seed: int, footer: int, members: int) -> np.ndarray:
    """Two tight campaigns that share `footer` of 64 values, and last a message of nothing but the footer."""
    dice = np.random.default_rng(seed)
    base = dice.integers(0, 2**32, (3, PERMUTATIONS), dtype=np.uint32)
    base[1:, :footer] = base[0, :footer]
    campaigns = np.repeat(base[:2], members, axis=0)
    for row in campaigns:
        row[dice.integers(footer, PERMUTATIONS, 2)] = dice.integers(0, 2**32, 2, dtype=np.uint32)
    lone = base[2].copy()
    lone[footer : footer + 12] = campaigns[0, footer : footer + 12]
    lone[-10:] = campaigns[-1, -10:]
    return np.vstack((campaigns, lone))


def test_two_campaigns_are_not_glued_by_one_boilerplate_message() -> None:
    """A message that is near to both of two campaigns goes to one of them; single linkage would glue them."""
    sketches = shared(4, 28, 10)
    edges = all_pairs(sketches, THRESHOLD * grouping.COHESION)
    near = edges.similarity[edges.right == len(sketches) - 1]
    assert (near >= THRESHOLD - 0.05).sum() > 10
    plain = components(all_pairs(sketches, THRESHOLD - 0.05), len(sketches))
    assert len(set(plain)) == 1
    groups = Groups(sketches, np.arange(len(sketches)), THRESHOLD - 0.05)
    groups.join_all(edges)
    found = labels(groups)
    assert len(set(found[:10])) == len(set(found[10:20])) == 1
    assert found[0] != found[10]


def test_a_footer_that_is_most_of_a_text_takes_no_other_campaign_in() -> None:
    """A first message whose footer makes it a variant by the threshold does not join a campaign for good."""
    sketches = shared(7, 46, 10)[:11]
    edges = all_pairs(sketches, THRESHOLD)
    assert (edges.right == 10).sum() > 5
    groups = Groups(sketches, np.arange(len(sketches)), THRESHOLD)
    groups.join_all(edges)
    found = labels(groups)
    assert len(set(found[:10])) == 1
    assert found[10] != found[0]


def test_a_hard_spun_template_is_one_group() -> None:
    """Variants of which few pairs reach the threshold are one template all the same, but for stray ones."""
    sketches = drawn(5, 120, 1, 0.73)
    pairs = all_pairs(sketches, 0.0).similarity
    assert np.mean(pairs) < THRESHOLD - 0.05
    alone = components(all_pairs(sketches, THRESHOLD), len(sketches))
    groups = Groups(sketches, np.arange(len(sketches)), THRESHOLD)
    groups.join_all(all_pairs(sketches, THRESHOLD * grouping.COHESION))
    largest = [max(Counter(found).values()) for found in (alone, labels(groups))]
    assert largest[1] > 0.9 * len(sketches)
    assert largest[1] > largest[0]


def test_groups_that_are_known_stay_together() -> None:
    """What a run starts with as one group is one group after it."""
    sketches = drawn(6, 12, 12, 1.0)
    start = np.array([0, 0, 0, 3, 3, *range(5, len(sketches))])
    groups = Groups(sketches, start, THRESHOLD)
    groups.join_all(all_pairs(sketches, THRESHOLD))
    assert labels(groups) == start.tolist()


@pytest.mark.usefixtures("compiled")
@given(seed=st.integers(0, 10_000), rows=st.integers(2, 200), kept=st.floats(0.7, 1), known=st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_compiled_form_joins_what_python_joins(seed: int, rows: int, kept: float, *, known: bool) -> None:
    """Pairs, their similarities and the groups are the same, down to which sketch names a group."""
    dice = np.random.default_rng(seed)
    sketches = np.vstack(
        (drawn(seed, rows, 5, kept), shared(seed, int(dice.integers(20, 50)), rows // 2 + 1))
    )
    sketches = np.unique(sketches, axis=0)
    start = np.arange(len(sketches))
    for one, other in dice.integers(0, len(sketches), (known * len(sketches) // 4, 2)):
        start[start == max(start[one], start[other])] = min(start[one], start[other])
    fresh = dice.random(len(sketches)) < 0.5
    found = []
    for form in (grouping.native, None):
        with pytest.MonkeyPatch.context() as patch:
            for module in (candidates, grouping, mixing):
                patch.setattr(module, "native", form)
            edges = find_edges(sketches, fresh, THRESHOLD * grouping.COHESION)
            groups = Groups(sketches, start, THRESHOLD)
            groups.join_all(edges)
            found.append((edges.left, edges.right, edges.similarity, groups.roots()))
    for ours, theirs in zip(*found, strict=True):
        assert ours.dtype == theirs.dtype
        assert np.array_equal(ours, theirs)
