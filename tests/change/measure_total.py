"""Dates of the total where several botnets move: `python tests/change/measure_total.py [WORLDS] [SEED]`.

For docs/path/change.md. In observatories of five to nine botnets of uneven sizes, one to four fall or rise,
by ramps of one to four days, together or one after the other. What is asked is the total: first day off its
level before, and first day at its new level (nearer than half a percent of the level before, as `simulate`
has it).
"""

from __future__ import annotations

import sys
from collections import defaultdict

import numpy as np

from spamtide.calibration.plan import Fall, Plan
from spamtide.calibration.world import make_world
from spamtide.change.detect import detect
from spamtide.series import measure

SAME = 0.005
NEAR_DAYS = 14
CASES = {
    "one falls": (1, 1, 0, False),
    "two to four fall together": (2, 4, 1, False),
    "two to four fall within ten days": (2, 4, 10, False),
    "two to four rise within ten days": (2, 4, 10, True),
}
"""Fewest and most botnets that move, most days between the first and the last, and whether they rise."""


def planned(rng: np.random.Generator, few: int, many: int, apart: int, *, rise: bool) -> Plan:
    """An observatory in which botnets move."""
    botnets = int(rng.integers(5, 10))
    number = int(rng.integers(few, many + 1))
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


def main(worlds: int, seed: int) -> None:
    """A row for each case: found, first and last day inside, widths of both intervals."""
    for case, (few, many, apart, rise) in CASES.items():
        tally: dict[str, list[float]] = defaultdict(list)
        for world in range(worlds):
            rng = np.random.default_rng([seed, few, apart, rise, world])
            plan = planned(rng, few, many, apart, rise=rise)
            made = make_world(plan, rng)
            level = made.level["total", "total"]
            moved = np.flatnonzero(np.abs(level - level[0]) > SAME * level[0])
            if not len(moved) or abs(level[-1] / level[0] - 1) < 0.2:
                continue
            onset = plan.date(int(moved[0]))
            end = plan.date(int(np.flatnonzero(np.abs(level - level[-1]) > SAME * level[0])[-1]) + 1)
            kinds = {"rise", "resume"} if rise else {"decline", "cease"}
            near = [
                one
                for one in detect(measure(made.panel), whole=True)
                if one.subject_kind == "total"
                and one.kind in kinds
                and abs((one.onset - onset).days) <= NEAR_DAYS
            ]
            tally["found"].append(bool(near))
            if not near:
                continue
            best = min(near, key=lambda one: abs((one.onset - onset).days))
            tally["onset"].append(best.onset_low <= onset <= best.onset_high)
            tally["onset width"].append((best.onset_high - best.onset_low).days + 1)
            tally["onset off"].append(abs((best.onset - onset).days))
            if best.end is None or best.end_low is None or best.end_high is None:
                continue
            tally["end"].append(best.end_low <= end <= best.end_high)
            tally["end width"].append((best.end_high - best.end_low).days + 1)
            tally["end off"].append(abs((best.end - end).days))
            tally["late"].append(best.end_high < end)
            tally["early"].append(best.end_low > end)
        sys.stdout.write(
            f"| {case} | {len(tally['found'])} | {np.mean(tally['found']):.2f} "
            + "".join(
                f"| {np.mean(tally[key]):.3f} | {np.median(tally[f'{key} width']):.0f} "
                f"({np.mean(tally[f'{key} width']):.1f}) | {np.mean(tally[f'{key} off']):.2f} "
                for key in ("onset", "end")
            )
            + f"| ends said early {np.sum(tally['late']):.0f}, late {np.sum(tally['early']):.0f} |\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
