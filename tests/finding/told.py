"""What was told of a small world, and the changes that it is told from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from spamtide.finding import Event, FindingInputs, Findings, load_events
from spamtide.finding.figures import Window
from spamtide.model import Change
from spamtide.statement import Claim, Gathering

DAY = dt.timedelta(days=1)

Make = Callable[..., FindingInputs]
"""Makes the small world's inputs, with what a test wants otherwise."""

Campaigns = Callable[..., Callable[[Window], Gathering]]
"""Makes what gathers a window's mail, with the campaigns that a test wants."""


def shipped() -> tuple[Event, ...]:
    """The events that ship."""
    return load_events([Path(str(files("spamtide.knowledge") / "events.csv"))])


def said(found: Findings, kind: str, subject: str | None = None) -> Claim:
    """The one claim of a kind (and subject)."""
    fitting = [c for c in found.claims if c.kind == kind and subject in (None, c.subject)]
    assert len(fitting) == 1, [c.claim for c in found.claims]
    return fitting[0]


def shift(kind: str, subject: str, onset: str, **more: object) -> Change:
    """A change with an interval of a day on both sides and no end, unless told otherwise."""
    day = dt.date.fromisoformat(onset)
    fields: dict[str, object] = {
        "subject_kind": "botnet",
        "onset_low": day - DAY,
        "onset_high": day + DAY,
        "end": None,
        "end_low": None,
        "end_high": None,
        "ratio": None,
        "confidence": 0.99,
    }
    return Change(kind=kind, subject=subject, onset=day, **(fields | more))


def event(day: str, kind: str, subject: str, end: str = "", subject_type: str = "programme") -> Event:
    return Event(
        dt.date.fromisoformat(day),
        dt.date.fromisoformat(end) if end else None,
        kind,
        subject_type,
        subject,
        f"{subject} in a summary",
        "https://example.org/",
        "high",
    )
