"""The life of a rule: in force or not, when it last hit, and whether it is stale."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from spamtide.attribution.signature.ruleset import Ruleset
from spamtide.model import Signature

State = Literal["live", "stale", "never hit", "expired", "not yet", "untried"]
STATES: tuple[State, ...] = get_args(State)

STALE_DAYS = 90
"""Days of mail without a hit after which a rule in force is stale. Traits of bots lived two to four years,
texts of programmes live for weeks: a quarter is when to look again."""


@dataclass(frozen=True, slots=True)
class Life:
    """One rule and what became of it."""

    signature: Signature
    state: State
    wild: int
    """Spam of the wild that it hit."""
    lab: int
    ham: int
    first_hit: dt.date | None
    """Days of the first and the last hit on spam, of the wild or a lab's."""
    last_hit: dt.date | None


def lives(
    ruleset: Ruleset, hits: Mapping[str, Mapping[str, Any]], mail: tuple[dt.date | None, dt.date | None]
) -> tuple[Life, ...]:
    """The life of every rule, in the order of rule ids.

    Args:
        ruleset: the rules.
        hits: rule -> wild, lab, ham (counts), first_hit, last_hit (days).
        mail: first and last day of spam that the rules were tried on.
    """
    found = []
    for rule, signature in sorted(ruleset.signatures.items()):
        seen = hits.get(rule, {})
        last = seen.get("last_hit")
        found.append(
            Life(
                signature=signature,
                state=_state(signature, int(seen.get("wild", 0)) + int(seen.get("lab", 0)), last, mail),
                wild=int(seen.get("wild", 0)),
                lab=int(seen.get("lab", 0)),
                ham=int(seen.get("ham", 0)),
                first_hit=seen.get("first_hit"),
                last_hit=last,
            )
        )
    return tuple(found)


def _state(
    signature: Signature, hits: int, last_hit: dt.date | None, mail: tuple[dt.date | None, dt.date | None]
) -> State:
    """Where a rule stands on the last day of the mail."""
    first, last = mail
    if first is None or last is None:
        return "untried"
    if signature.expires and signature.expires < last:
        return "expired"
    if signature.valid_from and signature.valid_from > last:
        return "not yet"
    tried_since = max(first, signature.valid_from) if signature.valid_from else first
    if not hits:
        return "never hit" if (last - tried_since).days >= STALE_DAYS else "untried"
    return "stale" if last_hit and (last - last_hit).days > STALE_DAYS else "live"
