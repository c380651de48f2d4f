"""Traces of falls, remembered from one update to the next with the changes that they were asked for."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa

from spamtide.model import Counts, Trace
from spamtide.schema import SCHEMA_VERSION
from spamtide.store.lake import Lake
from spamtide.store.traces import CARRIED, SHIFTS, Fall, Subject, count, fall_of, mail, told
from spamtide.version import VERSION

NAMED = "named"
"""In a note of `sightings`: by week, since which version of it the messages of the week have the names that
they have. Weeks of which nothing is said have had them since that is noted."""
MOST_HELD = 12_000_000
"""Messages of some weeks that are kept between two falls: 44 bytes each."""
KEPT = 28
"""Days of mail for which a fall is remembered that is not asked about: one in doubt comes and goes."""


class Remembered:
    """Traces, those that were counted before from the table `changes`, while their weeks' names are the same.

    A fall is asked about at each update for as long as it is in the series, mostly of weeks long past. The
    commit of `changes` says what was counted, and what that of `sightings` said of its weeks. Mail of a week
    is only ever added to, and what is added has a name that was not there. Falls of the same weeks have their
    mail read once.
    """

    def __init__(self, lake: Lake, today: dt.date) -> None:
        """Of an update whose last day of mail is `today`."""
        self._lake = lake
        self._held: list[tuple[frozenset[int], pa.Table]] = []
        """Mail of some weeks, none of which is in two of them."""
        self._today = today
        self._named: dict[str, int] | None = None
        """NAMED, once it was asked for: when all answers are stored."""
        self._known: list[dict[str, Any]] = lake.note("changes").get("falls", [])
        """Each with its dates, the day when it was last asked about, the names it is of, and its counts."""

    def __call__(self, subject: Subject, first: dt.date, last: dt.date, until: dt.date) -> tuple[Trace, ...]:
        """As `traces`."""
        asked = fall_of(subject, first, last, until)
        if asked is None:
            return ()
        fall, days = asked
        for known in [one for one in self._known if one["subject"] == [*subject]]:
            began, ended = map(dt.date.fromisoformat, known["dates"])
            then = Fall(subject, began, ended, known["back"])
            later = then.beside(fall)
            if later is None:
                continue
            if known.get("of") == self._of(then):
                known["asked"] = self._today.isoformat()
                return told(then, _counts(then, known["counted"]), later, days)
            self._known.remove(known)
        counted = count(self._lake, fall, self._mail)
        self._known.append(
            {
                "subject": [*subject],
                "dates": [first.isoformat(), last.isoformat()],
                "back": fall.back,
                "asked": self._today.isoformat(),
                "of": self._of(fall),
                "counted": counted.ravel().tolist(),
            }
        )
        return told(fall, counted, (0, 0), days)

    def _of(self, fall: Fall) -> str:
        """A hash of the names in a fall's weeks, and of what counts them."""
        if self._named is None:
            self._named = self._lake.note("sightings").get(NAMED, {})
        first, last = fall.weeks()
        named = [self._named.get(str(week)) for week in range(first, last + 1)]
        text = repr((VERSION, SCHEMA_VERSION, CARRIED, SHIFTS, named))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _mail(self, lake: Lake, weeks: Collection[int], engines: bool) -> pa.Table:  # noqa: FBT001 - as Mail
        """As `mail`, with weeks besides; some millions of messages are kept."""
        if engines:
            self._held = [
                one for one in self._held if "engine" in one[1].column_names or one[0].isdisjoint(weeks)
            ]
        missing = frozenset(weeks).difference(*(of for of, _ in self._held))
        if missing:
            self._held.append((missing, mail(lake, missing, engines=engines)))
        found = [(of, rows) for of, rows in self._held if not of.isdisjoint(weeks)]
        rest = [one for one in self._held if one[0].isdisjoint(weeks)]
        while rest and sum(rows.num_rows for _, rows in (*rest, *found)) > MOST_HELD:
            del rest[0]
        self._held = [*rest, *found]
        names = [name for name in found[0][1].column_names if engines or name != "engine"]
        return pa.concat_tables(rows.select(names) for _, rows in found)

    def note(self) -> dict[str, Any]:
        """What the commit of `changes` is to say."""
        # Without mail, today is the first day that there is: nothing can be taken from it.
        known = [
            one for one in self._known if (self._today - dt.date.fromisoformat(one["asked"])).days <= KEPT
        ]
        return {"falls": known} if known else {}


def _counts(fall: Fall, counted: list[int]) -> Counts:
    """Counts of `count` as a note gives them back."""
    return np.reshape(counted, (3, -1, len(SHIFTS), 1 + len(CARRIED[fall.subject[0]])))
