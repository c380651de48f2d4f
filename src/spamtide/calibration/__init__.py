"""Calibrate: measure on made-up observatories whether what is said of real ones is as sure as it claims.

Draws panels of counts from a generator that shares no model with what is fitted, runs `series` and `change`
over them as `update` would, and scores what they report against the truth. No I/O; the same seed gives the
same table.
"""

from spamtide.calibration.calibrate import QUICK_WORLDS, WORLDS, calibrate
from spamtide.calibration.report import as_json, as_page, as_table
from spamtide.calibration.row import Row

__all__ = ["QUICK_WORLDS", "WORLDS", "Row", "as_json", "as_page", "as_table", "calibrate"]
