"""Answers kept up to date: which weeks of mail are attributed again, and the roll-ups that count them.

Evidence reaches a message from no further than `attribution.REACH_WEEKS`, so that new mail changes answers of
its own weeks and of those around them. All weeks are answered again when rules, knowledge, thresholds, the
lab's families or the program changed; the weeks of a campaign when it was merged; those that have an address
or a link which is now known of other mail. A commit that ends the run says what it rests on: a run that dies
before it is done again, and gives the same rows.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from spamtide.attribution import (
    REACH_WEEKS,
    Beyond,
    Landing,
    Ruleset,
    answers_of,
    coded,
    rented,
    weeks_of_engines,
)
from spamtide.campaign import resolve
from spamtide.engine import Backlog
from spamtide.errors import UnavailableError
from spamtide.knowledge import Entity, Knowledge, Relation
from spamtide.schema import DAILY, KITS, SCHEMA_VERSION, SIGHTINGS, STORED_ATTRIBUTIONS, UNDATED
from spamtide.settings import Attributing
from spamtide.store import Lake, amending, evidence, hourly, life, rollup, sharing
from spamtide.store.lake import Files
from spamtide.update.sparing import (
    AMENDING,
    MOST_NEW,
    Ahead,
    Basis,
    News,
    Read,
    Spared,
    has_engines,
    keep_cells,
    spared,
)
from spamtide.version import VERSION

MOST_ROWS = 3_500_000
"""Messages that one stretch of weeks holds in memory, those around the weeks that are answered included."""
TOGETHER = 2
"""Stretches that are worked on at the same time: their sorting leaves the interpreter free."""

FILE_ROWS = 400_000
"""Rows of one commit of answers when all are made anew, unless a single week has more."""
JOINED_BYTES = 16 * 2**20
"""Most bytes of a file that small ones are joined to: larger ones are not rewritten for a day's sake."""
SEPARATOR = "\n"
"""Between names in a note."""
NO_HAM = evidence.OfHam((), ())

ANSWERS = ("attributions", "daily", "sightings", "kits")
"""The tables that are kept by week."""
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
        parts = [VERSION, SCHEMA_VERSION, REACH_WEEKS, self.ruleset.version, self.attributing, families]
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


@dataclass(frozen=True, slots=True)
class Again:
    """What was answered."""

    messages: int
    hours: rollup.Hours
    """Of the last weeks, as far as they are known."""
    stored: Callable[[], None]
    """Waits until all answers are stored."""


def answer_again(
    lake: Lake, answering: Answering, hourly_weeks: int, backlog: Backlog, ahead: Ahead | None
) -> Again:
    """Bring ANSWERS up to date; what is counted of answers is stored, the rest may be stored behind.

    Which engines are rented is known from all weeks together. Where the answers of some weeks change what is
    known of it, the weeks that hang on it are answered again.
    """
    before = lake.note("sightings")
    counts, families = evidence.overview(lake, before.get("evidence"))
    version = answering.version(families)
    known = _wanted(lake, version, answering.names, counts, ahead)
    whole = known is None
    wanted, ham, news = (known.weeks, known.ham, known.news) if known else (set(counts), None, None)
    then = frozenset[str]() if whole else _listed(before.get("rented"))
    if whole:
        for table, schema in (("attributions", STORED_ATTRIBUTIONS), ("daily", DAILY), ("kits", KITS)):
            lake.replace(table, schema.empty_table())
        lake.replace("sightings", SIGHTINGS.empty_table(), {"inputs": ""})
    ham = ham or (evidence.ham(lake) if wanted else NO_HAM)
    beyond = Beyond(families, ham.addresses, ham.domains, answering.landings, then)
    recent = max(counts, default=0) - hourly_weeks
    basis = Basis(answering.ruleset, answering.knowledge, answering.attributing, beyond, answering.names)
    few = spared(lake, basis, news, wanted, counts) if news else None
    if few is not None:
        answered, hours = _amend(lake, few, known.read if known else None, recent, backlog)
    else:
        answered, hours = _answer_weeks(lake, answering, beyond, (wanted, counts, recent), whole=whole)
    changed = hours.weeks
    if not whole:
        hours = hourly.joined(hourly.known(lake, before, recent), hours)
    kits = lake.read("kits")
    now = rented(kits)
    if now != then:
        again = weeks_of_engines(kits, now ^ then) & set(counts)
        if again and ham is NO_HAM:
            ham = evidence.ham(lake)
        beyond = Beyond(families, ham.addresses, ham.domains, answering.landings, now)
        more, late = _answer_weeks(lake, answering, beyond, (again, counts, recent), whole=False)
        answered, hours = answered + more, hourly.joined(hours, late)
        changed |= late.weeks
    note = {
        "inputs": version,
        "lineage": lake.version("lineage"),
        "rented": SEPARATOR.join(sorted(now)),
    }
    stored = backlog(partial(_settle, lake, note))

    def keep() -> None:
        _keep(lake, ham)
        _keep_counts(lake, few, (hours, changed), counts)

    backlog(keep)
    return Again(answered, hours, stored)


