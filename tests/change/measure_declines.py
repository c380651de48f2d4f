"""Slow declines of one botnet among five: `python tests/change/measure_declines.py [FIRST LAST]` (seeds).

By volume, shape and length: how many are told, and how many intervals hold the first day and the last.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections import Counter

import numpy as np

from spamtide.change import detect
from spamtide.model import Panel
from spamtide.series import measure

START, DAYS, SENSORS, BOTNETS = dt.date(2023, 3, 1), 366, 6, 5
SHAPES = ("line", "factor", "s")
FALLS = ((40, 0.2), (80, 0.33), (120, 0.2))
VOLUMES = (1.8, 9, 40)
FOUND = (
    "{n:4} made {found:4} told {split:3} as two  onset {on:4} held by {w:6.1f} days  end {end:4} by {ew:6.1f}"
)


def world(seed: int, shape: str, fall: tuple[int, float], volume: float) -> tuple[Panel, int]:
    """Five botnets whose levels wander, at six sensors, and the day on which the first begins to fall."""
    length, left = fall
    dice = np.random.default_rng([44, seed, length, int(volume * 10), SHAPES.index(shape)])
    rate = np.ones((BOTNETS, DAYS)) * volume
    rate[1:] *= np.exp(dice.normal(0, 0.4, (BOTNETS - 1, 1))) * 1.2
    for botnet in range(BOTNETS):
        wave = np.zeros(DAYS)
        for day in range(1, DAYS):
            wave[day] = 0.6 * wave[day - 1] + dice.normal(0, 0.104)
        rate[botnet] *= np.exp(wave)
    begun = int(dice.integers(70, 200))
    done = np.clip((np.arange(DAYS) - begun + 1) / (length + 1), 0, 1)
    curve = {"line": done, "factor": (1 - left**done) / (1 - left), "s": 3 * done**2 - 2 * done**3}
    rate[0] *= 1 - (1 - left) * curve[shape]
    share = np.full((SENSORS, 1), 1 / SENSORS)
    known, unknown = dice.poisson(rate[:, None] * share), dice.poisson(volume * np.ones(DAYS) * share)
    names = [("botnet", f"b{number}") for number in range(BOTNETS)]
    panel = Panel(
        days=np.datetime64(START) + np.arange(DAYS),
        sensors=tuple(f"s{number}" for number in range(SENSORS)),
        subjects=(("total", "total"), *names, ("botnet", "unknown")),
        counts=np.concatenate([(known.sum(0) + unknown)[None], known, unknown[None]]).astype(np.int64),
        ham=np.zeros((SENSORS, DAYS), np.int64),
        relays=tuple(("mx",) * DAYS for _ in range(SENSORS)),
        pairs={},
    )
    return panel, begun


def score(seeds: range, shape: str, fall: tuple[int, float], volume: float) -> Counter[str]:
    """How falls of one kind were told."""
    found: Counter[str] = Counter()
    for seed in seeds:
        panel, begun = world(seed, shape, fall, volume)
        falls = [
            change
            for change in detect(measure(panel), whole=True)
            if change.subject == "b0" and change.kind in {"decline", "cease"}
        ]
        found["n"] += 1
        if not falls:
            continue
        first, over = START + dt.timedelta(begun), START + dt.timedelta(begun + fall[0])
        one, last = falls[0], falls[-1]
        found["found"] += 1
        found["split"] += len(falls) > 1
        found["on"] += one.onset_low <= first <= one.onset_high
        found["w"] += (one.onset_high - one.onset_low).days + 1
        if last.end_low is not None and last.end_high is not None:
            found["end"] += last.end_low <= over <= last.end_high
            found["ew"] += (last.end_high - last.end_low).days + 1
    return found


def main(first: int, last: int) -> None:
    """A line for each kind, and all of them."""
    every: Counter[str] = Counter()
    for volume in VOLUMES:
        for shape in SHAPES:
            for fall in FALLS:
                found = score(range(first, last), shape, fall, volume)
                every += found
                _say(f"{volume:4} a day, {shape}, {fall[0]} days", found)
    _say("all", every)


def _say(name: str, found: Counter[str]) -> None:
    """Write one line at once, widths as means."""
    told = max(found["found"], 1)
    keys = ("n", "found", "split", "on", "end")
    row = FOUND.format(w=found["w"] / told, ew=found["ew"] / told, **{key: found[key] for key in keys})
    sys.stdout.write(f"{name:28}{row}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*(int(one) for one in sys.argv[1:3] or ("0", "5")))
