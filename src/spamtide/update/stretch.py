"""Answers of one stretch of weeks: from the evidence around it, with what they count."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spamtide.attribution import METHOD, REACH_WEEKS, Beyond, Landing, Ruleset, answers_of, coded, rented
from spamtide.knowledge import Entity, Knowledge, Relation
from spamtide.schema import SCHEMA_VERSION, STORED_ATTRIBUTIONS, UNDATED
from spamtide.settings import Attributing
from spamtide.store import Lake, counting, evidence, life, rollup
from spamtide.version import VERSION

MOST_ROWS = 4_150_000
"""Messages that one stretch of weeks holds in memory, those around the weeks that are answered included. So
many 64-bit numbers are just below 32 MB; the C library gives larger blocks back once freed."""

Counted = tuple[pa.Table, pa.Table, pa.Table]
"""DAILY, SIGHTINGS and `rollup.Hours.counts` of what was answered."""


@dataclass(frozen=True, slots=True)
class Answering:
    """What answers rest on besides evidence."""

    ruleset: Ruleset
    knowledge: Knowledge
    attributing: Attributing
    names: Mapping[str, str]
    """Absorbed campaign name -> surviving name."""
    landings: tuple[Landing, ...] = ()
    """What saved landing pages say of domains."""

    def version(self, families: tuple[str, ...]) -> str:
        """A hash of it: answers under another one are made anew."""
        known = [_plain(getattr(self.knowledge, field.name)) for field in fields(self.knowledge)]
        ours = [VERSION, METHOD, SCHEMA_VERSION, REACH_WEEKS]
        parts = [*ours, self.ruleset.version, self.attributing, families]
        return hashlib.sha256(repr([*parts, known, self.landings]).encode()).hexdigest()[:16]


def _plain(value: object) -> object:
    """A value whose text is the same in every process and place: sets have no order of their own.

    Where a file lies, and at which line of it something stands, says nothing.
    """
    if isinstance(value, Mapping):
        return [(key, _plain(item)) for key, item in value.items()]
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Entity | Relation):
        return replace(value, file="", line=0)
    return sorted(value) if isinstance(value, set | frozenset) else value


def stretches(wanted: set[int], counts: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    """Wanted weeks as (first, last) of runs that hold no other week with mail, each of bounded size."""
    order = sorted(counts)
    first: int | None = None
    last = rows = 0
    for week in order:
        here = counts[week]
        if first is not None and (week not in wanted or rows + here > MOST_ROWS):
            yield first, last
            first = None
        if week not in wanted:
            continue
        if first is None:
            first, rows = week, _around(week, counts)
        rows += here if week != first else 0
        last = week
        if week == UNDATED:  # nothing is around it
            yield week, week
            first = None
    if first is not None:
        yield first, last


def _around(week: int, counts: Mapping[int, int]) -> int:
    """Messages within reach on either side of a week, itself included."""
    return sum(counts.get(week + distance, 0) for distance in range(-REACH_WEEKS, REACH_WEEKS + 1))


def around(weeks: tuple[int, int]) -> tuple[int, int]:
    """Weeks whose mail has a say in the answers of some weeks."""
    first, last = weeks
    reach = 0 if first == UNDATED else REACH_WEEKS
    return first - reach, last + reach


def _inside(
    mail: tuple[pa.Table, pa.Table], answering: Answering, beyond: Beyond, *, beside: bool = False
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Answers of some mail, what it counts (COUNTED with both names) and KITS, from that and what is around.

    With `beside`, botnets and programmes are answered at the same time.
    """
    own, around = mail
    rows = pa.concat_tables([part.select(evidence.SAID) for part in mail])
    asked = coded(
        evidence.surviving(rows, answering.names),
        answering.ruleset,
        answering.knowledge,
        beyond=beyond,
        asks=np.arange(rows.num_rows) < own.num_rows,
        keys=own.select(["sha256", "sensor"]),
    )
    own = own.select(counting.COUNTED)
    del rows, mail, around  # much of the memory, were it kept while answers are made
    answers, kits = answers_of(asked, answering.attributing, beyond.rented, beside=beside)
    both = own.append_column("botnet", answers["botnet"]).append_column("programme", answers["programme"])
    return answers.append_column("week", own["week"]), both, kits


def answers_under(lake: Lake, answering: Answering, rules: pa.Table) -> pa.Table:
    """The answers that stored mail would have if other rules matched it; nothing is written.

    Args:
        lake: holds the evidence.
        answering: the other rules, with all else that answers rest on.
        rules: sha256, sensor and rules of every message.

    Returns:
        Rows of STORED_ATTRIBUTIONS, in no order.
    """
    ham = evidence.ham(lake)
    of_others = rented(lake.read("kits"))
    counts, families = evidence.overview(lake)
    beyond = Beyond(families, ham.addresses, ham.domains, answering.landings, of_others)
    found = [STORED_ATTRIBUTIONS.empty_table()]
    for weeks in stretches(set(counts), counts):
        rows = life.with_rules(lake, evidence.stretch(lake, around(weeks)), rules)
        week = rows["week"].to_numpy()
        inside = (week >= weeks[0]) & (week <= weeks[1])
        parts = rows.filter(pa.array(inside)), rows.filter(pa.array(~inside))
        answers, _, _ = _inside(parts, answering, beyond)
        found.append(answers.cast(STORED_ATTRIBUTIONS))
    return pa.concat_tables(found)


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered of some weeks."""

    answers: pa.Table
    kits: pa.Table
    count: Callable[[], Counted]


def answer(
    lake: Lake, answering: Answering, beyond: Beyond, weeks: tuple[int, int], recent: int, *, beside: bool
) -> Answered:
    """Answer one stretch of weeks; with `beside`, it is the only one, and counted while it is stored."""
    answers, both, kits = _inside(_mail(lake, weeks), answering, beyond, beside=beside)
    if beside:
        return Answered(answers, kits, partial(_counted, lake, both, recent))
    counted = _counted(lake, both, recent)
    return Answered(answers, kits, lambda: counted)


def _mail(lake: Lake, weeks: tuple[int, int]) -> tuple[pa.Table, pa.Table]:
    """Evidence of a stretch of weeks, and of those around it."""
    own, (first, last) = range(weeks[0], weeks[1] + 1), around(weeks)
    return evidence.told_apart(lake, own, {*range(first, last + 1)} - {*own})


def _counted(lake: Lake, both: pa.Table, recent: int) -> Counted:
    """DAILY and SIGHTINGS of what was answered, and the hours of its weeks from one on."""
    return counting.count_days(lake, both), counting.count_sightings(lake, both), late_hours(both, recent)


def late_hours(both: pa.Table, recent: int) -> pa.Table:
    """The hours of what was answered, of its weeks from one on."""
    late = both.filter(pc.greater_equal(both["week"], recent))
    return rollup.count_hours(late) if late.num_rows else rollup.NO_HOURS.counts
