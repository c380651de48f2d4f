"""Fleets: shared addresses speak for a family, fresh ones against it as far as its own mail shares them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from spamtide.attribution.ties.association import NO_DAY
from spamtide.attribution.ties.bands import of_one_fleet
from spamtide.attribution.ties.fleet import JOINS, MOST, STEP, Mail, _spread, kinship
from spamtide.attribution.ties.lookalike import texts_of
from spamtide.attribution.ties.meeting import REACH, WEEK, Cells, Labs, Meeting, Strangers, Window

OWN, OTHER, THIRD, NOBODY = 0, 1, 2, -1
Row = tuple[int, int, int, int, int]
NO_LAB = Labs(*(np.zeros(0, dtype=np.int64) for _ in range(3)))


def told_of(
    rows: list[Row], *, kit: bool = False, lab: Labs | None = None, rented: bool | None = None
) -> list[int | None]:
    """Steps of rows of (leaning, sure, address, campaign, day); None where addresses do not tell."""
    columns = [np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)]
    flags = [np.full(len(rows), kit), *(np.zeros(len(rows), dtype=np.bool_) for _ in range(2))]
    columns[3] = texts_of(columns[3])
    steps, told = kinship(Mail(*columns, *flags), lab or NO_LAB, {OWN: [OTHER]}, rented=rented)
    return [int(step) if said else None for step, said in zip(steps, told, strict=True)]


def known(
    addresses: range, *, family: int = OWN, campaigns: tuple[int, ...] = (1, 2), day: int = 70
) -> list[Row]:
    """Mail that is surely a family's: each address in each campaign."""
    return [(NOBODY, family, address, campaign, day) for campaign in campaigns for address in addresses]


def asked(addresses: Sequence[int], *, campaign: int = 9, day: int = 71) -> list[Row]:
    """Mail that only the engine gives to the family."""
    return [(OWN, NOBODY, address, campaign, day) for address in addresses]


def answer(rows: list[Row], more: list[Row], *, kit: bool = False) -> set[int | None]:
    """The steps of the rows that were asked about."""
    return set(told_of(rows + more, kit=kit)[len(rows) :])


SETTLED = [*known(range(40)), *known(range(100, 140), family=OTHER, campaigns=(3, 4))]


def test_a_shared_fleet_speaks_for_the_family() -> None:
    assert answer(SETTLED, asked(range(20))) == {round(MOST / STEP)}


def test_another_fleet_speaks_against_it() -> None:
    """All of the family's addresses come again, none of these does: the kit's other tenant."""
    assert answer(SETTLED, asked(range(200, 220))) == {-round(MOST / STEP)}


def test_only_rows_that_lean_are_answered() -> None:
    assert set(told_of([*SETTLED, *asked(range(20))])[: len(SETTLED)]) == {None}


def test_one_campaign_does_not_vouch_for_itself() -> None:
    """An address counts if it sent the family's mail in another campaign."""
    alone = known(range(40), campaigns=(9,)) + known(range(50, 90))
    assert max(step or 0 for step in answer(alone, asked(range(20)))) * STEP < math.log(9)  # 90 %


@pytest.mark.parametrize(
    "rows",
    [
        known(range(4)),
        known(range(40), day=70 + 60),
        [*known(range(40), campaigns=(1,)), *known(range(40, 80), campaigns=(2,))],
    ],
    ids=["too few addresses", "another month", "addresses that never come again"],
)
def test_where_addresses_tell_nothing_nothing_is_said(rows: list[Row]) -> None:
    assert answer(rows, asked(range(200, 220))) == {None}


def test_addresses_that_everybody_shares_tell_nothing() -> None:
    """A relay's addresses send for all: meeting them is no evidence."""
    relays = known(range(40)) + known(range(40), family=OTHER, campaigns=(3, 4))
    assert answer(relays, asked(range(20))) == {None}


def test_the_message_without_address_or_day() -> None:
    rows = [(OWN, NOBODY, -1, 9, 71), (OWN, NOBODY, 3, 9, NO_DAY)]
    assert answer(SETTLED, rows) == {None}


def test_a_message_without_a_campaign_is_one_of_its_own() -> None:
    assert min(step or 0 for step in answer(SETTLED, [(OWN, NOBODY, 3, -1, 71)])) > 0


