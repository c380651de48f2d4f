"""Replays on other seeds: `python tests/change/measure_replays.py [SEEDS] [WORLD...]`; SEEDS: 20, or 601-660.

For docs/replays/README.md. The counts of each world are drawn as `spamtide simulate` draws them, each message
with its right answer, and measured and looked at as `update` does; the mail itself is left out, so a world
takes a second and not two minutes.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections import Counter, defaultdict

import numpy as np

from spamtide.change.detect import look
from spamtide.model import UNKNOWN, Change, Panel
from spamtide.series import measure
from spamtide.simulate.stream import Streams
from spamtide.simulate.truth import TrueChange, true_changes
from spamtide.simulate.volume import draw_volumes
from spamtide.simulate.world import World
from spamtide.simulate.worlds import WORLDS

REPLAYS = ("autumn-2010", "mccolo-2008", "rustock-pause-2010", "rustock-takedown-2011", "necurs-2017")
ALIKE = {"cease": "down", "decline": "down", "rise": "up", "resume": "up", "new": "up"}
NEAR_DAYS = 10


def panel(world: World, seed: int) -> Panel:
    """The counts of a world, every message with its right answer."""
    drawn = draw_volumes(world, Streams(world.name, seed), 1.0)
    dice = np.random.default_rng(seed)
    shape = next(iter(drawn.spam.values())).shape
    counts: dict[tuple[str, str], np.ndarray] = defaultdict(lambda: np.zeros(shape, dtype=np.int64))
    pairs: dict[tuple[str, str], np.ndarray] = defaultdict(lambda: np.zeros(shape[1], dtype=np.int64))
    for sender in world.senders:
        mine, mix = drawn.spam[sender.name], drawn.mix[sender.name]
        botnet = sender.name if sender.captured else UNKNOWN
        counts["total", "total"] += mine
        counts["botnet", botnet] += mine
        for day in range(shape[1]):
            parts = dice.multinomial(mine[:, day], mix[day] / mix[day].sum())
            for programme, part in zip(sender.mix, parts.T, strict=True):
                counts["programme", programme or UNKNOWN][:, day] += part
                pairs[botnet, programme or UNKNOWN][day] += part.sum()
    subjects = sorted(counts, key=lambda one: (one[0] != "total", one))
    return Panel(
        days=np.array(world.days, dtype="datetime64[D]"),
        sensors=tuple(sensor.name for sensor in world.sensors),
        subjects=tuple(subjects),
        counts=np.stack([counts[subject] for subject in subjects]),
        ham=drawn.ham,
        relays=tuple(("",) * shape[1] for _ in world.sensors),
        pairs=dict(pairs),
    )


def held(true: TrueChange, found: tuple[Change, ...]) -> tuple[Change | None, bool, bool]:
    """What was found for a true change, and whether its first and last day lie in their intervals."""
    # What takes weeks may be found at any time before it is over.
    reach = max(NEAR_DAYS, (true.end - true.onset).days if true.end else 0)
    near = [
        one
        for one in found
        if (one.subject_kind, one.subject) == (true.subject_kind, true.subject)
        and ALIKE.get(one.kind, one.kind) == ALIKE.get(true.kind, true.kind)
        and -NEAR_DAYS <= (one.onset - true.onset).days <= reach
    ]
    if not near:
        return None, False, False
    best = min(near, key=lambda one: abs((one.onset - true.onset).days))
    inside = best.onset_low <= true.onset <= best.onset_high
    ends = true.end is None or best.end is None or best.kind in {"surge", "switch"}
    return best, inside, ends or within(true.end, best.end_low, best.end_high)


def within(day: dt.date | None, low: dt.date | None, high: dt.date | None) -> bool:
    """Whether a day is known and lies in an interval that is."""
    return day is not None and low is not None and high is not None and low <= day <= high


def main(seeds: range, names: tuple[str, ...]) -> None:
    """A row for each true change of a botnet or the total: found, first and last day inside; then others."""
    for name in names:
        world = WORLDS[name]
        truth = [one for one in true_changes(world) if one.subject_kind in {"botnet", "total"}]
        scores: dict[int, Counter[str]] = defaultdict(Counter)
        others: Counter[str] = Counter()
        for seed in seeds:
            found = look(measure(panel(world, seed)), whole=True).changes
            matched = []
            for number, true in enumerate(truth):
                best, onset, end = held(true, found)
                scores[number] += Counter(found=best is not None, onset=onset, end=end)
                matched.append(best)
            others.update(
                f"{one.kind} of {one.subject}"
                for one in found
                if one.subject_kind in {"botnet", "total"} and not any(one is best for best in matched)
            )
        for number, true in enumerate(truth):
            score = scores[number]
            sys.stdout.write(
                f"| {name} | {true.kind} of {true.subject} | {true.onset} to {true.end} | {score['found']} "
                f"| {score['onset']} | {score['end']} |\n"
            )
        told = ", ".join(f"{what} {number}" for what, number in sorted(others.items()))
        sys.stdout.write(f"{name}: not in the truth, in {len(seeds)} worlds: {told or 'nothing'}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    first, _, last = (sys.argv[1] if len(sys.argv) > 1 else "20").rpartition("-")
    main(range(int(first or 1), int(last) + 1), tuple(sys.argv[2:]) or REPLAYS)
