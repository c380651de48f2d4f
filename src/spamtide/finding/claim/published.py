"""A claim about what others published on the same days, side by side, and whether they agree."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from spamtide.finding.claim.draft import About, draft, export
from spamtide.finding.claim.volume import in_period, levels
from spamtide.finding.events import Event
from spamtide.finding.inputs import View
from spamtide.finding.words import Quote, Value, plural
from spamtide.statement import Claim

KINDS = frozenset({"decline", "rise", "recovery"})
AROUND = 7
"""Days before a change of the total from which on a published measurement may be about it."""
LONGEST = 45
"""Days: a measurement over a longer span is about something else."""
TOLD = 4


def published_claims(view: View) -> Iterator[Claim]:
    """What others measured of all spam while it moved here; nothing where it did not move or nobody did."""
    *_, percent = levels(view)
    onsets = [c.onset_low for c in view.inputs.changes if c.subject_kind == "total" and in_period(view, c)]
    if not onsets or not percent.sure:
        return
    found = [e for e in view.inputs.events if _about(e, min(onsets), view.period.until)]
    if not found:
        return
    found = sorted(found, key=lambda e: (e.date_start, e.subject, e.summary))[:TOLD]
    values: dict[str, Value] = {"k": len(found)}
    clauses = []
    for at, event in enumerate(found, start=1):
        values[f"who{at}"] = Quote(event.summary.rstrip("."))
        clauses.append(f"{{who{at}}}")
    many = len(found) > 1
    template = (
        f"{{k}} {plural(len(found), 'measurement')} of these days by others "
        f"{plural(len(found), 'is', 'are')} on record, {'each ' if many else ''}with "
        f"{'its own sensors and baseline' if many else 'sensors and a baseline of its own'}: "
        f"{'; '.join(clauses)}"
    )
    about = About("published", "total", "total", view.period.until, len(found), (), export("claims"))
    sources = {f"source_url{at}": event.source_url for at, event in enumerate(found, start=1)}
    yield draft(view, about, template + ".", values, **sources)


def _about(event: Event, onset: dt.date, until: dt.date) -> bool:
    """Whether a published measurement is about all spam in these days."""
    last = event.date_end or event.date_start
    return (
        event.kind in KINDS
        and event.subject_type == "global"
        and last <= until
        and onset - dt.timedelta(days=AROUND) <= event.date_start <= until
        and (last - event.date_start).days <= LONGEST
    )
