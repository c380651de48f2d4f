"""Answers from evidence: thresholds, dates, conflict, shared hosts, and the order of rows."""

from __future__ import annotations

import datetime as dt
import json
import math
import random
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spamtide.attribution import REACH_WEEKS, Beyond, Ruleset, attribute, compile_signatures, explain
from spamtide.attribution.evidence import answer, odds_of, posterior, tally
from spamtide.attribution.ties.association import UNNAMED
from spamtide.attribution.ties.silence import lab_silence, unseen_excess
from spamtide.knowledge import Knowledge, load_knowledge
from spamtide.model import UNKNOWN, Evidence
from spamtide.schema import ATTRIBUTIONS
from spamtide.settings import Attributing

Rows = list[dict[str, Any]]
AsTable = Callable[[Rows], pa.Table]
DAY = dt.datetime(2010, 9, 1, 12, tzinfo=dt.UTC)

RULES = """
rule strong_a { meta: kind = "botnet" name = "alpha" confidence = 97 condition: false }
rule strong_b { meta: kind = "botnet" name = "beta" confidence = 97 condition: false }
rule weak_a { meta: kind = "botnet" name = "alpha" confidence = 80 condition: false }
rule vague_a { meta: kind = "botnet" name = "alpha" confidence = 40 condition: false }
rule kit { meta: kind = "botnet" name = "alpha" layer = "skeleton" confidence = 97 shared_with = "beta"
           condition: false }
rule engine_a { meta: kind = "botnet" name = "alpha" layer = "skeleton" confidence = 99 condition: false }
rule engine_c { meta: kind = "botnet" name = "gamma" layer = "skeleton" confidence = 99
                family_missed = "1 of 99" near = "fold 97 % (0 of 99); message_id 60 % (9 of 99)"
                condition: false }
rule engine_c_other_template { meta: kind = "botnet" name = "gamma" layer = "skeleton" confidence = 0
                               unlike = "engine_c" unlike_lab = "0 of 5 templates" condition: false }
rule text_c { meta: kind = "botnet" name = "gamma" layer = "template" confidence = 99 condition: false }
rule doubted_a { meta: kind = "botnet" name = "alpha" layer = "skeleton" confidence = 60 condition: false }
rule doubt { meta: kind = "botnet" name = "alpha" layer = "skeleton" confidence = 0 unlike = "doubted_a"
             unlike_lab = "0 of 9 machines" condition: false }
rule dated_a { meta: kind = "botnet" name = "alpha" confidence = 97 valid_from = "2010-01-01"
               expires = "2010-12-31" condition: false }
rule brand_x { meta: kind = "programme" name = "Maple Meds" condition: false }
rule brand_y { meta: kind = "programme" name = "Birch Watches" condition: false }
rule both { meta: kind = "botnet" name = "alpha" confidence = 97 shared_with = "beta" condition: false }
rule pushdo { meta: kind = "botnet" name = "Pushdo" confidence = 97 condition: false }
"""


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    return compile_signatures([(Path("test.yar"), RULES)])


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


@pytest.fixture
def ask(ruleset: Ruleset, knowledge: Knowledge, as_table: AsTable) -> Callable[..., list[dict[str, Any]]]:
    """Attribute some rows, given by what is special about them."""

    def asked(rows: Rows, **thresholds: float) -> list[dict[str, Any]]:
        whole = [
            {
                "sha256": f"{number:064x}",
                "sensor": "trap",
                "label": "spam",
                "received_at": DAY,
                "link_domains": [],
                "rules": [],
            }
            | row
            for number, row in enumerate(rows)
        ]
        table = attribute(as_table(whole), ruleset, knowledge, attributing=Attributing(**thresholds))
        assert table.schema == ATTRIBUTIONS
        return [dict(row) for row in table.to_pylist()]

    return asked


Ask = Callable[..., list[dict[str, Any]]]


# ---------------------------------------------------------------------------- rules


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
    ],
)
def test_rules_name_what_they_are_sure_of(ask: Ask, rules: list[str], botnet: str) -> None:
    """Conflict, weak rules, a shared kit and the words of another engine leave it unknown."""
    assert ask([{"rules": rules}])[0]["botnet"] == botnet


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


# ---------------------------------------------------------------------------- ties


