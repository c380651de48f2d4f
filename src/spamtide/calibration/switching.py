"""Switches of programme: how soon they are found, and what is called one that is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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

Target = tuple[()] | tuple[str, float, float]
"""What is asked for, in words and as bounds; () where nothing is."""


def switches(worlds: int, seed: int) -> Iterator[Row]:
    """Moves of 20 points at 200 messages a day, and growth of one programme alone."""
    moved = _watch_moves(worlds, seed)
    grown = _watch_growth(worlds, seed)
    best = best_switches(np.random.default_rng([seed, 62]), VOLUME, POINTS)
    false = [*moved.false, *grown.false]
    case = "20 points, 200 messages a day"
    shares: tuple[tuple[str, str, Sequence[bool], str, Target], ...] = (
        (case, "found within two days", [wait <= SOON for wait in moved.delays], "switches", ()),
        (
            case,
            "found within two days by the best test that knows all",
            [wait <= SOON for wait in best],
            "switches",
            (),
        ),
        (case, "found within a week", [wait <= PATIENCE for wait in moved.delays], "switches", ()),
        (case, "direction right", moved.directions, "switches", (">= 98 %", 0.98, 1.0)),
        (
            "among as many growths as moves",
            "share of called switches that are false",
            false,
            "switches",
            ("<= 10 %", 0.0, 0.1),
        ),
        (
            "one programme grew, nobody lost",
            "called a switch",
            grown.called,
            "looks",
            ("<= 2 %", 0.0, 0.02),
        ),
    )
    soon: Target = ("<= 2", 0.0, float(SOON))
    for measure, waits, target in (
        ("median delay, days of data", moved.delays, soon),
        ("median delay of the best test that knows all", best, ()),
    ):
        yield Row("switches", case, measure, *median(waits), len(waits), "switches", *target)
    for of, measure, hits, unit, target in shares:
        yield Row("switches", of, measure, *share(hits), len(hits), unit, *target)


@dataclass(frozen=True, slots=True)
class _Moves:
    """What was called where every botnet moved to another programme."""

    delays: list[float]
    """Days of data until each move was called, PATIENCE + 1 where it was not."""
    directions: list[bool]
    """Of each that was, whether from and to were right."""
    false: list[bool]
    """Of all that was called, whether it was false."""


@dataclass(frozen=True, slots=True)
class _Growth:
    """What was called where one programme of each botnet grew and none lost."""

    called: list[bool]
    """At each look, by botnet: whether that was called a switch."""
    false: list[bool]
    """True for each botnet of which a switch was called at any time."""


def _watch_moves(worlds: int, seed: int) -> _Moves:
    """Look at worlds in which each botnet moves to another programme, day by day."""
    moves = _Moves([], [], [])
    for world in range(worlds):
        rng = np.random.default_rng([seed, 60, world])
        onset = int(rng.integers(70, 110))
        made = _made(tuple(Turn(b, onset, 1, POINTS) for b in range(BOTNETS)), onset, rng)
        waiting = {botnet_name(b): b for b in range(BOTNETS)}
        called: set[tuple[str, bool]] = set()
        for days in range(1, PATIENCE + 1):
            for change in found(made, onset + days):
                if change.kind != "switch":
                    continue
                called.add((change.subject, _turned(made, change)))
                if change.subject in waiting:
                    b = waiting.pop(change.subject)
                    moves.delays.append(float(days))
                    moves.directions.append(
                        (change.from_programme, change.to_programme)
                        == (programme_name(b), programme_name((b + 1) % 5))
                    )
        moves.false.extend(not true for _, true in called)
        moves.delays.extend([PATIENCE + 1.0] * len(waiting))
    return moves


def _watch_growth(worlds: int, seed: int) -> _Growth:
    """Look at worlds in which one programme of each botnet grows to twice or four times, day by day."""
    growth = _Growth([], [])
    for world in range(worlds):
        onset = int(np.random.default_rng([seed, 60, world]).integers(70, 110))  # as in `_watch_moves`
        rng = np.random.default_rng([seed, 61, world])
        grows = tuple(Grow(b, onset, float(rng.choice((2.0, 4.0)))) for b in range(BOTNETS))
        made = _made(grows, onset, rng)
        grown: set[str] = set()
        for days in range(1, PATIENCE + 1):
            told = {c.subject for c in found(made, onset + days) if c.kind == "switch"}
            grown |= told
            if days in LOOKS:
                growth.called.extend(botnet_name(b) in told for b in range(BOTNETS))
        growth.false.extend([True] * len(grown))
    return growth


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
