"""`spamtide explain`: the numbers behind its words about a message, a campaign, or a name not given."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from spamtide import ingest as intake
from spamtide import pipeline
from spamtide.cli import run
from spamtide.inquiry import explanation
from spamtide.observatory import Observatory, init_observatory

RULES = """
rule heron_engine {
  meta: kind = "botnet" name = "Heron" layer = "skeleton" confidence = 95
  strings: $a = "header X-Heron:" condition: $a }
rule heron_words {
  meta: kind = "botnet" name = "Heron" layer = "template" confidence = 60
  strings: $a = "sold by herons" condition: $a }
rule otters { meta: kind = "programme" name = "Otterco" strings: $a = "young otters" condition: $a }
"""
OTTERS = "young otters swim down the river every morning before anybody in the village has woken http://ott.example.net/a"
FISH = (
    "fresh fish of every kind sold by herons along the northern shore for less than the market in town asks"
)
START = dt.date(2024, 1, 8)


def mail(day: int, text: str, address: str, *, engine: bool) -> bytes:
    at = f"{START + dt.timedelta(days=day):%a, %d %b %Y} 10:00:00 +0000"
    mine = "X-Heron: yes\n" if engine else "X-Other: no\n"
    return (
        f"Received: from x ([{address}]) by mx.trap.example with SMTP; {at}\n"
        f"From: a <a@b.example>\nTo: x@trap.example\nSubject: {text[:14]}\n{mine}"
        f"Date: {at}\nMessage-ID: <{day}.{address}@b.example>\n\n{text}\n"
    ).encode()


@pytest.fixture(scope="module")
def observatory(tmp_path_factory: pytest.TempPathFactory) -> Observatory:
    """Six letters on fish with Heron's engine; nine on otters, two of them with it; Heron's lab has fish."""
    folder = tmp_path_factory.mktemp("explained")
    made = init_observatory(folder / "o")
    (made.signatures / "own.yar").write_text(RULES, encoding="utf-8")
    wild = [mail(n, FISH, f"198.51.100.{n}", engine=True) for n in range(6)]
    wild += [mail(n, OTTERS, f"198.51.100.{n}", engine=True) for n in range(2)]
    wild += [mail(n, OTTERS, f"203.0.113.{n}", engine=False) for n in range(7)]
    lab = [mail(n, FISH, "192.0.2.1", engine=True) for n in (0, 2, 9)]
    for place, (messages, family) in enumerate(((wild, None), (lab, "Heron"))):
        (folder / str(place)).mkdir()
        for number, data in enumerate(messages):
            (folder / str(place) / f"{number}.eml").write_bytes(data)
        source = intake.Source((str(folder / str(place)),), "trap" if family is None else "lab", lab=family)
        intake.ingest(made, source)
    pipeline.update(made)
    return init_observatory(made.directory)


def of(observatory: Observatory, text: str, address: str) -> tuple[str, str]:
    """SHA-256 and campaign of a letter."""
    rows = observatory.lake.query("""
        SELECT o.sha256, m.campaign, o.rendering, o.source_ip
        FROM observations o JOIN memberships m USING (sha256)
    """).to_pylist()
    return next(
        (row["sha256"], row["campaign"])
        for row in rows
        if row["source_ip"] == address and text in row["rendering"]
    )


def test_a_message_is_told_with_the_counts_around_it(observatory: Observatory) -> None:
    sha256, _ = of(observatory, OTTERS, "198.51.100.0")
    told = explanation.message(observatory, sha256)
    (counts,) = told["counted"]
    assert (counts["since"], counts["until"]) == ("2023-12-07", "2024-02-07")
    assert {name: counts["campaign"][name] for name in ("messages", "addresses", "days")} == {
        "messages": 9,
        "addresses": 9,
        "days": 7,
    }
    assert sum(counts["address"].values()) == 2
    assert counts["labs"] == {}
    assert counts["campaign"]["programmes"] == {"Otterco": 9}
    assert counts["domains"] == {"example.net": {"Otterco": 9}}
    heron = counts["families"]["Heron"]
    engine = heron["engine"]
    assert (engine["messages"], engine["addresses"], engine["campaigns"]) == (8, 6, 2)
    assert (engine["mine"], engine["worded"]) == (2, 6)
    assert heron["near"]["campaign"] == {"met": 2, "addresses": 9}
    assert heron["lab"] == {"messages": 3, "mine": 0, "same_days": 2}
    text = "\n".join(told["lines"])
    assert "    it advertises: Otterco 9" in told["lines"]
    assert "  links to example.net: 9 messages: Otterco 9" in told["lines"]
    assert "its campaign: 9 messages of the wild on 7 days from 9 addresses: " in text
    assert (
        "its engine: 8 messages in 2 campaigns from 6 addresses, 2 of them in this campaign, 6 with" in text
    )
    assert "in the lab: 3 messages, 2 on days on which this campaign came; 0 of this campaign" in text


def test_a_campaign_is_told_with_the_counts_around_it(observatory: Observatory) -> None:
    _, campaign = of(observatory, FISH, "198.51.100.3")
    told = explanation.campaign(observatory, campaign)
    assert told["counted"]["labs"] == {"Heron": 3}
    assert told["counted"]["campaign"]["answers"] == {"Heron": 6}
    assert told["counted"]["families"]["Heron"]["engine"]["mine"] == 6


def test_mail_without_a_botnets_evidence_is_counted_for_the_name_that_is_asked_about(
    observatory: Observatory,
) -> None:
    sha256, campaign = of(observatory, OTTERS, "203.0.113.6")
    assert explanation.message(observatory, sha256, why_not="heron")["counted"][0]["families"].keys() == {
        "Heron"
    }
    told = explanation.campaign(observatory, campaign, why_not="heron")
    assert "Heron" in told["counted"]["families"]
    assert "heron: 2 rules, " in "\n".join(told["lines"])
    # A programme has no engine and no lab.
    asked = explanation.message(observatory, sha256, why_not="Canadian Pharmacy")
    assert "no evidence of any layer" in asked["lines"][-1]


@pytest.mark.parametrize("which", [0, 1])
def test_a_name_that_nobody_knows_is_refused(
    observatory: Observatory, capsys: pytest.CaptureFixture[str], which: int
) -> None:
    asked = of(observatory, OTTERS, "198.51.100.0")[which]
    at = ["-C", str(observatory.directory), "explain", asked]
    assert run([*at, "--why-not", "herron"]) == 64
    said = capsys.readouterr()
    assert (said.out, "nothing is known of 'herron'" in said.err, "did you mean Heron" in said.err) == (
        "",
        True,
        True,
    )
    assert run([*at, "--why-not", "HERON", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counted"]


def test_a_name_that_saved_pages_alone_give_is_known(observatory: Observatory) -> None:
    page = observatory.landing / "Maple Meds" / "shop.example.net.html"
    page.parent.mkdir(parents=True)
    page.write_text("<html><body><p>one</p></body></html>", encoding="utf-8")
    sha256, _ = of(observatory, OTTERS, "203.0.113.6")
    told = explanation.message(observatory, sha256, why_not="maple meds")
    assert "no evidence of any layer" in told["lines"][-1]


def test_other_mail_is_not_counted(tmp_path: Path) -> None:
    made = init_observatory(tmp_path / "o")
    (tmp_path / "a.eml").write_bytes(mail(0, OTTERS, "198.51.100.1", engine=False))
    intake.ingest(made, intake.Source((str(tmp_path / "a.eml"),), "trap", "ham"))
    pipeline.update(made)
    (row,) = made.lake.query("SELECT sha256 FROM observations").to_pylist()
    assert explanation.message(made, row["sha256"])["counted"] == [None]
