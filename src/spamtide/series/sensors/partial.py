"""Sensors that take less of some senders, and of the others as before: a filter, greylisting, a blocklist.

A botnet that falls on all sensors is the botnet; all botnets that fall on one sensor are that sensor
(`compare`). What is left is the interaction: some botnets fall on one sensor, while the same ones go on at
the others and other mail goes on here. Each botnet's mail at each sensor is held against that of the
botnet at all other sensors, before and after every day; how much such cells wander by themselves is read off
their own weeks and off the botnet's other sensors, and botnets that fell together speak together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import comb

import numpy as np
from numpy.typing import NDArray

from spamtide.model import UNKNOWN, Counts, Floats, Outage, Panel, SubjectKind
from spamtide.series.sensors.contrast import (
    FALLEN,
    FEWEST_AFTER,
    FEWEST_BEFORE,
    FEWEST_T,
    LEAST_T,
    NEAR,
    PAIRS,
    PART,
    SOON,
    WEEK,
    Cells,
    Fault,
    cells_of,
    contrast,
    peaks_of,
    scan,
    wander,
)
from spamtide.series.sensors.relays import LIKELY
from spamtide.series.sensors.tail import LEAST_ALPHA, chance_of

Bools = NDArray[np.bool_]
Subject = tuple[SubjectKind, str]

ROUNDS = 3
"""Times that what was not found is looked for again."""
CHANCE, CHANCE_SOON = 0.01, 0.06
"""Chance of so much in all of an observatory's senders, sensors and days together, up or down; and of the
first days of a fall, which are to be known before the sender is asked about."""
LEAST_MAIL = 20.0
"""Messages of a sender at a sensor, and of it at the others, below which nothing is asked."""
GOES_ON, OTHER_MAIL = 2 / 3, 12.0
"""Share of their expected mail that the sensor's other senders must have, and what is expected of them."""
LESS = 0.7
"""Share of a sender's mean over all the time before that it must be below."""
RENAMED = 0.7
"""Part of what was lost that mail without a name may have won there: more, and it is names that were lost."""
ITSELF, ITSELF_SOON = 0.7, 0.4
"""Share of its level before from which a single sender goes on at the other sensors, and over a few days."""
SEVERAL = 1 / 3
"""Share of a sender's sensors up to which its fall there is theirs: at more, it is the sender's."""
FEW, LOW = 5.0, 1.64
"""Messages that a sensor is due of a sender in a few days to be asked, and standard errors that are low."""
TOGETHER = 7
"""Days between the falls of one sender at several sensors that are one fall."""
CAUTION, LEAST_CHANCE = 0.8, 1e-300
"""Factor by which an estimated unevenness is taken for more, and what no chance is less than."""
NAMED = 6
"""Senders that the evidence names."""
EPOCH_DAYS, EPOCH_MAIL = 14, 30
"""Days and messages that must follow for the sensor to go on as another one (see `exposure`)."""


def partial_changes(
    panel: Panel,
    by_subject: tuple[Sequence[str], Counts],
    size: Floats,
    stretches: Sequence[tuple[int, int, int]],
) -> tuple[Outage, ...]:
    """Changes of sensors that touch some senders only.

    Args:
        panel: daily counts.
        by_subject: names and counts (K, S, T) of senders that add up to all mail.
        size: (S, T) what each sensor sees at the same level of all mail, 0 while it is out.
        stretches: (sensor, first, last) between the sensors' whole changes.

    Returns:
        Outages of kind 'changed' with the subjects that they touch.
    """
    names, counts = by_subject
    if len(names) < 2 or (size > 0).any(axis=1).sum() < 2:  # noqa: PLR2004 - of one, no interaction
        return ()
    cells = cells_of(tuple(names), counts, size, stretches)
    falls, rises = scan(cells)
    found: list[Fault] = []
    for back, worth in ((False, falls), (True, rises)):
        found += _faults(cells, peaks_of(worth), found, back=back)
    return tuple(_outage(panel, fault, size, cells) for fault in _sensors_own(cells, found))


