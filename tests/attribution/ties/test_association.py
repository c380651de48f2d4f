"""Ties against a plain reading of what they say, pair by pair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spamtide.attribution.botnets import SENDER
from spamtide.attribution.ties.association import (
    HAM,
    NO_DAY,
    SILENT,
    UNIT,
    UNNAMED,
    Flags,
    Floats,
    Ints,
    Tie,
    tied,
)


def associate(
    keys: Ints, days: Ints, answers: Ints, tie: Tie, asked: Flags | None = None
) -> tuple[Ints, Floats]:
    """Answer and share by entry; UNNAMED and 0 where nothing is known or asked."""
    top, share = np.full(len(keys), UNNAMED, dtype=np.int64), np.zeros(len(keys))
    found = tied(keys, days, answers, (tie,), asked)[0]
    top[found.entries], share[found.entries] = found.top[found.cell], found.share[found.cell]
    return top, share


TIE = Tie("campaign", 4, 2.0, 7, 0.9, 0.1, 0.3, "its campaign", own=0.15)


def plainly(keys: Ints, days: Ints, answers: Ints, tie: Tie, entry: int) -> tuple[int, float]:
    """The answer for one entry, from every other one that it shares a key with."""
    steps = [int(day) // tie.step for day in days]
    weights: dict[int, float] = {}
    near = {True: 0, False: 0}
    for other in range(len(keys)):
        far = abs(steps[other] - steps[entry])
        if keys[other] != keys[entry] or days[other] == NO_DAY or far > tie.reach:
            continue
        said = int(answers[other])
        if said not in {HAM, SILENT}:
            near[said >= 0] += 1
        if said != SILENT:
            weight = round(UNIT * 0.5 ** (far / tie.half_life))
            weights[said] = weights.get(said, 0) + weight
    named = {said: weight for said, weight in weights.items() if said >= 0}
    if not named or near[True] < tie.own * sum(near.values()):
        return UNNAMED, 0.0
    best = min(named, key=lambda said: (-named[said], said))
    own = int(answers[entry])
    leading = named[best] - UNIT * (own == best)
    against = sum(named.values()) - UNIT * (own >= 0) - leading
    against += weights.get(HAM, 0) - UNIT * (own == HAM)
    against += tie.unnamed * (weights.get(UNNAMED, 0) - UNIT * (own == UNNAMED))
    return (best, leading / (leading + against + tie.doubt * UNIT)) if leading > 0 else (UNNAMED, 0.0)


@pytest.mark.parametrize("spread", [3, 40, 2000])
@pytest.mark.parametrize("reach", [0, 4, 14])
def test_ties_say_what_every_pair_says(spread: int, reach: int) -> None:
    """Few keys with many entries, and many keys that hardly come twice."""
    rng = np.random.default_rng(spread + reach)
    tie = replace(TIE, reach=reach, step=7 if reach == 4 else 1)
    for _ in range(3):
        keys = rng.integers(-1, spread, 250)
        days = np.where(rng.random(250) < 0.05, NO_DAY, rng.integers(20_000, 20_120, 250))
        answers = rng.integers(SILENT, 3, 250)
        asked = rng.random(250) < 0.6
        top, share = associate(keys, days, answers, tie, asked)
        for entry in range(250):
            expected: tuple[int, float] = (UNNAMED, 0.0)
            if asked[entry] and keys[entry] >= 0 and days[entry] != NO_DAY:
                expected = plainly(keys, days, answers, tie, entry)
            assert (top[entry], share[entry]) == pytest.approx(expected, abs=1e-12)


def brute_force(keys: list[int], days: list[int], answers: list[int]) -> list[tuple[int, float]]:
    """`associate` for SENDER, entry by entry."""
    out = []
    for me, (key, day) in enumerate(zip(keys, days, strict=True)):
        mine = [i for i, other in enumerate(keys) if other == key >= 0 and days[i] != NO_DAY]
        near = [i for i in mine if abs(days[i] - day) <= SENDER.reach]
        named = sum(answers[i] >= 0 for i in near)
        unnamed = sum(answers[i] == UNNAMED for i in near)
        if day == NO_DAY or not named or named < SENDER.own * (named + unnamed):
            out.append((UNNAMED, 0.0))
            continue
        weight: dict[int, int] = {}
        for i in mine:
            if i != me and answers[i] != SILENT and abs(days[i] - day) <= SENDER.reach:
                decayed = round(1000 * 0.5 ** (abs(days[i] - day) / SENDER.half_life))
                weight[answers[i]] = weight.get(answers[i], 0) + decayed
        # The leader is chosen with the entry itself counted; its own weight is then left out.
        whole = dict(weight)
        if answers[me] >= 0:
            whole[answers[me]] = whole.get(answers[me], 0) + 1000
        leaders = [a for a in whole if a >= 0]
        best = min(leaders, key=lambda a: (-whole[a], a)) if leaders else UNNAMED
        lead = weight.get(best, 0) if best >= 0 else 0
        rest = sum(w for a, w in weight.items() if a >= 0) - lead + SENDER.unnamed * weight.get(UNNAMED, 0)
        rest += weight.get(HAM, 0)
        out.append((best, lead / (lead + rest + SENDER.doubt * 1000)) if lead else (UNNAMED, 0.0))
    return out


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(-1, 3),
            st.one_of(st.integers(-20, 20), st.just(int(NO_DAY))),
            st.sampled_from([HAM, SILENT, UNNAMED, UNNAMED, 0, 0, 1, 2]),
        ),
        max_size=40,
    )
)
def test_association_equals_counting_by_hand(entries: list[tuple[int, int, int]]) -> None:
    keys, days, answers = ([entry[place] for entry in entries] for place in range(3))
    top, share = associate(*(np.asarray(column, dtype=np.int64) for column in (keys, days, answers)), SENDER)
    expected = brute_force(keys, days, answers)
    assert top.tolist() == [name for name, _ in expected]
    assert share.tolist() == pytest.approx([value for _, value in expected])