def test_an_address_tells_kit_mates_apart(ask: Ask) -> None:
    """After three messages of alpha from an address, the kit's fourth is likely alpha's; elsewhere not."""
    rows = [{"rules": ["strong_a"], "source_ip": "10.0.0.1"}] * 3
    found = ask(
        [*rows, {"rules": ["kit"], "source_ip": "10.0.0.1"}, {"rules": ["kit"], "source_ip": "10.0.0.2"}]
    )
    assert [row["botnet"] for row in found] == ["alpha", "alpha", "alpha", UNKNOWN, UNKNOWN]
    best = json.loads(found[3]["evidence"])
    assert ("sender", "alpha") in {(item["layer"], item["name"]) for item in best}
    assert (
        ask([*rows, {"rules": ["kit"], "source_ip": "10.0.0.1"}], botnet_confidence=0.8)[3]["botnet"]
        == "alpha"
    )


def test_an_address_alone_never_names_a_botnet(ask: Ask) -> None:
    rows = [{"rules": ["strong_a"], "source_ip": "10.0.0.1"}] * 50
    assert ask([*rows, {"source_ip": "10.0.0.1"}])[-1]["botnet"] == UNKNOWN


@pytest.mark.parametrize("other", [{"rules": ["strong_b"]}, {"label": "ham"}])
def test_a_shared_host_says_nothing(ask: Ask, other: dict[str, Any]) -> None:
    """An address that several families, or ordinary people, send from is nobody's."""
    rows = [{"rules": ["strong_a"], "source_ip": "10.0.0.1"}, {**other, "source_ip": "10.0.0.1"}] * 5
    last = ask([*rows, {"rules": ["weak_a"], "source_ip": "10.0.0.1"}])[-1]
    assert last["botnet"] == UNKNOWN
    assert "sender" not in last["evidence"]


def test_an_address_counts_for_days_only(ask: Ask) -> None:
    late = DAY + dt.timedelta(days=8)
    rows = [{"rules": ["strong_a"], "source_ip": "10.0.0.1"}] * 5
    found = ask([*rows, {"rules": ["weak_a"], "source_ip": "10.0.0.1", "received_at": late}])
    assert found[-1]["botnet"] == UNKNOWN
    assert ask([*rows, {"rules": ["weak_a"], "source_ip": "10.0.0.1"}])[-1]["botnet"] == "alpha"


def test_a_domain_of_one_programme_names_it(ask: Ask) -> None:
    """Links carry a brand to mail that shows none; a domain of two programmes or of ham carries nothing."""
    rows = [{"rules": ["brand_x"], "link_domains": ["meds.example"]}] * 2
    plain = {"link_domains": ["meds.example"]}
    assert ask([*rows, plain])[-1]["programme"] == "Maple Meds"
    assert ask([*rows, {"rules": ["brand_y"], **plain}, plain])[-1]["programme"] == UNKNOWN
    assert ask([*rows, {"label": "ham", **plain}, plain])[-1]["programme"] == UNKNOWN
    assert ask([*rows, *([plain] * 40)])[-1]["programme"] == UNKNOWN, "everybody's domain is nobody's"


def test_a_campaign_carries_its_programme_to_the_rest(ask: Ask) -> None:
    rows = [{"rules": ["brand_x"], "campaign": "c-1"}] * 9
    found = ask([*rows, {"campaign": "c-1"}, {"campaign": "c-2"}])
    assert [row["programme"] for row in found[-2:]] == ["Maple Meds", UNKNOWN]


def test_a_campaign_that_the_lab_sent_names_its_family(ask: Ask) -> None:
    lab = [{"lab": "alpha", "campaign": "c-1"}] * 6
    mixed = [*lab, *([{"lab": "beta", "campaign": "c-1"}] * 6)]
    assert ask([*lab, {"campaign": "c-1"}])[-1]["botnet"] == "alpha"
    assert ask([*mixed, {"campaign": "c-1"}])[-1]["botnet"] == UNKNOWN


def test_what_the_lab_never_sent_is_not_named_by_its_engine_alone(ask: Ask) -> None:
    """Another renter of the kit: half of the engine's mail, in days when the lab's bot never sent this."""
    lab = [{"lab": "alpha", "campaign": "c-1", "rules": ["engine_a"]}] * 60
    own = [{"campaign": "c-1", "rules": ["engine_a"]}] * 50
    foreign = [{"campaign": "c-2", "rules": ["engine_a"]}] * 50
    found = ask([*lab, *own, *foreign])
    assert {row["botnet"] for row in found[60:110]} == {"alpha"}
    assert {row["botnet"] for row in found[110:]} == {UNKNOWN}
    assert "in the lab worked, and it never sent it" in found[-1]["evidence"]
    assert ask([*lab[:5], *own, *foreign])[-1]["botnet"] == "alpha", "five lab messages prove no absence"


