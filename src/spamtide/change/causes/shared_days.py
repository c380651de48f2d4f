"""Days on which everybody sends less: holidays, and the last day while its evening is not in yet.

Both hit all botnets alike and pass. A botnet that stays away fell, and says nothing of the day. What most of
the others lost is put into the day's offset, for cutting, dating and alarms alike; a loss that stays longer
than a holiday is left as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from spamtide.change.moves.median import medians
from spamtide.change.moves.segment import WEEK, Track
from spamtide.model import Floats

BACK, AHEAD = 21, 10
"""Days before and after a day that say what is usual about it."""
FEWEST_AROUND = 10
"""Days around one that say what is usual."""
FEWEST_SUBJECTS = 4
"""Botnets from which a day can be said to be poor for all."""
LEVEL = 5.0
"""Messages a day from which a botnet's day says something about the day."""
SPARED = 2
"""Botnets that lost most on a day and are not asked."""
MOST = 0.7
"""Share of the other botnets that must have lost together."""
LOST = 0.95
"""Share of its usual mail below which a botnet has lost some."""
POOR = 0.8
"""Factor of a day from which it is an ordinary one: medians of a few botnets vary, too."""
STAYED, AWAY = 5, 0.6
"""Days after a day, of AHEAD, from which it is known whether a botnet came back; and the share of its usual
mail under which it has not: about Christmas and New Year half of ten days are poor for everybody."""
LONGEST = 5
"""Poor days in a row, more of which are no holiday."""
HOLIDAY = 0.35
"""Least factor of a holiday; only the very last day, which may be cut short, may have less."""
PART = 0.02
"""Least share of its usual mail that a last day is taken to have brought."""

Key = TypeVar("Key")


def common_days(tracks: Mapping[Key, Track], botnets: list[Key]) -> Floats | None:
    """Factor of each day that most botnets share, at most 1; None where too few can tell.

    Args:
        tracks: all series.
        botnets: those to be asked; of them, the daily ones are.
    """
    rates = [tracks[key].rate for key in botnets if tracks[key].step == 1]
    if len(rates) < FEWEST_SUBJECTS or len(rates[0]) <= FEWEST_AROUND:
        return None
    table = np.array(rates)
    padded = np.pad(table, ((0, 0), (BACK, AHEAD)), constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(padded, BACK + AHEAD + 1, axis=1)
    known = np.isfinite(around).sum(axis=2) >= FEWEST_AROUND
    usual = medians(np.where(known[..., None], around, 0.0))
    telling = known & (usual >= LEVEL) & np.isfinite(table)
    # Over a week: the last day may be one that many of them never send on.
    if telling[:, -WEEK:].any(axis=1).sum() < FEWEST_SUBJECTS:
        return None
    telling &= ~_stays_away(table, usual)
    ratio = np.where(telling, table / np.where(telling, usual, 1.0), np.nan)
    # Two botnets may truly have fallen: what the others lost is the day's.
    ratio = np.sort(ratio, axis=0)[SPARED:]
    asked = np.isfinite(ratio).sum(axis=0)
    together = (np.where(np.isfinite(ratio), ratio, np.inf) < LOST).sum(axis=0) >= MOST * asked
    days = np.flatnonzero(together & (asked >= FEWEST_SUBJECTS - SPARED))
    factor = np.ones(table.shape[1])
    if len(days):
        factor[days] = medians(ratio[:, days].T)
    factor = np.maximum(factor, HOLIDAY)
    if len(days) and days[-1] == len(factor) - 1:
        factor[-1] = max(float(medians(ratio[:, -1])), PART)
    return _passing(np.where(factor < POOR, factor, 1.0))


def _stays_away(table: Floats, usual: Floats) -> NDArray[np.bool_]:
    """Whether a botnet sends less than usual over the days after each day, too: it fell, and the day did not.

    A holiday is short enough to leave the median of these days alone. Of the last days nobody knows yet, but
    who was away before them still is.
    """
    padded = np.pad(table[:, 1:], ((0, 0), (0, AHEAD)), constant_values=np.nan)
    ahead = np.lib.stride_tricks.sliding_window_view(padded, AHEAD, axis=1)
    known = np.isfinite(ahead).sum(axis=2) >= STAYED
    later = medians(np.where(known[..., None], ahead, 0.0))
    stays: NDArray[np.bool_] = known & (later < AWAY * usual)
    low = ~(table >= POOR * usual)
    for day in range(1, stays.shape[1]):
        stays[:, day] |= stays[:, day - 1] & low[:, day]
    return stays


def _passing(factor: Floats) -> Floats:
    """The factors of poor days that are followed by others soon enough; 1 for longer stretches."""
    poor = np.concatenate(([0], (factor < 1).astype(np.int8), [0]))
    edges = np.diff(poor)
    for first, stop in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        if stop - first > LONGEST:
            factor[first:stop] = 1.0
    return factor


def share_days(tracks: Mapping[Key, Track], botnets: list[Key]) -> dict[Key, Track]:
    """All series with what most of these botnets lost on a day in their offsets."""
    days = common_days(tracks, botnets)
    return {key: as_shared(track, days) for key, track in tracks.items()}


def as_shared(track: Track, days: Floats | None) -> Track:
    """A daily track with the days' own factor in its offset."""
    if days is None or track.step != 1 or len(days) != len(track.count):
        return track
    return replace(track, offset=track.offset * days, weight=track.weight * days)
