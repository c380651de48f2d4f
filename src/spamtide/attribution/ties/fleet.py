"""Fleets: whether a campaign comes from the addresses that a family's other mail comes from.

Kits are rented, fleets are not. All mail with one family's engine is a mixture of the family's own and of
other tenants'. What is surely the family's anchors its fleet, and what is surely somebody else's (another
family's words, a text that the lab's bot never sent) anchors the others'. A campaign whose addresses meet
the one fleet and not the other is given to it, and its addresses then know the next campaign: so fleets are
followed past the last mail that is sure. The share of each is estimated on the way (EM for a mixture of two
known parts, Dempster, Laird, Rubin 1977, section 4.3), and a campaign with too few addresses to tell is as
likely the family's as that share says. A text that several tenants send makes a mixed campaign; in one, each
address speaks for itself.

Each week is judged from the weeks within REACH of it alone, from the start: no answer rests on a stored one.
Addresses that come and go faster than mail does tell nothing, and then nothing is said.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from spamtide.attribution.ties.association import NO_DAY, Flags, Floats, Ints
from spamtide.attribution.ties.bands import unheard
from spamtide.attribution.ties.guests import without_guests
from spamtide.attribution.ties.lookalike import Lookalikes
from spamtide.attribution.ties.meeting import (
    BELIEVED,
    FLOOR,
    NEAR,
    REACH,
    WEEK,
    Cells,
    Labs,
    Meeting,
    Strangers,
    Window,
)
from spamtide.attribution.ties.mixture import KIT, OWN, PARTS, of_mixtures, share_of
from spamtide.attribution.ties.silence import LEAST_LAB

LEAST, LEAST_MET = 10, 3
"""Addresses of the family's own that could meet its other mail, and such that did, below which nothing is
said."""
CLEAR = 3.0
"""Times as often as everybody else's that a fleet's own addresses must meet its other mail."""
MOST = 6.0
"""Log-odds that addresses give or take at most."""
STEP = 0.25
"""Log-odds come in steps of this."""
SAME_CAMPAIGN = 2.0
"""Least spread where a family's own addresses could be compared within one campaign alone."""
ANCHORED = 3.0
"""Log-odds with which what is surely a family's, or somebody else's, begins: addresses may correct it."""
NOBODY = 20.0
"""Log-odds against strangers where none looks alike."""
JOINS = 2.0
"""Log-odds from which an entry is of a fleet, and meeting it counts."""
SURELY_MIXED = 0.9
"""Probability of a mixed campaign from which its words, which brought it to the fleet, are taken back."""
MOST_LEFT = 0.5
"""Part of what is surely a kit's tenant's that its fleet may leave out."""
MIXED_MORE = 0.5
"""Probability of a mixed campaign from which how often a fleet's addresses meet is not measured on it."""
LEAST_VARIANCE = 1.0
"""Of a campaign's meetings, where others use the engine: one more or less than expected is chance (Cochran).
Of a family's own engine small campaigns may differ as they do: doubt is not to be turned against it."""
ROUNDS = 8
"""Times that fleets are followed on at most; each reaches NEAR weeks further."""


@dataclass(frozen=True, slots=True)
class Mail:
    """What fleets are found in, an entry a message; one with the engine of several families once for each."""

    leaning: Ints
    """Family whose engine it has; negative for none."""
    sure: Ints
    """Family that rules with content name, of mail of the wild; negative for none."""
    addresses: Ints
    """Sending address as a code; negative for none."""
    texts: Ints
    """Campaign as a code, one of its own for a message without one: see `lookalike.texts_of`."""
    days: Ints
    """Day, or NO_DAY."""
    kit: Flags
    """Whether the engine is known to be several families'."""
    wordless: Flags
    """Whether there is too little text to be a template."""
    untold: Flags
    """Whether other tenants of its kit may send its text as well."""