def test_a_lab_that_ended_as_a_text_began_is_not_silent_on_it() -> None:
    """Three hundred messages on the day before its first: none of them could be of it."""
    days = np.array([99] * 300 + [100] * 60)
    captured = np.array([0] * 300 + [UNNAMED] * 60)
    wild = np.where(captured == 0, UNNAMED, 0)
    campaigns = np.where(captured == 0, 1, 2)
    assert not lab_silence(wild, wild, captured, campaigns, days).any()
    days[:30] = 100
    assert lab_silence(wild, wild, captured, campaigns, days)[300:].all(), "it worked on the text's day"


def test_what_the_lab_sent_is_no_text_that_is_new_to_it() -> None:
    """Of a text that several labs have most mail is another's, but it is not new to this one."""
    campaigns = np.array([1] * 20 + [2] * 40 + [1] * 30 + [3] * 30)
    captured = np.array([0] * 60 + [UNNAMED] * 60)
    wild = np.where(captured == 0, UNNAMED, 0)
    days = np.full(120, 100)
    steps = unseen_excess(wild, wild, captured, campaigns, days)
    assert not steps[60:90].any()
    assert steps[90:].all()
    other = np.where(campaigns == 1, 4, campaigns)
    other[:20] = 1
    assert unseen_excess(wild, wild, captured, other, days)[60:90].all()


def test_what_the_lab_never_sent_shows_that_others_use_the_engine(ask: Ask) -> None:
    """After the lab has stopped, where no address tells, the engine then names nobody; its texts do."""
    later = {"rules": ["engine_a"], "received_at": DAY + dt.timedelta(days=8)}
    lab = [{"lab": "alpha", "campaign": "c-1", "rules": ["engine_a"]}] * 60
    own = [{"campaign": "c-1", "rules": ["engine_a"]}] * 50
    foreign = [{"campaign": "c-2", "rules": ["engine_a"]}] * 50
    asked = [later | {"campaign": "c-1"}, *([later | {"campaign": "c-3"}] * 4)]
    assert [row["botnet"] for row in ask([*lab, *own, *asked])[-2:]] == ["alpha", "alpha"]
    assert [row["botnet"] for row in ask([*lab, *own, *foreign, *asked])[-5:]] == ["alpha", *([UNKNOWN] * 4)]


@pytest.mark.parametrize(("senders", "botnet"), [("own", "gamma"), ("other", UNKNOWN)])
def test_of_nearly_an_engine_addresses_tell_whether_it_was_altered(
    ask: Ask, senders: str, botnet: str
) -> None:
    """It sends nothing but the family's texts; from the fleet's addresses it is the fleet's."""
    lab = [{"lab": "gamma", "campaign": f"c-{n}", "rules": ["engine_c"]} for n in range(3) for _ in range(20)]
    own = [
        {"rules": ["engine_c", "text_c"], "campaign": f"c-{n}", "source_ip": f"10.0.0.{host}"}
        for n in range(3)
        for host in range(30)
    ]
    block = {"own": "10.0.0", "other": "10.9.9"}[senders]
    nearly = [
        {"rules": ["engine_c~fold", "text_c"], "campaign": f"c-{n}", "source_ip": f"{block}.{host}"}
        for n in range(3)
        for host in range(10)
    ]
    found = ask([*lab, *own, *nearly])
    assert {row["botnet"] for row in found[60:150]} == {"gamma"}
    assert {row["botnet"] for row in found[150:]} == {botnet}


def test_what_the_lab_sent_weeks_ago_it_did_not_never_send(ask: Ask) -> None:
    """A text that it sent, and then no more while it sent others, is not held against its family."""
    before = DAY - dt.timedelta(days=22)
    lab = [{"lab": "alpha", "campaign": "c-1", "rules": ["engine_a"], "received_at": before}] * 10
    since = [{"lab": "alpha", "campaign": "c-2", "rules": ["engine_a"]}] * 60
    wild = [{"campaign": f"c-{n % 2 + 1}", "rules": ["doubted_a"]} for n in range(80)]
    answers = ask([*lab, *since, *wild])[70:]
    assert {row["botnet"] for row in answers} == {"alpha"}
    assert not any("it never sent it" in row["evidence"] for row in answers)


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
    rules += ["engine_c~fold", "engine_c~fold", "engine_c~message_id"]
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


