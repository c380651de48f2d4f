"""Say why a subject went quiet: it stopped, the sensors were lost, or the attribution was lost.

| cause | what speaks for it |
|---|---|
| stopped | the fall shows on sensors that were up and unchanged before and after it |
| sensor | a sensor came, went or changed at that time, and the sensors that did not show no such move |
| attribution | `unknown` rose by about what the subject lost, at the same time, and the total stayed |
| regained | the mirror of the last: the subject won what `unknown` lost |
| turnover | a programme lost or won what its own botnets' `unknown` won or lost, as it does now and then |
| doubtful | `unknown` rose as for a lost name, and nothing but the numbers says that it is the same mail |

These are causes by counts; where messages are at hand, `trail` looks for the subject in mail without a name.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from spamtide.change.causes.handover import DEEP, Handover, amounts, handover
from spamtide.change.mixes.turnover import renamed, turnover
from spamtide.change.moves.alarm import lower_tail
from spamtide.change.moves.event import Event
from spamtide.change.moves.segment import Bools
from spamtide.model import UNKNOWN, Change, Counts, Exposure, Floats, Outage, Panel, SubjectKind

Cause = Literal["stopped", "sensor", "attribution", "regained", "turnover", "doubtful"]

REACH = 28
"""Units before and after a move that levels are compared over."""
NEAR = 3
"""Days between a move and a sensor's for the one to be a possible cause of the other."""
LEAST_EXPECTED = 5.0
"""Messages that witnesses must be expected to have seen, had nothing changed, to bear witness."""
UP = 0.5
"""Exposure from which a sensor's day can bear witness."""
FEWEST_DAYS = 2
"""Days on either side of a move below which a sensor says nothing about it."""
MOSTLY, WEATHER = 0.6, 0.7
"""Part of a programme's loss that one botnet's mail must be for the one to explain the other, and share of
the level before from which, with that botnet's mail put back, no fall is left."""
SLIGHTEST = 0.5
"""Messages a day that an `unknown` is uncertain by which never had any."""
NEAR_BEFORE, NEAR_AFTER = 21, 10
"""Days on either side over which names are compared."""
WITNESS_CHANCE, LEAST_UNEVEN = 1e-4, 0.02
"""Chance of as little mail at the other sensors from which they bear witness of a fall, and the least
over-dispersion that it is reckoned with."""
SLACK_T = 1.5
"""Standard errors by which that may be missed."""
ABOUT_AS_MUCH = (0.5, 2.0)
"""What `unknown` won against what the subject lost, for the one to have become the other."""
STAYED = 0.4
"""Part of the subject's loss that the total may have lost when only names were lost."""
LEAST_T = 3.0
"""Standard errors by which `unknown` must have moved."""
YOUNG = 3
"""Days of a young fall."""
LEAST_CONFIDENCE = 0.5
"""Outages that are less sure than this are not reported."""
REACHES, ENOUGH_MAIL = (28, 84, 252), 30
"""Days that a changed sensor is compared over: the fewest that held enough messages before."""
LEFT_FOR_GOOD = 7
"""Days of absence at the end of the panel from which a sensor is reported as lost."""


def find_cause(
    panel: Panel,
    exposure: Exposure,
    subject: tuple[SubjectKind, str],
    event: Event,
    usual: Floats,
    weekday: Floats,
    ratio: float,
) -> Cause:
    """The cause of one event of one subject.

    Args:
        panel: the counts.
        exposure: the sensors' days and outages.
        subject: kind and name.
        event: its move.
        usual: exposure of all sensors together, shape (days,), 1 at usual, 0 where none was up.
        weekday: factor of each day's weekday on all mail, shape (days,).
        ratio: the event ratio of the settings.
    """
    if subject not in panel.subjects:
        return "stopped"
    if _by_sensor(panel, exposure, subject, event, weekday, ratio):
        return "sensor"
    kind, name = subject
    if kind == "programme" and event.kind != "surge":
        before, after = sides(event, panel.days)
        up = usual > 0
        near = _nearest(before & up, -NEAR_BEFORE), _nearest(after & up, NEAR_AFTER)
        names = turnover(panel, name, (before, after), usual * weekday, ratio)
        names = names or turnover(panel, name, near, usual * weekday, ratio)
        if names is None and event.kind == "fall" and renamed(panel, name, near, usual * weekday, ratio):
            names = "lost"
        if names is not None:
            return "attribution" if names == "lost" else "turnover"
    nameless = (kind, UNKNOWN)
    if kind == "total" or name == UNKNOWN or nameless not in panel.subjects or event.kind == "surge":
        return "stopped"
    witness = _witnesses(panel, exposure, subject, event)
    return _by_name(panel, witness, subject, event, usual * weekday)


