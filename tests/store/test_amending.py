"""Answers put beside mail that is counted again."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from spamtide.schema import STORED_ATTRIBUTIONS
from spamtide.store import amending


def test_mail_without_an_answer_has_no_name() -> None:
    """Unknown content, and known content at a sensor that was not answered; others have their own."""
    stored = pa.Table.from_pylist(
        [
            {"sha256": sha256, "sensor": sensor, "botnet": f"{sha256}-{sensor}", "programme": "p", "week": 1}
            for sha256, sensor in (("a", "one"), ("a", "two"), ("b", "one"))
        ],
        STORED_ATTRIBUTIONS,
    )
    weeks = frozenset({1})
    amended = amending.Amended(stored, np.ones(3, dtype=np.bool_), stored.slice(0, 0), weeks, weeks)
    mail = pa.table(
        {
            "sha256": ["b", "a", "a", "unknown", "b", "a"],
            "sensor": ["one", "two", "one", "one", "two", "three"],
        }
    )
    found = amending.named(mail, amended)
    assert found["botnet"].to_pylist() == ["b-one", "a-two", "a-one", None, None, None]
    assert found["programme"].to_pylist() == ["p", "p", "p", None, None, None]
    alone = amending.named(mail.slice(3, 2), amended)
    assert alone["botnet"].to_pylist() == [None, None]
