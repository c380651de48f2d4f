"""A botnet's messages by programme and day, and how uneven such mixes are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from spamtide.change.moves.segment import LEAST_EXPOSURE, LONGEST_DAILY, WEEK, Bools, weekday_offsets
from spamtide.compiled import native
from spamtide.model import Counts, Days, Floats

THIN_MIX = 3.0
"""Messages a day, on days with mail, below which a mix is looked at by the week."""
MINOR = 0.1
"""A programme that never had this share of a week's mail is lumped with the rest."""
LEAST_SIDE = 5
"""Units of two programmes that say something of how uneven mixes are."""
A_STEP = 12.0
"""F from which one step explains a window; of windows without one, about one in thirty has such a step."""
UNTOLD = 0.5
"""rho where no window tells it: half of what could be."""
SLIGHT = 1e-12
"""Share of messages below which a chi-squared is rounding."""
REST = ""
"""Name of the lump of minor programmes; never a loser or a gainer."""


@dataclass(frozen=True, slots=True)
class Mix:
    """A botnet's messages by programme."""

    start: dt.date
    step: int
    """Days in a unit."""
    programmes: tuple[str, ...]
    count: Floats
    """Shape (programmes, units)."""
    exposure: Floats
    """Shape (units,), weekday x exposure, 1 on an average day of usual exposure; 0 where missing."""
    rho: float
    """Intra-day correlation: 0 multinomial, 1 a single campaign a day."""
    by_day: Floats | None = None
    """Where a unit is a week, the messages of every day, shape (programmes, 7 x units)."""

    seen: Bools = field(init=False, repr=False, compare=False)
    """Units with mail at a known exposure."""
    effective: Floats = field(init=False, repr=False, compare=False)
    """Messages weighted by what they tell, shape (programmes, units)."""
    total: Floats = field(init=False, repr=False, compare=False)
    """Messages of all programmes, shape (units,)."""
    rates: Floats = field(init=False, repr=False, compare=False)
    """Messages at usual exposure, shape (programmes, units)."""
    daily: Floats = field(init=False, repr=False, compare=False)
    """The same of all programmes, shape (units,)."""

    def __post_init__(self) -> None:
        """Reckon once what is asked a thousand times."""
        total = self.count.sum(axis=0)
        seen = (self.exposure > 0) & (total > 0)
        told = np.where(seen, self.count / (1 + np.maximum(total - 1, 0) * self.rho), 0.0)
        rates = np.ascontiguousarray(self.count / np.where(self.exposure > 0, self.exposure, 1.0))
        held = {"seen": seen, "effective": told, "total": total, "rates": rates, "daily": rates.sum(axis=0)}
        for name, values in held.items():
            values.flags.writeable = False
            object.__setattr__(self, name, values)

    def day(self, unit: int) -> dt.date:
        """First day of a unit."""
        return self.start + dt.timedelta(days=unit * self.step)