def _faults(
    cells: Cells, peaks: Sequence[tuple[int, int]], known: Sequence[Fault], *, back: bool
) -> list[Fault]:
    """Faults of all sensors. What one sensor takes less of is held against none: so all are asked again."""
    found: list[Fault] = []
    left = list(peaks)
    for _ in range(ROUNDS):
        again, before = [], len(found)
        for sensor, day in left:
            fault = _confirmed(replace(cells, broken=(*known, *found)), sensor, day, back=back)
            if fault is None or (back and not _returns(fault, known)):
                again.append((sensor, day))
            else:
                found.append(fault)
        left = again
        if len(found) == before:
            break
    return found


def _returns(fault: Fault, known: Sequence[Fault]) -> bool:
    """Whether what a sensor takes more of is what it took less of before."""
    earlier = [one for one in known if one.sensor == fault.sensor and one.day < fault.day]
    lost = {name for one in earlier for name in one.names}
    return bool(lost & {*fault.names})


def _confirmed(cells: Cells, sensor: int, day: int, *, back: bool) -> Fault | None:
    """The fault of a sensor about a day, dated, if the others bear it out."""
    first, stop = int(cells.first[sensor, day]), int(cells.stop[sensor, day])
    dated = day, day, day
    # Those that moved say when; the date says who moved.
    for _ in range(2):
        if dated[1] - first < FEWEST_BEFORE:
            return None
        part = _look(cells, sensor, _sides(dated, first, stop)).moved(back=back)
        if not part.any():
            return None
        dated = _dated(cells, sensor, part, (first, day, stop))
    if dated[1] - first < FEWEST_BEFORE or stop - dated[0] < FEWEST_AFTER:
        return None
    return _judged(cells, sensor, dated, (first, stop), back=back)


def _sides(dated: tuple[int, int, int], first: int, stop: int) -> tuple[slice, slice]:
    """Days before and after a change that are held against each other, those in doubt left out."""
    day, low, high = dated
    begin = min(high + (high > day), max(stop - FEWEST_AFTER, day))
    return slice(max(low - NEAR, first), low), slice(begin, min(begin + NEAR, stop))


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """Every sender at one sensor, after a day against before; arrays of shape (K,)."""

    was: Floats
    now: Floats
    days: Floats
    """Days after over days before, as far as the sensor was up."""
    due: Floats
    """Messages after that the steady other sensors lead one to expect."""
    share: Floats
    """What is left of them."""
    unled: Floats
    """The same without the other sensor that won most of the sender and, of few days, by usual ones here."""
    z: Floats
    """Standard errors by which it moved."""
    theirs: Floats
    """The sender's level at the other sensors, against before."""
    others: Floats
    """Its messages at them, in the better of the two."""
    theirs_now: Floats
    """Its messages at them after."""

    def moved(self, *, back: bool) -> Bools:
        """Senders of which a sensor takes less, or more again."""
        sign = 1 if back else -1
        return np.asarray((sign * self.z >= FEWEST_T) & (self.share**-sign <= PART))


