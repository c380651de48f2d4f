"""Heartbeats: signs of life of sensors, apart from the mail that they see."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from spamtide.model import Floats
from spamtide.schema import HEARTBEATS
from spamtide.store.lake import Lake

GAPS = 3.0
"""A sensor is up between two signs of life that are no further apart than this many of its usual gaps."""
SHORTEST_GAP = 60.0
"""Seconds below which a usual gap is not taken to be."""
LEAST_SHARE = 0.1
"""Share of a day or hour below which it counts as down."""

Moments = NDArray[np.int64]


def add(lake: Lake, beats: pa.Table) -> int:
    """Store signs of life (rows of HEARTBEATS) that are not stored yet; their number."""
    new = lake.query(
        "SELECT DISTINCT sensor, seen_at FROM beats b "
        "ANTI JOIN heartbeats h ON h.sensor = b.sensor AND h.seen_at = b.seen_at ORDER BY ALL",
        beats=beats,
    )
    lake.append("heartbeats", new.cast(HEARTBEATS))
    lake.compact("heartbeats")
    return int(new.num_rows)


def share_up(lake: Lake, sensors: tuple[str, ...], days: NDArray[np.datetime64]) -> Floats | None:
    """Share of each day (or hour) in which heartbeats show each sensor up; None where there are none at all.

    Args:
        lake: the observatory's lake.
        sensors: names.
        days: consecutive days or hours.

    Returns:
        Shape (sensors, days). NaN where a sensor has no heartbeats, and on days before its first: what it
        saw then must be judged by its mail.
    """
    if not len(days) or not lake.exists("heartbeats"):
        return None
    step = days[:1] + np.arange(len(days) + 1)
    edges = step.astype("datetime64[s]").astype(np.int64)
    found = lake.query(
        "SELECT sensor, epoch(seen_at)::BIGINT AS second FROM heartbeats ORDER BY sensor, second"
    )
    names, seconds = np.asarray(found["sensor"].to_pylist(), dtype=object), found["second"].to_numpy()
    share = np.full((len(sensors), len(days)), np.nan)
    for row, sensor in enumerate(sensors):
        beats = np.unique(seconds[names == sensor])
        if len(beats) > 1:
            share[row] = _share(beats, edges)
    return share


def _share(beats: Moments, edges: Moments) -> Floats:
    """Share of each stretch between edges that lies within reach of a beat; NaN before the first beat."""
    gaps = np.diff(beats)
    usual = max(float(np.median(gaps)), SHORTEST_GAP)
    lasts = np.append(np.where(gaps <= GAPS * usual, gaps, usual), usual)
    # Time up so far, as a line with corners where the sensor comes up and goes down.
    corners = np.stack([beats, beats + lasts], axis=1).ravel()
    up = np.repeat(np.cumsum(lasts), 2)
    up[::2] -= lasts
    share = np.diff(np.interp(edges, corners, up)) / np.diff(edges)
    share[share < LEAST_SHARE] = 0.0
    share[edges[:-1] < beats[0]] = np.nan
    return np.asarray(np.minimum(share, 1.0))
