"""What a person asks of the rules: their age, whether a new one is good, what it would have changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich.table import Table

from spamtide import pipeline
from spamtide.attribution import Ruleset, judge, load_signatures, match, read_pages
from spamtide.attribution.brand import finds
from spamtide.attribution.review import SLOW_MICROSECONDS, cost, hunted, lives, shifts, try_rules
from spamtide.campaign import resolve
from spamtide.engine import ENGINES
from spamtide.errors import NoInputError, UnavailableError
from spamtide.knowledge import Knowledge, load_knowledge
from spamtide.model import Signature
from spamtide.observatory import Observatory
from spamtide.plain import plain
from spamtide.schema import STRINGS
from spamtide.store import life
from spamtide.update.matching import MATCH_ROWS
from spamtide.update.stretch import Answering, answers_under

TRIAL_MESSAGES = 20_000
"""Messages of each kind that rules are tried on."""
_HITS = pa.schema([("sha256", pa.string()), ("sensor", pa.string()), ("rules", STRINGS)])
_ORDER = [("sha256", "ascending"), ("sensor", "ascending")]


def listed(observatory: Observatory) -> list[dict[str, Any]]:
    """Every rule with its validity, hits, last hit and state."""
    ruleset, _ = _rules(observatory)
    known = lives(ruleset, *_lived(observatory))
    return [
        _signature(one.signature)
        | {
            "state": one.state,
            "wild": one.wild,
            "lab": one.lab,
            "ham": one.ham,
            "first_hit": plain(one.first_hit),
            "last_hit": plain(one.last_hit),
        }
        for one in known
    ]


def checked(observatory: Observatory, files: Sequence[Path]) -> dict[str, Any]:
    """Rules of some files, or of the observatory's own folder, tried on its ham, lab mail and wild spam.

    Raises:
        SettingsError: a file is wrong; the message names file, line and reason.
        NoInputError: a file does not exist.
        UnavailableError: there are no rules to check.
    """
    chosen = list(files) or sorted(observatory.signatures.glob("*.yar"))
    ruleset, knowledge = _rules(observatory, chosen)
    rules = _of_files(ruleset, chosen)
    if not rules:
        message = "no rules to check"
        raise UnavailableError(message, f"name a file, or put one into {observatory.signatures}")
    rows = life.trial_rows(observatory.lake, TRIAL_MESSAGES)
    trials = try_rules(rows, ruleset, rules, knowledge)
    texts = [(path, path.read_text(encoding="utf-8-sig")) for path in chosen]
    renderings = rows["rendering"].to_pylist()
    return {
        "messages": rows.num_rows,
        "files": [_cost(path, text, renderings) for path, text in texts],
        "rules": [
            _signature(one.signature)
            | {
                "ham": one.ham,
                "ham_hits": one.ham_hits,
                "ham_at_most": round(one.ham_at_most, 6),
                "lab": {family: {"hits": hits, "n": n} for family, (hits, n) in one.lab.items() if hits},
                "wild": one.wild,
                "wild_hits": one.wild_hits,
                "otherwise": dict(one.otherwise),
                "complaints": list(one.complaints),
                "wrong": one.wrong,
            }
            for one in trials
        ],
    }


def _cost(path: Path, text: str, renderings: Sequence[str]) -> dict[str, Any]:
    """What one file costs a message."""
    spent = cost([(path, text)], renderings)
    slow = [f"adds {spent:.0f} us to a message"] if spent > SLOW_MICROSECONDS else []
    return {"file": str(path), "microseconds": round(spent, 1), "complaints": slow}


def hunt(
    observatory: Observatory, files: Sequence[Path], on_progress: Callable[[int], None] = lambda _done: None
) -> dict[str, Any]:
    """What the rules of some files would have changed in the stored answers; nothing is written.

    A file takes the place of one of the same name in the observatory, as it would when dropped there.

    Args:
        observatory: the observatory.
        files: signature files.
        on_progress: called with the number of messages matched so far.

    Raises:
        SettingsError, NoInputError: as for `checked`.
        UnavailableError: the stored answers are not of the present rules.
    """
    lake = observatory.lake
    present, _ = _rules(observatory)
    if lake.note("evidence").get("ruleset") != present.version or not lake.exists("attributions"):
        message = "the stored answers are not those of the present rules"
        raise UnavailableError(message, "run `spamtide update` first")
    ruleset, knowledge = _rules(observatory, files)
    workers = observatory.settings.running.workers
    hits = rule_hits(life.renderings(lake, MATCH_ROWS), ruleset, workers, on_progress)
    answering = Answering(
        ruleset,
        knowledge,
        observatory.settings.attributing,
        resolve(lake.read("lineage")),
        judge(read_pages(observatory.landing), ruleset, knowledge),
    )
    after = answers_under(lake, answering, hits).sort_by(_ORDER)
    before = life.answers(lake)
    return {
        "messages": before.num_rows,
        "rules": [
            _signature(one.signature) | _record(one, "signature")
            for one in hunted(before, hits["rules"].combine_chunks(), ruleset, _of_files(ruleset, files))
        ],
        "shifts": [_record(one) for one in shifts(before, after)],
    }


def rule_hits(
    stored: Iterable[pa.RecordBatch],
    ruleset: Ruleset,
    workers: int,
    on_progress: Callable[[int], None] = lambda _done: None,
) -> pa.Table:
    """Rules that match each of some stored messages, in the order of sha256 and sensor.

    Args:
        stored: sha256, sensor and rendering.
        ruleset: the rules.
        workers: processes, as in the settings.
        on_progress: called with the number of messages matched so far.

    Returns:
        Columns sha256, sensor and rules.
    """
    batches, done = [], 0
    with ENGINES["local"](workers) as engine:
        for batch in engine.map(partial(_hits, ruleset=ruleset), stored, _no_hits):
            batches.append(batch)
            done += batch.num_rows
            on_progress(done)
    return pa.Table.from_batches(batches, schema=_HITS).sort_by(_ORDER)


def _hits(batch: pa.RecordBatch, *, ruleset: Ruleset) -> pa.RecordBatch:
    """The rules that match each rendering."""
    return _with_rules(batch, match(batch.column("rendering").to_pylist(), ruleset))


def _no_hits(batch: pa.RecordBatch) -> pa.RecordBatch:
    """No rule speaks for a rendering whose worker died."""
    return _with_rules(batch, [()] * batch.num_rows)


def _with_rules(batch: pa.RecordBatch, rules: Sequence[Sequence[str]]) -> pa.RecordBatch:
    columns = [batch.column("sha256"), batch.column("sensor"), pa.array(rules, STRINGS)]
    return pa.RecordBatch.from_arrays(columns, schema=_HITS)


def rule_lines(observatory: Observatory, ruleset: Ruleset, row: Mapping[str, Any]) -> list[str]:
    """What is to be said of one message's rules: wording read in disguise, and how each rule stands."""
    said = finds(row.get("rendering") or "", ruleset.reading)
    lines = [f"  in disguise: {stretch!r} reads as {wording.text!r}" for wording, stretch in said]
    hit = [rule for rule in row.get("rules") or () if rule in ruleset.signatures]
    if hit:
        known = {one.signature.rule: one for one in lives(ruleset, *_lived(observatory))}
        for rule in hit:
            one = known[rule]
            lines.append(f"  rule {rule}: {one.state}, last hit {one.last_hit or 'on no dated mail'}")
    return ["", *lines] if lines else []


