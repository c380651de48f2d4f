"""Names: minted once, never twice, and followed through mergers."""

from __future__ import annotations

import re
from random import Random

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from spamtide.campaign import resolve
from spamtide.campaign.lineage import mint, names_ever
from spamtide.schema import LINEAGE

NAMES = st.integers(0, 12).map(lambda number: f"c-{number:06d}")


def lineage(*rows: tuple[str, str, str | None]) -> pa.Table:
    """Lineage table of (kind, campaign, other)."""
    return pa.Table.from_pylist(
        [{"at": None, "kind": kind, "campaign": campaign, "other": other} for kind, campaign, other in rows],
        LINEAGE,
    )


def test_names_are_short_and_never_given_twice() -> None:
    """The same first message gives the same name once, and another one where that is taken."""
    taken: set[str] = set()
    first, second = mint("ab" * 32, taken), mint("ab" * 32, taken)
    assert re.fullmatch(r"c-[0-9a-hjkmnp-tv-z]{6}", first)
    assert first != second
    assert taken == {first, second}
    assert mint("ab" * 32, set()) == first


def test_resolve_follows_chains() -> None:
    """A name absorbed by a name that was absorbed goes by the last one."""
    table = lineage(
        ("minted", "c-1", None), ("merged", "c-2", "c-3"), ("merged", "c-1", "c-2"), ("returned", "c-1", None)
    )
    assert resolve(table) == {"c-3": "c-1", "c-2": "c-1"}
    assert names_ever(table) == {"c-1", "c-2", "c-3"}


def test_resolve_of_nothing_is_nothing() -> None:
    """An empty lineage absorbs nobody."""
    assert resolve(lineage()) == {}


@given(st.lists(st.tuples(NAMES, NAMES), max_size=30))
def test_resolve_ends_on_any_lineage(mergers: list[tuple[str, str]]) -> None:
    """Every answer is an end of the chain, even where a broken lineage runs in circles."""
    resolved = resolve(lineage(*(("merged", survivor, absorbed) for survivor, absorbed in mergers)))
    assert all(survivor not in resolved for survivor in resolved.values())
    assert set(resolved) <= {absorbed for _, absorbed in mergers}


@given(st.permutations([f"c-{number}" for number in range(8)]), st.randoms(use_true_random=False))
def test_resolve_agrees_with_following_by_hand(names: list[str], dice: Random) -> None:
    """On a forest of mergers in any order, resolve is what one gets by following one step at a time."""
    into = {name: names[dice.randrange(place)] for place, name in enumerate(names) if place}
    rows = [("merged", survivor, absorbed) for absorbed, survivor in into.items()]
    dice.shuffle(rows)
    resolved = resolve(lineage(*rows))
    assert resolved == dict.fromkeys(into, names[0])
