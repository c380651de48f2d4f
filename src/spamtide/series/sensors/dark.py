"""Stretches in which next to nothing came at any sensor: nobody was looking, whatever a stray says.

A mailbox is read once, and a single message of months later is added; or one message bears a date of months
ahead. Each sensor's own silence is then no proof, since a day with one message stands behind it, and all
botnets seem to stop on one day. Botnets do not: what ends several senders and other mail alike, on the same
day and to nothing, is the end of the collecting.
"""

from __future__ import annotations

import numpy as np

from spamtide.model import Counts, Panel, SubjectKind
from spamtide.series.sensors.silence import (
    IMPROBABLE,
    LEAST_DISPERSION,
    SIDE_DAYS,
    Silence,
    burst_dispersion,
    runs,
)

LEAST_DAYS = 7
"""Days without any message from which a stretch may be dark; shorter ones are judged sensor by sensor."""
STRAY = 0.05
"""Share of the usual mail below which what comes in a stretch, or behind it, is a stray."""
LEAST_KIND = 10.0
"""Messages expected of a sender, a programme or other mail from which its silence says something."""
LEAST_AGAIN = 10
"""Days with mail at the end of a stretch from which they may be those of somebody who looks again."""
KINDS: dict[SubjectKind, int] = {"botnet": 2, "programme": 3}
"""Senders or programmes that must have stopped together where no other mail says so; one botnet may
carry two programmes."""


def dark_stretches(panel: Panel, mail: Counts) -> list[Silence]:
    """Silences of every sensor that had mail before, by stretch; empty where mail comes as a rule.

    Args:
        panel: counts by subject.
        mail: spam and other mail of each sensor, shape (S, T).
    """
    total = mail.sum(axis=0)
    found: list[Silence] = []
    done = 0
    for first, last in runs(total == 0):
        if first < done or first == 0 or last + 1 - first < LEAST_DAYS:
            continue
        lit = np.flatnonzero(total[:first])[-SIDE_DAYS:]
        lit = lit[total[lit] >= STRAY * total[lit].mean()]
        usual = mail[:, lit].mean(axis=1)
        since = _since(total, first, float(usual.sum()))
        until = _lit_again(total, since, _until(total, last, float(usual.sum())))
        expected = usual * (until + 1 - since)
        chance = _chance(total, since, until, float(expected.sum()))
        if chance >= IMPROBABLE or not _all_stopped(panel, lit, slice(since, until + 1)):
            continue
        done = until + 1
        found += [
            Silence(sensor, since, until, "middle", float(of_sensor), chance)
            for sensor, of_sensor in enumerate(expected)
            if mail[sensor, :since].any()
        ]
    return found


def _since(total: Counts, first: int, usual: float) -> int:
    """The first day of a dark stretch: strays just before it are in it."""
    while first > 1 and total[first - 1] < STRAY * usual:
        first -= 1
    return first


def _until(total: Counts, last: int, usual: float) -> int:
    """Its last day: weeks with a stray or two are in it."""
    while last + 1 < len(total):
        week = total[last + 1 : last + 1 + LEAST_DAYS]
        if week.sum() >= STRAY * usual * len(week):
            break
        last += len(week)
    while last + 1 < len(total) and not total[last + 1]:
        last += 1
    return last


def _lit_again(total: Counts, since: int, until: int) -> int:
    """The last day before mail came on far more days than in the stretch so far.

    Somebody looks again, and gets less than there was.
    """
    days = np.flatnonzero(total[since : until + 1])
    if len(days) < LEAST_AGAIN:
        return until

    from scipy.special import xlogy  # takes longer to load than an ingest to start

    before, after = np.arange(len(days)), len(days) - np.arange(len(days))
    dark, lit = np.maximum(days, 1), until + 1 - since - days
    each = len(days) / (until + 1 - since)
    worth = after * np.log(after / lit / each) + xlogy(before, before / dark / each)
    worth[(after < LEAST_AGAIN) | (days == 0)] = 0.0
    best = int(worth.argmax())
    if len(days) * np.exp(-worth[best]) >= IMPROBABLE or before[best] / dark[best] > after[best] / lit[best]:
        return until
    return since + int(days[best]) - 1


def _chance(total: Counts, first: int, last: int, expected: float) -> float:
    """Chance of next to nothing where mail comes in bursts: people's lists have weeks without any."""
    bursts = max(burst_dispersion(total, first, last), LEAST_DISPERSION)
    return float(np.exp(-np.log1p(bursts * expected) / bursts))


def _all_stopped(panel: Panel, lit: Counts, dark: slice) -> bool:
    """Whether other mail, or several senders or programmes, came before and all but stopped."""
    days = dark.stop - dark.start
    if _stopped(panel.ham.sum(axis=0), lit, dark, days):
        return True
    counts = panel.counts.sum(axis=1)
    stopped = [
        kind for (kind, _), row in zip(panel.subjects, counts, strict=True) if _stopped(row, lit, dark, days)
    ]
    return any(stopped.count(kind) >= least for kind, least in KINDS.items())


def _stopped(row: Counts, lit: Counts, dark: slice, days: int) -> bool:
    expected = float(row[lit].mean()) * days
    return expected >= LEAST_KIND and float(row[dark].sum()) < STRAY * expected
