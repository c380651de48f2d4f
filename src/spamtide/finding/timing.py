"""Claims about time: events that lie near a change, and what recorded silences say about a return."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spamtide.finding.draft import About, draft, export
from spamtide.finding.events import ACTIONS
from spamtide.finding.figures import Figure
from spamtide.finding.inputs import View
from spamtide.finding.links import Coincidence, coincidences
from spamtide.finding.moves import FALLS, subject_name, weight_of
from spamtide.finding.outlook import HORIZON, dormancies, outlook
from spamtide.finding.volume import SENSOR_KINDS, in_period
from spamtide.finding.words import Value, coincidence_word, plural
from spamtide.model import UNKNOWN, Change, Claim, Status

TOLD_EVENTS = 3
RARE = 0.05
ONSET_WORDS: dict[str, str] = {
    "decline": "the fall of {name} began",
    "cease": "the fall of {name} began",
    "rise": "the rise of {name} began",
    "resume": "the return of {name}",
    "surge": "the surge of {name} began",
    "new": "the first sighting of {name}",
    "switch": "the switch of {name}",
}
"""Kind of change -> how an event's distance from its onset is worded; other kinds have no event."""


def event_claims(view: View) -> Iterator[Claim]:
    """Events near an onset: the change's own subject or programme first, others only where rare."""
    moves = [
        c
        for c in view.inputs.changes
        if c.kind in ONSET_WORDS and c.kind not in SENSOR_KINDS and in_period(view, c)
    ]
    onsets = sorted({c.onset for c in moves})
    found: list[tuple[bool, float, Change, Coincidence]] = []
    for change in sorted(moves, key=lambda c: (-weight_of(view, c), c.onset, c.subject)):
        related = [change.subject, *_programmes(view, change)]
        for link in coincidences(change.onset, onsets, view.inputs.events, view.window):
            about = view.is_about(link.event, related)
            if (about or link.p <= RARE) and not any(link.event == other.event for *_, other in found):
                found.append((not about, -weight_of(view, change), change, link))
    found.sort(
        key=lambda item: (
            item[0],
            item[1],
            abs(item[3].days),
            item[3].event.date_start,
            item[3].event.subject,
        )
    )
    for _, weight, change, link in found[:TOLD_EVENTS]:
        yield _event(view, change, link, -weight)


def _programmes(view: View, change: Change) -> list[str]:
    """Programmes that a change's subject advertised over the whole record."""
    named = [p for p in (change.from_programme, change.to_programme) if p]
    if change.subject_kind == "botnet" and view.panel.days.size:
        mix = view.programme_mix(change.subject, (view.panel.days[0].item(), change.onset))
        named += [p for p in mix if p != UNKNOWN][:2]
    return named


def _event(view: View, change: Change, link: Coincidence, weight: float) -> Claim:
    """A coincidence in time, with how rare it is, and nothing beyond."""
    low = (link.event.date_start - change.onset_high).days
    high = (link.event.date_start - change.onset_low).days
    days = Figure(float(link.days), float(low), float(high))
    order = "after" if link.days >= 0 else "before"
    name = subject_name(view, change)
    values: dict[str, Value] = {
        "subject": link.event.subject,
        "day": link.event.date_start,
        "days": days if link.days >= 0 else days.flipped(),
        "name": name[0].lower() + name[1:] if change.subject_kind in {"total", "programme"} else name,
        "p": float(link.p),
        "shifts": link.shifts,
        "events": link.events,
        "onsets": link.onsets,
    }
    what = ACTIONS[link.event.kind].format("{subject}")
    what = what[0].upper() + what[1:]
    template = f"{what} is on record for {{day}}, {{days}} days {order} {ONSET_WORDS[change.kind]}"
    tested = (
        f"(p = {{p}}: {{shifts}} shifts of a calendar with {{events}} {plural(link.events, 'event')}, "
        f"{{onsets}} {plural(link.onsets, 'onset')})"
    )
    template += f", {coincidence_word(link.p)} {tested}"
    if link.p <= RARE:
        template += "; the data cannot say which way the arrow points, or whether there is one"
    about = About(
        "event",
        change.subject_kind,
        change.subject,
        link.event.date_start,
        view.count(change.subject_kind, change.subject, view.window),
        view.sensors_of(change.subject_kind, change.subject, view.window),
        export("changes"),
        weight=weight,
    )
    return draft(
        view, about, template + ".", values, source_url=link.event.source_url, summary=link.event.summary
    )


def outlook_claims(view: View, statuses: Sequence[Status]) -> Iterator[Claim]:
    """What recorded silences say, for the largest botnet that is quiet or silent now."""
    quiet = [s for s in statuses if s.volume in {"quiet", "gone"} and s.last_seen is not None]
    if not quiet:
        return
    status = quiet[0]
    falls = [c for c in view.inputs.changes if c.subject == status.botnet and c.kind in FALLS]
    start = status.last_seen
    if status.volume == "quiet" or start is None:
        start = max((c.end or c.onset for c in falls), default=view.period.until)
    lasted = max((view.period.until - start).days, 0)
    seen = outlook(dormancies(view.inputs.events, view.period.until), view.period.until, lasted)
    if seen is None:
        return
    values: dict[str, Value] = {
        "base": seen.base,
        "ended": seen.ended,
        "horizon": HORIZON,
        "share": seen.share,
        "name": view.name(status.botnet),
        "lasted": lasted,
    }
    template = (
        "Of {base} recorded silences of botnets, {ended} ended within {horizon} days ({share}). "
        f"{{name}}'s has lasted {{lasted}} {plural(lasted, 'day')}"
    )
    if seen.alike:
        values |= {"alike": seen.alike, "alike_ended": seen.alike_ended, "alike_share": seen.alike_share}
        template += "; of {alike} that had lasted as long, {alike_ended} ended within {horizon} days more "
        template += "({alike_share})"
    template += ". The record is short and holds what was published."
    about = About(
        "outlook",
        "botnet",
        status.botnet,
        view.period.until,
        seen.base,
        (),
        "spamtide status",
    )
    yield draft(view, about, template, values)