def compared(panel: Panel, subject: tuple[SubjectKind, str], event: Event, usual: Floats) -> Moved:
    """How a subject's messages a day moved about an event; see `moved_about`."""
    return moved_about(panel, panel.counts[panel.subjects.index(subject)].sum(axis=0), event, usual)


def moved_about(panel: Panel, count: Counts, event: Event, usual: Floats) -> Moved:
    """How messages a day moved about an event.

    Args:
        panel: the observatory's days.
        count: messages by day over all sensors, shape (days,).
        event: the move whose days before and after are compared.
        usual: exposure of all sensors together, shape (days,), 1 at usual, 0 where none was up.

    Returns:
        The move; NOTHING where no sensor was up before the event, or after it.
    """
    before, after = days = _about(event, panel, usual)
    return _moved_between(count, days, usual) if before.any() and after.any() else NOTHING


def _about(event: Event, panel: Panel, usual: Floats) -> tuple[Bools, Bools]:
    """The days before and after a move over which names are compared."""
    before, after = sides(event, panel.days)
    up = usual > 0
    if not (after & up).any():
        # All that there is since may be days on which it may have begun.
        after = (panel.days >= np.datetime64(event.onset)) & (panel.days < np.datetime64(event.until))
    # What changed its name did so on one day: over weeks, `unknown` drifts as anything does.
    return _nearest(before & up, -NEAR_BEFORE), _nearest(after & up, NEAR_AFTER)


def sides(event: Event, days: np.ndarray[tuple[int], np.dtype[np.datetime64]]) -> tuple[Bools, Bools]:
    """Days at the level before and days at the level after, at most REACH units of each."""
    reach = np.timedelta64(REACH * event.step, "D")
    last = np.datetime64(event.onset_low)
    first = np.datetime64(event.end_high or event.onset_high)
    before = (days >= max(np.datetime64(event.since), last - reach)) & (days < last)
    after = (days >= first) & (days < min(np.datetime64(event.until), first + reach))
    return before, after


def _by_sensor(
    panel: Panel,
    exposure: Exposure,
    subject: tuple[SubjectKind, str],
    event: Event,
    usual: Floats,
    ratio: float,
) -> bool:
    """Whether sensors that moved at that time carry the move alone."""
    if not any(outage.touches(subject) and _touches(outage, event) for outage in exposure.outages):
        return False
    counts = panel.counts[panel.subjects.index(subject)]
    witness = _witnesses(panel, exposure, subject, event)
    before, after = sides(event, panel.days)
    if event.kind == "surge":
        after = (panel.days >= np.datetime64(event.onset)) & (
            panel.days < np.datetime64(event.end or event.until)
        )
    if before.sum() < FEWEST_DAYS or not after.any():
        return False
    expected = saw = 0.0
    for row, sees, relays in zip(counts, witness, panel.relays, strict=True):
        mine_before, mine_after = sees & before, sees & after
        if usual_relay(relays, mine_before) != usual_relay(relays, mine_after):
            # It moved while others changed: no witness, even if it is too thin to be called changed.
            continue
        if mine_before.sum() < FEWEST_DAYS or mine_after.sum() < min(FEWEST_DAYS, after.sum()):
            continue
        if usual[mine_before].sum() <= 0:
            continue
        expected += float(row[mine_before].sum() / usual[mine_before].sum() * usual[mine_after].sum())
        saw += float(row[mine_after].sum())
    # They show it if they show half of it, on a log scale.
    low, high = sorted((event.before, event.after))
    shown = math.sqrt(max(ratio, low / high if high > 0 else 0.0))
    if event.kind == "fall":
        # A day or two of poor mail on the others is no fall on the others.
        days = counts.sum(axis=0)[before]
        uneven = max(float(days.var() - days.mean()), 0.0) / max(float(days.mean()) ** 2, 1e-9)
        size = max(int(after.sum()), 1) / max(uneven, LEAST_UNEVEN)
        chance = lower_tail(saw, expected, size)
        return expected < LEAST_EXPECTED or saw > shown * expected or chance > WITNESS_CHANCE
    # After a rise the messages seen, not those expected, are what bears witness.
    return saw < LEAST_EXPECTED or expected > shown * saw


