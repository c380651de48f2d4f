"""The path as a table, and the loop that runs it. Read this second, after `model`.

Two shapes of stage. A *record* stage is a pure function over batches of messages; `ingest` maps the first
three over new mail, `update` maps `match`. A *table* stage is a relation over roll-ups; `update` runs them in
order. Each commit is atomic and each stage can be run again, so a run may die anywhere.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pyarrow as pa

from spamtide.attribution import Landing, Ruleset, judge, load_signatures, read_pages
from spamtide.campaign import resolve
from spamtide.change import look, watch_hours
from spamtide.each import Each, in_turn
from spamtide.engine import Apart, Backlog
from spamtide.errors import UnavailableError, UsageError
from spamtide.finding import (
    Behind,
    Composition,
    FindingInputs,
    Findings,
    Totals,
    claims_table,
    load_events,
    period,
    state,
)
from spamtide.knowledge import SHIPPED_SIGNATURES, Knowledge, load_knowledge
from spamtide.model import Change, IndexSeries, Measurement, SubjectKind, Trace
from spamtide.observatory import EVENTS_FILE, Observatory
from spamtide.rows import to_arrow
from spamtide.schema import CHANGES, CLAIMS, DERIVED
from spamtide.series import decompose, is_over, measure, measure_hours, without_last_day
from spamtide.servers import states as control_states
from spamtide.statement import Gathering
from spamtide.store import Lake, contents, evidence, panels, rollup, senders, writer_lock
from spamtide.store.clocks import explained
from spamtide.store.gathered import gathered
from spamtide.store.makers import makers
from spamtide.store.remembered import Remembered
from spamtide.update.gathering import gather
from spamtide.update.matching import Hits, beside, match_new
from spamtide.update.refresh import answer_again
from spamtide.update.rows import hour_rows, outages, series_rows
from spamtide.update.sparing import Ahead
from spamtide.update.stretch import Answering
from spamtide.update.wanted import renamed

LAB_MESSAGES = 5_000
"""Latest messages of each family that `learn` reads."""
HAM_MESSAGES = 20_000
"""Legitimate messages that `learn` tests its rules on."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the path."""

    name: str
    shape: str
    """'source', 'record' or 'table'."""
    reads: str
    writes: str
    run: Callable[[Update], str] | None
    """What `update` calls; None for the stages that `ingest` runs. Returns one line for a person."""


Gather = Callable[[tuple[dt.date, dt.date]], Gathering]
"""Counts the campaigns of the mail of some days, from the first to the last."""


def nothing_settled() -> None:
    """No week is known to stay as it is."""


@dataclass(slots=True)
class Update:
    """One run of the table stages: what one stage leaves for the next besides tables."""

    observatory: Observatory
    ruleset: Ruleset
    knowledge: Knowledge
    landings: tuple[Landing, ...] = ()
    """What saved landing pages say of domains."""
    backlog: Backlog = field(default_factory=Backlog)
    """Stores what no stage waits for; `state` waits for all of it."""
    measurement: Measurement | None = None
    """What `measure` made, for `detect`; None before."""
    told: Measurement | None = None
    """The measurement that claims are made from: without a last day that is not over."""
    over: bool | None = None
    """Whether the last day is over, by its hours; None where hours do not tell."""
    names: dict[str, str] = field(default_factory=dict)
    """Absorbed campaign name -> surviving name."""
    hours: Callable[[], tuple[IndexSeries, ...]] = tuple
    """Gives the hourly series, which are fitted while changes are looked for."""
    gathering: Gather | None = None
    """Knows of the usual days what no change decides, and was counted while changes were looked for."""
    fresh: evidence.Fresh | None = None
    """Observations that may be new."""
    hits: Hits | None = None
    """What rules say of them, if they were matched beside clustering."""
    ahead: Ahead | None = None
    """What answers of new mail will need, read while it is clustered."""
    settled: Callable[[], panels.Settled | None] = nothing_settled
    """Gives what is counted of the weeks that stay as they are, read meanwhile as well."""
    counted: rollup.Hours = rollup.NO_HOURS
    """Messages by hour of the last weeks that were answered."""
    stored: Callable[[], object] = lambda: None
    """Waits until all answers are stored."""


