"""Botnets: ties that carry a name from what rules and lab name to the mail around it, and the objections."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spamtide.attribution.association import HAM, SILENT, UNNAMED, Ints, Tie
from spamtide.attribution.coding import Rows
from spamtide.attribution.combining import Answered, answered, seeds_of, told_by, told_by_link
from spamtide.attribution.fleet import STEP as KIN_STEP
from spamtide.attribution.fleet import kinship
from spamtide.attribution.silence import STEP, lab_sent, lab_silence, unseen_excess
from spamtide.attribution.spoken import ENGINE_LAYERS, Names, Spoken
from spamtide.model import Evidence

SENDER = Tie("sender", 7, 2.0, 1, 0.95, 0.1, 0.2, "what its address sent within 7 days", 0.1, ham_bars=True)
LINK = Tie("link", 7, 3.0, 1, 0.75, 0.1, 0.2, "the mail with its links within 7 days", 0.2, ham_bars=True)
CAMPAIGN = Tie("campaign", 4, 2.0, 7, 0.85, 0.1, 0.5, "its campaign within 4 weeks")
LAB_CAMPAIGN = Tie("campaign", 4, 4.0, 7, 0.93, 0.0, 0.3, "the lab mail in its campaign within 4 weeks")
"""An address or a link alone never names a botnet."""


MOST_TENANTS = 3
"""Families of one kit that are told apart by their fleets; of more, the first by name."""
WORDED, STRANGE = 2.0, 3.0
"""Log-odds of words from which they and the engine name a family by themselves; and of its addresses, from
which these have a say all the same."""
_QUIET, _KIN = 16, 64
"""Numbers that the codes of one objection may take: see `speaks_against`."""


def answer_botnets(rows: Rows, names: Names, threshold: float) -> Answered:
    """Answer for each row which botnet sent it, or unknown."""
    number = {name: place for place, name in enumerate(names.botnet)}
    wild = (rows.lab == UNNAMED) & ~rows.ham
    leaning = _by_row(rows, [number.get(s.leaning or "", UNNAMED) for s in rows.spoken], wild)
    named, seeds = seeds_of("botnet", rows, number, threshold, speaks_against)
    first = np.where(rows.lab >= 0, rows.lab, np.where(rows.ham, HAM, seeds))
    first = np.where(leaning >= 0, SILENT, first)
    captured = np.where(rows.lab >= 0, rows.lab, np.where(rows.ham, HAM, SILENT))
    told = (
        told_by(SENDER, rows.address, rows.days, first, rows.address_of_ham, rows.asks),
        told_by_link(LINK, rows, first),
        told_by(CAMPAIGN, rows.campaign, rows.days, first, None, rows.asks),
        told_by(LAB_CAMPAIGN, rows.campaign, rows.days, captured, None, rows.asks),
    )
    belongs = np.where(rows.lab >= 0, UNNAMED, named)
    texts = np.where(rows.wordless, UNNAMED, leaning)
    silence = lab_silence(texts, belongs, rows.lab, rows.campaign, rows.days)
    excess = unseen_excess(texts, belongs, rows.lab, rows.campaign, rows.days)
    # The engine of a family with a text that its bot in the lab sent as well is nearly as sure.
    both = lab_sent(leaning, rows.lab, rows.campaign, rows.days)
    sure = np.where(both, leaning, np.where(wild, first, UNNAMED))
    codes = np.zeros(len(rows.days), dtype=np.int64)
    alone = np.asarray([len(s.candidates) == 1 for s in rows.spoken])[rows.said]
    for tenant in range(MOST_TENANTS):
        chosen = [
            number[s.candidates[tenant]] if len(s.candidates) > tenant else UNNAMED for s in rows.spoken
        ]
        asked = _by_row(rows, chosen, wild)
        kin = np.zeros(len(asked), dtype=np.int64)
        told_of = np.zeros(len(asked), dtype=np.bool_)
        for kit in (False, True):
            of = np.where(alone != kit, asked, UNNAMED)
            steps, said = kinship(of, sure, rows.address, rows.campaign, rows.days, kit=kit)
            kin, told_of = kin + steps, told_of | said
        codes = codes + _QUIET * _KIN**tenant * np.where(
            told_of, np.where(kin >= 0, 2 * kin + 2, -2 * kin + 1), 0
        )
        # Where addresses tell campaigns apart, what all of them together lack is no one campaign's fault.
        excess = np.where(told_of & alone, 0, excess)
    codes = codes + np.maximum(silence, excess)
    return answered("botnet", rows, names, told, threshold, speaks_against, codes)


def _by_row(rows: Rows, of_spoken: Sequence[int], wild: NDArray[np.bool_]) -> Ints:
    """A name's number for what rules say, spread over the wild rows."""
    return np.where(wild, np.asarray(of_spoken, dtype=np.int64)[rows.said], UNNAMED)


def speaks_against(spoken: Spoken, found: Sequence[Evidence], code: int) -> list[Evidence]:
    """Absence, silence of the lab, and what the fleet says, for and against.

    `code` is the lab's silence in its steps, then (each a digit to base _KIN) the kinship of the fleet of
    each candidate: 0 where addresses do not tell, 2 n + 2 for n steps for it and 2 n + 1 for n against it.
    """
    supported = sorted({item.name for item in found if item.weight > 0})
    told = [spoken.absent[name] for name in supported if name in spoken.absent]
    rest, quiet = divmod(code, _QUIET)
    if quiet and spoken.leaning:
        what = "its bot in the lab worked in those days and never sent this text"
        told.append(Evidence("campaign", "botnet", spoken.leaning, -STEP * quiet, what))
    sure = {item.name for item in found if item.layer == "template" and item.weight >= WORDED}
    for name in spoken.candidates[:MOST_TENANTS]:
        rest, kin = divmod(rest, _KIN)
        if not kin:
            continue
        steps = -(kin // 2) if kin % 2 else kin // 2 - 1
        if name in sure and abs(steps) * KIN_STEP < STRANGE:
            continue  # words and engine together outweigh a few fresh addresses
        engine = max((i.weight for i in found if i.name == name and i.layer in ENGINE_LAYERS), default=0.0)
        what = "whose the engine's mail is, addresses tell instead"
        told.append(Evidence("skeleton", "botnet", name, -engine, what))
        word = "share" if steps > 0 else "do not share"
        what = f"the campaign's addresses {word} in its other mail as its own do"
        told.extend([Evidence("sender", "botnet", name, KIN_STEP * steps, what)] if steps else [])
    return told