def _settle(lake: Lake, note: Mapping[str, object]) -> None:
    """Join small files, and say what all answers rest on, which ends what was begun."""
    for table in ("evidence", *ANSWERS):
        lake.compact(table, JOINED_BYTES)
    note = {**note, "evidence": lake.version("evidence")}
    if lake.note("sightings") != note:
        lake.append("sightings", SIGHTINGS.empty_table(), note)


def _keep_counts(
    lake: Lake,
    few: Spared | None,
    hours: tuple[rollup.Hours, frozenset[int]],
    counts: Mapping[int, int],
) -> None:
    """Keep what was counted for the next update, where it will answer only what new mail moves.

    `hours` are those that are known, and the weeks of which they were counted now.
    """
    newest = max(counts, default=UNDATED)
    weeks = {week for week in counts if week >= newest - 2 * REACH_WEEKS} - {UNDATED}
    if not weeks or has_engines(lake, weeks):
        return
    keep_cells(lake, few, weeks)
    known, changed = hours
    if changed:
        hourly.keep(lake, known, changed, lake.note("sightings"))


def _keep(lake: Lake, ham: evidence.OfHam) -> None:
    """Keep what is known of other mail; a run that died here before may have left it behind."""
    version = lake.version("evidence")
    if ham is NO_HAM and version is not None and evidence.known_ham(lake, version) is None:
        ham = evidence.ham(lake)
    if ham is not NO_HAM:
        evidence.keep_ham(lake, ham)


def _listed(text: object) -> frozenset[str]:
    """Names that a note lists."""
    return frozenset(filter(None, str(text or "").split(SEPARATOR)))


def _answer_weeks(
    lake: Lake,
    answering: Answering,
    beyond: Beyond,
    weeks_of: tuple[set[int], Mapping[int, int], int],
    *,
    whole: bool,
) -> tuple[int, rollup.Hours]:
    """Answer wanted weeks, of all weeks' counts, by stretches; the messages, and hours from a week on."""
    wanted, counts, recent = weeks_of
    answered = 0
    hours = [rollup.NO_HOURS.counts]
    todo = list(stretches(wanted, counts))
    with ThreadPoolExecutor(TOGETHER, "answer") as pool:
        waiting: deque[tuple[tuple[int, int], Future[_Answered]]] = deque()

        def commit() -> int:
            weeks, done = waiting.popleft()
            found = done.result()
            counting = pool.submit(found.count)
            _store(lake, "attributions", found.answers, weeks, whole=whole)
            days, sightings, late = counting.result()
            for name, rows in (("daily", days), ("sightings", sightings), ("kits", found.kits)):
                _store(lake, name, rows, weeks, whole=whole)
            hours.append(late)
            return int(found.answers.num_rows)

        for weeks in todo:
            job = pool.submit(_answer, lake, answering, beyond, weeks, recent, beside=len(todo) == 1)
            waiting.append((weeks, job))
            if len(waiting) > TOGETHER - 1:
                answered += commit()
        while waiting:
            answered += commit()
    known = frozenset(week for week in wanted if week >= recent)
    return answered, rollup.Hours(known, pa.concat_tables(hours))


