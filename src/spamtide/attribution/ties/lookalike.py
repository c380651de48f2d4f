"""Look-alikes: strangers whose mailer happens to write as a family's engine does.

Behind mail for which only the engine speaks there may be the family, another botnet that has its engine, or
one of the many senders of a single message. How likely the second is, is the rule's confidence. The third is
told here, as log-odds of the family against it, from what is known of the weeks around:

- how much of a text's mail has the engine. A text that hundreds of mailers send is no botnet's, even if two
  of them look like the family's; a text of which all copies have the engine is no stranger's;
- whether the family sends at all: by its lab, by its words, and by texts of the engine alone. After it has
  stopped, strangers are all that is left.
"""

from __future__ import annotations

import numpy as np

from spamtide.attribution.ties.association import NO_DAY, Flags, Floats, Ints
from spamtide.attribution.ties.meeting import NEAR, REACH, WEEK

BY_CHANCE, BELIEVED = 0.005, 200.0
"""Share of strangers' messages that look like an engine's before any is counted, and how many messages' worth
that is: mail programs are few, and so are the ways to imitate them."""
OWN_TEXT = 0.5
"""Probability that nearly all copies of a family's text have its engine; else any part of them may."""
NEARLY = 0.9
FOREIGN_TEXT, LEAST_COPIES = 0.1, 10
"""Part of a text's copies with the engine below which it is strangers', and copies from which this is so."""
SINGLE = 0.1
"""Share of a family's mail that is expected to be of a text of its own."""
IDLE = 0.05
"""Messages that a family is expected to send in these weeks of which nothing is seen: botnets return."""
MOST = 6.0
STEP = 0.5
"""Log-odds come in steps of this, and are within MOST."""


def own_odds(leaning: Ints, seen: Ints, strangers: Flags, campaigns: Ints, days: Ints) -> Floats:
    """Log-odds that each message is its leaning's and no stranger's; MOST where nothing is asked.

    Args:
        leaning: family that only the engine speaks for, by message; negative for none.
        seen: family that is surely at work by this message: its lab's, or one with its words; negative for
            none.
        strangers: messages of the wild that nothing speaks for.
        campaigns: campaign as a code; negative for none.
        days: day of each message, or NO_DAY.
    """
    odds = np.full(len(leaning), MOST)
    dated = days != NO_DAY
    asked = np.flatnonzero(dated & (leaning >= 0))
    if not len(asked):
        return odds
    weeks = np.where(dated, days // WEEK, 0)
    first = int(weeks[asked].min()) - REACH
    width = int(weeks[asked].max()) - first + REACH + 1
    weeks = weeks - first
    inside = dated & (weeks >= 0) & (weeks < width)
    # A message without a campaign is one of its own.
    texts = np.where(campaigns >= 0, campaigns, -1 - np.arange(len(leaning)))
    known = np.unique(texts[asked])
    place = np.minimum(np.searchsorted(known, texts), len(known) - 1)
    copies = inside & (known[place] == texts)
    cell = place * width + weeks
    shape = (len(known), width)
    others = _around(_counted(cell[copies & strangers], shape), REACH)
    nameless = _around(_counted(weeks[inside & strangers], (width,)), NEAR)
    for family in np.unique(leaning[asked]):
        own = inside & (leaning == family)
        work = inside & (seen == family)
        sent = _counted(cell[own], shape)
        like = _around(sent, REACH)
        have = like + _around(_counted(cell[copies & work], shape), REACH)
        text, week = np.nonzero(sent)
        there, whole = have[text, week], (have + others)[text, week]
        foreign = (whole >= LEAST_COPIES) & (there < FOREIGN_TEXT * whole)
        chance = _chance(like[text, week], whole, week, foreign, width)
        of_text = _of_text(there, whole, chance[week])
        # A text of several copies that strangers do not write shows that the engine is at work.
        kept = (of_text > 0) & (there > 1)
        at_work = _counted(weeks[work], (width,)) + np.bincount(week[kept], sent[text, week][kept], width)
        expected = SINGLE * _around(at_work, NEAR) + IDLE
        found = np.full(shape, MOST)
        found[text, week] = np.log(expected / (chance * (nameless + 1)))[week] + of_text
        odds[own] = np.clip(found.reshape(-1)[cell[own]], -MOST, MOST)
    return odds


def _of_text(have: Floats, whole: Floats, chance: Floats) -> Floats:
    """What a text's copies say: `have` of the `whole` with the engine, of which one is the message asked."""
    from scipy.stats import poisson  # takes longer to load than an ingest to start

    own = OWN_TEXT * (have >= NEARLY * whole) + (1 - OWN_TEXT) / whole
    return np.asarray(np.log(own) - poisson.logpmf(have - 1, chance * (whole - 1)))


def _chance(like: Floats, whole: Floats, week: Ints, foreign: Flags, width: int) -> Floats:
    """Share of strangers' copies that look like the engine's, by week."""
    found = np.bincount(week[foreign], like[foreign], width)
    copies = np.bincount(week[foreign], whole[foreign], width)
    return np.asarray((found + BY_CHANCE * BELIEVED) / (copies + BELIEVED))


def _counted(cells: Ints, shape: tuple[int, ...]) -> Floats:
    """Messages in each cell."""
    size = int(np.prod(shape))
    return np.bincount(cells, minlength=size).reshape(shape).astype(np.float64)


def _around(count: Floats, reach: int) -> Floats:
    """Sums over the last axis, of weeks, with those within reach."""
    weeks = np.arange(count.shape[-1])
    total = np.concatenate([np.zeros((*count.shape[:-1], 1)), np.cumsum(count, axis=-1)], axis=-1)
    end, begin = np.minimum(weeks + reach + 1, count.shape[-1]), np.maximum(weeks - reach, 0)
    return np.asarray(total[..., end] - total[..., begin])
