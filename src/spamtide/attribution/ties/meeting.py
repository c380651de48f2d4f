"""Who meets whom: addresses that send for one campaign and for another, near in time.

Mail is put down as entries of week, campaign and address. A window holds the entries of some weeks and says,
for any set of them, which others have an address in common with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spamtide.attribution.ties.association import NO_DAY, Flags, Floats, Ints

WEEK, NEAR, REACH = 7, 2, 4
"""Days of a step; steps on either side of a message's own in which addresses are compared, and in which
anything has a say."""
FLOOR, BELIEVED = 0.005, 100.0
"""Least share of others' addresses that meet a family's by chance; and how many addresses' worth it is."""
DISTANCES = tuple(d for d in range(-NEAR, NEAR + 1) if d)
"""Weeks from one's own to those in which addresses are compared."""
STRANGE = 0.1
"""Messages of families with another engine, as a part of what an address sends with this one, from which it
has many machines: a single one among many may be forged, or sent by who had the address before."""
HALVINGS = 30
"""Of the interval in which a rate is looked for: 2**-30 is far below what mail can tell."""


@dataclass(frozen=True, slots=True)
class Labs:
    """Mail that labs' bots sent, an entry a message."""

    families: Ints
    campaigns: Ints
    weeks: Ints

    @classmethod
    def of(cls, families: Ints, campaigns: Ints, days: Ints) -> Labs:
        """Labs' mail among messages: family of each, negative for none; its campaign, and day or NO_DAY."""
        rows = np.flatnonzero((families >= 0) & (days != NO_DAY))
        weeks = days[rows] // WEEK
        order = np.argsort(weeks, kind="stable")
        return cls(families[rows][order], campaigns[rows][order], weeks[order])

    def where(self, part: Flags | slice) -> Labs:
        """Some of it."""
        return Labs(self.families[part], self.campaigns[part], self.weeks[part])


