"""Answers kept up to date: weeks of mail that are attributed again, and the roll-ups that count them.

Evidence reaches a message from no further than `attribution.REACH_WEEKS`, so that new mail changes answers of
its own weeks and of those around them. All weeks are answered again when rules, knowledge, thresholds, the
lab's families or the program changed; the weeks of a campaign when it was merged; those that have an address
or a link which is now known of other mail. A commit that ends the run says what it rests on: a run that dies
before it is done again, and gives the same rows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from spamtide.attribution import REACH_WEEKS, Beyond, rented, weeks_of_engines
from spamtide.engine import Backlog
from spamtide.schema import DAILY, KITS, SIGHTINGS, STORED_ATTRIBUTIONS, UNDATED
from spamtide.store import Lake, amending, counting, evidence, hourly, remembered, rollup
from spamtide.update.sparing import AMENDING, Ahead, Basis, Read, Spared, has_engines, keep_cells, spared
from spamtide.update.stretch import Answered, Answering, answer, late_hours, stretches
from spamtide.update.wanted import NO_HAM, wanted_again

TOGETHER = 2
"""Stretches that are worked on at the same time: their sorting leaves the interpreter free."""

FILE_ROWS = 400_000
"""Rows of one commit of answers when all are made anew, unless a single week has more."""
JOINED_BYTES = 16 * 2**20
"""Most bytes of a file that small ones are joined to: larger ones are not rewritten for a day's sake."""
SEPARATOR = "\n"
"""Between names in a note."""

ANSWERS = ("attributions", "daily", "sightings", "kits")
"""The tables that are kept by week."""


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
    known = wanted_again(lake, version, answering.names, counts, ahead)
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
        answered, hours, weeks = _amend(lake, few, known.read if known else None, recent, backlog)
    else:
        answered, hours = _answer_weeks(lake, answering, beyond, (wanted, counts, recent), whole=whole)
        weeks = frozenset(wanted)
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
        weeks |= again
    note = {
        "inputs": version,
        "lineage": lake.version("lineage"),
        "rented": SEPARATOR.join(sorted(now)),
    }
    renamed = {} if whole else before.get(remembered.NAMED, {})
    stored = backlog(partial(_settle, lake, note, renamed, weeks))

    def keep() -> None:
        _keep(lake, ham)
        _keep_counts(lake, few, (hours, changed), counts)

    backlog(keep)
    return Again(answered, hours, stored)


def _settle(lake: Lake, note: Mapping[str, object], named: Mapping[str, int], weeks: Collection[int]) -> None:
    """Join small files, and say what all answers rest on, which ends what was begun.

    `named` are as in remembered.NAMED, from before names of some `weeks` changed.
    """
    for table in ("evidence", *ANSWERS):
        lake.compact(table, JOINED_BYTES)
    # Sightings of these weeks were written since, so that no such number was there before.
    now = {str(week): lake.version("sightings") for week in weeks}
    note = {**note, "evidence": lake.version("evidence"), remembered.NAMED: {**named, **now}}
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
        waiting: deque[tuple[tuple[int, int], Future[Answered]]] = deque()

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
            job = pool.submit(answer, lake, answering, beyond, weeks, recent, beside=len(todo) == 1)
            waiting.append((weeks, job))
            if len(waiting) > TOGETHER - 1:
                answered += commit()
        while waiting:
            answered += commit()
    known = frozenset(week for week in wanted if week >= recent)
    return answered, rollup.Hours(known, pa.concat_tables(hours))


def _amend(
    lake: Lake, few: Spared, read: Read | None, recent: int, backlog: Backlog
) -> tuple[int, rollup.Hours, frozenset[int]]:
    """Answer what new mail moves and count its weeks again; the messages, hours from a week on, and weeks.

    These are the weeks in which names are given to other messages.

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
        days = counting.count_days(lake, both)
        storing = other.submit(
            amending.replace, lake, "daily", partial(amending.of_weeks, days), amended.counts
        )
        sightings, hours = counting.count_sightings(lake, both), late_hours(both, recent)
        storing.result()
    backlog(
        partial(amending.replace, lake, "sightings", partial(amending.of_weeks, sightings), amended.counts)
    )
    known = frozenset(week for week in amended.counts if week >= recent)
    return answers.num_rows, rollup.Hours(known, hours), amended.counts


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