def _look(cells: Cells, sensor: int, sides: tuple[slice, slice]) -> _Look:
    """Hold one sensor against those that were the same in both periods."""
    before, after = sides
    last = max(after.stop - 1, 0)
    same = (cells.first[:, last] <= before.start) & (cells.stop[:, before.start] > last)
    same[sensor] = False
    was, now = (cells.seen[:, sensor, one].sum(axis=1) for one in sides)
    steady = np.repeat(same[None], len(cells.names), axis=0)
    for fault in cells.broken:
        if before.start < fault.day < after.stop:
            steady[[cells.names.index(name) for name in fault.names], fault.sensor] = False
    theirs0, theirs1 = (np.where(steady, cells.seen[:, :, one].sum(axis=2), 0.0) for one in sides)
    r0, r1 = theirs0.sum(axis=1), theirs1.sum(axis=1)
    # Of the others some were out on some days, and so was this one.
    e0, e1 = (np.where(steady, cells.size[:, :, one].sum(axis=2), 0.0).sum(axis=1) for one in sides)
    own0, own1 = (cells.size[:, sensor, one].sum(axis=1) for one in sides)
    length = (after.stop - after.start) / max(before.stop - before.start, 1)
    up = np.where((e0 > 0) & (e1 > 0), e1 / np.maximum(e0, 1e-9), length)
    days = np.where((own0 > 0) & (own1 > 0), own1 / np.maximum(own0, 1e-9), length)
    # A sender that is thin at the others moves with the rest of their mail.
    factor = (r1 + (r1.sum() + 0.5) / (r0.sum() + 0.5)) / (r0 + 1.0) / up * days
    due = was * factor
    z = contrast(was, now, (np.ones(len(was)), factor), (r0, r1))
    z /= np.sqrt(cells.unevenness(sensor, after.stop - after.start))
    theirs = (r1 + 0.5) / (r0 * up + 0.5)
    # A flood of the sender at one of the others is no fall of it here.
    flood = np.argmax(theirs1 - theirs0 * up[:, None], axis=1)[:, None]
    rest0, rest1 = (r - np.take_along_axis(one, flood, 1)[:, 0] for r, one in ((r0, theirs0), (r1, theirs1)))
    calm = np.where(rest0 >= LEAST_MAIL, rest1 / np.maximum(rest0, 1.0) * days / up, np.inf)
    share = (now + 0.5) / (due + 0.5)
    own = was
    if after.stop - after.start < SOON:
        # Nor, over a few days, is the end of one here, nor a growth that its own mail does not share.
        own = np.minimum(was, np.median(cells.seen[:, sensor, before], axis=1) * (before.stop - before.start))
        calm = np.minimum(calm, days)
    unled = (now + 0.5) / (np.minimum(due, np.maximum(own, 1e-9) * calm) + 0.5)
    return _Look(was, now, days, due, share, unled, z, theirs, np.maximum(r0 * up, r1), r1)


def _dated(cells: Cells, sensor: int, part: Bools, about: tuple[int, int, int]) -> tuple[int, int, int]:
    """Most likely first day of the new level, and the ends of its 95 % interval."""
    first, day, stop = about
    low, high = max(first, day - NEAR), min(stop, day + NEAR)
    seen = cells.seen[part, sensor, low:high].sum(axis=0)
    x = cells.expected[part, sensor]
    # Each sender's own share at this sensor, so that the largest elsewhere does not decide.
    scale = cells.seen[part, sensor, low:day].sum(axis=1) / np.maximum(x[:, low:day].sum(axis=1), 1e-9)
    expected = (x[:, low:high] * scale[:, None]).sum(axis=0) + 1e-9
    was = (seen[: day - low].sum() + 0.5) / (expected[: day - low].sum() + 0.5)
    now = (seen[day - low :].sum() + 0.5) / (expected[day - low :].sum() + 0.5)
    gain = seen * np.log(was / now) - expected * (was - now)
    profile = np.concatenate([[0.0], np.cumsum(gain)])[:-1]
    spread = LIKELY * float(cells.uneven[part, sensor].max())
    likely = np.flatnonzero(2.0 * (profile.max() - profile) <= spread)
    # The day before the first whole one at the new level may have been a part of one.
    return low + int(profile.argmax()), low + max(int(likely[0]) - 1, 0), low + int(likely[-1])


def _judged(
    cells: Cells, sensor: int, dated: tuple[int, int, int], stretch: tuple[int, int], *, back: bool
) -> Fault | None:
    """The fault, if all that must hold does."""
    sides = _sides(dated, *stretch)
    look = _look(cells, sensor, sides)
    sign = 1 if back else -1
    soon = not back and sides[1].stop - sides[1].start < SOON
    part = look.moved(back=back) & (look.others >= LEAST_MAIL / 2)
    # Its own mail moved, and not that of the others away from it.
    own = np.log((look.now + 0.5) / (look.was * look.days + 0.5))
    part &= sign * own >= sign * np.log(look.share) / 2
    if not back:
        part &= _below_ever(cells, sensor, (stretch[0], dated[1]), sides[1]) & (look.unled <= PART)
    far = part & (sign * look.z >= LEAST_T) & (look.share**-sign <= FALLEN)
    if not back:
        far &= look.unled <= FALLEN
    stays = float(look.now[~part].sum()), float(look.due[~part].sum())
    if (
        not far.any()
        or max(look.due[part].sum(), look.now[part].sum()) < OTHER_MAIL
        or stays[1] < OTHER_MAIL
        or not GOES_ON <= (stays[0] + 0.5) / (stays[1] + 0.5) <= 1 / GOES_ON
        or (part.sum() == 1 and not back and float(look.theirs[part][0]) < (ITSELF_SOON if soon else ITSELF))
        or (not back and _renamed(cells, look, part))
    ):
        return None
    z = np.minimum(look.z, _deep(look, cells.soon[:, sensor])) if soon else look.z
    z = z[part] / [wander(cells, int(sender), sensor) for sender in np.flatnonzero(part)]
    chance = _chance(z, cells)
    if chance > (CHANCE_SOON if soon else CHANCE) or np.abs(z).max() < LEAST_T:
        return None
    names = tuple(name for name, mine in zip(cells.names, part, strict=True) if mine)
    return Fault(sensor, *dated, names, sides, chance, _words(cells, part, look, sides[1]), back)


