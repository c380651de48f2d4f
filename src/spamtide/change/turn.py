"""The online alarm for programme mixes: whether a botnet has just turned from one programme to another.

The last days' messages of the loser, of the gainer and of the rest are held against those before, as log
ratios with the covariance that such days have always had: it holds how uneven the botnet's volume and its
mix are. A switch is flagged when it explains the last days far better than no change does, and better than
a loser, or a gainer, that moved alone.
"""

from __future__ import annotations

import datetime as dt
import math

import numpy as np

from spamtide.change.alarm import Units
from spamtide.change.switch import LEAST_MOVE, REST, Mix, Switch, hidden
from spamtide.model import UNKNOWN, Floats

WINDOWS = (1, 2, 3, 4, 5, 6, 7, 10, 14)
"""Last days that are looked at."""
BEFORE = 49
FEWEST_BEFORE = 21
LEAST_MAIL = 5.0
"""Messages a day that loser before and gainer after must bring."""
AGAINST_NONE, AGAINST_NONE_IN_A_DAY = 10.0, 16.0
"""Gain in chi-squared over no change from which a switch is flagged; more for a single day."""
AGAINST_ONE_A_DAY, AGAINST_ONE = 1.0, 4.0
"""The same over a change of the loser or of the gainer alone, by days of the window and at most: a true
switch tells itself from a growth better by the day."""
LEAST_PART = 0.4
"""Part of the move that loser and gainer must each show in messages, not only in shares."""
VOLUME = 0.15
"""Prior standard deviation of a change of the whole volume at the same time, on the log scale."""
MOVES = np.linspace(0.1, 0.9, 33)
"""Shares of the mail that may have moved."""
ALONE = np.linspace(-3.0, 3.0, 61)
"""Log changes of one programme alone."""
LEAST_VARIANCE = 0.003
FALSE_A_YEAR, REAL_A_YEAR = 0.1, 1.0
"""Switches a botnet and year that are flagged by chance with no more gain than it takes, measured on worlds
of four kinds of noise, and those that are real; confidence is reckoned with them."""


def standing_switch(mix: Mix, since: int = 0) -> Switch | None:
    """The switch that a botnet's last days show, or None.

    Args:
        mix: the botnet's mix, by the day.
        since: first unit of the present mix.
    """
    if mix.step != 1 or len(mix.programmes) < 2:  # noqa: PLR2004 - two to switch between
        return None
    where = np.flatnonzero(mix.seen)
    where = where[where >= since]
    best: tuple[float, Switch | None] | None = None
    for window in WINDOWS:
        if len(where) < window + FEWEST_BEFORE:
            break
        old, new = where[max(0, len(where) - window - BEFORE) : -window], where[-window:]
        found = _window(mix, old, new)
        # The window that shows most of a change, of whatever kind, is the one that says of which kind it is.
        if found is not None and (best is None or found[0] > best[0]):
            best = found
    return best[1] if best else None


def _window(mix: Mix, old: Units, new: Units) -> tuple[float, Switch | None] | None:
    """The gain of any change over none that one window shows, and the switch if it is one."""
    rates = mix.count / np.where(mix.exposure > 0, mix.exposure, 1.0)
    was, now = rates[:, old].mean(axis=1), rates[:, new].mean(axis=1)
    before, after = was / max(was.sum(), 1e-9), now / max(now.sum(), 1e-9)
    named = np.array([name not in {UNKNOWN, REST} for name in mix.programmes])
    shift = np.where(named, after - before, 0.0)
    loser, gainer = int(shift.argmin()), int(shift.argmax())
    if loser == gainer:
        return None
    rest = [p for p in range(len(mix.programmes)) if p not in {loser, gainer}]
    parts = np.array([rates[loser], rates[gainer], rates[rest].sum(axis=0)])
    if before[rest].sum() < LEAST_MOVE / 2:
        parts = parts[:2]
    logs = np.log(parts + 0.5)
    move = logs[:, new].mean(axis=1) - logs[:, old].mean(axis=1)
    precision: Floats = np.asarray(np.linalg.inv(_covariance(logs[:, old], len(new))), dtype=np.float64)
    explained = _fit(move, precision, before[[loser, gainer]])
    none = _chi(move[None], precision)
    alone = min(_chi(move - ALONE[:, None] * np.eye(len(move))[which], precision) for which in (0, 1))
    of_any = none - min(explained, alone)
    enough = AGAINST_NONE if len(new) > 1 else AGAINST_NONE_IN_A_DAY
    if none - explained < enough or alone - explained < min(AGAINST_ONE_A_DAY * len(new), AGAINST_ONE):
        return of_any, None
    stretch = (int(old[0]), int(new[0]), int(new[0]), int(new[-1]) + 1)
    least = LEAST_MOVE + hidden(mix, loser, gainer, stretch)
    volume = (was.sum() + now.sum()) / 2
    if (
        min(-shift[loser], shift[gainer]) < least
        or min(was[loser], now[gainer]) < LEAST_MAIL
        or was[loser] - now[loser] < LEAST_PART * -shift[loser] * volume
        or now[gainer] - was[gainer] < LEAST_PART * shift[gainer] * volume
    ):
        return of_any, None
    onset = mix.day(int(new[0]))
    slack = dt.timedelta(days=2 if len(new) > 1 else 1)
    last = mix.day(int(new[-1]))
    gain = none - explained
    false_a_year = FALSE_A_YEAR * math.exp(-(gain - enough) / 2)
    return of_any, Switch(
        onset=(onset, onset - slack, min(onset + slack, last)),
        end=None,
        from_programme=mix.programmes[loser],
        to_programme=mix.programmes[gainer],
        shares=(float(before[loser]), float(after[loser]), float(before[gainer]), float(after[gainer])),
        messages=(float(was[loser]), float(now[loser]), float(was[gainer]), float(now[gainer])),
        gain=gain,
        p_value=math.exp(-gain / 2),
        alarmed=REAL_A_YEAR / (REAL_A_YEAR + false_a_year),
    )


def _covariance(logs: Floats, window: int) -> Floats:
    """Covariance of the mean of `window` days less the mean of those before, serial correlation and all."""
    centred = logs - logs.mean(axis=1, keepdims=True)
    days = logs.shape[1]
    covariance = centred @ centred.T / max(days - len(logs), 1)
    covariance += LEAST_VARIANCE * np.eye(len(logs))
    lag = (centred[:, 1:] * centred[:, :-1]).sum() / max((centred**2).sum(), 1e-9)
    rho = float(np.clip(lag, 0.0, 0.8))
    inflation = 1 + 2 * sum((1 - k / window) * rho**k for k in range(1, window))
    # The covariance is estimated: as for a t, its inverse is too large on average.
    doubt = days / max(days - len(logs) - 2, 1)
    whole: Floats = covariance * doubt * (inflation / window + (1 + rho) / (1 - rho) / days)
    return whole + VOLUME**2 * np.ones((len(logs), len(logs)))


def _fit(move: Floats, precision: Floats, before: Floats) -> float:
    """Least chi-squared over all amounts that may have gone from the loser to the gainer."""
    moved = MOVES[before[0] > MOVES]
    if not len(moved):
        return math.inf
    expected = np.zeros((len(moved), len(move)))
    expected[:, 0] = np.log((before[0] - moved) / before[0])
    expected[:, 1] = np.log((before[1] + moved) / max(before[1], 1e-3))
    return _chi(move - expected, precision)


def _chi(residual: Floats, precision: Floats) -> float:
    """Least squared distance of some residuals, one a row."""
    return float(np.einsum("ij,jk,ik->i", residual, precision, residual).min())
