"""Botnets: ties that carry a name from what rules and lab name to the mail around it, and the objections."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spamtide.attribution.association import HAM, SILENT, UNNAMED, Tie
from spamtide.attribution.coding import Rows
from spamtide.attribution.combining import Answered, answered, seeds_of, told_by, told_by_link
from spamtide.attribution.silence import STEP, lab_silence
from spamtide.attribution.spoken import Names, Spoken
from spamtide.model import Evidence

SENDER = Tie("sender", 7, 2.0, 1, 0.85, 0.1, 0.2, "what its address sent within 7 days", 0.1, ham_bars=True)
LINK = Tie("link", 7, 3.0, 1, 0.75, 0.1, 0.2, "the mail with its links within 7 days", 0.2, ham_bars=True)
CAMPAIGN = Tie("campaign", 4, 2.0, 7, 0.85, 0.1, 0.5, "its campaign within 4 weeks")
LAB_CAMPAIGN = Tie("campaign", 4, 4.0, 7, 0.93, 0.0, 0.3, "the lab mail in its campaign within 4 weeks")
"""An address or a link alone never names a botnet."""


def answer_botnets(rows: Rows, names: Names, threshold: float) -> Answered:
    """Answer for each row which botnet sent it, or unknown."""
    number = {name: place for place, name in enumerate(names.botnet)}
    leaning = np.asarray([number.get(s.leaning or "", UNNAMED) for s in rows.spoken], dtype=np.int64)[
        rows.said
    ]
    named, seeds = seeds_of("botnet", rows, number, threshold, speaks_against)
    leaning = np.where((rows.lab >= 0) | rows.ham, UNNAMED, leaning)
    first = np.where(rows.lab >= 0, rows.lab, np.where(rows.ham, HAM, seeds))
    first = np.where(leaning >= 0, SILENT, first)
    captured = np.where(rows.lab >= 0, rows.lab, np.where(rows.ham, HAM, SILENT))
    told = (
        told_by(SENDER, rows.address, rows.days, first, rows.address_of_ham),
        told_by_link(LINK, rows, first),
        told_by(CAMPAIGN, rows.campaign, rows.days, first),
        told_by(LAB_CAMPAIGN, rows.campaign, rows.days, captured),
    )
    belongs = np.where(rows.lab >= 0, UNNAMED, named)
    quiet = lab_silence(leaning, belongs, rows.lab, rows.campaign, rows.days)
    return answered("botnet", rows, names, told, threshold, speaks_against, quiet)


def speaks_against(spoken: Spoken, found: Sequence[Evidence], quiet: int) -> list[Evidence]:
    """What speaks against the botnets that something speaks for."""
    supported = sorted({item.name for item in found if item.weight > 0})
    against = [spoken.absent[name] for name in supported if name in spoken.absent]
    if quiet and spoken.leaning:
        what = "its bot in the lab worked in those days and never sent this campaign"
        against.append(Evidence("campaign", "botnet", spoken.leaning, -STEP * quiet, what))
    return against
