"""The online alarm for programme mixes: whether a botnet has just turned from one programme to another.

The last days are held against those before. A switch is flagged when mail that went from a loser to a gainer
explains them far better than no change does, and better than a loser, or a gainer, that moved alone.
"""

from __future__ import annotations

import datetime as dt
import math

import numpy as np

from spamtide.change.mixes.exchange import Units, weigh_exchange
from spamtide.change.mixes.mix import REST, Mix
from spamtide.change.mixes.switch import LEAST_MOVE, Switch, hidden
from spamtide.model import UNKNOWN

WINDOWS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14)
"""Last days that are looked at."""
BEFORE = 49
"""Days before the window that say what the mix was."""
FEWEST_BEFORE = 21
"""Such days without which nothing is said."""
LEAST_MAIL = 5.0
"""Messages a day that loser before and gainer after must bring."""
AGAINST_NONE, AGAINST_NONE_IN_A_DAY = 9.0, 10.7
"""Gain in chi-squared over no change from which a switch is flagged; more for a single day."""
AGAINST_ONE = (2.0, 1.5, 2.5, 3.5)
"""The same over a change of the loser or of the gainer alone, by days of the window: of two days more is not
to be had, and after four a true switch tells itself from a growth. Measured on four kinds of noise."""
LEAST_PART = 0.4
"""Part of the move that loser and gainer must each show in messages, not only in shares."""
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
    was, now = mix.rates[:, old].mean(axis=1), mix.rates[:, new].mean(axis=1)
    before, after = was / max(was.sum(), 1e-9), now / max(now.sum(), 1e-9)
    named = np.array([name not in {UNKNOWN, REST} for name in mix.programmes])
    shift = np.where(named, after - before, 0.0)
    loser, gainer = int(shift.argmin()), int(shift.argmax())
    if loser == gainer:
        return None
    found = weigh_exchange(mix, loser, gainer, old, new)
    if found is None:
        return None
    of_any, gain = found.of_any, found.over_none
    enough = AGAINST_NONE if len(new) > 1 else AGAINST_NONE_IN_A_DAY
    if gain < enough or found.over_one < AGAINST_ONE[min(len(new), len(AGAINST_ONE)) - 1]:
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
