"""Causes of silence as of two days after it began, in worlds of many kinds, each with a known cause.

    python tests/change/measure_silence.py [WORLDS] [SEED] [DAYS] [CASE ...] [-v] [-a]

Every world is another: sensors with and without other mail, levels that wander, templates that name no shop,
events at any hour of a day. With -a, addresses are looked at, of fleets that use theirs again more often or
less. For each case it prints what was told; docs/path/change.md states what comes
out. Not a test, since it takes minutes.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from spamtide.change import look as look_at
from spamtide.change.causes.trail import no_traces
from spamtide.model import UNKNOWN, Change, Panel, SubjectKind, Trace, Tracing
from spamtide.series import measure

START = np.datetime64("2024-01-01")
FALLS = {"decline", "cease"}
PROGRAMMES = ("acorn", "birch", "cedar", UNKNOWN)
LOOK = 2
"""Days after which a cause is asked for, to the hour: the last day is as old as the event's was."""


@dataclass
class World:
    """One observatory before anything happened, and what then happens to it."""

    rng: np.random.Generator
    before: int
    """Whole days before the day of the event."""
    part: float
    """Share of that day that had passed."""
    size: np.ndarray
    rate: np.ndarray
    affinity: np.ndarray
    named: bool
    """Whether links still name the programmes of mail whose botnet is not known any more."""
    stopped: dict[int, float] = field(default_factory=dict)
    """Botnet -> what is left of it."""
    renamed: dict[int, float] = field(default_factory=dict)
    """Botnet -> share of its mail that nobody knows any more."""
    left: dict[int, float] = field(default_factory=dict)
    """Sensor -> share of spam that it still sees."""
    dead: set[int] = field(default_factory=set)
    moved: set[int] = field(default_factory=set)
    """Sensors whose relay moves."""
    won: float = 0.0
    """What `unknown` wins from others, as a share of the first botnet's mail."""
    mail: dict[int, np.ndarray] = field(default_factory=dict)
    """Botnet -> its messages by day, with its name; -1 is `unknown`."""
    nameless: dict[int, np.ndarray] = field(default_factory=dict)
    """Botnet -> those of its messages by day that are among `unknown`."""


def world(seed: int, case: int) -> World:
    """A quiet observatory. The largest botnet is the first one, the largest sensor too."""
    rng = np.random.default_rng([11, seed, case])
    sensors, botnets = int(rng.integers(5, 12)), int(rng.integers(4, 9))
    size = np.sort(np.exp(rng.normal(0, 0.5, sensors)))[::-1]
    rate = np.sort(np.exp(rng.normal(3.3, 0.6, botnets)))[::-1]
    rate[: min(3, botnets)] = np.maximum(rate[: min(3, botnets)], 18.0)
    return World(
        rng,
        int(rng.integers(45, 130)),
        float(rng.choice([0.0, 0.2, 0.4, 0.6, 0.8])),
        size / size.sum(),
        rate,
        np.exp(rng.normal(0, 0.3, (botnets, sensors))),
        bool(rng.random() < 0.5),
    )


def draw(w: World, after: int) -> tuple[Panel, np.ndarray]:
    """The panel as of some days after the event, and the true level of all mail by day."""
    rng, days = w.rng, w.before + after + (w.part > 0)
    botnets, sensors = w.affinity.shape
    since = np.clip(np.arange(days) + 1.0 - w.before - w.part, 0.0, 1.0)
    since[w.before + 1 :] = 1.0
    level = _wander(rng, botnets + 1, days)
    rate = np.append(w.rate, rng.uniform(0.02, 0.15) * w.rate.sum())
    sent = rate[:, None] * level
    sent[-1] += w.won * since * sent[0]
    for b, left in w.stopped.items():
        sent[b] *= 1 - since * (1 - left)
    seen = np.ones((sensors, days))
    for s, left in w.left.items():
        seen[s] *= 1 - since * (1 - left)
    for s in w.dead:
        seen[s] *= 1 - since
    reach = w.size * np.vstack((w.affinity, np.exp(rng.normal(0, 0.3, (1, sensors)))))
    came = np.ones(days)
    if w.part:
        came[-1] = w.part
    reached = reach[:, None, :, None] * (seen * np.exp(rng.normal(0, 0.12, (sensors, days))) * came)
    counts = rng.poisson(sent[:, None, None] * _mixes(rng, botnets + 1, days)[:, :, None] * reached)
    for b, part in w.renamed.items():
        gone = rng.binomial(counts[b], part * since)
        counts[b] -= gone
        w.nameless[b] = gone.sum(axis=(0, 1))
        if w.named:
            counts[-1] += gone
        else:
            counts[-1, 3] += gone.sum(axis=0)
    w.mail = {b: counts[b].sum(axis=(0, 1)) for b in range(-1, botnets)}
    return _panel(w, counts, since, came), (sent * reach.sum(axis=1)[:, None]).sum(axis=0)


