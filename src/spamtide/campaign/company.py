"""What strains come in: a fact beside the text, that speaks for one sender where the wording alone cannot.

Mail of one campaign is made by one program, in one layout, with links of one shape, in the same days. That
says nothing of what comes in several forms, nothing where all that talk of the same come so (one botnet
sends all the pharmacy there is), and much where few do. So it is measured how often those come in the
same form that talk of the same weeks apart.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from spamtide.campaign.lineage import NEVER
from spamtide.campaign.strangers import FAR_DAYS, Form, Strangers
from spamtide.campaign.traits import FACTS

if TYPE_CHECKING:
    from spamtide.campaign.weighing import Vectors

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NEAR_DAYS = 3
"""Two groups are in company if they have mail within so many days of each other."""
BESIDE = 0.5
"""Share of the days from the first mail of two groups to the last that both must cover to be side by side:
rewritings of one text are drawn from one list, and begin and end together."""
TOGETHER = 0.7
"""The same share where nothing else but the form speaks for them."""
LEAST_WATCHED = 2
"""So many times the days of two groups the observatory must have watched: else all that it ever saw was
side by side."""
OUTLYING = 20
"""One exemplar in so many at either end of a group's days is a stray, and does not stretch them."""
SURE = math.log(20)
"""Surprise at a likeness in form that one in twenty combinations has: full company."""
ASKED = 8
"""Strains of a group that are asked what is usual."""
SAMPLE = 512
"""Strains that are looked at to see who comes in what."""
UNLIKE = 0.5
"""Cosine below which two groups differ in a fact."""
DIFFERING = 2
"""Facts in which those differ that came in unlike forms."""
SINGLE = 0.8
"""Share of a group that must have its commonest form. With less it is what several programs send, or one
that turns, and its form does not tell whose it is: a text that many senders share takes no campaign in."""
TURNING = 0.75
"""Likeness of two mixtures of forms, chance left out, from which both are what one program turns."""
LEAST_MIXED = 3
"""Exemplars from which a mixture is one."""
PRIOR = 20
"""Combinations that are assumed beside those seen: alike as often as the root of the share among all."""
_ROUNDING = 1e-9
_DAY = 86_400 * 1_000_000


@dataclass(slots=True)
class Bearing:
    """In what, and when, the exemplars of a group came."""

    forms: tuple[dict[int, int], ...]
    """Of each fact: value -> exemplars."""
    days: dict[int, int]
    """Day -> exemplars."""
    strains: list[int] = field(default_factory=list)
    """Their numbers."""
    _span: tuple[int, int] | None = None

    def usual(self) -> Form:
        """The commonest value of each fact."""
        return tuple(
            max(counts, key=lambda value: (counts[value], value), default=0) for counts in self.forms
        )

    def single(self, but: int = 0) -> bool:
        """Whether it came in one form, nearly all of it; the first facts may be left out."""
        known = [counts for counts in self.forms[but:] if counts]
        return all(max(counts.values()) >= SINGLE * sum(counts.values()) for counts in known)

    def formed_as(self, other: Bearing) -> bool:
        """Whether both came in one form, the same, or by the same mixture of programs in one layout.

        A program that turns its headers does so in every text. A text that many senders share comes in many
        forms too, but a sender's own in some of them.
        """
        ours, theirs = self.usual(), other.usual()
        if ours[1:] != theirs[1:] or not (self.single(but=1) and other.single(but=1)):
            return False
        if self.single() and other.single():
            return ours == theirs
        return _mixed_alike(self.forms[0], other.forms[0])

    def pour(self, gone: Bearing) -> None:
        """Add another group's."""
        for ours, theirs in zip(self.forms, gone.forms, strict=True):
            for value, count in theirs.items():
                ours[value] = ours.get(value, 0) + count
        for day, count in gone.days.items():
            self.days[day] = self.days.get(day, 0) + count
        self.strains += gone.strains
        self._span = None

    def likeness(self, other: Bearing) -> float:
        """Mean over the facts of the cosine of the two distributions; 0 where nothing is known."""
        return sum(map(_cosine, self.forms, other.forms)) / len(self.forms)

    def span(self) -> tuple[int, int]:
        """First and last day, but for a stray message in OUTLYING at either end; it must have days."""
        if self._span is None:
            days, spare = sorted(self.days), sum(self.days.values()) // OUTLYING
            ends = []
            for order in (days, reversed(days)):
                left = spare
                for day in order:
                    left -= self.days[day]
                    if left < 0:
                        ends.append(day)
                        break
            self._span = ends[0], ends[1]
        return self._span

    def beside(self, other: Bearing, share: float = BESIDE) -> bool:
        """Whether both were sent in the same days, from about the first to the last of them."""
        if not (self.days and other.days):
            return False
        (begun, ended), (start, end) = self.span(), other.span()
        return min(ended, end) - max(begun, start) + 1 >= share * self.within(other)

    def within(self, other: Bearing) -> int:
        """Days from the first mail of the two to the last; both must have some."""
        (begun, ended), (start, end) = self.span(), other.span()
        return max(ended, end) - min(begun, start) + 1

    def far(self, other: Bearing) -> bool:
        """Whether weeks lie between the two."""
        if not (self.days and other.days):
            return False
        (begun, ended), (start, end) = self.span(), other.span()
        return max(begun, start) - min(ended, end) > FAR_DAYS

    def near(self, other: Bearing) -> bool:
        """Whether both have mail in the same days."""
        few, many = sorted((self.days, other.days), key=len)
        return any(day + off in many for day in few for off in range(-NEAR_DAYS, NEAR_DAYS + 1))