def update(observatory: Observatory, on_stage: Callable[[str, str], None] = lambda *_: None) -> None:
    """Run every table stage over what the lake holds.

    Args:
        observatory: the observatory.
        on_stage: called with (stage, '') when a stage starts and (stage, what it did) when it ends.

    Raises:
        SettingsError: a signature, knowledge, events or settings file or a saved page is wrong; nothing was
            changed.
        TryAgainError: the disk is full or another run holds the observatory.
    """
    knowledge = load_knowledge(observatory.knowledge)
    ruleset = load_signatures(signature_folders(observatory), knowledge)
    run = Update(observatory, ruleset, knowledge, judge(read_pages(observatory.landing), ruleset, knowledge))
    load_events(event_files(observatory))  # a wrong file is told before any work
    with writer_lock(observatory.directory / "lake"):
        observatory.lake.drop_outdated(DERIVED)
        with run.backlog:
            for stage in STAGES:
                if stage.run is not None:
                    on_stage(stage.name, "")
                    on_stage(stage.name, stage.run(run))


def signature_folders(observatory: Observatory) -> tuple[Path, ...]:
    """Folders of the shipped signatures and of the observatory's own."""
    own = observatory.signatures
    return (SHIPPED_SIGNATURES, own) if own.is_dir() else (SHIPPED_SIGNATURES,)


def event_files(observatory: Observatory) -> list[Path]:
    """The shipped events file and the observatory's own."""
    return [SHIPPED_SIGNATURES.parent / EVENTS_FILE, *filter(None, [observatory.events])]


# ---------------------------------------------------------------------------- the table stages


def _retain(run: Update) -> str:
    """Remove raw mail past its retention."""
    days = run.observatory.settings.running.raw_retention_days
    if not days:
        return "raw mail is kept"
    before = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    removed = run.observatory.lake.remove_before("raw", "collected_at", before)
    return f"{removed} raw messages past {days} days removed"


def _match(run: Update) -> str:
    """Match signatures against renderings that the present rule set has not seen."""
    workers = run.observatory.settings.running.workers
    matched = match_new(run.observatory.lake, run.ruleset, run.fresh, run.hits, workers)
    return f"{matched:,} messages against {len(run.ruleset.signatures)} rules"


def _cluster(run: Update) -> str:
    """Give every new content a campaign."""
    lake, settings = run.observatory.lake, run.observatory.settings
    workers = settings.running.workers

    @contextmanager
    def matching(new: evidence.Fresh) -> Iterator[Hits | None]:
        with beside(lake, run.ruleset, workers, new) as hits:
            if hits is not None:
                run.ahead = Ahead(lake, hits, run.backlog)
                run.settled = run.backlog(partial(_settled, lake, run.ahead))
            yield hits

    gathered = gather(lake, settings.clustering.similarity, workers, matching)
    run.fresh, run.names, run.hits = gathered.fresh, gathered.names, gathered.hits
    run.backlog(partial(contents.keep, lake))
    return gathered.told()


def _settled(lake: Lake, ahead: Ahead) -> panels.Settled | None:
    """What is counted of weeks that answers of new mail leave alone; None where there is no new mail."""
    return panels.settled(lake, (min(ahead.weeks), max(ahead.weeks))) if ahead.weeks else None


def _attribute(run: Update) -> str:
    """Answer for each message who sent it and what it advertises, or unknown."""
    lake = run.observatory.lake
    attributing = run.observatory.settings.attributing
    answering = Answering(run.ruleset, run.knowledge, attributing, run.names, run.landings)
    names = rollup.aliases(run.names)
    since = lake.note("sightings").get("evidence")
    added, others = lake.added("evidence", since), renamed(lake, run.names)
    anew = added is None or senders.to_be_counted_anew(lake, since)
    with ThreadPoolExecutor(1, "sources") as other:
        # Whatever is answered, campaigns with new mail have their addresses counted.
        counting = None
        if added and since and others is not None and not anew:
            counting = other.submit(senders.of_new_mail, lake, names, added, since, others)
        weeks = run.observatory.settings.measuring.hourly_weeks
        again = answer_again(lake, answering, weeks, run.backlog, run.ahead)
        run.counted, run.stored = again.hours, again.stored
        counted = counting.result() if counting else None
    run.backlog(partial(_count_campaigns, lake, names, counted, anew=anew))
    known, messages = rollup.named(lake)
    return f"{again.messages:,} messages; {known:,} of {messages:,} of the wild have a botnet's name"


def _count_campaigns(lake: Lake, names: pa.Table, counted: senders.Counted | None, *, anew: bool) -> None:
    """Sum campaigns up, and keep what was counted of the addresses behind them."""
    if anew:
        counted = senders.of_all_mail(lake, names)
    lake.replace("campaigns", rollup.campaigns(lake, names, counted.sources if counted else None))
    if counted:
        senders.keep(lake, counted)


