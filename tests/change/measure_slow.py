"""What could be known of a slow rise: `python tests/change/measure_slow.py [DRAWINGS]`.

For docs/replays/README.md. Xarvester's growth in mccolo-2008 adds 44 % to all mail over ten weeks. Here a
test is asked that knows which days it fills, its shape, and that nothing else moved since Christmas: how far
the days go with that shape, on a log scale. How often chance does as well is counted without the growth.
"""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import replace

import numpy as np

from spamtide.simulate.stream import Streams
from spamtide.simulate.truth import true_changes
from spamtide.simulate.volume import draw_volumes
from spamtide.simulate.world import World
from spamtide.simulate.worlds import WORLDS

SETTLED = dt.date(2008, 12, 27)
"""From here on nothing moves but what grows."""
FALSE = (0.05, 0.01)


def score(world: World, seed: int, shape: np.ndarray) -> float:
    """How far the days since all had settled go with a shape: its coefficient beside a level and weekdays."""
    drawn = draw_volumes(world, Streams(world.name, seed), 1.0)
    total = np.sum([*drawn.spam.values()], axis=0).sum(axis=0)
    first = world.days.index(SETTLED)
    logs = np.log(total[first:] + 0.5)
    weekday = np.eye(7)[[day.weekday() for day in world.days[first:]]]
    design = np.column_stack((weekday, shape[first:]))
    return float(np.linalg.lstsq(design, logs, rcond=None)[0][-1])


def main(drawings: int) -> None:
    """Scores with and without the growth, and the share of the former that few of the latter reach."""
    world = WORLDS["mccolo-2008"]
    (rise,) = (
        one for one in true_changes(world)
        if one.subject_kind == "total" and one.kind == "rise" and one.onset >= dt.date(2009, 1, 1)
    )  # fmt: skip
    if rise.end is None:
        raise RuntimeError
    span = (rise.end - rise.onset).days
    shape = np.array([min(max((day - rise.onset).days / span, 0.0), 1.0) for day in world.days])
    without = replace(world, senders=tuple(one for one in world.senders if one.name != "xarvester"))
    null = np.sort([score(without, seed, shape) for seed in range(1001, 1001 + drawings)])
    found = np.array([score(world, seed, shape) for seed in range(1, drawings + 1)])
    sys.stdout.write(
        f"with the growth {found.mean():.3f} +- {found.std():.3f}, "
        f"without {null.mean():.3f} +- {null.std():.3f}\n"
    )
    for rate in FALSE:
        bar = float(np.quantile(null, 1 - rate))
        sys.stdout.write(
            f"false in {rate:.1%}: bar {bar:.3f}, found in {np.mean(found > bar):.0%} of {drawings}, "
            f"{np.sum(found[:20] > bar)} of the first 20\n"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
