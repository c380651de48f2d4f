"""How a claim is drafted: id, sentence, numbers, command and rank in one place."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from spamtide.finding.figures import Window
from spamtide.finding.inputs import View
from spamtide.finding.words import Value, tell
from spamtide.model import SubjectKind
from spamtide.statement import Claim

RANK: dict[str, float] = {
    "level": 100,
    "thin": 100,
    "dark": 100,
    "unclear": 100,
    "nothing-changed": 99,
    "decomposition": 95,
    "exchange": 94,
    "sensor-change": 45,
    "attribution-loss": 75,
    "decline": 70,
    "cease": 70,
    "rise": 70,
    "resume": 70,
    "surge": 70,
    "new": 68,
    "switch": 68,
    "status": 65,
    "advertised": 64,
    "carried-on": 79,
    "heir-engine": 78,
    "engine": 62,
    "event": 82,
    "nearby": 48,
    "published": 44,
    "botnets": 40,
    "programmes": 39,
    "campaigns": 38,
    "sensor-outage": 30,
    "effect": 63,
    "outlook": 20,
    "forecast": 19,
    "coverage": 15,
    "hindsight": 14,
    "labels": 12,
    "quarantine": 10,
}
"""Kind of claim -> where an editor would put it. A subject's share of all mail adds up to 20."""

MAIL, MEASURED = ("observations", "attributions"), ("series",)
TABLES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "level",
            "decomposition",
            "exchange",
            "thin",
            "dark",
            "unclear",
            "nothing-changed",
            "forecast",
            "effect",
        ),
        MEASURED,
    ),
    **dict.fromkeys(
        (
            "botnets",
            "programmes",
            "advertised",
            "carried-on",
            "heir-engine",
            "engine",
            "coverage",
            "hindsight",
            "labels",
        ),
        MAIL,
    ),
    "campaigns": ("observations", "campaigns"),
    "status": (*MAIL, "series", "checks"),
    "quarantine": ("quarantine",),
}
"""Kind of claim -> tables that it is made from; for those not named it is CHANGED."""
CHANGED = ("changes", "series", *MAIL)

KIND_DISCOUNT: dict[SubjectKind, float] = {"total": 0, "botnet": 0, "sensor": 0, "programme": 15}
"""A programme's change mostly repeats its botnets', so it comes after them."""


@dataclass(frozen=True, slots=True)
class About:
    """What a claim is about and rests on."""

    kind: str
    subject_kind: SubjectKind
    subject: str
    day: dt.date
    n: int
    sensors: tuple[str, ...]
    command: str
    weight: float = 0.0
    """Share of all mail that it concerns, 0-1."""
    confidence: float = 1.0
    lift: float = 0.0
    """Importance beyond what kind and weight give."""


def about_all(view: View, kind: str, window: Window) -> About:
    """What a claim about all mail in a window rests on."""
    return About(
        kind=kind,
        subject_kind="total",
        subject="total",
        day=view.period.until,
        n=view.count("total", "total", window),
        sensors=view.sensors_of("total", "total", window),
        command=rows_of("total", "total", *window),
    )


def draft(
    view: View, about: About, template: str, values: Mapping[str, Value], **more: float | str | None
) -> Claim:
    """Make a claim; `more` are numbers that stand behind the sentence without being in it."""
    sentence, numbers = tell(template, values, view.year)
    if view.inputs.totals.simulated:
        numbers["data"] = "simulated"
    weight = min(max(about.weight, 0.0), 1.0)
    return Claim(
        claim=f"{about.kind}:{about.subject_kind}:{about.subject}:{about.day.isoformat()}",
        kind=about.kind,
        subject_kind=about.subject_kind,
        subject=about.subject,
        sentence=sentence,
        numbers=numbers | more,
        n=about.n,
        sensors=about.sensors,
        command=about.command,
        importance=round(RANK[about.kind] - KIND_DISCOUNT[about.subject_kind] + 20 * weight + about.lift, 4),
        confidence=round(about.confidence, 4),
        versions={
            table: version
            for table, version in sorted(view.inputs.versions.items())
            if table in TABLES.get(about.kind, CHANGED)
        },
    )


def export(table: str, **filters: dt.date | str) -> str:
    """The command that shows the rows behind a claim; a person may paste it into a shell."""
    parts = ["spamtide", "export", table]
    for name, value in filters.items():
        parts += [f"--{name}", shlex.quote(value.isoformat() if isinstance(value, dt.date) else value)]
    return " ".join(parts)


def rows_of(subject_kind: SubjectKind, subject: str, since: dt.date, until: dt.date) -> str:
    """The messages of one subject between two days, as they are counted: no lab's and no ordinary mail."""
    chosen: dict[str, dt.date | str] = {} if subject_kind == "total" else {subject_kind: subject}
    return export("observations", **chosen, label="wild", since=since, until=until)
