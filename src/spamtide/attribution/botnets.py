"""Botnets: who sent each message, from what rules and labs say of it and from what ties it to other mail."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from spamtide.attribution.coding import Rows
from spamtide.attribution.combining import STEPS, Answered, Told, answered, seeds_of, told_by, told_by_link
from spamtide.attribution.handing import handed, handed_by_words, worded_by
from spamtide.attribution.objecting import MOST_TENANTS, Instead, pack, speaks_against
from spamtide.attribution.spoken import Names, Spoken
from spamtide.attribution.ties.association import HAM, NO_DAY, SILENT, UNNAMED, Flags, Ints, Tie
from spamtide.attribution.ties.fleet import Mail, kinship
from spamtide.attribution.ties.likeness import strange
from spamtide.attribution.ties.lookalike import Lookalikes, own_odds, texts_of
from spamtide.attribution.ties.meeting import NEAR, WEEK, Labs
from spamtide.attribution.ties.rented import OTHERS, SURE, count_kits, rented
from spamtide.attribution.ties.silence import DISCOUNT, UNHEARD, lab_silence, unseen_excess
from spamtide.attribution.ties.silence import MOST as SILENT_MOST
from spamtide.attribution.ties.silence import STEP as SILENCE_STEP
from spamtide.attribution.ties.tenants import JOINTLY, TELLS, told_by_texts
from spamtide.schema import KITS

SENDER = Tie("sender", 7, 2.0, 1, 0.95, 0.1, 0.2, "what its address sent within 7 days", 0.1, ham_bars=True)
LINK = Tie("link", 7, 3.0, 1, 0.75, 0.1, 0.2, "the mail with its links within 7 days", 0.2, ham_bars=True)
CAMPAIGN = Tie("campaign", 4, 2.0, 7, 0.85, 0.1, 0.5, "its campaign within 4 weeks")
LAB_CAMPAIGN = Tie("campaign", 4, 4.0, 7, 0.93, 0.0, 0.3, "the lab mail in its campaign within 4 weeks")
"""An address or a link alone never names a botnet."""
LAB_OF_ENGINE = replace(
    LAB_CAMPAIGN, what="the lab mail of its engine's families in its campaign within 4 weeks"
)
"""A text that a programme hands to many is in the lab under many names; the engine leaves few of them."""


HEARS = UNHEARD / (DISCOUNT * OTHERS)
"""Messages of a lab from which it would surely have sent a text that is a tenth of its engine's mail."""
LAB_SHARE = 0.9
"""Share of a campaign's lab mail that makes its text one family's."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What each row shows before addresses are asked; arrays of shape (rows,) unless said."""

    rows: Rows
    number: Mapping[str, int]
    """Botnet -> its number."""
    wild: Flags
    """Spam that no lab's bot sent."""
    leaning: Ints
    """Botnet that only the engine speaks for; UNNAMED for none."""
    named: Ints
    """Botnet that rules speak for most; UNNAMED for none."""
    first: Ints
    """The first pass's answer, with which a row is evidence for others; see `_first_pass`."""
    candidates: tuple[Ints, ...]
    """MOST_TENANTS botnets whose addresses are to be asked, the likeliest first; UNNAMED for none."""
    alone: Flags
    """The engine is one botnet's alone, as far as rules know."""
    nearly: Flags
    """The engine is there but for one thing."""
    strange: Flags
    """What is nearly there is as likely another's: see `ties.likeness`."""
    foreign: Flags
    """Nearly the engine, without its words, and of a text that no lab has that week."""
    texts_tell: Ints
    """What the text says of a kit's tenants: see `ties.tenants`."""

    def has(self, botnets: Ints, names: Iterable[str]) -> Flags:
        """Rows whose botnet is one of some."""
        return np.isin(botnets, [self.number[name] for name in names if name in self.number])

    @property
    def untold(self) -> Flags:
        """Rows whose text does not tell which of a kit's tenants sent it."""
        return np.asarray(self.texts_tell != TELLS)


