"""Look-alikes: strangers whose mailer happens to write as a family's engine does.

Behind mail for which only the engine speaks there may be the family, another botnet that has its engine, or
one of the many senders of a single message. How likely the second is, is the rule's confidence. The third is
told here, as log-odds of the family against it, from what is known of the weeks around:

- how much of a text's mail has the engine. A text that hundreds of mailers send is no botnet's, even if two
  of them look like the family's; a text of which all copies have the engine is no stranger's;
- whether the family sends at all: by its lab, by its words, and by texts of the engine alone. After it has
  stopped, strangers are all that is left.

Each week is told from the mail within REACH of it alone, so that an update that reads no other mail tells the
same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from spamtide.attribution.ties.association import NO_DAY, Flags, Floats, Ints
from spamtide.attribution.ties.meeting import NEAR, REACH, WEEK

BY_CHANCE, BELIEVED = 0.005, 200.0
"""Share of strangers' messages that look like an engine's before any is counted, and how many messages' worth
that is: mail programs are few, and so are the ways to imitate them."""
OWN_TEXT = 0.5
"""Probability that nearly all copies of a family's text have its engine; else any part of them may."""
NEARLY = 0.9
"""Part of a text's copies that has the engine, from which nearly all have."""
FOREIGN_TEXT, LEAST_COPIES = 0.1, 10
"""Part of a text's copies with the engine below which it is strangers', and copies from which this is so."""
SINGLE = 0.1
"""Share of a family's mail that is expected to be of a text of its own."""
IDLE = 0.05
"""Messages that a family is expected to send in these weeks of which nothing is seen: botnets return."""
MOST = 6.0
STEP = 0.5
"""Log-odds come in steps of this, and are within MOST."""


