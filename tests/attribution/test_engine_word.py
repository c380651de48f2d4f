"""What an engine's word is worth: evidence that agrees never lowers an answer, and strangers look alike."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spamtide.attribution import REACH_WEEKS, answers_of, attribute, compile_signatures
from spamtide.attribution import coded as code_rows
from spamtide.attribution.evidence import tally
from spamtide.attribution.objecting import Instead, Objection, pack, speaks_against, unpack
from spamtide.attribution.spoken import Spoken
from spamtide.attribution.ties.lookalike import MOST as SURE_OWN
from spamtide.attribution.ties.lookalike import STEP as OWN_STEP
from spamtide.knowledge import load_knowledge
from spamtide.model import UNKNOWN, Evidence
from spamtide.settings import Attributing

Rows = list[dict[str, Any]]
DAY = dt.datetime(2010, 9, 1, 12, tzinfo=dt.UTC)
LAYERS = ("skeleton", "dialect", "template", "campaign", "link", "sender")
RULES = """
rule engine_a { meta: kind = "botnet" name = "alpha" layer = "skeleton" confidence = 97 condition: false }
rule text_a { meta: kind = "botnet" name = "alpha" confidence = 97 condition: false }
"""

weights = st.sampled_from((0.2, 0.4, 1.0, 2.2, 3.5, 4.6))
pieces = st.lists(
    st.builds(Evidence, st.sampled_from(LAYERS), st.just("botnet"), st.just("alpha"), weights, st.just("")),
    max_size=4,
)
silences = st.integers(0, max(Instead))
kinship = st.integers(-24, 24)
likeness = st.none() | st.integers(-12, 11)


def coded(silence: int, kin: int | None, of_own: int | None, *, handed: bool = False) -> int:
    """The code of an objection; no kinship where addresses do not tell, or are not asked."""
    told = kin is not None and silence not in {Instead.ANYBODYS, Instead.STRANGE, Instead.FOREIGN}
    fleet = (np.asarray([kin or 0]), np.asarray([told]))
    own = SURE_OWN if of_own is None else OWN_STEP * of_own
    return int(pack(np.asarray([silence]), [fleet], np.asarray([own]), np.asarray([handed]))[0])


@given(
    silence=silences,
    fleets=st.lists(st.none() | kinship, min_size=3, max_size=3),
    of_own=likeness,
    handed=st.booleans(),
)
def test_packed_objections_are_read_back(
    silence: int, fleets: list[int | None], of_own: int | None, *, handed: bool
) -> None:
    steps = [(np.asarray([kin or 0]), np.asarray([kin is not None])) for kin in fleets]
    own = SURE_OWN if of_own is None else OWN_STEP * of_own
    (code,) = pack(np.asarray([silence]), steps, np.asarray([own]), np.asarray([handed]))
    assert unpack(int(code)) == Objection(silence, tuple(fleets), of_own, handed)


def total(found: list[Evidence], code: int) -> float:
    """Log-odds of alpha."""
    spoken = Spoken({"botnet": (), "programme": ()}, {}, {}, "alpha", candidates=("alpha",))
    return tally([*found, *speaks_against(spoken, found, code)]).get("alpha", 0.0)


@given(
    found=pieces,
    more=st.builds(
        Evidence, st.sampled_from(LAYERS), st.just("botnet"), st.just("alpha"), weights, st.just("")
    ),
    silence=silences,
    kin=st.none() | kinship,
    of_own=likeness,
    handed=st.booleans(),
)
def test_evidence_that_agrees_never_lowers_an_answer(
    found: list[Evidence], more: Evidence, silence: int, kin: int | None, of_own: int | None, *, handed: bool
) -> None:
    """Whatever else is known: addresses for or against, the lab's silence, strangers, a text of others."""
    code = coded(silence, kin, of_own, handed=handed)
    assert total([*found, more], code) >= min(0.0, total(found, code)) - 1e-9
    assert max(0.0, total([*found, more], code)) >= max(0.0, total(found, code)) - 1e-9


@given(pieces, silences, kinship, kinship, likeness)
def test_addresses_that_agree_more_never_lower_an_answer(
    found: list[Evidence], silence: int, one: int, other: int, of_own: int | None
) -> None:
    less, more = sorted((one, other))
    assert total(found, coded(silence, more, of_own)) >= total(found, coded(silence, less, of_own)) - 1e-9


