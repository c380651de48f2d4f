"""Exact counts on the real corpora, against two oracles."""

from __future__ import annotations

import gzip
import mailbox
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.corpus

MBOXES = {
    "linux-hams.spam.mbox.gz": 344,
    "linux-parisc.spam.mbox.gz": 540,
    "linux-ppp.spam.mbox.gz": 326,
    "linux-sctp.spam.mbox.gz": 502,
    "linux-hams.ham.mbox.gz": 2010,
    "linux-ppp.ham.mbox.gz": 800,
    "linux-sctp.ham.mbox.gz": 3652,
}
ARCHIVES = {
    "csdmc2010.tar.gz": 4327,
    "spamassassin.tar.gz": 6045,
    "phishing-pot-to-2023.tar.gz": 2345,
    "glitchy-419.zip": 202,
}


@pytest.mark.parametrize("name", MBOXES)
def test_mboxes_hold_what_their_readme_says(corpora: Path, tmp_path: Path, read: Callable, name: str) -> None:
    """The count is exact, and equal to the From_ lines and to the standard library's; so are the messages."""
    outcome = read(corpora / "vger" / name)
    assert (len(outcome.messages), outcome.unreadable, outcome.error) == (MBOXES[name], [], None)
    assert {m.sensor for m in outcome.messages} == {name.split(".", maxsplit=1)[0]}
    assert all(m.envelope.received_at for m in outcome.messages)
    plain = gzip.decompress((corpora / "vger" / name).read_bytes())
    assert len(re.findall(rb"^From ", plain, re.MULTILINE)) == MBOXES[name]
    path = tmp_path / "plain.mbox"
    path.write_bytes(plain)
    oracle = mailbox.mbox(path)
    # The library keeps the quoting that is undone here, and the same one line end at the end goes.
    theirs = [re.sub(rb"(?m)^>(>*From )", rb"\1", oracle.get_bytes(key)) for key in oracle.iterkeys()]
    oracle.close()
    assert [m.data for m in outcome.messages] == theirs


@pytest.mark.parametrize("name", ARCHIVES)
def test_archives_hold_what_their_readme_says(corpora: Path, read: Callable, name: str) -> None:
    """Every member is one message; none is passed over, none is split."""
    outcome = read(corpora / name)
    assert (len(outcome.messages), outcome.unreadable, outcome.error) == (ARCHIVES[name], [], None)
    assert {m.sensor for m in outcome.messages} == {name.split(".", maxsplit=1)[0]}
    assert max(Counter(m.source.partition("#")[0] for m in outcome.messages).values()) == 1


def test_one_archive_is_read_twice_under_two_labels(corpora: Path, read: Callable) -> None:
    """CSDMC's two folders."""
    path = corpora / "csdmc2010.tar.gz"
    assert len(read(path, members="spam/*").messages) == 1378
    assert len(read(path, members="ham/*", label="ham").messages) == 2949
