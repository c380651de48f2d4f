"""One line of the calibration: what was measured, how surely, and what it has to be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from spamtide.wilson import Z95, wilson

Verdict = Literal["met", "undecided", "missed", ""]


@dataclass(frozen=True, slots=True)
class Row:
    """One measured number."""

    study: str
    case: str
    measure: str
    value: float
    low: float
    high: float
    """95 % interval of the value by Monte Carlo error."""
    n: int
    """What it rests on: changes, series-years or worlds, as `unit` says."""
    unit: str
    target: str = ""
    least: float = -math.inf
    most: float = math.inf
    """Bounds of the target; none where they are infinite."""

    @property
    def verdict(self) -> Verdict:
        """Whether the value is within its target, beside it by no more than chance, or off."""
        if not self.target:
            return ""
        if self.least <= self.value <= self.most:
            return "met"
        return "undecided" if self.low <= self.most and self.high >= self.least else "missed"


def share(hits: Sequence[bool] | Sequence[float]) -> tuple[float, float, float]:
    """A share with its Wilson interval; NaN of nothing."""
    n = len(hits)
    if not n:
        return math.nan, math.nan, math.nan
    p = float(np.mean(hits))
    return p, *wilson(p, n)


def mean(values: Sequence[float]) -> tuple[float, float, float]:
    """A mean with its normal interval; NaN of nothing."""
    n = len(values)
    if not n:
        return math.nan, math.nan, math.nan
    m = float(np.mean(values))
    half = Z95 * float(np.std(values, ddof=1)) / math.sqrt(n) if n > 1 else math.nan
    return m, m - half, m + half


def median(values: Sequence[float]) -> tuple[float, float, float]:
    """A median with its interval by order statistics; NaN of nothing."""
    n = len(values)
    if not n:
        return math.nan, math.nan, math.nan
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    reach = Z95 * math.sqrt(n) / 2
    low, high = max(int(n / 2 - reach), 0), min(math.ceil(n / 2 + reach), n - 1)
    return float(np.median(ordered)), float(ordered[low]), float(ordered[high])


def rate(events: int, exposure: float) -> tuple[float, float, float]:
    """Events by exposure with the exact Poisson interval; NaN without exposure."""
    from scipy.special import gammaincinv

    if exposure <= 0:
        return math.nan, math.nan, math.nan
    low = float(gammaincinv(events, 0.025)) if events else 0.0
    return events / exposure, low / exposure, float(gammaincinv(events + 1, 0.975)) / exposure
