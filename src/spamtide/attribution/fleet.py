"""Fleets: whether a campaign comes from the addresses that a family's other mail comes from.

Kits are rented, fleets are not. Where only the engine speaks for a family, the addresses behind the campaign
are compared with those of what is surely the family's: how many of them sent such mail in other campaigns of
the same weeks, against how many of the family's own addresses did, and how many of everybody else's. Where
the family has had no sure mail in those weeks (the lab has stopped, or all templates are new), the nearest
weeks that have some are asked, and the family's own addresses are judged over the same distance in time.

Addresses that come and go faster than mail does tell nothing, and then nothing is said. Where they do tell,
all campaigns that the engine alone ascribes to the family are a mixture of its own and of other tenants'. The
share of its own is estimated (EM for a mixture of two known parts, Dempster, Laird, Rubin 1977, section
4.3), and a campaign with too few addresses to tell is as likely the family's as that share says. A text that
several tenants send makes a mixed campaign; in one, each address speaks for itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spamtide.attribution.association import NO_DAY, Flags, Floats, Ints

WEEK, NEAR, REACH = 7, 1, 4
"""Days of a step; steps on either side of a message's own in which addresses are compared, and from which
they may be fetched if the family has no sure mail nearer."""
LEAST, LEAST_MET = 10, 3
"""Addresses of the family's own in those weeks, and such that met, below which nothing is said."""
FURTHEST = REACH // 2
"""Most weeks to the family's nearest sure mail: its own addresses are judged over as many, within reach."""
CLEAR = 3.0
"""Times as often as everybody else's that a family's own addresses must meet its other mail."""
MOST = 6.0
STEP = 0.25
"""Log-odds come in steps of this."""
FLOOR, BELIEVED = 0.005, 100.0
"""Least share of others' addresses that meet a family's by chance; and how many addresses' worth it is."""
SAME_CAMPAIGN = 2.0
"""Least spread where a family's own addresses could be compared within one campaign alone."""
OWN, KIT, EXPECTED = 0.95, 0.5, 12.0
"""Share of an engine's mail that is expected to be the one captured family's; the same of an engine that
several are known to use; and how many addresses' worth that expectation is."""
MIXED = (0.02, 0.1)
"""Share of campaigns that several senders are expected to send, of one family's engine and of a kit."""
PARTS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Shares of the family in a mixed campaign that are tried."""
TINY = 1e-12
HALVINGS = 30
ROUNDS = 20
"""Steps of EM; the share of a mixture of two needs no more to settle within a step of log-odds."""


_NEAREST = (0, -1, 1, -2, 2, -3, 3)
"""Weeks from a message's own, in the order in which they are asked."""


