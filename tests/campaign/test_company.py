"""What groups came in, where it may speak and where it must be silent."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from spamtide.campaign.company import FAR_DAYS, NEAR_DAYS, Bearing, Company
from spamtide.campaign.traits import FACTS

NOBODY = np.zeros(0, dtype=np.int64)


@pytest.fixture
def company(monkeypatch: pytest.MonkeyPatch) -> Company:
    """A lake in which hardly any two that talk of the same have come in like forms."""
    one = Company(pa.chunked_array([pa.array([], pa.binary())]), NOBODY, NOBODY, NOBODY)
    for name in ("_far", "_every"):
        monkeypatch.setattr(one, name, np.zeros(1_000))
    assert one.weight(came(*[1] * 20), came(*[1] * 9)) == 1.0
    return one


def came(*forms: int, days: range = range(3)) -> Bearing:
    """A group whose exemplars came in these forms, alike in every fact."""
    counts = {form: forms.count(form) for form in forms}
    return Bearing(tuple(dict(counts) for _ in range(FACTS)), dict.fromkeys(days, 1))


def test_a_text_that_many_senders_share_takes_nobody_in(company: Company) -> None:
    """One tenant's campaign has the form of a part of it; the rest shows that others send it too."""
    shared = came(*[1] * 6, *[2] * 5, *[3] * 4)
    assert not shared.single()
    assert company.weight(shared, came(*[1] * 20)) == 0.0
    assert company.weight(came(*[1] * 20), shared) == 0.0


def test_a_stray_form_does_not_silence_it() -> None:
    """One exemplar in twenty that a relay changed is not another sender; nor is nothing known of it."""
    assert came(*[1] * 19, 2).single()
    assert Bearing(tuple({} for _ in range(FACTS)), {}).single()


def test_growing_by_another_form_silences_it() -> None:
    """What is poured in counts from then on."""
    group = came(*[1] * 10)
    group.pour(came(*[2] * 10))
    assert not group.single()


def by_programs(*programs: int) -> Bearing:
    """A group that came in one layout, with links of one shape, by these programs."""
    sent = {program: programs.count(program) for program in programs}
    return Bearing((sent, {7: len(programs)}, {8: len(programs)}), {0: len(programs)})


@pytest.mark.parametrize(
    ("ours", "theirs", "alike"),
    [
        ((1, 2, 3, 4) * 3, (1, 2, 3, 4) * 2, True),
        ((1, 1, 2, 3, 4), (1, 2, 2, 3, 4, 4), True),
        (tuple(range(12)), tuple(range(4, 16)), False),
        ((1, 2, 3, 4) * 3, (1,) * 9, False),
        ((1, 2, 3), (1,) * 9, False),
        ((1, 2) * 4, (3, 4) * 4, False),
        ((1, 2), (1, 2), False),
    ],
)
def test_a_program_that_turns_its_headers_does_so_in_every_text(
    ours: tuple[int, ...], theirs: tuple[int, ...], *, alike: bool
) -> None:
    """One mixture is one sender's; one of its programs alone, another mixture or too few is not."""
    assert Company.alike(by_programs(*ours), by_programs(*theirs)) == alike
    assert Company.alike(by_programs(*theirs), by_programs(*ours)) == alike


def test_mail_of_other_days_is_no_company(company: Company) -> None:
    """The same form weeks apart may be anybody's."""
    early, late = came(1, 1, 1), came(1, 1, 1, days=range(2 + NEAR_DAYS + FAR_DAYS, 30))
    assert company.weight(early, late) == 0.0