def test_what_an_address_sent_says_nothing_where_its_fleet_is_anothers() -> None:
    """Who takes over a family's texts sends several of them, and each would speak for the next."""
    words = [
        Evidence("skeleton", "botnet", "alpha", 3.5, ""),
        Evidence("template", "botnet", "alpha", 4.6, ""),
    ]
    sent = Evidence("sender", "botnet", "alpha", 2.2, "")
    against = coded(0, -16, None)
    assert total([*words, sent], against) == pytest.approx(total(words, against))
    assert total([*words, sent], coded(0, None, None)) == pytest.approx(total(words, 0) + 2.2)


@given(pieces, silences, st.integers(8, 24), likeness)
def test_addresses_that_are_the_familys_never_lower_an_answer(
    found: list[Evidence], silence: int, kin: int, of_own: int | None
) -> None:
    """They take the place of the engine's word, and say as much at least."""
    assert total(found, coded(silence, kin, of_own)) >= total(found, coded(silence, None, of_own)) - 1e-9


@given(pieces, silences, st.none() | kinship, st.integers(-12, 10))
def test_the_less_strangers_are_likely_the_more_an_engine_says(
    found: list[Evidence], silence: int, kin: int | None, of_own: int
) -> None:
    more = coded(silence, kin, of_own + 1)
    assert total(found, more) >= total(found, coded(silence, kin, of_own)) - 1e-9
    assert total(found, coded(silence, kin, None)) >= total(found, more) - 1e-9


# ------------------------------------------------------------------------- worlds


def lab(day: int, count: int = 20) -> Rows:
    """What the family's bot in the lab sent around a day."""
    return [{"lab": "alpha", "rules": ["engine_a", "text_a"], "days": day, "campaign": "c-lab"}] * count


def nameless(count: int, campaign: str | None = None) -> Rows:
    """Mail that nothing speaks for."""
    return [{"campaign": campaign, "source_ip": f"192.0.2.{n % 250}"} for n in range(count)]


def engine(count: int = 1, **more: object) -> Rows:
    """Mail with nothing but the engine."""
    return [{"rules": ["engine_a"], "source_ip": f"198.51.100.{n}", **more} for n in range(count)]


@pytest.fixture
def ask(as_table: Callable[[Rows], pa.Table]) -> Callable[[Rows], list[str]]:
    """The botnets of some rows, in their order."""
    ruleset = compile_signatures([(Path("test.yar"), RULES)])
    knowledge = load_knowledge()

    def asked(rows: Rows) -> list[str]:
        whole = [
            {"sha256": f"{n:064x}", "sensor": "trap", "label": "spam", "link_domains": [], "rules": []}
            | {key: value for key, value in row.items() if key != "days"}
            | {"received_at": DAY + dt.timedelta(days=row.get("days", 0))}
            for n, row in enumerate(rows)
        ]
        random.Random(3).shuffle(whole)
        answers = attribute(as_table(whole), ruleset, knowledge).to_pylist()
        said = {row["sha256"]: row["botnet"] for row in answers}
        return [said[f"{n:064x}"] for n in range(len(rows))]

    return asked


Ask = Callable[[Rows], list[str]]
LONG_AGO = -7 * (REACH_WEEKS + 3)


@pytest.mark.parametrize(
    ("around", "more", "botnet"),
    [
        (lab(0, 200), {}, "alpha"),
        (lab(LONG_AGO), {}, UNKNOWN),
        (lab(LONG_AGO), {"rules": ["engine_a", "text_a"]}, "alpha"),
    ],
    ids=["works", "silent", "silent, its words"],
)
def test_a_silent_familys_engine_names_no_single_message(
    ask: Ask, around: Rows, more: dict[str, Any], botnet: str
) -> None:
    """Of hundreds of strangers one or two look like it; its words are its own."""
    assert ask([*engine(**more), *around, *nameless(200)])[0] == botnet


def test_a_silent_family_is_named_again_for_a_text_that_its_engine_alone_sends(ask: Ask) -> None:
    """Dozens of strangers with one mailer and one text are a botnet."""
    rows = [*engine(6, campaign="c-new"), *lab(LONG_AGO), *nameless(200)]
    assert set(ask(rows)[:6]) == {"alpha"}


def test_a_silent_familys_address_names_it(ask: Ask) -> None:
    """A message from where the family's words came from days ago is no stranger's."""
    rows = [
        *engine(source_ip="203.0.113.7"),
        {"rules": ["engine_a", "text_a"], "source_ip": "203.0.113.7", "days": -3},
        *lab(LONG_AGO),
        *nameless(200),
    ]
    assert ask(rows)[0] == "alpha"


def test_a_text_of_hundreds_of_mailers_is_no_botnets(ask: Ask) -> None:
    """Also while the family sends: that two of them look like its engine is chance."""
    rows = [*engine(2, campaign="c-heap"), *nameless(150, "c-heap"), *lab(0, 200), *nameless(200)]
    assert set(ask(rows)[:2]) == {UNKNOWN}


