"""Whose a flood of all mail is, and where it came in."""

from __future__ import annotations

from spamtide.finding.claim.around import windows_around
from spamtide.finding.figures import Window, rate
from spamtide.finding.inputs import View
from spamtide.finding.words import SHARE_WORDS, Value, word_from
from spamtide.model import UNKNOWN, Change, Counts

MOST = 0.5
"""Share of what came beyond the level before from which a sender's name is said."""
NEARLY_ALL = 0.9
"""The same of the one sensor at which it came in."""


def whose_flood(view: View, change: Change, values: dict[str, Value]) -> str:
    """' Most of it was Ivy's.', its values put into `values`; '' where no sender has most of a flood.

    What came is what the days of the flood hold beyond the level before.
    """
    before, during = windows_around(view, change)
    whole = _beyond(view, view.daily("total", "total"), before, during)
    if whole <= 0:
        return ""
    senders = (*view.botnets, UNKNOWN)
    gains = {b: _beyond(view, view.daily("botnet", b), before, during) / whole for b in senders}
    sender = max(sorted(gains), key=lambda b: gains[b])
    rows = view.by_sensor("total", "total")
    places = {
        name: _beyond(view, row, before, during) / whole
        for name, row in zip(view.panel.sensors, rows, strict=True)
    }
    place = max(sorted(places), key=lambda name: places[name])
    clauses = []
    if gains[sender] >= MOST:
        values["flood_word"] = word_from(SHARE_WORDS, min(gains[sender], 1.0)).capitalize()
        named = "was mail that cannot be attributed"
        if sender != UNKNOWN:
            values["flood_sender"] = view.name(sender)
            named = "was {flood_sender}'s"
        clauses.append(f"{{flood_word}} of the flood {named}")
    if places[place] >= NEARLY_ALL and len(view.sensors_of("total", "total", before)) > 1:
        values["flood_sensor"] = place
        told = "and came" if clauses else "The flood came"
        clauses.append(f"{told} to one sensor, {{flood_sensor}}")
    return f" {' '.join(clauses)}." if clauses else ""


def _beyond(view: View, counts: Counts, before: Window, during: Window) -> float:
    """Messages of a flood's days beyond what the level before would have brought."""
    offset = view.offset()
    usual = rate(counts, offset, view.within(before))
    due = usual.count / usual.exposure * float(offset[view.within(during)].sum()) if usual.exposure else 0.0
    return float(counts[view.within(during)].sum()) - due
