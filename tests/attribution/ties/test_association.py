"""Ties against a plain reading of what they say, pair by pair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spamtide.attribution.ties.association import HAM, NO_DAY, SILENT, UNIT, UNNAMED, Ints, Tie, associate

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
