"""Why a message was not given a name: which rules of that name do not match it, and by which strings."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from spamtide.attribution.signature.passing import PASSING
from spamtide.attribution.signature.quoted import QUOTED
from spamtide.attribution.signature.ruleset import Ruleset
from spamtide.knowledge import Knowledge
from spamtide.model import Signature

MOST = 6
"""Rules that are shown, those that nearly match first."""
_STRING = re.compile(
    r'^\s*\$(\w*)\s*=\s*(?:/((?:[^/\\\n]|\\.)+)/([is]*)|"((?:[^"\\\n]|\\.)*)")([a-z ]*)$', re.MULTILINE
)
_ESCAPED = re.compile(r"\\(.)")


def unreached(
    rendering: str, name: str, ruleset: Ruleset, hits: Collection[str], knowledge: Knowledge
) -> list[str]:
    """Lines for a person about every rule of a name, and what of each is missing in a message.

    Args:
        rendering: the message's rendering.
        name: a botnet or programme, or an alias of one, in any letter case.
        ruleset: the rules.
        hits: ids of the rules that match it.
        knowledge: resolves aliases.
    """
    wanted = knowledge.canonical(name).casefold()
    own = [
        signature
        for signature in ruleset.signatures.values()
        if knowledge.canonical(signature.name).casefold() == wanted and "unlike" not in signature.meta
    ]
    if not own:
        return [f"{name}: no rule speaks for it"]
    hits = {hit.rstrip(QUOTED + PASSING) for hit in hits} | set(hits)
    told = sorted(_missing(signature, rendering, _how(signature.rule, hits)) for signature in own)
    rules = "1 rule" if len(own) == 1 else f"{len(own)} rules"
    lines = [f"{name}: {rules}, {sum(signature.rule in hits for signature in own)} matching"]
    return (
        lines
        + [line for _, line in told[:MOST]]
        + ([f"  and {len(told) - MOST} more"] if len(told) > MOST else [])
    )


def _how(rule: str, hits: Collection[str]) -> str:
    """Whether a rule matches, and what of the message alone; '' where it does not."""
    if f"{rule}{QUOTED}" in hits:
        return " (only what the message quotes)"
    if f"{rule}{PASSING}" in hits:
        return " (only once in the running prose of a mailing list's letter)"
    return " " if rule in hits else ""


def _missing(signature: Signature, rendering: str, how: str) -> tuple[tuple[float, str], str]:
    """How far a rule is from matching, and the line that says so."""
    if how:
        return (0.0, signature.rule), f"  matches  {signature.rule}{how}".rstrip()
    strings = _strings(signature)
    without = [key for key, pattern in strings if (pattern.search(rendering) is None) != (key == "never")]
    share = len(without) / len(strings) if strings else 1.0
    what = f"{len(strings) - len(without)} of {len(strings)} strings; not: {', '.join(without)}"
    return (share, signature.rule), f"  no match {signature.rule} ({what if strings else 'strings not read'})"


def _strings(signature: Signature) -> list[tuple[str, re.Pattern[str]]]:
    """The strings of a rule's text as Python patterns; those that Python does not take are left out."""
    try:
        lines = Path(signature.file).read_text(encoding="utf-8").splitlines()[signature.line - 1 :]
    except OSError:
        return []
    end = next((place for place, line in enumerate(lines) if line.startswith("}")), len(lines))
    found = []
    for key, pattern, flags, text, modifiers in _STRING.findall("\n".join(lines[:end])):
        nocase = re.IGNORECASE if "i" in flags or "nocase" in modifiers else 0
        try:
            source = pattern or re.escape(_ESCAPED.sub(r"\1", text))
            found.append((key, re.compile(source, nocase)))
        except re.error:
            continue
    return found
