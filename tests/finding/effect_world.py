"""Made-up daily counts with an action whose effect is known: what effects and forecasts are measured on.

Levels drift, have weekdays and noise with a memory; sensors are many small ones. Nothing is shared with the
code that estimates: there is no random walk in the log level at the estimator's grid of steps alone, but a
step size drawn anew, noise that the model does not have, and holidays that all botnets share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spamtide.finding.estimate.effects import Scene


@dataclass(frozen=True)
class Made:
    """A scene and what was true in it, in percent of the volume that would have been, by horizon."""

    scene: Scene
    own: dict[int, float]
    lost: dict[int, float]
    others: dict[int, float]
    net: dict[int, float]


def level(rng: np.random.Generator, days: int, volume: float, drift: float, noise: float) -> np.ndarray:
    """Expected mail of one botnet by day."""
    wave = np.exp(rng.uniform(0, 0.3) * np.cos(2 * np.pi * (np.arange(days) - rng.integers(7)) / 7))
    walk = np.cumsum(drift * rng.standard_normal(days))
    memory = np.zeros(days)
    for day in range(days):
        memory[day] = 0.5 * (memory[day - 1] if day else 0) + noise * np.sqrt(0.75) * rng.standard_normal()
    return volume * wave * np.exp(walk - walk[0] + memory)


def made(rng: np.random.Generator, *, before: int = 90, after: int = 91, effect: bool = True) -> Made:
    """Draw a scene: one botnet struck on a day, five others of which some fill in."""
    days = before + after
    drift, noise = rng.uniform(0.0, 0.012), rng.uniform(0.0, 0.08)
    volumes = rng.uniform(5, 60, 6)
    expected = np.stack([level(rng, days, v, drift, noise) for v in volumes])
    for day in rng.integers(0, days, 3):
        expected[:, day] *= 0.85
    real = expected.copy()
    if effect:
        left = rng.choice([0.0, 0.03, 0.3, 0.6])
        ramp = np.ones(days)
        ramp[before:] = left
        ramp[before] = (1 + left) / 2
        recovery = rng.choice([0.0, 0.01])
        ramp[before:] = np.minimum(1, ramp[before:] * np.exp(recovery * np.arange(after)))
        real[0] *= ramp
        fill = np.ones(days)
        fill[before:] = 1 + rng.choice([0, 0.2]) * (1 - np.exp(-np.arange(after) / 7))
        real[1:3] *= fill
    size = rng.uniform(10, 40)
    counts = rng.negative_binomial(size * 4, size * 4 / (size * 4 + np.maximum(real, 1e-9)))
    spans = {h: slice(before, before + h) for h in (1, 7, 28, 91)}
    whole = {h: expected[:, s].sum() for h, s in spans.items()}
    own = {h: 100 * (real[0, s].sum() / expected[0, s].sum() - 1) for h, s in spans.items()}
    lost = {h: 100 * (real[0, s] - expected[0, s]).sum() / whole[h] for h, s in spans.items()}
    others = {h: 100 * (real[1:, s] - expected[1:, s]).sum() / whole[h] for h, s in spans.items()}
    scene = Scene(
        affected=counts[0],
        others=counts[1:].sum(axis=0),
        offset=np.full(days, 100.0),
        weekday=(np.arange(days) % 7).astype(float),
        clean=before,
        action=before,
    )
    return Made(scene, own, lost, others, {h: lost[h] + others[h] for h in spans})
