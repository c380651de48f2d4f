"""Answers from evidence: thresholds, dates, conflict, shared hosts, and the order of rows."""

from __future__ import annotations

import datetime as dt
import json
import random
from typing import Any

import numpy as np
import pytest
from answer_rules import DAY, Ask, AsTable
from hypothesis import given, settings
from hypothesis import strategies as st

from spamtide.attribution import REACH_WEEKS, Beyond, Ruleset, attribute
from spamtide.attribution.evidence import answer, odds_of, posterior
from spamtide.knowledge import Knowledge
from spamtide.model import UNKNOWN


@pytest.mark.parametrize(
    ("rules", "botnet"),
    [
        ([], UNKNOWN),
        (["strong_a"], "alpha"),
        (["weak_a"], UNKNOWN),
        (["vague_a"], UNKNOWN),
        (["weak_a", "strong_a"], "alpha"),
        (["strong_a", "strong_b"], UNKNOWN),
        (["kit"], UNKNOWN),
        (["kit", "strong_a"], "alpha"),
        (["kit", "strong_b"], "beta"),
        (["engine_c", "text_c"], "gamma"),
        (["engine_c~fold"], UNKNOWN),
        (["engine_c~fold", "text_c"], "gamma"),
        (["engine_c~message_id", "text_c"], UNKNOWN),
        (["engine_c~date", "text_c"], UNKNOWN),
        (["engine_c~fold", "text_c", "engine_a"], "alpha"),
        (["text_c"], UNKNOWN),
        (["no_such_rule"], UNKNOWN),
        (["strong_a>"], UNKNOWN),
        (["strong_a>", "strong_b"], "beta"),
        (["text_c>"], UNKNOWN),
        (["text_c>", "engine_c~fold"], UNKNOWN),
        (["text_c>", "engine_c"], "gamma"),
        (["strong_a>", "doubted_a"], UNKNOWN),
        (["strong_a", "doubted_a"], "alpha"),
        (["anybodys_d"], UNKNOWN),
        (["text_d"], UNKNOWN),
        (["anybodys_d", "text_d"], "delta"),
    ],
)
def test_rules_name_what_they_are_sure_of(ask: Ask, rules: list[str], botnet: str) -> None:
    """Conflict, weak rules, a shared kit and the words of another engine leave it unknown."""
    assert ask([{"rules": rules}])[0]["botnet"] == botnet


def test_a_letter_that_is_passed_on_does_not_name_who_passes_it_on(ask: Ask) -> None:
    """Its campaign and its links are those of the spam that it quotes, and say no more than the words."""
    shared = {"campaign": "c-1", "link_domains": ["pills.example"]}
    spam = [{"rules": ["strong_a"], **shared}] * 30
    passed_on = ask([*spam, {"rules": ["strong_a>"], **shared}])[-1]
    assert passed_on["botnet"] == UNKNOWN
    assert "only words that the message quotes" in passed_on["evidence"]
    assert '"campaign"' not in passed_on["evidence"]
    assert '"campaign"' in ask([*spam, {"rules": [], **shared}])[-1]["evidence"]


@pytest.mark.parametrize(("others", "botnet"), [(0, "gamma"), (2, "gamma"), (40, UNKNOWN)])
def test_an_engine_much_like_a_familys_is_not_an_altered_one(ask: Ask, others: int, botnet: str) -> None:
    """Of altered mail, as much has known texts as of all the family's; of another engine's, little has."""
    own = [{"rules": ["engine_c", "text_c"], "campaign": f"c-{n}"} for n in range(40)]
    altered = [{"rules": ["engine_c~fold", "text_c"], "campaign": f"c-{n}"} for n in range(4)]
    other = [{"rules": ["engine_c~fold"], "campaign": f"d-{n}"} for n in range(others)]
    found = ask([*own, *altered, *other])
    assert {row["botnet"] for row in found[40:44]} == {botnet}
    assert {row["botnet"] for row in found[44:]} <= {UNKNOWN}
    assert {row["botnet"] for row in found[:40]} == {"gamma"}