def kinship(
    mail: Mail,
    labs: Labs,
    mates: Mapping[int, Collection[int]],
    strangers: Lookalikes | None = None,
    *,
    rented: bool | None = None,
) -> tuple[Ints, Flags]:
    """Log-odds that the addresses behind a campaign are those of each message's leaning, in STEPs.

    They stand for the engine's word as well: what it is worth is measured here.

    Args:
        mail: the messages.
        labs: mail of labs' bots, with the same codes of families and campaigns.
        mates: family -> others that are known to have its engine.
        strangers: what is known of strangers whose mailer looks alike; None where there are none.
        rented: whether all engines are known to have users that no lab has: a fleet then needs more to begin,
            and only addresses that meet it are taken for its own. None: it is to be told from what is found.

    Returns:
        steps, and whether addresses tell of the family at the time at all, by message.
    """
    leaning, sure, days = mail.leaning, mail.sure, mail.days
    steps = np.zeros(len(leaning), dtype=np.int64)
    told = np.zeros(len(leaning), dtype=np.bool_)
    usable = (mail.addresses >= 0) & (days != NO_DAY)
    weeks = np.where(usable, days // WEEK, 0)
    for family in np.unique(leaning[usable & (leaning >= 0)]):
        rows = np.flatnonzero(usable & ((leaning == family) | (sure == family)))
        cells = Cells.of(weeks[rows], mail.texts[rows], mail.addresses[rows])
        cells.own[cells.of_row] |= sure[rows] == family
        cells.others[cells.of_row] |= (sure[rows] >= 0) & (sure[rows] != family)
        cells.kit[cells.of_row] |= mail.kit[rows]
        cells.wordless[cells.of_row] |= mail.wordless[rows]
        cells.untold[cells.of_row] |= mail.untold[rows]
        foreign = usable & (sure >= 0) & (sure != family)
        of_kit = sorted(mates.get(int(family), ()))
        around = Strangers.of(
            cells,
            (weeks[foreign], mail.texts[foreign], mail.addresses[foreign]),
            np.isin(sure[foreign], of_kit),
        )
        captured = (
            cells.coded(labs.where(labs.families == family)),
            cells.coded(labs.where(np.isin(labs.families, of_kit))),
        )
        asked = leaning[rows] == family
        for week in np.unique(weeks[rows][asked]).tolist():
            found = _weigh(cells, around, captured, (strangers, int(family)), week, rented=rented)
            if found is None:
                continue
            here = asked & (weeks[rows] == week)
            odds = np.clip(found[cells.of_row[here] - cells.starts(week, week)[0]], -MOST, MOST)
            told[rows[here]] = ~np.isnan(odds)
            odds = np.nan_to_num(odds)
            steps[rows[here]] = (np.sign(odds) * np.floor(np.abs(odds) / STEP + 1e-9)).astype(np.int64)
    return steps, told


@dataclass(frozen=True, slots=True)
class _Ratios:
    """What meeting a fleet or not says, as log-likelihood ratios of the fleet against not of it."""

    each: Floats
    """Of each entry by itself."""
    spread: float
    """How much more campaigns differ than chance lets them, 1 or more."""

    @property
    def pooled(self) -> Floats:
        """Of each entry as a part of its campaign, whose entries say the same thing again."""
        return self.each / self.spread


def _fleet(
    window: Window, fleet: Flags, judged: Flags, campaigns: Ints, strangers: Flags, least: float
) -> _Ratios | None:
    """What meeting a fleet or not says of each entry; None where addresses do not tell.

    Args:
        window: the weeks around.
        fleet: entries of the fleet, whom the others may have met.
        judged: entries on which the rate is measured.
        campaigns: number of each entry's campaign.
        strangers: entries that are not of it.
        least: variance that a campaign's meetings have at least: see `_spread`.
    """
    meeting = window.meet(fleet)
    could = judged & (meeting.chances > 0)
    if could.sum() < LEAST:
        # One campaign is all that there is: its addresses in its other weeks, which may be more alike.
        again = window.meet(fleet, same=True)
        could = judged & (again.chances > 0)
        if could.sum() < LEAST or (again.met & could).sum() < LEAST_MET:
            return None
        rate = again.rate(could)
        spread = max(SAME_CAMPAIGN, _spread(again, rate, could, campaigns, least))
    else:
        if (meeting.met & could).sum() < LEAST_MET:
            return None
        rate = meeting.rate(could)
        spread = _spread(meeting, rate, could, campaigns, least)
    known = strangers & (meeting.chances > 0)
    measured = (float((meeting.met & known).sum()) + meeting.chance * BELIEVED) / (known.sum() + BELIEVED)
    chance = max(meeting.chance, measured)
    asked = meeting.chances > 0
    own = np.clip(meeting.expected(rate), chance, 1 - FLOOR)
    if not asked.any() or own[asked].mean() < CLEAR * chance:
        return None
    ratios = np.where(meeting.met, np.log(own / chance), np.log((1 - own) / (1 - chance)))
    return _Ratios(np.where(asked, ratios, 0.0), spread)


def _taken(rival: Floats, fleet: Floats, shared: Flags, of: Ints) -> Floats:
    """What meeting the others takes from each entry.

    Behind an address of many machines anybody meets everybody: there it takes what meeting the fleet gives,
    and no more, unless others send the text from addresses of their own as well.

    Args:
        rival: log-likelihood ratio of each entry, of the others' fleet against of nobody's.
        fleet: the same, of the family's.
        shared: entries of which the address is one of many machines.
        of: number of each entry's campaign.
    """
    apart = np.where(shared, 0.0, np.clip(rival, -MOST, MOST))
    sends = np.max([np.bincount(of, np.log(part * np.exp(apart) + 1 - part)) for part in PARTS], axis=0)
    most = np.where(shared & (sends < JOINS)[of], np.maximum(fleet, 0.0), np.inf)
    return np.asarray(np.clip(rival, 0.0, most))


def _spread(meeting: Meeting, rate: float, of: Flags, campaigns: Ints, least: float = FLOOR) -> float:
    """How much more campaigns differ than chance lets them, 1 or more.

    Pearson's chi-square by its degrees of freedom. Bots of one fleet are given their work in groups.
    """
    expected = meeting.expected(rate)[of]
    known, group = np.unique(campaigns[of], return_inverse=True)
    off = np.bincount(group, weights=meeting.met[of] - expected, minlength=len(known))
    variance = np.bincount(group, weights=expected * (1 - expected), minlength=len(known))
    square = float((off**2 / np.maximum(variance, least)).sum())
    return max(1.0, square / max(1, len(known) - 1))


def _prior(ratios: Floats, of: Ints, kinds: tuple[Flags, Flags], own_odds: Floats, sure: float) -> Floats:
    """Log-odds of each campaign that nothing is known of, by the family's share of the engine's mail.

    Args:
        ratios: what addresses say of each entry.
        of: number of its campaign.
        kinds: campaigns that nothing is known of, and such with an engine of several families.
        own_odds: log-odds that each campaign is no strangers' whose mailer looks alike.
        sure: entries that are surely the family's, if they say anything of the others.
    """
    free, kit = kinds
    asked = free & (own_odds > 0)  # what strangers send says nothing of who else has the engine
    share = np.where(
        kit, share_of(ratios, of, asked & kit, KIT), share_of(ratios, of, asked & ~kit, OWN, sure)
    )
    return np.asarray(-np.logaddexp(np.log((1 - share) / share), -own_odds))


def _own_odds(alike: tuple[Lookalikes | None, int], week: int, texts: Ints) -> Floats:
    """Log-odds that texts are no strangers' whose mailer looks like a family's."""
    strangers, family = alike
    return strangers.odds(family, week, texts) if strangers else np.full(len(texts), NOBODY)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of some weeks' mail with a family's engine before its addresses are asked."""

    of: Ints
    """Shape (entries,), like the next three: number of its campaign."""
    own: Flags
    """Surely the family's, by its words."""
    mine: Flags
    """What the family's fleet may begin with: the same, and texts of its lab."""
    theirs: Flags
    """What the others' fleet begins with."""
    worded: Flags
    """Shape (campaigns,), like all that follow: has the family's words."""
    kit: Flags
    """Has an engine of several families."""
    anchor: Floats
    """Log-odds that words and lab give the family."""
    strange: Floats
    """Log-odds that what is surely others' takes from it."""
    foreign: Floats
    """The same, or what the lab's silence takes, if that is more."""
    own_odds: Floats
    """Log-odds that it is no strangers' whose mailer looks like the family's."""
    gone: bool
    """Whether the family's lab has stopped."""


def _weigh(
    cells: Cells,
    around: Strangers,
    captured: tuple[Labs, Labs],
    alike: tuple[Lookalikes | None, int],
    week: int,
    *,
    rented: bool | None,
) -> Floats | None:
    """Log-odds of one week's entries, NaN for untold; None where addresses tell nothing of the family.

    What is sure, and what else speaks against a campaign, moves the fleets but is not told again.

    Args:
        cells: mail with the family's engine or words.
        around: what is surely other families'.
        captured: lab mail of the family, and of others with its engine.
        alike: strangers whose mailer looks like the family's, if there are any, and the family.
        week: the week.
        rented: as for `kinship`.
    """
    window = Window(cells, around, week)
    known = _known(cells, window, captured, alike, week)
    several = bool(rented) or bool(known.kit.any())
    # Tenants of a kit may share machines, and who else has an engine is counted with care.
    found = _followed(
        window, known, several=several, choosing=several or rented is None, by_address=rented is not None
    )
    if rented:
        found = found or _of_others(window, known)
    if found is None:
        return None
    odds, mixed = found
    here = window.weeks == REACH + NEAR
    # Of an engine of one family's its words were to be expected anyway; of a kit, silence is told here alone.
    # Words of a text that others send too are no word for its sender: the mixture has heard them.
    words = np.where((mixed > SURELY_MIXED) & known.worded, known.anchor, 0.0)
    told_elsewhere = np.where(known.kit, known.anchor - known.strange, words - known.foreign)
    return np.asarray((odds - told_elsewhere[known.of])[here])


def _known(
    cells: Cells,
    window: Window,
    captured: tuple[Labs, Labs],
    alike: tuple[Lookalikes | None, int],
    week: int,
) -> _Known:
    """What words, labs and their silence say of the entries and campaigns around a week; see `_weigh`."""
    # What tenants hand each other begins no fleet.
    apart = ~cells.untold[window.part]
    own = cells.own[window.part] & apart
    others = cells.others[window.part] & ~cells.own[window.part] & apart
    campaigns, of = np.unique(cells.campaigns[window.part], return_inverse=True)

    def some(entries: Flags) -> Flags:
        """Campaigns with any of some entries."""
        return np.asarray(np.bincount(of, entries, minlength=len(campaigns)) > 0)

    lab, of_mates = (
        mail.where(slice(*np.searchsorted(mail.weeks, [week - REACH, week + REACH + 1]))) for mail in captured
    )
    told = ~some(~apart)
    by_lab, by_mates = (np.isin(campaigns, mail.campaigns) & told for mail in (lab, of_mates))
    worded = some(own)
    mine, theirs = own | (by_lab & ~by_mates)[of], others | (by_mates & ~by_lab)[of] & ~own
    strange = np.where(some(theirs), ANCHORED, 0.0)
    heard = worded | by_lab | some(cells.wordless[window.part])
    kit = some(cells.kit[window.part])
    silence, alien, surely = unheard(
        window, of, cells.addresses[window.part], (heard, strange > 0, kit, worded | by_lab), (lab, week)
    )
    of_bands, of_themselves = (theirs | some_of[of] & ~mine for some_of in (alien, surely))
    return _Known(
        of=of,
        own=own,
        mine=mine,
        # A band may hold a text that the family sends too.
        theirs=of_themselves if of_themselves.sum() >= LEAST else of_bands,
        worded=worded,
        kit=kit,
        anchor=np.where((worded | by_lab) & ~by_mates, ANCHORED, 0.0),
        strange=strange,
        foreign=np.maximum(strange, silence),
        own_odds=_own_odds(alike, week, cells.campaign_codes[campaigns]),
        gone=bool((lab.weeks >= week).sum() < LEAST_LAB),
    )


def _of_others(window: Window, known: _Known) -> tuple[Floats, Floats] | None:
    """What comes from a rented engine's others where the family's addresses do not tell: as for `_followed`.

    They are followed from campaign to campaign. Of addresses that do not meet them nothing is said, as there
    may be a third, but in a text of the family's that they send as well: there it is the family's.
    """
    of, before = known.of, known.anchor - known.foreign
    prior = np.where(before == 0, np.log(OWN / (1 - OWN)), before)
    theirs = judged = known.theirs
    held, nobody = [theirs], np.zeros_like(theirs)
    found: tuple[Floats, Floats] | None = None
    for _ in range(ROUNDS):
        # Whom the others meet by chance is not measured on the family's mail: they may have taken its texts.
        rival = _fleet(window, theirs, judged, of, nobody, LEAST_VARIANCE) if theirs.sum() >= LEAST else None
        if rival is None:
            break
        odds, mixed = of_mixtures(-rival.pooled, of, prior, known.kit, -rival.each)
        kept = (odds >= JOINS) & known.mine & (mixed >= MIXED_MORE)[of]
        found = np.where((odds <= -JOINS) & (rival.each > 0) | kept, odds, np.nan), mixed
        theirs = odds <= -JOINS
        judged = _whole(theirs, mixed, of)
        if any(np.array_equal(theirs, one) for one in held[-2:]):
            break
        held.append(theirs)
    return found


def _whole(fleet: Flags, mixed: Floats, of: Ints) -> Flags:
    """A fleet's entries on which it may be measured how often its addresses meet it.

    Of a mixed campaign those are found to be the fleet's that met it. Measured on them the rate would run up,
    and the rest of the fleet would be taken for others'.
    """
    whole = fleet & (mixed < MIXED_MORE)[of]
    return whole if whole.sum() >= LEAST else fleet


def _followed(
    window: Window, known: _Known, *, several: bool, choosing: bool, by_address: bool
) -> tuple[Floats, Floats] | None:
    """Follow both fleets from campaign to campaign, until nothing moves or ROUNDS are over.

    Args:
        window: the weeks around.
        known: what is known of them.
        several: whether the engine is known to be several senders'.
        choosing: whether others may be among what begins the fleet, so that the rate at which it meets is
            measured on what is found to be of it: see `_whole`.
        by_address: whether in a mixed campaign each address speaks as clearly as it can: see `of_mixtures`.

    Returns:
        Log-odds that each entry is the family's, and the probability that each campaign is mixed; None where
        addresses tell nothing.
    """
    of, before = known.of, known.anchor - known.foreign
    free = before == 0
    # While the lab works, what is surely the family's is set apart from the mail that is asked about; then
    # nothing is, and where all was the family's all may be still.
    sure = float(known.own.sum()) if known.gone and not several else 0.0
    begun, theirs = without_guests(window, of, known.mine, known.theirs, several=several)
    mine = known.mine
    if several and known.gone:
        # Others may send one of the family's texts: its fleet begins with addresses that sent two. Guests are
        # seen by how little they reach of all of it.
        mine = mine & window.meet(mine).met
        if mine.sum() < LEAST:
            return None
        begun, theirs = without_guests(window, of, mine, theirs, several=several)
    shared = mine & ~begun
    judged, mine = known.mine & ~shared, begun
    least = LEAST_VARIANCE if several else FLOOR
    held = [(mine, theirs)]
    found: tuple[Floats, Floats] | None = None
    for _ in range(ROUNDS):
        fleet = _fleet(window, mine, judged, of, theirs, least)
        if fleet is None and found and theirs.any():
            # Others have come in by a text that they send too: what meets them is not surely the family's.
            apart = ~window.meet(theirs).met
            mine, judged = mine & apart, judged & apart
            fleet = _fleet(window, mine, judged, of, theirs, least)
        if fleet is None:
            break
        rival = _fleet(window, theirs, theirs, of, mine, least) if theirs.sum() >= LEAST else None
        ratios, each = fleet.pooled, fleet.each
        if rival is not None:
            ratios = ratios - _taken(rival.pooled, ratios, window.shared, of)
            each = each - _taken(rival.pooled, each, window.shared, of)
        prior = np.where(free, _prior(ratios, of, (free, known.kit), known.own_odds, sure), before)
        last, found = found, of_mixtures(ratios, of, prior, known.kit, each if by_address else None)
        odds, mixed = found
        # What rests on a text that others send too may be answered, but is carried on to nothing.
        mine, theirs = (odds >= JOINS) & ~shared, odds <= -JOINS
        if choosing:
            judged = _whole(mine, mixed, of) if several else mine
        if any(np.array_equal(mine, a) and np.array_equal(theirs, b) for a, b in held[-2:]):
            # Settled, or to and fro: between the two nothing is sure.
            found = found if last is None else ((odds + last[0]) / 2, mixed)
            break
        held.append((mine, theirs))
    return None if found and _left_its_own(found[0], known) else found


def _left_its_own(odds: Floats, known: _Known) -> bool:
    """Whether a fleet that was followed leaves out most of what is surely the family's.

    Then it is not the family's, but a tenant's whose addresses come more often, with some of its texts. Told
    of kits alone: where the texts of an engine's owner are taken over, words would name both instead.
    """
    begun = (known.anchor > known.strange)[known.of] & known.kit[known.of]
    return bool(begun.sum() >= LEAST and (odds[begun] < 0).mean() > MOST_LEFT)