def test_a_lone_message_is_as_likely_the_familys_as_the_engines_other_mail() -> None:
    """Two messages from fresh addresses: beside strangers' campaigns they are strangers'."""
    few = [(OWN, NOBODY, address, 50 + address, 71) for address in (300, 301)]
    settled = [*known(range(40)), *known(range(1000, 1160), campaigns=(1,)), *SETTLED[-80:]]
    beside_own = max(step for step in answer(settled, few + asked(range(20))) if step is not None)
    lone = told_of([*settled, *few, *asked(range(20))])[len(settled)]
    crowded = told_of([*settled, *few, *asked(range(400, 480))])[len(settled)]
    assert lone is not None
    assert crowded is not None
    assert crowded < 0 < lone < beside_own


def test_addresses_are_fetched_from_further_where_all_templates_are_new() -> None:
    """The family's last sure mail is two weeks old: its addresses are judged over as long a time."""
    then = [row for week in range(5) for row in known(range(40), campaigns=(10 + week,), day=70 + 7 * week)]
    now = asked(range(20), day=70 + 7 * 6)
    assert answer([*then, *SETTLED[-80:]], now) == {round(MOST / STEP)}
    assert answer([*then, *SETTLED[-80:]], asked(range(200, 220), day=70 + 7 * 6)) == {-round(MOST / STEP)}


def test_the_only_campaign_vouches_by_its_other_weeks() -> None:
    """With one known campaign its addresses can be compared with those of its other weeks alone."""
    one = [row for week in range(3) for row in known(range(40), campaigns=(1,), day=70 + 7 * week)]
    assert min(step or 0 for step in answer(one, asked(range(20), day=78))) > 0
    assert max(step or 0 for step in answer(one, asked(range(200, 220), day=78))) < 0


def test_in_a_mixed_campaign_each_address_speaks_for_itself() -> None:
    """One text of two tenants: the family's addresses are its own, the others' are not."""
    book = [row for number in range(4) for row in known(range(60), campaigns=(20 + number,))]
    mixed = [*asked(range(30)), *asked(range(500, 530))]
    steps = told_of([*book, *SETTLED[-80:], *mixed], kit=True)[-60:]
    assert all(step is not None for step in steps)
    assert min(step or 0 for step in steps[:30]) > 0 > max(step or 0 for step in steps[30:])


def test_of_a_kit_of_several_nobody_is_expected() -> None:
    """One address that met nobody: a family's own engine may still send new mail, a kit's tenant is open."""
    settled = [*known(range(40)), *known(range(1000, 1160), campaigns=(1,)), *SETTLED[-80:]]
    fresh = [(OWN, NOBODY, 900, 50, 71)]
    alone, kit = answer(settled, fresh), answer(settled, fresh, kit=True)
    assert min(step or 0 for step in alone) > 0 >= max(step or 0 for step in kit)


def crew(base: int, *, week: int) -> range:
    """Addresses of one sender in a week: three of four go on into the next one."""
    return range(base + 10 * week, base + 10 * week + 40)


def weekly(base: int, weeks: range, *, campaign: int, sure: int = NOBODY) -> list[Row]:
    """A campaign a week from a crew that is renewed by and by."""
    return [
        (NOBODY if sure >= 0 else OWN, sure, address, campaign + week, 7 * week)
        for week in weeks
        for address in crew(base, week=week)
    ]


def test_a_fleet_is_followed_past_the_last_sure_mail() -> None:
    """Three of four of the last week's addresses never sent what is sure: campaigns between lead there."""
    own = [*weekly(0, range(10, 12), campaign=100, sure=OWN), *weekly(0, range(12, 15), campaign=100)]
    strangers = weekly(5000, range(10, 15), campaign=300)
    rows = [*own, *strangers, *known(range(9000, 9040), family=OTHER, campaigns=(3, 4), day=85)]
    steps = told_of(rows)
    last = [
        (step, row[2]) for step, row in zip(steps, rows, strict=True) if row[0] == OWN and row[4] == 7 * 14
    ]
    assert all(step is not None and (step > 0) == (address < 5000) for step, address in last)


