"""Campaigns of some days' mail: its count is that of the messages, those without a campaign among them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa

from spamtide.schema import EVIDENCE, OBSERVATIONS
from spamtide.store import Lake
from spamtide.store.gathered import gathered

DAY = dt.date(2025, 3, 12)
ALIASES = pa.table({"name": pa.array([], pa.string()), "canonical": pa.array([], pa.string())})


def test_mail_without_a_campaign_stands_alone(tmp_path: Path) -> None:
    rows = [
        {
            "sha256": str(number),
            "sensor": "a",
            "label": "spam",
            "received_at": dt.datetime(2025, 3, 12, 9, tzinfo=dt.UTC),
            "week": (DAY - dt.date(1970, 1, 1)).days // 7,
            "campaign": campaign,
        }
        for number, campaign in enumerate(["c-1", "c-1", "c-1", None, None])
    ]
    lake = Lake(str(tmp_path))
    lake.append("evidence", pa.Table.from_pylist(rows, schema=EVIDENCE))
    found = gathered(lake, ALIASES, DAY, DAY)
    assert (found.messages, found.campaigns, found.alone) == (5, 3, 2)
    assert [(one.campaign, one.messages) for one in found.largest] == [("c-1", 3)]


def test_engines_are_counted_where_mail_is_scattered(tmp_path: Path) -> None:
    """What comes from few addresses is one sender's, and its engines are nobody's question."""
    at, week = dt.datetime(2025, 3, 12, 9, tzinfo=dt.UTC), (DAY - dt.date(1970, 1, 1)).days // 7
    mail = [
        {"sha256": f"{campaign}{n}", "sensor": "a", "label": "spam", "received_at": at, "week": week,
         "campaign": campaign, "source_ip": f"192.0.2.{n % addresses}", "skeleton": f"s{n % 3}"}
        for campaign, count, addresses in (("c-1", 30, 30), ("c-2", 25, 5), ("c-3", 19, 19))
        for n in range(count)
    ]  # fmt: skip
    lake = Lake(str(tmp_path))
    for name, schema in (("evidence", EVIDENCE), ("observations", OBSERVATIONS)):
        rows = [{field.name: row.get(field.name) for field in schema} for row in mail]
        lake.append(name, pa.Table.from_pylist(rows, schema=schema))
    found = gathered(lake, ALIASES, DAY, DAY)
    assert [(one.campaign, one.sources, one.engines) for one in found.largest] == [
        ("c-1", 30, 3),
        ("c-2", 5, 0),
        ("c-3", 19, 0),
    ]
