"""Real mail: no ham is given a botnet, and spam that prints a brand is given its programme."""

from __future__ import annotations

import gzip
import hashlib
import re
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from spamtide.attribution import attribute, load_signatures, scan
from spamtide.knowledge import SHIPPED_SIGNATURES, load_knowledge
from spamtide.message import parse
from spamtide.model import UNKNOWN, RawMessage
from spamtide.observation import observe

SHARE = 8
"""One message in so many, chosen by hash; with 1 it is the whole run of docs/path/attribution.md."""
KEY = bytes(32)


def messages(corpora: Path) -> Iterator[tuple[str, bytes]]:
    """(label, message) of every corpus that has ham."""
    for name in ("csdmc2010.tar.gz", "spamassassin.tar.gz"):
        with tarfile.open(corpora / name) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() else None
                folder = member.name.rpartition("/")[0]
                if file is not None and folder:
                    yield "ham" if "ham" in folder else "spam", file.read()
    for path in sorted((corpora / "vger").glob("*.mbox.gz")):
        for part in re.split(rb"(?m)^From [^\n]*\n", gzip.decompress(path.read_bytes()))[1:]:
            yield "ham" if ".ham." in path.name else "spam", part


@pytest.mark.corpus
def test_no_ham_is_given_a_botnet(
    corpora: Path, as_table: Callable[[list[dict[str, Any]]], pa.Table]
) -> None:
    """At most one false name is allowed over all of it; there is none, nor a false programme."""
    ruleset = load_signatures([SHIPPED_SIGNATURES])
    rows = []
    for label, data in messages(corpora):
        sha256 = hashlib.sha256(data).hexdigest()
        if int(sha256[:8], 16) % SHARE:
            continue
        raw = RawMessage(sha256, "trap", "ham" if label == "ham" else "spam", None, "", data)
        seen = observe(raw, parse(data), key=KEY)
        rows.append(
            {
                "sha256": sha256,
                "sensor": "trap",
                "label": label,
                "received_at": seen.received_at,
                "source_ip": seen.source_ip,
                "link_domains": list(seen.link_domains),
                "rendering": seen.rendering,
            }
        )
    result = scan([row["rendering"] for row in rows], ruleset)
    assert result.failed == 0
    for row, hits in zip(rows, result.hits, strict=True):
        row["rules"] = list(hits)
    answers = attribute(as_table(rows), ruleset, load_knowledge())
    ham = [place for place, row in enumerate(rows) if row["label"] == "ham"]
    assert len(ham) > 13_000 / SHARE
    for kind in ("botnet", "programme"):
        names = answers[kind].to_pylist()
        assert [names[place] for place in ham if names[place] != UNKNOWN] == []
