"""Sensors that changed in the last days: their days leave the index before a botnet is blamed for them.

`compare` wants a week or more on either side of a change of one sensor. A fall, however, is flagged on
its first days, and by then it must be known whether it is the sensor's. So each sensor's last days are held
against what the other sensors' days lead one to expect of it, botnet by botnet; where its receiving relay
moved, only sensors whose relay stayed are listened to. What stands in front of all sensors, a filter or a
relay of their own, shows in nobody's days: `front` looks for it.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
from numpy.typing import NDArray

from spamtide.model import Exposure, Floats, Outage, Panel
from spamtide.series.sensors.due import (
    BEFORE,
    FEWEST_BEFORE,
    PARTIAL,
    TELLING,
    Habit,
    Seen,
    habit_of,
    look,
)
from spamtide.series.sensors.front import Front, in_front
from spamtide.series.sensors.tail import ago, onset_within, unevenness

Bools = NDArray[np.bool_]

LONGEST = 14
"""Last days that are looked at."""
CHANCE, CHANCE_IN_A_DAY, CHANCE_SOON = 1e-5, 3e-6, 1e-4
"""Chance of so little mail below which a sensor is taken to have shrunk: of some days, of one, and of few
days of a sensor that is even, in which it has to be known before a botnet is asked about."""
SOON, EVEN = 3, 0.035
"""Few days, and the over-dispersion up to which days are even: of them chance alone hardly makes SHRANK."""
CHANCE_WITH_RELAY, CHANCE_OF_GROWTH, GROWTH_OF_EVEN = 1e-3, 1e-9, 1e-6
"""The same where its relay moved, and of so much mail: growth can wait for a week, but of even days."""
REST, REST_OF_GROWTH, REST_ALONE = 1e-3, 3e-5, 0.01
"""The same without the botnet that changed most: of a fall, of a growth, and where no two botnets bring mail
enough to be asked."""
SHRANK, GREW = 0.67, 1.65
"""Share of the expected mail below or above which it can be called a change."""
SUSPECT = 0.75
"""Share of the expected mail from which a sensor's last days are looked at botnet by botnet."""
FEWEST_GREW, BOTNETS_GREW, GREW_A_DAY = 2, (5, 3), 1.35
"""Days that must show a growth, and botnets, of two days and of more: floods are short, and of one botnet;
and what each of two days must have of its expected mail."""
POOR = 0.25
"""Share of a single day's expected mail below which it is told, where no other mail shows that it came."""
OTHER_MAIL = 3.0
"""Other mail expected of a sensor's days from which it shows that they came."""
ALIKE = 0.75
"""Share of the telling botnets that must have moved the same way, by half of the whole move."""
NAMED_DAYS = 5
"""Days with a named relay before a move of relay can be told."""
RELAY_REACH = 28
"""Days before a window in which relays count as the old ones."""
TOLD, TOLD_BY_MAIL, UNTOLD = 0.9, 0.7, 0.4
"""Confidence of a change that is told, of one that other mail speaks for alone, and of one that only keeps
others from being blamed."""
UP = 0.5
"""Exposure from which a sensor counts as up."""


def recent_changes(panel: Panel, exposure: Exposure) -> tuple[Outage, ...]:
    """Sensors that shrank, grew or moved in the panel's last two weeks, beyond those the exposure knows.

    Args:
        panel: daily counts.
        exposure: the sensors' days and outages.
    """
    if len(panel.days) < FEWEST_BEFORE + 1:
        return ()
    rows = [n for n, (kind, _) in enumerate(panel.subjects) if kind == "botnet"]
    if not rows:
        return ()
    counts = panel.counts[rows].astype(np.float64)
    up = _as_now(panel, exposure)
    moved = [_moved(relays, len(panel.days)) for relays in panel.relays]
    # Where others moved, a sensor that names no relay since may have moved with them, and is no witness.
    mute = [_silent_since(panel.relays[o], max(moved)) for o in range(len(moved))]
    since = panel.days[-LONGEST:][0].astype(dt.date)
    asked = [row for row, name in enumerate(panel.sensors) if not _known(exposure, name, since)]
    for sensor in asked:
        if mute[sensor] and 2 * sum(map(bool, moved)) >= len(moved) - sum(mute):
            moved[sensor] = max(moved)
    front = in_front(
        counts[:, asked], panel.ham[asked].astype(np.float64), up[asked], [moved[s] for s in asked], LONGEST
    )
    if front is not None:
        return _behind(panel, counts, front, asked, moved)
    asked = [sensor for sensor in asked if moved[sensor] or _suspect(counts.sum(axis=0), up, sensor)]
    habit = habit_of(counts, up, len(panel.days) - LONGEST if asked else 0)
    found: dict[int, Seen] = {}
    for _ in asked:
        candidates: list[tuple[float, int, Seen]] = []
        for sensor in asked:
            others = [
                o
                for o in range(len(panel.sensors))
                if o != sensor and o not in found and not (moved[sensor] and (moved[o] or mute[o]))
            ]
            best = None if sensor in found else _best(counts, up, sensor, others, moved[sensor], habit)
            if best is not None:
                candidates.append((abs(np.log((best.seen + 0.5) / (best.expected + 0.5))), sensor, best))
        if not candidates:
            break
        # The farthest off first: a large sensor's loss makes those that are held against it seem to grow.
        _, sensor, best = max(candidates, key=lambda one: one[:2])
        found[sensor] = best
    return tuple(
        _outage(panel, counts, s, best, _relays(panel.relays[s], moved[s]))
        for s, best in sorted(found.items())
    )


