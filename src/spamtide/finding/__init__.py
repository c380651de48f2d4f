"""Finding: what may be said, and how.

Reads: a measurement, its changes and contributions, campaigns, counts and dated events, all as arguments;
the one file it reads is an events file (`load_events`).
Writes: claims (sentence, numbers, intervals, n, sensors, command) and a status a botnet.
Trusts: the numbers that it is given. Names and subjects are cleaned before they are in a sentence.
Fails: on a wrong events file (SettingsError) and on a period without dated mail (BadDataError); `state`
itself never fails, it says less.

Coincidence is never worded as cause, unknown is an answer, and no number stands without its claim.
"""

from __future__ import annotations

from spamtide.finding.estimate.outlook import dormancies
from spamtide.finding.events import Event, load_events
from spamtide.finding.inputs import Behind, Composition, FindingInputs, Findings, Totals
from spamtide.finding.span import Period, period
from spamtide.finding.stating import claims_table, state

__all__ = [
    "Behind",
    "Composition",
    "Event",
    "FindingInputs",
    "Findings",
    "Period",
    "Totals",
    "claims_table",
    "dormancies",
    "load_events",
    "period",
    "state",
]
