"""A botnet's messages by programme and day, and how uneven such mixes are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spamtide.change.segment import LONGEST_DAILY, WEEK, Bools, weekday_offsets
from spamtide.model import Counts, Days, Floats

THIN_MIX = 3.0
"""Messages a day, on days with mail, below which a mix is looked at by the week."""
MINOR = 0.1
"""A programme that never had this share of a week's mail is lumped with the rest."""
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

    @property
    def seen(self) -> Bools:
        """Units with mail at a known exposure."""
        seen: Bools = (self.exposure > 0) & (self.count.sum(axis=0) > 0)
        return seen

    @property
    def effective(self) -> Floats:
        """Messages weighted by what they tell, shape (programmes, units)."""
        total = self.count.sum(axis=0)
        return np.where(self.seen, self.count / (1 + np.maximum(total - 1, 0) * self.rho), 0.0)

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
    step, mail = 1, np.count_nonzero(count.sum(axis=0))
    if len(days) > LONGEST_DAILY or count.sum() < THIN_MIX * mail:
        step, skipped = WEEK, len(days) % WEEK
        start += dt.timedelta(days=skipped)
        count = count[:, skipped:].reshape(len(names), -1, WEEK).sum(axis=2)
        exposure = exposure[skipped:].reshape(-1, WEEK).mean(axis=1)
    else:
        # Shares need no weekday, but messages before and after are compared too.
        exposure = exposure * weekday_offsets(count.sum(axis=0), exposure)[np.arange(len(exposure)) % WEEK]
    names, count = _lump(names, count, WEEK // step)
    return Mix(start, step, tuple(names), count, exposure, intra_day(count))


def _lump(names: list[str], count: Floats, window: int) -> tuple[list[str], Floats]:
    """Keep the programmes that mattered in some week; sum up the others."""
    ones = np.ones(min(window, count.shape[1]))
    weekly = np.array([np.convolve(row, ones, "valid") for row in count])
    total = weekly.sum(axis=0)
    major = (weekly >= MINOR * np.maximum(total, 10.0)).any(axis=1)
    kept = [name for name, keep in zip(names, major, strict=True) if keep]
    if major.all():
        return kept, count
    return [*kept, REST], np.vstack((count[major], count[~major].sum(axis=0)))


def intra_day(count: Floats) -> float:
    """Intra-day correlation rho by moments within windows of 14 units: median, plus 10 % for its skewness."""
    found: list[float] = []
    for begin in range(0, max(count.shape[1] - 13, 1), 7):
        part = count[:, begin : begin + 14]
        part = part[:, part.sum(axis=0) > 0]
        part = part[part.sum(axis=1) > 0]
        if part.shape[0] < 2 or part.shape[1] < 5:  # noqa: PLR2004 - two programmes, five units
            continue
        total = part.sum(axis=0)
        share = part.sum(axis=1, keepdims=True) / part.sum()
        chi2 = ((part - share * total) ** 2 / (share * total)).sum()
        freedom = (part.shape[0] - 1) * (part.shape[1] - 1)
        informative = float((total - 1).mean())
        if informative > 0:
            found.append((chi2 / freedom - 1) / informative)
    return float(np.clip(1.1 * np.median(found), 0.0, 1.0)) if found else 1.0