def test_what_is_seen_of_a_few_days_began_and_ended_together_by_chance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two groups began and ended together only if the observatory saw days without them."""
    one = Company(pa.chunked_array([pa.array([], pa.binary())]), NOBODY, NOBODY, NOBODY)
    ours, theirs, longer = came(1, 1, 1), came(1, 1), came(1, 1, days=range(5))
    assert not one.together(ours, theirs)
    monkeypatch.setattr(one, "_watched", 10)
    assert one.together(ours, theirs)
    assert not one.together(ours, longer)
    assert not one.together(ours, came(2, 2, 2))


def test_one_form_is_the_same_in_every_fact() -> None:
    """Two groups with a mark in common: in one form, the same, known, at the same time."""
    assert Company.alike(came(1, 1, 1), came(1, 1))
    assert not Company.alike(came(1, 1, 1), came(2, 2))
    assert not Company.alike(came(1, 1, 1), came(1, 1, days=range(60, 62)))
    assert not Company.alike(came(1, 1, 1), came(1, 1, days=range(2, 12)))
    assert not Company.alike(came(1, 1, 1), came(1, 1, days=range(0)))
    assert not Company.alike(came(1, 2, 3), came(1, 2, 3))
    linkless = Bearing(({1: 3}, {1: 3}, {}), {0: 3})
    assert Company.alike(linkless, linkless)
    nothing = Bearing(tuple({} for _ in range(FACTS)), {0: 3})
    assert not Company.alike(nothing, nothing)


def test_the_usual_form_of_a_strain_is_its_commonest() -> None:
    """Numbers are equal where all facts are."""
    forms = [(1, 2, 3), (1, 2, 3), (1, 2, 4), (1, 2, 3), (9, 2, 3)]
    rows = pa.chunked_array([pa.array([np.array(one, "<u4").tobytes() for one in forms], pa.binary())])
    strain = np.array([0, 0, 0, 1, 2])
    usual = Company(rows, np.arange(5), strain, np.zeros(5, dtype=np.int64)).usual_forms()
    assert usual[0] == usual[1] != usual[2]


def test_a_line_chains_what_came_in_one_form_day_by_day() -> None:
    """One layout and shape of links, a program in common, and no week between; else it is anybody's line."""
    day = 86_400 * 1_000_000
    forms = [(1, 2, 3), (1, 2, 3), (4, 2, 3), (1, 2, 3), (1, 2, 3), (1, 2, 9)]
    times = np.array([0, 2, 2, 4, 20, 3]) * day
    rows = pa.chunked_array([pa.array([np.array(one, "<u4").tobytes() for one in forms], pa.binary())])
    company = Company(rows, np.arange(6), np.arange(6), times)
    assert company.in_one_form(np.arange(6)) == [(0, 1), (1, 3)]
    assert company.in_one_form(np.array([0, 5])) == []
    assert [days.tolist() for days in company.spans(np.array([4, 1]))] == [[20, 2], [20, 2]]


def test_forms_are_unlike_that_differ_in_most_facts() -> None:
    """In two of program, layout and links; one is not enough, and where nothing is known there is no form."""
    ours = Bearing(({1: 3}, {1: 3}, {}), {0: 3})
    assert not Company.unlike(ours, ours)
    assert not Company.unlike(ours, Bearing(({2: 3}, {1: 3}, {}), {0: 3}))
    assert Company.unlike(ours, Bearing(({2: 3}, {2: 3}, {}), {0: 3}))
    assert Company.unlike(ours, Bearing(({1: 3}, {2: 3}, {7: 3}), {0: 3}))
    assert not Company.unlike(ours, Bearing(({1: 2, 2: 1}, {2: 3}, {}), {0: 3}))
    assert not Company.unlike(ours, Bearing(tuple({} for _ in range(FACTS)), {0: 3}))


def test_another_program_weeks_later_is_strange() -> None:
    """One of the two alone is not; nor do weeks lie between groups of which one has a stray in between."""
    ours, later = came(1, 1, 1), range(4 + FAR_DAYS, 30)
    assert Company.estranged(ours, came(2, 2, 2, days=later))
    assert not Company.estranged(ours, came(1, 1, 1, days=later))
    assert not Company.estranged(ours, came(2, 2, 2, days=range(3, 30)))
    assert not Company.estranged(ours, came(2, 2, 2, days=range(0)))


def test_a_stray_message_does_not_stretch_the_days_of_many() -> None:
    """One exemplar in twenty at either end is left out of the span; among few, each counts."""
    many = came(1, days=range(10))
    many.days = dict.fromkeys(range(10), 4) | {-30: 1, 50: 1}
    assert many.span() == (0, 9)
    assert many.beside(came(1, days=range(10)))
    few = came(1, days=range(10))
    few.pour(came(1, days=range(50, 51)))
    assert few.span() == (0, 50)
    assert not few.beside(came(1, days=range(10)))