def usual_relay(relays: Sequence[str], days: Bools) -> str:
    """The relay that a sensor received by on most of some days; '' when there is none."""
    named = Counter(relay for relay, wanted in zip(relays, days, strict=False) if wanted and relay)
    return named.most_common(1)[0][0] if named else ""


def _witnesses(panel: Panel, exposure: Exposure, subject: tuple[SubjectKind, str], event: Event) -> Bools:
    """Days on which each sensor can bear witness of a subject's move, shape (sensors, days).

    Not while it is out; and after a change a sensor is another sensor, which can only be compared with
    itself on one side of that change.
    """
    witness: Bools = exposure.values >= UP
    onset = np.datetime64(event.onset)
    for outage in exposure.outages:
        # One that drifts bears witness of what happens in days.
        if outage.sensor not in panel.sensors or not outage.touches(subject) or outage.steps:
            continue
        row = panel.sensors.index(outage.sensor)
        first = np.datetime64(outage.onset_low or outage.start)
        last = panel.days[-1] if outage.end is None else np.datetime64(outage.end)
        witness[row, (panel.days >= first) & (panel.days <= last)] = False
        if outage.kind == "changed":
            earlier = first <= onset
            witness[row, panel.days <= last if earlier else panel.days >= first] = False
    return witness


def _touches(outage: Outage, event: Event) -> bool:
    """Whether an outage began or ended near the move; what drifts over months carries none of days."""
    if outage.steps:
        return False
    near = dt.timedelta(days=NEAR)
    first = event.onset_low - near
    last = (event.end_high or event.onset_high) + near
    edges = [outage.start] if outage.end is None else [outage.start, outage.end + dt.timedelta(days=1)]
    return any(first <= edge <= last for edge in edges)


def _by_name(
    panel: Panel, witness: Bools, subject: tuple[SubjectKind, str], event: Event, usual: Floats
) -> Cause:
    """Whether the subject's mail only changed its name, as a whole or programme by programme."""
    before, after = days = _about(event, panel, usual)
    if not before.any() or not after.any():
        return "stopped"
    (mine, other), (known, nameless) = _exchanges(panel, subject, days, usual)
    everything = _moved_between(panel.counts[0].sum(axis=0), days, usual)
    if event.kind == "fall" and event.after <= DEEP * event.before and after.sum() <= YOUNG:
        odds = [_odds(mine, other)] if _both_stayed(mine, other, everything) else []
        odds += [_odds(known, nameless)] if known.change and _stayed(mine, _sum([known, nameless])) else []
        lost = bool(odds) and _handover(panel, witness, subject, days, usual).outweighs(max(odds))
        return "attribution" if lost else "stopped"
    if _exchanged(mine, other) and _both_stayed(mine, other, everything):
        return _explained(panel, witness, subject, event, days, usual)
    if known.change and _exchanged(known, nameless) and _stayed(mine, _sum([known, nameless])):
        return _explained(panel, witness, subject, event, days, usual)
    return "stopped"


def counts_for_lost_name(
    panel: Panel, subject: tuple[SubjectKind, str], event: Event, usual: Floats
) -> float:
    """Log-likelihood ratio by amounts alone of `unknown` having won what a subject lost; 0 where unknown."""
    before, after = days = _about(event, panel, usual)
    if not before.any() or not after.any():
        return 0.0
    whole, by_programme = _exchanges(panel, subject, days, usual)
    return max(_odds(*whole), _odds(*by_programme) if by_programme[0].change else -math.inf)


