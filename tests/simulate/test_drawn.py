"""Drawn worlds: the same seed gives the same cast, and casts overlap as they promise."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from spamtide.simulate import drawn_world
from spamtide.simulate.engine import make_mailer
from spamtide.simulate.macro import compile_macro
from spamtide.simulate.words import WORDS

SEEDS = range(6)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_is_a_world(seed: int) -> None:
    assert drawn_world(seed) == drawn_world(seed)
    assert drawn_world(seed) != drawn_world(seed + 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_macro_of_a_drawn_world_compiles(seed: int) -> None:
    world = drawn_world(seed)
    for kit in world.kits:
        make_mailer(kit)
    for creative in world.creatives:
        for text in (creative.subject, *creative.lines, creative.call, creative.path):
            compile_macro(text, WORDS)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cast_overlaps(seed: int) -> None:
    """Kits with all, some and one of their tenants in the lab; families enough, each with many texts."""
    world = drawn_world(seed)
    tenants: dict[str, list[bool]] = defaultdict(list)
    for sender in world.senders:
        tenants[sender.kit].append(sender.captured)
    assert sorted(tenants["both"]) == [False, True, True]
    assert sorted(tenants["one"]) == [False, True]
    assert sum(sender.captured for sender in world.senders) > 10
    used = Counter(name for s in world.senders for names in s.repertoire.values() for name in names)
    assert set(used) <= {creative.name for creative in world.creatives}
    assert min(len(names) for s in world.senders for names in s.repertoire.values()) > 10
    assert any(count > 1 for count in used.values()), "a text of several families"