def _as_now(panel: Panel, exposure: Exposure) -> Bools:
    """Days on which each sensor was up and took in the senders that it does now; shape (sensors, days)."""
    up = exposure.values >= UP
    for outage in exposure.outages:
        if outage.subjects and outage.end is not None:
            up[panel.sensors.index(outage.sensor), panel.days <= np.datetime64(outage.end)] = False
    return np.asarray(up)


def _suspect(mail: Floats, up: Bools, sensor: int) -> bool:
    """Whether some window of a sensor's last days is off at all: most sensors need no second look.

    Args:
        mail: all botnets' mail, shape (sensors, days).
        up: the same shape.
        sensor: its row.
    """
    days = mail.shape[1]
    seen = np.where(up, mail, 0.0)[:, max(0, days - LONGEST - BEFORE) :]
    known = up[:, max(0, days - LONGEST - BEFORE) :].astype(np.float64)
    own, rest = np.cumsum(seen[sensor][::-1]), np.cumsum(np.delete(seen, sensor, axis=0).sum(axis=0)[::-1])
    mine, others = (
        np.cumsum(known[sensor][::-1]),
        np.cumsum(np.delete(known, sensor, axis=0).sum(axis=0)[::-1]),
    )
    windows = np.arange(min(LONGEST, len(own) - 1))
    new, old = own[windows] / np.maximum(mine[windows], 1.0), own[-1] - own[windows]
    old = old / np.maximum(mine[-1] - mine[windows], 1.0)
    factor = (rest[windows] + 0.5) / np.maximum(others[windows], 1.0)
    factor /= (rest[-1] - rest[windows] + 0.5) / np.maximum(others[-1] - others[windows], 1.0)
    ratio = (new + 0.1) / (old * factor + 0.1)
    # A large sensor's loss hides that of a small one, so a deep fall of its own is enough.
    return bool(((ratio < SUSPECT) | (ratio > 1 / SUSPECT) | (new < SUSPECT**2 * old)).any())


def _behind(
    panel: Panel, counts: Floats, front: Front, asked: list[int], moved: list[int]
) -> tuple[Outage, ...]:
    """The changes of all sensors behind one thing that moved, with one date for those that have none."""
    sensors = [asked[s] for s in front.sensors]
    together = counts[:, sensors].sum(axis=(0, 1))[-BEFORE:]
    level = np.ones(len(together))
    alpha = unevenness(together[: -front.window], level[: -front.window])
    start, low, high = (ago(panel.days, number) for number in onset_within(together, level, alpha, LONGEST))
    outages = []
    for sensor in sensors:
        relays = _relays(panel.relays[sensor], moved[sensor])
        named = f"relay {relays[0][:80]} -> {relays[1][:80]}; " if relays[1] else ""
        why = "relays moved" if front.relays else "other mail went on"
        outages.append(
            Outage(
                sensor=panel.sensors[sensor],
                start=start,
                end=None,
                kind="changed",
                evidence=(
                    f"{named}all sensors: {front.seen:.0f} messages in the last {front.window} days, "
                    f"{front.expected:.0f} expected (chance {front.chance:.1g}); "
                    f"all of {front.botnets} botnets fell alike, {why}"
                ),
                confidence=TOLD if front.relays else TOLD_BY_MAIL,
                onset_low=low,
                onset_high=high,
                relay_before=relays[0],
                relay_after=relays[1],
            )
        )
    return tuple(outages)


def _best(counts: Floats, up: Bools, sensor: int, others: list[int], moved: int, habit: Habit) -> Seen | None:
    """The window of a sensor's last days that speaks most for a change of it; None where none does enough."""
    best: Seen | None = None
    for window in range(1, (moved or LONGEST) + 1):
        seen = look(counts, up, sensor, others, window, habit)
        if seen is None or seen.chance >= _limit(seen, moved):
            continue
        if _worth(seen, bool(moved), sensor_alone=not others) and (best is None or seen.chance < best.chance):
            best = seen
    if best is not None and best.window < moved:
        # The relay says when it was, if mail was short from that day on.
        whole = look(counts, up, sensor, others, moved, habit)
        best = whole if whole is not None and whole.chance < CHANCE_WITH_RELAY else best
    return best


