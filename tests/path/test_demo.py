"""The demonstration's bulletin holds against the truth of its world; a quiet world gives no change."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Exported = Callable[..., list[dict[str, Any]]]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, spamtide: Run) -> Path:
    """One run of `spamtide demo`."""
    folder: Path = tmp_path_factory.mktemp("demo")
    done = spamtide("demo", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def truth(demo: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((demo / "world" / "truth.json").read_text())
    return found


@pytest.fixture(scope="module")
def bulletin(demo: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((demo / "bulletin.json").read_text())
    return found


@pytest.fixture(scope="module")
def changes(demo: Path, exported: Exported) -> list[dict[str, Any]]:
    return exported(demo / "observatory", "changes")


def true_change(truth: dict[str, Any], subject: str, *kinds: str) -> dict[str, Any]:
    return next(c for c in truth["changes"] if c["subject"] == subject and c["kind"] in kinds)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize("botnet", ["rustock", "grum", "cutwail"])
def test_each_decline_is_dated_inside_its_interval(
    botnet: str, truth: dict[str, Any], changes: list[dict[str, Any]]
) -> None:
    real = true_change(truth, botnet, "decline")
    found = [c for c in changes if c["subject"] == botnet and c["kind"] in {"decline", "cease"}]

    assert len(found) == 1
    assert day(found[0]["onset_low"]) <= day(real["onset"]) <= day(found[0]["onset_high"])
    assert day(found[0]["end_low"]) <= day(real["end"]) <= day(found[0]["end_high"])


def test_the_total_falls_with_the_first_and_until_the_last_of_them(
    truth: dict[str, Any], changes: list[dict[str, Any]]
) -> None:
    """Three botnets fall one after the other, within ten days."""
    real = true_change(truth, "total", "decline")
    found = [c for c in changes if c["subject_kind"] == "total" and c["kind"] == "decline"]

    assert len(found) == 1
    assert day(found[0]["onset_low"]) <= day(real["onset"]) <= day(found[0]["onset_high"])
    assert day(found[0]["end_low"]) <= day(real["end"]) <= day(found[0]["end_high"])


def test_the_switch_is_named_with_its_programmes_and_dated(
    truth: dict[str, Any], changes: list[dict[str, Any]]
) -> None:
    real = true_change(truth, "xarvester", "switch")
    found = [c for c in changes if c["kind"] == "switch"]

    assert [c["subject"] for c in found] == ["xarvester"]
    assert found[0]["from_programme"] == "Canadian Pharmacy"
    assert found[0]["to_programme"] == "Ultimate Replicas"
    assert day(found[0]["onset_low"]) <= day(real["end"])
    assert day(found[0]["onset_high"]) >= day(real["onset"])


def test_no_sensor_is_called_a_botnets_change(truth: dict[str, Any], changes: list[dict[str, Any]]) -> None:
    """Every reported change of a botnet is a true one; joins, outages and shrinks are the sensors'."""
    real = {(c["subject"], c["kind"]) for c in truth["changes"] if c["subject_kind"] == "botnet"}
    real |= {(subject, "cease") for subject, kind in real if kind == "decline"}
    called = {(c["subject"], c["kind"]) for c in changes if c["subject_kind"] == "botnet"}

    assert called <= real
    assert {c["subject"] for c in changes if c["kind"] == "sensor-outage"} == {"heron"}
    assert {c["subject"] for c in changes if c["kind"] == "sensor-change"} == {"lantern"}


def test_the_bulletin_says_how_many_points_are_the_large_botnets(
    truth: dict[str, Any], bulletin: dict[str, Any]
) -> None:
    """Its interval, widened by a point, holds the truth: its share of the level before, less what is left."""
    claims = {claim["kind"]: claim for claim in bulletin["claims"] if claim["subject_kind"] == "total"}
    level, parts = claims["level"]["numbers"], claims["decomposition"]["numbers"]
    before = (day(level["from"]), day(level["to"]))
    counts = truth["counts"]
    share = mean(truth, counts["sender"]["rustock"], *before) / mean(truth, counts["total"], *before)
    points = level["before"] * share * (1 - true_change(truth, "rustock", "decline")["ratio"])

    assert parts["part1_name"] == "Rustock"
    assert parts["part1_low"] - 1 <= points <= parts["part1_high"] + 1


