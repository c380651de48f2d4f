"""The knowledge graph: shipped facts are whole and sourced, and a user's file is read strictly."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from spamtide.errors import SettingsError
from spamtide.knowledge import KNOWLEDGE_FILE, Knowledge, load_knowledge
from spamtide.knowledge.graph import RELATIONS, parse_period


@pytest.fixture(scope="module")
def shipped() -> Knowledge:
    return load_knowledge()


def write(folder: Path, text: str) -> Path:
    path = folder / KNOWLEDGE_FILE
    path.write_text(text, encoding="utf-8")
    return path


def test_every_shipped_fact_has_a_source_and_none_is_weak(shipped: Knowledge) -> None:
    facts = [*shipped.entities.values(), *shipped.relations, *shipped.aliases]
    assert len(facts) > 150
    for fact in facts:
        assert re.match(r"https?://[^\s]+\.[^\s]+", fact.source), fact
        assert fact.confidence in {"high", "medium"}, fact


def test_no_shipped_relation_dangles(shipped: Knowledge) -> None:
    for relation in shipped.relations:
        subjects, objects = RELATIONS[relation.kind]
        assert shipped.entities[relation.subject].kind in subjects
        assert not objects or shipped.entities[relation.object].kind in objects


def test_shipped_aliases_name_one_entity_each(shipped: Knowledge) -> None:
    owners: dict[str, str] = {}
    for alias in shipped.aliases:
        assert owners.setdefault(alias.alias.casefold(), alias.name) == alias.name
        assert alias.alias.casefold() not in {name.casefold() for name in shipped.entities}


def test_every_brand_has_a_use(shipped: Knowledge) -> None:
    """A programme with brands is reached from them; a brand without a programme stands for itself."""
    assert shipped.programmes_of("VPXL") == ("AffKing",)
    assert shipped.programmes_of("Canadian Pharmacy") == ("GlavMed", "SpamIt")
    assert shipped.programmes_of("MaxGentleman") == ()


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("pushdo", "Cutwail"),
        ("CUTWAIL", "Cutwail"),
        ("Costrat", "Rustock"),
        ("ozdok", "Mega-D"),
        ("Darkmailer", "Dark Mailer"),
        (" sancash ", "AffKing"),
        ("Maple Meds", "Maple Meds"),
    ],
)
def test_aliases_resolve_in_any_letter_case(shipped: Knowledge, written: str, name: str) -> None:
    assert shipped.canonical(written) == name


def test_relations_are_found_by_name_and_day(shipped: Knowledge) -> None:
    in_2010 = shipped.about("rustock", dt.date(2010, 8, 1))
    assert ("advertised", "Canadian Pharmacy") in {(r.kind, r.object) for r in in_2010}
    assert "Pharmacy Express" not in {r.object for r in in_2010}


def test_the_graph_answers_by_day(shipped: Knowledge) -> None:
    assert shipped.programmes_of("canadian pharmacy", dt.date(2011, 8, 1)) == ("GlavMed",)
    assert shipped.operators_of("SpamIt") == ("Dmitry Stupin", "Igor Gusev")
    assert "Rustock" in shipped.advertised_by("Canadian Pharmacy", dt.date(2010, 1, 1))
    assert "Kelihos" not in shipped.advertised_by("Canadian Pharmacy", dt.date(2010, 1, 1))


def test_what_could_not_be_checked_is_left_out(shipped: Knowledge) -> None:
    """The switch of Xarvester to Ultimate Replicas rests on a page whose text was not to be had."""
    assert "Ultimate Replicas" not in {r.object for r in shipped.about("Xarvester")}


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("2008", dt.date(2008, 1, 1), dt.date(2008, 12, 31)),
        ("2008-02", dt.date(2008, 2, 1), dt.date(2008, 2, 29)),
        ("2008-11..2010-09", dt.date(2008, 11, 1), dt.date(2010, 9, 30)),
        ("..2011-03-16", None, dt.date(2011, 3, 16)),
        ("2011-05..", dt.date(2011, 5, 1), None),
    ],
)
def test_a_coarse_period_means_all_of_it(text: str, since: dt.date | None, until: dt.date | None) -> None:
    period = parse_period(text)
    assert (period.since, period.until) == (since, until)


def test_a_users_file_adds_and_replaces(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        botnets:
          Heron:
            aliases: [Waderbot]
            source: https://example.org/heron
            confidence: medium
          Storm: {source: https://example.org/storm, confidence: high, note: ours}
        relations:
          - {kind: advertised, subject: Waderbot, object: VPXL, source: misp, confidence: low}
        """,
    )
    known = load_knowledge(path)
    assert known.canonical("waderbot") == "Heron"
    assert known.entities["Storm"].note == "ours"
    assert known.entities["Storm"].line == 7
    assert [r.object for r in known.about("Heron")] == ["VPXL"]
    assert "Rustock" in known.botnets