def _amend(
    lake: Lake, few: Spared, read: Read | None, recent: int, backlog: Backlog
) -> tuple[int, rollup.Hours]:
    """Answer what new mail moves and count its weeks again; the messages, and hours from a week on.

    The answers are stored behind. A run that dies before leaves answers of some weeks amended and of others
    not: the next one is to answer them whole.
    """
    asked = few.asked()
    weeks = frozenset(asked["week"].unique().to_pylist())
    likely = frozenset(week + far for week in few.news.rows["week"].unique().to_pylist() for far in (-1, 0))
    with ThreadPoolExecutor(1, "beside") as other:
        read = read if read is not None and weeks <= read.weeks else None
        reading = other.submit(lambda: read.answers if read else amending.stored_answers(lake, weeks))
        mail = other.submit(amending.mail, lake, likely)
        answers = few.answers(asked)
        amended = amending.amend(reading.result(), answers)
        lake.append("sightings", SIGHTINGS.empty_table(), lake.note("sightings") | {AMENDING: True})
        backlog(partial(amending.replace, lake, "attributions", amended.of_weeks, amended.other))
        rows = [amending.of_weeks(mail.result(), amended.counts)]
        if more := amended.counts - likely:
            rows.append(amending.mail(lake, more))
        both = amending.named(pa.concat_tables(rows), amended)
        days = rollup.count_days(lake, both)
        storing = other.submit(
            amending.replace, lake, "daily", partial(amending.of_weeks, days), amended.counts
        )
        sightings, hours = rollup.count_sightings(lake, both), _late_hours(both, recent)
        storing.result()
    backlog(
        partial(amending.replace, lake, "sightings", partial(amending.of_weeks, sightings), amended.counts)
    )
    known = frozenset(week for week in amended.counts if week >= recent)
    return answers.num_rows, rollup.Hours(known, hours)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be answered again."""

    weeks: set[int]
    ham: evidence.OfHam | None = None
    """What is known of other mail, if it was read."""
    news: News | None = None
    """What came, where that is known to the message and all else is as it was."""
    read: Read | None = None
    """What was read ahead."""


def _wanted(
    lake: Lake, version: str, names: Mapping[str, str], counts: Mapping[int, int], ahead: Ahead | None
) -> _Wanted | None:
    """What to answer again; None for all weeks."""
    note = lake.note("sightings")
    paths = lake.added("evidence", note.get("evidence"))
    if note.get("inputs") != version or paths is None:
        return None
    then = _lineage(lake, note.get("lineage"))
    if then is None:
        return None
    before = resolve(then)
    merged = _merged(then, before, names)
    files = Files("evidence", paths)
    new = evidence.arrived(lake, files, sharing.ASKED, MOST_NEW)
    touched = evidence.weeks_in(lake, files) if new is None else set(new["week"].unique().to_pylist())
    if merged:
        touched |= evidence.weeks_of_campaigns(lake, merged)
    since = note.get("evidence")
    exact, ham, barred = (
        evidence.weeks_of_ham(lake, files, since, new)
        if paths
        else (set(), evidence.known_ham(lake, since), NO_HAM)
    )
    around = {
        week + distance for week in touched - {UNDATED} for distance in range(-REACH_WEEKS, REACH_WEEKS + 1)
    }
    weeks = (around | exact | (touched & {UNDATED})) & set(counts)
    if not weeks or new is None or since is None or AMENDING in note:
        return _Wanted(weeks, ham)
    if not lake.only_added("evidence", since):
        return _Wanted(weeks, ham)
    old = Files("evidence", tuple(sorted({*lake.files("evidence").paths} - {*paths})))
    read = ahead.read() if ahead is not None and ahead.version == since else None
    mail = sharing.Mail(old, read.held, read.weeks) if read else sharing.Mail(old)
    return _Wanted(weeks, ham, News(new, since, mail, before, barred), read)


def renamed(lake: Lake, names: Mapping[str, str]) -> set[str] | None:
    """Names of campaigns that go by another name than they did when all was answered; None: unknown."""
    then = _lineage(lake, lake.note("sightings").get("lineage"))
    return None if then is None else _merged(then, resolve(then), names)


def _lineage(lake: Lake, version: int | None) -> pa.Table | None:
    """The lineage as it was at a version; None: unknown."""
    try:
        return lake.read("lineage", version=version)
    except UnavailableError:
        return None


def _merged(then: pa.Table, before: Mapping[str, str], names: Mapping[str, str]) -> set[str]:
    """Names of campaigns that go by another name than they did by the lineage as it was then."""
    # A name that is new has new mail alone; one that was split off again is under none.
    known = {name for column in ("campaign", "other") for name in then[column].to_pylist() if name}
    moved = {name for name in known if before.get(name, name) != names.get(name, name)}
    return (
        moved | {names[name] for name in moved if name in names} | {before[n] for n in moved if n in before}
    )


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
    rows: pa.Table, answering: Answering, beyond: Beyond, weeks: tuple[int, int], *, beside: bool = False
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Answers of some weeks, what they count (COUNTED with both names) and KITS, from the rows around them.

    With `beside`, botnets and programmes are answered at the same time.
    """
    first, last = weeks
    week = rows["week"].to_numpy()
    inside = (week >= first) & (week <= last)
    asked = coded(
        evidence.surviving(rows, answering.names),
        answering.ruleset,
        answering.knowledge,
        beyond=beyond,
        asks=inside,
    )
    own = rollup.to_count(rows, inside)
    del rows  # half of the memory, were it kept while answers are made
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
        answers, _, _ = _inside(rows, answering, beyond, weeks)
        found.append(answers.cast(STORED_ATTRIBUTIONS))
    return pa.concat_tables(found)


