"""Texts read as codes are the texts, nulls included, whatever pieces they lie in."""

import datetime as dt
from pathlib import Path

import pyarrow as pa

from spamtide.schema import DAILY
from spamtide.store import Lake, panels


def rows(*told: tuple[int, str, str, str | None, int]) -> pa.Table:
    """Rows of `daily`: day, sensor, label, relay, messages."""
    made = [
        {
            "week": 2862,
            "day": dt.date(2024, 11, day),
            "sensor": sensor,
            "label": label,
            "botnet": "unknown",
            "programme": "unknown",
            "relay": relay,
            "messages": messages,
        }
        for day, sensor, label, relay, messages in told
    ]
    return pa.Table.from_pylist(made, schema=DAILY)


def test_codes_are_the_texts(tmp_path: Path) -> None:
    """Pieces without a relay, with some, and other names in every piece."""
    lake = Lake(str(tmp_path))
    columns = ["sensor", "lab", "relay", "messages"]
    assert lake.read("daily", columns, coded=True).num_rows == 0
    lake.append("daily", rows((4, "a", "spam", None, 1), (5, "b", "spam", None, 2)))
    lake.append("daily", rows((4, "c", "spam", "x", 3), (5, "a", "ham", None, 4)))
    lake.append("daily", rows((6, "b", "spam", "y", 5)))
    plain, coded = lake.read("daily", columns), lake.read("daily", columns, coded=True)
    assert pa.types.is_dictionary(coded.schema.field("relay").type)
    assert coded["lab"].null_count == 5
    assert coded["relay"].null_count == 3
    key = [("messages", "ascending")]
    assert coded.cast(plain.schema).sort_by(key).equals(plain.sort_by(key))


def test_the_panel_counts_what_is_there(tmp_path: Path) -> None:
    """Ham of sensors without spam is left out; of relays with as much mail the first by name is a day's."""
    lake = Lake(str(tmp_path))
    lake.append("daily", rows((4, "a", "spam", None, 1), (4, "a", "spam", None, 2), (6, "b", "spam", "y", 3)))
    lake.append("daily", rows((4, "a", "ham", "y", 4), (4, "a", "spam", "x", 4), (5, "c", "ham", "z", 9)))
    panel = panels.panel(lake)
    assert panel.sensors == ("a", "b")
    assert panel.counts[0].tolist() == [[7, 0, 0], [0, 0, 3]]
    assert panel.ham.tolist() == [[4, 0, 0], [0, 0, 0]]
    assert panel.relays == (("x", "", ""), ("", "", "y"))
    assert panel.pairs["unknown", "unknown"].tolist() == [7, 0, 3]