def mean(truth: dict[str, Any], series: dict[str, list[float]], since: dt.date, until: dt.date) -> float:
    """Mean expected messages a day, as the world says."""
    days = zip(truth["days"], series["expected"], strict=True)
    values = [value for text, value in days if since <= day(text) <= until]
    return sum(values) / len(values)


def claim_of(bulletin: dict[str, Any], kind: str, subject: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        c for c in bulletin["claims"] if (c["kind"], c["subject"]) == (kind, subject)
    )
    return found


def test_the_fall_of_the_total_is_inside_its_interval(
    truth: dict[str, Any], bulletin: dict[str, Any]
) -> None:
    """Each sender's share of July's mail, times what the world left of its level in the last week."""
    level = claim_of(bulletin, "level", "total")["numbers"]
    counts = {name: sum(own["expected"][:31]) for name, own in truth["counts"]["sender"].items()}
    left = {name: sum(own["level_without_noise"][-7:]) / 7 for name, own in truth["senders"].items()}
    fall = 100 * (1 - sum(counts[name] * left[name] for name in counts) / sum(counts.values()))

    assert level["percent_low"] <= fall <= level["percent_high"]


def test_quiet_not_gone_is_computed_from_what_the_world_left(
    truth: dict[str, Any], bulletin: dict[str, Any]
) -> None:
    """Residual sensors, lab and control servers, each apart; of the two others as well."""
    status = {one["botnet"]: one for one in bulletin["statuses"]}
    rustock = claim_of(bulletin, "status", "rustock")["numbers"]

    assert status["rustock"]["state"] == "quiet, not gone"
    assert rustock["residual"] == 2
    assert (rustock["answered"], rustock["checks"]) == (11, 12)
    assert rustock["lab"] >= "2010-10-08"
    for botnet in ("grum", "cutwail"):
        assert status[botnet]["volume"] in {"quiet", "gone"}
    for botnet, one in status.items():
        alive = truth["senders"][botnet]["control_servers_alive"]
        assert (one["control"]["alive"] > 0.9) if alive else (one["control"]["alive"] < 0.1)


def test_the_closure_is_a_dated_and_tested_coincidence(bulletin: dict[str, Any]) -> None:
    """It names its day, its distance, its odds and its source; and no more than that."""
    closure = next(
        c
        for c in bulletin["claims"]
        if c["kind"] in {"event", "nearby"} and c["numbers"]["kind"] == "programme_closure"
    )
    numbers = closure["numbers"]

    assert (numbers["subject"], numbers["day"]) == ("SpamIt", "2010-09-25")
    assert numbers["days_low"] <= 5 <= numbers["days_high"]
    assert (closure["kind"] == "event") == (numbers["p"] <= 0.05)
    assert (numbers["near"], numbers["its"], numbers["near_others"]) == (4, 4, 0)
    assert numbers["source_url"].startswith("https://")


def test_the_outlook_knows_nothing_of_what_came_after(bulletin: dict[str, Any]) -> None:
    numbers = claim_of(bulletin, "outlook", "rustock")["numbers"]

    assert (numbers["base"], numbers["ended"]) == (9, 7)
    assert 0 < numbers["chance_low"] < numbers["chance"] < numbers["chance_high"] < 100


def test_the_effect_of_the_first_week_is_inside_its_interval(
    truth: dict[str, Any], bulletin: dict[str, Any]
) -> None:
    """The one that had fallen by then, over the week that the claim names, against what it sent in July."""
    claim = next(c for c in bulletin["claims"] if c["kind"] == "effect")
    start = truth["days"].index(claim["numbers"]["onset"])
    level = sum(truth["senders"]["rustock"]["level_without_noise"][start : start + 7]) / 7
    short = 100 * (1 - level)

    assert claim["numbers"]["names"] == "Rustock"
    assert claim["numbers"]["own_7d_low"] <= short <= claim["numbers"]["own_7d_high"]


def test_every_claim_names_its_tables_and_is_marked_as_simulated(bulletin: dict[str, Any]) -> None:
    for claim in bulletin["claims"]:
        assert claim["versions"], claim["claim"]
        assert claim["numbers"]["data"] == "simulated"


