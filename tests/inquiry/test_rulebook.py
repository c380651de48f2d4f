# ruff: noqa: E501 - tables of cases
"""`spamtide signatures`: how rules age, what a hand-written one would do, what it would have changed."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from spamtide import ingest as intake
from spamtide import pipeline
from spamtide.attribution import load_signatures
from spamtide.attribution.review.life import STALE_DAYS, lives
from spamtide.cli import run
from spamtide.inquiry import rulebook
from spamtide.observatory import Observatory, init_observatory

OLD = 'rule old { meta: kind = "programme" name = "Oldco" strings: $a = "ancient offer" condition: $a }'
GOOD = 'rule maple { meta: kind = "programme" name = "Maple Meds" strings: $a = "Maple Meds" nocase condition: $a }'
GREEDY = 'rule greedy { meta: kind = "botnet" name = "Heron" strings: $a = "the" nocase condition: $a }'


def mail(day: dt.date, text: str, number: int) -> bytes:
    return (
        f"Received: from [198.51.100.{number % 200}] by mx.trap.example with SMTP; {day:%a, %d %b %Y} 10:00:00 +0000\n"
        f"From: a <a{number}@b.example>\nTo: x@trap.example\nSubject: note {number}\n"
        f"Date: {day:%a, %d %b %Y} 10:00:00 +0000\nMessage-ID: <{number}@b.example>\n\n{text} {number}\n"
    ).encode()


@pytest.fixture(scope="module")
def observatory(tmp_path_factory: pytest.TempPathFactory) -> Observatory:
    """Twenty spams of each kind, ten lab messages of two families, thirty hams; one rule that ceased to hit."""
    folder = tmp_path_factory.mktemp("rules")
    made = init_observatory(folder / "observatory")
    (made.signatures / "own.yar").write_text(OLD, encoding="utf-8")
    start = dt.date(2024, 1, 1)
    lots = {
        ("spam", None): [
            mail(start + dt.timedelta(days=n), f"M4ple M3ds for you, the best, word{n}", n) for n in range(20)
        ]
        + [
            mail(start + dt.timedelta(days=n), f"an ancient offer of the past, thing{n}", 100 + n)
            for n in range(20)
        ]
        + [mail(start + dt.timedelta(days=200), f"nothing to see here, item{n}", 200 + n) for n in range(20)],
        ("spam", "Heron"): [mail(start, f"the heron writes, lab{n}", 300 + n) for n in range(10)],
        ("spam", "Egret"): [mail(start, f"the egret writes, lab{n}", 400 + n) for n in range(10)],
        ("ham", None): [
            mail(start, f"Dear friend, the minutes of the meeting, ham{n}", 500 + n) for n in range(30)
        ],
    }
    for place, ((label, lab), messages) in enumerate(lots.items()):
        source = folder / f"{place}.mail"
        source.mkdir()
        for number, data in enumerate(messages):
            (source / f"{number}.eml").write_bytes(data)
        intake.ingest(made, intake.Source((str(source),), "trap", "ham" if label == "ham" else "spam", lab))
    pipeline.update(made)
    return init_observatory(made.directory)


def rule_file(folder: Path, text: str, name: str = "new.yar") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_list_shows_dates_hits_and_staleness(observatory: Observatory) -> None:
    rules = {one["rule"]: one for one in rulebook.listed(observatory)}
    old = rules["old"]
    assert (old["state"], old["wild"], old["last_hit"]) == ("stale", 20, "2024-01-20")
    assert rules["srizbi_caught_you"]["state"] == "expired"
    assert rules["canadian_pharmacy"]["state"] == "never hit"


def test_a_good_rule_has_no_complaint(observatory: Observatory, tmp_path: Path) -> None:
    told = rulebook.checked(observatory, [rule_file(tmp_path, GOOD)])
    (one,) = told["rules"]
    assert (one["wild_hits"], one["wild"], one["ham_hits"], one["ham"]) == (20, 60, 0, 30)
    assert one["complaints"] == []
    assert 0 < one["ham_at_most"] < 0.2


def test_a_greedy_rule_is_found_out(observatory: Observatory, tmp_path: Path) -> None:
    (one,) = rulebook.checked(observatory, [rule_file(tmp_path, GREEDY)])["rules"]
    said = " ".join(one["complaints"])
    assert "hits 30 of 30 legitimate messages" in said
    assert "hits 10 of 10 lab messages of Egret" in said
    assert "Heron:" not in said


def test_a_hunt_says_what_would_have_changed_and_changes_nothing(
    observatory: Observatory, tmp_path: Path
) -> None:
    versions = observatory.lake.versions()
    told = rulebook.hunt(observatory, [rule_file(tmp_path, GOOD + OLD.replace("Oldco", "Newco"), "own.yar")])
    by_rule = {one["rule"]: one for one in told["rules"]}
    assert (by_rule["maple"]["wild"], by_rule["maple"]["ham"], by_rule["maple"]["first"]) == (
        20,
        0,
        "2024-01-01",
    )
    moved = {(one["before"], one["after"]): one["messages"] for one in told["shifts"]}
    assert moved == {("unknown", "Maple Meds"): 20, ("Oldco", "Newco"): 20}
    assert init_observatory(observatory.directory).lake.versions() == versions


def test_a_hunt_of_nothing_new_changes_no_answer(observatory: Observatory, tmp_path: Path) -> None:
    assert rulebook.hunt(observatory, [rule_file(tmp_path, OLD, "own.yar")])["shifts"] == []


@pytest.mark.parametrize("command", ["check", "hunt"])
def test_wrong_files_are_refused_with_their_line(
    observatory: Observatory, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    path = rule_file(tmp_path, "\nrule broken { condition: }")
    assert run(["-C", str(observatory.directory), "signatures", command, str(path)]) == 65
    assert "new.yar:2:" in capsys.readouterr().err
    assert run(["-C", str(observatory.directory), "signatures", command, str(tmp_path / "none.yar")]) == 66


def test_the_commands_print_for_people_and_programs(
    observatory: Observatory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, at = str(rule_file(tmp_path, GREEDY)), ["-C", str(observatory.directory), "signatures"]
    assert run([*at, "list", "--state", "stale", "--json"]) == 0
    assert [one["rule"] for one in json.loads(capsys.readouterr().out)] == ["old"]
    assert run([*at, "list"]) == 0
    assert "stale" in capsys.readouterr().out
    assert run([*at, "check", path]) == 65
    told = capsys.readouterr()
    assert "! hits 30 of 30" in told.out
    assert "greedy: would name legitimate mail" in told.err
    assert run([*at, "hunt", path]) == 0
    assert "->" in capsys.readouterr().out
    assert run([*at, "check"]) == 0


@pytest.mark.parametrize(
    ("rule", "plain", "strict"),
    [
        (GOOD, 0, 0),
        (GREEDY.replace("meta:", "meta: confidence = 60"), 0, 65),  # it names nobody by itself
        (
            GREEDY.replace("meta:", 'meta: unlike = "heron_skeleton_1"'),
            0,
            65,
        ),  # it only speaks against a name
        (GREEDY.replace("the", "ham7"), 0, 65),  # one message may be anything
        (GREEDY.replace("the", "ham"), 65, 65),
        (GOOD.replace("Maple Meds", "nowhere"), 0, 65),
    ],
)
def test_a_check_fails_where_a_rule_would_name_legitimate_mail(
    observatory: Observatory, tmp_path: Path, rule: str, plain: int, strict: int
) -> None:
    at, path = ["-C", str(observatory.directory), "signatures", "check"], str(rule_file(tmp_path, rule))
    assert (run([*at, path]), run([*at, "--strict", path])) == (plain, strict)


def test_answers_of_other_rules_are_not_compared(tmp_path: Path) -> None:
    made = init_observatory(tmp_path / "empty")
    assert run(["-C", str(made.directory), "signatures", "hunt", str(rule_file(tmp_path, GOOD))]) == 69


@pytest.mark.parametrize(
    ("meta", "last_hit", "state"),
    [
        ("", None, "never hit"),
        ("", dt.date(2024, 6, 30), "live"),
        ("", dt.date(2024, 6, 30) - dt.timedelta(days=STALE_DAYS + 1), "stale"),
        ('expires = "2024-06-29"', dt.date(2024, 6, 29), "expired"),
        ('valid_from = "2024-07-01"', None, "not yet"),
        ('valid_from = "2024-06-01"', None, "untried"),
    ],
)
def test_where_a_rule_stands(tmp_path: Path, meta: str, last_hit: dt.date | None, state: str) -> None:
    rule_file(tmp_path, GOOD.replace("strings:", f"{meta} strings:"))
    hits = {"maple": {"wild": 3, "lab": 0, "ham": 0, "last_hit": last_hit}} if last_hit else {}
    (one,) = lives(load_signatures([tmp_path]), hits, (dt.date(2024, 1, 1), dt.date(2024, 6, 30)))
    assert one.state == state


def test_explain_shows_what_is_read_in_disguise_and_how_rules_age(
    observatory: Observatory, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = observatory.lake.query(
        "SELECT sha256, rendering FROM observations WHERE contains(rendering, 'ancient offer') ORDER BY sha256"
    ).to_pylist()
    assert run(["-C", str(observatory.directory), "explain", rows[0]["sha256"]]) == 0
    assert "rule old: stale, last hit 2024-01-20" in capsys.readouterr().out
    ruleset = load_signatures([rule_file(tmp_path_factory.mktemp("x"), GOOD).parent])
    lines = rulebook.rule_lines(
        observatory, ruleset, {"rendering": "\nsubject: M4ple M3ds\ntext:\n", "rules": []}
    )
    assert lines == ["", "  in disguise: 'M4ple M3ds' reads as 'Maple Meds'"]