def _deep(look: _Look, uneven: Floats) -> Floats:
    """Standard errors of so little mail in a few days, by the tail of the negative binomial.

    Of a fall to next to nothing a likelihood ratio that is spread by the unevenness says too little.
    """
    from scipy.special import ndtri

    # What is expected rests on the sender's mail at the others, in as few days.
    spread = uneven * (1.0 + look.due / np.maximum(look.theirs_now, 0.5)) / CAUTION
    chance = [
        chance_of(min(float(now), float(due)), float(due), float(due / max(of_mean - 1.0, LEAST_ALPHA * due)))
        for now, due, of_mean in zip(look.now, look.due, spread, strict=True)
    ]
    return np.asarray(ndtri(np.maximum(chance, LEAST_CHANCE)))


def _renamed(cells: Cells, look: _Look, part: Bools) -> bool:
    """Whether mail without a name won at the sensor what others lost there."""
    if UNKNOWN not in cells.names or part[cells.names.index(UNKNOWN)]:
        return False
    nameless = cells.names.index(UNKNOWN)
    lost = float((look.due - look.now)[part].sum())
    return bool(look.now[nameless] - look.due[nameless] >= RENAMED * lost)


def _below_ever(cells: Cells, sensor: int, ever: tuple[int, int], after: slice) -> Bools:
    """Whether what is left is less than it was over all the time before, too: floods at one sensor end.

    By its own counts or by the others' lead: they may have drifted since, or others joined.
    """
    o, x = cells.seen[:, sensor], cells.expected[:, sensor]
    span = slice(*ever)
    was, now = o[:, span].mean(axis=1), o[:, after].mean(axis=1)
    led = x[:, after].mean(axis=1) / np.maximum(x[:, span].mean(axis=1), 1e-9)
    return np.asarray(now <= LESS * was * np.maximum(led, 1.0))


def _chance(z: Floats, cells: Cells) -> float:
    """Chance of such contrasts anywhere in the observatory: of a sum of squares, wherever it is sought."""
    from scipy.special import gammaincc

    many, sensors, days = cells.seen.shape
    places = sensors * max(days / WEEK, 1.0) * len(PAIRS) * comb(many, len(z))
    alone = float(gammaincc(len(z) / 2, float((z**2).sum()) / 2))
    return float(min(alone * places, 1.0))


def _words(cells: Cells, part: Bools, look: _Look, after: slice) -> str:
    """The numbers, and what they may be of."""
    due, now = look.due, look.now
    order = sorted(np.flatnonzero(part).tolist(), key=lambda k: -abs(due[k] - now[k]))
    each = [f"{cells.names[k]} {now[k]:.0f} (expected {due[k]:.0f})" for k in order[:NAMED]]
    more = f" and {len(order) - NAMED} more" if len(order) > NAMED else ""
    less, one = bool(now[part].sum() < due[part].sum()), len(order) == 1
    why = "as before it took less"
    if less:
        why = "a filter, a blocklist or greylisting here"
        if one:
            why = "this sensor no longer receives it, others do: a filter here, or it no longer sends here"
    there = ", ".join(f"{look.theirs[k]:.0%}" for k in order[:NAMED])
    return (
        f"takes {'less' if less else 'more'} of {', '.join(each)}{more} in {after.stop - after.start} days; "
        f"at the other sensors {'it stands' if one else 'they stand'} at {there} of before; all other mail "
        f"here {now[~part].sum():.0f} (expected {due[~part].sum():.0f}); {why}"
    )


