"""What is publicly known of a name: the knowledge graph and the events around one entity, to browse."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from spamtide.errors import UnavailableError
from spamtide.finding import load_events
from spamtide.knowledge import SHIPPED_SIGNATURES, Entity, Knowledge, Period, Relation, load_knowledge
from spamtide.observatory import EVENTS_FILE, Observatory
from spamtide.store import life, rollup

_VERBS: Mapping[str, tuple[str, str]] = {
    "advertised": ("advertised {}", "advertised by {}"),
    "carried": ("carried {}", "carried by {}"),
    "belongs-to": ("a brand of {}", "its brand: {}"),
    "operated-by": ("linked to {}", "linked to {}"),
    "succeeded-by": ("followed by {}", "followed {}"),
    "sister-of": ("of the same house as {}", "of the same house as {}"),
    "resembles": ("resembles {}", "resembles {}"),
    "installed": ("installed {}", "installed by {}"),
    "uses": ("uses {}", "used by {}"),
}
"""Relation -> how it is said from its subject, and from its object."""


def who(name: str, observatory: Observatory | None) -> dict[str, Any]:
    """All that is known of a name or an alias, as plain values.

    Args:
        name: as somebody wrote it; letter case does not matter.
        observatory: its own knowledge and events are laid over the shipped ones; None for these alone.

    Raises:
        UnavailableError: nothing goes by this name; the advice names what is spelt alike.
        SettingsError: the user's knowledge or events file is wrong.
    """
    knowledge = load_knowledge(observatory.knowledge if observatory else None)
    entity = knowledge.find(name)
    if entity is None:
        seen = life.sightings(observatory.lake, name.strip()) if observatory else None
        if seen and observatory is not None:
            return _unpublished(name.strip(), seen, observatory)
        message = f"nothing is known of '{name.strip()}'"
        alike = difflib.get_close_matches(name.strip().casefold(), list(knowledge.names), 3, 0.6)
        known = ", ".join(dict.fromkeys(knowledge.names[one] for one in alike))
        raise UnavailableError(
            message, f"did you mean {known}?" if known else "`spamtide who` lists all names"
        )
    told: dict[str, Any] = {
        "name": entity.name,
        "kind": entity.kind,
        "asked": name.strip(),
        "period": _period(entity.period),
        "note": entity.note,
        **_source(entity, knowledge),
        "aliases": [{"alias": one.alias, **_source(one, knowledge)} for one in entity.aliases],
        "relations": [_relation(one, entity, knowledge) for one in knowledge.about(entity.name)],
        "events": _events([entity.name, *(alias.alias for alias in entity.aliases)], observatory),
    }
    if observatory is not None and entity.kind in {"botnet", "programme", "brand"}:
        told["observed"] = _here(life.sightings(observatory.lake, entity.name), observatory)
    return told


def _here(seen: Mapping[str, Any] | None, observatory: Observatory) -> dict[str, Any] | None:
    """What this observatory saw of a name, marked where it holds mail that was made up."""
    if seen is None:
        return None
    made_up = rollup.totals(observatory.lake)["simulated"] > 0
    return {**seen, **({"simulated": True} if made_up else {})}


def _unpublished(name: str, seen: Mapping[str, Any], observatory: Observatory) -> dict[str, Any]:
    """A name that only this observatory gives, by its lab or a rule of its own."""
    return {
        "name": name,
        "kind": "a name of this observatory's own",
        "asked": name,
        "period": {"since": None, "until": None},
        "note": "nothing that is published is known of it here; knowledge.yaml takes what you know",
        "source": "",
        "said_by": "",
        "confidence": "",
        "aliases": [],
        "relations": [],
        "events": _events([name], observatory),
        "observed": _here(seen, observatory),
    }


def everybody(observatory: Observatory | None) -> dict[str, list[str]]:
    """Kind -> all names of it, in the order of letters."""
    knowledge = load_knowledge(observatory.knowledge if observatory else None)
    kinds: dict[str, list[str]] = {}
    for entity in knowledge.entities.values():
        kinds.setdefault(entity.kind, []).append(entity.name)
    return {kind: sorted(names, key=str.casefold) for kind, names in kinds.items()}


def _source(fact: Any, knowledge: Knowledge) -> dict[str, str]:  # noqa: ANN401 - entities, aliases and relations
    return {
        "source": fact.source,
        "said_by": knowledge.said_by(fact.source),
        "confidence": fact.confidence,
    }


def _period(period: Period) -> dict[str, str | None]:
    return {
        "since": period.since.isoformat() if period.since else None,
        "until": period.until.isoformat() if period.until else None,
    }


def _relation(relation: Relation, entity: Entity, knowledge: Knowledge) -> dict[str, Any]:
    outwards = relation.subject == entity.name
    other = relation.object if outwards else relation.subject
    return {
        "says": _VERBS[relation.kind][0 if outwards else 1].format(other),
        "kind": relation.kind,
        "subject": relation.subject,
        "object": relation.object,
        "period": _period(relation.period),
        "note": relation.note,
        **_source(relation, knowledge),
    }


def _events(called: Sequence[str], observatory: Observatory | None) -> list[dict[str, Any]]:
    """Dated events whose subject is one of these names."""
    files: list[Path] = [SHIPPED_SIGNATURES.parent / EVENTS_FILE]
    if observatory is not None and observatory.events is not None:
        files.append(observatory.events)
    names = {name.casefold() for name in called}
    found = []
    for event in load_events(files):
        subjects = event.subject.replace(" and ", ";").replace("(", ";").replace(")", ";").split(";")
        if names.isdisjoint(part.strip().casefold() for part in [event.subject, *subjects]):
            continue
        found.append(
            {
                "date": event.date_start.isoformat(),
                "until": event.date_end.isoformat() if event.date_end else None,
                "kind": event.kind,
                "summary": event.summary,
                "source": event.source_url,
                "confidence": event.confidence,
            }
        )
    return found


# ---------------------------------------------------------------------------- for a person


def lines(told: Mapping[str, Any]) -> list[str]:
    """The answer of `who`, as lines."""
    span = _span(told["period"])
    found = [f"{told['name']}: {told['kind']}{', ' + span if span else ''}"]
    if told["source"]:
        found.append(f"  {told['said_by']}, confidence {told['confidence']}: {told['source']}")
    if told["note"]:
        found.append(f"  {told['note']}")
    if told["aliases"]:
        found += ["", "also called"]
        found += [f"  {one['alias']}  ({one['said_by']}, {one['confidence']})" for one in told["aliases"]]
    if told["relations"]:
        found += ["", "relations"]
        for one in told["relations"]:
            found += [f"  {one['says']}{_when(one)}{_remark(one)}", f"      {_cited(one)}"]
    if told["events"]:
        found += ["", "events"]
        for one in told["events"]:
            until = f" to {one['until']}" if one["until"] and one["until"] != one["date"] else ""
            found += [
                f"  {one['date']}{until}  {one['summary']}",
                f"      {one['source']}, {one['confidence']}",
            ]
    if told.get("observed"):
        seen = told["observed"]
        where = "here, of simulated mail" if seen.get("simulated") else "here"
        found += ["", f"{where}: {seen['messages']:,} messages, {seen['first_seen']} to {seen['last_seen']}"]
    return found


def _cited(one: Mapping[str, Any]) -> str:
    return f"according to {one['said_by']}, {one['confidence']}: {one['source']}"


def _when(one: Mapping[str, Any]) -> str:
    span = _span(one["period"])
    return f", {span}" if span else ""


def _remark(one: Mapping[str, Any]) -> str:
    return f" ({one['note'].rstrip('.')})" if one["note"] else ""


def _span(period: Mapping[str, str | None]) -> str:
    """A period in words: '2008-11 to 2010-09'."""
    since, until = period["since"], period["until"]
    if since and until:
        return f"{since} to {until}" if since != until else since
    return f"from {since}" if since else f"until {until}" if until else ""


def table(kinds: Mapping[str, Sequence[str]]) -> Table:
    """All names, a row a kind."""
    found = Table("kind", "names", box=None)
    for kind, names in kinds.items():
        found.add_row(kind, ", ".join(names))
    return found
