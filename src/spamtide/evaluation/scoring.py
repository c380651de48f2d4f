"""Shares and their intervals, by campaign."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from spamtide.wilson import wilson


@dataclass(frozen=True, slots=True)
class Outcome:
    """One message: what it came with, and whether it counts as a success, or how far it does (0-1)."""

    campaign: str
    success: float


@dataclass(frozen=True, slots=True)
class Score:
    """A share with its interval."""

    what: str
    n: int
    campaigns: int
    share: float
    low: float
    high: float
    target: str
    """What is asked for, e.g. '>= 95 %'; '' for nothing."""
    met: bool | None
    """Whether the share is on the right side of the target, with its whole interval; None if that is on both
    sides, and without a target or messages."""

    @property
    def verdict(self) -> str:
        """What is to be said of the target; '' without one or without messages."""
        if not self.target or not self.n:
            return ""
        if self.met is not None:
            return "met" if self.met else "MISSED"
        return "too few to tell" if met(self.share, self.share, self.target) else "MISSED, too few to be sure"


def score(what: str, outcomes: Sequence[Outcome], target: str = "") -> Score:
    """The share of successes with its 95 % interval.

    Wilson's interval on an effective number of messages: n over the design effect of campaigns (Kish 1965,
    section 5.4), and where no two campaigns differ, the number of campaigns, since then nothing shows how
    much they might.

    Args:
        what: name of the row.
        outcomes: the messages.
        target: '>= x' or '<= x' in per cent.
    """
    n = len(outcomes)
    if not n:
        return Score(what, 0, 0, math.nan, 0.0, 1.0, target, None)
    groups: dict[str, list[float]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.campaign, []).append(outcome.success)
    share = math.fsum(outcome.success for outcome in outcomes) / n
    low, high = wilson(share, _effective(list(groups.values()), share, n))
    return Score(what, n, len(groups), share, low, high, target, met(low, high, target))


def _effective(groups: Sequence[Sequence[float]], share: float, n: int) -> float:
    """Messages' worth of independent evidence."""
    count = len(groups)
    spread = math.fsum((sum(group) - share * len(group)) ** 2 for group in groups)
    if count < 2 or spread == 0 or share in {0.0, 1.0}:  # noqa: PLR2004 - one campaign has no spread
        return float(count)
    variance = spread * count / (count - 1) / n**2
    return max(1.0, min(float(n), share * (1 - share) / variance))


def met(low: float, high: float, target: str) -> bool | None:
    """Whether an interval is on the right side of its target; None if it is on both, and without a target."""
    sign, _, number = target.partition(" ")
    if not number:
        return None
    wanted = float(number.rstrip(" %")) / 100
    right, wrong = (low >= wanted, high < wanted) if sign == ">=" else (high <= wanted, low > wanted)
    return True if right else False if wrong else None


def rows_of(scores: Iterable[Score]) -> list[tuple[str, ...]]:
    """Scores as text: what, n, campaigns, share, interval, target, verdict."""
    told: list[tuple[str, ...]] = []
    for one in scores:
        share = "-" if not one.n else f"{one.share:.2%}"
        told.append(
            (
                one.what,
                f"{one.n:,}",
                f"{one.campaigns:,}",
                share,
                f"{one.low:.2%} to {one.high:.2%}",
                one.target,
                one.verdict,
            )
        )
    return told
