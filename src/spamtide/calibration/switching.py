"""Switches of programme: how soon they are found, and what is called one that is none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from spamtide.calibration.best_switch import LOOKS, PATIENCE, best_switches
from spamtide.calibration.judge import near
from spamtide.calibration.plan import Grow, Happening, Plan, Turn, botnet_name, programme_name
from spamtide.calibration.row import Row, median, share
from spamtide.calibration.studies import found
from spamtide.calibration.world import Made, make_world
from spamtide.model import Change

BOTNETS = 4
VOLUME, POINTS = 200.0, 0.2
"""Messages a day of a botnet, and the share of them that moves."""
KNOWN = 0.88
"""Share of all mail that carries a botnet's name."""
SOON = 2
"""Days within which a switch is to be found."""


def switches(worlds: int, seed: int) -> Iterator[Row]:
    """Moves of 20 points at 200 messages a day, and growth of one programme alone."""
    delays: list[float] = []
    directions: list[bool] = []
    alone: list[bool] = []
    false: list[bool] = []
    for world in range(worlds):
        rng = np.random.default_rng([seed, 60, world])
        onset = int(rng.integers(70, 110))
        made = _made(tuple(Turn(b, onset, 1, POINTS) for b in range(BOTNETS)), onset, rng)
        waiting = {botnet_name(b): b for b in range(BOTNETS)}
        called: set[tuple[str, bool]] = set()
        for days in range(1, PATIENCE + 1):
            for change in found(made, onset + days):
                if change.kind == "switch":
                    called.add((change.subject, _turned(made, change)))
                if change.kind == "switch" and change.subject in waiting:
                    b = waiting.pop(change.subject)
                    delays.append(float(days))
                    directions.append(
                        (change.from_programme, change.to_programme)
                        == (programme_name(b), programme_name((b + 1) % 5))
                    )
        false += [not true for _, true in called]
        delays += [PATIENCE + 1.0] * len(waiting)
        rng = np.random.default_rng([seed, 61, world])
        grows = tuple(Grow(b, onset, float(rng.choice((2.0, 4.0)))) for b in range(BOTNETS))
        made = _made(grows, onset, rng)
        grown: set[str] = set()
        for days in range(1, PATIENCE + 1):
            told = {c.subject for c in found(made, onset + days) if c.kind == "switch"}
            grown |= told
            if days in LOOKS:
                alone += [botnet_name(b) in told for b in range(BOTNETS)]
        false += [True] * len(grown)
    best = best_switches(np.random.default_rng([seed, 62]), VOLUME, POINTS)
    case = "20 points, 200 messages a day"
    target = ("<= 2", 0.0, float(SOON))
    for measure, waits, of in (
        ("median delay, days of data", delays, target),
        ("median delay of the best test that knows all", best, ()),
    ):
        yield Row("switches", case, measure, *median(waits), len(waits), "switches", *of)
    for measure, waits in (
        ("found within two days", delays),
        ("found within two days by the best test that knows all", best),
    ):
        hits = [wait <= SOON for wait in waits]
        yield Row("switches", case, measure, *share(hits), len(hits), "switches")
    hits = [wait <= PATIENCE for wait in delays]
    yield Row("switches", case, "found within a week", *share(hits), len(hits), "switches")
    yield Row(
        "switches",
        case,
        "direction right",
        *share(directions),
        len(directions),
        "switches",
        ">= 98 %",
        0.98,
        1.0,
    )
    yield Row(
        "switches",
        "among as many growths as moves",
        "share of called switches that are false",
        *share(false),
        len(false),
        "switches",
        "<= 10 %",
        0.0,
        0.1,
    )
    yield Row(
        "switches",
        "one programme grew, nobody lost",
        "called a switch",
        *share(alone),
        len(alone),
        "looks",
        "<= 2 %",
        0.0,
        0.02,
    )


def _made(happenings: tuple[Happening, ...], onset: int, rng: np.random.Generator) -> Made:
    """An observatory that ends PATIENCE days after what happened."""
    plan = Plan(
        days=onset + PATIENCE,
        sensors=6,
        botnets=BOTNETS,
        even=True,
        volume=BOTNETS * VOLUME / KNOWN,
        holidays=False,
        happenings=happenings,
    )
    return make_world(plan, rng)


def _turned(made: Made, change: Change) -> bool:
    """Whether a called switch is the botnet's own, in its direction."""
    return any(
        isinstance(turn, Turn)
        and change.subject == botnet_name(turn.botnet)
        and near(change, made.plan.date(turn.onset))
        and change.from_programme == programme_name(turn.botnet % made.plan.programmes)
        and change.to_programme == programme_name((turn.botnet + 1) % made.plan.programmes)
        for turn in made.plan.happenings
    )
