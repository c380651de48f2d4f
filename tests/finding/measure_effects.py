"""Measure effects: `python tests/finding/measure_effects.py [RUNS] [SEED]`. For docs/path/finding.md."""

from __future__ import annotations

import sys

import numpy as np
from effect_world import made

from spamtide.finding.estimate.effects import effects

NAMES = ("own", "lost", "others", "net")


def main(runs: int, seed: int) -> None:
    """Coverage of the intervals after an action, and effects found where nothing happened."""
    rng = np.random.default_rng(seed)
    for title, effect in (("coverage of the true effect", True), ("effects at placebo dates", False)):
        hits: dict[tuple[str, int], list[bool]] = {}
        widths: dict[tuple[str, int], list[float]] = {}
        for _ in range(runs):
            world = made(rng, effect=effect)
            for one in effects(world.scene):
                for name in NAMES:
                    share, true = getattr(one, name), getattr(world, name)[one.days]
                    hit = share.low <= true <= share.high if effect else share.sure
                    hits.setdefault((name, one.days), []).append(hit)
                    widths.setdefault((name, one.days), []).append(share.high - share.low)
        for (name, days), found in hits.items():
            width = np.median(widths[name, days])
            sys.stdout.write(
                f"{title}: {name:6} {days:2} d {np.mean(found):.3f} (n {len(found)}), width {width:.0f}\n"
            )
        sys.stdout.write(f"{title}: all {np.mean([h for found in hits.values() for h in found]):.3f}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asked = [int(one) for one in sys.argv[1:]]
    main(*(asked + [400, 20110316][len(asked) :]))
