"""Every corpus ingests in one command, to the exact number; the same again stores nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Ingest = Callable[..., dict[str, Any]]

COUNTS = {
    "csdmc2010.tar.gz": 4327,
    "spamassassin.tar.gz": 6045,
    "phishing-pot-to-2023.tar.gz": 2345,
    "glitchy-419.zip": 202,
    "vger/linux-hams.spam.mbox.gz": 344,
    "vger/linux-parisc.spam.mbox.gz": 540,
    "vger/linux-ppp.spam.mbox.gz": 326,
    "vger/linux-sctp.spam.mbox.gz": 502,
    "vger/linux-hams.ham.mbox.gz": 2010,
    "vger/linux-ppp.ham.mbox.gz": 800,
    "vger/linux-sctp.ham.mbox.gz": 3652,
}
"""Messages in each file, from the corpora's own description."""


@pytest.mark.corpus
@pytest.mark.slow
@pytest.mark.parametrize("name", COUNTS)
def test_a_corpus_ingests_whole_and_only_once(
    name: str, corpora: Path, tmp_path: Path, ingest: Ingest
) -> None:
    label = "ham" if ".ham." in name else "spam"
    first = ingest(tmp_path, "--label", label, corpora / name)

    assert first["stored"] + first["known"] + first["quarantined"] == COUNTS[name]
    assert first["quarantined"] == 0, first["reasons"]

    again = ingest(tmp_path, "--label", label, corpora / name)

    assert again["stored"] == 0
    assert again["known"] == COUNTS[name]
