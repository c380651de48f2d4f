"""How long recorded silences of botnets lasted, and what that says about the present one.

A mixture-cure model (Boag 1949, Farewell 1982): some silences are for good, the others end after a time that
is lognormal. The share that ends depends on the kind of end, an action against the botnet or none on record;
the two shares are drawn towards each other, for the record is short. All parameters are averaged over a grid
under weak priors, so a silence says of itself how far the record carries. What is asked is always conditional
on the silence having lasted as long as it has.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from spamtide.finding.events import RETURNS, SILENCES, Event
from spamtide.finding.figures import Figure
from spamtide.model import Floats

HORIZON = 90
"""Days within which a return is counted."""
LEAST_BASE = 5
"""With fewer recorded dormancies nothing is said."""
STRIKES = frozenset({"takedown", "c2_loss", "host_loss", "arrest", "cleanup"})
"""Kinds of events that count as an action against a botnet."""
NAMED_DAYS, HOST_DAYS = 21, 3
"""Days before a silence in which an action against the botnet, or the loss of a host, counts as its kind."""
CHECKPOINTS = (0, 7, 21, 60)
"""Days into a silence at which the back-test asks."""

MU = np.linspace(0.7, 6.0, 36)
SIGMA = np.linspace(0.3, 2.1, 13)
CURE = np.linspace(0.02, 0.98, 33)
CENTRE = np.linspace(-1.5, 3.0, 13)
"""Grids: mean and spread of log days, share of silences that end, and what the kinds' logits lie around."""
INSIDE, EIGHTY = (0.025, 0.975), (0.1, 0.9)
NEVER = math.inf