@pytest.mark.parametrize(("others", "botnet"), [(0, "gamma"), (2, "gamma"), (40, UNKNOWN)])
def test_strangers_with_the_engine_set_otherwise_are_not_named_for_the_texts_they_send(
    ask: Ask, others: int, botnet: str
) -> None:
    """All of the engine, but never so in the lab: whose it is, the rest of such mail says."""
    own = [{"rules": ["engine_c", "text_c"], "campaign": f"c-{n}"} for n in range(40)]
    otherwise = ["engine_c", "engine_c_other_template"]
    copied = [{"rules": [*otherwise, "text_c"], "campaign": f"c-{n}"} for n in range(4)]
    rest = [{"rules": otherwise, "campaign": f"d-{n}"} for n in range(others)]
    found = ask([*own, *copied, *rest])
    assert {row["botnet"] for row in found[40:]} == {botnet}
    assert {row["botnet"] for row in found[:40]} == {"gamma"}


@pytest.mark.parametrize(("others", "botnet"), [(0, "delta"), (3, "delta"), (12, UNKNOWN)])
def test_words_that_unlike_mailers_send_name_nobody_whose_mailer_is_anybodys(
    ask: Ask, others: int, botnet: str
) -> None:
    """But for addresses that surely sent other mail of the family's days ago."""
    shared, own = {"campaign": "c-1"}, {"campaign": "c-2", "source_ip": "10.0.0.1"}
    looks_like_it = [{"rules": ["anybodys_d", "text_d"], **shared}] * 10
    by_others = [{"rules": ["text_d"], **shared}] * others
    of_its_bot = [{"rules": ["anybodys_d", "text_d"], **shared, "source_ip": "10.0.0.1"}]
    sure = [{"rules": ["anybodys_d", "text_d"], **own}] * 30
    found = ask([*looks_like_it, *by_others, *of_its_bot, *sure])
    assert {row["botnet"] for row in found[:10]} == {botnet}
    assert {row["botnet"] for row in found[10 : 10 + others]} <= {UNKNOWN}
    assert {row["botnet"] for row in found[10 + others :]} == {"delta"}


@pytest.mark.parametrize(
    ("mates", "botnet", "joint"),
    [([11, 12, 13], "alpha", False), ([1], UNKNOWN, True), ([1, 2, 3], UNKNOWN, False)],
)
def test_what_tenants_of_a_kit_send_for_one_another_names_none(
    ask: Ask, mates: list[int], botnet: str, *, joint: bool
) -> None:
    """However much more of it the one's lab has: that is the size of the lab."""
    own = [{"lab": "alpha", "campaign": f"c-{n}"} for n in range(1, 12) for _ in range(30)]
    other = [{"lab": "beta", "campaign": f"c-{n}"} for n in [*mates, *range(20, 28)] for _ in range(5)]
    mail = [{"rules": ["kit", "strong_a"], "campaign": "c-1"}]
    if not joint and botnet == UNKNOWN:
        other = [row for row in other if row["campaign"] in {"c-1", "c-2", "c-3"}]
    found = ask([*mail, *own, *other])[0]
    assert found["botnet"] == botnet
    assert ('"joint"' in found["evidence"]) == joint


def test_two_rules_of_one_layer_count_once(ask: Ask) -> None:
    """They see the same thing: two rules at 80 % do not make 94 %."""
    once, twice = ask([{"rules": ["weak_a"]}, {"rules": ["weak_a", "vague_a"]}], botnet_confidence=0.5)
    assert once["botnet_confidence"] == twice["botnet_confidence"] == pytest.approx(0.8)


def test_a_brand_rule_without_a_confidence_names_its_programme(ask: Ask) -> None:
    found = ask([{"rules": ["brand_x"]}, {"rules": ["brand_x", "brand_y"]}])
    assert (found[0]["programme"], found[0]["programme_confidence"]) == ("Maple Meds", 0.9)
    assert found[1]["programme"] == UNKNOWN


@pytest.mark.parametrize(
    ("day", "botnet"),
    [
        (dt.datetime(2009, 12, 31, 23, 59, tzinfo=dt.UTC), UNKNOWN),
        (dt.datetime(2010, 1, 1, tzinfo=dt.UTC), "alpha"),
        (dt.datetime(2010, 12, 31, 23, 59, tzinfo=dt.UTC), "alpha"),
        (dt.datetime(2011, 1, 1, tzinfo=dt.UTC), UNKNOWN),
        (None, "alpha"),
    ],
)
def test_a_rule_counts_within_its_dates_only(ask: Ask, day: dt.datetime | None, botnet: str) -> None:
    """A message without a believable time is not outside of them."""
    found = ask([{"rules": ["dated_a"], "received_at": day}])[0]
    assert found["botnet"] == botnet
    assert "dated_a" in found["evidence"], "an expired rule is shown all the same"


