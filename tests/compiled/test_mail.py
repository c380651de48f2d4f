"""Whole messages, golden, damaged and real, are read alike by both forms."""

from __future__ import annotations

import random
from importlib import import_module
from pathlib import Path

import pytest
from forms import assert_same
from soups import damaged

from spamtide.model import RawMessage

pytestmark = pytest.mark.usefixtures("compiled")


def test_golden_messages_are_read_alike() -> None:
    """Every golden message, whole and cut at many places."""
    paths = sorted((Path(__file__).parents[1] / "message" / "corpus").glob("*.eml"))
    assert paths
    rng = random.Random(5)
    for path in paths:
        data = path.read_bytes()
        assert_same(data)
        for _ in range(8):
            assert_same(damaged(data, rng))


@pytest.mark.slow
@pytest.mark.corpus
def test_real_mail_is_read_alike(corpora: Path) -> None:
    """A few hundred real messages, whole and damaged."""
    collect = import_module("spamtide.collector").collect
    rng = random.Random(11)
    for name in ("csdmc2010.tar.gz", "phishing-pot-to-2023.tar.gz"):
        raws = [raw for raw in collect([str(corpora / name)]) if isinstance(raw, RawMessage)]
        for raw in rng.sample(raws, 250):
            assert_same(raw.data)
            assert_same(damaged(raw.data, rng))
