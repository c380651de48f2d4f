"""Sketches: the estimate against exact Jaccard, stability, and the exact key of what says little."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spamtide.campaign import MIN_SHINGLES, sketch
from spamtide.campaign.folding import fold
from spamtide.campaign.similarity import BATCH, PERMUTATIONS, estimate, link_shape, name_shape, shingle
from spamtide.campaign.words import read_words
from spamtide.model import Observation


def exact_jaccard(one: set[int], other: set[int]) -> float:
    return len(one & other) / len(one | other)


def shingle_set(observation: Observation) -> set[int]:
    return set(shingle(read_words([fold(observation)]), 1)[0].tolist())


@pytest.mark.parametrize("size", [15, 40, 150])
def test_estimate_agrees_with_exact_jaccard(planting: SimpleNamespace, size: int) -> None:
    """Over 300 pairs at all distances the estimate has hardly a bias, and no more spread than 64 draws."""
    dice = random.Random(2)
    base = planting.prose(dice, size)
    messages = []
    for _ in range(300):
        kept = dice.random()
        other = [word if dice.random() < kept else planting.prose(dice, 1)[0] for word in base]
        messages += [planting.observe(" ".join(words)) for words in (base, other)]
    sets = [shingle_set(one) for one in messages]
    exact = np.array([exact_jaccard(*pair) for pair in zip(sets[::2], sets[1::2], strict=True)])
    minhashes = np.array([one.minhash for one in sketch(messages)])
    errors = estimate(minhashes[::2], minhashes[1::2]) - exact
    assert abs(errors.mean()) < 0.015
    assert np.mean(errors**2) < 1.2 * np.mean(exact * (1 - exact)) / PERMUTATIONS
    assert np.abs(errors).max() < 0.25


def test_shingles_are_the_distinct_words_and_pairs(planting: SimpleNamespace) -> None:
    """The count behind a sketch is that of a plain set."""
    text = "alma bela alma bela cora"
    assert sketch([planting.observe(text)])[0].shingles == 3 + 3
    empty = sketch([planting.observe("")])[0]
    assert empty.shingles == 0


def test_order_and_batch_do_not_change_a_sketch(planting: SimpleNamespace) -> None:
    """A message has the same sketch alone, among others, and across the edge of a batch."""
    dice = random.Random(3)
    messages = [planting.observe(" ".join(planting.prose(dice, 30))) for _ in range(BATCH + 3)]
    together = sketch(messages)
    for number in (0, BATCH - 1, BATCH, BATCH + 2):
        alone = sketch([messages[number]])[0]
        assert together[number].minhash.tolist() == alone.minhash.tolist()
        assert (together[number].sha256, together[number].shingles) == (alone.sha256, alone.shingles)


def test_sketches_are_part_of_the_lakes_format(planting: SimpleNamespace) -> None:
    """A stored sketch stays comparable: if this changes, SCHEMA_VERSION has to change too."""
    text = "Special offer for all of you: the best watches at the lowest price, only on this day of the year."
    made = sketch([planting.observe(text, "Best watches")])[0]
    assert made.minhash.dtype == np.uint32
    assert made.minhash.shape == (PERMUTATIONS,)
    digest = hashlib.sha256(made.minhash.astype("<u4").tobytes()).hexdigest()
    assert (made.shingles, digest[:16]) == (37, "9f2f96e9e9cb7f78")


def test_sketches_are_the_same_in_another_process() -> None:
    """Python's own hash is seeded anew in every process; nothing here depends on it."""
    script = (
        "import numpy as np; from spamtide.campaign.similarity import shingle;"
        "from spamtide.campaign.words import read_words;"
        "print(shingle(read_words([b'the same words in another process']), 1)[0].tolist())"
    )
    runs = [
        subprocess.run(  # noqa: S603 - this interpreter, this text
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert len(runs[0]) > 100


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted through Linux's /proc")
def test_sketching_starts_no_threads() -> None:
    """A pool that forks after a sketch must find no threads, however long the texts."""
    script = (
        "import os; from spamtide.campaign.similarity import _digest, shingle\n"
        "from spamtide.campaign.words import read_words\n"
        "before = len(os.listdir('/proc/self/task'))\n"
        "ends = [bytes((97 + i % 26, 97 + i // 26 % 26, 97 + i // 676)) for i in range(2000)]\n"
        "text = b' '.join(b'word' + end for end in ends)\n"
        "_digest(*shingle(read_words([text] * 300), 300))\n"
        "print(len(os.listdir('/proc/self/task')) - before)\n"
    )
    run = subprocess.run(  # noqa: S603 - this interpreter, this text
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "0"


ONE_LINERS_ALIKE = (
    ({"text": "see my photos http://aa.example/x"}, {"text": "See my photos! http://bb.test/y"}),
    (
        {"subject": "Invoice 1234", "text": "see attached file"},
        {"subject": "Invoice 98", "text": "see attached file"},
    ),
)
PICTURE = "image/gif;a1.gif;9000;" + "a" * 64
OTHER_PICTURE = "image/gif;zz9.gif;9000;" + "b" * 64


@pytest.mark.parametrize(("one", "other"), ONE_LINERS_ALIKE)
def test_the_same_one_line_has_one_key(
    planting: SimpleNamespace, one: dict[str, str], other: dict[str, str]
) -> None:
    """Numbers and hosts in a one-line text do not part it."""
    left, right = sketch([planting.observe(**one), planting.observe(**other)])
    assert left.shingles < MIN_SHINGLES
    assert left.key == right.key != ""


def test_keys_of_messages_that_say_little(planting: SimpleNamespace) -> None:
    """Pictures go by their bytes, one-liners by their words, empty mail by its form."""
    facts = {
        "picture": {"attachments": (PICTURE,), "subject": "abc"},
        "picture again": {"attachments": (PICTURE.replace("a1", "x7"),), "subject": "xyz"},
        "other picture": {"attachments": (OTHER_PICTURE,)},
        "hello": {"text": "hello how are you"},
        "goodbye": {"text": "goodbye see you soon"},
        "empty": {},
        "empty of another mailer": {"mailer": "The Bat! (v3)"},
        "empty in other order": {"skeleton": "To,From,Subject"},
        "link": {"text": "http://aa.example/x.php?u=1", "links": ("http://aa.example/x.php?u=1",)},
        "link again": {"text": "http://b.test/zz.php?w=7", "links": ("http://b.test/zz.php?w=7",)},
        "link of another shape": {"text": "http://b.test/a/b", "links": ("http://b.test/a/b",)},
    }
    made = sketch([planting.observe(**{"text": "", **given}) for given in facts.values()])
    key = dict(zip(facts, (one.key for one in made), strict=True))
    assert key["picture"] == key["picture again"]
    assert key["link"] == key["link again"]
    rest = {name: value for name, value in key.items() if not name.endswith("again")}
    assert len(set(rest.values())) == len(rest)


def test_files_numbered_for_each_message_go_by_their_names(planting: SimpleNamespace) -> None:
    """The file is made anew for each message: what its name says, and what sent it, are the same."""

    def attached(name: str, kind: str = "application/pdf", **facts: str) -> str:
        file = f"{kind};{name};{len(name)};{hashlib.sha256(name.encode()).hexdigest()}"
        return str(sketch([planting.observe("", attachments=(file,), **facts)])[0].key)

    coupon = attached("coupon_30_2919149.pdf", subject="Coupon 2919149")
    assert coupon == attached("Coupon_50_77.pdf", subject="Coupon 77")
    others = {
        attached("coupon_30_2919149.pdf", subject="Offer 2919149"),
        attached("offer_30_2919149.pdf", subject="Coupon 2919149"),
        attached("coupon_30_2919149.doc", subject="Coupon 2919149"),
        attached("coupon_30_2919149.pdf", subject="Coupon 2919149", skeleton="To,From,Subject"),
        attached("coupon_30_2919149.pdf", "application/zip", subject="Coupon 2919149"),
    }
    assert len(others | {coupon}) == 6
    alone = [
        attached(name, kind)
        for kind, name in (
            ("image/png", "image001.png"),
            ("image/png", "image002.png"),
            ("text/html", "ATT00001.htm"),
            ("text/html", "ATT00002.htm"),
            ("application/zip", "a1.zip"),
            ("application/zip", "a2.zip"),
            ("application/zip", "document.zip"),
        )
    ]
    assert len(set(alone)) == len(alone)


def test_long_texts_have_no_key(planting: SimpleNamespace) -> None:
    """Where the text decides, nothing else does."""
    dice = random.Random(4)
    assert sketch([planting.observe(" ".join(planting.prose(dice, 60)))])[0].key == ""


@pytest.mark.parametrize(
    ("link", "shape"),
    [
        ("http://aa.example", "0  0"),
        ("https://aa.example/a/b.PHP?x=1&y=2", "2 .php 2"),
        ("http://b.test//c/", "1  0"),
        ("", "0  0"),
    ],
)
def test_link_shape_leaves_the_host_out(link: str, shape: str) -> None:
    """Only the path's depth, its extension and the number of parameters count."""
    assert link_shape(link) == shape


@pytest.mark.parametrize(
    ("name", "shape"), [("Invoice_0012.PDF", "a_9.pdf"), ("x1y2", "a9a9"), ("", ""), (".zip", ".zip")]
)
def test_name_shape_keeps_the_extension(name: str, shape: str) -> None:
    """A file name's letters and digits rotate, its shape and extension do not."""
    assert name_shape(name) == shape


@given(link=st.text(max_size=60), name=st.text(max_size=60), part=st.text(max_size=40))
def test_any_facts_give_a_key(planting: SimpleNamespace, link: str, name: str, part: str) -> None:
    """Hostile links, attachments and layouts never raise."""
    hostile = planting.observe(
        "", links=(link,), attachments=(f"{part};{name}", part), layout=part, skeleton=name
    )
    assert sketch([hostile])[0].key
