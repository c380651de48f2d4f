"""The verb: run every study."""

from __future__ import annotations

from collections.abc import Callable

from spamtide.calibration import alarms, churn, faults, studies, switching, wandering
from spamtide.calibration.row import Row
from spamtide.calibration.studies import Study

STUDIES: dict[str, Study] = {
    "index": churn.index,
    "dates": studies.dates,
    "false changes": studies.false_changes,
    "observatory": studies.observatory,
    "wandering levels": wandering.wandering,
    "online": studies.online,
    "false alarms": alarms.false_alarms,
    "online by volume": alarms.by_volume,
    "hourly": alarms.hourly,
    "silence": studies.silence,
    "partial faults": faults.faults,
    "switches": switching.switches,
    "surges": studies.surges,
}
"""Studies in the order in which they are run."""
WORLDS, QUICK_WORLDS = 60, 4


def calibrate(
    worlds: int = WORLDS, seed: int = 1, on_study: Callable[[str, int, int], None] = lambda *_: None
) -> tuple[Row, ...]:
    """Run all studies on made-up observatories.

    Args:
        worlds: observatories of the largest study; the others draw a part of it.
        seed: the same seed draws the same observatories.
        on_study: called with (study, number of studies done, number of all) when one begins.

    Returns:
        Every measured number, in the order of the studies.
    """
    rows: list[Row] = []
    for number, (name, study) in enumerate(STUDIES.items()):
        on_study(name, number, len(STUDIES))
        rows += study(worlds, seed)
    on_study("", len(STUDIES), len(STUDIES))
    return tuple(rows)
