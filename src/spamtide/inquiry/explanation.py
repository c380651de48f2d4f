"""What `spamtide explain` tells: the evidence behind the answers for a message or a campaign."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow.compute as pc

from spamtide import pipeline
from spamtide.attribution import Ruleset, explain, load_signatures, unreached
from spamtide.campaign import resolve
from spamtide.errors import UnavailableError, UsageError
from spamtide.inquiry import rulebook
from spamtide.knowledge import Knowledge, load_knowledge
from spamtide.observatory import Observatory
from spamtide.plain import plain
from spamtide.store import rollup

PIECES = 8
"""Kinds of evidence that are shown for a campaign."""


def message(observatory: Observatory, prefix: str, why_not: str | None = None) -> dict[str, Any]:
    """What is known of one message, and the evidence for and against what is said of it.

    Args:
        observatory: the observatory.
        prefix: the first hexadecimal digits of its SHA-256.
        why_not: a botnet or programme; also tell why it was not given this name, rule by rule.

    Raises:
        UsageError: several messages begin so.
        UnavailableError: none does.
    """
    rows = rollup.message(observatory.lake, prefix)
    if not rows:
        message = f"no message {prefix} in this observatory"
        raise UnavailableError(message, "`spamtide export observations` lists them")
    if len({row["sha256"] for row in rows}) > 1:
        message = f"{prefix} begins several messages"
        raise UsageError(message, ", ".join(sorted({row["sha256"][:16] for row in rows})))
    names = resolve(observatory.lake.read("lineage"))
    knowledge = load_knowledge(observatory.knowledge)
    ruleset = load_signatures(pipeline.signature_folders(observatory), knowledge)
    lines: list[str] = []
    for row in rows:
        row["campaign"] = names.get(row["campaign"], row["campaign"])
        lines += _facts(row)
        told = explain(row, row, ruleset, knowledge, attributing=observatory.settings.attributing)
        lines += told[told.index("") :] if "" in told else told  # its head says again what the facts say
        lines += rulebook.rule_lines(observatory, ruleset, row)
    if why_not:
        lines += _not_reached(rows[0], why_not, ruleset, knowledge)
    kept = [{name: value for name, value in row.items() if name != "rendering"} for row in rows]
    return {"messages": plain(kept), "lines": lines}


def _facts(row: dict[str, Any]) -> list[str]:
    """The facts of one observation, before anything is concluded."""
    received = row["received_at"].isoformat() if row["received_at"] else "unknown"
    return [
        f"message    {row['sha256']}",
        f"sensor     {row['sensor']} ({'lab, ' + row['lab'] if row['lab'] else row['label']})",
        f"received   {received} (from: {row['received_at_from']})",
        f"client     {row['source_ip'] or 'unknown'} (from: {row['source_ip_from']})",
        f"helo       {row['helo'] or '-'}",
        f"subject    {row['subject']}",
        f"skeleton   {row['skeleton']}",
        f"links      {', '.join(row['link_hosts'] or []) or '-'}",
        f"campaign   {row['campaign'] or '-'}",
        *([f"engine     {row['engine']} (unknown; named for its traits)"] if row["engine"] else []),
        f"defects    {', '.join(row['defects'] or []) or '-'}",
        *(["SIMULATED  this message was made by the simulator"] if row["simulated"] else []),
    ]


def _not_reached(row: Mapping[str, Any], name: str, ruleset: Ruleset, knowledge: Knowledge) -> list[str]:
    """Why a message was not given a name."""
    lines = ["", f"why not {name}?"]
    lines += unreached(row["rendering"] or "", name, ruleset, row["rules"] or (), knowledge)
    wanted = knowledge.canonical(name).casefold()
    pieces = [
        one
        for one in json.loads(row["evidence"] or "[]")
        if knowledge.canonical(one["name"]).casefold() == wanted
    ]
    lines += [f"  {one['weight']:+.2f} ({one['layer']}): {one['what']}" for one in pieces]
    return lines if pieces else [*lines, "  no evidence of any layer speaks for or against it"]


def _seen(observatory: Observatory, name: str) -> list[str]:
    """When and from where spam of the wild brought a campaign, and an example of its subject."""
    listed = observatory.lake.read("campaigns")
    known = listed.filter(pc.equal(listed["campaign"], name)).to_pylist()
    return [
        line
        for one in known
        for line in (
            f"subject    {one['subject']}",
            f"received   {_days(one['first_seen'], one['last_seen'])}, from {_addresses(one['sources'])}",
        )
    ]


def _addresses(count: int) -> str:
    """How many."""
    return f"{count:,} address{'' if count == 1 else 'es'}"


def _days(first: dt.datetime | None, last: dt.datetime | None) -> str:
    """From which day to which, or the one day."""
    if first is None or last is None:
        return "on no believable date"
    return f"{first:%Y-%m-%d}" if first.date() == last.date() else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"


def campaign(observatory: Observatory, name: str) -> dict[str, Any]:
    """What a campaign's messages were answered, and which evidence stands behind how many of them.

    Spam of the wild is counted. Where labs alone have the campaign, theirs is, and the lines say so.

    Raises:
        UnavailableError: no such campaign.
    """
    names = resolve(observatory.lake.read("lineage"))
    rows = rollup.campaign_answers(observatory.lake, names.get(name, name), rollup.aliases(names))
    if not rows:
        message = f"no campaign {name} in this observatory"
        raise UnavailableError(message, "`spamtide export campaigns` lists them")
    total, lab = sum(row["messages"] for row in rows), sum(row["lab"] for row in rows)
    counted = "messages" if total else "lab"
    whole = total or lab
    answers: Counter[tuple[str, str]] = Counter()
    pieces: Counter[tuple[str, str, str, str, float]] = Counter()
    for row in rows:
        if not row[counted]:
            continue
        answers["botnet", row["botnet"]] += row[counted]
        answers["programme", row["programme"]] += row[counted]
        for one in json.loads(row["evidence"] or "[]"):
            pieces[one["kind"], one["name"], one["layer"], one["what"], one["weight"]] += row[counted]
    lines = [
        f"campaign   {names.get(name, name)}",
        *_seen(observatory, names.get(name, name)),
        f"messages   {total:,}, for instance {rows[0]['sha256']}",
    ]
    if lab:
        lines.append(f"lab        {lab:,}, " + ("not counted" if total else "of which all below is told"))
    for kind in ("botnet", "programme"):
        told = [(what, count) for (of, what), count in answers.most_common() if of == kind]
        lines += ["", f"{kind}: {', '.join(f'{what} {count:,}' for what, count in told)}"]
        own = [(piece, count) for piece, count in pieces.most_common() if piece[0] == kind]
        lines += [
            f"  {weight:+.2f} {of} ({layer}), {count:,} of {whole:,} messages: {what}"
            for (_, of, layer, what, weight), count in own[:PIECES]
        ]
    return {"campaign": names.get(name, name), "messages": total, "lab": lab, "lines": lines}