def _cosine(ours: dict[int, int], theirs: dict[int, int]) -> float:
    shared = sum(count * theirs.get(value, 0) for value, count in ours.items())
    if not shared:
        return 0.0
    squares = sum(count * count for count in ours.values()) * sum(count * count for count in theirs.values())
    return float(shared / squares**0.5)


def _mixed_alike(ours: dict[int, int], theirs: dict[int, int]) -> bool:
    """Whether two of the one mixture are as alike as two of either: pairs are counted, none with itself.

    A mixture of which no form came twice is taken to have as many forms as exemplars.
    """
    many, few = sum(ours.values()), sum(theirs.values())
    if min(many, few) < LEAST_MIXED:
        return False
    met = sum(count * theirs.get(value, 0) for value, count in ours.items()) / (many * few)
    within = [
        max(sum(count * (count - 1) for count in mine.values()) / (total - 1), 1) / total
        for mine, total in ((ours, many), (theirs, few))
    ]
    return met * met >= TURNING**2 * within[0] * within[1]


def _differ(ours: dict[int, int], theirs: dict[int, int]) -> bool:
    """Whether two distributions of a fact have little in common."""
    return bool(ours or theirs) and _cosine(ours, theirs) < UNLIKE


class Company:
    """Who came beside whom in a form that is rare among those that talk of the same."""

    def __init__(self, forms: pa.ChunkedArray, exemplar: Ints, strain: Ints, time: Ints) -> None:
        """Say in what each strain came.

        Args:
            forms: as in PROFILES, in any order.
            exemplar: the number of the exemplar that each row of `forms` is of; -1 for none.
            strain: number of each exemplar's strain.
            time: of each exemplar in microseconds; NEVER where there is none.
        """
        strains = int(strain.max()) + 1 if strain.size else 0
        whole = np.equal(pc.binary_length(forms).fill_null(0).to_numpy(), 4 * FACTS) & (exemplar >= 0)
        read = np.frombuffer(b"".join(forms.filter(pa.array(whole)).to_pylist()), dtype="<u4")
        self._forms = np.zeros((strain.size, FACTS), dtype=np.int64)
        self._forms[exemplar[whole]] = read.reshape(-1, FACTS)
        self._order = np.argsort(strain, kind="stable")
        self._bounds = np.searchsorted(strain[self._order], np.arange(strains + 1))
        self._days = np.where(time == NEVER, -1, time // _DAY)
        known = self._days[self._days >= 0]
        self._watched = int(known.max() - known.min()) + 1 if known.size else 0
        self._usual: dict[int, float] = {}
        """Of strains that were asked already."""
        self._strangers: Strangers | None = None
        self._far = self._every = np.zeros(0)

    def of(self, strain: int) -> Bearing:
        """In what, and when, a strain's exemplars came."""
        rows = self._order[self._bounds[strain] : self._bounds[strain + 1]]
        counts: tuple[dict[int, int], ...] = tuple({} for _ in range(FACTS))
        for values in self._forms[rows].tolist():
            for count, value in zip(counts, values, strict=True):
                if value:
                    count[value] = count.get(value, 0) + 1
        days: dict[int, int] = {}
        for day in self._days[rows].tolist():
            if day >= 0:
                days[day] = days.get(day, 0) + 1
        return Bearing(counts, days, [strain])

    def usual_forms(self) -> Ints:
        """A number for the commonest form of each strain; equal forms have the same."""
        number = np.zeros(self._forms.shape[0], dtype=np.int64)
        for fact in range(FACTS):
            _, value = np.unique(self._forms[:, fact], return_inverse=True)
            number = number * (int(value.max(initial=0)) + 1) + value
            number = np.unique(number, return_inverse=True)[1]
        forms = int(number.max(initial=0)) + 1
        strain = np.repeat(np.arange(self._bounds.size - 1), np.diff(self._bounds))
        both, counts = np.unique(strain * forms + number[self._order], return_counts=True)
        order = np.lexsort((both, -counts, both // forms))
        first = np.unique(both[order] // forms, return_index=True)[1]
        usual: Ints = both[order][first] % forms
        return usual

    def spans(self, strains: Ints) -> tuple[Ints, Ints]:
        """Day of the first and of the last exemplar of each strain; -1 where none is known."""
        first = np.full(self._bounds.size - 1, np.iinfo(np.int64).max)
        last = np.full(self._bounds.size - 1, -1)
        strain = np.repeat(np.arange(self._bounds.size - 1), np.diff(self._bounds))
        days = self._days[self._order]
        np.minimum.at(first, strain[days >= 0], days[days >= 0])
        np.maximum.at(last, strain, days)
        return np.where(last >= 0, first, -1)[strains], last[strains]

    def in_one_form(self, strains: Ints) -> list[tuple[int, int]]:
        """Pairs, by place in `strains`, that chain together those which came in one form in the same days.

        One form: one layout and one shape of links, and a program in common. Nothing, if the strains come in
        several layouts or shapes of links: what they share then is anybody's.
        """
        bearings = [self.of(strain) for strain in strains.tolist()]
        forms = [one.usual()[1:] for one in bearings]
        most, count = max(Counter(forms).items(), key=lambda pair: (pair[1], pair[0]))
        if count < SINGLE * len(forms):
            return []
        sent: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        for place, (one, form) in enumerate(zip(bearings, forms, strict=True)):
            if form == most and one.single(but=1) and one.days:
                for program in one.forms[0]:
                    sent[program].append((min(one.days), max(one.days), place))
        pairs = []
        for spans in sent.values():
            spans.sort()
            last, before = spans[0][1:]
            for first, end, place in spans[1:]:
                if first - last <= NEAR_DAYS:
                    pairs.append((before, place))
                if end >= last:
                    last, before = end, place
        return pairs

    @staticmethod
    def alike(ours: Bearing, theirs: Bearing, share: float = BESIDE) -> bool:
        """Whether two groups came in one form, the same one, side by side; no links are a form too."""
        return any(ours.usual()) and ours.formed_as(theirs) and ours.beside(theirs, share)

    @staticmethod
    def unlike(ours: Bearing, theirs: Bearing) -> bool:
        """Whether two groups came in forms that differ in most facts; having none is a form."""
        if not (any(ours.forms) and any(theirs.forms)):
            return False
        return sum(map(_differ, ours.forms, theirs.forms)) >= DIFFERING

    @staticmethod
    def estranged(ours: Bearing, theirs: Bearing) -> bool:
        """Whether weeks lie between two groups, and they came by different programs."""
        return ours.far(theirs) and _differ(ours.forms[0], theirs.forms[0])

    @staticmethod
    def by_one_program(ours: Bearing, theirs: Bearing) -> bool:
        """Whether two groups came by one program, or by programs of one mixture."""
        one, other = ours.forms[0], theirs.forms[0]
        return _cosine(one, other) >= UNLIKE or _mixed_alike(one, other)

    def together(self, ours: Bearing, theirs: Bearing) -> bool:
        """Whether two groups came in one form, and began and ended together, while others did not."""
        return self.alike(ours, theirs, TOGETHER) and self._watched >= LEAST_WATCHED * ours.within(theirs)

    def weigh(self, vectors: Vectors, heads: Ints, least: float) -> None:
        """See how often those come in the same form that talk of the same at other times.

        Each combination of two forms counts once: else a campaign that goes on for weeks would be its own
        stranger.

        Args:
            vectors: of all strains.
            heads: number of the campaign that each strain was of until now: one strain each is looked at.
            least: likeness in words from which two strains talk of the same.
        """
        first = np.unique(heads, return_index=True)[1]
        sample = np.sort(first[vectors.telling[first]])[:SAMPLE]
        bearings = [self.of(strain) for strain in sample.tolist()]
        said = (vectors.sums[sample] @ vectors.sums[sample].T).toarray()
        said /= np.maximum(np.outer(vectors.exemplars[sample], vectors.exemplars[sample]), 1)
        forms = [one.usual() for one in bearings]
        number = {form: place for place, form in enumerate(sorted(set(forms)))}
        kind = np.array([number[form] for form in forms], dtype=np.int64)
        one, other = np.tril_indices(len(bearings), -1)
        both = np.minimum(kind[one], kind[other]) * len(number) + np.maximum(kind[one], kind[other])
        _, first, combination = np.unique(both, return_index=True, return_inverse=True)
        pairs = zip(one[first].tolist(), other[first].tolist(), strict=True)
        every = np.array([bearings[ours].likeness(bearings[theirs]) for ours, theirs in pairs])
        strange = (said[one, other] >= least) & _apart(bearings)[one, other]
        self._strangers = Strangers(vectors, sample, *_days_of(bearings), forms, least)
        self._far, self._every = np.sort(every[np.unique(combination[strange])]), np.sort(every)

    def usual(self, ours: Bearing, theirs: Bearing) -> float:
        """How much, in words, one of two groups has in common with strangers that talk of the same.

        Strangers came in another form, weeks before or after. What is usual is asked of these two alone: a
        heap of letters of one kind, each by a sender of its own, would make much usual for everybody.
        """
        return max(self._usual_of(ours), self._usual_of(theirs))

    def _usual_of(self, group: Bearing) -> float:
        """Mean over some strains of a group."""
        asked = sorted(group.strains)[:ASKED]
        if self._strangers is None or not asked:
            return 0.0
        for strain in asked:
            if strain not in self._usual:
                one = self.of(strain)
                span = (min(one.days), max(one.days)) if one.days else None
                self._usual[strain] = self._strangers.talk(strain, *span, one.usual()) if span else 0.0
        return sum(self._usual[strain] for strain in asked) / len(asked)

    def weight(self, ours: Bearing, theirs: Bearing) -> float:
        """How surely two groups that talk of the same are one by what they came in, 0-1."""
        if not (ours.single() and theirs.single() and ours.near(theirs)):
            return 0.0
        least = ours.likeness(theirs) - _ROUNDING
        every = _reaching(self._every, least) / self._every.size if self._every.size else 1.0
        common = (PRIOR * every**0.5 + _reaching(self._far, least)) / (PRIOR + self._far.size)
        return min(1.0, -math.log(max(common, _ROUNDING)) / SURE)


def _apart(bearings: Sequence[Bearing]) -> NDArray[np.bool_]:
    """Which strains came at times far from each other; shape (bearings, bearings)."""
    first, last = _days_of(bearings)
    known = last >= 0
    later = first[:, None] - last[None, :] > FAR_DAYS
    return (later | later.T) & known[:, None] & known[None, :]


def _days_of(bearings: Sequence[Bearing]) -> tuple[Ints, Ints]:
    """Day of the first and of the last mail of each; -1 where none is known."""
    first = np.array([min(one.days, default=-1) for one in bearings], dtype=np.int64)
    last = np.array([max(one.days, default=-1) for one in bearings], dtype=np.int64)
    return first, last


def _reaching(ascending: Floats, least: float) -> int:
    return int(ascending.size - np.searchsorted(ascending, least))