def test_one_strangers_text_does_not_decide_whose_another_is(ask: Ask) -> None:
    """A trickle keeps its name beside strangers who look alike, though its addresses are new."""
    book = [
        {"rules": ["engine_a", "text_a"], "source_ip": f"10.0.{n}.1", "campaign": f"c-{c}", "days": -14 - c}
        for n in range(40)
        for c in range(2)
    ]
    heaps = [
        row
        for heap in range(4)
        for row in (*engine(3, campaign=f"c-heap{heap}"), *nameless(120, f"c-heap{heap}"))
    ]
    trickle = engine(12, campaign="c-trickle")
    for n, row in enumerate(trickle):
        row |= {"source_ip": f"10.1.{n}.1", "days": 7}
    others = [{"rules": [], "source_ip": f"10.2.{n}.1", "days": 7} for n in range(200)]
    said = ask([*trickle, *heaps, *book, *lab(-20), *others])
    assert set(said[:12]) == {"alpha"}
    assert {name for name, row in zip(said[12:], heaps, strict=False) if row.get("rules")} == {UNKNOWN}


def test_what_is_left_of_an_engines_word_is_told() -> None:
    """One line says it, and it is never more than the word itself."""
    item = Evidence("skeleton", "botnet", "alpha", 3.5, "rule")
    spoken = Spoken({"botnet": (), "programme": ()}, {}, {}, "alpha", candidates=("alpha",))
    (said,) = speaks_against(spoken, [item], coded(0, None, -6))
    assert -7 < said.weight < 0
    assert "strangers" in said.what
    assert not speaks_against(replace(spoken, leaning=None), [item], coded(0, None, -6))


@pytest.mark.parametrize(("like", "told"), [(0, False), (12, True)])
def test_of_a_shared_text_none_is_named_because_the_others_are_ruled_out(like: int, *, told: bool) -> None:
    """Tenants of a kit send it for one another: addresses tell the one whose fleet they are like."""
    spoken = Spoken({"botnet": (), "programme": ()}, {}, {}, None, candidates=("alpha", "beta"))
    found = [Evidence("skeleton", "botnet", name, 0.2, "") for name in spoken.candidates]
    found.append(Evidence("template", "botnet", "alpha", 4.6, ""))
    fleets = [(np.asarray([steps]), np.asarray([True])) for steps in (like, -16)]
    (code,) = pack(np.asarray([Instead.JOINTLY]), fleets, np.asarray([SURE_OWN]), np.asarray([False]))
    scores = tally([*found, *speaks_against(spoken, found, int(code))])
    assert (scores["alpha"] > scores["beta"]) == told
    assert told or scores["alpha"] == scores["beta"]


@pytest.mark.parametrize(("texts", "named"), [(("alpha",), True), (("alpha", "beta"), False)])
def test_a_text_that_several_families_send_names_none_without_its_engine(
    texts: tuple[str, ...], *, named: bool
) -> None:
    """Of one the lab knows all engines, of the other few: that is no reason to name the other."""
    missed = {"alpha": -1.1, "beta": -3.6}
    absent = {name: Evidence("skeleton", "botnet", name, weight, "") for name, weight in missed.items()}
    spoken = Spoken({"botnet": (), "programme": ()}, absent, {}, None)
    found = [Evidence("template", "botnet", name, 4.6, "") for name in texts]
    scores = tally([*found, *speaks_against(spoken, found, 0)])
    assert (scores["alpha"] > 0) == named


@pytest.mark.parametrize(("count", "own"), [(30, 0), (60, 50)])
def test_a_small_lab_does_not_say_that_an_engine_is_its_familys_alone(
    as_table: Callable[[Rows], pa.Table], count: int, own: int
) -> None:
    """Where addresses do not tell, and others may send a tenth of the mail without its seeing that."""
    rows = [
        {"sha256": f"{n:064x}", "sensor": "trap", "label": "spam", "link_domains": [], "received_at": DAY}
        | {key: value for key, value in row.items() if key != "days"}
        for n, row in enumerate([*engine(50, rules=["engine_a", "text_a"]), *lab(0, count)])
    ]
    asked = code_rows(as_table(rows), compile_signatures([(Path("test.yar"), RULES)]), load_knowledge())
    kits = answers_of(asked, Attributing(), None)[1].to_pylist()
    assert [(row["botnet"], row["own"], row["others"], row["untold"]) for row in kits] == [
        ("alpha", own, 0, 50 - own)
    ]
