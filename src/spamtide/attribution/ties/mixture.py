"""Mixtures: whose an engine's mail is, by campaign and by address, from what addresses say of each entry.

The share of a mixture of two known parts is estimated by EM (Dempster, Laird, Rubin 1977, section 4.3). A
campaign is the family's, somebody else's, or mixed in any proportion; the three are weighed by their
likelihoods (Bayesian model averaging).
"""

from __future__ import annotations

import numpy as np

from spamtide.attribution.ties.association import Flags, Floats, Ints
from spamtide.attribution.ties.meeting import FLOOR

OWN, KIT, EXPECTED = 0.95, 0.5, 12.0
"""Share of an engine's mail that is expected to be the one captured family's; the same of an engine that
several are known to use; and how many addresses' worth that expectation is."""
MIXED = (0.02, 0.1)
"""Share of campaigns that several senders are expected to send, of one family's engine and of a kit."""
PARTS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Shares of the family in a mixed campaign that are tried."""
TINY = 1e-12


def share_of(ratios: Floats, of: Ints, free: Flags, expected: float, sure: float = 0.0) -> float:
    """Share of a mixture that is the family's.

    Args:
        ratios: log-likelihood ratio of each entry.
        of: place of its campaign.
        free: campaigns that nothing else is known of.
        expected: the share before anything is seen.
        sure: entries beside these that are surely the family's. They count for less, the likelier it is that
            somebody else sends any of the others.
    """
    share = expected
    odds = np.exp(np.clip(np.bincount(of, weights=ratios)[free], -30.0, 30.0))
    worst = float(odds.min(initial=1.0))
    sure *= expected * worst / (expected * worst + 1 - expected)
    count = np.bincount(of)[free].astype(np.float64)
    for _ in range(20):
        ours = share * odds / (share * odds + 1 - share)
        known = float((count * ours).sum()) + EXPECTED * expected + sure
        share = known / (float(count.sum()) + EXPECTED + sure)
    return min(max(share, FLOOR), 1 - FLOOR)


def of_mixtures(
    ratios: Floats, of: Ints, prior: Floats, kit: Flags, each: Floats | None = None
) -> tuple[Floats, Floats]:
    """Log-odds that each entry is the family's, and probability that each campaign is a mixture.

    One text may be sent by several tenants of a kit. A campaign is the family's, somebody else's, or mixed in
    any proportion; the three are weighed by their likelihoods (Bayesian model averaging).

    Args:
        ratios: log-likelihood ratio of each entry.
        of: place of its campaign.
        prior: log-odds of each campaign before addresses are asked.
        kit: whether each campaign's engine is known to be several families'.
        each: the ratio of each entry by itself, if the others were weakened because a campaign's entries say
            the same again: as proof of whose the campaign is they do, but not of who is apart in a mixed one.
    """
    mixed = np.where(kit, MIXED[1], MIXED[0])
    parts = np.exp(np.clip(ratios, -30.0, 30.0))
    alone = parts if each is None else np.exp(np.clip(each, -30.0, 30.0))
    pure = np.bincount(of, weights=ratios)
    share = 1 / (1 + np.exp(-prior))
    models = [np.log(share * (1 - mixed)) + pure, np.log((1 - share) * (1 - mixed))]
    inside = []
    for part in PARTS:
        of_parts = np.log(part * parts + 1 - part)
        models.append(np.log(mixed / len(PARTS)) + np.bincount(of, weights=of_parts))
        inside.append(part * alone / (part * alone + 1 - part))
    weights = np.exp(np.stack(models) - np.max(models, axis=0))
    ours = weights[0][of] + sum(weight[of] * own for weight, own in zip(weights[2:], inside, strict=True))
    theirs = weights[1][of] + sum(
        weight[of] * (1 - own) for weight, own in zip(weights[2:], inside, strict=True)
    )
    odds = np.log(np.maximum(ours, TINY) / np.maximum(theirs, TINY))
    return odds, weights[2:].sum(axis=0) / weights.sum(axis=0)
