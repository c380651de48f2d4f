"""What a person asks of an observatory, on a tenth of the simulated autumn."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import spamtide as face
from spamtide.errors import UnavailableError, UsageError
from spamtide.schema import RAW

Run = Callable[..., subprocess.CompletedProcess[str]]
Exported = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def observatory(tmp_path_factory: pytest.TempPathFactory, spamtide: Run) -> Path:
    """An observatory with a tenth of the autumn, learned and updated."""
    folder: Path = tmp_path_factory.mktemp("tenth")
    world, made = folder / "world", folder / "o"
    assert spamtide("simulate", "autumn-2010", "--scale", "0.1", "-o", world).returncode == 0
    for label in ("spam", "ham"):
        files = sorted((world / "sensors").glob(f"*.{label}.mbox.gz"))
        assert spamtide("-C", made, "ingest", "--label", label, *files).returncode == 0
    for lab in sorted((world / "lab").glob("*.mbox.gz")):
        family = lab.name.removesuffix(".mbox.gz")
        assert spamtide("-C", made, "ingest", "--sensor", "lab", "--lab", family, lab).returncode == 0
    assert spamtide("-C", made, "learn").returncode == 0
    assert spamtide("-C", made, "update").returncode == 0
    return made


FIXED = {
    "observations": "sha256 message_id received_at sensor source_ip label lab campaign botnet "
    "botnet_confidence programme programme_confidence",
    "series": "subject_kind subject date count index low high base",
    "changes": "kind subject_kind subject onset onset_low onset_high end end_low end_high ratio "
    "from_programme to_programme confidence",
    "sensors": "sensor first_seen last_seen messages outages",
    "campaigns": "campaign first_seen last_seen messages sources botnet programme subject",
    "claims": "claim kind sentence numbers n sensors command",
}
"""The design's fixed column names."""


@pytest.mark.parametrize("table", FIXED)
def test_exports_have_the_fixed_names_in_every_format(
    table: str, observatory: Path, spamtide: Run, exported: Exported, tmp_path: Path
) -> None:
    wanted = set(FIXED[table].split())
    rows = exported(observatory, table)
    text = spamtide("-C", observatory, "export", table, "--format", "csv").stdout
    out = tmp_path / "x.parquet"
    assert spamtide("-C", observatory, "export", table, "-o", out).returncode == 0

    lines = list(csv.DictReader(io.StringIO(text)))
    stored = pq.read_table(out)

    assert rows
    assert wanted <= set(rows[0])
    assert wanted <= set(stored.schema.names)
    assert len(lines) == len(rows) == stored.num_rows
    assert [str(row[next(iter(row))]) for row in rows] == [line[next(iter(line))] for line in lines]


def test_filters_narrow_and_days_include_their_ends(observatory: Path, exported: Exported) -> None:
    rows = exported(
        observatory, "observations", "--since", "2010-09-01", "--until", "2010-09-02", "--botnet", "Rustock"
    )

    assert rows
    assert {row["botnet"] for row in rows} == {"rustock"}
    assert {row["received_at"][:10] for row in rows} == {"2010-09-01", "2010-09-02"}


def test_the_python_face_gives_the_same_rows(observatory: Path, exported: Exported) -> None:
    opened = face.open(observatory)
    arrow = opened.observations(botnet="rustock").to_arrow()

    assert isinstance(arrow, pa.Table)
    assert arrow["sha256"].to_pylist() == [
        r["sha256"] for r in exported(observatory, "observations", "--botnet", "rustock")
    ]
    assert opened.series().to_polars().height == opened.series().to_pandas().shape[0] == len(opened.series())
    assert opened.versions()["observations"] >= 1


def test_the_python_face_refuses_what_is_not_there(observatory: Path, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError):
        face.open(tmp_path)
    with pytest.raises(UsageError, match="no table"):
        face.open(observatory).table("raw")
    with pytest.raises(UsageError, match="no such filter"):
        face.open(observatory).table("series", family="x")


def test_status_names_botnets_and_sensors(observatory: Path, spamtide: Run) -> None:
    told = json.loads(spamtide("-C", observatory, "status", "--json").stdout)
    table = spamtide("-C", observatory, "status").stdout

    assert {"rustock", "grum", "cutwail"} <= {row["botnet"] for row in told["botnets"]}
    assert {"maple", "heron"} <= {row["sensor"] for row in told["sensors"]}
    assert told["totals"]["simulated"] > 0
    assert "rustock" in table


def test_explain_prints_the_evidence_of_an_answer_and_of_none(
    observatory: Path, spamtide: Run, exported: Exported
) -> None:
    rows = exported(observatory, "observations")
    named = next(row for row in rows if row["botnet"] == "rustock" and not row["lab"])
    unknown = next(row for row in rows if row["botnet"] == "unknown" and row["label"] == "spam")

    for_named = spamtide("-C", observatory, "explain", named["sha256"])
    for_unknown = spamtide("-C", observatory, "explain", unknown["sha256"][:20])

    assert for_named.returncode == for_unknown.returncode == 0
    assert "rustock" in for_named.stdout
    assert "learned" in for_named.stdout
    assert "unknown" in for_unknown.stdout
    assert "SIMULATED" in for_named.stdout