@dataclass(frozen=True, slots=True)
class _Fleets:
    """What fleets' addresses say of each row's candidates."""

    steps: Ints
    """Shape (MOST_TENANTS, rows): log-odds for the candidate in steps of `ties.fleet`."""
    told: Flags
    """Shape (MOST_TENANTS, rows): whether they say anything."""
    rented: Flags
    """Shape (rows,): whether the engine is one botnet's, and others are known to use it."""
    kits: pa.Table
    """KITS of the rows that are asked."""


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
    if not behind_engines(rows):
        nothing = np.zeros(len(rows.days), dtype=np.int64)
        told_all = ties_of_botnets(rows, names, threshold)
        found = answered("botnet", rows, names, told_all, threshold, speaks_against, nothing)
        return found, KITS.empty_table()
    seen = _look(rows, names, threshold)
    by_words = handed_by_words(rows, seen.number, names, seen.first, seen.wild)
    ties = (*_ties(rows, seen.first, by_words), _lab_of_engine(rows, seen.wild, seen.number))
    texts = texts_of(rows.campaign)
    captured = np.where(seen.has(seen.leaning, names.captured), seen.leaning, UNNAMED)
    nameless = seen.wild & (seen.named == UNNAMED)
    strangers = Lookalikes.of(captured, seen.first, nameless, texts, rows.days)
    by_lab = _sent_by_lab(rows, seen.leaning)
    unheard = np.where(by_lab, 0, lab_silence(*_of_lab(seen)))
    fleets = _ask_fleets(seen, strangers, (by_lab, unheard * SILENCE_STEP >= UNHEARD), names, known)
    told = fleets.told & ~(seen.foreign | seen.strange)
    silence = _silence(seen, by_lab, unheard, told)
    # All that silence can say is enough, and says more of this text.
    anybodys = _anybodys(seen, fleets, by_lab, names) & (unheard * SILENCE_STEP < SILENT_MOST)
    silence = np.where(anybodys, Instead.ANYBODYS, silence)
    own = own_odds(strangers, np.where(rows.asks, captured, UNNAMED), texts, rows.days)
    of_others = handed(rows, seen.number, names, seen.wild, (ties[3], ties[2]))
    objections = pack(silence, [*zip(fleets.steps, told, strict=True)], own, of_others)
    return answered("botnet", rows, names, ties, threshold, speaks_against, objections), fleets.kits


def behind_engines(rows: Rows) -> bool:
    """Whether rules see a botnet's engine behind any of the rows, or words whose engine is missed in some.

    Only then more than ties decides.
    """
    if any(spoken.candidates or spoken.leaning for spoken in rows.spoken):
        return True
    worded = {worded_by(spoken) for spoken in rows.spoken}
    return any(not worded.isdisjoint(spoken.absent) for spoken in rows.spoken)


def _look(rows: Rows, names: Names, threshold: float) -> _Seen:
    """What rules, labs and texts show of each row."""
    number = {name: place for place, name in enumerate(names.botnet)}
    wild = (rows.lab == UNNAMED) & ~rows.ham
    leaning = _by_row(rows, [number.get(s.leaning or "", UNNAMED) for s in rows.spoken], wild)
    likely = _strange(rows, wild)
    named, first = _first_pass(rows, number, threshold, leaning)
    foreign = _foreign(rows)
    candidates = tuple(
        _by_row(
            rows,
            [number[s.candidates[n]] if len(s.candidates) > n else UNNAMED for s in rows.spoken],
            wild & ~foreign,
        )
        for n in range(MOST_TENANTS)
    )
    return _Seen(
        rows=rows,
        number=number,
        wild=wild,
        leaning=leaning,
        named=named,
        first=np.where(likely, SILENT, first),
        candidates=candidates,
        alone=np.asarray([len(s.candidates) == 1 for s in rows.spoken])[rows.said],
        nearly=np.asarray([bool(s.faults) for s in rows.spoken])[rows.said],
        strange=likely,
        foreign=foreign,
        texts_tell=_texts_tell(rows, wild, number),
    )


def _ask_fleets(
    seen: _Seen,
    strangers: Lookalikes,
    of_texts: tuple[Flags, Flags],
    names: Names,
    known: Collection[str] | None,
) -> _Fleets:
    """Ask addresses whose the mail is; once more when it is known which engines are rented.

    Args:
        seen: what each row shows.
        strangers: mail that strangers whose mailer looks alike may have sent.
        of_texts: rows of a text that their family's bot sent in the lab, and of one that it surely would have
            sent there, were it the family's, and did not.
        names: the names that answers may have.
        known: as for `answer_botnets`.
    """
    rows = seen.rows
    steps, told = _kinship(seen, seen.candidates, strangers)
    lone = np.where(seen.alone, seen.candidates[0], UNNAMED)

    # Where addresses do not tell, the lab does. What nearly is the engine may be another: it does not show
    # that others use this one.
    by_lab, unheard = of_texts
    # A lab that would not miss a tenth of the mail cannot say that it is the family's.
    own = (by_lab | (seen.first == lone)) & (_lab_around(rows, lone) >= HEARS)
    by_texts = np.where(unheard, -SURE, np.where(own, SURE, 0))
    shown = np.where(told[0], steps[0], by_texts), (told[0] | (by_texts != 0)) & ~seen.nearly

    def kits(of: Flags) -> pa.Table:
        return count_kits(lone, *shown, rows.days, names.botnet, of)

    counts = kits(rows.asks)
    others_use = rented(kits(np.ones(len(lone), dtype=np.bool_))) if known is None else known
    of_rented = seen.has(lone, others_use)
    for of, with_others in ((of_rented, True), ((lone >= 0) & ~of_rented, False)):
        if of.any():
            again, said = _kinship(seen, [np.where(of, lone, UNNAMED)], strangers, rented=with_others)
            steps[0], told[0] = np.where(of, again[0], steps[0]), np.where(of, said[0], told[0])
    return _Fleets(steps, told, of_rented, counts)