def test_replace_leaves_the_shipped_facts_out(tmp_path: Path) -> None:
    path = write(
        tmp_path, "replace: true\nbrands:\n  Maple Meds: {source: https://example.org, confidence: low}\n"
    )
    known = load_knowledge(path)
    assert list(known.entities) == ["Maple Meds"]
    assert not known.relations


def test_a_missing_file_means_the_shipped_knowledge(tmp_path: Path, shipped: Knowledge) -> None:
    assert load_knowledge(tmp_path / "none.yaml") == shipped


def test_a_users_name_beats_a_shipped_alias(tmp_path: Path) -> None:
    path = write(tmp_path, "botnets:\n  Ecard: {source: https://example.org, confidence: low}\n")
    assert load_knowledge(path).canonical("ecard") == "Ecard"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("botnets:\n  A: {confidence: high}\n", 2, "no 'source'"),
        ("shared_hosts:\n  - https://a.example/x\n", 2, "no domain"),
        ("shared_hosts: a.example\n", 1, "should be a list"),
        ("sources:\n  a: {by: me}\n", 2, "no 'address'"),
        ("sources:\n  a: {by: me, address: x}\n", 2, "neither an address"),
        ("sources:\n  a: {who: me, address: https://a.b}\n", 2, "no field 'who'"),
        ("botnets:\n  A: {source: https://a.b}\n", 2, "no 'confidence'"),
        ("botnets:\n  A: {source: nowhere, confidence: high}\n", 2, "neither an address nor a key"),
        ("botnets:\n  A: {source: misp, confidence: sure}\n", 2, "not one of high"),
        ("botnets:\n  A:\n    source: misp\n    confidence: high\n    colour: red\n", 5, "no field 'colour'"),
        (
            "botnets:\n  A: {source: misp, confidence: high}\n  A: {source: misp, confidence: high}\n",
            3,
            "twice",
        ),
        (
            "botnets:\n  A: {source: misp, confidence: high}\nbrands:\n  a: {source: misp, confidence: low}",
            4,
            "already",
        ),
        ("botnets:\n  A: {source: misp, confidence: high, period: 2010..2008}\n", 2, "ends before"),
        ("botnets:\n  A: {source: misp, confidence: high, period: soon}\n", 2, "no date"),
        ("botnets:\n  A: {source: misp, confidence: high, period: 2010-13}\n", 2, "month"),
        (
            "relations:\n  - {kind: likes, subject: Storm, object: VPXL, source: misp, confidence: high}\n",
            2,
            "likes",
        ),
        (
            "relations:\n\n  - {kind: uses, subject: Strom, object: a kit, source: misp, confidence: low}",
            3,
            "Strom",
        ),
        (
            "relations:\n  - {kind: advertised, subject: VPXL, object: Storm, source: misp, confidence: low}",
            2,
            "brand",
        ),
        (
            "relations:\n  - {kind: advertised, subject: Storm, source: misp, confidence: high}\n",
            2,
            "no 'object'",
        ),
        ("animals: {}\n", 1, "animals"),
        ("botnets: [A]\n", 1, "mapping"),
        ("relations: {a: b}\n", 1, "list"),
        ("botnets:\n  A: {source: [misp], confidence: high}\n", 2, "single value"),
        ("botnets: {\n", 2, "not valid YAML"),
        ("- a\n", 1, "mapping"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load_knowledge(path)
    assert f"{path}:{line}: " in str(caught.value)
    assert reason in str(caught.value)


def test_shared_hosts_add_and_take_off(tmp_path: Path, shipped: Knowledge) -> None:
    path = write(tmp_path, "shared_hosts: [Links.Example.org, -bit.ly]\n")
    known = load_knowledge(path)
    assert known.shared_hosts == (shipped.shared_hosts | {"links.example.org"}) - {"bit.ly"}
    assert "tinyurl.com" in known.shared_hosts


def test_a_source_may_name_its_publisher(tmp_path: Path) -> None:
    ours = '{by: our lab, address: "https://a.example/x"}'
    text = f"sources: {{ours: {ours}}}\nbotnets: {{A: {{source: ours, confidence: low}}}}"
    known = load_knowledge(write(tmp_path, text))
    assert known.said_by(known.entities["A"].source) == "our lab"
    assert known.said_by("https://www.b.example/y") == "b.example"


def test_an_alias_bomb_is_only_a_wrong_file(tmp_path: Path) -> None:
    """YAML anchors that multiply are never expanded: the format has no place for them."""
    bomb = "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(50))
    with pytest.raises(SettingsError):
        load_knowledge(write(tmp_path, bomb))


def test_an_empty_file_changes_nothing(tmp_path: Path, shipped: Knowledge) -> None:
    assert load_knowledge(write(tmp_path, "")) == shipped