@dataclass(frozen=True, slots=True)
class _Answered:
    """What was answered of some weeks."""

    answers: pa.Table
    kits: pa.Table
    count: Callable[[], Counted]


def _answer(
    lake: Lake, answering: Answering, beyond: Beyond, weeks: tuple[int, int], recent: int, *, beside: bool
) -> _Answered:
    """Answer one stretch of weeks; with `beside`, it is the only one, and counted while it is stored."""
    answers, both, kits = _inside(
        evidence.stretch(lake, around(weeks), told=weeks), answering, beyond, weeks, beside=beside
    )
    if beside:
        return _Answered(answers, kits, partial(_counted, lake, both, recent))
    counted = _counted(lake, both, recent)
    return _Answered(answers, kits, lambda: counted)


def _counted(lake: Lake, both: pa.Table, recent: int) -> Counted:
    """DAILY and SIGHTINGS of what was answered, and the hours of its weeks from one on."""
    return rollup.count_days(lake, both), rollup.count_sightings(lake, both), _late_hours(both, recent)


def _late_hours(both: pa.Table, recent: int) -> pa.Table:
    """The hours of what was answered, of its weeks from one on."""
    late = both.filter(pc.greater_equal(both["week"], recent))
    return rollup.count_hours(late) if late.num_rows else rollup.NO_HOURS.counts


def _store(lake: Lake, table: str, rows: pa.Table, weeks: tuple[int, int], *, whole: bool) -> None:
    """Store what one of ANSWERS holds of some weeks."""
    if not whole:
        lake.replace_weeks(table, rows, weeks)
        return
    for part in _parts(rows):
        lake.append(table, part)


def _parts(rows: pa.Table) -> Iterator[pa.Table]:
    """Rows in lots of whole weeks: a later answer has to rewrite the files that they become, and no more."""
    counts = pc.value_counts(rows["week"]).to_pylist()
    held: list[int] = []
    size = 0
    for entry in sorted(counts, key=lambda count: count["values"]):
        if held and size + entry["counts"] > FILE_ROWS:
            yield rows.filter(pc.is_in(rows["week"], pa.array(held, pa.int32())))
            held, size = [], 0
        held.append(entry["values"])
        size += entry["counts"]
    yield rows.filter(pc.is_in(rows["week"], pa.array(held, pa.int32()))) if size < rows.num_rows else rows
