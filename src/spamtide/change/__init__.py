"""Detect: from a measurement to its dated changes.

Reads a `Measurement` (panel, exposure, index series), writes `Change` records; `look` gives the alarms that
are not sure enough beside them. It trusts the exposure: a day's expected count is level x weekday x offset,
and where the offset is 0 nothing is known of that day. It is pure and total: a panel too short or too thin to
say anything about gives no changes, never an error.
"""

from spamtide.change.detect import detect, look
from spamtide.change.hours import watch_hours

__all__ = ["detect", "look", "watch_hours"]