def test_a_claims_command_shows_the_messages_that_it_counts(
    demo: Path, bulletin: dict[str, Any], spamtide: Run
) -> None:
    """As many rows as its n says: no lab's mail, no ordinary mail, no other day's."""
    asked = [c for c in bulletin["claims"] if c["command"].startswith("spamtide export observations")]
    assert len({c["kind"] for c in asked}) >= 10
    for command in {c["command"]: c for c in asked}.values():
        _, *arguments = shlex.split(command["command"])
        shown = spamtide("-C", demo / "observatory", *arguments)
        assert shown.stdout.count("\n") == command["n"], command


def test_simulated_data_is_said_to_be_simulated(demo: Path) -> None:
    assert "imulated" in (demo / "bulletin.md").read_text()
    assert "imulated" in (demo / "bulletin.html").read_text()


def test_the_page_is_self_contained(demo: Path) -> None:
    page = (demo / "bulletin.html").read_text()

    assert "<svg" in page
    assert not re.search(r"<(?:script|link|iframe|object)\b", page)
    assert not re.search(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", page.replace("http://www.w3.org", ""))


def test_the_same_bulletin_again_is_the_same_to_the_byte(demo: Path, spamtide: Run, tmp_path: Path) -> None:
    for name in ("html", "md", "json"):
        again = tmp_path / f"again.{name}"
        assert spamtide("-C", demo / "observatory", "bulletin", "-o", again).returncode == 0
        assert again.read_bytes() == (demo / f"bulletin.{name}").read_bytes()


def test_known_families_are_named_and_others_are_unknown(demo: Path, exported: Exported) -> None:
    """Every message against the world's truth; lab-known families only through `learn`."""
    with gzip.open(demo / "world" / "truth_messages.csv.gz", "rt") as lines:
        real = {row["sha256"]: row["botnet"] for row in csv.DictReader(lines) if row["kind"] == "spam"}
    rows = [row for row in exported(demo / "observatory", "observations") if row["sha256"] in real]
    named = [(row["botnet"], real[row["sha256"]]) for row in rows if row["botnet"] != "unknown"]
    known = [truth for truth in real.values() if truth != "unknown"]

    assert sum(said == is_true for said, is_true in named) / len(named) >= 0.99
    assert sum(said == is_true for said, is_true in named) / len(known) >= 0.90


def test_no_legitimate_mail_is_a_botnets(demo: Path, exported: Exported) -> None:
    ham = [row for row in exported(demo / "observatory", "observations") if row["label"] == "ham"]

    assert len(ham) > 1000
    assert [row["sha256"] for row in ham if row["botnet"] != "unknown"] == []


def test_the_demo_again_stores_nothing(demo: Path, spamtide: Run) -> None:
    spam = sorted((demo / "world" / "sensors").glob("*.spam.*"))
    done = spamtide("-C", demo / "observatory", "ingest", "--json", *spam)

    assert json.loads(done.stdout)["stored"] == 0


def test_a_quiet_world_has_no_change(tmp_path: Path, spamtide: Run, exported: Exported) -> None:
    world, observatory = tmp_path / "world", tmp_path / "o"
    assert spamtide("simulate", "quiet", "-o", world).returncode == 0
    spam = sorted((world / "sensors").glob("*.spam.mbox.gz"))
    ham = sorted((world / "sensors").glob("*.ham.mbox.gz"))
    assert spamtide("-C", observatory, "ingest", *spam).returncode == 0
    assert spamtide("-C", observatory, "ingest", "--label", "ham", *ham).returncode == 0
    for lab in sorted((world / "lab").glob("*.mbox.gz")):
        family = lab.name.removesuffix(".mbox.gz")
        assert spamtide("-C", observatory, "ingest", "--sensor", "lab", "--lab", family, lab).returncode == 0
    assert spamtide("-C", observatory, "learn").returncode == 0
    assert spamtide("-C", observatory, "update").returncode == 0

    assert exported(observatory, "changes") == []
    told = spamtide("-C", observatory, "bulletin", "--format", "md").stdout
    assert "Nothing changed" in told
