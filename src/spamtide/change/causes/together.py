"""What all subjects do on one day at all sensors is not what senders do.

| what is seen | what is said |
|---|---|
| the only sensor's mail falls to next to nothing, or comes back | its outage: nobody collected |
| the same of its spam alone, while its other mail goes on | its change: spam is kept from it, or not kept |
| four botnets or more, `unknown` with them, fall or rise alike | a change in front of all sensors |
| the same by no more than a holiday does, no relay moved, other mail is as before | nothing: senders' |

Some botnets that stop on one day while others go on are senders, whatever the total does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from spamtide.change.causes.shared_days import HOLIDAY
from spamtide.change.causes.silence import UP, sides, usual_relay
from spamtide.change.causes.telling import NEGLIGIBLE, Judged
from spamtide.change.moves.event import Event
from spamtide.change.moves.segment import Bools
from spamtide.model import Change, ChangeKind, Counts, Exposure, Panel

NEAR = 4
"""Days between the total's move and a subject's for them to be one."""
FEWEST_ALIKE = 4
"""Botnets, the unattributed included, that must have moved alike."""
TELLING = 10.0
"""Messages that a botnet must have been expected to bring, or brought, to be asked."""
ALIKE = 2.2
"""Factor between a botnet's move and that of all mail up to which they are alike."""
NEARER, NOISE = 0.5, 2.0
"""Share of all mail's move, on a log scale, by which a botnet's may differ from it, so that it is nearer to
it than to none; and the standard deviations of its counts that are added."""
NOTHING = 0.12
"""Share left of a level below which falls are alike whatever is left."""
RELAYS_MOVED = 0.8
"""Share of the sensors with a known relay whose relay moved from which it stands in front of all."""
OTHER_MAIL, STAYS = 30.0, 0.5
"""Messages of other mail from which it shows whether it moved, too; and part of it that must come while next
to no spam does for somebody to be collecting."""
CONFIDENCE = 0.7
"""Of a change of all sensors that their mail alone shows."""


def together(panel: Panel, exposure: Exposure, judged: Sequence[Judged]) -> tuple[list[Judged], list[Change]]:
    """Take what all subjects did on one day off the botnets, and tell it as the sensors' change.

    Args:
        panel: the counts.
        exposure: the sensors' days.
        judged: believed events with their causes.

    Returns:
        The events, those explained with the cause 'sensor', and the changes of sensors that explain them.
    """
    totals = [item for item in judged if item.subject[0] == "total" and item.cause != "sensor"]
    found: list[tuple[Event, tuple[int, ...]]] = []
    for item in sorted(totals, key=lambda one: one.event.onset):
        sensors = _behind(panel, exposure, item.event)
        if sensors:
            found.append((item.event, sensors))
    if not found:
        return list(judged), []
    kept = [
        replace(item, cause="sensor") if any(_at_the_time(item.event, event) for event, _ in found) else item
        for item in judged
    ]
    changed = [outage for outage in exposure.outages if outage.kind == "changed" and not outage.steps]
    told = {outage.sensor: outage.start for outage in changed}
    new = [
        change
        for change in _changes(panel, found)
        if change.subject not in told or abs((told[change.subject] - change.onset).days) > NEAR
    ]
    return kept, new


def _behind(panel: Panel, exposure: Exposure, event: Event) -> tuple[int, ...]:
    """Sensors that an event of the total is the change of; () where it is the senders'."""
    if event.kind == "surge":
        return ()
    before, after = sides(event, panel.days)
    if not before.any() or not after.any():
        return ()
    spam = panel.counts[0]
    active = tuple(int(s) for s in np.flatnonzero(spam[:, before].any(axis=1) | spam[:, after].any(axis=1)))
    edge = min(event.before, event.after) < NEGLIGIBLE * max(event.before, event.after)
    alone = len(active) == 1 or (
        len(panel.sensors) > 1 and (exposure.values >= UP)[:, before].any(axis=1).sum() == 1
    )
    if alone and edge:
        return active
    if alone or not _everywhere(spam, exposure.values >= UP, before, after):
        return ()
    return active if _alike(panel, before, after) and _beyond_senders(panel, before, after, event) else ()


def _everywhere(spam: Counts, up: Bools, before: Bools, after: Bools) -> bool:
    """Whether all sensors with mail enough, and up, show the move: a large one alone is that sensor's."""
    ratios = []
    for row, seen in zip(spam, up, strict=True):
        mine, now = before & seen, after & seen
        if not mine.any() or not now.any():
            continue
        was, came = float(row[mine].mean()) * now.sum(), float(row[now].sum())
        if max(was, came) >= TELLING:
            ratios.append((came + 0.5) / (was + 0.5))
    whole = (spam[:, after].mean() + 1e-9) / (spam[:, before].mean() + 1e-9)
    if not ratios:
        return False
    return bool(max(ratios) < np.sqrt(whole) if whole < 1 else min(ratios) > np.sqrt(whole))