def _exchanges(
    panel: Panel, subject: tuple[SubjectKind, str], days: tuple[Bools, Bools], usual: Floats
) -> tuple[tuple[Moved, Moved], tuple[Moved, Moved]]:
    """How a subject and `unknown` moved: all their mail, and that of the programmes that a botnet named.

    The links may still name the programmes: then each programme's mail only changed hands.
    """
    kind, name = subject
    mine, other = (
        _moved_between(panel.counts[panel.subjects.index(one)].sum(axis=0), days, usual)
        for one in (subject, (kind, UNKNOWN))
    )
    own = [programme for owner, programme in panel.pairs if owner == name and programme != UNKNOWN]
    known, nameless = (
        _sum(
            [
                _moved_between(panel.pairs[owner, programme], days, usual)
                for programme in own
                if kind == "botnet" and (owner, programme) in panel.pairs
            ]
        )
        for owner in (name, UNKNOWN)
    )
    return (mine, other), (known, nameless)


def _moved_between(count: Counts, days: tuple[Bools, Bools], usual: Floats) -> Moved:
    """How messages a day moved from some days to others."""
    before, after = days
    return compare(count[before] / usual[before], count[after] / usual[after])


def _handover(
    panel: Panel, witness: Bools, subject: tuple[SubjectKind, str], days: tuple[Bools, Bools], usual: Floats
) -> Handover:
    """What speaks for `unknown` having taken a subject's mail over."""
    mine = panel.counts[panel.subjects.index(subject)]
    nameless = panel.counts[panel.subjects.index((subject[0], UNKNOWN))]
    return handover(mine, nameless, witness, days, usual)


def _explained(
    panel: Panel,
    witness: Bools,
    subject: tuple[SubjectKind, str],
    event: Event,
    days: tuple[Bools, Bools],
    usual: Floats,
) -> Cause:
    """What a move is whose numbers `unknown` matches: that of a name, if its mail went over to `unknown`."""
    if event.kind == "fall":
        left = event.after / max(event.before, 1e-9)
        explains = _handover(panel, witness, subject, days, usual).explains(left)
        return "doubtful" if explains is None else "attribution" if explains else "stopped"
    # A name that came back is one that was lost, in reversed time.
    mine = panel.counts[panel.subjects.index(subject)]
    nameless = panel.counts[panel.subjects.index((subject[0], UNKNOWN))]
    back = handover(
        np.flip(mine, axis=1),
        np.flip(nameless, axis=1),
        np.flip(witness, axis=1),
        (np.flip(days[1]), np.flip(days[0])),
        np.flip(usual),
    )
    return "regained" if back.explains(1.0) else "stopped"


def _nearest(days: Bools, number: int) -> Bools:
    """The first `number` of some days, or the last where it is negative."""
    kept = np.zeros_like(days)
    where = np.flatnonzero(days)
    kept[where[:number] if number > 0 else where[number:]] = True
    return kept


def carried_by(panel: Panel, botnet: str, programme: str, event: Event) -> bool:
    """Whether what a programme lost is what one botnet sent for it: most of it, or all but weather."""
    before, after = sides(event, panel.days)
    pair, whole = panel.pairs.get((botnet, programme)), ("programme", programme)
    if pair is None or whole not in panel.subjects or not before.any() or not after.any():
        return False
    mail = panel.counts[panel.subjects.index(whole)].sum(axis=0)
    was, now = float(mail[before].mean()), float(mail[after].mean())
    paid = float(pair[before].mean() - pair[after].mean())
    return was > now and paid > 0 and (paid >= MOSTLY * (was - now) or now + paid >= WEATHER * was)


@dataclass(frozen=True, slots=True)
class Moved:
    """Change of a mean rate, and its standard error."""

    change: float
    error: float
    chance_error: float
    """The standard error if nothing had changed."""
    was: float = 0.0
    """The rate before."""


NOTHING = Moved(0.0, 0.0, 0.0)


def compare(before: Floats, after: Floats) -> Moved:
    """Change of the mean of daily counts. One day after is enough: days are as uneven as they were before."""
    was, now = float(before.sum()) / len(before), float(after.sum()) / len(after)
    off = before - was
    spread = float(off @ off) / (len(before) - 1) if len(before) > 1 else was
    uneven = max(spread - was, 0.0) / max(was, 1e-9) ** 2 if was > 0 else 0.0
    least = max(spread, was, 1 / len(before))
    variance = least / len(before) + (max(now, 1 / len(after)) + min(uneven, 1.0) * now**2) / len(after)
    chance = math.sqrt(least * (1 / len(before) + 1 / len(after)))
    return Moved(now - was, math.sqrt(variance), chance, was)