def _lived(
    observatory: Observatory,
) -> tuple[dict[str, dict[str, Any]], tuple[dt.date | None, dt.date | None]]:
    """Hits of every rule, and the days of the mail."""
    return life.rule_hits(observatory.lake), life.mail_days(observatory.lake)


def _rules(observatory: Observatory, files: Sequence[Path] = ()) -> tuple[Ruleset, Knowledge]:
    """The observatory's rules, with some files laid over them."""
    for path in files:
        if not path.is_file():
            message = f"no file {path}"
            raise NoInputError(message, "name a signature file (*.yar)")
    knowledge = load_knowledge(observatory.knowledge)
    return load_signatures(pipeline.signature_folders(observatory), knowledge, files=files), knowledge


def _of_files(ruleset: Ruleset, files: Sequence[Path]) -> list[str]:
    wanted = {str(path) for path in files}
    return [rule for rule, signature in ruleset.signatures.items() if signature.file in wanted]


def _signature(one: Signature) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "kind": one.kind,
        "name": one.name,
        "confidence": one.confidence,
        "valid_from": plain(one.valid_from),
        "expires": plain(one.expires),
        "file": one.file,
        "line": one.line,
    }


def _record(record: object, *without: str) -> dict[str, Any]:
    return {name: value for name, value in plain(record).items() if name not in without}