def test_what_a_mates_lab_sent_is_not_of_the_fleet() -> None:
    """Addresses that sent a captured mate's text count against the family's, though nothing else is known."""
    mates_text = [(OWN, NOBODY, address, 7, 70) for address in range(200, 240)]
    both = [(OWN, NOBODY, address, 8, 71) for address in [*range(200, 220), *range(6)]]
    lab = Labs.of(np.array([OTHER] * 9), np.array([7] * 9), np.array([70] * 9))
    rows = [*SETTLED, *mates_text, *both]
    alone = [step for step in told_of(rows, kit=True)[-26:-6] if step is not None]
    beside = [step for step in told_of(rows, kit=True, lab=lab)[-26:-6] if step is not None]
    assert max(beside) <= max(alone)
    assert max(beside) < 0


def test_the_order_of_rows_decides_nothing() -> None:
    rows = [
        *SETTLED,
        *asked(range(10)),
        *asked(range(200, 210), campaign=10),
        *asked(range(35, 45), campaign=11),
    ]
    turned = rows[::-1]
    assert told_of(rows) == told_of(turned)[::-1]


def test_a_week_is_answered_from_the_weeks_around_it_as_from_all() -> None:
    """No answer rests on anything further than REACH weeks away: fleets begin anew for each week."""
    dice = np.random.default_rng(5)
    rows: list[Row] = []
    for week in range(20):
        for sender, base in enumerate((0, 3000, 6000)):
            for part in (0, 1):
                sure = OWN if sender == 0 and (week + part) % 3 == 0 else OTHER if sender == 2 else NOBODY
                leans = OWN if sure == NOBODY else NOBODY
                chosen = dice.choice(100, 25, replace=False) + base + 10 * week
                rows += [(leans, sure, int(a), 60 * sender + 2 * week + part, 7 * week) for a in chosen]
    whole = told_of(rows)
    for week in (6, 9, 13):
        near = [place for place, row in enumerate(rows) if abs(row[4] // WEEK - week) <= REACH]
        part = dict(zip(near, told_of([rows[place] for place in near]), strict=True))
        asked = [place for place in near if rows[place][4] // WEEK == week and rows[place][0] == OWN]
        assert {part[place] for place in asked} - {None}
        assert [part[place] for place in asked] == [whole[place] for place in asked]


def sent(addresses: range, campaigns: range, *, each: int = 20, seed: int = 0, day: int = 70) -> list[Row]:
    """Mail that nothing but the engine speaks for: some of a fleet's addresses in each campaign."""
    dice = np.random.default_rng(seed)
    rows: list[Row] = []
    for campaign in campaigns:
        chosen = dice.choice(np.asarray(addresses), each, replace=False)
        rows += [(OWN, NOBODY, int(address), campaign, day) for address in chosen]
    return rows


def sure(rows: list[Row], family: int = OWN) -> list[Row]:
    """The same mail with the family's words."""
    return [(NOBODY, family, *row[2:]) for row in rows]


GUEST = range(500, 560)


@pytest.mark.parametrize(("each", "guests", "kit"), [(20, 25, False), (20, 25, True), (8, 35, True)])
def test_a_text_that_others_send_too_does_not_bring_in_their_other_mail(
    each: int, guests: int, *, kit: bool
) -> None:
    """The fleet has twelve texts, and ten that nobody knows are of addresses that send one of the twelve."""
    book = sure(sent(range(100), range(12), each=each))
    shared = sure(sent(range(100), range(1), each=30, seed=4) + sent(GUEST, range(1), each=guests, seed=1))
    theirs = sent(GUEST, range(20, 30), each=10, seed=2)
    ours = sent(range(100), range(30, 33), seed=3)
    steps = told_of([*book, *shared, *SETTLED[-80:], *theirs, *ours], kit=kit)
    assert all(step is not None and step < 0 for step in steps[-160:-60])
    assert all(step is not None and step > 0 for step in steps[-60:])


@pytest.mark.parametrize("texts", [2, 4])
def test_several_shared_texts_bring_in_nobody_of_a_kit(texts: int) -> None:
    """The more texts are shared, the more of the fleet a guest meets: never its other texts."""
    book = sure(sent(range(90), range(12)))
    shared = sure(sent(GUEST, range(texts), each=20, seed=1))
    theirs = sent(GUEST, range(20, 30), seed=2)
    ours = sent(range(90), range(30, 33), seed=3)
    steps = told_of([*book, *shared, *SETTLED[-80:], *theirs, *ours], kit=True)
    assert all(step is not None and step < 0 for step in steps[-260:-60])
    assert sum((step or 0) > 0 for step in steps[-60:]) >= 0.9 * 60


def test_words_of_a_shared_text_say_nothing_of_an_address_that_only_sent_it() -> None:
    """In a text of two fleets an address that sent nothing else may be either's."""
    book = sure(sent(range(60), range(10), each=40))
    lab = Labs.of(np.array([OWN] * 9), np.array([0] * 9), np.array([70] * 9))
    asked_of = [(OWN, OWN, address, 0, 70) for address in [*range(20), *range(500, 520), *range(900, 904)]]
    rows = [*book, *SETTLED[-80:], *sent(GUEST, range(20, 30), seed=2), *asked_of]
    steps = told_of(rows, lab=lab)[-44:]
    assert min(step or 0 for step in steps[:20]) > -12  # words, at 3 log-odds, decide
    assert all(step is not None and step <= -12 for step in steps[20:])


def test_a_fleet_of_which_part_sends_one_text_is_no_guest() -> None:
    """Bots get their work in groups: each of three groups has its texts, one of which all send."""
    rows: list[Row] = []
    for group in range(3):
        own = range(100 * group, 100 * group + 60)
        rows += sure(sent(own, range(10 * group, 10 * group + 5), seed=group))
        rows += sure(sent(own, range(90, 91), seed=7 + group))
        rows += sent(own, range(10 * group + 5, 10 * group + 7), seed=4 + group)
    asked_of = [place for place, row in enumerate(rows) if row[0] == OWN]
    strangers = known(range(9000, 9040), family=OTHER, campaigns=(300, 301))
    steps = told_of([*rows, *strangers])
    assert all((steps[place] or 0) > 0 for place in asked_of)


def test_a_relay_that_everybody_uses_makes_nobody_a_guest() -> None:
    """One address in every campaign is no tie between them."""
    book, relay = sure(sent(range(60), range(10))), 7777
    through = [(NOBODY, OWN, relay, campaign, 70) for campaign in range(10)]
    theirs = [row for campaign in range(20, 30) for row in sent(GUEST, range(campaign, campaign + 1))]
    theirs += [(OWN, NOBODY, relay, campaign, 70) for campaign in range(20, 30)]
    steps = told_of([*book, *through, *SETTLED[-80:], *theirs], kit=True)
    own = [step for step, row in zip(steps[-210:], theirs, strict=True) if row[2] != relay]
    assert all(step is not None and step < 0 for step in own)


@pytest.mark.parametrize(
    ("strange", "beside", "more", "ours"),
    [((400,), 0, 0, True), ((), 0, 0, False), ((400,), 30, 0, False), ((400,), 0, 8, False)],
    ids=["many machines", "the others' alone", "others' own beside", "one stray message among many"],
)
def test_behind_an_address_of_many_machines_nobody_is_the_others(
    *, strange: tuple[int, ...], beside: int, more: int, ours: bool
) -> None:
    """A text from addresses that the others have too may be the family's.

    So it is if another engine's mail comes from them as well, a tenth or more, and none of the text from what
    is the others' alone.
    """
    shared = range(800, 830)
    book = sure(sent(range(200), range(4), each=30))
    campaigns = (300, 301, 302, *range(310, 310 + more))
    theirs = [row for campaign in campaigns for row in asked([*GUEST, *shared], campaign=campaign)]
    third = known(shared, family=THIRD, campaigns=strange)
    text = asked([*range(0, 200, 5), *shared, *GUEST[:beside]], campaign=99)
    lab = Labs.of(
        np.array([OTHER] * 10 * len(campaigns)),
        np.array(campaigns * 10),
        np.array([70] * 10 * len(campaigns)),
    )
    steps = told_of([*book, *theirs, *third, *text], lab=lab)[-len(text) :]
    assert all((step or 0) > 0 for step in steps[40:70]) == ours


def test_what_a_lab_never_sent_is_held_together_by_its_addresses() -> None:
    """A renter that also sends the owner's texts: of each of its own the lab's silence says too little."""
    weeks = range(10, 15)
    own = [row for week in weeks for n in (0, 1) for row in _sent(range(40), 100 + 2 * week + n, week, OWN)]
    shared = [row for week in (13, 14) for row in _sent(range(500, 540), 100 + 2 * week, week, OWN)]
    rented = [
        row for week in weeks for n in range(4) for row in _sent(range(500, 540), 300 + 4 * week + n, week)
    ]
    rows = [*own, *shared, *rented]
    captured = [(week, 100 + 2 * week + n) for week in weeks for n in (0, 1) for _ in range(2)]
    days, campaigns = ([at * 7 for at, _ in captured], [campaign for _, campaign in captured])
    lab = Labs.of(np.array([OWN] * len(captured)), np.array(campaigns), np.array(days))
    steps = told_of(rows, lab=lab)[len(own) + len(shared) :]
    assert max(step or 0 for step in steps) * STEP < math.log(9)  # 90 %


def _sent(addresses: range, campaign: int, week: int, sure: int = NOBODY) -> list[Row]:
    """A campaign of one week."""
    return [(OWN, sure, address, campaign, 7 * week) for address in addresses]


def _of_one_small_fleet(rare: int) -> tuple[list[Row], Labs]:
    """Thirty addresses that send five texts which their lab has, and some rare ones, a few times each."""
    rng = np.random.default_rng(5)
    rows: list[Row] = []
    texts = [(campaign, 60) for campaign in range(5)] + [(campaign, 6) for campaign in range(5, 5 + rare)]
    for campaign, copies in texts:
        day = 70 + 7 * int(rng.integers(5))
        rows += [
            (OWN, OWN if campaign < 5 else NOBODY, int(address), campaign, day + int(rng.integers(5)))
            for address in rng.integers(30, size=copies)
        ]
    rows += [(OWN, NOBODY, 500 + place, 700 + place, 70 + place) for place in range(30)]  # strangers
    weeks = np.repeat(np.arange(10, 15), 8)
    sent = np.where(rng.random(40) < 0.7, rng.integers(5, size=40), 1000 + np.arange(40))
    return rows, Labs(np.zeros(40, dtype=np.int64), sent, weeks)


def test_what_a_lab_missed_of_its_familys_own_is_not_another_fleets() -> None:
    """Rare texts that few addresses send besides the known ones: a lab of this size misses as many."""
    rows, lab = _of_one_small_fleet(12)
    said = [step for row, step in zip(rows, told_of(rows, lab=lab), strict=True) if 5 <= row[3] < 17]
    assert None not in said
    assert float(np.mean([step > 0 for step in said if step is not None])) > 0.9


def _with_texts_kept_from_the_lab(kept: int, others: range) -> tuple[list[Row], Labs]:
    """Ten texts in five weeks from 150 addresses; the lab's bot is given all but the last."""
    rng = np.random.default_rng(11)
    rows: list[Row] = []
    for campaign in range(10):
        own = campaign < 10 - kept
        for _ in range(60):
            address = int(rng.integers(150)) if own else others[int(rng.integers(len(others)))]
            day = 70 + int(rng.integers(35))
            rows.append((OWN, OWN if own else NOBODY, address, campaign, day))
    sent = np.arange(100) % (10 - kept)
    return rows, Labs(np.zeros(100, dtype=np.int64), sent, np.repeat(np.arange(10, 15), 20))


@pytest.mark.parametrize("kept", [1, 2])
def test_texts_that_a_lab_is_never_given_are_its_familys_where_the_machines_are(kept: int) -> None:
    """A bot in a lab is not handed all campaigns. It is silent, but all comes from one pool of machines."""
    rows, lab = _with_texts_kept_from_the_lab(kept, range(150))
    said = [step for row, step in zip(rows, told_of(rows, lab=lab), strict=True) if row[1] == NOBODY]
    assert None not in said
    assert min(step for step in said if step is not None) * STEP > math.log(9)  # 90 %
    rows, lab = _with_texts_kept_from_the_lab(kept, range(500, 650))
    said = [step for row, step in zip(rows, told_of(rows, lab=lab), strict=True) if row[1] == NOBODY]
    assert max(step or 0 for step in said) < 0


@pytest.mark.parametrize("part", [0.2, 0.3, 0.5])
def test_a_tenant_of_many_machines_is_not_its_landlords_for_sending_from_some_of_his(part: float) -> None:
    """It seldom meets itself, so that what meets it through the family's machines looks like much."""
    rng = np.random.default_rng(3)
    texts = [(week, text) for week in range(100, 109) for text in range(11) for _ in range(30)]
    rows: list[Row] = []
    for week, text in texts:
        own, lent = text < 8, rng.random() < part
        address = int(rng.integers(300)) if own or lent else int(rng.integers(1000, 3000))
        rows.append((OWN, OWN if own else NOBODY, address, text, 7 * week + int(rng.integers(7))))
    lab = Labs(np.zeros(300, dtype=np.int64), np.arange(300) % 8, np.sort(100 + rng.integers(0, 9, 300)))
    said = [step for row, step in zip(rows, told_of(rows, lab=lab), strict=True) if row[1] == NOBODY]
    assert np.mean([(step or 0) >= JOINS / STEP for step in said]) < 0.05


@pytest.mark.parametrize(("late", "one"), [(range(30), True), (range(500, 530), False)])
def test_who_takes_over_a_familys_texts_is_not_of_its_fleet(late: range, *, one: bool) -> None:
    """Its own texts meet what it took as the family's do, and nothing that the family sent before."""
    of_week = [(week, text, address) for week in range(10, 15) for text in (1, 2) for address in range(15)]
    known = [(week, text, address + late.start * (week >= 12)) for week, text, address in of_week]
    band = [(week, text, address) for week in range(10, 15) for text in (8, 9) for address in late]
    columns = [np.array(column, dtype=np.int64) for column in zip(*known, *band, strict=True)]
    cells = Cells.of(*columns)
    nothing = np.zeros(0, dtype=np.int64)
    around = Strangers.of(cells, (nothing, nothing, nothing), np.zeros(0, dtype=np.bool_))
    window = Window(cells, around, 12)
    of_band = cells.campaign_codes[cells.campaigns[window.part]] >= 8
    assert of_one_fleet(window, of_band, ~of_band) == one


def test_of_a_rented_engine_the_others_addresses_tell_where_its_owners_never_come_again() -> None:
    owner = [row for n in range(3) for row in known(range(50 * n, 50 * n + 50), campaigns=(n,))]
    others = [row for campaign in (3, 4) for row in asked(range(500, 530), campaign=campaign, day=70)]
    lab = Labs(*(np.array(column, dtype=np.int64) for column in ((OTHER, OTHER), (3, 4), (10, 10))))
    theirs, fresh = asked(range(500, 520)), asked(range(900, 920), campaign=8)
    for rented in (True, None):
        rows = [*owner, *others, *theirs, *fresh]
        steps = told_of(rows, lab=lab, rented=rented)[len(owner) + len(others) :]
        assert set(steps[20:]) == {None}
        assert {step is not None and step * STEP <= -JOINS for step in steps[:20]} == {bool(rented)}


def test_a_fleet_that_leaves_out_most_of_the_familys_own_mail_is_anothers() -> None:
    """A tenant whose addresses come more often, and who sends two of a family's texts, is not the family."""
    own = [(OWN, OWN, 1000 * text + n, text, 70) for text in range(1, 6) for n in range(20)]
    own += [(OWN, OWN, 9000 + n, text, 70) for text in range(1, 6) for n in range(2)]
    taken = [(OWN, OWN, 500 + n, text, 71) for text in (11, 12) for n in range(20)]
    asked_about = [(OWN, NOBODY, 500 + n, text, 71) for text in (5, 6, 7) for n in range(20)]
    assert set(told_of(own + taken + asked_about, kit=True)) == {None}


def test_of_a_text_that_a_rented_engines_others_take_over_each_address_says_whose_it_is() -> None:
    """The owner's addresses never come again, and the others' each time."""
    owner = [row for n in range(3) for row in _sent(range(50 * n, 50 * n + 50), n, 10, OWN)]
    others = [row for campaign in (3, 4) for row in asked(range(500, 530), campaign=campaign, day=70)]
    lab = Labs(*(np.array(column, dtype=np.int64) for column in ((OTHER, OTHER), (3, 4), (10, 10))))
    taken = _sent(range(500, 530), 2, 10, OWN)
    steps = told_of([*owner, *others, *taken], lab=lab, rented=True)
    assert set(steps[:100]) == {None}
    assert min(step or 0 for step in steps[100:150]) > -JOINS / STEP  # words decide
    assert None not in steps[100:150]
    assert max(step or 0 for step in steps[-30:]) * STEP <= -JOINS


def test_one_miss_of_a_fleet_that_always_comes_says_nothing_of_its_spread() -> None:
    met = np.ones(33, dtype=np.bool_)
    met[7] = False
    meeting = Meeting(met, np.full(33, 100.0), 0.005)
    whole = np.ones(33, dtype=np.bool_)
    assert _spread(meeting, meeting.rate(whole), whole, np.zeros(33, dtype=np.int64), 1.0) < 2