def _sum(parts: Sequence[Moved]) -> Moved:
    """Changes added up."""
    if not parts:
        return NOTHING
    errors = (
        math.sqrt(sum(e**2 for e in each))
        for each in zip(*((p.error, p.chance_error) for p in parts), strict=True)
    )
    return Moved(sum(p.change for p in parts), *errors)


def _exchanged(mine: Moved, other: Moved) -> bool:
    """Whether the one won about as much as the other lost, and more than chance would."""
    # What never had any mail, and so no error either, won nothing.
    if other.change * mine.change >= 0 or abs(other.change) < LEAST_T * other.chance_error:
        return False
    low, high = ABOUT_AS_MUCH
    slack = SLACK_T * math.hypot(mine.error, other.error)
    return low * abs(mine.change) - slack <= abs(other.change) <= high * abs(mine.change) + slack


def _odds(mine: Moved, other: Moved) -> float:
    """Log-likelihood ratio of what the one won being what the other lost."""
    error = math.hypot(mine.error, other.error)
    return amounts(-mine.change, other.change, error, max(other.chance_error, SLIGHTEST))


def _both_stayed(mine: Moved, other: Moved, everything: Moved) -> bool:
    """Whether all mail, or the two together, did not follow the subject."""
    return _stayed(mine, everything) or _stayed(mine, _sum([mine, other]))


def _stayed(mine: Moved, everything: Moved) -> bool:
    """Whether all mail together did not follow the subject."""
    return abs(everything.change) <= STAYED * abs(mine.change) + 2 * everything.error


def sensor_changes(panel: Panel, exposure: Exposure) -> tuple[Change, ...]:
    """Outages as changes of their sensors. A sensor that joins changes nothing."""
    found = []
    for outage in exposure.outages:
        if outage.confidence < LEAST_CONFIDENCE or not _worth_telling(outage, panel):
            continue
        changed = outage.kind == "changed"
        # A change lasts: the end of its record is only that of the days in doubt.
        back = None if changed or outage.end is None else outage.end + dt.timedelta(days=1)
        if back is not None and back > panel.days[-1].astype(dt.date):
            back = None
        found.append(
            Change(
                kind="sensor-change" if changed else "sensor-outage",
                subject_kind="sensor",
                subject=outage.sensor,
                onset=outage.start,
                onset_low=outage.onset_low or outage.start,
                onset_high=outage.onset_high or outage.start,
                end=back,
                end_low=back,
                end_high=back,
                ratio=_own_ratio(panel, outage) if changed else 0.0,
                confidence=outage.confidence,
                evidence=outage.evidence,
            )
        )
    return tuple(found)


def _worth_telling(outage: Outage, panel: Panel) -> bool:
    """Down and changed sensors are; of absent ones, those that left well before the panel ends."""
    if outage.kind != "absent":
        return outage.kind != "clock"
    first: dt.date = panel.days[0].astype(dt.date)
    last: dt.date = panel.days[-1].astype(dt.date)
    goes_on = outage.end is None or outage.end >= last
    return outage.start > first and goes_on and (last - outage.start).days >= LEFT_FOR_GOOD


def _own_ratio(panel: Panel, outage: Outage) -> float | None:
    """A changed sensor's own spam, after against before, over as many days as it takes; None without any.

    Of one that drifted, what it drifted by: spam moved as well meanwhile.
    """
    if outage.steps:
        return outage.drift[0]
    if outage.sensor not in panel.sensors:
        return None
    spam = panel.counts[0, panel.sensors.index(outage.sensor)]
    first = np.datetime64(outage.onset_low or outage.start)
    last = np.datetime64(outage.onset_high or outage.start)
    before, after = spam[panel.days < first], spam[panel.days > last]
    for reach in REACHES:
        near, next_to = before[-reach:], after[:reach]
        if near.sum() >= ENOUGH_MAIL or reach == REACHES[-1]:
            break
    return float(next_to.mean() / near.mean()) if len(next_to) and near.sum() else None
