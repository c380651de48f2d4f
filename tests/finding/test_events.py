"""The events file: what is read, what is refused and how the refusal reads."""

from __future__ import annotations

import csv
import datetime as dt
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spamtide.errors import SettingsError
from spamtide.finding import load_events
from spamtide.finding.events import COLUMNS, KINDS, SILENCES

SHIPPED = Path(str(files("spamtide.knowledge") / "events.csv"))
VOLUMES = Path(str(files("spamtide.knowledge") / "volumes.csv"))
HEADER = ",".join(COLUMNS) + "\n"


def test_a_users_file_is_read_with_missing_columns_filled(tmp_path: Path) -> None:
    """Only the day, the kind and the subject are required; comments and empty lines are passed over."""
    path = tmp_path / "events.csv"
    path.write_text('\ufeffdate_start,kind,subject\n# mine\n\n2024-02-03,other,"our gateway, moved"\n')
    (event,) = load_events([path, tmp_path / "absent.csv"])
    assert (event.date_start, event.date_end) == (dt.date(2024, 2, 3), None)
    assert (event.subject, event.confidence, event.source_url) == ("our gateway, moved", "medium", "")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("date_start,kind\n", 1, "column 'subject' is missing"),
        ("date_start,kind,subject,colour\n", 1, "no such column 'colour'"),
        (HEADER + "20-09-2010,,takedown,botnet,Rustock,,,high\n", 2, "date_start '20-09-2010' is no date"),
        (HEADER + "\n2010-09-20,2010-09-01,takedown,botnet,R,,,high\n", 3, "date_end lies before date_start"),
        (HEADER + "2010-09-20,,explosion,botnet,R,,,high\n", 2, "no such kind 'explosion'"),
        (HEADER + "2010-09-20,,takedown,planet,R,,,high\n", 2, "no such subject_type 'planet'"),
        (HEADER + "2010-09-20,,takedown,botnet,,,,high\n", 2, "subject is empty"),
        (HEADER + "2010-09-20,,takedown,botnet,R,,,sure\n", 2, "confidence 'sure'"),
        (
            HEADER + "2010-09-20,,takedown,botnet,R,,javascript:1,high\n",
            2,
            "source_url is no http(s) address",
        ),
        (HEADER + "2010-09-20,takedown\n", 2, "2 fields where the header has 8"),
        (HEADER + '2010-09-20,,takedown,botnet,"R\n', 2, "not valid CSV"),
    ],
)
def test_a_wrong_row_is_named_by_file_line_and_reason(
    tmp_path: Path, text: str, line: int, reason: str
) -> None:
    """A person can go to the line and see what to change."""
    path = tmp_path / "events.csv"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_events([path])
    assert f"{path}:{line}: " in caught.value.message
    assert reason in caught.value.message


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """A file of any bytes gives events or a SettingsError, nothing else."""
    path = tmp_path_factory.mktemp("any") / "events.csv"
    path.write_bytes(HEADER.encode() + data)
    try:
        events = load_events([path])
    except SettingsError as error:
        assert str(path) in error.message  # noqa: PT017 - either outcome is right; each has its own check
    else:
        assert all(event.kind in KINDS for event in events)


def test_every_shipped_event_has_a_source_and_valid_dates() -> None:
    """Shipped facts are dated, sourced, and none of them is of low confidence."""
    events = load_events([SHIPPED])
    assert len(events) == len(SHIPPED.read_text().splitlines()) - 1 > 70
    for event in events:
        assert event.source_url.startswith(("http://", "https://")), event
        assert event.confidence in {"high", "medium"}
        assert dt.date(2007, 1, 1) <= event.date_start <= dt.date(2026, 12, 31)
        assert event.summary
        assert len(event.summary) < 250


def test_shipped_silences_end_after_they_begin_or_have_no_return() -> None:
    """A silence that ends on the day it begins would be a fact wrongly entered."""
    silences = [e for e in load_events([SHIPPED]) if e.kind in SILENCES]
    assert len(silences) > 15
    assert all(e.date_end is None or e.date_end > e.date_start for e in silences)
    assert {e.subject_type for e in silences} == {"botnet"}


def test_every_shipped_volume_has_a_source_a_measurer_and_a_number() -> None:
    """Published values are facts only with who measured them and when."""
    with VOLUMES.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 150
    for row in rows:
        assert row["source_url"].startswith(("http://", "https://"))
        assert row["confidence"] in {"high", "medium"}
        assert dt.date.fromisoformat(row["date_start"]) <= dt.date.fromisoformat(row["date_end"])
        float(row["value"])
        assert row["measured_by"]
        assert row["unit"]