def fleets(more: Rows) -> Rows:
    """Two tenants of a kit with texts and addresses of their own, and more mail of one campaign."""
    rows: Rows = [
        {"rules": ["kit", rule], "campaign": f"{rule}-{n}", "source_ip": f"{base}.0.0.{address}"}
        for rule, base in (("strong_a", 24), ("strong_b", 78))
        for n in range(3)
        for address in range(40)
    ]
    return [*rows, *({"campaign": "new"} | row for row in more)]


@pytest.mark.parametrize(
    ("rules", "base", "botnet"),
    [
        (["kit"], 24, "alpha"),
        (["kit"], 78, "beta"),
        (["kit"], 201, UNKNOWN),
        (["kit", "strong_b"], 78, "beta"),
        (["kit", "strong_b"], 24, "alpha"),
        (["engine_a"], 24, "alpha"),
        (["engine_a"], 201, UNKNOWN),
        (["engine_a", "strong_a"], 201, "alpha"),
    ],
)
def test_addresses_tell_whose_an_engines_mail_is(ask: Ask, rules: list[str], base: int, botnet: str) -> None:
    """A kit by its engine alone, one tenant's text from the other's fleet, a stranger with the engine."""
    rows = fleets([{"rules": rules, "source_ip": f"{base}.0.0.{n}"} for n in range(20)])
    assert {row["botnet"] for row in ask(rows)[-20:]} == {botnet}


def test_words_too_weak_and_the_engine_ask_the_addresses(ask: Ask) -> None:
    weak = ["weak_a", "doubted_a", "doubt"]
    for base, botnet in ((24, "alpha"), (201, UNKNOWN)):
        rows = fleets([{"rules": weak, "source_ip": f"{base}.0.0.{n}"} for n in range(20)])
        assert {row["botnet"] for row in ask(rows)[-20:]} == {botnet}


def test_of_a_text_of_a_word_or_two_silence_says_nothing(
    ruleset: Ruleset, knowledge: Knowledge, as_table: AsTable
) -> None:
    """Everybody writes "hello!": that a bot in the lab did not is no objection."""
    lab = [{"lab": "alpha", "rules": ["engine_a"], "campaign": f"c-{n % 3}"} for n in range(60)]
    wild = [{"rules": ["engine_a"], "campaign": "c-new"} for _ in range(60)]
    rows = [
        {"sha256": f"{n:064x}", "sensor": "s", "label": "spam", "received_at": DAY, "link_domains": []} | row
        for n, row in enumerate([*lab, *wild])
    ]
    for size, named in ((6, "alpha"), (400, UNKNOWN)):
        texts = pa.array([size] * len(rows), pa.int32())
        found = attribute(as_table(rows).append_column("text", texts), ruleset, knowledge)
        assert set(found["botnet"].to_pylist()[60:]) == {named}


def test_lab_silence_needs_days_of_lab_mail_and_a_share_worth_missing() -> None:
    """Ten of the family's hundred wild messages; the lab sent forty in those days, so four were expected."""
    wild, lab = 100, 40
    count = wild + lab
    leaning = np.full(count, UNNAMED, dtype=np.int64)
    leaning[:10] = 0
    belongs = np.where(np.arange(count) < wild, 0, UNNAMED)
    captured = np.where(np.arange(count) < wild, UNNAMED, 0)
    campaigns = np.where(np.arange(count) < 10, 7, 1)
    days = np.full(count, 100, dtype=np.int64)
    steps = lab_silence(leaning, belongs, captured, campaigns, days)
    assert set(steps[:10]) == {3}, "half of the 4 expected, less for text sent once, in steps of 1/2"
    assert not steps[10:].any()
    assert not lab_silence(leaning, belongs, captured, np.full(count, 1), days).any(), "the lab sent it too"
    assert not lab_silence(leaning, belongs, np.full(count, UNNAMED), campaigns, days).any(), "no lab"
    elsewhere = np.where(captured == 0, 50, days)
    assert not lab_silence(leaning, belongs, captured, campaigns, elsewhere).any(), (
        "the lab worked on other days"
    )