def test_explain_of_a_message_that_is_not_there(observatory: Path, spamtide: Run) -> None:
    assert spamtide("-C", observatory, "explain", "0" * 64).returncode == 69


def test_no_recipient_is_stored_outside_the_raw_table(observatory: Path) -> None:
    """Every trap address of the simulated mail, searched in every byte column of the observations."""
    lake = face.open(observatory).observatory.lake
    raw = lake.read("raw", ["data"])["data"].to_pylist()
    addresses = set()
    for data in raw:
        for line in data.split(b"\n\n", 1)[0].split(b"\n"):
            if line.lower().startswith((b"to:", b"delivered-to:")):
                addresses |= {word.strip(b'<>,;"').lower() for word in line.split() if b"@" in word}
    columns = ("rendering", "subject", "message_id", "links")
    text = " ".join(str(lake.read("observations", [name])[name].to_pylist()) for name in columns).lower()

    assert len(addresses) > 100
    assert [address for address in addresses if address.decode("latin-1") in text] == []


def test_a_second_update_without_new_mail_changes_no_row(
    observatory: Path, spamtide: Run, exported: Exported
) -> None:
    before = {table: exported(observatory, table) for table in FIXED}
    assert spamtide("-C", observatory, "update").returncode == 0

    assert {table: exported(observatory, table) for table in FIXED} == before


def test_mail_past_its_retention_is_gone_and_still_known(
    spamtide: Run, exported: Exported, tmp_path: Path
) -> None:
    """Raw mail is removed by `update`; its observation stays, and reading it again stores nothing."""
    made = tmp_path / "o"
    mail = tmp_path / "one.eml"
    mail.write_bytes(b"From: a@example.com\nTo: b@example.com\nSubject: x\n\nhello\n")
    assert spamtide("-C", made, "ingest", mail).returncode == 0
    lake = face.open(made).observatory.lake
    old = lake.read("raw").to_pylist()
    moved = [row | {"collected_at": row["collected_at"].replace(year=2020)} for row in old]
    lake.replace("raw", pa.Table.from_pylist(moved, schema=RAW))
    (made / "spamtide.toml").write_text("[running]\nraw_retention_days = 30\n")

    assert spamtide("-C", made, "update").returncode == 0
    assert face.open(made).observatory.lake.read("raw").num_rows == 0
    again = spamtide("-C", made, "ingest", "--json", mail)
    assert json.loads(again.stdout)["stored"] == 0
    assert len(exported(made, "observations")) == 1


def test_new_mail_joins_existing_campaigns(
    observatory: Path, spamtide: Run, exported: Exported, tmp_path: Path
) -> None:
    """Half the mail first, the rest later: the campaigns of the first half keep their names."""
    lake = face.open(observatory).observatory.lake
    raw = lake.read("raw", ["data", "label", "lab"]).to_pylist()
    spam = [row["data"] for row in raw if row["label"] == "spam" and not row["lab"]]
    made = tmp_path / "o"
    for half in (0, 1):
        folder = tmp_path / f"half-{half}"
        folder.mkdir()
        for number, data in enumerate(spam[half::2]):
            (folder / f"{number}.eml").write_bytes(data)
        assert spamtide("-C", made, "ingest", "--sensor", "s", folder).returncode == 0
        assert spamtide("-C", made, "update").returncode == 0
        if half == 0:
            first = {row["sha256"]: row["campaign"] for row in exported(made, "observations")}
    after = {row["sha256"]: row["campaign"] for row in exported(made, "observations")}

    kept = sum(after[sha] == name for sha, name in first.items()) / len(first)
    joined = sum(name in set(first.values()) for sha, name in after.items() if sha not in first)
    assert kept >= 0.99
    assert joined / (len(after) - len(first)) >= 0.9


def test_a_morning_is_no_day(spamtide: Run, exported: Exported, tmp_path: Path) -> None:
    """At six in the morning all mail has no level of that day, and the week's is that of its whole days."""

    def letter(day: int, hour: int, number: int) -> str:
        when = f"{day:02} Mar 2010 {hour:02}:{number % 60:02}:00 +0000"
        return (
            f"From a@x Mon Mar {day:2} {hour:02}:{number % 60:02}:00 2010\n"
            f"Received: from h{number} ([198.51.100.{number % 250}]) by mx.trap.example; Mon, {when}\n"
            f"Message-ID: <{day}.{hour}.{number}@x.example>\nSubject: letter {number}\n\nwords {number}\n\n"
        )

    own = tmp_path / "o"
    spamtide("init", own)
    for sensor in ("one", "two"):
        mail = [
            letter(day, h, n) for day in range(1, 29) for h in range(24 if day < 28 else 6) for n in range(3)
        ]
        (tmp_path / f"{sensor}.mbox").write_text("".join(mail))
        assert spamtide("-C", own, "ingest", "--sensor", sensor, tmp_path / f"{sensor}.mbox").returncode == 0
    assert spamtide("-C", own, "update").returncode == 0
    total = [row for row in exported(own, "series") if row["subject_kind"] == "total"]
    assert total[-1]["count"] == 2 * 3 * 6
    assert total[-1]["index"] is None
    assert total[-2]["index"] == pytest.approx(100, abs=1)
    told = json.loads(spamtide("-C", own, "bulletin", "--format", "json").stdout)
    assert told["title"] == "Nothing changed: the volume index is 100"
