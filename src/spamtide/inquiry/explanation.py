"""What `spamtide explain` tells: the evidence behind the answers for a message or a campaign."""

from __future__ import annotations

import datetime as dt
import difflib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow.compute as pc

from spamtide import pipeline
from spamtide.attribution import Ruleset, explain, judge, load_signatures, read_pages, unreached
from spamtide.campaign import resolve
from spamtide.errors import UnavailableError, UsageError
from spamtide.inquiry import rulebook
from spamtide.inquiry.counted import Asked, counted, counted_lines
from spamtide.knowledge import Knowledge, load_knowledge
from spamtide.observatory import Observatory
from spamtide.plain import plain
from spamtide.store import life, rollup

PIECES = 8
"""Kinds of evidence that are shown for a campaign."""
_AS_IT_IS = frozenset({"joint", "lab"})
"""Layers behind which there is nothing to count."""


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
    wanted = _known(observatory, why_not, ruleset, knowledge) if why_not else None
    lines: list[str] = []
    counts: list[dict[str, Any] | None] = []
    for row in rows:
        row["campaign"] = names.get(row["campaign"], row["campaign"])
        lines += _facts(row)
        told = explain(row, row, ruleset, knowledge, attributing=observatory.settings.attributing)
        lines += told[told.index("") :] if "" in told else told  # its head says again what the facts say
        lines += rulebook.rule_lines(observatory, ruleset, row)
        counts.append(_around(observatory, row, wanted, ruleset, knowledge))
        lines += counted_lines(counts[-1]) if counts[-1] else []
    if why_not:
        lines += _not_reached(rows[0], why_not, ruleset, knowledge)
    kept = [{name: value for name, value in row.items() if name != "rendering"} for row in rows]
    return {"messages": plain(kept), "counted": counts, "lines": lines}


def _around(
    observatory: Observatory,
    row: Mapping[str, Any],
    wanted: str | None,
    ruleset: Ruleset,
    knowledge: Knowledge,
) -> dict[str, Any] | None:
    """Counts of the mail around one message; None for ham, for a lab's, and without evidence or a date."""
    pieces = json.loads(row["evidence"] or "[]")
    families = _first(wanted, _families(pieces))
    advertised = any(one["kind"] == "programme" for one in pieces)
    received: dt.datetime | None = row["received_at"]
    if row["label"] != "spam" or row["lab"] or received is None or not (families or advertised):
        return None
    asked = Asked(
        row["campaign"],
        (received.date(),) * 2,
        families,
        row["source_ip"],
        (row["link_domains"] or ()) if advertised else (),
        row["rules"] or (),
    )
    return counted(observatory, asked, ruleset, knowledge)


def _families(pieces: Iterable[Mapping[str, Any]]) -> list[str]:
    """Botnets that evidence speaks for or against, those first that it says most of."""
    most: dict[str, float] = {}
    for one in pieces:
        if one["kind"] == "botnet" and one["layer"] not in _AS_IT_IS:
            most[one["name"]] = max(most.get(one["name"], 0.0), abs(float(one["weight"])))
    return sorted(most, key=lambda name: (-most[name], name))


def _first(wanted: str | None, families: list[str]) -> list[str]:
    """The name that is asked about, before the others."""
    return [wanted, *(name for name in families if name != wanted)] if wanted else families


def _known(observatory: Observatory, name: str, ruleset: Ruleset, knowledge: Knowledge) -> str | None:
    """See that a name is one that an answer could be: a rule's, a lab's, a published one, or one given here.

    Returns:
        The name as answers spell it, of a botnet with rules or in a lab; of anything else None.

    Raises:
        UsageError: it is none; the advice names what is spelt alike.
    """
    botnets = [one.name for one in ruleset.signatures.values() if one.kind == "botnet"]
    botnets = [knowledge.canonical(one) for one in botnets] + rollup.lab_families(observatory.lake)
    spelt = {knowledge.canonical(one).casefold(): one for one in botnets}
    programmes = [one.name for one in ruleset.signatures.values() if one.kind == "programme"]
    programmes += [one.programme for one in judge(read_pages(observatory.landing), ruleset, knowledge)]
    written = {**knowledge.names, **{one.casefold(): one for one in programmes}, **spelt}
    key = knowledge.canonical(name).casefold()
    if key in written or life.sightings(observatory.lake, name):
        return spelt.get(key)
    message = f"nothing is known of '{name}': no rule, no lab and no published fact has it"
    alike = difflib.get_close_matches(name.casefold(), list(written), 3, 0.6)
    said = ", ".join(dict.fromkeys(written[one] for one in alike))
    raise UsageError(message, f"did you mean {said}?" if said else "`spamtide who` lists published names")


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
    lines = ["", f"why not {name}? ({row['sha256'][:12]})"]
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


