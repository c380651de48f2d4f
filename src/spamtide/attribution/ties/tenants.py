"""Tenants of one kit: whether a text tells which of them sent it.

A programme hands one text to several senders, and those who rent one kit may be handed all of theirs. That
a text is in one tenant's lab and not in another's says that it is the one's alone only as far as the other's
lab would have shown it, and as far as the labs share few texts. How many they share is measured: of the texts
of one that the other's lab would probably show, the part that it shows. As many of them a tenant that no lab
has is believed to send, if there is one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from spamtide.attribution.ties.association import NO_DAY, Floats, Ints
from spamtide.attribution.ties.meeting import REACH, WEEK, Labs

MOST_SHARED = 0.2
"""Probability that another tenant sends a text too, from which the text does not tell them apart."""
BELIEVED = (0.5, 4.5)
"""Texts that tenants share, and do not, that every two of them are credited with before any is seen."""
UNSEEN, MOST_OUTSIDE = 0.5, 0.1
"""Probability that a kit has a tenant that no lab has; and that such a one sends a text, up to which the
text is one of the others'."""


TELLS, JOINTLY, NOTHING = 0, 1, 2
"""What a text says of a kit's tenants: which of them; that it is one of them; not even that."""


def told_by_texts(
    kits: Sequence[Collection[int]], kit: Ints, campaigns: Ints, days: Ints, labs: Labs
) -> Ints:
    """TELLS, JOINTLY or NOTHING of each message; TELLS of those without a kit.

    Args:
        kits: families of each kit.
        kit: place in `kits` of each message's, negative for none.
        campaigns: campaign of each message as a code; negative for none.
        days: its day, or NO_DAY.
        labs: mail of labs' bots.
    """
    found = np.zeros(len(kit), dtype=np.int64)
    rows = np.flatnonzero((kit >= 0) & (days != NO_DAY))
    labs = labs.where(labs.campaigns >= 0)
    weeks = days[rows] // WEEK
    for place, families in enumerate(kits):
        of_kit = kit[rows] == place
        mail = labs.where(np.isin(labs.families, sorted(families)))
        for week in np.unique(weeks[of_kit]):
            near = mail.where(slice(*np.searchsorted(mail.weeks, [week - REACH, week + REACH + 1])))
            here = rows[of_kit & (weeks == week)]
            found[here] = _told(near, campaigns[here])
    return found


def _told(labs: Labs, campaigns: Ints) -> Ints:
    """What is told by some campaigns, from the lab mail of a kit's tenants in the weeks around."""
    shared, most = np.zeros(len(campaigns)), 0.0
    known = np.isin(campaigns, labs.campaigns)
    for family in np.unique(labs.families):
        one = _sharing(labs.where(labs.families == family), labs.where(labs.families != family))
        most = max(most, one.most)
        place = np.minimum(np.searchsorted(one.campaigns, campaigns), len(one.campaigns) - 1)
        has = one.campaigns[place] == campaigns
        shared = np.maximum(shared, np.where(has, one.chances[place], np.where(known, 0.0, one.usual)))
    doubted = JOINTLY if UNSEEN * most <= MOST_OUTSIDE else NOTHING
    return np.where(shared >= MOST_SHARED, doubted, TELLS)


@dataclass(frozen=True, slots=True)
class _Sharing:
    """How probable it is that other tenants send a tenant's texts."""

    campaigns: Ints
    """Texts of its lab, as campaigns, sorted."""
    chances: Floats
    """Of each of them."""
    usual: float
    """Of a text that its lab does not have."""
    most: float
    """Share of its texts that a mate sends, of the mate that sends most."""


def _sharing(own: Labs, mates: Labs) -> _Sharing:
    """What the labs of one kit's tenants say of one tenant's texts, in some weeks.

    Args:
        own: lab mail of the tenant.
        mates: lab mail of the others.
    """
    campaigns, of = np.unique(own.campaigns, return_inverse=True)
    first = int(min(own.weeks[0], mates.weeks.min(initial=own.weeks[0])))
    width = int(max(own.weeks[-1], mates.weeks.max(initial=0))) - first + 1
    sent = np.bincount(of * width + own.weeks - first, minlength=len(campaigns) * width)
    sent = sent.reshape(len(campaigns), width).astype(np.float64)
    total = np.maximum(sent.sum(axis=0), 1.0)
    apart, usual, most = np.ones(len(campaigns)), 1.0, BELIEVED[0] / sum(BELIEVED)
    for mate in np.unique(mates.families):
        of_mate = mates.where(mates.families == mate)
        seen = np.isin(campaigns, of_mate.campaigns)
        worked = np.bincount(of_mate.weeks - first, minlength=width)
        missing = np.exp(-(sent @ (worked / total)))
        # Of texts that a mate sends as often, its lab shows as many as it would not miss.
        share = (seen.sum() + BELIEVED[0]) / (np.where(seen, 1.0, 1 - missing).sum() + sum(BELIEVED))
        apart *= np.where(seen, 0.0, (1 - share) / (1 - share + share * missing))
        usual *= 1 - share
        most = max(most, float(share))
    unseen = 1 - UNSEEN * most
    return _Sharing(campaigns, 1 - unseen * apart, 1 - unseen * usual, most)