def _measure(run: Update) -> str:
    """Fit the index of every subject."""
    lake = run.observatory.lake
    measuring = run.observatory.settings.measuring
    each = Apart(run.observatory.settings.running.workers)
    panel = panels.panel(lake, run.settled())
    run.settled = nothing_settled  # rows of all days, which nobody needs any more
    with ThreadPoolExecutor(1, "hours") as other:
        later = other.submit(panels.hourly, lake, panel.days, measuring.hourly_weeks, run.counted)
        measured = run.measurement = explained(lake, measure(panel, measuring, each))
        hourly = later.result()
    run.over = is_over(hourly)
    told = run.told = without_last_day(measured) if run.over is False else measured
    run.backlog(lambda: lake.replace("series", series_rows(told)))
    run.backlog(lambda: lake.replace("sensors", rollup.sensors(lake, outages(measured))))
    fitted = each.aside(lambda: measure_hours(hourly, measured))
    run.hours = run.backlog(partial(_keep_hours, lake, fitted))
    if told.panel.counts[0].any():
        run.gathering = _gathered_behind(lake, told, run.backlog)
    return f"{len(measured.series)} series over {len(measured.panel.days):,} days"


def _keep_hours(lake: Lake, fitted: Callable[[], tuple[IndexSeries, ...]]) -> tuple[IndexSeries, ...]:
    """Store hourly series as soon as they are fitted."""
    series = fitted()
    lake.replace("hours", hour_rows(series))
    return series


def _gathered_behind(lake: Lake, measurement: Measurement, backlog: Backlog) -> Gather:
    """`gathered` of any days, those of the usual period in the backlog."""
    span = period(measurement, None, None)
    usual = span.since, span.until
    asked = backlog(partial(_gathered, lake, usual))
    return lambda days: asked() if days == usual else _gathered(lake, days)


def _gathered(lake: Lake, days: tuple[dt.date, dt.date]) -> Gathering:
    return gathered(lake, rollup.aliases(resolve(lake.read("lineage"))), *days)


def _detect(run: Update) -> str:
    """Date the changes."""
    if run.measurement is None:  # pragma: no cover - STAGES puts measure first
        raise RuntimeError
    lake, settings = run.observatory.lake, run.observatory.settings
    each = Apart(settings.running.workers)

    days = run.measurement.panel.days
    remembered = Remembered(lake, days[-1].astype(dt.date) if len(days) else dt.date.min)

    def tracing(
        subject: tuple[SubjectKind, str], first: dt.date, last: dt.date, until: dt.date
    ) -> tuple[Trace, ...]:
        run.stored()
        return remembered(subject, first, last, until)

    detected = look(run.measurement, settings.detecting, whole=bool(run.over), each=each, tracing=tracing)
    hours = run.hours()
    changes = (*detected.changes, *watch_hours(hours, detected.changes, run.measurement.panel.pairs))
    for table, rows, note in (("changes", changes, remembered.note()), ("alarms", detected.alarms, None)):
        lake.replace(table, pa.Table.from_batches([to_arrow(rows, CHANGES)]), note)
    return f"{len(changes)} changes, {len(detected.alarms)} alarms"


def _state(run: Update) -> str:
    """Say what may be said of the usual period."""
    lake = run.observatory.lake
    run.backlog.wait()  # claims name the versions of all tables
    if run.told is None or not len(run.told.panel.days):
        lake.replace("claims", CLAIMS.empty_table())
        return "no dated spam yet"
    each = Apart(run.observatory.settings.running.workers)
    said = findings(run.observatory, run.told, None, None, each, run.gathering)
    lake.replace("claims", claims_table(said.findings.claims))
    return f"{len(said.findings.claims)} claims on {said.inputs.period.since} to {said.inputs.period.until}"


STAGES: tuple[Stage, ...] = (
    Stage("collect", "source", "files, archives, stdin", "raw", None),
    Stage("parse", "record", "raw", "(memory)", None),
    Stage("observe", "record", "(memory)", "observations", None),
    Stage("retain", "table", "raw", "raw", _retain),
    Stage("cluster", "table", "observations", "memberships, exemplars, profiles, lineage", _cluster),
    Stage("match", "record", "observations, memberships", "evidence", _match),
    Stage(
        "attribute",
        "table",
        "evidence",
        "attributions, daily, sightings, kits, others, cells, hourly, senders, campaigns",
        _attribute,
    ),
    Stage("measure", "table", "daily, evidence", "series, hours, sensors", _measure),
    Stage("detect", "table", "(memory)", "changes, alarms", _detect),
    Stage("state", "table", "series, changes, campaigns", "claims", _state),
)
"""The path, in order."""


# ---------------------------------------------------------------------------- what may be said


@dataclass(frozen=True, slots=True)
class Said:
    """Findings of one period with what they were made from."""

    inputs: FindingInputs
    findings: Findings


