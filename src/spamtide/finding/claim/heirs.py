"""Claims that a programme went on: a botnet fell, and other mail carries what it had carried."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from spamtide.finding.claim.around import FALLS, LOOK_BACK, in_percent, level_ratio, weight_of, windows_around
from spamtide.finding.claim.draft import About, draft, rows_of
from spamtide.finding.claim.engines import heir_engine
from spamtide.finding.claim.volume import in_period
from spamtide.finding.figures import Figure, Window, rate, ratio, share_of
from spamtide.finding.inputs import View
from spamtide.finding.lost import lost_name
from spamtide.finding.words import Value
from spamtide.model import UNKNOWN, Change, Counts
from spamtide.statement import Claim

MOST = 0.5
"""Share of a programme's mail that the fallen had sent: of less, nobody would ask who carries it now."""
ENDED = 0.2
"""Most that may be left of the fallen, of its earlier level."""
LEAST_LEFT = 1 / 3
"""Least level of the programme now, of that before, at which it may be said to have gone on."""
LEAST_MESSAGES = 30
"""Messages of a programme before the fall, and since, from which shares are said."""
LEAST_GAIN = 25.0
"""Points of share that the heir won."""
NAMELESS = "mail that cannot be attributed"


@dataclass(frozen=True, slots=True)
class Heir:
    """Who carries a programme now."""

    sender: str
    now: Figure
    before: Figure


def heir_claims(view: View) -> Iterator[Claim]:
    """For each programme that outlived the botnet that carried most of it: who carries it, by which engine.

    Said only where the heir's own mail for it grew beyond chance, and not just its share of what is left.
    """
    falls = [
        c
        for c in view.inputs.changes
        if c.subject_kind == "botnet"
        and c.subject != UNKNOWN
        and c.kind in FALLS
        and in_period(view, c)
        and level_ratio(view, c).value <= ENDED
        and _gone_since(view, c)
    ]
    told: set[str] = set()
    for change in sorted(falls, key=lambda c: (-weight_of(view, c), c.onset, c.subject)):
        for programme in _carried(view, change):
            claim = _claim(view, change, programme) if programme not in told else None
            if claim is not None:
                told.add(programme)
                yield claim
                if claim.numbers["heir_name"] == UNKNOWN:
                    engine = heir_engine(view, programme, change, _lately(view, change)[1])
                    yield from [engine] if engine else []


def _windows(view: View, change: Change) -> tuple[Window, Window]:
    """The four weeks before a fall, and all days since it: 'since' is to the period's end."""
    before = (change.onset_low - dt.timedelta(days=LOOK_BACK), change.onset_low - dt.timedelta(days=1))
    return before, (windows_around(view, change)[1][0], view.period.until)


def _gone_since(view: View, change: Change) -> bool:
    """Whether the fallen stayed away: of who was back nobody would ask who carries its programme on."""
    return _level(view, view.daily("botnet", change.subject), *_windows(view, change)).value <= ENDED


def _carried(view: View, change: Change) -> list[str]:
    """Programmes of which the fallen sent most."""
    before, _ = _windows(view, change)
    return [
        programme
        for programme, n in view.programme_mix(change.subject, before).items()
        if programme != UNKNOWN and n > MOST * view.count("programme", programme, before)
    ]


def _lately(view: View, change: Change) -> tuple[Window, Window]:
    """The four weeks before a fall, and the days since it that stand for now: the last four weeks at most.

    Who carries a programme may change again, so that all days since say nothing of how things stand.
    """
    before, (since, until) = _windows(view, change)
    return before, (max(since, until - dt.timedelta(days=LOOK_BACK - 1)), until)


def _claim(view: View, change: Change, programme: str) -> Claim | None:
    """That a programme goes on, at which level, and who carries it."""
    before, after = _lately(view, change)
    was, now = (view.count("programme", programme, window) for window in (before, after))
    if min(was, now) < LEAST_MESSAGES:
        return None
    left = _level(view, view.daily("programme", programme), before, after)
    heir = _heir(view, change, programme)
    if heir is None or not left.value >= LEAST_LEFT:
        return None
    nameless = heir.sender == UNKNOWN
    values: dict[str, Value] = {
        "name": view.name(change.subject),
        "programme": view.name(programme),
        "since": after[0],
        "until": before[1],
        "heir": NAMELESS if nameless else view.name(heir.sender),
        "now": heir.now,
        "before": heir.before,
        "left": in_percent(left),
    }
    template = (
        "Mail for {programme} did not end with {name}: {now} of it since {since} "
        f"{'is' if nameless else 'comes from'} {{heir}}, against {{before}} in the four weeks to {{until}}, "
        "and it stands at {left} of its level of then."
    )
    about = About(
        "carried-on",
        "programme",
        programme,
        change.onset,
        now,
        view.sensors_of("programme", programme, after),
        rows_of("programme", programme, *after),
        weight=weight_of(view, change),
        confidence=change.confidence,
    )
    return draft(view, about, template, values, heir_name=heir.sender)


def _heir(view: View, change: Change, programme: str) -> Heir | None:
    """Whose share of a programme's mail grew most, if its own mail for it grew too."""
    before, after = _lately(view, change)
    was, now = (view.count("programme", programme, window) for window in (before, after))
    found = []
    for sender, counts in sorted(_senders(view, programme).items()):
        if sender == change.subject:
            continue
        then, since = (int(counts[view.within(window)].sum()) for window in (before, after))
        heir = Heir(sender, share_of(since, now), share_of(then, was))
        grown = _level(view, counts, before, after)
        if then and not (grown.low is not None and grown.low > 1):
            continue
        if heir.now.value - heir.before.value >= LEAST_GAIN:
            found.append(heir)
    return max(found, key=lambda heir: heir.now.value - heir.before.value, default=None)


def _senders(view: View, programme: str) -> dict[str, Counts]:
    """Who carries a programme, by the day; the mail of names that were lost is `unknown`'s on all days.

    It goes on without a name: what `unknown` has more of since is no growth, where it was somebody's before.
    """
    found: dict[str, Counts] = {}
    for (sender, carried), counts in view.panel.pairs.items():
        if carried == programme:
            owner = UNKNOWN if sender == UNKNOWN or lost_name(view, sender) else sender
            found[owner] = found[owner] + counts if owner in found else counts
    return found


def _level(view: View, counts: Counts, before: Window, after: Window) -> Figure:
    """Level of some daily counts since, over that before, by the sensors that were up."""
    daily = np.asarray(counts)
    return ratio(*(rate(daily, view.offset(), view.within(window)) for window in (after, before)))