def kinship(
    leaning: Ints, sure: Ints, addresses: Ints, campaigns: Ints, days: Ints, *, kit: bool = False
) -> tuple[Ints, Flags]:
    """Log-odds that the addresses behind a campaign are those of each message's leaning, in STEPs.

    They stand for the engine's word as well: what it is worth is measured here.

    Args:
        leaning: family that the engine speaks for and nothing else does, by message; negative for none.
        sure: family that rules with content name, by message of the wild; negative for none.
        addresses: sending address of each message as a code; negative for none.
        campaigns: campaign of each message as a code; negative for none.
        days: day of each message, or NO_DAY.
        kit: whether the engine is known to be several families'.

    Returns:
        steps, and whether addresses tell of the family at the time at all, by message.
    """
    steps = np.zeros(len(leaning), dtype=np.int64)
    told = np.zeros(len(leaning), dtype=np.bool_)
    usable = (addresses >= 0) & (days != NO_DAY)
    # A message without a campaign is one of its own.
    groups = np.where(campaigns >= 0, campaigns, -1 - np.arange(len(campaigns)))
    weeks = np.where(usable, days // WEEK, 0)
    sent = _Sent.of(usable & (sure >= 0), sure, weeks, addresses, groups)
    asked = _Sent.of(usable & (leaning >= 0), leaning, weeks, addresses, groups)
    for family in np.unique(asked.families):
        own, others = sent.where(sent.families == family), sent.where(sent.families != family)
        doubtful = asked.where(asked.families == family)
        of_family = usable & (leaning == family)
        for week in np.unique(doubtful.weeks):
            weighed = _weigh(int(week), own, others, doubtful, kit=kit)
            if weighed is None:
                continue
            rows = np.flatnonzero(of_family & (weeks == week))
            told[rows] = True
            steps[rows] = weighed.of(groups[rows], addresses[rows])
    return steps, told


@dataclass(frozen=True, slots=True)
class _Sent:
    """Some mail: one entry a week, family, campaign and address, in order of weeks."""

    weeks: Ints
    families: Ints
    campaigns: Ints
    addresses: Ints

    @classmethod
    def of(cls, rows: Flags, families: Ints, weeks: Ints, addresses: Ints, campaigns: Ints) -> _Sent:
        keys = np.stack([weeks[rows], families[rows], campaigns[rows], addresses[rows]])
        keys = keys[:, np.lexsort(keys[::-1])]
        fresh = np.ones(keys.shape[1], dtype=np.bool_)
        fresh[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
        return cls(*keys[:, fresh])

    def where(self, part: Flags | slice) -> _Sent:
        """Some of the entries."""
        return _Sent(self.weeks[part], self.families[part], self.campaigns[part], self.addresses[part])

    def between(self, low: int, high: int) -> _Sent:
        """The entries of some weeks."""
        return self.where(
            slice(np.searchsorted(self.weeks, low), np.searchsorted(self.weeks, high, side="right"))
        )


@dataclass(frozen=True, slots=True)
class _Weighed:
    """Log-odds of one week's entries, in STEPs; entries in order of campaign and address."""

    sent: _Sent
    steps: Ints

    def of(self, campaigns: Ints, addresses: Ints) -> Ints:
        """The steps of some messages."""
        base = int(addresses.max(initial=0)) + 1
        lowest = int(min(campaigns.min(initial=0), self.sent.campaigns.min(initial=0)))
        keys = (self.sent.campaigns - lowest) * base + self.sent.addresses
        return self.steps[np.searchsorted(keys, (campaigns - lowest) * base + addresses)]


def _weigh(week: int, own: _Sent, others: _Sent, doubtful: _Sent, *, kit: bool) -> _Weighed | None:
    """Weigh the campaigns of one week; None where addresses tell nothing of the family.

    Where they tell nothing in the week itself, but do in one near it, the family's share of the engine's mail
    there is what is expected here. Nothing further than REACH weeks away has a say.
    """
    own = own.between(week - REACH, week + REACH)
    for distance in _NEAREST:
        centre = week + distance
        around = [mail.between(centre - NEAR, centre + NEAR) for mail in (others, doubtful)]
        fleet = _fleet(centre, own, around[0], kit=kit)
        ratios = fleet.ratios(around[1]) if fleet else None
        if ratios is None:
            continue
        _, of = np.unique(around[1].campaigns, return_inverse=True)
        share = _share(ratios, of, KIT if kit else OWN)
        here = doubtful.between(week, week)
        if distance:
            expected = np.log(share / (1 - share))
            odds = np.full(len(here.weeks), min(expected, 0.0) if kit else expected)
        else:
            odds = _of_mixtures(ratios, of, share, kit=kit)[around[1].weeks == week]
        odds = np.clip(odds, -MOST, MOST)
        return _Weighed(here, (np.sign(odds) * np.floor(np.abs(odds) / STEP + 1e-9)).astype(np.int64))
    return None


@dataclass(frozen=True, slots=True)
class _Fleet:
    """What is known of a family's addresses around one week."""

    own: _Sent
    gap: int
    rate: float
    chance: float
    spread: float

    def ratios(self, mail: _Sent) -> Floats | None:
        """Log-likelihood ratio of each entry, the family's mail against others'; None where nothing tells."""
        met = _meet(mail, self.own, self.gap)
        own = np.clip(met.expected(self.rate), self.chance, 1 - FLOOR)
        if not met.count or own.mean() < CLEAR * self.chance:
            return None
        found = np.zeros(len(mail.weeks))
        found[met.could] = np.where(met.met, np.log(own / self.chance), np.log((1 - own) / (1 - self.chance)))
        return np.asarray(found / self.spread)


def _fleet(week: int, own: _Sent, others: _Sent, *, kit: bool) -> _Fleet | None:
    """The fleet around a week; None where too little is known.

    Mail with the family's words that does not come from its addresses is left out: others may send them.
    """
    gap = _gap(week, own)
    if gap is None:
        return None
    fleet = _measured(own, others, gap, kit=kit)
    ratios = fleet.ratios(own) if fleet else None
    if ratios is None:
        return fleet
    _, of = np.unique(own.campaigns, return_inverse=True)
    return _measured(own.where(_of_mixtures(ratios, of, OWN, kit=kit) > 0), others, gap, kit=kit)


def _measured(own: _Sent, others: _Sent, gap: int, *, kit: bool) -> _Fleet | None:
    """How often a family's own addresses meet its other mail, and everybody else's do."""
    mine, least = _meet(own, own, gap), 1.0
    if mine.count < LEAST:
        # One campaign is all that there is: its addresses in its other weeks, which may be more alike.
        mine, least = _meet(own, own, max(gap, 1), same=True), SAME_CAMPAIGN
    if mine.count < LEAST or mine.met.sum() < LEAST_MET:
        return None
    theirs = _meet(others, own, gap)
    chance = (float(theirs.met.sum()) + FLOOR * BELIEVED) / (theirs.count + BELIEVED)
    rate = mine.rate()
    spread = max(least, mine.spread(rate))
    if not kit:
        # Over a gap, what there is to meet lies further away than what the rate was measured on. Of a kit,
        # somebody else is as likely, and no doubt is to be given to the family.
        spread *= 1 + gap
    return _Fleet(own, gap, rate, max(FLOOR, chance), spread)


def _gap(week: int, own: _Sent) -> int | None:
    """Weeks to the nearest ones with enough of the family's own mail."""
    for gap in range(FURTHEST + 1):
        distance = np.abs(own.weeks - week)
        if len(np.unique(own.addresses[(distance >= gap) & (distance <= gap + NEAR)])) >= LEAST:
            return gap
    return None


@dataclass(frozen=True, slots=True)
class _Meeting:
    """For each entry that could have met some of a family's mail, whether it did."""

    could: Flags
    """By entry of the mail; the others are by entry that could."""
    campaigns: Ints
    met: Flags
    chances: Floats
    """Entries of the family's mail that there were to meet."""

    @property
    def count(self) -> int:
        """Entries that could."""
        return len(self.met)

    def rate(self) -> float:
        """Meetings for each chance, were they a Poisson process; by bisection.

        One hit is added: a rate of 0 is never proven.
        """
        low, high = 0.0, 1.0
        for _ in range(HALVINGS):
            rate = (low + high) / 2
            high, low = (rate, low) if self.expected(rate).sum() > self.met.sum() + 1 else (high, rate)
        return (low + high) / 2

    def expected(self, rate: float) -> Floats:
        """Probability that each entry met."""
        return np.asarray(-np.expm1(-rate * self.chances))

    def spread(self, rate: float) -> float:
        """How much more campaigns differ than chance lets them, 1 or more.

        Pearson's chi-square by its degrees of freedom. Bots of one fleet are given their work in groups.
        """
        expected = self.expected(rate)
        campaigns, of = np.unique(self.campaigns, return_inverse=True)
        off = np.bincount(of, weights=self.met - expected, minlength=len(campaigns))
        variance = np.bincount(of, weights=expected * (1 - expected), minlength=len(campaigns))
        square = float((off**2 / np.maximum(variance, FLOOR)).sum())
        return max(1.0, square / max(1, len(campaigns) - 1))


def _meet(mail: _Sent, own: _Sent, gap: int, *, same: bool = False) -> _Meeting:
    """Whether each entry's address sent the family's mail `gap` weeks away, in another campaign or in any."""
    met = np.zeros(len(mail.weeks), dtype=np.bool_)
    chances = np.zeros(len(mail.weeks))
    for week in np.unique(mail.weeks):
        here = np.flatnonzero(mail.weeks == week)
        distance = np.abs(own.weeks - week)
        book = (distance >= gap) & (distance <= gap + NEAR)
        if not book.any():
            continue
        order = np.lexsort((own.campaigns[book], own.addresses[book]))
        campaigns = own.campaigns[book][order]
        known, first = np.unique(own.addresses[book][order], return_index=True)
        last = np.append(first[1:], len(campaigns)) - 1
        place = np.minimum(np.searchsorted(known, mail.addresses[here]), len(known) - 1)
        met[here] = known[place] == mail.addresses[here]
        chances[here] = len(campaigns)
        if not same:
            of = mail.campaigns[here]
            met[here] &= (campaigns[first[place]] != of) | (campaigns[last[place]] != of)
            ordered = np.sort(campaigns)
            chances[here] -= np.searchsorted(ordered, of, side="right") - np.searchsorted(ordered, of)
    could = chances > 0
    return _Meeting(could, mail.campaigns[could], met[could], chances[could])


def _share(ratios: Floats, of: Ints, expected: float) -> float:
    """Share of a mixture that is the family's.

    Args:
        ratios: log-likelihood ratio of each entry.
        of: place of its campaign.
        expected: the share before anything is seen.
    """
    share = expected
    odds = np.exp(np.clip(np.bincount(of, weights=ratios), -30.0, 30.0))
    count = np.bincount(of).astype(np.float64)
    for _ in range(ROUNDS):
        ours = share * odds / (share * odds + 1 - share)
        share = (float((count * ours).sum()) + EXPECTED * expected) / (float(count.sum()) + EXPECTED)
    return share


def _of_mixtures(ratios: Floats, of: Ints, share: float, *, kit: bool) -> Floats:
    """Log-odds that each entry is the family's, where a campaign is one sender's or a mixture.

    One text may be sent by several tenants of a kit. A campaign is the family's, somebody else's, or mixed in
    any proportion; the three are weighed by their likelihoods (Bayesian model averaging).

    Args:
        ratios: log-likelihood ratio of each entry.
        of: place of its campaign.
        share: share of campaigns that are expected to be the family's.
        kit: whether the engine is known to be several families'.
    """
    mixed = MIXED[kit]
    parts = np.exp(np.clip(ratios, -30.0, 30.0))
    pure = np.bincount(of, weights=ratios)
    models = [np.log(share * (1 - mixed)) + pure, np.full(len(pure), np.log((1 - share) * (1 - mixed)))]
    inside = []
    for part in PARTS:
        of_parts = part * parts + 1 - part
        models.append(np.log(mixed / len(PARTS)) + np.bincount(of, weights=np.log(of_parts)))
        inside.append(part * parts / of_parts)
    weights = np.exp(np.stack(models) - np.max(models, axis=0))
    ours = weights[0][of] + sum(weight[of] * own for weight, own in zip(weights[2:], inside, strict=True))
    theirs = weights[1][of] + sum(
        weight[of] * (1 - own) for weight, own in zip(weights[2:], inside, strict=True)
    )
    return np.asarray(np.log(np.maximum(ours, TINY) / np.maximum(theirs, TINY)))
