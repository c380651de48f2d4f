"""Relays of one pool are one relay; a relay that moved is another."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

from spamtide.schema import DAILY
from spamtide.store import Lake
from spamtide.store.panels import panel
from spamtide.store.pools import named_pools, pool_of


@pytest.mark.parametrize(
    ("host", "pool"),
    [
        ("BN8NAM12FT044.mail.protection.outlook.com", "*.mail.protection.outlook.com"),
        ("DM6NAM10FT037.mail.protection.outlook.com", "*.mail.protection.outlook.com"),
        ("mailin034.protonmail.ch", "mailin*.protonmail.ch"),
        ("mx2.example.net.", "mx*.example.net"),
        ("smtp.subspace.kernel.org", "smtp.subspace.kernel.org"),
        ("mail.web4.example", "mail.web4.example"),
        ("mx.shop1.co.uk", "mx.shop1.co.uk"),
        ("mx2.shop1.co.uk", "mx*.shop1.co.uk"),
        ("mx1.web4.local", "mx*.web4.local"),
        ("a1b2.example.net", "*.example.net"),
        ("smtp-7-x3.example.net", "smtp-*-*.example.net"),
        ("mx1", "mx1"),
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("", ""),
    ],
)
def test_the_form_of_a_host(host: str, pool: str) -> None:
    assert pool_of(host) == pool


def test_a_host_alone_in_its_pool_keeps_its_name() -> None:
    named = named_pools(["mx1.example.net", "MX1.example.net", "in7.example.org", "in8.example.org"])
    assert named == {
        "mx1.example.net": "MX1.example.net",
        "MX1.example.net": "MX1.example.net",
        "in7.example.org": "in*.example.org",
        "in8.example.org": "in*.example.org",
    }


def test_a_day_is_received_by_the_pool(tmp_path: Path) -> None:
    """Many hosts of one pool outweigh the one that took in most."""
    taken = {"in7.example.org": 2, "in8.example.org": 2, "other.example.net": 3}
    rows = [
        {"week": 2862, "day": dt.date(2024, 11, 4), "sensor": "a", "label": "spam", "botnet": "unknown"}
        | {"programme": "unknown", "relay": relay, "messages": messages}
        for relay, messages in taken.items()
    ]
    lake = Lake(str(tmp_path))
    lake.append("daily", pa.Table.from_pylist(rows, schema=DAILY))
    assert panel(lake).relays == (("in*.example.org",),)
