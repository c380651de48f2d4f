"""Answers by what ties mail together: addresses, domains, campaigns, and what the lab never sent."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pyarrow as pa
import pytest
from answer_rules import DAY, Ask, AsTable, Rows

from spamtide.attribution import Ruleset, attribute
from spamtide.knowledge import Knowledge
from spamtide.model import UNKNOWN


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


def test_a_text_in_many_labs_is_its_whose_engine_it_comes_with(ask: Ask) -> None:
    """A programme's text of alpha's bot and gamma's: with the kit of alpha and beta it is alpha's."""
    lab = [{"lab": name, "campaign": "c-1", "rules": []} for name in ("alpha", "gamma") for _ in range(6)]
    asked = [{"rules": ["kit"], "campaign": "c-1"}, {"rules": [], "campaign": "c-1"}]
    found = ask([*lab, *asked], botnet_confidence=0.8)[-2:]
    assert [row["botnet"] for row in found] == ["alpha", UNKNOWN]
    of_both = [{"lab": "beta", "campaign": "c-1", "rules": []} for _ in range(6)]
    assert ask([*lab, *of_both, *asked], botnet_confidence=0.8)[-2]["botnet"] == UNKNOWN