def _alike(panel: Panel, before: Bools, after: Bools) -> bool:
    """Whether all botnets with mail enough moved by about the same factor."""
    rows = [n for n, (kind, _) in enumerate(panel.subjects) if kind == "botnet"]
    mail = panel.counts[rows].sum(axis=1).astype(np.float64)
    was, now = mail[:, before].mean(axis=1), mail[:, after].mean(axis=1)
    days = int(after.sum())
    telling = np.maximum(was, now) * days >= TELLING
    if telling.sum() < FEWEST_ALIKE:
        return False
    ratio = (now[telling] * days + 0.5) / (was[telling] * days + 0.5)
    whole = float(now.sum() / max(was.sum(), 1e-9))
    if whole < NOTHING and (ratio < 2 * NOTHING).all():
        return True
    whole = max(whole, 1e-9)
    noise = np.sqrt(1 / (was[telling] * days + 0.5) + 1 / (now[telling] * days + 0.5))
    allowed = np.minimum(np.log(ALIKE), NEARER * abs(np.log(whole)) + NOISE * noise)
    return bool((np.abs(np.log(ratio / whole)) <= allowed).all() and (ratio < 1).all() == (whole < 1))


def _beyond_senders(panel: Panel, before: Bools, after: Bools, event: Event) -> bool:
    """Whether more than poor weeks is seen: over holidays, all senders send less."""
    whole = event.after / max(event.before, 1e-9)
    if not HOLIDAY < whole < 1 / HOLIDAY:
        return True
    return _relays_moved(panel, before, after) or _other_mail_moved(panel, before, after, whole)


def _relays_moved(panel: Panel, before: Bools, after: Bools) -> bool:
    """Whether nearly all sensors received by other relays after than before."""
    both = [(usual_relay(row, before), usual_relay(row, after)) for row in panel.relays]
    known = [was != now for was, now in both if was and now]
    return bool(known) and sum(known) >= RELAYS_MOVED * len(known)


def _other_mail_moved(panel: Panel, before: Bools, after: Bools, whole: float) -> bool:
    """Whether the sensors' other mail moved as spam did, rather than not at all."""
    ham = panel.ham.sum(axis=0)
    was, now = float(ham[before].sum()), float(ham[after].sum())
    if max(was, now) < OTHER_MAIL:
        return False
    moved = np.log((now + 0.5) / after.sum()) - np.log((was + 0.5) / before.sum())
    return bool(moved / np.log(whole) > NEARER)


def _other_mail(panel: Panel, sensor: int, event: Event) -> str:
    """What other mail a sensor has while it has next to no spam, in words; '' where that is too little."""
    before, after = sides(event, panel.days)
    was, now = (int(panel.ham[sensor, side].sum()) for side in (before, after))
    rates = was / before.sum(), now / after.sum()
    (low, rate), other = ((now, rates[1]), rates[0]) if event.kind == "fall" else ((was, rates[0]), rates[1])
    if low < OTHER_MAIL or rate < STAYS * other:
        return ""
    return f"other mail goes on: {was} in {before.sum()} days before, {now} in {after.sum()} after"


def _at_the_time(event: Event, total: Event) -> bool:
    """Whether a subject's event is part of the total's."""
    near = dt.timedelta(days=NEAR)
    last = total.end_high or total.onset_high
    return event.kind == total.kind and total.onset_low - near <= event.onset <= last + near


def _changes(panel: Panel, found: Sequence[tuple[Event, tuple[int, ...]]]) -> list[Change]:
    """The sensors' changes: an outage that ends with the next return, or a change that lasts."""
    told = []
    out = False
    for number, (event, sensors) in enumerate(found):
        edge = min(event.before, event.after) < NEGLIGIBLE * max(event.before, event.after)
        alone = edge and len(sensors) == 1
        if alone and out:
            out = event.kind == "fall"
            continue  # the end of the outage before, or more of it
        stays = _other_mail(panel, sensors[0], event) if alone else ""
        out = alone and not stays and event.kind == "fall"
        back = next((later for later, _ in found[number + 1 :] if later.kind == "rise"), None)
        ended = back if out else None
        kind: ChangeKind = "sensor-outage" if out else "sensor-change"
        if not alone:
            evidence = "all botnets moved alike on all sensors at one time"
        elif stays:
            evidence = f"the only sensor, {stays}"
        else:
            evidence = "the only sensor: with it all mail ends and begins"
        told += [
            Change(
                kind=kind,
                subject_kind="sensor",
                subject=panel.sensors[sensor],
                onset=event.onset,
                onset_low=event.onset_low,
                onset_high=event.onset_high,
                end=ended.onset if ended else None,
                end_low=ended.onset_low if ended else None,
                end_high=ended.onset_high if ended else None,
                ratio=event.ratio,
                confidence=CONFIDENCE,
                evidence=f"{event.before:.3g} -> {event.after:.3g} messages a day; {evidence}",
            )
            for sensor in sensors
        ]
    return told
