"""Botnets: ties that carry a name from what rules and lab name to the mail around it, and the objections."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from spamtide.attribution.coding import Rows
from spamtide.attribution.combining import STEPS, Answered, Told, answered, seeds_of, told_by, told_by_link
from spamtide.attribution.evidence import SENSES
from spamtide.attribution.spoken import ENGINE_LAYERS, MOST_AGAINST, Names, Spoken, forgives
from spamtide.attribution.ties.association import HAM, NO_DAY, SILENT, UNNAMED, Ints, Tie
from spamtide.attribution.ties.fleet import JOINS, Mail, kinship
from spamtide.attribution.ties.fleet import STEP as KIN_STEP
from spamtide.attribution.ties.likeness import strange
from spamtide.attribution.ties.lookalike import MOST as SURE_OWN
from spamtide.attribution.ties.lookalike import STEP as OWN_STEP
from spamtide.attribution.ties.lookalike import Lookalikes, own_odds, texts_of
from spamtide.attribution.ties.meeting import NEAR, WEEK, Labs
from spamtide.attribution.ties.rented import count_kits, rented
from spamtide.attribution.ties.silence import STEP, lab_silence, unseen_excess
from spamtide.attribution.ties.tenants import JOINTLY, TELLS, told_by_texts
from spamtide.model import Evidence

SENDER = Tie("sender", 7, 2.0, 1, 0.95, 0.1, 0.2, "what its address sent within 7 days", 0.1, ham_bars=True)
LINK = Tie("link", 7, 3.0, 1, 0.75, 0.1, 0.2, "the mail with its links within 7 days", 0.2, ham_bars=True)
CAMPAIGN = Tie("campaign", 4, 2.0, 7, 0.85, 0.1, 0.5, "its campaign within 4 weeks")
LAB_CAMPAIGN = Tie("campaign", 4, 4.0, 7, 0.93, 0.0, 0.3, "the lab mail in its campaign within 4 weeks")
"""An address or a link alone never names a botnet."""
LAB_OF_ENGINE = replace(
    LAB_CAMPAIGN, what="the lab mail of its engine's families in its campaign within 4 weeks"
)
"""A text that a programme hands to many is in the lab under many names; the engine leaves few of them."""


LAB_TIE, LAB_SHARE = 3, 0.9
"""Place of LAB_CAMPAIGN in what `_ties` gives; share of a campaign's lab mail that makes its text one's."""
MOST_TENANTS = 3
"""Families of one kit that are told apart by their fleets; of more, the first by name."""
WORDED, STRANGE = 2.0, 3.0
"""Log-odds of words from which they and the engine name a family by themselves; and of its addresses, from
which these have a say all the same."""
CONTENT_LAYERS = frozenset(layer for layer, sense in SENSES["botnet"].items() if sense == "content")
_QUIET, _KIN = 16, 64
"""Numbers that the codes of one objection may take: see `speaks_against`."""
_OWN = round(SURE_OWN / OWN_STEP)
_ANYBODYS = _QUIET - 1
"""In the place of the lab's silence: the engine is rented, and addresses do not tell whose the mail is."""
_STRANGE = _QUIET - 2
"""The same: what is nearly the engine is another's."""
_UNTOLD, _JOINTLY = _QUIET - 3, _QUIET - 4
"""The same: tenants of the kit send each other's texts; and of this one it is surely one of them."""
_FOREIGN = _QUIET - 5
"""The same: it is nearly the engine, and its campaign alone speaks, which no lab sent."""


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
    likely = _strange(rows, wild)
    named, first = _first_pass(rows, number, threshold, leaning)
    first = np.where(likely, SILENT, first)
    told = (*_ties(rows, first), _lab_of_engine(rows, wild, number))
    belongs = np.where(rows.lab >= 0, UNNAMED, named)
    texts = np.where(rows.wordless, UNNAMED, leaning)
    silence = lab_silence(texts, belongs, rows.lab, rows.campaign, rows.days)
    excess = unseen_excess(texts, belongs, rows.lab, rows.campaign, rows.days)
    by_lab = _sent_by_lab(rows, told[LAB_TIE], leaning)
    silence, excess = np.where(by_lab, 0, silence), np.where(by_lab, 0, excess)
    sure = np.where(wild, first, UNNAMED)
    alone = np.asarray([len(s.candidates) == 1 for s in rows.spoken])[rows.said]
    foreign = _foreign(rows)
    asked = [
        _by_row(
            rows,
            [number[s.candidates[n]] if len(s.candidates) > n else UNNAMED for s in rows.spoken],
            wild & ~foreign,
        )
        for n in range(MOST_TENANTS)
    ]
    texts_tell = _texts_tell(rows, wild, number)
    untold = texts_tell != TELLS
    captured = np.isin(leaning, [number[name] for name in names.captured])
    of_labs, each = np.where(captured, leaning, UNNAMED), texts_of(rows.campaign)
    strangers = Lookalikes.of(of_labs, first, wild & (named == UNNAMED), each, rows.days)
    kin, told_of = _kinship(rows, asked, sure, (alone, untold), strangers, number)

    lone = np.where(alone, asked[0], UNNAMED)

    nearly = np.asarray([bool(s.faults) for s in rows.spoken])[rows.said]

    def kits(of: NDArray[np.bool_]) -> pa.Table:
        # What nearly is the engine may be another: it does not show that others use this one.
        return count_kits(lone, kin[0], told_of[0] & ~nearly, rows.days, names.botnet, of)

    counts = kits(rows.asks)
    of_others = rented(kits(np.ones(len(lone), dtype=np.bool_))) if known is None else known
    of_rented = np.isin(lone, [number[name] for name in of_others if name in number])
    if of_rented.any():
        lone_of = [np.where(of_rented, lone, UNNAMED)]
        again, said = _kinship(rows, lone_of, sure, (alone, untold), strangers, number, rented=True)
        kin[0], told_of[0] = np.where(of_rented, again[0], kin[0]), np.where(of_rented, said[0], told_of[0])
    unsure = (of_rented | ~alone) & ~told_of.any(axis=0) & _lab_gone(rows, asked)
    unsure &= np.isin(asked[0], [number[name] for name in names.captured])
    unsure |= of_rented & ~told_of[0] & (leaning >= 0)
    # Who else uses an engine takes nothing from a text that this family's bot sent, and no other.
    unsure &= untold | ~by_lab | _of_others_too(rows, told_of[0] & (kin[0] < 0) & alone)
    told_of = told_of & ~(foreign | likely)
    codes = np.zeros(len(rows.days), dtype=np.int64)
    for tenant in range(MOST_TENANTS):
        signed = np.where(kin[tenant] >= 0, 2 * kin[tenant] + 2, -2 * kin[tenant] + 1)
        codes = codes + _QUIET * _KIN**tenant * np.where(told_of[tenant], signed, 0)
        # Where addresses tell campaigns apart, what all of them together lack is no one campaign's fault.
        excess = np.where(told_of[tenant] & alone, 0, excess)
    quiet = np.where(untold, np.where(texts_tell == JOINTLY, _JOINTLY, _UNTOLD), np.maximum(silence, excess))
    quiet = np.where(likely, _STRANGE, np.where(foreign, _FOREIGN, quiet))
    codes = codes + np.where(unsure, _ANYBODYS, quiet)
    own = own_odds(strangers, np.where(rows.asks, of_labs, UNNAMED), each, rows.days)
    of_own = np.where(own < SURE_OWN, np.round(own / OWN_STEP) + _OWN + 1, 0).astype(np.int64)
    codes = codes + _QUIET * _KIN**MOST_TENANTS * of_own
    return answered("botnet", rows, names, told, threshold, speaks_against, codes), counts