def _limit(seen: Seen, moved: int) -> float:
    """Chance below which a window speaks for a change."""
    if moved:
        return CHANCE_WITH_RELAY
    if seen.seen > seen.expected:
        return GROWTH_OF_EVEN if seen.alpha <= EVEN else CHANCE_OF_GROWTH
    if seen.window == 1:
        return CHANCE_IN_A_DAY
    return CHANCE_SOON if seen.window <= SOON and seen.alpha <= EVEN else CHANCE


def _known(exposure: Exposure, name: str, since: dt.date) -> bool:
    """Whether the exposure has something to say of a sensor's last days already."""
    return any(
        outage.sensor == name and not outage.steps and (outage.end is None or outage.end >= since)
        for outage in exposure.outages
    )


def _moved(relays: tuple[str, ...], days: int) -> int:
    """Days since a sensor's mail comes by relays that it never came by before; 0 when it did not move."""
    for window in range(1, min(LONGEST, days) + 1):
        new = {relay for relay in relays[days - window :] if relay}
        old = [relay for relay in relays[max(0, days - window - RELAY_REACH) : days - window] if relay]
        if new and len(old) >= NAMED_DAYS and not new & set(old):
            return window
    return 0


def _silent_since(relays: tuple[str, ...], window: int) -> bool:
    """Whether a sensor that named its relay before has named none in the last `window` days."""
    if not window:
        return False
    old = [
        relay for relay in relays[max(0, len(relays) - window - RELAY_REACH) : len(relays) - window] if relay
    ]
    return len(old) >= NAMED_DAYS and not any(relays[len(relays) - window :])


def _relays(relays: tuple[str, ...], moved: int) -> tuple[str, str]:
    """The last relay before a move and the first after it."""
    if not moved:
        return "", ""
    old = [relay for relay in relays[: len(relays) - moved] if relay]
    new = [relay for relay in relays[len(relays) - moved :] if relay]
    return old[-1], new[0] if new else ""


def _worth(seen: Seen, moved: bool, *, sensor_alone: bool) -> bool:  # noqa: FBT001 - a fact, not a switch
    """Whether a sensor's last days can be called a change of the sensor."""
    if max(seen.seen, seen.expected) < TELLING:
        return False
    ratio = seen.seen / max(seen.expected, 1e-9)
    alike, telling = seen.subjects
    if SHRANK < ratio < GREW or (ratio >= GREW and not _lasts(seen, telling)):
        return False
    if sensor_alone and not moved:
        return False  # nobody to compare with
    if telling > 1 and 2 * alike > telling and seen.rest < (REST if ratio < 1 else REST_OF_GROWTH):
        return True  # most moved, and without the one that moved most it is as improbable
    if ratio >= GREW and not moved:
        return False  # a flood of one botnet, beside which others have good days
    return alike >= ALIKE * telling and (telling > 1 or moved or seen.rest < REST_ALONE)


def _lasts(seen: Seen, telling: int) -> bool:
    """Whether a growth goes on for days, and not by one botnet's flood, or one day's."""
    if seen.window <= FEWEST_GREW:
        return seen.window == FEWEST_GREW and telling >= BOTNETS_GREW[0] and seen.least >= GREW_A_DAY
    return telling >= BOTNETS_GREW[1]


def _outage(panel: Panel, counts: Floats, sensor: int, seen: Seen, relays: tuple[str, str]) -> Outage:
    """A recent change as outage."""
    mine = counts[:, sensor].sum(axis=0)
    reach = min(BEFORE + LONGEST, len(mine))
    start, low, high = (
        ago(panel.days, number)
        for number in onset_within(mine[-reach:], seen.level[-reach:], seen.alpha, LONGEST)
    )
    moved = f"relay {relays[0][:80]} -> {relays[1][:80]}; " if relays[1] else ""
    return Outage(
        sensor=panel.sensors[sensor],
        start=start,
        end=None,
        kind="changed",
        evidence=(
            f"{moved}{seen.seen:.0f} messages in the last {seen.window} days, {seen.expected:.0f} expected "
            f"(chance {seen.chance:.1g}); {seen.subjects[0]} of {seen.subjects[1]} botnets moved alike"
        ),
        confidence=TOLD if _is_told(panel, sensor, seen, relays) else UNTOLD,
        onset_low=low,
        onset_high=high,
        relay_before=relays[0],
        relay_after=relays[1],
    )


def _is_told(panel: Panel, sensor: int, seen: Seen, relays: tuple[str, str]) -> bool:
    """Whether a change is told. A sensor whose last day is thin may just not have delivered it yet."""
    if seen.window > 1 or relays[1]:
        return True
    other = panel.ham[sensor]
    usual = float(other[-BEFORE - 1 : -1].mean())
    came = usual >= OTHER_MAIL and other[-1] >= PARTIAL * usual
    return bool(came or (seen.witnessed and seen.seen <= POOR * seen.expected))
