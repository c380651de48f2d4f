"""`spamtide who`: the graph can be browsed by any name, with who says what; every source can be followed."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from publicsuffixlist import PublicSuffixList

from spamtide.attribution import load_signatures
from spamtide.cli import run
from spamtide.errors import SettingsError, UnavailableError
from spamtide.inquiry import who
from spamtide.knowledge import SHIPPED_SIGNATURES, load_knowledge
from spamtide.observatory import init_observatory

SUFFIXES = PublicSuffixList(accept_unknown=False)


def followable(address: str) -> bool:
    """A web address with a real host, that names a page and not a whole site."""
    parts = urlsplit(address)
    named = bool(parts.path.strip("/") or parts.query)
    return parts.scheme in {"http", "https"} and bool(SUFFIXES.privatesuffix(parts.hostname or "")) and named


def test_every_shipped_fact_has_a_source_that_a_reader_can_follow() -> None:
    known = load_knowledge()
    sources = [(fact, fact.source) for fact in (*known.entities.values(), *known.aliases, *known.relations)]
    for name in ("events.csv", "volumes.csv"):
        with (SHIPPED_SIGNATURES.parent / name).open(encoding="utf-8", newline="") as file:
            sources += [(row, row["source_url"]) for row in csv.DictReader(file)]
    sources += [(rule, rule.reference) for rule in load_signatures([SHIPPED_SIGNATURES]).signatures.values()]
    assert len(sources) > 450
    assert [fact for fact, source in sources if not followable(source)] == []


def test_no_source_is_a_whole_repository() -> None:
    known = load_knowledge()
    sources = {fact.source for fact in (*known.entities.values(), *known.aliases, *known.relations)}
    assert not [s for s in sources if re.fullmatch(r"https://github\.com/[^/]+/[^/]+/?", s)]


def test_every_source_has_a_publisher_to_cite() -> None:
    known = load_knowledge()
    for fact in (*known.entities.values(), *known.relations):
        said = known.said_by(fact.source)
        assert re.match(r"(?!http|www\.)\S", said), fact


@pytest.mark.parametrize("name", ["pushdo", "CUTWAIL", "Pandex"])
def test_any_name_leads_to_the_entity(name: str) -> None:
    told = who.who(name, None)
    assert (told["name"], told["kind"], told["asked"]) == ("Cutwail", "botnet", name)
    assert {"alias": "Pandex", "confidence": "high"}.items() <= told["aliases"][2 - 1].items()


def test_relations_are_told_from_both_sides_with_their_source() -> None:
    programme = who.who("SpamIt", None)
    says = {one["says"]: one for one in programme["relations"]}
    assert says["its brand: Canadian Pharmacy"]["said_by"] == "M86 Security"
    assert "linked to Igor Gusev" in says
    assert who.who("Canadian Pharmacy", None)["relations"][0]["kind"] == "advertised"
    assert any(one["kind"] == "programme_closure" for one in programme["events"])


def test_every_entity_can_be_asked_for_and_printed() -> None:
    for names in who.everybody(None).values():
        for name in names:
            text = "\n".join(who.lines(who.who(name, None)))
            assert name in text
            assert "http" in text


def test_an_unknown_name_says_what_is_alike() -> None:
    with pytest.raises(UnavailableError) as caught:
        who.who("cutwial", None)
    assert "Cutwail" in caught.value.advice


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["-C", str(tmp_path), "who", "rustock", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["name"] == "Rustock"
    assert run(["-C", str(tmp_path), "who", "rustock"]) == 0
    assert "according to" in capsys.readouterr().out
    assert run(["-C", str(tmp_path), "who"]) == 0
    assert "Rustock" in capsys.readouterr().out
    assert run(["-C", str(tmp_path), "who", "nobody at all"]) == 69


def test_a_users_facts_are_told_and_a_wrong_file_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    made = init_observatory(tmp_path)
    path = made.directory / "knowledge.yaml"
    path.write_text(
        'sources: {ours: {by: "our lab", address: "https://lab.example.org/heron"}}\n'
        "botnets:\n  Heron: {aliases: [Wader], source: ours, confidence: low}\n",
        encoding="utf-8",
    )
    told = who.who("wader", made)
    assert (told["name"], told["said_by"], told["observed"]) == ("Heron", "our lab", None)
    path.write_text("botnets:\n  Heron: {source: nowhere, confidence: low}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"knowledge\.yaml:2: .*nowhere"):
        who.who("wader", made)
    assert run(["-C", str(tmp_path), "who", "wader"]) == 65
    assert "knowledge.yaml:2:" in capsys.readouterr().err


def test_a_name_of_the_observatorys_own_tells_what_is_seen_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A lab's own name for a botnet is in no published knowledge, and its mail is here all the same."""
    made = init_observatory(tmp_path)
    seen = {"messages": 12, "first_seen": "2024-03-01", "last_seen": "2024-03-09"}
    monkeypatch.setattr(who.life, "sightings", lambda _, name: seen if name == "gadwall" else None)
    told = who.who("gadwall", made)
    assert (told["observed"], told["relations"], told["source"]) == (seen, [], "")
    assert who.lines(told)[-1] == "here: 12 messages, 2024-03-01 to 2024-03-09"
    with pytest.raises(UnavailableError):
        who.who("gadwell", made)


def test_simulated_mail_is_never_told_as_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What was made up is said to be so beside every count of it."""
    made = init_observatory(tmp_path)
    seen = {"messages": 12, "first_seen": "2024-03-01", "last_seen": "2024-03-09"}
    monkeypatch.setattr(who.life, "sightings", lambda *_: seen)
    monkeypatch.setattr(who.rollup, "totals", lambda _: {"simulated": 12})
    told = who.who("rustock", made)
    assert told["observed"]["simulated"] is True
    assert who.lines(told)[-1] == "here, of simulated mail: 12 messages, 2024-03-01 to 2024-03-09"