def _behind(
    observatory: Observatory,
    name: str,
    asked_of: tuple[str | None, Mapping[tuple[str, str, str, str, float], int]],
    ruleset: Ruleset,
    knowledge: Knowledge,
) -> dict[str, Any] | None:
    """Counts around a campaign for the botnets that most of its evidence speaks of; None without any."""
    wanted, pieces = asked_of
    said: Counter[str] = Counter()
    for (kind, of, layer, _, weight), count in pieces.items():
        if kind == "botnet" and layer not in _AS_IT_IS:
            said[of] += round(abs(weight) * count)
    families, span = _first(wanted, [of for of, _ in said.most_common()]), _span(observatory, name)
    if span is None or not (pieces or families):
        return None
    return counted(observatory, Asked(name, span, families), ruleset, knowledge)


def _span(observatory: Observatory, name: str) -> tuple[dt.date, dt.date] | None:
    """First and last day of a campaign's spam of the wild."""
    listed = observatory.lake.read("campaigns")
    known = listed.filter(pc.equal(listed["campaign"], name)).to_pylist()
    days = [one[end].date() for one in known for end in ("first_seen", "last_seen") if one[end]]
    return (min(days), max(days)) if days else None


def _addresses(count: int) -> str:
    """How many."""
    return f"{count:,} address{'' if count == 1 else 'es'}"


def _days(first: dt.datetime | None, last: dt.datetime | None) -> str:
    """From which day to which, or the one day."""
    if first is None or last is None:
        return "on no believable date"
    return f"{first:%Y-%m-%d}" if first.date() == last.date() else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"


def campaign(observatory: Observatory, name: str, why_not: str | None = None) -> dict[str, Any]:
    """What a campaign's messages were answered, and which evidence stands behind how many of them.

    Spam of the wild is counted. Where labs alone have the campaign, theirs is, and the lines say so.

    Args:
        observatory: the observatory.
        name: the campaign, under any of its names.
        why_not: a botnet or programme; also tell why an example was not given this name, rule by rule.

    Raises:
        UsageError: nothing is known of `why_not`.
        UnavailableError: no such campaign.
    """
    knowledge = load_knowledge(observatory.knowledge)
    ruleset = load_signatures(pipeline.signature_folders(observatory), knowledge)
    wanted = _known(observatory, why_not, ruleset, knowledge) if why_not else None
    names = resolve(observatory.lake.read("lineage"))
    rows = rollup.campaign_answers(observatory.lake, names.get(name, name), rollup.aliases(names))
    if not rows:
        message = f"no campaign {name} in this observatory"
        raise UnavailableError(message, "`spamtide export campaigns` lists them")
    total, lab = sum(row["messages"] for row in rows), sum(row["lab"] for row in rows)
    column = "messages" if total else "lab"
    whole = total or lab
    answers: Counter[tuple[str, str]] = Counter()
    pieces: Counter[tuple[str, str, str, str, float]] = Counter()
    for row in rows:
        if not row[column]:
            continue
        answers["botnet", row["botnet"]] += row[column]
        answers["programme", row["programme"]] += row[column]
        for one in json.loads(row["evidence"] or "[]"):
            pieces[one["kind"], one["name"], one["layer"], one["what"], one["weight"]] += row[column]
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
    counts = (
        _behind(observatory, names.get(name, name), (wanted, pieces), ruleset, knowledge) if total else None
    )
    lines += counted_lines(counts) if counts else []
    if why_not:
        chosen = rollup.message(observatory.lake, rows[0]["sha256"])[0]
        lines += _not_reached(chosen, why_not, ruleset, knowledge)
    return {
        "campaign": names.get(name, name),
        "messages": total,
        "lab": lab,
        "counted": counts,
        "lines": lines,
    }
