"""What evidence is worth: log-odds, their caps, and the answer that they add up to.

Every piece of evidence is a probability that its answer is right if nothing else were known, turned into
log-odds with an even prior, so that 50 % says nothing. Pieces of one sense (SENSES) see the same thing and
are not added: the strongest counts. Different senses are added. The probability of an answer is its odds
against all other answers and against 'none of these'.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from spamtide.model import UNKNOWN, Evidence

SENSES: Mapping[str, Mapping[str, str]] = {
    "botnet": {
        "skeleton": "engine",
        "dialect": "engine",
        "template": "content",
        "campaign": "content",
        "link": "content",
        "brand": "content",
    },
    "programme": {},
}
"""Kind -> layer -> what it looks at; other layers are senses of their own. A template, the campaign of its
copies and the links in them are one text seen three times."""

ALONE = {"sender": 0.85}
"""Sense -> most probability that it gives an answer which no other sense supports."""
MOST = 0.995
"""No single piece of evidence is surer than this."""
MAX_PROBABILITY = 0.999
"""No answer is, but for lab mail."""
MOST_JOINT = 3
"""Names that one joint answer may have."""
TOLERANCE = 1e-9
"""Rounding that a comparison with a threshold allows for."""


def odds_of(probability: float) -> float:
    """Log-odds of a probability; 0 from 50 % down, since weak support is not opposition."""
    if probability <= 0.5:  # noqa: PLR2004 - even odds
        return 0.0
    bounded = min(probability, MOST)
    return math.log(bounded / (1 - bounded))


def posterior(scores: Mapping[str, float]) -> tuple[str, float]:
    """The best supported answer and its probability; `unknown` and 0 where nothing speaks for any.

    Args:
        scores: answer -> sum of log-odds; answers at or below 0 have no support.
    """
    supported = {name: score for name, score in scores.items() if score > 0}
    if not supported:
        return UNKNOWN, 0.0
    best = min(supported, key=lambda name: (-supported[name], name))
    total = 1 + math.fsum(math.exp(score) for score in supported.values())
    return best, min(MAX_PROBABILITY, math.exp(supported[best]) / total)


def answer(scores: Mapping[str, float], threshold: float) -> tuple[str, float]:
    """The answer at a threshold, with its probability; (`unknown`, 0) below it."""
    name, probability = posterior(scores)
    return (name, probability) if probability + TOLERANCE >= threshold else (UNKNOWN, 0.0)


def among(scores: Mapping[str, float], threshold: float) -> tuple[tuple[str, ...], float]:
    """The answers of which one is right, where no single one reaches a threshold but together they do.

    Returns:
        The fewest names that reach it together, the likeliest first, and their probability; none and 0 where
        MOST_JOINT do not.
    """
    supported = sorted((-score, name) for name, score in scores.items() if score > 0)
    total = 1 + math.fsum(math.exp(-score) for score, _ in supported)
    probability = 0.0
    for count, (score, _) in enumerate(supported[:MOST_JOINT], 1):
        probability += math.exp(-score) / total
        if probability + TOLERANCE >= threshold:
            names = tuple(name for _, name in supported[:count])
            return (names, min(MAX_PROBABILITY, probability)) if count > 1 else ((), 0.0)
    return (), 0.0


def tally(evidence: Sequence[Evidence]) -> dict[str, float]:
    """Sum of log-odds by answer: of each sense the strongest support, and all that speaks against."""
    best: dict[tuple[str, str], float] = {}
    scores: dict[str, float] = {}
    for item in evidence:
        if item.weight < 0:
            scores[item.name] = scores.get(item.name, 0.0) + item.weight
        else:
            key = (item.name, SENSES[item.kind].get(item.layer, item.layer))
            best[key] = max(best.get(key, 0.0), item.weight)
    senses: dict[str, int] = {}
    for (name, _), weight in best.items():
        senses[name] = senses.get(name, 0) + (weight > 0)
    for (name, sense), weight in sorted(best.items()):
        limit = odds_of(ALONE[sense]) if sense in ALONE and senses[name] == 1 else weight
        scores[name] = scores.get(name, 0.0) + min(weight, limit)
    return scores