def test_the_threshold_is_the_users(ask: Ask) -> None:
    assert ask([{"rules": ["weak_a"]}], botnet_confidence=0.8)[0]["botnet"] == "alpha"
    assert ask([{"rules": ["strong_a"]}], botnet_confidence=0.98)[0]["botnet"] == UNKNOWN


def test_aliases_are_resolved_and_the_lab_spells(ask: Ask) -> None:
    assert ask([{"rules": ["pushdo"]}])[0]["botnet"] == "Cutwail"
    assert ask([{"rules": ["pushdo"]}, {"lab": "cutwail"}])[0]["botnet"] == "cutwail"


def test_lab_mail_is_its_family(ask: Ask) -> None:
    """Whatever rules say."""
    found = ask([{"lab": "omega", "rules": ["strong_a", "brand_x"]}])[0]
    assert (found["botnet"], found["botnet_confidence"], found["programme"]) == ("omega", 1.0, "Maple Meds")


def test_ham_is_attributed_by_the_same_rules_so_that_errors_show(ask: Ask) -> None:
    assert ask([{"label": "ham", "rules": ["strong_a"]}])[0]["botnet"] == "alpha"


def test_evidence_is_json_that_says_why(ask: Ask) -> None:
    items = json.loads(ask([{"rules": ["kit", "strong_a"]}])[0]["evidence"])
    assert {(i["layer"], i["name"]) for i in items} == {
        ("skeleton", "alpha"),
        ("skeleton", "beta"),
        ("template", "alpha"),
    }
    assert all(set(i) == {"layer", "kind", "name", "weight", "what"} for i in items)


def test_no_answer_feeds_on_itself(ask: Ask) -> None:
    """One message is no evidence about itself, whatever it shares with itself."""
    row = {"rules": ["weak_a"], "source_ip": "10.0.0.1", "campaign": "c-1", "link_domains": ["a.example"]}
    items = json.loads(ask([row])[0]["evidence"])
    assert [item["layer"] for item in items] == ["template"]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_rows_decides_nothing(
    ruleset: Ruleset, knowledge: Knowledge, as_table: AsTable, seed: int
) -> None:
    rng = random.Random(seed)
    rules = ["strong_a", "strong_b", "weak_a", "kit", "engine_a", "text_c", "dated_a", "brand_x", "brand_y"]
    rules += ["anybodys_d", "text_d"]
    rows = [
        {
            "sha256": f"{number:064x}",
            "sensor": "trap",
            "label": rng.choice(["spam", "spam", "spam", "ham"]),
            "lab": rng.choice([None, None, None, "alpha", "beta"]),
            "received_at": rng.choice([None, DAY + dt.timedelta(days=rng.randint(0, 20))]),
            "source_ip": rng.choice([None, "", "10.0.0.1", "10.0.0.2", "10.0.0.3"]),
            "campaign": rng.choice([None, "c-1", "c-2"]),
            "link_domains": rng.sample(["a.example", "b.example", "c.example"], rng.randint(0, 3)),
            "rules": rng.sample(rules, rng.randint(0, 3)),
        }
        for number in range(rng.randint(1, 80))
    ]
    shuffled = list(rows)
    rng.shuffle(shuffled)
    one = attribute(as_table(rows), ruleset, knowledge).to_pylist()
    two = attribute(as_table(shuffled), ruleset, knowledge).to_pylist()
    assert sorted(two, key=lambda row: row["sha256"]) == one


