"""Vectors of strains against the plain arithmetic, whatever the chunks, the order and the processes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from spamtide.campaign import weighing
from spamtide.campaign.kinship import kin_lines, kin_marks, neighbours
from spamtide.campaign.traits import LINE, LINE_BITS, MARK, PHRASE, SUBJECT, WORD
from spamtide.campaign.weighing import COMMON, LEAST_TRAITS, TRAIT_WEIGHT, Vectors, vectorise
from spamtide.each import Each, in_turn
from spamtide.engine import Apart

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def drawn(seed: int, exemplars: int = 300, strains: int = 80) -> tuple[list[Ints], Ints]:
    """Traits of exemplars, those of a strain much alike; and the strain of each."""
    rng = np.random.default_rng(seed)
    names = rng.integers(0, 2**30, 600) << 2 | rng.choice(4, 600, p=(0.5, 0.1, 0.1, 0.3))
    names[:20] = rng.integers(0, 2**22, 20) << 2 | MARK  # lines
    names[20:40] = (rng.integers(0, 2**22, 20) + (1 << 30 - LINE_BITS)) << 2 | MARK  # subjects
    own = [rng.choice(names, rng.integers(0, 60)) for _ in range(strains)]
    strain = rng.integers(0, strains, exemplars)
    traits = []
    for one in strain.tolist():
        kept = own[one][rng.random(own[one].size) < 0.8]
        alone = rng.integers(0, 2**32, rng.integers(0, 20))
        traits.append(np.unique(np.concatenate((kept, alone))))
    return traits, strain


def packed(traits: Sequence[Ints]) -> pa.Array:
    """As in PROFILES."""
    return pa.array([one.astype("<u4").tobytes() for one in traits], pa.binary())


def plain(traits: Sequence[Ints], strain: Ints, strains: int) -> dict[str, Floats]:
    """The same by dense matrices, all features by name."""
    names, degree = np.unique(np.concatenate(traits), return_counts=True)
    line = (names & 3 == MARK) & (names >> 32 - LINE_BITS == 0)
    subject = (names & 3 == MARK) & (names >> 32 - LINE_BITS == 1)
    kind = np.where(line, LINE, np.where(subject, SUBJECT, names & 3))
    assert line.any()
    assert subject.any()
    weight = np.log((len(traits) + 1) / np.minimum(degree, COMMON * len(traits))) * [
        TRAIT_WEIGHT.get(one, 1.0) for one in kind.tolist()
    ]
    weight[(kind != PHRASE) & (degree == 1)] = 0.0
    rows = np.stack([np.isin(names, one) * weight for one in traits])
    gather = np.equal.outer(np.arange(strains), strain).astype(np.float64)
    found = {"recurring": gather @ (rows > 0) @ (degree > 1)}
    for name, mine in (("said", kind != PHRASE), ("told", kind == PHRASE), ("words", kind == WORD)):
        base = rows * ((kind != PHRASE) if name != "told" else mine)
        unit = rows * mine / np.sqrt((base**2).sum(axis=1) + np.log(len(traits) + 1) ** 2)[:, None]
        recurs = unit * (degree > 1)
        found |= {name: gather @ unit, f"{name} norms": ((gather @ recurs) ** 2).sum(axis=1)}
        found[f"{name} squares"] = gather @ (recurs**2).sum(axis=1)
    return found


def same(one: Vectors, other: Vectors) -> None:
    """Bit by bit."""
    for name in ("sums", "phrases", "means"):
        left, right = getattr(one, name), getattr(other, name)
        assert left.shape == right.shape
        assert (left != right).nnz == 0
    for name in ("exemplars", "norms", "squares", "wording", "telling", "kind"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("size", [64, 1 << 20])
def test_vectors_are_as_the_plain_arithmetic_says(
    monkeypatch: pytest.MonkeyPatch, seed: int, size: int
) -> None:
    """Products of two strains, lengths, squares and what is telling; read in small pieces, or at once."""
    monkeypatch.setattr(weighing, "_SLICE", size)
    traits, strain = drawn(seed)
    vectors = vectorise(pa.chunked_array([packed(traits)]), np.arange(len(traits)), strain, 80)
    want = plain(traits, strain, 80)
    for told, name, matrix in ((0, "said", vectors.sums), (1, "told", vectors.phrases)):
        products, full = (matrix @ matrix.T).toarray(), want[name] @ want[name].T
        np.fill_diagonal(products, 0)
        np.fill_diagonal(full, 0)
        np.testing.assert_allclose(products, full, atol=1e-9)
        np.testing.assert_allclose(vectors.norms[:, told], want[f"{name} norms"], atol=1e-9)
        np.testing.assert_allclose(vectors.squares[:, told], want[f"{name} squares"], atol=1e-9)
    np.testing.assert_allclose(vectors.wording, want["words norms"], atol=1e-9)
    telling = want["recurring"] >= LEAST_TRAITS * np.maximum(vectors.exemplars, 1)
    np.testing.assert_array_equal(vectors.telling, telling)


@pytest.mark.parametrize("each", [in_turn, Apart(2), Apart(3)])
def test_vectors_and_neighbours_do_not_depend_on_order_or_processes(each: Each) -> None:
    """Profiles in any order and in chunks, some of nobody; one process or several."""
    traits, strain = drawn(4)
    asked = np.arange(80)
    whole = vectorise(pa.chunked_array([packed(traits)]), np.arange(len(traits)), strain, 80)
    order = np.random.default_rng(4).permutation(len(traits))
    rows = packed([np.arange(9), *(traits[one] for one in order.tolist()), np.arange(5)])
    chunks = pa.chunked_array([rows[:1], rows[1:1], rows[1:100], rows[100:]])
    parts = vectorise(chunks, np.concatenate(([-1], order, [-1])), strain, 80, each)
    same(whole, parts)
    one, other = neighbours(whole, asked, asked, 0.1), neighbours(parts, asked, asked, 0.1, each)
    assert one.left.size
    for name in ("left", "right", "likeness", "phrasing"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    products = (whole.sums @ whole.sums.T).toarray() / np.maximum(
        np.outer(whole.exemplars, whole.exemplars), 1
    )
    np.testing.assert_allclose(one.likeness, products[one.left, one.right])
    met = np.arange(80) < 40
    fewer = neighbours(whole, asked, asked, 0.1, but=met)
    left_out = met[one.left] & met[one.right]
    assert left_out.any()
    np.testing.assert_array_equal(fewer.left, one.left[~left_out])
    np.testing.assert_array_equal(fewer.right, one.right[~left_out])


def test_a_mark_is_kin_only_where_its_texts_are_alike() -> None:
    """Two strains that share their words and a mark; two others that share a mark alone, or its form."""
    words = [np.arange(base, base + 30) << 2 | WORD for base in (0, 0, 100, 200)]
    marks = [np.array([(1 << 29) + base]) << 2 | MARK for base in (0, 0, 1, 1)]
    traits = [np.sort(np.concatenate(both)) for both in zip(words, marks, strict=True) for _ in range(2)]
    vectors = vectorise(pa.chunked_array([packed(traits)]), np.arange(8), np.repeat(np.arange(4), 2), 4)
    for form, formed in ((7, 7, 8, 8), [[1, 1, 1, 1]]), ((7, 7, 7, 8), [[1, 1, 0, 0]]):
        kin = kin_marks(vectors, np.arange(4), np.array(form))
        np.testing.assert_array_equal(kin[0].sum(axis=1).ravel(), [[1, 1, 0, 0]])
        np.testing.assert_array_equal(kin[1].sum(axis=1).ravel(), formed)


@pytest.mark.parametrize("traits", [[], [np.zeros(0, dtype=np.int64)], [np.array([4]), np.array([8])]])
def test_what_says_nothing_is_no_failure(traits: list[Ints]) -> None:
    """No exemplars, or none with a profile, or nothing in common."""
    count = len(traits)
    rows = pa.chunked_array([packed(traits)])
    vectors = vectorise(rows, np.arange(count), np.arange(count), count)
    assert vectors.sums.shape[0] == count
    assert not vectors.telling.any()
    assert not neighbours(vectors, np.arange(count), np.arange(count), 0.1).left.size
    assert not any(one.nnz for one in kin_marks(vectors, np.arange(count), np.arange(count)))


def test_a_line_that_outlives_what_stands_beside_it_is_nobodys() -> None:
    """Two sentences under two subjects each, ten days after another; the shop's name stands beside all."""
    sentences, subjects, shop = (10, 11), (20, 21, 22, 23), 30
    held = [(sentences[one // 2], subjects[one]) for one in range(4)]
    held += [(shop, subjects[one]) for one in range(4)]
    traits = [np.sort(np.array([line << 2 | MARK for line in lines])) for lines in held]
    vectors = vectorise(pa.chunked_array([packed(traits)]), np.arange(8), np.arange(8), 8)
    assert (vectors.kind == LINE).all()
    first = np.array([0, 0, 10, 10, 0, 0, 10, 10])
    found = kin_lines(vectors, np.arange(8), np.ones(8, dtype=np.int64), first, first + 8)
    pairs = sorted(tuple(one.tolist()) for one in found)
    assert pairs == [(0, 1), (0, 4), (1, 5), (2, 3), (2, 6), (3, 7)]
    unknown = np.full(8, -1)
    assert not list(kin_lines(vectors, np.arange(8), np.ones(8, dtype=np.int64), unknown, unknown))
