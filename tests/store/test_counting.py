"""What answered messages count, against the plain sums."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from spamtide.schema import DAILY, SIGHTINGS, TIMESTAMP, UNDATED
from spamtide.store import Lake, counting

DAYS = """
    SELECT week, received_at::DATE AS day, sensor, label, lab, simulated, botnet, programme, relay,
           count(*) AS messages, min(received_at) AS first_seen, max(received_at) AS last_seen
    FROM answered GROUP BY ALL
"""
SIGHTED = """
    SELECT week, campaign, botnet, programme, count(*) FILTER (WHERE lab IS NULL) AS messages,
           min(received_at) FILTER (WHERE lab IS NULL) AS first_seen,
           max(received_at) FILTER (WHERE lab IS NULL) AS last_seen,
           min(subject) FILTER (WHERE lab IS NULL) AS subject, count(lab) AS lab
    FROM answered WHERE label = 'spam' AND campaign IS NOT NULL GROUP BY ALL
"""


def answered(rng: np.random.Generator, rows: int) -> pa.Table:
    """Messages, many without a time, a relay, a lab or a campaign; some before 1970."""

    def some(values: list[str | None]) -> pa.Array:
        return pa.array([values[place] for place in rng.integers(0, len(values), rows)], pa.string())

    moments = rng.integers(-400, 400, rows) * 86_400_000_000 + rng.integers(0, 86_400_000_000, rows)
    dated = rng.random(rows) > 0.2
    columns = {
        "week": pa.array(np.where(dated, moments // (7 * 86_400_000_000), UNDATED).astype(np.int32)),
        "received_at": pa.array(moments, pa.timestamp("us"), mask=~dated).cast(TIMESTAMP),
        "sensor": some(["b", "a", "é"]),
        "label": some(["spam", "spam", "ham"]),
        "lab": some([None, None, "Family"]),
        "simulated": pa.array(rng.random(rows) > 0.5),
        "relay": some([None, "mx2", "mx1"]),
        "campaign": some([None, "c-1", "c-2"]),
        "subject": some([None, "", "offer", "Öffer"]),
        "botnet": some(["unknown", "one"]),
        "programme": some(["unknown", "other"]),
    }
    few = [*counting.FEW, "botnet", "programme"]
    return pa.table(
        {name: rows.dictionary_encode() if name in few else rows for name, rows in columns.items()}
    )


@pytest.mark.parametrize("most", [counting._MOST_KINDS, 50])
@pytest.mark.parametrize("rows", [0, 1, 700])
def test_counts_are_the_plain_sums(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, most: int
) -> None:
    """Also where there are more kinds than one number tells apart."""
    monkeypatch.setattr(counting, "_MOST_KINDS", most)
    lake = Lake.at(tmp_path)
    half = [answered(np.random.default_rng(seed), rows) for seed in (1, 2)]
    given = pa.concat_tables(half)
    for count, sql, schema in (
        (counting.count_days, DAYS, DAILY),
        (counting.count_sightings, SIGHTED, SIGHTINGS),
    ):
        order = [(name, "ascending") for name in schema.names]
        plain = lake.query(sql, answered=given).select(schema.names).cast(schema)
        found = count(lake, given)
        assert found.schema == schema
        assert found.sort_by(order).equals(plain.sort_by(order))
