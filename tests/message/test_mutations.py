"""A thousand ways to break a message: none raises, none takes long, and what is wrong has a name."""

from __future__ import annotations

import base64
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spamtide.message import DEFECTS, parse
from spamtide.settings import Limits

LIMITS = Limits()
SEED = 20100406
CORPUS = Path(__file__).parent / "corpus"


def nested(depth: int) -> bytes:
    head = b"Subject: deep\nContent-Type: multipart/mixed; boundary=b0\n\n"
    parts = [b"--b%dx\nContent-Type: multipart/mixed; boundary=b%dx\n\n" % (n, n + 1) for n in range(depth)]
    return head.replace(b"b0", b"b0x") + b"".join(parts) + b"--b%dx\n\ncore\n" % depth


def flips(data: bytes, luck: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(luck.randint(1, 20)):
        damaged[luck.randrange(len(damaged))] ^= 1 << luck.randrange(8)
    return bytes(damaged)


def cut(data: bytes, luck: random.Random) -> bytes:
    return data[: luck.randrange(len(data))]


def doubled(data: bytes, luck: random.Random) -> bytes:
    start = luck.randrange(len(data))
    return data[:start] + data[start : start + luck.randint(1, 200)] * luck.randint(2, 30) + data[start:]


def nuls(data: bytes, luck: random.Random) -> bytes:
    at = luck.randrange(len(data))
    return data[:at] + b"\0" * luck.randint(1, 50) + data[at:]


def line_ends(data: bytes, luck: random.Random) -> bytes:
    return b"".join(
        bytes([byte]) if byte != 10 else luck.choice([b"\n", b"\r\n", b"\r", b"\n\n", b""]) for byte in data
    )


def charsets(data: bytes, luck: random.Random) -> bytes:
    name = luck.choice([b"idna", b"utf-7", b"utf-16", b"x-none", b"punycode", b"hz", b"", b"\xff", b"rot13"])
    return data.replace(b"utf-8", name).replace(b"us-ascii", name).replace(b"iso-8859-1", name)


def shuffled(data: bytes, luck: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    luck.shuffle(lines)
    return b"".join(lines)


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    flips, cut, doubled, nuls, line_ends, charsets, shuffled,
)  # fmt: skip


def mutants(count: int) -> Iterator[bytes]:
    luck = random.Random(SEED)
    seeds = [data for path in sorted(CORPUS.glob("*.eml")) if (data := path.read_bytes())]
    for _ in range(count):
        data = luck.choice(seeds)
        for mutate in luck.sample(MUTATIONS, luck.randint(1, 3)):
            data = mutate(data, luck) or b"x"
        yield data


def parse_timely(data: bytes) -> tuple[str, ...]:
    """Parse under the time that one message may take; names of its defects."""
    begun = time.process_time()
    message = parse(data, LIMITS)
    assert time.process_time() - begun < LIMITS.seconds
    assert set(message.defects) <= set(DEFECTS)
    assert "internal" not in message.defects
    return message.defects


def test_a_thousand_mutants() -> None:
    """A thousand seeded mutants of the golden messages are parsed in time, and most have named defects."""
    named = [bool(parse_timely(data)) for data in mutants(1000)]
    assert len(named) == 1000
    assert sum(named) > 700


HEAD = b"From: a@b.example\nSubject: s\n"
HTML = HEAD + b"Content-Type: text/html\n\n"
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n"
MEGABYTE = 2**20

MONSTERS: dict[str, tuple[bytes, set[str]]] = {
    "empty": (b"", {"empty"}),
    "one byte": (b"\0", {"nul", "no-headers"}),
    "nested 200 deep": (nested(200), {"too-deep"}),
    "nested 2000 deep": (nested(2000), set()),
    "10,000 headers": (b"".join(b"X-%d: v\n" % n for n in range(10_000)) + b"\nbody", {"too-many-headers"}),
    "header block of 2 MB": (b"X: " + b"y" * 2 * MEGABYTE + b"\nSubject: s\n\nbody", {"headers-too-long"}),
    "one header folded 100,000 times": (b"X: a" + b"\n b" * 100_000 + b"\n\nbody", {"headers-too-long"}),
    "50 MB of one line": (HEAD + b"\n" + b"x" * 50 * MEGABYTE, {"body-too-long", "text-too-long"}),
    "50 MB of empty lines": (HEAD + b"\n" + b"\n" * 50 * MEGABYTE, {"body-too-long"}),
    "50 MB attachment": (
        MIXED + b"--b\nContent-Type: application/zip\nContent-Transfer-Encoding: base64\n\n"
        + base64.b64encode(b"z" * 38 * MEGABYTE) + b"\n--b--\n",
        {"body-too-long"},
    ),
    "no header end in 50 MB": (b"A: b\n" * (10 * MEGABYTE), {"headers-too-long", "too-many-headers"}),
    "800,000 parts": (MIXED + b"--b\n\n" * 800_000, {"too-many-parts"}),
    "300 parts": (MIXED + b"--b\n\nx\n" * 300 + b"--b--\n", {"too-many-parts"}),
    "100,000 open tags": (HTML + b"<div>" * 100_000 + b"core", {"html-too-deep"}),
    "wide": (HTML + b"<p" + b"".join(map(b" a%d".__mod__, range(90_000))) + b">x", {"html-too-deep"}),
    "closed before opened": (HTML + b"</div>" * 40_000 + b"<div>" * 40_000, {"html-too-deep"}),
    "deep, then wide": (HTML + b"<div>" * 510 + b"<p>x" * 100_000, set()),
    "bold and paragraphs": (HTML + b"<b><p>" * 60_000, {"html-too-deep"}),
    "tables in tables": (HTML + b"<table><tr><td>" * 30_000, {"html-too-deep"}),
    "an endless attribute": (HTML + b'<a href="' + b"x" * 500_000, set()),
    "less-than signs": (HTML + b"<" * 500_000, set()),
    "hidden in hidden": (HTML + b"<p hidden style='display:none'>x" * 15_000, set()),
    "many white fonts": (HTML + b"<font color=white>x</font>" * 15_000, set()),
    "a wide font colour": (HTML + b"<font color=" + b" " * 400_000, set()),
    "a wide refresh": (HTML + b'<meta http-equiv=refresh content="0;url=' + b" " * 400_000 + b'">', set()),
    "wide attributes, deep": (HTML + b"<div>" * 3000 + b"a=" + b" " * 400_000, {"html-too-deep"}),
    "a wide style": (HTML + b"<p style=" + b" " * 200_000 + b"'color" + b" " * 200_000 + b"'>", set()),
    "wide parameters": (HEAD + b"Content-Type: text/plain; charset" + b" " * 200_000 + b"x\n\nx", set()),
    "a wide address": (HEAD + b"\nhttp://" + b" " * 50_000 + b"http://a" + b"." * 40_000, set()),
    "many links": (
        HEAD + b"\n" + b"".join(b"http://h%d.example/ " % n for n in range(5000)), {"too-many-links"},
    ),
    "scheme upon scheme": (HEAD + b"\n" + b"http://" * 20_000, set()),
    "closing brackets": (HEAD + b"\n" + (b"http://a" + b")" * 1900 + b" ") * 50, set()),
    "encoded words": (b"Subject: " + b"=?utf-8?Q?a?= " * 20_000 + b"\n\nx", set()),
    "begun encoded words": (b"Subject: " + b"=?a?Q?" * 40_000 + b"\n\nx", {"encoded-word"}),
    "parameters": (HEAD + b"Content-Type: text/plain;" + b" a=b;" * 40_000 + b"\n\nx", set()),
    "spaces": (HEAD + b"\n" + b" " * 90_000 + b"\n" + b"\t \n" * 30_000, set()),
    "utf-7 surrogates": (HEAD + b"Content-Type: text/plain; charset=utf-7\n\n+2AA-" * 100, set()),
    "dashes": (MIXED + b"--" * MEGABYTE, set()),
    "base64 of nothing": (HEAD + b"Content-Transfer-Encoding: base64\n\n" + b"=" * MEGABYTE, set()),
    "soft breaks": (HEAD + b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=\n" * MEGABYTE, set()),
    "4 MB for the slow parser": (
        MIXED + b"--b\nContent-Transfer-Encoding: x-uue\n\n" + b"\n" * 4 * MEGABYTE, {"unknown-encoding"},
    ),
    "deep for the slow parser": (nested(15) + b"Content-Transfer-Encoding: x\n\n" + b"y\n" * MEGABYTE, set()),
}  # fmt: skip


@pytest.mark.parametrize("name", MONSTERS)
def test_monsters(name: str) -> None:
    """Input made to cost time or memory stays within the time that one message may take, and is named."""
    data, expected = MONSTERS[name]
    assert expected <= set(parse_timely(data)), name


def test_every_defect_is_met() -> None:
    """Each name of the table is given to some golden message or monster; only faults of our own are not."""
    met: set[str] = set()
    for data in [path.read_bytes() for path in CORPUS.glob("*.eml")] + [
        data for data, _ in MONSTERS.values()
    ]:
        met |= set(parse(data).defects)
    assert set(DEFECTS) - met == {"internal"}


def test_a_fault_of_our_own_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the parser's own code fail, the message is kept still, with the defect 'internal'."""
    monkeypatch.setattr(sys.modules["spamtide.message.parse"], "read_body", None)
    message = parse(HEAD + b"\nbody")
    assert message.defects == ("internal",)
    assert message.size == len(HEAD) + 5


def test_the_page_lists_every_defect() -> None:
    """The page of this stage holds the table of defects as it is."""
    page = (Path(__file__).parents[2] / "docs" / "path" / "message.md").read_text(encoding="utf-8")
    rows = [f"| `{name}` | {meaning} |" for name, meaning in DEFECTS.items()]
    assert "\n".join(rows) in page