# ---------------------------------------------------------------------------- for a person


def list_table(rules: Sequence[Mapping[str, Any]]) -> Table:
    """The rules, a row each."""
    table = Table(box=None)
    for column in ("rule", "names", "sure", "in force", "hits", "ham", "last hit", "state"):
        table.add_column(column, overflow="fold")  # a name that is cut off cannot be searched for
    for one in rules:
        force = f"{one['valid_from'] or '...'} to {one['expires'] or '...'}"
        hits = f"{one['wild'] + one['lab']:,}"
        row = (one["rule"], one["name"], f"{one['confidence']} %", force, hits, f"{one['ham']:,}")
        table.add_row(*row, one["last_hit"] or "", one["state"])
    return table


def check_lines(told: Mapping[str, Any]) -> list[str]:
    """The outcome of `checked`, as lines."""
    lines = [f"{told['messages']:,} messages tried"]
    for one in told["files"]:
        lines.append(f"{one['file']}: {one['microseconds']:.1f} us a message")
        lines += [f"    ! {complaint}" for complaint in one["complaints"]]
    for one in told["rules"]:
        ham = f"ham {one['ham_hits']:,} of {one['ham']:,} (at most {one['ham_at_most']:.3%})"
        lab = ", ".join(f"{name} {n['hits']:,} of {n['n']:,}" for name, n in one["lab"].items()) or "none"
        lines.append(f"{one['file']}:{one['line']}: {one['rule']} ({one['kind']} {one['name']})")
        lines.append(f"    {ham}; lab: {lab}; wild {one['wild_hits']:,} of {one['wild']:,}")
        lines += [f"    ! {complaint}" for complaint in one["complaints"]]
    return lines


def hunt_lines(told: Mapping[str, Any]) -> list[str]:
    """The outcome of `hunt`, as lines."""
    lines = [f"{told['messages']:,} messages hunted"]
    for one in told["rules"]:
        span = f", {one['first']} to {one['last']}" if one["first"] else ""
        lines.append(f"{one['rule']} ({one['kind']} {one['name']}): {one['wild']:,} of the wild{span}")
        lines.append(f"    lab {one['lab']:,}, ham {one['ham']:,}{_such_as(one)}")
    lines.append("what it would have changed:" if told["shifts"] else "no answer would have changed")
    for one in told["shifts"]:
        group = "" if one["group"] == "wild" else f" ({one['group']})"
        span = f", {one['first']} to {one['last']}" if one["first"] else ""
        change = f"{one['kind']} {one['before']} -> {one['after']}"
        lines.append(f"    {one['messages']:,} messages{group}: {change}{span}{_such_as(one)}")
    return lines


def _such_as(one: Mapping[str, Any]) -> str:
    some = ", ".join(sha256[:12] for sha256 in one["examples"][:3])
    return f"; such as {some}" if some else ""