def _of_lab(seen: _Seen) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """What `silence` asks of each row: see `silence.lab_silence`."""
    rows = seen.rows
    texts = np.where(rows.wordless, UNNAMED, seen.leaning)
    belongs = np.where(rows.lab >= 0, UNNAMED, seen.named)
    return texts, belongs, rows.lab, rows.campaign, rows.days


def _silence(seen: _Seen, by_lab: Flags, unheard: Ints, told: Flags) -> Ints:
    """What the lab's silence takes from each row, in steps, or what is said instead of it.

    Args:
        seen: what each row shows.
        by_lab: rows of a text that their family's bot sent in the lab.
        unheard: what the lab's silence takes from each row's text by itself, in steps.
        told: shape (MOST_TENANTS, rows), whether addresses say anything.
    """
    excess = unseen_excess(*_of_lab(seen))
    # Where addresses tell campaigns apart, what all of them together lack is no one campaign's fault.
    excess = np.where(told.any(axis=0) & seen.alone, 0, excess)
    quiet = np.where(by_lab, 0, np.maximum(unheard, excess))
    shared = np.where(seen.texts_tell == JOINTLY, Instead.JOINTLY, Instead.UNTOLD)
    quiet = np.where(seen.untold, shared, quiet)
    return np.where(seen.strange, Instead.STRANGE, np.where(seen.foreign, Instead.FOREIGN, quiet))


def _anybodys(seen: _Seen, fleets: _Fleets, by_lab: Flags, names: Names) -> Flags:
    """Rows with an engine that others use too, of which addresses do not tell whose they are."""
    rows, told = seen.rows, fleets.told
    several = (fleets.rented | ~seen.alone) & ~told.any(axis=0) & _lab_gone(rows, seen.candidates)
    unsure = several & seen.has(seen.candidates[0], names.captured)
    unsure |= fleets.rented & ~told[0] & (seen.leaning >= 0)
    # Who else uses an engine takes nothing from a text that this family's bot sent, and no other.
    others = _of_others_too(rows, told[0] & (fleets.steps[0] < 0) & seen.alone)
    # Nor do words name a family in the days in which others surely send them, but for its own addresses.
    taken = _of_others_too(rows, told[0] & (fleets.steps[0] <= -SURE) & seen.alone) & fleets.rented
    taken &= ~told[0]
    return np.asarray(unsure & (seen.untold | ~by_lab | others) | taken)


def _texts_tell(rows: Rows, wild: Flags, number: Mapping[str, int]) -> Ints:
    """What its text says of each row's tenant, where several captured ones rent the engine: see `tenants`."""
    kits = sorted({s.candidates for s in rows.spoken if len(s.candidates) > 1})
    place = {candidates: at for at, candidates in enumerate(kits)}
    of = _by_row(rows, [place.get(s.candidates, UNNAMED) for s in rows.spoken], wild & ~rows.wordless)
    words = np.where(rows.wordless, UNNAMED, rows.campaign)
    families = [[number[name] for name in candidates] for candidates in kits]
    return told_by_texts(families, of, words, rows.days, Labs.of(rows.lab, words, rows.days))


def _foreign(rows: Rows) -> Flags:
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


def _strange(rows: Rows, wild: Flags) -> Flags:
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


def _ties(rows: Rows, first: Ints, handed_round: Flags) -> tuple[Told, ...]:
    """What ties say that look at nothing but what is shared.

    A text that is handed round says nothing of what its sender's other mail is.
    """
    own = np.where(handed_round, SILENT, first)
    captured = np.where(rows.lab >= 0, rows.lab, np.where(rows.ham, HAM, SILENT))
    return (
        told_by(SENDER, rows.address, rows.days, own, rows.address_of_ham, rows.asks, rows.copies),
        told_by_link(LINK, rows, own),
        told_by(CAMPAIGN, rows.campaign, rows.days, first, None, rows.asks, rows.copies),
        told_by(LAB_CAMPAIGN, rows.campaign, rows.days, captured, None, rows.asks, rows.copies),
    )


