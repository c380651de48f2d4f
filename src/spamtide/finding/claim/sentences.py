"""Sentences for changes, as tables of templates, and which of them fits a change."""

from __future__ import annotations

import math

from spamtide.finding.claim.around import FALLS
from spamtide.finding.words import CONFIDENCE_WORDS, NEGLIGIBLE, word_from
from spamtide.model import Change, ChangeKind

ALLOWED_FOR = "This is the sensor, not the spam, and is allowed for."
TEMPLATES: dict[ChangeKind, tuple[str, str, str]] = {
    "decline": (
        "{name} {hedge}began to fall about {onset}",
        " and stood at {left} of its earlier level by {end}.",
        " and stands at {left} of its earlier level.",
    ),
    "cease": (
        "{name} {hedge}began to fall about {onset}",
        " and had fallen silent by {end}.",
        " and fell silent.",
    ),
    "rise": (
        "{name} {hedge}began to rise about {onset}",
        " and stood at {factor} its earlier level by {end}.",
        " and stands at {factor} its earlier level.",
    ),
    "resume": ("{name} was {hedge}back about {onset}{silence}", "{again}.", "{again}."),
    "surge": (
        "{name} {hedge}surged about {onset}, to {factor} its earlier level",
        ", and was back near it by {end}.",
        ".",
    ),
    "new": (
        "{name} was first seen on {first}{numbers}; {since} messages came to {sensors} of our sensors since",
        ".",
        ".",
    ),
    "attribution-loss": (
        "{known} {name} {hedge}fell about {onset} while {nameless} took its place; no fall is counted",
        ".",
        ".",
    ),
    "sensor-outage": (
        "Sensor {name}",
        " was down from {onset} to {end}, {days} days, and is allowed for.",
        " has been down since {onset} and is allowed for.",
    ),
    "sensor-change": (
        "Sensor {name} {hedge}changed about {onset}: {what}",
        f". {ALLOWED_FOR}",
        f". {ALLOWED_FOR}",
    ),
}
"""Kind -> opening, and how the sentence ends where the end of the change is known and where it is not."""
AT_ONCE: dict[str, str] = {
    "silent": "{name} {hedge}fell silent about {onset}, {within}.",
    "negligible": (
        "{name} {hedge}fell about {onset}, {within}, and is negligible, below {limit} of its earlier level."
    ),
    "fell": "{name} {hedge}fell about {onset}, {within}, to {left} of its earlier level.",
    "rose": "{name} {hedge}rose about {onset}, {within}, to {factor} its earlier level.",
}
"""The same for a move whose last day is as likely as not its first: how long it took at most."""
NEGLIGIBLE_ENDINGS = (
    " and was negligible, below {limit} of its earlier level, by {end}.",
    " and is negligible, below {limit} of its earlier level.",
)
"""The same for a fall to less than NEGLIGIBLE, but not to nothing."""


def sentence_of(change: Change, left: float = math.nan, *, trickle: bool = False) -> str:
    """The sentence for a change, its hedge already in it.

    A fall is worded by what is left of the level: silent only where no message came since, and by its end
    only where none came from that day on.
    """
    opening, ended, going_on = TEMPLATES[change.kind]
    if change.end == change.onset and change.kind in {*FALLS, "rise"}:
        how = "rose" if change.kind == "rise" else "fell" if left >= NEGLIGIBLE else "negligible"
        how = "silent" if change.kind == "cease" and not left > 0 and not trickle else how
        return AT_ONCE[how].replace("{hedge}", hedge(change.confidence))
    if change.kind in FALLS and (
        0 < left < NEGLIGIBLE or (change.kind == "cease" and not left > 0 and trickle)
    ):
        ended, going_on = NEGLIGIBLE_ENDINGS
    elif change.kind in FALLS and left >= NEGLIGIBLE:
        ended, going_on = TEMPLATES["decline"][1:]
    whole = opening + (ended if change.end is not None else going_on)
    return whole.replace("{hedge}", hedge(change.confidence))


def hedge(confidence: float) -> str:
    """'probably ' and the like, or nothing."""
    word = word_from(CONFIDENCE_WORDS, confidence)
    return f"{word} " if word else ""