def _wander(rng: np.random.Generator, rows: int, days: int) -> np.ndarray:
    """Levels that wander and are uneven by the day, with weekends."""
    level = np.empty((rows, days))
    for row in range(rows):
        phi, spread = rng.uniform(0.7, 0.95), rng.uniform(0.04, 0.14)
        steps = rng.normal(0, spread * np.sqrt(1 - phi**2), days)
        for d in range(1, days):
            steps[d] += phi * steps[d - 1]
        noise = rng.gamma(20.0, 1 / 20.0, days)
        if rng.random() < 0.5:
            noise = np.exp(rng.normal(0, 0.22, days) - 0.024)
        week = np.where(np.arange(days) % 7 >= 5, rng.uniform(0.6, 1.1), 1.0)
        level[row] = np.exp(steps) * noise * week
    return level


def _mixes(rng: np.random.Generator, rows: int, days: int) -> np.ndarray:
    """Shares of three programmes and of none; a template in seven names its shop on its page only."""
    mix = np.zeros((rows, len(PROGRAMMES), days))
    for row in range(rows):
        share = rng.uniform(0.5, 0.8)
        for programme, part in ((row % 3, share), ((row + 1) % 3, 1 - share)):
            bare = np.repeat(rng.random(days // 12 + 2) < 0.15, 12)[int(rng.integers(12)) :][:days]
            mix[row, programme] += part * np.where(bare, 0.4, 1.0)
            mix[row, 3] += part * np.where(bare, 0.6, 0.0)
    return mix


def _panel(w: World, counts: np.ndarray, since: np.ndarray, came: np.ndarray) -> Panel:
    """Lay counts of shape (botnets + 1, programmes + 1, sensors, days) out as the store does."""
    names = [*(f"b{b}" for b in range(len(counts) - 1)), UNKNOWN]
    sensors, days = counts.shape[2:]
    ham_rate = np.where(w.rng.random(sensors) < 0.5, w.rng.uniform(2, 15, sensors), 0.0)
    up = np.ones((sensors, days))
    for s in w.dead:
        up[s] = 1 - since
    ham = w.rng.poisson(ham_rate[:, None] * up * came)
    mail = counts.sum(axis=(0, 1)) + ham
    relays = []
    for s in range(sensors):
        moved = (since > 0.5) & (s in w.moved)
        relay = np.where(moved, f"edge{s % 2}.example", f"mx{s}.example")
        relays.append(tuple(np.where(mail[s] > 0, relay, "").tolist()))
    subjects: list[tuple[SubjectKind, str]] = [("total", "total")]
    subjects += [("botnet", name) for name in names]
    subjects += [("programme", name) for name in PROGRAMMES]
    return Panel(
        days=START + np.arange(days),
        sensors=tuple(f"s{s}" for s in range(sensors)),
        subjects=tuple(subjects),
        counts=np.concatenate((counts.sum(axis=(0, 1))[None], counts.sum(axis=1), counts.sum(axis=0))),
        ham=ham,
        relays=tuple(relays),
        pairs={
            (name, programme): counts[i, j].sum(axis=0)
            for i, name in enumerate(names)
            for j, programme in enumerate(PROGRAMMES)
            if counts[i, j].any()
        },
    )


def fleets(w: World) -> Tracing:
    """Addresses of the world's botnets: how often each fleet's come again within two weeks differs widely."""
    rng = np.random.default_rng([12, w.before, int(1000 * w.rate[0])])
    again = rng.uniform(0.1, 0.95, len(w.rate))
    shared = rng.uniform(0.0, 0.04)

    def tracing(
        subject: tuple[SubjectKind, str], first: dt.date, last: dt.date, until: dt.date
    ) -> tuple[Trace, ...]:
        kind, botnet = subject
        if kind != "botnet":
            return ()
        fell, new, stop = ((np.datetime64(day) - START).astype(int) for day in (first, last, until))
        b, week, since = int(botnet[1:]), slice(max(fell - 7, 0), fell), slice(new, min(new + 7, stop))
        if stop < new:  # a rise, backwards
            week, since = slice(fell + 1, fell + 8), slice(max(new - 6, stop + 1), new + 1)

        def known(days: slice) -> int:
            mine = int(w.nameless[b][days].sum()) if b in w.nameless else 0
            others = int(w.mail[-1][days].sum()) - mine
            return int(rng.binomial(mine, 0.95 * again[b]) + rng.binomial(others, shared))

        own = int(w.mail[b][week].sum())
        days = since.stop - since.start
        carried = int(rng.binomial(own, again[b]))
        return (Trace("addresses", (carried, own), (known(week), 7), (known(since), days)),)

    return tracing


Happen = Callable[[World], None]


def stop(*botnets: int, left: float = 0.02) -> Happen:
    """Botnets of which next to nothing is left."""
    return lambda w: w.stopped.update(dict.fromkeys(botnets, left))


def at_one_sensor(w: World) -> None:
    """A botnet that sends nine tenths of its mail to one sensor stops."""
    w.affinity[0] = 0.1 / w.size / len(w.size)
    w.affinity[0, 0] = 0.9 / w.size[0]
    w.stopped[0] = 0.02


def with_failure(w: World) -> None:
    """A botnet stops as a sensor dies."""
    w.stopped[0] = 0.02
    w.dead.add(1)


def as_unknown_wins(w: World) -> None:
    """A botnet stops, and somebody unknown sends as much from that day on."""
    w.stopped[0] = 0.02
    w.won = 1.0


def shrink(sensor: int, left: float) -> Happen:
    """One sensor that lets less through; its relay stays."""
    return lambda w: w.left.update({sensor: left})


def at_sensors(left: float, *, relay: bool, part: float = 1.0, first: int | None = None) -> Happen:
    """A filter at the first sensors, or at a part of them, with or without a relay of its own."""

    def happen(w: World) -> None:
        for s in range(first or round(part * len(w.size))):
            w.left[s] = left
            if relay:
                w.moved.add(s)

    return happen


CASES: dict[str, tuple[str, Happen]] = {
    "one botnet stops": ("stopped", stop(0)),
    "the second stops": ("stopped", stop(1, left=0.0)),
    "two stop": ("stopped", stop(0, 2)),
    "one falls to a tenth": ("stopped", stop(1, left=0.1)),
    "one that only one sensor saw stops": ("stopped", at_one_sensor),
    "one stops as a sensor dies": ("stopped, sensor", with_failure),
    "the largest sensor dies": ("sensor", lambda w: w.dead.add(0)),
    "a smaller sensor dies": ("sensor", lambda w: w.dead.add(2)),
    "a sensor shrinks to a third": ("sensor", shrink(0, 0.33)),
    "a sensor is filtered to 6 %": ("sensor", shrink(0, 0.06)),
    "a smaller one is filtered to 15 %": ("sensor", shrink(1, 0.15)),
    "a sensor's relay and filter move": ("sensor", at_sensors(0.06, relay=True, first=1)),
    "all sensors behind one new filter": ("sensor", at_sensors(0.03, relay=True)),
    "half of them": ("sensor", at_sensors(0.05, relay=True, part=0.5)),
    "all filtered, relays stay": ("sensor", at_sensors(0.04, relay=False)),
    "templates rotate": ("attribution", lambda w: w.renamed.update({0: 1.0})),
    "most templates rotate": ("attribution", lambda w: w.renamed.update({1: 0.8})),
    "a relay moves, nothing else": ("nothing", lambda w: w.moved.add(0)),
    "nothing happens": ("nothing", lambda _: None),
    "one stops, unknown wins as much": ("stopped", as_unknown_wins),
}


def told_of(w: World, changes: list[Change]) -> str:
    """The causes that were told, of the right subjects; whatever else was told as wrong."""
    stopped, renamed = {f"b{b}" for b in w.stopped}, {f"b{b}" for b in w.renamed}
    touched = {f"s{s}" for s in (*w.left, *w.dead)}
    fell = {c.subject for c in changes if c.kind in FALLS and c.subject_kind == "botnet"} - {UNKNOWN}
    lost = {c.subject for c in changes if c.kind == "attribution-loss" and c.subject_kind == "botnet"}
    sensors = {c.subject for c in changes if c.subject_kind == "sensor"}
    # The total and programmes fall with a botnet that stops. Templates that name no shop come and go in
    # these worlds, so that programmes do lose their names.
    others = {c.subject_kind for c in changes if c.kind in FALLS and c.subject != UNKNOWN} - {"botnet"}
    causes = []
    if stopped and stopped <= fell:
        causes.append("stopped")
    if touched and 2 * len(touched & sensors) >= len(touched):
        causes.append("sensor")
    if renamed & lost:
        causes.append("attribution")
    causes += ["wrong botnet"] * bool(fell - stopped) + ["wrong loss"] * bool(lost - renamed)
    causes += ["wrong sensor"] * bool(sensors - touched)
    causes += sorted(f"wrong {kind}" for kind in others if not stopped)
    return ", ".join(causes) or "nothing"


def look(w: World, after: int = LOOK, *, addresses: bool = False) -> tuple[str, list[Change], float]:
    """What is told some days after the event, and the index of the whole days since over the truth."""
    panel, truth = draw(w, after)
    measured = measure(panel)
    first: dt.date = (START + w.before - 4).astype(dt.date)
    tracing = fleets(w) if addresses else no_traces
    found = look_at(measured, whole=not w.part, tracing=tracing).changes
    changes = [c for c in found if c.onset >= first]
    index = measured.series[0].index
    near, since = slice(w.before - 28, w.before), slice(w.before + 1, len(index) - (w.part > 0))
    known = np.isfinite(index[since])
    if not known.any():
        return told_of(w, changes), changes, 0.0
    off = np.log(index[since][known].mean() / truth[since][known].mean())
    return told_of(w, changes), changes, float(off - np.log(np.nanmean(index[near]) / truth[near].mean()))


def main() -> None:
    """One line a case."""
    words = [word for word in sys.argv[1:] if word not in {"-v", "-a"}]
    numbers = [int(word) for word in words if word.isdecimal()]
    worlds, seed, after = [*numbers, *(20, 1, LOOK)[len(numbers) :]]
    wanted = [word for word in words if not word.isdecimal()]
    right = tried = 0
    for number, (case, (truth, happen)) in enumerate(CASES.items()):
        if wanted and case not in wanted:
            continue
        told: Counter[str] = Counter()
        offs = []
        for n in range(worlds):
            w = world(1000 * seed + n, number)
            happen(w)
            what, changes, off = look(w, after, addresses="-a" in sys.argv)
            told[what] += 1
            offs.append(off)
            if what != truth and "-v" in sys.argv:
                shown = [(c.kind, c.subject, str(c.onset), round(c.confidence, 3)) for c in changes]
                sys.stdout.write(f"   {n} part {w.part}: {shown}\n")
        right, tried = right + told[truth], tried + worlds
        rest = "; ".join(f"{what} {n}" for what, n in told.most_common() if what != truth)
        off = f"index off {100 * np.median(offs):+.0f} %, at most {100 * np.abs(offs).max():.0f} %"
        sys.stdout.write(f"{case} | {truth} | {told[truth]} of {worlds} | {rest} | {off}\n")
        sys.stdout.flush()
    sys.stdout.write(f"all: {right} of {tried} = {right / max(tried, 1):.1%}\n")


if __name__ == "__main__":
    main()