def ties_of_botnets(rows: Rows, names: Names, threshold: float) -> tuple[Told, ...]:
    """What shared addresses, links and campaigns say of each row that rules see no engine behind."""
    number = {name: place for place, name in enumerate(names.botnet)}
    unnamed = np.full(len(rows.days), UNNAMED, dtype=np.int64)
    nothing = np.zeros(len(rows.days), dtype=np.bool_)
    return _ties(rows, _first_pass(rows, number, threshold, unnamed)[1], nothing)


def _of_others_too(rows: Rows, others: Flags) -> Flags:
    """Rows of whose campaign some mail of the same week is others', by its addresses."""
    weeks = np.where(rows.days == NO_DAY, -1, rows.days // WEEK)
    cells = rows.campaign * (int(weeks.max(initial=0)) + 2) + weeks + 1
    return np.asarray(np.isin(cells, cells[others]))


def _sent_by_lab(rows: Rows, leaning: Ints) -> Flags:
    """Rows whose campaign the lab's bot of their family sent within reach; hardly another did."""
    # Whether, not how surely: one message of the lab's is enough.
    alone = replace(LAB_CAMPAIGN, doubt=0.01)
    captured = np.where(rows.lab >= 0, rows.lab, SILENT)
    told = told_by(alone, rows.campaign, rows.days, captured)
    sent: Flags = (told.names == leaning) & (leaning >= 0) & (told.steps >= LAB_SHARE * STEPS)
    return sent


def _lab_of_engine(rows: Rows, wild: Flags, number: Mapping[str, int]) -> Told:
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


def _lab_around(rows: Rows, asked: Ints) -> Ints:
    """How many messages of the asked family's lab are within reach of each row."""
    weeks = np.where(rows.days == NO_DAY, -1, rows.days // WEEK)
    found = np.zeros(len(weeks), dtype=np.int64)
    for family in np.unique(asked[asked >= 0]):
        sent = np.sort(weeks[(rows.lab == family) & (weeks >= 0)])
        of = asked == family
        until, before = weeks[of] + LAB_CAMPAIGN.reach, weeks[of] - LAB_CAMPAIGN.reach
        found[of] = np.searchsorted(sent, until, side="right") - np.searchsorted(sent, before)
    return found


def _lab_gone(rows: Rows, asked: Sequence[Ints]) -> Flags:
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
    seen: _Seen, asked: Sequence[Ints], strangers: Lookalikes, *, rented: bool | None = None
) -> tuple[Ints, Flags]:
    """What fleets say of each candidate: steps, and whether they say anything, shape (len(asked), rows) each.

    Args:
        seen: what each row shows.
        asked: candidates, an array of shape (rows,) each; UNNAMED for none.
        strangers: mail that strangers whose mailer looks alike may have sent.
        rented: as for `ties.fleet.kinship`.
    """
    rows, number, sure = seen.rows, seen.number, np.where(seen.wild, seen.first, UNNAMED)
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
        _texts_by_engine(rows)[of],
        rows.days[of],
        kit=~seen.alone[of],
        # No lab can be expected to show what has the engine but for one thing.
        wordless=(rows.wordless | seen.nearly)[of],
        untold=seen.untold[of],
    )
    labs = Labs.of(rows.lab, rows.campaign, rows.days)
    steps, told = kinship(mail, labs, together, strangers, rented=rented)
    kin = np.zeros((len(asked), len(sure)), dtype=np.int64)
    known = np.zeros((len(asked), len(sure)), dtype=np.bool_)
    ends = np.cumsum([len(at) for at in entries])
    for place, (at, end) in enumerate(zip(entries, ends, strict=True)):
        kin[place, at], known[place, at] = steps[end - len(at) : end], told[end - len(at) : end]
    return kin, known


def _texts_by_engine(rows: Rows) -> Ints:
    """Campaigns as codes: what has an engine but for one thing is one of its own beside what has all of it.

    It may be another's, so that its addresses speak for themselves.
    """
    texts = texts_of(rows.campaign)
    faults = sorted({s.faults for s in rows.spoken if s.faults})
    number = {fault: place + 1 for place, fault in enumerate(faults)}
    of = np.asarray([number.get(s.faults, 0) for s in rows.spoken], dtype=np.int64)[rows.said]
    return np.asarray(texts + 2 * (int(np.abs(texts).max(initial=0)) + 1) * of)


def _by_row(rows: Rows, of_spoken: Sequence[int], wild: Flags) -> Ints:
    """A name's number for what rules say, spread over the wild rows."""
    return np.where(wild, np.asarray(of_spoken, dtype=np.int64)[rows.said], UNNAMED)