def findings(
    observatory: Observatory,
    measurement: Measurement,
    since: dt.date | None,
    until: dt.date | None,
    each: Each = in_turn,
    gathering: Gather | None = None,
) -> Said:
    """Claims and statuses of a period; None for either end means the usual one.

    `each` says how subjects are looked at, one after the other or side by side; `gathering` counts campaigns,
    if some days' are counted already.

    Raises:
        BadDataError: there is no dated mail to speak of.
        SettingsError: the user's events file is wrong.
    """
    lake = observatory.lake
    changes = read_changes(lake)
    span = period(measurement, since, until, changes)
    counts = rollup.totals(lake)
    days = (
        [day.astype(dt.date) for day in measurement.panel.days[[0, -1]]]
        if len(measurement.panel.days)
        else []
    )
    knowledge = load_knowledge(observatory.knowledge)
    lab = rollup.lab_last_seen(lake, span.until)
    named = {name for kind, name in measurement.panel.subjects if kind == "botnet"} | set(lab)
    inputs = FindingInputs(
        measurement=measurement,
        changes=changes,
        contributions=decompose(measurement, span.before, span.after, each) if span.comparable else (),
        period=span,
        composition=Composition(**rollup.composition(lake, span.since, span.until)),
        totals=Totals(
            messages=counts["wild"] + counts["lab"] + counts["ham"],
            quarantined=counts["quarantined"],
            simulated=counts["simulated"] > 0,
            undated=rollup.outside(lake, days),
        ),
        events=load_events(event_files(observatory)),
        lab_last_seen=lab,
        names=names_of(knowledge, measurement),
        behind=behind_of(knowledge, measurement, span.until),
        control=control_states(lake, knowledge, sorted(named), span.until),
        versions=lake.versions(),
        making=lambda programme, window: makers(lake, programme, *window),
        gathering=gathering or partial(_gathered, lake),
    )
    return Said(inputs, state(inputs, each))


def names_of(knowledge: Knowledge, measurement: Measurement) -> dict[str, tuple[str, ...]]:
    """Each subject's published name, then its aliases and the programmes behind a brand."""
    names = {}
    for kind, subject in measurement.panel.subjects:
        entity = knowledge.find(subject) if kind in {"botnet", "programme"} else None
        if entity is not None:
            aliases = tuple(alias.alias for alias in entity.aliases)
            names[subject] = (entity.name, *aliases, *knowledge.programmes_of(entity.name))
    return names


def behind_of(knowledge: Knowledge, measurement: Measurement, day: dt.date) -> dict[str, tuple[Behind, ...]]:
    """The programmes that each advertised brand is published to belong to, and by whom."""
    return {
        subject: tuple(
            Behind(one.object, knowledge.said_by(one.source), one.source)
            for one in knowledge.about(subject, day)
            if one.kind == "belongs-to" and one.subject == knowledge.canonical(subject)
        )
        for kind, subject in measurement.panel.subjects
        if kind == "programme"
    }


def learn_signatures(observatory: Observatory, families: tuple[str, ...]) -> Iterator[str]:
    """Write a signature file for each family that the lab holds; yields one line for each.

    Args:
        observatory: the observatory.
        families: only these; none means all.

    Raises:
        UnavailableError: no lab mail.
        UsageError: a family of which the lab has none.
    """
    from spamtide.attribution import learn  # an update does not wait for what it does not need

    with writer_lock(observatory.directory / "lake"):
        lab = rollup.lab_rows(observatory.lake, LAB_MESSAGES)
        if not lab.num_rows:
            message = "no lab mail to learn from"
            raise UnavailableError(message, "spamtide ingest --lab FAMILY PATH")
        held = set(lab["lab"].to_pylist())
        if missing := sorted(set(families) - held):
            message = f"the lab holds no mail of {', '.join(missing)}"
            raise UsageError(message, f"families: {', '.join(sorted(held))}")
        learned = learn(
            lab, rollup.ham_rows(observatory.lake, HAM_MESSAGES), wild=rollup.wild_fields(observatory.lake)
        )
        observatory.signatures.mkdir(exist_ok=True)
        counts = Counter(rule.family for rule in learned.rules)
        for family, (name, text) in sorted(learned.by_family().items()):
            if not families or family in families:
                path = observatory.signatures / name
                path.write_text(text, encoding="utf-8")
                yield f"{family}: {counts[family]} rules in {path}"


# ---------------------------------------------------------------------------- records and rows


def read_changes(lake: Lake) -> tuple[Change, ...]:
    """The changes table as records."""
    return tuple(Change(**row) for row in lake.read("changes").to_pylist())
