"""Dates of the total where several botnets move: `python tests/change/measure_total.py [WORLDS] [SEED]`.

For docs/path/change.md. In observatories of five to nine botnets of uneven sizes, two to four fall or rise,
by ramps of one to four days, together or one after the other. What is asked is the total: first day off its
level before, and first day at its new level (nearer than half a percent of the level before, as `simulate`
has it); dated as one ramp, and by its parts.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib import import_module
from unittest.mock import patch

import numpy as np

from spamtide.calibration.plan import Fall, Plan
from spamtide.calibration.world import make_world
from spamtide.change.causes.telling import Judged
from spamtide.change.moves.event import Event
from spamtide.change.parts import dated_by_parts
from spamtide.series import measure

Dates = tuple[dt.date, dt.date]
Tally = defaultdict[str, list[float]]

STAGE = import_module("spamtide.change.detect")
SAME, LEAST = 0.005, 0.2
NEAR_DAYS = 14
CASES = {
    "fall together": (1, False),
    "fall within ten days": (10, False),
    "rise within ten days": (10, True),
}
"""Most days between the first and the last, and whether they rise."""


def planned(rng: np.random.Generator, apart: int, *, rise: bool) -> Plan:
    """An observatory in which botnets move."""
    botnets = int(rng.integers(5, 10))
    number = int(rng.integers(2, 5))
    first = int(rng.integers(70, 100))
    later = np.concatenate(([0], rng.integers(0, apart + 1, size=number - 1)))
    falls = tuple(
        Fall(
            int(botnet),
            first + int(days),
            int(rng.integers(1, 5)),
            float(rng.choice((2.0, 3.0, 4.0) if rise else (0.0, 0.02, 0.1, 0.4))),
        )
        for botnet, days in zip(rng.permutation(min(botnets, 5))[:number], later, strict=True)
    )
    return Plan(
        days=150,
        sensors=int(rng.integers(4, 9)),
        botnets=botnets,
        volume=float(rng.choice((150.0, 400.0, 1500.0))),
        drift=float(rng.choice((0.0, 0.01))),
        holidays=False,
        happenings=falls,
    )


def told(
    plan: Plan, rng: np.random.Generator, *, rise: bool
) -> tuple[bool, list[tuple[Event, Event]], Dates]:
    """Whether the total moves, its move as one ramp and by its parts where it is found, and the truth."""
    made = make_world(plan, rng)
    level = made.level["total", "total"]
    away, ahead = (np.abs(level - level[at]) > SAME * level[0] for at in (0, -1))
    truth = plan.date(int(np.argmax(away))), plan.date(int(np.flatnonzero(ahead)[-1]) + 1)
    if abs(level[-1] / level[0] - 1) < LEAST:
        return False, [], truth
    pairs: list[tuple[Event, Event]] = []

    def noted(judged: Sequence[Judged]) -> Iterator[Judged]:
        for old, new in zip(judged, dated_by_parts(judged), strict=True):
            if old.subject[0] == "total" and old.event.kind == ("rise" if rise else "fall"):
                pairs.append((old.event, new.event))
            yield new

    with patch.object(STAGE, "dated_by_parts", noted):
        STAGE.detect(measure(made.panel), whole=True)
    near = [pair for pair in pairs if abs((pair[0].onset - truth[0]).days) <= NEAR_DAYS]
    return True, sorted(near, key=lambda pair: abs((pair[0].onset - truth[0]).days))[:1], truth


def scored(tally: Tally, event: Event, truth: Dates) -> None:
    """Both dates of one move: whether the truth is inside, how wide the interval, how far off the point."""
    tally["onset"].append(event.onset_low <= truth[0] <= event.onset_high)
    tally["onset width"].append((event.onset_high - event.onset_low).days + 1)
    tally["onset off"].append(abs((event.onset - truth[0]).days))
    if event.end is not None and event.end_low is not None and event.end_high is not None:
        tally["end"].append(event.end_low <= truth[1] <= event.end_high)
        tally["end width"].append((event.end_high - event.end_low).days + 1)
        tally["end off"].append(abs((event.end - truth[1]).days))


def main(worlds: int, seed: int) -> None:
    """Two rows for each case: first and last day inside, widths of both intervals, how far off they are."""
    for case, (apart, rise) in CASES.items():
        tallies: tuple[Tally, Tally] = (defaultdict(list), defaultdict(list))
        asked = dated = 0
        for world in range(worlds):
            rng = np.random.default_rng([seed, apart, rise, world])
            moves, found, truth = told(planned(rng, apart, rise=rise), rng, rise=rise)
            asked += moves
            for pair in found:
                dated += pair[0] is not pair[1]
                for tally, one in zip(tallies, pair, strict=True):
                    scored(tally, one, truth)
        for how, tally in zip(("as one ramp", f"by its parts, where known ({dated})"), tallies, strict=True):
            sys.stdout.write(
                f"| {case} | {how} | {len(tally['onset'])} of {asked} "
                + "".join(
                    f"| {np.mean(tally[key]):.3f} | {np.median(tally[f'{key} width']):.0f} "
                    f"| {np.mean(tally[f'{key} off']):.1f} "
                    for key in ("onset", "end")
                )
                + "|\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    asked = [int(one) for one in sys.argv[1:]]
    main(*(asked + [80, 5][len(asked) :]))