@dataclass(frozen=True, slots=True)
class ByWeek:
    """Some messages by week."""

    weeks: Ints
    texts: Ints

    @classmethod
    def of(cls, weeks: Ints, texts: Ints, rows: Flags) -> ByWeek:
        """Those of some rows, in order of weeks."""
        chosen = np.flatnonzero(rows)
        chosen = chosen[np.argsort(weeks[chosen], kind="stable")]
        return cls(weeks[chosen], texts[chosen])

    def near(self, week: int, reach: int) -> slice:
        """Those within reach of a week."""
        begin, end = np.searchsorted(self.weeks, [week - reach, week + reach + 1])
        return slice(int(begin), int(end))

    def copies(self, known: Ints, week: int) -> Floats:
        """Copies within REACH of a week of texts that are known, sorted."""
        texts = self.texts[self.near(week, REACH)]
        place = np.minimum(np.searchsorted(known, texts), len(known) - 1)
        return np.bincount(place[known[place] == texts], minlength=len(known)).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Lookalikes:
    """Mail that strangers may have sent, to be asked about by family and week.

    `texts` below: the campaign as a code; a message without one has a code of its own, see `texts_of`.
    """

    engines: dict[int, ByWeek]
    """Family -> mail that only its engine speaks for."""
    works: dict[int, ByWeek]
    """Family -> mail by which it is surely at work."""
    nameless: Ints
    """Weeks of the mail that nothing speaks for, sorted."""
    copies: ByWeek
    """Such mail of texts that an engine speaks for too."""
    told: dict[tuple[int, int], tuple[Ints, Floats]] = field(default_factory=dict)
    """What was asked already."""

    @classmethod
    def of(cls, leaning: Ints, seen: Ints, strangers: Flags, texts: Ints, days: Ints) -> Lookalikes:
        """Look through some mail.

        Args:
            leaning: family that only the engine speaks for, by message; negative for none.
            seen: family that is surely at work by this message: its lab's, or one with its words; negative
                for none.
            strangers: messages of the wild that nothing speaks for.
            texts: as above.
            days: day of each message, or NO_DAY.
        """
        dated = days != NO_DAY
        weeks = np.where(dated, days // WEEK, 0)
        asked = dated & (leaning >= 0)
        families = np.unique(leaning[asked]).tolist()
        copies = dated & strangers & np.isin(texts, np.unique(texts[asked]))
        return cls(
            {family: ByWeek.of(weeks, texts, asked & (leaning == family)) for family in families},
            {family: ByWeek.of(weeks, texts, dated & (seen == family)) for family in families},
            np.sort(weeks[dated & strangers]),
            ByWeek.of(weeks, texts, copies),
        )

    def odds(self, family: int, week: int, texts: Ints) -> Floats:
        """Log-odds in a week that texts are a family's and no stranger's; MOST where nothing is asked."""
        if family not in self.engines:
            return np.full(len(texts), MOST)
        if (family, week) not in self.told:
            self.told[family, week] = self._told(family, week)
        known, odds = self.told[family, week]
        if not len(known):
            return np.full(len(texts), MOST)
        place = np.minimum(np.searchsorted(known, texts), len(known) - 1)
        return np.where(known[place] == texts, odds[place], MOST)

    def _told(self, family: int, week: int) -> tuple[Ints, Floats]:
        """Texts with a family's engine within REACH of a week, sorted, and the odds of each."""
        own, work = self.engines[family], self.works[family]
        part = own.near(week, REACH)
        texts, of = np.unique(own.texts[part], return_inverse=True)
        if not len(texts):
            return texts, np.zeros(0)
        like = np.bincount(of, minlength=len(texts)).astype(np.float64)
        have = like + work.copies(texts, week)
        whole = have + self.copies.copies(texts, week)
        foreign = (whole >= LEAST_COPIES) & (have < FOREIGN_TEXT * whole)
        foreign &= np.bincount(of, own.weeks[part] == week, minlength=len(texts)) > 0
        found = float(like[foreign].sum()) + BY_CHANCE * BELIEVED
        chance = found / (float(whole[foreign].sum()) + BELIEVED)
        of_text = _of_text(have, whole, chance)
        # A text of several copies that strangers do not write shows that the engine is at work.
        kept = (of_text > 0) & (have > 1)
        late = work.near(week, NEAR)
        at_work = late.stop - late.start + int((kept[of] & (np.abs(own.weeks[part] - week) <= NEAR)).sum())
        begin, end = np.searchsorted(self.nameless, [week - NEAR, week + NEAR + 1])
        expected = SINGLE * at_work + IDLE
        return texts, np.clip(np.log(expected / (chance * (end - begin + 1))) + of_text, -MOST, MOST)


def texts_of(campaigns: Ints) -> Ints:
    """Campaigns as codes; a message without one, which is negative, is one of its own."""
    return np.where(campaigns >= 0, campaigns, -1 - np.arange(len(campaigns)))


def own_odds(known: Lookalikes, leaning: Ints, texts: Ints, days: Ints) -> Floats:
    """Log-odds that each message is its family's and no stranger's.

    Args:
        known: the mail that strangers may have sent.
        leaning: family that only the engine speaks for, shape (messages,); negative for none.
        texts: codes as in `Lookalikes`, shape (messages,).
        days: day of each message, or NO_DAY.

    Returns:
        Natural log-odds within MOST, shape (messages,); MOST where no family is asked about.
    """
    odds = np.full(len(leaning), MOST)
    for family in known.engines:
        rows = np.flatnonzero((leaning == family) & (days != NO_DAY))
        rows = rows[np.argsort(days[rows], kind="stable")]
        weeks, begins = np.unique(days[rows] // WEEK, return_index=True)
        # Of a family that is only around what is asked there are no weeks, and still one (empty) part.
        for week, here in zip(weeks.tolist(), np.split(rows, begins[1:])[: len(weeks)], strict=True):
            odds[here] = known.odds(family, week, texts[here])
    return odds


def _of_text(have: Floats, whole: Floats, chance: float) -> Floats:
    """What a text's copies say: `have` of the `whole` with the engine, of which one is the message asked."""
    from scipy.stats import poisson  # takes longer to load than an ingest to start

    own = OWN_TEXT * (have >= NEARLY * whole) + (1 - OWN_TEXT) / whole
    return np.asarray(np.log(own) - poisson.logpmf(have - 1, chance * (whole - 1)))
