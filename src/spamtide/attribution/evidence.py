"""What evidence is worth: log-odds, their caps, and the answer that they add up to.

Every piece of evidence is a probability that its answer is right if nothing else were known, turned into
log-odds with an even prior, so that 50 % says nothing. Pieces of one sense (SENSES) see the same thing and
are not added: the strongest counts. Different senses are added. The probability of an answer is its odds
against all other answers and against 'none of these'.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Sum:
    """What counts for and against one answer."""

    senses: Mapping[str, float]
    """Sense -> log-odds that it gives: its strongest piece, and no more than it may give by itself."""
    against: float
    """All that speaks against, 0 or less."""

    @property
    def total(self) -> float:
        """Log-odds of the answer against 'none of these'."""
        return self.against + sum(self.senses.values())


def sense_of(item: Evidence) -> str:
    """What a piece of evidence looks at."""
    return SENSES[item.kind].get(item.layer, item.layer)


def sums(evidence: Sequence[Evidence]) -> dict[str, Sum]:
    """By answer: of each sense the strongest support, and all that speaks against."""
    best: dict[str, dict[str, float]] = {}
    against: dict[str, float] = {}
    for item in evidence:
        if item.weight < 0:
            against[item.name] = against.get(item.name, 0.0) + item.weight
        else:
            senses = best.setdefault(item.name, {})
            sense = sense_of(item)
            senses[sense] = max(senses.get(sense, 0.0), item.weight)
    found = {}
    for name in dict.fromkeys((*against, *best)):
        senses = best.get(name, {})
        single = sum(weight > 0 for weight in senses.values()) == 1
        counted = {
            sense: min(weight, odds_of(ALONE[sense])) if single and sense in ALONE else weight
            for sense, weight in sorted(senses.items())
        }
        found[name] = Sum(counted, against.get(name, 0.0))
    return found


def tally(evidence: Sequence[Evidence]) -> dict[str, float]:
    """Sum of log-odds by answer."""
    return {name: one.total for name, one in sums(evidence).items()}