# ---------------------------------------------------------------------------- explain


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        (["strong_a"], ["botnet: alpha, 97.0% sure", "rule strong_a", "test.yar:2, confidence 97 %"]),
        (["strong_a", "strong_b"], ["botnet: unknown; the evidence is divided between alpha, beta"]),
        (["weak_a"], ["botnet: unknown; alpha is 80.0% likely, 90% is asked for"]),
        ([], ["botnet: unknown; nothing that counts speaks for any"]),
        (["text_c"], ["against", "has none of its skeletons, as 1 of 99 later lab messages"]),
        (["pushdo"], ["botnet: Cutwail", "also called Pushdo"]),
    ],
)
def test_explain_says_what_speaks_for_and_against(
    ask: Ask, ruleset: Ruleset, knowledge: Knowledge, rules: list[str], wanted: list[str]
) -> None:
    found = ask([{"rules": rules}])[0]
    text = "\n".join(explain({"sha256": "ab", "sensor": "trap"}, found, ruleset, knowledge))
    for part in wanted:
        assert part in text


_PIECE = re.compile(r"  ([+-]\d+\.\d\d) (\w+) \(")
_SUM = re.compile(r"  sum (\w+): (.*): ([+-]\d+\.\d\d), ")
_HEADER = re.compile(r"botnet: .*?([\d.]+)% (?:sure|likely)")
_END = re.compile(r"  (\w+): .* = ([\d.]+)%")


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.builds(
            Evidence,
            st.sampled_from(["skeleton", "template", "campaign", "link", "sender"]),
            st.just("botnet"),
            st.sampled_from(["alpha", "beta"]),
            st.integers(-500, 530).map(lambda n: n / 100),  # as fine as they are printed
            st.sampled_from(["x", "y"]),
        ),
        min_size=1,
        max_size=7,
    )
)
def test_what_explain_prints_adds_up_to_its_probability(evidence: list[Evidence]) -> None:
    """A person with a pencil gets from the pieces to the sums, and from these to the probability."""
    name, probability = answer(tally(evidence), 0.9)
    row = {
        "botnet": name,
        "botnet_confidence": probability,
        "evidence": json.dumps([asdict(item) for item in evidence]),
    }
    lines = explain({}, row, compile_signatures([]), Knowledge({}, {}, ()))
    pieces: dict[str, float] = {}
    for line in lines:
        if (piece := _PIECE.match(line)) and "[not added" not in line:
            pieces[piece[2]] = pieces.get(piece[2], 0.0) + float(piece[1])
    printed = {found[1]: (found[2], float(found[3])) for line in lines if (found := _SUM.match(line))}
    if not any(item.weight > 0 for item in evidence):
        assert not printed
        return
    for of, (parts, total) in printed.items():
        assert sum(map(float, re.findall(r"[+-]\d+\.\d\d", parts))) == pytest.approx(total, abs=0.04)
        assert "the most by itself" in parts or pieces[of] == pytest.approx(total, abs=0.05)
    worth = {of: math.exp(total) for of, (_, total) in printed.items() if total > 0}
    ends = [found for line in lines if (found := _END.match(line))]
    assert bool(ends) == bool(worth)
    if worth:
        best, said = ends[0][1], float(ends[0][2]) / 100
        assert said == pytest.approx(min(0.999, worth[best] / (1 + sum(worth.values()))), abs=0.005)
        header = next((found for line in lines if (found := _HEADER.match(line))), None)
        assert header is None or float(header[1]) / 100 == pytest.approx(said, abs=0.0011)


def test_a_text_in_many_labs_is_its_whose_engine_it_comes_with(ask: Ask) -> None:
    """A programme's text of alpha's bot and gamma's: with the kit of alpha and beta it is alpha's."""
    lab = [{"lab": name, "campaign": "c-1", "rules": []} for name in ("alpha", "gamma") for _ in range(6)]
    asked = [{"rules": ["kit"], "campaign": "c-1"}, {"rules": [], "campaign": "c-1"}]
    found = ask([*lab, *asked], botnet_confidence=0.8)[-2:]
    assert [row["botnet"] for row in found] == ["alpha", UNKNOWN]
    of_both = [{"lab": "beta", "campaign": "c-1", "rules": []} for _ in range(6)]
    assert ask([*lab, *of_both, *asked], botnet_confidence=0.8)[-2]["botnet"] == UNKNOWN


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
