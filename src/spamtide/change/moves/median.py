"""Medians of many short rows."""

from __future__ import annotations

import numpy as np

from spamtide.model import Floats


def medians(values: Floats) -> Floats:
    """Along the last axis: of what are numbers, and not a number where nothing is.

    As `numpy.nanmedian`, which takes many times as long for rows of some days.
    """
    ordered = np.sort(values, axis=-1)
    number = (~np.isnan(ordered)).sum(axis=-1, keepdims=True)
    places = (number - 1) // 2, number // 2
    low, high = (np.take_along_axis(ordered, place, axis=-1)[..., 0] for place in places)
    return np.asarray((low + high) / 2)