def make_mix(days: Days, pairs: Mapping[str, Counts], exposure: Floats) -> Mix:
    """Make a botnet's programme mix ready.

    Args:
        days: consecutive days, shape (n,).
        pairs: programme -> messages a day of this botnet, shape (n,).
        exposure: of the botnet's series, 1 at usual, 0 missing; shape (n,).
    """
    names = sorted(pairs)
    count = np.array([pairs[name] for name in names], dtype=np.float64) * (exposure > 0)
    start: dt.date = days[0].astype(dt.date)
    step, mail, by_day = 1, np.count_nonzero(count.sum(axis=0)), None
    if len(days) > LONGEST_DAILY or count.sum() < THIN_MIX * mail:
        step, skipped = WEEK, len(days) % WEEK
        start += dt.timedelta(days=skipped)
        by_day = count[:, skipped:]
        count = by_day.reshape(len(names), -1, WEEK).sum(axis=2)
        exposure = exposure[skipped:].reshape(-1, WEEK).mean(axis=1)
    else:
        # Shares need no weekday, but messages before and after are compared too.
        weekday = np.maximum(weekday_offsets(count.sum(axis=0), exposure), LEAST_EXPOSURE)
        exposure = exposure * weekday[np.arange(len(exposure)) % WEEK]
    major = _major(count, WEEK // step)
    if not major.all():
        names = [*(name for name, keep in zip(names, major, strict=True) if keep), REST]
        count = _lumped(count, major)
        by_day = None if by_day is None else _lumped(by_day, major)
    return Mix(start, step, tuple(names), count, exposure, intra_day(count), by_day)


def _major(count: Floats, window: int) -> Bools:
    """The programmes that mattered in some week; the others are summed up."""
    ones = np.ones(min(window, count.shape[1]))
    weekly = np.array([np.convolve(row, ones, "valid") for row in count])
    return np.asarray((weekly >= MINOR * np.maximum(weekly.sum(axis=0), 10.0)).any(axis=1))


def _lumped(count: Floats, major: Bools) -> Floats:
    """The rows of major programmes, and one of all others."""
    return np.vstack((count[major], count[~major].sum(axis=0)))


def intra_day(count: Floats) -> float:
    """Intra-day correlation rho by moments within windows of 14 units: median, plus 10 % for its skewness.

    A window in which one step explains what its days differ by is looked at on either side of the step: a
    change of mix says nothing of how uneven mixes are, nor does the unit that it falls into. Neither does a
    window of one programme; where all are of that kind, rho is UNTOLD.
    """
    if native is not None:
        told = np.zeros(len(range(0, max(count.shape[1] - 13, 1), 7)))
        native.uneven(np.ascontiguousarray(count), len(count), (LEAST_SIDE, A_STEP, SLIGHT), told)
        told = told[np.isfinite(told)]
        return float(np.clip(1.1 * np.median(told), 0.0, 1.0)) if len(told) else UNTOLD
    found: list[float] = []
    for begin in range(0, max(count.shape[1] - 13, 1), 7):
        part = count[:, begin : begin + 14]
        part = part[:, part.sum(axis=0) > 0]
        whole = _spread([part])
        if not whole.tells:
            continue
        if part.shape[1] > LEAST_SIDE:
            at = _step(part)
            sides = _spread([part[:, :at], part[:, at:]])
            if _explains(whole, sides):
                whole = sides
            else:
                whole = next((turn for turn in _turns(part, at) if _explains(whole, turn)), whole)
        if whole.tells:
            found.append((whole.chi2 / whole.freedom - 1) / whole.informative)
    return float(np.clip(1.1 * np.median(found), 0.0, 1.0)) if found else UNTOLD


class _Spread(NamedTuple):
    """How much the shares of some units differ."""

    chi2: float
    freedom: int
    informative: float
    """Messages of a unit, on average, beyond the first."""
    units: int

    @property
    def tells(self) -> bool:
        """Whether it says anything of rho."""
        return self.units >= LEAST_SIDE and self.freedom > 0 and self.informative > 0


def _explains(whole: _Spread, parts: _Spread) -> bool:
    """Whether what parts differ by within themselves is so much less that a step lies between them."""
    parted = whole.freedom - parts.freedom
    return whole.chi2 - parts.chi2 > A_STEP * parted * parts.chi2 / max(parts.freedom, 1)


def _turns(part: Floats, at: int) -> list[_Spread]:
    """The two sides of a step without the unit that it falls into: one on either side of it may be that.

    It is one whose shares lie between those of the sides: another is uneven by itself.
    """
    found = []
    for unit in (at - 1, at):
        sides = part[:, :unit], part[:, unit + 1 :]
        if not all(side.shape[1] for side in sides):
            continue
        before, turn, after = (
            one.sum(axis=1) / one.sum() for one in (sides[0], part[:, unit : unit + 1], sides[1])
        )
        if ((np.minimum(before, after) <= turn) & (turn <= np.maximum(before, after))).all():
            found.append(_spread(sides))
    return sorted(found, key=lambda one: one.chi2)


def _step(part: Floats) -> int:
    """The unit before which a step explains most: the least chi-squared of `_spread` on either side of it.

    Over some units it is the sum over programmes of N Q / X, less N, where X are a programme's messages, Q
    the sum of their squares over the units' own totals, and N all messages; sums grow unit by unit.
    """
    total = part.sum(axis=0)
    sums = np.cumsum(np.stack((part, part**2 / total)), axis=2)
    chi2 = np.zeros(part.shape[1] - 1)
    for mine, square in (sums[:, :, :-1], sums[:, :, -1:] - sums[:, :, :-1]):
        alive = mine > 0
        whole = mine.sum(axis=0)
        found = whole * (square / np.where(alive, mine, 1.0)).sum(axis=0, where=alive) - whole
        # What is left of none by rounding is none.
        chi2 += np.where((alive.sum(axis=0) > 1) & (found > SLIGHT * whole), found, 0.0)
    return int(chi2.argmin()) + 1


def _spread(parts: Sequence[Floats]) -> _Spread:
    """Pearson's chi-squared of units against the shares of their own part, over all parts."""
    chi2, freedom, beyond, units = 0.0, 0, 0.0, 0
    for part in parts:
        alive = part[part.sum(axis=1) > 0]
        total = alive.sum(axis=0)
        if len(alive) < 2:  # noqa: PLR2004 - shares of two programmes
            continue
        share = alive.sum(axis=1, keepdims=True) / alive.sum()
        chi2 += float(((alive - share * total) ** 2 / (share * total)).sum())
        freedom += (len(alive) - 1) * (alive.shape[1] - 1)
        beyond += float((total - 1).sum())
        units += alive.shape[1]
    return _Spread(chi2, freedom, beyond / max(units, 1), units)