def _sensors_own(cells: Cells, found: Sequence[Fault]) -> list[Fault]:
    """The faults without those of one sender that left many sensors at one time: that is the sender."""
    kept = []
    for fault in found:
        if len(fault.names) == 1 and not fault.back:
            name = cells.names.index(fault.names[0])
            begin = max(fault.low - NEAR, 0)
            mail: Floats = cells.seen[name, :, begin : fault.low].sum(axis=1)
            telling = int((mail >= LEAST_MAIL / 2).sum())
            same = {
                one.sensor
                for one in found
                if not one.back and one.names == fault.names and abs(one.day - fault.day) <= TOGETHER
            }
            if len(same) > max(SEVERAL * telling, 1):
                continue
        if not fault.back and fault.sides[1].stop - fault.sides[1].start < SOON:
            rows = [cells.names.index(name) for name in fault.names]
            if 2 * sum(_fell_at_several(cells, row, fault.sides) for row in rows) > len(rows):
                continue
        kept.append(fault)
    falls = [one for one in kept if not one.back]
    return [one for one in kept if not one.back or _returns(one, falls)]


def _fell_at_several(cells: Cells, sender: int, sides: tuple[slice, slice]) -> bool:
    """Whether a sender's few last days are low at too many sensors to be theirs, if not surely at each."""
    (was, now), (usual, size) = (
        [one[sender][:, side].sum(axis=1) for side in sides] for one in (cells.seen, cells.size)
    )
    due = was * size / np.maximum(usual, 1e-9)
    telling = (due >= FEW) & (size > 0)
    order = np.flatnonzero(telling)[np.argsort((now / np.maximum(due, 1e-9))[telling])]
    goes_on = order[len(order) // 2 :]  # the half that stands best says how the sender is
    level = due * float(now[goes_on].sum() / max(float(due[goes_on].sum()), 1e-9))
    low = telling & (now <= FALLEN * level) & (level - now >= LOW * np.sqrt(level))
    return bool(low.sum() > max(SEVERAL * telling.sum(), 1))


def _programmes(panel: Panel, fault: Fault, cells: Cells) -> list[Subject]:
    """Programmes of which the sensor takes less, or more again, with their senders."""
    rows = [n for n, (kind, _) in enumerate(panel.subjects) if kind == "programme"]
    if not rows:
        return []
    up = np.asarray((cells.size > 0).any(axis=0))
    ones = np.ones((len(rows), len(panel.sensors)))
    mail = (panel.counts[rows] * up).astype(np.float64)
    names = tuple(panel.subjects[row][1] for row in rows)
    of_them = Cells(names, mail, mail, mail, cells.first, cells.stop, mail, ones, ones)
    moved = _look(of_them, fault.sensor, fault.sides).moved(back=fault.back)
    return [panel.subjects[row] for row, one in zip(rows, moved, strict=True) if one]


def _outage(panel: Panel, fault: Fault, size: Floats, cells: Cells) -> Outage:
    """A fault as outage."""
    follows: NDArray[np.int64] = np.flatnonzero(size[fault.sensor, fault.high + 1 :] > 0) + fault.high + 1
    goes_on = len(follows) >= EPOCH_DAYS and cells.seen[:, fault.sensor, follows].sum() >= EPOCH_MAIL

    def date(position: int) -> dt.date:
        day: dt.date = panel.days[position].astype("datetime64[D]").astype(object)
        return day

    of_botnets: list[Subject] = [("botnet", name) for name in fault.names]
    return Outage(
        sensor=panel.sensors[fault.sensor],
        start=date(fault.day),
        end=date(fault.high) if goes_on else None,
        kind="changed",
        evidence=fault.evidence,
        confidence=1.0 - fault.chance,
        onset_low=date(fault.low),
        onset_high=date(fault.high),
        subjects=(*of_botnets, *_programmes(panel, fault, cells)),
    )
