"""Fleets: whether a campaign comes from the addresses that a family's other mail comes from.

Kits are rented, fleets are not. All mail with one family's engine is a mixture of the family's own and of
other tenants'. What is surely the family's anchors its fleet, and what is surely somebody else's (another
family's words, a text that the lab's bot never sent) anchors the others'. A campaign whose addresses meet
the one fleet and not the other is given to it, and its addresses then know the next campaign: so fleets are
followed past the last mail that is sure. The share of each is estimated on the way (EM for a mixture of two
known parts, Dempster, Laird, Rubin 1977, section 4.3), and a campaign with too few addresses to tell is as
likely the family's as that share says. A text that several tenants send makes a mixed campaign; in one, each
address speaks for itself.

Each week is judged from the weeks within REACH of it alone, from the start: no answer rests on a stored one.
Addresses that come and go faster than mail does tell nothing, and then nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spamtide.attribution.association import NO_DAY, Flags, Floats, Ints

WEEK, NEAR, REACH = 7, 2, 4
"""Days of a step; steps on either side of a message's own in which addresses are compared, and in which
anything has a say."""
LEAST, LEAST_MET = 10, 3
"""Addresses of the family's own that could meet its other mail, and such that did, below which nothing is
said."""
CLEAR = 3.0
"""Times as often as everybody else's that a fleet's own addresses must meet its other mail."""
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
ANCHORED = 3.0
"""Log-odds with which what is surely a family's, or somebody else's, begins: addresses may correct it."""
JOINS = 2.0
"""Log-odds from which an entry is of a fleet, and meeting it counts."""
MIXED = (0.02, 0.1)
"""Share of campaigns that several senders are expected to send, of one family's engine and of a kit."""
PARTS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Shares of the family in a mixed campaign that are tried."""
TINY = 1e-12
HALVINGS = 30
ROUNDS = 8
"""Times that fleets are followed on at most; each reaches NEAR weeks further."""


def kinship(
    leaning: Ints,
    sure: Ints,
    addresses: Ints,
    campaigns: Ints,
    days: Ints,
    *,
    kit: Flags | bool = False,
    doubts: Floats | None = None,
) -> tuple[Ints, Flags]:
    """Log-odds that the addresses behind a campaign are those of each message's leaning, in STEPs.

    They stand for the engine's word as well: what it is worth is measured here.

    Args:
        leaning: family whose engine the message has, by message; negative for none. A message with the engine
            of several families may be there once for each.
        sure: family that rules with content name, by message of the wild; negative for none.
        addresses: sending address of each message as a code; negative for none.
        campaigns: campaign of each message as a code; negative for none.
        days: day of each message, or NO_DAY.
        kit: whether the engine is known to be several families', by message.
        doubts: log-odds that speak against the leaning beside addresses, by message, 0 or more.

    Returns:
        steps, and whether addresses tell of the family at the time at all, by message.
    """
    steps = np.zeros(len(leaning), dtype=np.int64)
    told = np.zeros(len(leaning), dtype=np.bool_)
    usable = (addresses >= 0) & (days != NO_DAY)
    # A message without a campaign is one of its own.
    groups = np.where(campaigns >= 0, campaigns, -1 - np.arange(len(campaigns)))
    weeks = np.where(usable, days // WEEK, 0)
    kits = np.broadcast_to(np.asarray(kit), leaning.shape)
    against = np.zeros(len(leaning)) if doubts is None else doubts
    for family in np.unique(leaning[usable & (leaning >= 0)]):
        rows = np.flatnonzero(usable & ((leaning == family) | (sure == family)))
        cells = _Cells.of(weeks[rows], groups[rows], addresses[rows])
        cells.own[cells.of_row] |= sure[rows] == family
        cells.others[cells.of_row] |= (sure[rows] >= 0) & (sure[rows] != family)
        cells.kit[cells.of_row] |= kits[rows]
        np.maximum.at(cells.doubt, cells.of_row, against[rows])
        strangers = usable & (sure >= 0) & (sure != family)
        around = _Strangers.of(cells, weeks[strangers], groups[strangers], addresses[strangers])
        asked = leaning[rows] == family
        for week in np.unique(weeks[rows][asked]):
            found = _weigh(cells, around, int(week))
            if found is None:
                continue
            here = asked & (weeks[rows] == week)
            odds = np.clip(found[cells.of_row[here] - cells.starts(int(week), int(week))[0]], -MOST, MOST)
            told[rows[here]] = True
            steps[rows[here]] = (np.sign(odds) * np.floor(np.abs(odds) / STEP + 1e-9)).astype(np.int64)
    return steps, told


@dataclass(frozen=True, slots=True)
class _Cells:
    """Mail with one family's engine or words: an entry a week, campaign and address, in this order."""

    weeks: Ints
    groups: Ints
    """Number of each entry's campaign in its week, in order of weeks."""
    places: Ints
    """Number of each entry's address in its week, in order of weeks."""
    campaigns: Ints
    addresses: Ints
    of_row: Ints
    """Entry of each message."""
    near: dict[str, Ints]
    """Entry, group or place -> its counterparts in the weeks around, a row a distance; negative for none."""
    own: Flags
    others: Flags
    """Entries that are surely the family's, and surely somebody else's."""
    kit: Flags
    doubt: Floats
    place_keys: tuple[Ints, Ints]
    """Week and address of each place."""

    @classmethod
    def of(cls, weeks: Ints, campaigns: Ints, addresses: Ints) -> _Cells:
        _, campaigns = np.unique(campaigns, return_inverse=True)
        known, addresses = np.unique(addresses, return_inverse=True)
        wide, high = int(campaigns.max(initial=0)) + 1, len(known) + 1
        first = int(weeks.min(initial=0)) - NEAR
        keys, of_row = np.unique(((weeks - first) * wide + campaigns) * high + addresses, return_inverse=True)
        entry, address = np.divmod(keys, high)
        week, campaign = np.divmod(entry, wide)
        groups, of_group = np.unique(entry, return_inverse=True)
        places, of_place = np.unique(week * high + address, return_inverse=True)
        near = {
            "entry": _shifted(keys, wide * high),
            "group": _shifted(groups, wide),
            "place": _shifted(places, high),
        }
        zeros = [np.zeros(len(keys), dtype=np.bool_) for _ in range(3)]
        return cls(
            week + first, of_group, of_place, campaign, address, of_row, near, zeros[0], zeros[1], zeros[2],
            np.zeros(len(keys)), (places // high + first, known[places % high]),
        )  # fmt: skip

    def starts(self, low: int, high: int) -> tuple[int, int]:
        """First entry of some weeks, and the one past their last."""
        return int(np.searchsorted(self.weeks, low)), int(np.searchsorted(self.weeks, high, side="right"))


def _shifted(keys: Ints, by: int) -> Ints:
    """Places of sorted keys' counterparts some weeks before and after, a row a distance; -1 for none."""
    rows = []
    for distance in (d for d in range(-NEAR, NEAR + 1) if d):
        wanted = keys + distance * by
        place = np.minimum(np.searchsorted(keys, wanted), max(0, len(keys) - 1))
        rows.append(np.where(keys[place] == wanted, place, -1) if len(keys) else keys)
    return np.stack(rows)


@dataclass(frozen=True, slots=True)
class _Strangers:
    """What is surely other families': how much there is, and where it has the family's addresses."""

    weeks: Ints
    """Of all of it, sorted; one a week, campaign and address."""
    places: Ints
    """Place in a family's cells of each of these that has one, sorted."""

    @classmethod
    def of(cls, cells: _Cells, weeks: Ints, campaigns: Ints, addresses: Ints) -> _Strangers:
        week, address = cells.place_keys
        sent = np.unique(np.stack([weeks, campaigns, addresses]), axis=1)
        base = int(max(address.max(initial=0), addresses.max(initial=0))) + 1
        first = int(min(week.min(initial=0), weeks.min(initial=0)))
        keys = (sent[0] - first) * base + sent[2]
        known = (week - first) * base + address
        order = np.argsort(known, kind="stable")
        found = np.minimum(np.searchsorted(known[order], keys), max(0, len(known) - 1))
        meets = known[order][found] == keys if len(known) else np.zeros(len(keys), dtype=np.bool_)
        return cls(sent[0], np.sort(order[found[meets]]))


class _Window:
    """The weeks around one week: entries as numbers from 0, and who meets whom among them."""

    def __init__(self, cells: _Cells, around: _Strangers, week: int) -> None:
        low, high = week - REACH, week + REACH
        start, stop = cells.starts(low, high)
        self.part = slice(start, stop)
        self.weeks = cells.weeks[self.part] - low + NEAR
        self.count = stop - start
        self._entry = _within(cells.near["entry"], start, stop)
        first, last = _bounds(cells.groups[self.part])
        self.groups = cells.groups[self.part] - first
        self._group = _within(cells.near["group"], first, last)
        first, last = _bounds(cells.places[self.part])
        self.places = cells.places[self.part] - first
        self._place = _within(cells.near["place"], first, last)
        inside = slice(*np.searchsorted(around.places, [first, last]))
        self._strangers = around.places[inside] - first
        self._of_strangers = int(
            np.searchsorted(around.weeks, high, side="right") - np.searchsorted(around.weeks, low)
        )

    def meet(self, fleet: Flags, *, same: bool = False) -> _Meeting:
        """Whether each entry's address sent mail of a fleet near its week, in another campaign or week."""
        weight = fleet.astype(np.float64)
        by_place: Floats = np.bincount(self.places, weight, minlength=self._place.shape[1]).astype(np.float64)
        by_group: Floats = np.bincount(self.groups, weight, minlength=self._group.shape[1]).astype(np.float64)
        by_week: Floats = np.bincount(self.weeks, weight, minlength=2 * (REACH + NEAR) + 1).astype(np.float64)
        near = _summed(by_place, self._place)
        total = np.convolve(by_week, np.ones(2 * NEAR + 1), mode="same")[self.weeks]
        if same:
            met = near[self.places] - by_place[self.places] > 0
            chances = total - by_week[self.weeks]
        else:
            met = near[self.places] - _summed(weight, self._entry) > 0
            chances = total - _summed(by_group, self._group)[self.groups]
        strange = (float((near[self._strangers] > 0).sum()) + FLOOR * BELIEVED) / (
            self._of_strangers + BELIEVED
        )
        return _Meeting(met & (chances > 0), chances, max(FLOOR, strange))


def _bounds(numbers: Ints) -> tuple[int, int]:
    return (int(numbers.min()), int(numbers.max()) + 1) if len(numbers) else (0, 0)


def _within(near: Ints, first: int, last: int) -> Ints:
    """Counterparts as numbers from `first` on; those outside are -1."""
    part = near[:, first:last]
    return np.where((part >= first) & (part < last), part - first, -1)


def _summed(values: Floats, near: Ints) -> Floats:
    """Each value with those of its counterparts."""
    padded = np.append(values, 0.0)
    return np.asarray(values + padded[near].sum(axis=0))


@dataclass(frozen=True, slots=True)
class _Meeting:
    """For each entry, whether it met a fleet."""

    met: Flags
    chances: Floats
    """Entries of the fleet that there were to meet."""
    chance: float
    """Share of everybody else's addresses that meet it."""

    def rate(self, of: Flags) -> float:
        """Meetings of some entries for each chance, were they a Poisson process; by bisection.

        One hit is added: a rate of 0 is never proven.
        """
        chances, met = self.chances[of], float(self.met[of].sum()) + 1
        low, high = 0.0, 1.0
        for _ in range(HALVINGS):
            rate = (low + high) / 2
            high, low = (rate, low) if -np.expm1(-rate * chances).sum() > met else (high, rate)
        return (low + high) / 2

    def expected(self, rate: float) -> Floats:
        """Probability that each entry met."""
        return np.asarray(-np.expm1(-rate * self.chances))


@dataclass(frozen=True, slots=True)
class _Fleet:
    """How one fleet's addresses come again, and what meeting it or not then says."""

    ratios: Floats
    """Log-likelihood ratio of each entry: of the fleet against not of it."""
    tells: bool


def _fleet(window: _Window, fleet: Flags, judged: Flags, campaigns: Ints, strangers: Flags) -> _Fleet | None:
    """Measure a fleet; None where too little is known.

    Args:
        window: the weeks around.
        fleet: entries of the fleet, whom the others may have met.
        judged: entries on which the rate is measured.
        campaigns: number of each entry's campaign.
        strangers: entries that are not of it.
    """
    meeting, least = window.meet(fleet), 1.0
    could = judged & (meeting.chances > 0)
    if could.sum() < LEAST:
        # One campaign is all that there is: its addresses in its other weeks, which may be more alike.
        again, least = window.meet(fleet, same=True), SAME_CAMPAIGN
        could = judged & (again.chances > 0)
        if could.sum() < LEAST or (again.met & could).sum() < LEAST_MET:
            return None
        rate = again.rate(could)
        spread = max(least, _spread(again, rate, could, campaigns))
    else:
        if (meeting.met & could).sum() < LEAST_MET:
            return None
        rate = meeting.rate(could)
        spread = max(least, _spread(meeting, rate, could, campaigns))
    known = strangers & (meeting.chances > 0)
    measured = (float((meeting.met & known).sum()) + meeting.chance * BELIEVED) / (known.sum() + BELIEVED)
    chance = max(meeting.chance, measured)
    asked = meeting.chances > 0
    own = np.clip(meeting.expected(rate), chance, 1 - FLOOR)
    if not asked.any() or own[asked].mean() < CLEAR * chance:
        return None
    ratios = np.where(meeting.met, np.log(own / chance), np.log((1 - own) / (1 - chance)))
    return _Fleet(np.where(asked, ratios / spread, 0.0), tells=True)


def _spread(meeting: _Meeting, rate: float, of: Flags, campaigns: Ints) -> float:
    """How much more campaigns differ than chance lets them, 1 or more.

    Pearson's chi-square by its degrees of freedom. Bots of one fleet are given their work in groups.
    """
    expected = meeting.expected(rate)[of]
    known, group = np.unique(campaigns[of], return_inverse=True)
    off = np.bincount(group, weights=meeting.met[of] - expected, minlength=len(known))
    variance = np.bincount(group, weights=expected * (1 - expected), minlength=len(known))
    square = float((off**2 / np.maximum(variance, FLOOR)).sum())
    return max(1.0, square / max(1, len(known) - 1))


def _weigh(cells: _Cells, around: _Strangers, week: int) -> Floats | None:
    """Log-odds of one week's entries; None where addresses tell nothing of the family.

    What is sure, and what else speaks against a campaign, moves the fleets but is not told again.
    """
    window = _Window(cells, around, week)
    own, others, doubt = cells.own[window.part], cells.others[window.part], cells.doubt[window.part]
    campaigns, of = np.unique(cells.campaigns[window.part], return_inverse=True)
    kit = np.bincount(of, cells.kit[window.part], minlength=len(campaigns)) > 0
    anchor = np.zeros(len(campaigns))
    np.maximum.at(anchor, of, np.where(own, ANCHORED, 0.0))
    foreign = np.zeros(len(campaigns))
    np.maximum.at(foreign, of, np.where(others & ~own, ANCHORED, 0.0))
    np.maximum.at(foreign, of, np.where(own, 0.0, doubt))
    before = anchor - foreign
    free = before == 0
    mine, theirs = own, others & ~own
    odds = None
    for _ in range(ROUNDS):
        fleet = _fleet(window, mine, mine, of, theirs)
        if fleet is None:
            break
        rival = _fleet(window, theirs, theirs, of, mine) if theirs.sum() >= LEAST else None
        ratios = fleet.ratios - np.maximum(rival.ratios, 0.0) if rival else fleet.ratios
        share = np.where(kit, _share(ratios, of, free & kit, KIT), _share(ratios, of, free & ~kit, OWN))
        prior = np.where(free, np.log(share / (1 - share)), before)
        odds = _of_mixtures(ratios, of, prior, kit)
        now_mine, now_theirs = odds >= JOINS, odds <= -JOINS
        if np.array_equal(now_mine, mine) and np.array_equal(now_theirs, theirs):
            break
        mine, theirs = now_mine, now_theirs
    if odds is None:
        return None
    here = window.weeks == REACH + NEAR
    # Of an engine of one family's its words were to be expected anyway.
    told_elsewhere = np.where(kit, before, -foreign)
    return np.asarray((odds - told_elsewhere[of])[here])


def _share(ratios: Floats, of: Ints, free: Flags, expected: float) -> float:
    """Share of a mixture that is the family's.

    Args:
        ratios: log-likelihood ratio of each entry.
        of: place of its campaign.
        free: campaigns that nothing else is known of.
        expected: the share before anything is seen.
    """
    share = expected
    odds = np.exp(np.clip(np.bincount(of, weights=ratios)[free], -30.0, 30.0))
    count = np.bincount(of)[free].astype(np.float64)
    for _ in range(20):
        ours = share * odds / (share * odds + 1 - share)
        share = (float((count * ours).sum()) + EXPECTED * expected) / (float(count.sum()) + EXPECTED)
    return min(max(share, FLOOR), 1 - FLOOR)


def _of_mixtures(ratios: Floats, of: Ints, prior: Floats, kit: Flags) -> Floats:
    """Log-odds that each entry is the family's, where a campaign is one sender's or a mixture.

    One text may be sent by several tenants of a kit. A campaign is the family's, somebody else's, or mixed in
    any proportion; the three are weighed by their likelihoods (Bayesian model averaging).

    Args:
        ratios: log-likelihood ratio of each entry.
        of: place of its campaign.
        prior: log-odds of each campaign before addresses are asked.
        kit: whether each campaign's engine is known to be several families'.
    """
    mixed = np.where(kit, MIXED[1], MIXED[0])
    parts = np.exp(np.clip(ratios, -30.0, 30.0))
    pure = np.bincount(of, weights=ratios)
    share = 1 / (1 + np.exp(-prior))
    models = [np.log(share * (1 - mixed)) + pure, np.log((1 - share) * (1 - mixed))]
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
