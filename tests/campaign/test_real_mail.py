"""Campaigns in real mail: pure by exact similarity, whatever the order; other people's letters stay apart."""

from __future__ import annotations

import email
import tarfile
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from spamtide.campaign import CampaignState, cluster
from spamtide.campaign.folding import fold
from spamtide.campaign.similarity import shingle
from spamtide.campaign.words import read_words
from spamtide.model import Observation

pytestmark = pytest.mark.corpus


def letters(corpora: Path, folder: str, planting: SimpleNamespace) -> list[Observation]:
    """Messages with a plain text part, read with the standard library; one a content."""
    found = {}
    with tarfile.open(corpora / "csdmc2010.tar.gz") as archive:
        for member in archive:
            if not member.isfile() or f"{folder}/" not in member.name:
                continue
            stream = archive.extractfile(member)
            assert stream is not None
            message = email.message_from_bytes(stream.read())
            for part in message.walk():
                if part.get_content_type() == "text/plain":
                    payload = part.get_payload(decode=True)
                    text = payload.decode("latin-1") if isinstance(payload, bytes) else ""
                    one = planting.observe(text, str(message.get("Subject", "")))
                    found[one.sha256] = one
                    break
    return list(found.values())


def grouped(table: pa.Table) -> dict[str, list[str]]:
    """Campaign -> contents."""
    memberships = cluster(table, CampaignState.empty()).memberships
    groups: dict[str, list[str]] = defaultdict(list)
    for sha256, campaign in zip(
        *(memberships[name].to_pylist() for name in memberships.column_names), strict=True
    ):
        groups[campaign].append(sha256)
    return groups


def test_campaigns_in_real_spam_are_pure(corpora: Path, planting: SimpleNamespace) -> None:
    """Members of each larger campaign share their words by exact Jaccard, and order changes nothing."""
    spam = letters(corpora, "spam", planting)
    table = planting.tabulate(spam)
    groups = grouped(table)
    backwards = grouped(table.take(pa.array(np.arange(table.num_rows)[::-1].copy())))
    assert {frozenset(one) for one in groups.values()} == {frozenset(one) for one in backwards.values()}
    words = {one.sha256: set(shingle(read_words([fold(one)]), 1)[0].tolist()) for one in spam}
    large = [members for members in groups.values() if len(members) >= 4]
    assert len(large) >= 4
    for members in large:
        shared = [
            len(words[a] & words[b]) / len(words[a] | words[b]) for a, b in combinations(members[:30], 2)
        ]
        assert np.mean(shared) > 0.4


def test_letters_of_real_people_are_no_campaign(corpora: Path, planting: SimpleNamespace) -> None:
    """In mail that people wrote, only quotations and newsletters come together, in small groups."""
    groups = grouped(planting.tabulate(letters(corpora, "ham", planting)))
    sizes = np.array([len(members) for members in groups.values()])
    assert sizes.max() <= 0.01 * sizes.sum()
    assert sizes[sizes > 1].sum() < 0.3 * sizes.sum()
