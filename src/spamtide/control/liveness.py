"""P(alive) of servers from their checks: a hidden Markov model in continuous time.

A server is alive or dead; it dies at one rate and comes back at another; a check of a live one is answered
with one probability, of a dead one (a sinkhole, a new tenant of the address) with another; at its first check
it is alive with a fifth. The five numbers are fitted to all servers together (Rabiner 1989 for the forward
recursion, closed-form two-state transition for uneven gaps) and then averaged over: draws around the best
fit, weighted by how well each explains the checks, so that few checks give cautious answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spamtide.model import Floats

PRIOR_MEAN = np.array([-3.9, -4.6, 2.2, -3.5, 1.0])
PRIOR_SPREAD = np.array([1.3, 1.5, 1.0, 1.2, 1.2])
"""log death rate a day (about 1 in 50 days), log rate of return (1 in 100), logits of an answer from a live
one (.90) and from a dead one (.03), and of being alive when first checked (.73): weak normal priors."""
DRAWS = 64
"""Parameter draws that the answer is averaged over."""
BOUND = 12.0
"""Bound on parameters, which are on a log or logit scale."""
FLOOR = 1e-12
"""Least likelihood of a check: no single one decides."""

Answers = NDArray[np.int8]
"""1 answered, 0 not, -1 no further check."""


@dataclass(frozen=True, slots=True)
class Liveness:
    """What a fit says of each server at the end."""

    alive: Floats
    """Shape (servers,): P(alive) at the end."""
    draws: Floats
    """Shape (draws, servers): the same under each draw of the parameters."""
    weights: Floats
    """Shape (draws,): weight of each draw, adding up to 1."""

    def any_of(self, chosen: Sequence[int]) -> float:
        """Probability that one at least of these servers is alive; servers live and die by themselves."""
        if not chosen:
            return 0.0
        none = np.prod(1 - self.draws[:, list(chosen)], axis=1)
        return float(1 - self.weights @ none)


def fit(times: Sequence[Sequence[float]], answers: Sequence[Sequence[bool]], end: float) -> Liveness:
    """Fit the model to the checks of several servers and say who is alive at `end`.

    Args:
        times: of each server, the days of its checks in ascending order.
        answers: of each server, whether each check was answered.
        end: the day that the answer is for; not before the last check.
    """
    if not times:
        return Liveness(np.zeros(0), np.zeros((1, 0)), np.ones(1))
    gaps, seen, last = _padded(times, answers, end)
    best = _best(gaps, seen)
    spread = np.linalg.cholesky(_covariance(best, gaps, seen))
    normals = _normals()
    draws = np.clip(best + normals @ spread.T, -BOUND, BOUND)
    logs = np.empty(len(draws))
    alive = np.empty((len(draws), len(times)))
    for at, draw in enumerate(draws):
        likelihood, filtered = _forward(draw, gaps, seen)
        logs[at] = likelihood + _prior(draw) + 0.5 * float(normals[at] @ normals[at])
        alive[at] = _ahead(draw, filtered, last)
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    return Liveness(weights @ alive, alive, weights)


def _padded(
    times: Sequence[Sequence[float]], answers: Sequence[Sequence[bool]], end: float
) -> tuple[Floats, Answers, Floats]:
    """Gaps before each check and answers as (servers, checks), and the gap from the last check to the end."""
    longest = max(len(one) for one in times)
    gaps = np.zeros((len(times), longest))
    seen = np.full((len(times), longest), -1, dtype=np.int8)
    for at, (days, told) in enumerate(zip(times, answers, strict=True)):
        gaps[at, 1 : len(days)] = np.diff(days)
        seen[at, : len(days)] = told
    return gaps, seen, np.array([max(end - days[-1], 0.0) for days in times])


def _rates(parameters: Floats) -> tuple[float, float, float, float, float]:
    """Death rate, return rate, P(answer | alive), P(answer | dead), P(alive at first)."""
    logits = 1 / (1 + np.exp(-parameters[2:]))
    death, back = np.exp(np.clip(parameters[:2], -BOUND, 3.0))
    return float(death), float(back), float(logits[0]), float(logits[1]), float(logits[2])


def _step(alive: Floats, gap: Floats, death: float, back: float) -> Floats:
    """P(alive) after a gap of days, from the closed form of the two-state chain."""
    settled = back / (death + back)
    after: Floats = settled + (alive - settled) * np.exp(-(death + back) * gap)
    return after


def _forward(parameters: Floats, gaps: Floats, seen: Answers) -> tuple[float, Floats]:
    """Log likelihood of all checks, and P(alive) of each server just after its last one."""
    death, back, yes_alive, yes_dead, first = _rates(parameters)
    alive = np.full(len(gaps), first)
    total = 0.0
    for check in range(gaps.shape[1]):
        told = seen[:, check]
        has = told >= 0
        ahead = _step(alive, gaps[:, check], death, back) if check else alive
        from_alive = np.where(told == 1, yes_alive, 1 - yes_alive)
        from_dead = np.where(told == 1, yes_dead, 1 - yes_dead)
        evidence = np.maximum(ahead * from_alive + (1 - ahead) * from_dead, FLOOR)
        total += float(np.log(evidence[has]).sum())
        alive = np.where(has, ahead * from_alive / evidence, alive)
    return total, alive


def _ahead(parameters: Floats, alive: Floats, gap: Floats) -> Floats:
    """P(alive) at the end, some days after the last check."""
    death, back, *_ = _rates(parameters)
    return _step(alive, gap, death, back)


def _prior(parameters: Floats) -> float:
    """Log prior; a dead server that answers more often than a live one is ruled out."""
    z = (parameters - PRIOR_MEAN) / PRIOR_SPREAD
    crossed = max(float(parameters[3] - parameters[2]), 0.0)
    return -0.5 * float(z @ z) - 50.0 * crossed


def _loss(parameters: Floats, gaps: Floats, seen: Answers) -> float:
    """What the best fit makes smallest."""
    return -_forward(parameters, gaps, seen)[0] - _prior(parameters)


def _best(gaps: Floats, seen: Answers) -> Floats:
    """The most probable parameters."""
    from scipy.optimize import minimize

    bounds = [(-BOUND, 3.0)] * 2 + [(-BOUND, BOUND)] * 3
    found = minimize(_loss, PRIOR_MEAN, (gaps, seen), method="L-BFGS-B", bounds=bounds)
    best: Floats = found.x
    return best


def _covariance(best: Floats, gaps: Floats, seen: Answers) -> Floats:
    """Inverse curvature at the best fit, kept positive and never wider than the prior."""
    size, step = len(best), 0.05
    curvature = np.empty((size, size))
    shift = np.eye(size) * step
    for i in range(size):
        for j in range(i, size):
            corners = [
                _loss(best + a * shift[i] + b * shift[j], gaps, seen) for a in (1, -1) for b in (1, -1)
            ]
            value = (corners[0] - corners[1] - corners[2] + corners[3]) / (4 * step * step)
            curvature[i, j] = curvature[j, i] = value
    values, vectors = np.linalg.eigh(curvature)
    least = 1 / PRIOR_SPREAD.max() ** 2
    found: Floats = (vectors / np.maximum(values, least)) @ vectors.T + 1e-9 * np.eye(size)
    return found


@lru_cache(maxsize=1)
def _normals() -> Floats:
    """Standard normal draws that are the same every time: a Sobol sequence, the centre first."""
    from scipy.stats import norm, qmc

    points = qmc.Sobol(len(PRIOR_MEAN), scramble=False).random(DRAWS)[1:]
    normals: Floats = np.vstack([np.zeros(len(PRIOR_MEAN)), norm.ppf(np.clip(points, 1e-3, 1 - 1e-3))])
    return normals
