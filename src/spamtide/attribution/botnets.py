"""Botnets: ties that carry a name from what rules and lab name to the mail around it, and the objections."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from spamtide.attribution.association import HAM, SILENT, UNNAMED, Ints, Tie
from spamtide.attribution.coding import Rows
from spamtide.attribution.combining import Answered, answered, seeds_of, told_by, told_by_link
from spamtide.attribution.fleet import STEP as KIN_STEP
from spamtide.attribution.fleet import kinship
from spamtide.attribution.rented import count_kits, rented
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
_ANYBODYS = _QUIET - 1
"""In the place of the lab's silence: the engine is rented, and addresses do not tell whose the mail is."""


def answer_botnets(
    rows: Rows, names: Names, threshold: float, known: Collection[str] | None = None
) -> tuple[Answered, pa.Table]:
    """Answer for each row which botnet sent it, or unknown.

    Args:
        rows: the rows as codes.
        names: the names that answers may have.
        threshold: least probability for an answer.
        known: botnets whose engine is known to be rented by others; None: as these rows show it.

    Returns:
        The answers, and KITS of the rows that are answered.
    """
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
    alone = np.asarray([len(s.candidates) == 1 for s in rows.spoken])[rows.said]
    asked = [
        _by_row(
            rows, [number[s.candidates[n]] if len(s.candidates) > n else UNNAMED for s in rows.spoken], wild
        )
        for n in range(MOST_TENANTS)
    ]
    kin, told_of = _kinship(rows, asked, sure, alone, np.asarray(STEP * silence, dtype=np.float64))
    lone = np.where(alone, asked[0], UNNAMED)

    def kits(of: NDArray[np.bool_]) -> pa.Table:
        return count_kits(lone, kin[0], told_of[0], rows.days, names.botnet, of)

    of_others = rented(kits(np.ones(len(lone), dtype=np.bool_))) if known is None else known
    unsure = np.isin(lone, [number[name] for name in of_others if name in number]) & ~told_of[0]
    codes = np.zeros(len(rows.days), dtype=np.int64)
    for tenant in range(MOST_TENANTS):
        signed = np.where(kin[tenant] >= 0, 2 * kin[tenant] + 2, -2 * kin[tenant] + 1)
        codes = codes + _QUIET * _KIN**tenant * np.where(told_of[tenant], signed, 0)
        # Where addresses tell campaigns apart, what all of them together lack is no one campaign's fault.
        excess = np.where(told_of[tenant] & alone, 0, excess)
    codes = codes + np.where(unsure, _ANYBODYS, np.maximum(silence, excess))
    return answered("botnet", rows, names, told, threshold, speaks_against, codes), kits(rows.asks)


def _kinship(
    rows: Rows, asked: Sequence[Ints], sure: Ints, alone: NDArray[np.bool_], doubts: NDArray[np.float64]
) -> tuple[Ints, NDArray[np.bool_]]:
    """What fleets say of each candidate: steps, and whether they say anything, a line a candidate."""
    # All rows once, for what is sure; of further candidates only the rows that have them.
    entries = [np.arange(len(sure)), *(np.flatnonzero(of >= 0) for of in asked[1:])]
    of = np.concatenate(entries)
    leaning = np.concatenate([names[at] for names, at in zip(asked, entries, strict=True)])
    steps, told = kinship(
        leaning,
        sure[of],
        rows.address[of],
        rows.campaign[of],
        rows.days[of],
        kit=~alone[of],
        doubts=doubts[of],
    )
    kin = np.zeros((len(asked), len(sure)), dtype=np.int64)
    known = np.zeros((len(asked), len(sure)), dtype=np.bool_)
    ends = np.cumsum([len(at) for at in entries])
    for place, (at, end) in enumerate(zip(entries, ends, strict=True)):
        kin[place, at], known[place, at] = steps[end - len(at) : end], told[end - len(at) : end]
    return kin, known


def _by_row(rows: Rows, of_spoken: Sequence[int], wild: NDArray[np.bool_]) -> Ints:
    """A name's number for what rules say, spread over the wild rows."""
    return np.where(wild, np.asarray(of_spoken, dtype=np.int64)[rows.said], UNNAMED)


def speaks_against(spoken: Spoken, found: Sequence[Evidence], code: int) -> list[Evidence]:
    """Absence, silence of the lab, and what the fleet says, for and against.

    `code` is the lab's silence in its steps (or _ANYBODYS), then (each a digit to base _KIN) the kinship of
    the fleet of each candidate: 0 where addresses do not tell, 2 n + 2 for n steps for it and 2 n + 1 for n
    against it.
    """
    supported = sorted({item.name for item in found if item.weight > 0})
    told = [spoken.absent[name] for name in supported if name in spoken.absent]
    rest, quiet = divmod(code, _QUIET)
    if quiet == _ANYBODYS and spoken.leaning:
        what = "others are known to use the engine, and addresses do not tell whose this is"
        told.append(Evidence("skeleton", "botnet", spoken.leaning, -_engine(spoken.leaning, found), what))
    elif quiet and spoken.leaning:
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
        what = "whose the engine's mail is, addresses tell instead"
        told.append(Evidence("skeleton", "botnet", name, -_engine(name, found), what))
        word = "share" if steps > 0 else "do not share"
        what = f"the campaign's addresses {word} in its other mail as its own do"
        told.extend([Evidence("sender", "botnet", name, KIN_STEP * steps, what)] if steps else [])
    return told


def _engine(name: str, found: Sequence[Evidence]) -> float:
    """What the engine says for a name."""
    return max(
        (item.weight for item in found if item.name == name and item.layer in ENGINE_LAYERS), default=0.0
    )