@dataclass(frozen=True, slots=True)
class Dormancy:
    """One recorded silence of a botnet."""

    botnet: str
    start: dt.date
    end: dt.date | None
    """Day of return; None where no return is on record."""
    struck: bool = False
    """An action against the botnet is on record for the days before."""
    seen: float = NEVER
    """Days from its start to the day of knowledge."""

    @property
    def days(self) -> float:
        """Length in days; infinite without a return."""
        return NEVER if self.end is None else float((self.end - self.start).days)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the record says of a silence that has lasted some days."""

    base: int
    """Recorded dormancies."""
    ended: int
    """Of these, ended within HORIZON days of their start."""
    longer: int
    """Of those on record, lasted longer than the present one has, and were followed for HORIZON days more."""
    then: int
    """Of these longer ones, ended within HORIZON days more."""
    chance: Figure
    """Percent: a return within HORIZON days from now."""
    shortest: float
    longest: float
    """Days that those which ended within HORIZON lasted."""
    early: float
    """Days from its start by which a tenth of such silences have ended; infinite where that never is."""
    late: float
    """The same for nine tenths."""


@dataclass(frozen=True, slots=True)
class BackTest:
    """The record against itself, one dormancy left out at a time."""

    forecasts: int
    brier: float
    base_brier: float
    """Of the plain share of the others that ended, among those that had lasted as long."""
    intervals: int
    held: int
    """80 % intervals of the length that held the true one."""


def dormancies(events: Sequence[Event], until: dt.date) -> tuple[Dormancy, ...]:
    """Read dormancies out of events, as they were known on the day `until`.

    A silence ends on its own `date_end`, else at the first later return of the same botnet. What happened
    after `until` is not used: an outlook made for 2010 knows nothing of 2011.
    """
    known = [e for e in events if e.date_start <= until and e.confidence != "low"]
    found = []
    for event in known:
        if event.kind not in SILENCES or event.subject_type != "botnet":
            continue
        end = event.date_end
        if end is None:
            returns = [e.date_start for e in known if e.kind in RETURNS and e.subject == event.subject]
            end = min((day for day in returns if day > event.date_start), default=None)
        struck = was_struck(known, event.date_start, _names(event.subject))
        found.append(
            Dormancy(
                event.subject,
                event.date_start,
                None if end and end > until else end,
                struck,
                float((until - event.date_start).days),
            )
        )
    return tuple(found)


def _names(subject: str) -> Callable[[Event], bool]:
    """Whether an event names exactly this subject."""
    return lambda event: event.subject == subject


def was_struck(events: Sequence[Event], start: dt.date, names: Callable[[Event], bool]) -> bool:
    """Whether an action against a botnet, or the loss of a host, is on record just before a silence began."""
    for event in events:
        if event.kind not in STRIKES:
            continue
        before = (start - event.date_start).days
        if event.subject_type == "host" and 0 <= before <= HOST_DAYS:
            return True
        if 0 <= before <= NAMED_DAYS and names(event):
            return True
    return False


@dataclass(frozen=True, slots=True)
class Posterior:
    """What the record leaves of the grid, for one kind of end."""

    weights: Floats
    """Shape (mu, sigma, cure), adding up to 1."""

    def chance(self, lasted: float, horizon: float) -> tuple[float, float, float]:
        """P(one that has lasted `lasted` days ends within `horizon` more), with its interval."""
        now, then = _ended(lasted), _ended(lasted + horizon)
        still = 1 - now
        given = np.where(still > 0, (then - now) / np.maximum(still, 1e-12), 0.0)
        weights = (self.weights * still).ravel()
        weights = weights / weights.sum()
        low, high = _quantiles(given.ravel(), weights, INSIDE)
        return float(weights @ given.ravel()), low, high

    def by(self, *shares: float) -> tuple[float, ...]:
        """Days by which these shares of silences have ended; infinite where it never comes to that."""
        timed = (self.weights * CURE).sum(axis=2)
        days = np.concatenate([np.arange(1, 200), np.geomspace(200, 20_000, 60)])
        ended = np.array([float((timed * _lognormal(day)).sum()) for day in days])
        return tuple(float(days[np.argmax(ended >= q)]) if (ended >= q).any() else NEVER for q in shares)


def fit(record: Sequence[Dormancy], *, struck: bool) -> Posterior:
    """Fit the model to a record and give the posterior for one kind of end."""
    prior = _prior()
    spread = _timing()
    joint = np.zeros((len(MU), len(SIGMA), len(CURE)))
    kinds = {
        kind: np.exp(sum((_likelihood(d) for d in record if d.struck is kind), np.zeros(joint.shape)))
        for kind in (True, False)
    }
    for at in range(len(CENTRE)):
        other = (kinds[not struck] * prior[at]).sum(axis=2, keepdims=True)
        joint += kinds[struck] * prior[at] * other * _centre()[at]
    joint *= spread[:, :, None]
    return Posterior(joint / joint.sum())


def outlook(record: Sequence[Dormancy], lasted: int, *, struck: bool) -> Outlook | None:
    """What the record says; None where fewer than LEAST_BASE dormancies are on record."""
    followed = [d for d in record if d.end is not None or d.seen >= HORIZON]
    if len(followed) < LEAST_BASE:
        return None
    found = fit(record, struck=struck)
    chance, low, high = found.chance(lasted, HORIZON)
    early, late = found.by(*EIGHTY)
    lengths = sorted(d.days for d in followed if d.days <= HORIZON)
    longer = _alike(record, lasted)
    return Outlook(
        base=len(followed),
        ended=sum(1 for d in followed if d.days <= HORIZON),
        longer=len(longer),
        then=sum(1 for d in longer if d.days <= lasted + HORIZON),
        chance=Figure(100 * chance, 100 * low, 100 * high, "percent"),
        shortest=lengths[0] if lengths else NEVER,
        longest=lengths[-1] if lengths else NEVER,
        early=early,
        late=late,
    )


def _alike(record: Sequence[Dormancy], lasted: int) -> list[Dormancy]:
    """Silences that lasted longer than some days, and of which it is known what HORIZON more brought."""
    return [d for d in record if d.days > lasted and (d.end is not None or d.seen >= lasted + HORIZON)]


@lru_cache(maxsize=8)
def back_test(record: tuple[Dormancy, ...]) -> BackTest:
    """Leave each dormancy out, forecast it from the others, and compare with what it did.

    Asked is the return within HORIZON days at each of CHECKPOINTS that it reached and was followed from,
    and the 80 % interval of its length.
    """
    said, base, true = [], [], []
    held = intervals = 0
    for at, one in enumerate(record):
        others = [*record[:at], *record[at + 1 :]]
        found = fit(others, struck=one.struck)
        for lasted in CHECKPOINTS:
            if one.days <= lasted or (one.end is None and one.seen < lasted + HORIZON):
                continue
            alike = _alike(others, lasted)
            ended = sum(d.days <= lasted + HORIZON for d in alike)
            said.append(found.chance(lasted, HORIZON)[0])
            base.append((ended + 0.5) / (len(alike) + 1))
            true.append(one.days <= lasted + HORIZON)
        if one.end is not None or one.seen >= 2 * HORIZON:
            intervals += 1
            early, late = found.by(*EIGHTY)
            held += early <= one.days <= late
    y = np.array(true, dtype=float)
    return BackTest(
        forecasts=len(y),
        brier=float(((np.array(said) - y) ** 2).mean()) if len(y) else math.nan,
        base_brier=float(((np.array(base) - y) ** 2).mean()) if len(y) else math.nan,
        intervals=intervals,
        held=held,
    )


# ---------------------------------------------------------------------------- the grid


def _lognormal(days: float) -> Floats:
    """Share of the silences that end which have ended by some days, shape (mu, sigma)."""
    from scipy.special import ndtr

    if days <= 0:
        return np.zeros((len(MU), len(SIGMA)))
    if not math.isfinite(days):
        return np.ones((len(MU), len(SIGMA)))
    share: Floats = ndtr((math.log(days) - MU[:, None]) / SIGMA[None, :])
    return share


def _ended(days: float) -> Floats:
    """Share of all silences that have ended by some days, shape (mu, sigma, cure)."""
    return _lognormal(days)[:, :, None] * CURE[None, None, :]


@lru_cache(maxsize=512)
def _likelihood(one: Dormancy) -> Floats:
    """Log likelihood of one dormancy: it ended on a day, or was still going on when last looked at."""
    if one.end is None:
        return np.log(np.maximum(1 - _ended(one.seen), 1e-12))
    found: Floats = np.log(np.maximum(_ended(one.days + 0.5) - _ended(one.days - 0.5), 1e-12))
    return found


@lru_cache(maxsize=1)
def _prior() -> Floats:
    """P(share that ends | centre), shape (centre, 1, 1, cure): a logit-normal of spread 1."""
    logit = np.log(CURE / (1 - CURE))
    density = np.exp(-0.5 * (logit[None, :] - CENTRE[:, None]) ** 2) / (CURE * (1 - CURE))[None, :]
    density /= density.sum(axis=1, keepdims=True)
    return density[:, None, None, :]


@lru_cache(maxsize=1)
def _centre() -> Floats:
    """P(centre): a weak normal around a share of two thirds."""
    density: Floats = np.exp(-0.5 * (CENTRE - 0.7) ** 2)
    density /= density.sum()
    return density


@lru_cache(maxsize=1)
def _timing() -> Floats:
    """P(mu, sigma): around four weeks, a factor of e either way; a spread near 1."""
    around = np.exp(-0.5 * ((MU - 3.3) / 1.2) ** 2)[:, None]
    density: Floats = around * np.exp(-0.5 * ((SIGMA - 1.0) / 0.4) ** 2)
    density /= density.sum()
    return density


def _quantiles(values: Floats, weights: Floats, at: Sequence[float]) -> tuple[float, float]:
    """Weighted quantiles."""
    order = np.argsort(values)
    summed = np.cumsum(weights[order])
    low, high = (float(values[order][min(int(np.searchsorted(summed, q)), len(values) - 1)]) for q in at)
    return low, high
