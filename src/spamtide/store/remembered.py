"""Traces of falls, remembered from one update to the next with the changes that they were asked for."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from spamtide.model import Counts, Trace
from spamtide.schema import SCHEMA_VERSION
from spamtide.store.lake import Lake
from spamtide.store.traces import CARRIED, SHIFTS, Fall, Subject, count, fall_of, mail, told
from spamtide.version import VERSION

TABLES = "evidence", "daily"
"""What tells whether counts hold: evidence is added to, and `daily` of a week is made anew where a message of it
gets another botnet or programme. Files of `attributions` change with every doubt."""
MOST_HELD = 12_000_000
"""Messages of some weeks that are kept between two falls: 44 bytes each."""
KEPT = 28
"""Days of mail for which a fall is remembered that is not asked about: one in doubt comes and goes."""


class Remembered:
    """Traces, those of weeks whose files are the same as when they were counted from the table `changes`.

    A fall is asked about at each update for as long as it is in the series, mostly of weeks long past. The
    commit of `changes` says what was counted; files never change, so that the same ones say the same. Falls
    of the same weeks have their mail read once.
    """

    def __init__(self, lake: Lake, today: dt.date) -> None:
        """Of an update whose last day of mail is `today`."""
        self._lake = lake
        self._held: list[tuple[frozenset[int], pa.Table]] = []
        """Mail of some weeks, none of which is in two of them."""
        self._today = today
        self._known: list[dict[str, Any]] = lake.note("changes").get("falls", [])
        """Each with its dates, the day when it was last asked about, its files, and what was counted."""

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
            files = self._files(then)
            # Mail without a day is in files of nearly all weeks, as far as their edges tell.
            if known["files"] == files or known["holding"] == self._holding(then):
                known |= {"asked": self._today.isoformat(), "files": files}
                return told(then, _counts(then, known["counted"]), later, days)
            self._known.remove(known)
        counted = count(self._lake, fall, self._mail)
        self._known.append(
            {
                "subject": [*subject],
                "dates": [first.isoformat(), last.isoformat()],
                "back": fall.back,
                "asked": self._today.isoformat(),
                "files": self._files(fall),
                "holding": self._holding(fall),
                "counted": counted.ravel().tolist(),
            }
        )
        return told(fall, counted, (0, 0), days)

    def _files(self, fall: Fall) -> str:
        """A hash of the files that may hold a fall's weeks."""
        return _hash([self._lake.files_of_weeks(table, fall.weeks()) for table in TABLES])

    def _holding(self, fall: Fall) -> str:
        """A hash of the files that hold a fall's weeks."""
        first, last = fall.weeks()
        paths = [self._lake.holding(table, range(first, last + 1)) for table in TABLES]
        return _hash([[path.rpartition("/")[2] for path in some] for some in paths])

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


def _hash(files: Sequence[Sequence[str]]) -> str:
    """Of files, and of what counts their mail."""
    return hashlib.sha256(repr((VERSION, SCHEMA_VERSION, CARRIED, SHIFTS, files)).encode()).hexdigest()[:32]


def _counts(fall: Fall, counted: list[int]) -> Counts:
    """Counts of `count` as a note gives them back."""
    return np.reshape(counted, (3, -1, len(SHIFTS), 1 + len(CARRIED[fall.subject[0]])))