@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_a_stretch_of_weeks_is_answered_as_in_all_time(
    ruleset: Ruleset, knowledge: Knowledge, as_table: AsTable, seed: int, *, silent: bool
) -> None:
    """REACH_WEEKS on either side and what is known beyond are all that an answer may rest on.

    Also after the lab fell silent, beside much mail that nothing speaks for.
    """
    rng = random.Random(seed)
    rules = ["strong_a", "strong_b", "weak_a", "kit", "engine_a", "engine_c", "text_c", "brand_x", "brand_y"]
    rules += ["engine_c~fold", "engine_c~fold", "engine_c~message_id", "anybodys_d", "text_d", "text_d"]
    start = dt.date(1970, 1, 1) + dt.timedelta(weeks=2000)
    morning = dt.datetime.combine(start, dt.time(9), dt.UTC)
    rows = [
        {
            "sha256": f"{number:064x}",
            "sensor": "trap",
            "label": rng.choice(["spam"] * 8 + ["ham"]),
            "lab": rng.choice([None] * 3 + ["alpha"]),
            "received_at": rng.choice([None, *[morning + dt.timedelta(days=rng.randint(0, 200))] * 9]),
            "source_ip": rng.choice([None, "", *[f"10.0.0.{last}" for last in range(12)]]),
            "campaign": rng.choice([None, *[f"c-{letter}" for letter in "abcdef"]]),
            "link_domains": rng.sample([f"{letter}.example" for letter in "abcdefgh"], rng.randint(0, 2)),
            "rules": rng.sample(rules, rng.randint(0, 2)),
        }
        for number in range(900)
    ]
    for row in rows:
        if row["label"] == "ham":
            row["lab"] = row["campaign"] = None
        elif silent and row["received_at"] is not None:
            late = (row["received_at"] - morning).days >= 60
            row["lab"] = None if late else row["lab"]
            row["campaign"] = rng.choice([None, None, row["campaign"]])
            row["rules"] = rng.choice([[], [], row["rules"], ["engine_a"]])
    whole = {row["sha256"]: row for row in attribute(as_table(rows), ruleset, knowledge).to_pylist()}
    ham = [row for row in rows if row["label"] == "ham"]
    beyond = Beyond(
        families=("alpha",),
        ham_addresses=tuple(row["source_ip"] for row in ham if row["source_ip"]),
        ham_domains=tuple(domain for row in ham for domain in row["link_domains"]),
    )

    def within(row: dict[str, Any], first: int, last: int) -> bool:
        moment = row["received_at"]
        return moment is None or first <= (moment.date() - start).days // 7 <= last

    for first, last in ((0, 3), (9, 9), (20, 28)):
        near = [row for row in rows if within(row, first - REACH_WEEKS, last + REACH_WEEKS)]
        part = attribute(as_table(near), ruleset, knowledge, beyond=beyond).to_pylist()
        inside = {row["sha256"] for row in near if within(row, first, last)}
        assert [row for row in part if row["sha256"] in inside] == [
            whole[row["sha256"]] for row in part if row["sha256"] in inside
        ]


def test_no_rows_and_rows_without_anything(
    ask: Ask, ruleset: Ruleset, knowledge: Knowledge, as_table: AsTable
) -> None:
    assert attribute(as_table([]), ruleset, knowledge).num_rows == 0
    bare = {
        "sha256": None,
        "sensor": None,
        "label": None,
        "received_at": None,
        "link_domains": None,
        "rules": None,
    }
    assert ask([bare])[0]["botnet"] == UNKNOWN


# ---------------------------------------------------------------------------- arithmetic


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.floats(-20, 20), max_size=5), st.floats(0.5, 0.99))
def test_an_answer_holds_its_threshold_and_its_rivals(scores: dict[str, float], threshold: float) -> None:
    name, probability = answer(scores, threshold)
    best, likely = posterior(scores)
    assert 0 <= likely < 1
    if name == UNKNOWN:
        assert probability == 0
    else:
        assert name == best
        assert probability >= threshold - 1e-9
        assert scores[name] == max(scores.values())


def test_even_odds_and_less_say_nothing() -> None:
    assert odds_of(0.5) == odds_of(0.1) == 0
    assert odds_of(0.9) == pytest.approx(np.log(9))
    assert odds_of(1.0) == odds_of(0.999)


@pytest.mark.parametrize(
    ("rules", "joint"),
    [
        (["kit", "both"], ["alpha|beta"]),
        (["kit", "strong_a", "strong_b"], ["alpha|beta"]),
        (["kit"], []),
        (["kit", "strong_a"], []),
        (["both"], []),
    ],
)
def test_a_kits_tenants_are_named_jointly(ask: Ask, rules: list[str], joint: list[str]) -> None:
    """Where one of them it surely is; not for the kit alone, and not where words alone are divided."""
    found = ask([{"rules": rules}])[0]
    assert [i["name"] for i in json.loads(found["evidence"]) if i["layer"] == "joint"] == joint
    assert not joint or found["botnet"] == UNKNOWN