def _texts_tell(rows: Rows, wild: NDArray[np.bool_], number: Mapping[str, int]) -> Ints:
    """What its text says of each row's tenant, where several captured ones rent the engine: see `tenants`."""
    kits = sorted({s.candidates for s in rows.spoken if len(s.candidates) > 1})
    place = {candidates: at for at, candidates in enumerate(kits)}
    of = _by_row(rows, [place.get(s.candidates, UNNAMED) for s in rows.spoken], wild & ~rows.wordless)
    words = np.where(rows.wordless, UNNAMED, rows.campaign)
    families = [[number[name] for name in candidates] for candidates in kits]
    return told_by_texts(families, of, words, rows.days, Labs.of(rows.lab, words, rows.days))


def _foreign(rows: Rows) -> NDArray[np.bool_]:
    """Rows with an engine but for one thing and without its words, of a text that no lab has that week."""
    weeks = np.where(rows.days == NO_DAY, -1, rows.days // WEEK)
    texts = rows.campaign * (int(weeks.max(initial=0)) + 2) + weeks
    of_lab = np.unique(texts[(rows.lab >= 0) & (rows.campaign >= 0)])
    nearly = [bool(s.faults) and not _worded(s) for s in rows.spoken]
    return np.asarray(np.asarray(nearly)[rows.said] & ~np.isin(texts, of_lab))


def _worded(spoken: Spoken) -> bool:
    """Whether words of a candidate are there."""
    return any(
        item.layer == "template" and item.weight > 0 and item.name in spoken.candidates
        for item in spoken.evidence["botnet"]
    )


def _strange(rows: Rows, wild: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows that differ in something from an engine, and are as likely another's: see `likeness`."""
    kits = [frozenset(s.candidates) for s in rows.spoken]
    likes = [
        (tuple(sorted(kit)), s.faults or s.unlike if kit else ())
        for kit, s in zip(kits, rows.spoken, strict=True)
    ]
    of_kit = {kit: place for place, kit in enumerate(sorted({kit for kit in kits if kit}, key=sorted))}
    of_like = {like: place for place, like in enumerate(sorted({like for like in likes if like[1]}))}
    if not of_like:
        return np.zeros(len(rows.days), dtype=np.bool_)
    whole = [
        UNNAMED if s.faults or s.unlike else of_kit.get(kit, UNNAMED)
        for kit, s in zip(kits, rows.spoken, strict=True)
    ]
    return strange(
        _by_row(rows, whole, wild),
        _by_row(rows, [of_like.get(like, UNNAMED) for like in likes], wild),
        np.asarray([_worded(s) for s in rows.spoken])[rows.said],
        rows.days,
        [[at for kit, at in of_kit.items() if kit.intersection(names)] for names, _ in of_like],
    )


def _first_pass(rows: Rows, number: dict[str, int], threshold: float, leaning: Ints) -> tuple[Ints, Ints]:
    """By row: the name that rules speak for most, and the answer with which it is evidence."""
    named, seeds = seeds_of("botnet", rows, number, threshold, speaks_against)
    first = np.where(rows.lab >= 0, rows.lab, np.where(rows.ham, HAM, seeds))
    nearly = np.asarray([bool(s.faults) for s in rows.spoken])[rows.said] & (rows.lab < 0) & ~rows.ham
    return named, np.where((leaning >= 0) | nearly, SILENT, first)


def _ties(rows: Rows, first: Ints) -> tuple[Told, ...]:
    """What ties say that look at nothing but what is shared."""
    captured = np.where(rows.lab >= 0, rows.lab, np.where(rows.ham, HAM, SILENT))
    return (
        told_by(SENDER, rows.address, rows.days, first, rows.address_of_ham, rows.asks, rows.copies),
        told_by_link(LINK, rows, first),
        told_by(CAMPAIGN, rows.campaign, rows.days, first, None, rows.asks, rows.copies),
        told_by(LAB_CAMPAIGN, rows.campaign, rows.days, captured, None, rows.asks, rows.copies),
    )


def ties_of_botnets(rows: Rows, names: Names, threshold: float) -> tuple[Told, ...]:
    """What shared addresses, links and campaigns say of each row that rules see no engine behind."""
    number = {name: place for place, name in enumerate(names.botnet)}
    unnamed = np.full(len(rows.days), UNNAMED, dtype=np.int64)
    return _ties(rows, _first_pass(rows, number, threshold, unnamed)[1])


def _of_others_too(rows: Rows, others: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows of whose campaign some mail of the same week is others', by its addresses."""
    weeks = np.where(rows.days == NO_DAY, -1, rows.days // WEEK)
    cells = rows.campaign * (int(weeks.max(initial=0)) + 2) + weeks + 1
    return np.asarray(np.isin(cells, cells[others]))


def _sent_by_lab(rows: Rows, told: Told, leaning: Ints) -> NDArray[np.bool_]:
    """Rows whose campaign the lab's bot of their family sent within reach; hardly another did."""
    sent = np.zeros(len(rows.days), dtype=np.bool_)
    at = np.flatnonzero(rows.asks)
    sent[at] = (told.names == leaning[at]) & (leaning[at] >= 0) & (told.steps >= LAB_SHARE * STEPS)
    return sent


def _lab_of_engine(rows: Rows, wild: NDArray[np.bool_], number: Mapping[str, int]) -> Told:
    """Whose the lab mail of a campaign is, of the families only that rent the message's kit."""
    names = np.full(len(rows.asked), UNNAMED, dtype=np.int32)
    steps = np.zeros(len(rows.asked), dtype=np.int32)
    place = np.cumsum(rows.asks) - 1
    said_of: dict[frozenset[str], list[int]] = {}
    for number_of, spoken in enumerate(rows.spoken):
        if len(spoken.candidates) > 1:
            said_of.setdefault(frozenset(spoken.candidates), []).append(number_of)
    for tenants, said in said_of.items():
        asked = wild & rows.asks & np.isin(rows.said, said)
        of_lab = np.isin(rows.lab, [number[name] for name in tenants])
        at = np.flatnonzero(asked | of_lab)
        answers = np.where(of_lab[at], rows.lab[at], SILENT)
        told = told_by(LAB_OF_ENGINE, rows.campaign[at], rows.days[at], answers, None, asked[at])
        names[place[asked]], steps[place[asked]] = told.names, told.steps
    return Told(LAB_OF_ENGINE, names, steps)


def _lab_gone(rows: Rows, asked: Sequence[Ints]) -> NDArray[np.bool_]:
    """Rows within reach of which no lab has mail of any of the candidates."""
    weeks = np.where(rows.days == NO_DAY, -1, rows.days // WEEK)
    here = np.zeros(len(weeks), dtype=np.bool_)
    for family in np.unique(rows.lab[rows.lab >= 0]):
        worked = np.unique(weeks[rows.lab == family])
        near = np.unique(worked[:, None] + np.arange(-NEAR, NEAR + 1))
        for of in asked:
            here |= (of == family) & np.isin(weeks, near)
    return (asked[0] >= 0) & ~here & (weeks >= 0)


def _kinship(
    rows: Rows,
    asked: Sequence[Ints],
    sure: Ints,
    marks: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    strangers: Lookalikes,
    number: Mapping[str, int],
    *,
    rented: bool = False,
) -> tuple[Ints, NDArray[np.bool_]]:
    """What fleets say of each candidate: steps, and whether they say anything, a line a candidate.

    `marks`: rows whose engine is one family's alone, and such whose text does not tell whose they are.
    """
    alone, untold = marks
    # All rows once, for what is sure; of further candidates only the rows that have them.
    entries = [np.arange(len(sure)), *(np.flatnonzero(of >= 0) for of in asked[1:])]
    of = np.concatenate(entries)
    leaning = np.concatenate([names[at] for names, at in zip(asked, entries, strict=True)])
    together: dict[int, set[int]] = {}
    for spoken in rows.spoken:
        for name in spoken.candidates if len(spoken.candidates) > 1 else ():
            together.setdefault(number[name], set()).update(number[n] for n in spoken.candidates if n != name)
    mail = Mail(
        leaning,
        sure[of],
        rows.address[of],
        texts_of(rows.campaign)[of],
        rows.days[of],
        kit=~alone[of],
        wordless=rows.wordless[of],
        untold=untold[of],
    )
    labs = Labs.of(rows.lab, rows.campaign, rows.days)
    steps, told = kinship(mail, labs, together, strangers, rented=rented)
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

    `code` is the lab's silence in its steps (or _ANYBODYS and the like), then (each a digit to base _KIN)
    the kinship of the fleet of each candidate: 0 where addresses do not tell, 2 n + 2 for n steps for it and
    2 n + 1 for n against it; then the steps, from -_OWN on and counted from 1, for the family and against a
    stranger who looks like it, 0 where none is to be reckoned with.
    """
    supported = sorted({item.name for item in found if item.weight > 0})
    rest, quiet = divmod(code, _QUIET)
    told = []
    for name in supported:
        said = (item for item in found if item.name == name)
        forgiven = quiet not in {_STRANGE, _FOREIGN} and name in spoken.near and forgives(said)
        missed = (spoken.near if forgiven else spoken.absent).get(name)
        told.extend([missed] if missed else [])
    told.extend(_of_quiet(spoken, found, quiet))
    of_own, kinships = divmod(rest, _KIN**MOST_TENANTS)
    sure = {item.name for item in found if item.layer == "template" and item.weight >= WORDED}
    addressed = set()
    for name in spoken.candidates[:MOST_TENANTS]:
        kinships, kin = divmod(kinships, _KIN)
        if not kin:
            continue
        steps = -(kin // 2) if kin % 2 else kin // 2 - 1
        engine = _strongest(name, found, ENGINE_LAYERS)
        lowers = -STRANGE < KIN_STEP * steps <= engine
        if name in sure and quiet not in {_UNTOLD, _JOINTLY} and lowers:
            continue  # words and engine together outweigh a few fresh addresses
        addressed.add(name)
        told.extend(_of_addresses(name, engine, KIN_STEP * steps))
    if of_own and spoken.leaning and spoken.leaning not in addressed and quiet not in {_STRANGE, _ANYBODYS}:
        told.extend(_of_lookalikes(spoken.leaning, found, OWN_STEP * (of_own - 1 - _OWN)))
    return told


def _of_addresses(name: str, engine: float, kin: float) -> list[Evidence]:
    """What a fleet says of whose the engine's mail is: it takes the place of the engine's word.

    Where it speaks for the family, it says as much as the engine at least.
    """
    if kin >= min(engine, JOINS):
        what = "the campaign's addresses share in its other mail as its own do"
        return [Evidence("sender", "botnet", name, kin - engine, what)] if kin > engine else []
    what = "whose the engine's mail is, addresses tell instead"
    if kin >= 0:
        return [Evidence("skeleton", "botnet", name, kin - engine, what)]
    against = "the campaign's addresses do not share in its other mail as its own do"
    return [
        Evidence("skeleton", "botnet", name, -engine, what),
        Evidence("sender", "botnet", name, kin, against),
    ]


def _of_lookalikes(name: str, found: Sequence[Evidence], own: float) -> list[Evidence]:
    """What is left of an engine's word beside strangers who look like it: odds against another and these.

    Strangers have nothing else of the family's: neither its addresses nor its links.
    """
    if any(item.weight > 0 and item.name == name and item.layer not in ENGINE_LAYERS for item in found):
        return []
    engine = _strongest(name, found, ENGINE_LAYERS)
    left = -math.log(math.exp(-engine) + math.exp(-own))
    what = "in these weeks, and of such a text, strangers whose mailer looks alike are to be reckoned with"
    return [Evidence("skeleton", "botnet", name, left - engine, what)]


def _of_quiet(spoken: Spoken, found: Sequence[Evidence], quiet: int) -> list[Evidence]:
    """What the lab's silence says, or what stands in its place."""
    if quiet == _STRANGE:
        what = "most mail with what it differs in has texts that are not the family's: another's engine"
        return [
            Evidence("skeleton", "botnet", name, -MOST_AGAINST - _strongest(name, found, ENGINE_LAYERS), what)
            for name in spoken.candidates
        ]
    if quiet == _ANYBODYS:
        what = "others are known to use the engine, and addresses do not tell whose this is"
        heard = {
            name: _strongest(name, found, ENGINE_LAYERS) + _strongest(name, found, CONTENT_LAYERS)
            for name in spoken.candidates
        }
        return [Evidence("skeleton", "botnet", name, -weight, what) for name, weight in heard.items()]
    if quiet in {_UNTOLD, _JOINTLY}:
        return _of_shared_text(spoken.candidates, found, jointly=quiet == _JOINTLY)
    if 0 < quiet < _FOREIGN and spoken.leaning:
        what = "its bot in the lab worked in those days and never sent this text"
        return [Evidence("campaign", "botnet", spoken.leaning, -STEP * quiet, what)]
    return []


def _of_shared_text(candidates: Sequence[str], found: Sequence[Evidence], *, jointly: bool) -> list[Evidence]:
    """What a text that tenants of a kit share takes from them, or says for each of them as for the others."""
    heard = {name: _strongest(name, found, CONTENT_LAYERS) for name in candidates}
    if jointly:
        what = "tenants of the kit send each other's texts, so that this one speaks for all as for one"
        return [Evidence("campaign", "botnet", name, max(heard.values()), what) for name in candidates]
    what = "tenants of the kit send each other's texts, and so may others who rent it"
    return [Evidence("campaign", "botnet", name, -weight, what) for name, weight in heard.items() if weight]


def _strongest(name: str, found: Sequence[Evidence], layers: Collection[str]) -> float:
    """The most that one sense says for a name."""
    return max((item.weight for item in found if item.name == name and item.layer in layers), default=0.0)
