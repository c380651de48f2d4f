"""Questions about verdicts: why a message has not a name, and what a campaign's answers rest on."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from spamtide import pipeline
from spamtide.attribution import load_signatures, unreached
from spamtide.campaign import resolve
from spamtide.errors import UnavailableError
from spamtide.knowledge import load_knowledge
from spamtide.observatory import Observatory
from spamtide.store import rollup

PIECES = 8
"""Kinds of evidence that are shown for a campaign."""


def not_reached(observatory: Observatory, prefix: str, name: str) -> list[str]:
    """Why a message was not given a name, rule by rule.

    Args:
        observatory: the observatory.
        prefix: the first hexadecimal digits of the message's SHA-256.
        name: a botnet or programme.

    Raises:
        UnavailableError: no such message.
    """
    rows = rollup.message(observatory.lake, prefix)
    if not rows:
        message = f"no message {prefix} in this observatory"
        raise UnavailableError(message, "`spamtide export observations` lists them")
    knowledge = load_knowledge(observatory.knowledge)
    ruleset = load_signatures(pipeline.signature_folders(observatory), knowledge)
    lines = ["", f"why not {name}?"]
    for row in rows[:1]:
        lines += unreached(row["rendering"] or "", name, ruleset, row["rules"] or ())
        pieces = [
            one for one in json.loads(row["evidence"] or "[]") if one["name"].casefold() == name.casefold()
        ]
        lines += [f"  {one['weight']:+.2f} ({one['layer']}): {one['what']}" for one in pieces]
        if not pieces:
            lines.append("  no evidence of any layer speaks for or against it")
    return lines


def campaign(observatory: Observatory, name: str) -> dict[str, Any]:
    """What a campaign's messages were answered, and which evidence stands behind how many of them.

    Raises:
        UnavailableError: no such campaign.
    """
    names = resolve(observatory.lake.read("lineage"))
    rows = rollup.campaign_answers(observatory.lake, names.get(name, name), rollup.aliases(names))
    if not rows:
        message = f"no campaign {name} in this observatory"
        raise UnavailableError(message, "`spamtide export campaigns` lists them")
    total = sum(row["messages"] for row in rows)
    answers: Counter[tuple[str, str]] = Counter()
    pieces: Counter[tuple[str, str, str, str, float]] = Counter()
    for row in rows:
        answers["botnet", row["botnet"]] += row["messages"]
        answers["programme", row["programme"]] += row["messages"]
        for one in json.loads(row["evidence"] or "[]"):
            pieces[one["kind"], one["name"], one["layer"], one["what"], one["weight"]] += row["messages"]
    lines = [f"campaign   {names.get(name, name)}", f"messages   {total:,}, for instance {rows[0]['sha256']}"]
    for kind in ("botnet", "programme"):
        told = [(what, count) for (of, what), count in answers.most_common() if of == kind]
        lines += ["", f"{kind}: {', '.join(f'{what} {count:,}' for what, count in told)}"]
        own = [(piece, count) for piece, count in pieces.most_common() if piece[0] == kind]
        lines += [
            f"  {weight:+.2f} {of} ({layer}), {count:,} of {total:,} messages: {what}"
            for (_, of, layer, what, weight), count in own[:PIECES]
        ]
    return {"campaign": names.get(name, name), "messages": total, "lines": lines}
