"""All the real mail at hand is parsed and observed: nothing raised, nothing leaked, addresses found."""

from __future__ import annotations

import collections
import gzip
import hashlib
import re
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from spamtide.message import DEFECTS, parse
from spamtide.model import Message, Observation, RawMessage
from spamtide.observation import observe
from spamtide.observation.redact import RECIPIENT_FIELDS, recipients_of
from spamtide.observation.relay import canonical

pytestmark = [pytest.mark.corpus, pytest.mark.slow]
KEY = b"a key for tests"
OPERATORS = {"sha256", "sensor", "recipients"}
"""Fields that do not come from the message."""


def archive(path: Path) -> Iterator[bytes]:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as members:
            yield from (members.read(name) for name in members.namelist() if name.endswith(".eml"))
        return
    with tarfile.open(path) as members:
        for member in members:
            stream = members.extractfile(member)
            if stream:
                yield stream.read()


def mbox(path: Path) -> Iterator[bytes]:
    data = gzip.decompress(path.read_bytes())
    for message in re.split(rb"(?m)^From (?=.*\d{4}$)", data)[1:]:
        yield message.partition(b"\n")[2]


CORPORA = {
    "csdmc2010": ("csdmc2010.tar.gz", 4327, 0.98),
    "spamassassin": ("spamassassin.tar.gz", 6045, 0.97),
    "phishing-pot": ("phishing-pot-to-2023.tar.gz", 2345, 1.0),
    "glitchy-419": ("glitchy-419.zip", 202, 0.99),
    "vger": ("vger", 8174, 1.0),
}
"""Name -> file, messages, least share whose time comes from a Received header."""


def read(corpora: Path, name: str) -> Iterator[bytes]:
    path = corpora / CORPORA[name][0]
    if path.is_dir():
        for file in sorted(path.glob("*.mbox.gz")):
            yield from mbox(file)
    else:
        yield from archive(path)


def left_over(message: Message, seen: Observation) -> set[str]:
    """Recipients' addresses that can still be read in an observation."""
    values = [header.value for header in message.headers if header.name.lower() in RECIPIENT_FIELDS]
    received = [header.value for header in message.headers if header.name.lower() == "received"]
    text = "\n".join(str(getattr(seen, field.name)) for field in fields(seen) if field.name not in OPERATORS)
    text = text.lower()
    return {address for address in recipients_of(values, received, ()) if address in text}


class Seen(NamedTuple):
    """What is asked of one message's observation."""

    defects: set[str]
    left_over: set[str]
    received_at_from: str
    source_ip: str | None
    written: str | None
    """The client's address as Outlook.com wrote it down."""


@cache
def seen_in(corpora: Path, name: str) -> list[Seen]:
    """Every message of a corpus, observed once for the tests that ask."""
    found = []
    for data in read(corpora, name):
        message = parse(data)
        seen = observe(
            RawMessage(hashlib.sha256(data).hexdigest(), name, "spam", None, name, data), message, key=KEY
        )
        written = next((header.value for header in message.headers if header.name == "X-Sender-IP"), None)
        found.append(
            Seen(set(seen.defects), left_over(message, seen), seen.received_at_from, seen.source_ip, written)
        )
    return found


@pytest.mark.parametrize("name", CORPORA)
def test_all_of_it(corpora: Path, name: str) -> None:
    """Every message gives an observation without a fault of ours, and no recipient is left in it."""
    _, expected, share = CORPORA[name]
    found = seen_in(corpora, name)
    for seen in found:
        assert seen.defects <= set(DEFECTS) - {"internal", "unparsable"}
        assert not seen.left_over
    assert len(found) == expected
    assert sum(seen.received_at_from == "received" for seen in found) >= share * expected


def test_injecting_address_against_the_receivers_own_word(corpora: Path) -> None:
    """On the mail that Outlook.com received, the address found is the one that Outlook.com wrote down."""
    told = [seen for seen in seen_in(corpora, "phishing-pot") if seen.written is not None]
    assert [seen.source_ip for seen in told] == [canonical(seen.written or "") for seen in told]
    assert len(told) == 2215


def test_the_lists_receiving_relays(corpora: Path) -> None:
    """On the vger lists the relay that met the stranger changes in November 2023, and is always found."""
    relays: dict[bool, collections.Counter[str | None]] = {
        True: collections.Counter(),
        False: collections.Counter(),
    }
    for data in mbox(corpora / "vger" / "linux-ppp.spam.mbox.gz"):
        seen = observe(RawMessage("0", "ppp", "spam", None, "", data), parse(data), key=KEY)
        if seen.source_ip and seen.received_at:
            relays[seen.received_at.strftime("%Y-%m-%d") < "2023-11-15"][seen.relay] += 1
    assert {relay for relay, count in relays[True].items() if count > 5} == {
        "vger.kernel.org", "lindbergh.monkeyblade.net",
    }  # fmt: skip
    assert set(relays[False]) == {"smtp.subspace.kernel.org"}