@dataclass(frozen=True, slots=True)
class Cells:
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
    wordless: Flags
    untold: Flags
    """Entries whose text is no tenant's alone."""
    place_keys: tuple[Ints, Ints]
    """Week and address of each place."""
    campaign_codes: Ints
    """What each campaign is called by others."""

    @classmethod
    def of(cls, weeks: Ints, campaigns: Ints, addresses: Ints) -> Cells:
        """The entries of some messages; nothing is known of any yet."""
        codes, campaigns = np.unique(campaigns, return_inverse=True)
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
        own, others, kit, wordless, untold = (np.zeros(len(keys), dtype=np.bool_) for _ in range(5))
        at = (places // high + first, known[places % high])
        return cls(
            week + first, of_group, of_place, campaign, address, of_row, near, own, others, kit, wordless,
            untold, at, codes,
        )  # fmt: skip

    def coded(self, labs: Labs) -> Labs:
        """Labs' mail with the campaigns' numbers here; of others none is here."""
        place = np.minimum(np.searchsorted(self.campaign_codes, labs.campaigns), len(self.campaign_codes) - 1)
        known = (labs.campaigns >= 0) & (self.campaign_codes[place] == labs.campaigns)
        # Campaigns that are not here stay apart from each other.
        return Labs(labs.families, np.where(known, place, -2 - labs.campaigns), labs.weeks)

    def starts(self, low: int, high: int) -> tuple[int, int]:
        """First entry of some weeks, and the one past their last."""
        return int(np.searchsorted(self.weeks, low)), int(np.searchsorted(self.weeks, high, side="right"))


def _shifted(keys: Ints, by: int) -> Ints:
    """Places of sorted keys' counterparts some weeks before and after, a row a distance; -1 for none."""
    rows = []
    for distance in DISTANCES:
        wanted = keys + distance * by
        place = np.minimum(np.searchsorted(keys, wanted), max(0, len(keys) - 1))
        rows.append(np.where(keys[place] == wanted, place, -1) if len(keys) else keys)
    return np.stack(rows)


@dataclass(frozen=True, slots=True)
class Strangers:
    """What is surely other families': how much there is, and where it has the family's addresses."""

    weeks: Ints
    """Of all of it, sorted; one a week, campaign and address."""
    places: Ints
    """Place in a family's cells of each of these that has one, sorted."""
    hosts: Ints
    """The same, of families that are no mates of its engine."""

    @classmethod
    def of(cls, cells: Cells, mail: tuple[Ints, Ints, Ints], mates: Flags) -> Strangers:
        """What other families' messages have in common with a family's entries.

        Args:
            cells: the family's entries.
            mail: week, campaign and address of each message.
            mates: whether it is of a family with the same engine.
        """
        weeks, _, addresses = mail
        week, address = cells.place_keys
        sent, of = np.unique(np.stack(mail), axis=1, return_inverse=True)
        others = np.bincount(np.ravel(of)[~mates], minlength=sent.shape[1]) > 0
        base = int(max(address.max(initial=0), addresses.max(initial=0))) + 1
        first = int(min(week.min(initial=0), weeks.min(initial=0)))
        keys = (sent[0] - first) * base + sent[2]
        known = (week - first) * base + address
        order = np.argsort(known, kind="stable")
        found = np.minimum(np.searchsorted(known[order], keys), max(0, len(known) - 1))
        meets = known[order][found] == keys if len(known) else np.zeros(len(keys), dtype=np.bool_)
        at = order[found[meets]]
        return cls(sent[0], np.sort(at), np.sort(order[found[meets & others]]))


class Window:
    """The weeks around one week: entries as numbers from 0, and who meets whom among them."""

    def __init__(self, cells: Cells, around: Strangers, week: int) -> None:
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
        self.near_places = _within(cells.near["place"], first, last)
        """Place -> its counterparts in the weeks around, a row a distance (see DISTANCES); -1 for none."""
        inside = slice(*np.searchsorted(around.places, [first, last]))
        self._strangers = around.places[inside] - first
        of = cells.addresses[self.part]
        address = np.zeros(last - first, dtype=np.int64)
        address[self.places] = of
        sent = np.bincount(of)
        near = slice(*np.searchsorted(around.hosts, [first, last]))
        strange = np.bincount(address[around.hosts[near] - first], minlength=len(sent))
        self.shared = ((strange > 0) & (strange >= STRANGE * sent))[of]
        """Entries whose address sends for families with another engine too: of many machines."""
        self._of_strangers = int(
            np.searchsorted(around.weeks, high, side="right") - np.searchsorted(around.weeks, low)
        )

    def meet(self, fleet: Flags, *, same: bool = False) -> Meeting:
        """Whether each entry's address sent mail of a fleet near its week, in another campaign or week."""
        weight = fleet.astype(np.float64)
        by_place: Floats = np.bincount(self.places, weight, minlength=self.near_places.shape[1]).astype(
            np.float64
        )
        by_group: Floats = np.bincount(self.groups, weight, minlength=self._group.shape[1]).astype(np.float64)
        by_week: Floats = np.bincount(self.weeks, weight, minlength=2 * (REACH + NEAR) + 1).astype(np.float64)
        near = _summed(by_place, self.near_places)
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
        return Meeting(met & (chances > 0), chances, max(FLOOR, strange))

    def pairs(self, some: Flags, others: Flags) -> tuple[Floats, Floats]:
        """Pairs of an entry of each set, of two campaigns: with one address, and all.

        Returns:
            Two arrays of shape (NEAR + 1, entries of `some`), by weeks between the two.
        """
        weight = others.astype(np.float64)
        by_place, by_group, by_week = (
            np.append(np.bincount(of, weight, minlength=count).astype(np.float64), 0.0)
            for of, count in (
                (self.places, self.near_places.shape[1]),
                (self.groups, self._group.shape[1]),
                (self.weeks, 2 * (REACH + NEAR) + 1),
            )
        )
        entry = np.append(weight, 0.0)
        at = np.flatnonzero(some)
        met, chances = np.zeros((NEAR + 1, len(at))), np.zeros((NEAR + 1, len(at)))
        met[0] = by_place[self.places[at]] - weight[at]
        chances[0] = by_week[self.weeks[at]] - by_group[self.groups[at]]
        for row, distance in enumerate(DISTANCES):
            away = abs(distance)
            met[away] += by_place[self.near_places[row, self.places[at]]] - entry[self._entry[row, at]]
            chances[away] += by_week[self.weeks[at] + distance] - by_group[self._group[row, self.groups[at]]]
        return met, chances


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
class Meeting:
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
