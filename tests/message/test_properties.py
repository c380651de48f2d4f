"""What holds for any bytes (no exception, bounds, closed defects) and any good mail (the parsers agree)."""

from __future__ import annotations

import email.message
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spamtide.message import DEFECTS, mime, parse
from spamtide.message.charset import decode_text, decode_words
from spamtide.message.header import scan_headers
from spamtide.message.html import read_html
from spamtide.message.text import tidy_lines
from spamtide.message.url import clean_url, urls_in_text
from spamtide.model import Message
from spamtide.settings import Limits

SMALL = Limits(
    headers=5, header_bytes=400, depth=3, parts=6, body_bytes=3000, text_chars=200, html_chars=300, links=3
)

PIECES = st.sampled_from(
    [
        b"Subject: =?utf-8?B?TWFwbGU=?=", b"From: a@b", b"Content-Type: multipart/mixed; boundary=b",
        b"Content-Type: text/html; charset=utf-7", b"Content-Transfer-Encoding: base64", b"TWFwbGU",
        b"<p style='display:none'>x</p>", b"<a href=http://h.example/>", b"http://", b"www.", b"=?x?Q?=ZZ?=",
        b"Content-Type: message/rfc822", b"--b", b"--b--", b"+AAA-", b"\xe2\x80\x8b", b"\xff\xfe",
        b"\r", b"\n", b"\r\n", b"\n\n", b"\0", b" ", b":",
    ]
)  # fmt: skip


def check(message: Message, limits: Limits, size: int) -> None:
    assert set(message.defects) <= set(DEFECTS)
    assert "internal" not in message.defects
    assert list(message.defects) == sorted(set(message.defects))
    assert len(message.headers) <= limits.headers
    assert len(message.text) <= limits.text_chars
    assert len(message.html) <= limits.html_chars
    assert len(message.hidden) <= limits.text_chars
    assert len(message.links) <= limits.links
    assert len(message.parts) <= limits.parts
    assert message.size == size
    for text in (message.subject, message.text, message.hidden, *message.links):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\ud800-\udfff]", text)


@given(st.binary(max_size=2000))
def test_any_bytes(data: bytes) -> None:
    """Any bytes give a message within the bounds."""
    check(parse(data), Limits(), len(data))
    check(parse(data, SMALL), SMALL, len(data))


@given(st.lists(PIECES, max_size=40), st.sampled_from([b"", b"\n", b"\r\n", b" "]))
def test_any_mixture_of_mail(pieces: list[bytes], glue: bytes) -> None:
    """Pieces of mail in any order give a message within the bounds."""
    data = glue.join(pieces)
    check(parse(data), Limits(), len(data))
    check(parse(data, SMALL), SMALL, len(data))


@given(st.binary(max_size=300), st.text(max_size=30))
def test_any_charset(data: bytes, charset: str) -> None:
    """Bytes decode under any claim, to text that can be stored."""
    defects: set[str] = set()
    decode_text(data, charset, defects).encode("utf-8")
    assert defects <= set(DEFECTS)


@pytest.mark.parametrize("charset", ["koi8-r", "windows-1251", "iso-8859-1", "windows-1253"])
@pytest.mark.parametrize("text", ["Скидка на базы", "15 £ für Größe", "Έκπτωση"])
def test_utf_8_under_another_name(text: str, charset: str) -> None:
    """UTF-8 is read as such under another charset's name; what is in that charset, as what it is."""
    assert decode_text(text.encode(), charset, set()) == text
    own = text.encode(charset, "ignore")
    assert decode_text(own, charset, set()) == own.decode(charset)


@given(st.text(max_size=300))
def test_any_header_value(value: str) -> None:
    """Any header value decodes; without encoded words it stays as it is."""
    decoded = decode_words(value, set())
    assert decoded == value or "=?" in value


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_encoded_words_round_trip(text: str) -> None:
    """What the standard library encodes, decodes to itself."""
    encoded = email.header.Header(text, "utf-8", maxlinelen=60).encode(linesep="\n")
    assert decode_words(encoded.replace("\n", ""), set()).split() == text.split()


@given(st.text(max_size=400))
def test_any_html(source: str) -> None:
    """Any HTML can be read, and so can its links."""
    page = read_html(source, 10, set())
    assert all(url.startswith(("http://", "https://")) for url in page.urls)


@given(st.text(max_size=300))
def test_urls_are_clean(text: str) -> None:
    """Every address found has a scheme and a host, and cleaning it again changes nothing."""
    for url in urls_in_text(text):
        assert re.match(r"https?://[^/?#\s]", url)
        assert clean_url(url) == url


@given(st.text(max_size=300))
def test_tidying_twice_is_tidying_once(text: str) -> None:
    """Tidied text is tidy."""
    assert tidy_lines(tidy_lines(text)) == tidy_lines(text)


TOKEN = st.text(
    alphabet="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", min_size=1, max_size=12
)
VALUE = st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)


@given(st.lists(st.tuples(TOKEN, VALUE), min_size=1, max_size=12), st.sampled_from(["\n", "\r\n"]))
def test_headers_keep_order_and_case(fields: list[tuple[str, str]], end: str) -> None:
    """The scan gives every well-formed field back, in order and letter case."""
    block = "".join(f"{name}: {value}{end}" for name, value in fields) + end
    scan = scan_headers(block.encode(), Limits(), set())
    assert [(header.name, header.value) for header in scan.headers] == fields
    assert scan.body == len(block)


WORDS = st.lists(
    st.sampled_from(["Maple", "Meds", "Grüße", "http://h.example/p", "=3D", "--x", "a", "日本"]), max_size=12
)


@st.composite
def well_formed(draw: st.DrawFn) -> bytes:
    """Mail that the standard library wrote: plain, HTML, both, and with files and forwarded mail."""
    plain = " ".join(draw(WORDS)) + "\n"
    message = email.message.EmailMessage()
    message["Subject"] = "Maple Meds"
    cte = draw(st.sampled_from(["quoted-printable", "base64"]))
    message.set_content(plain, cte=cte)
    if draw(st.booleans()):
        page = "<p>" + "</p><p>".join(draw(WORDS)) + "</p><a href='http://shop.example/'>x</a>"
        message.add_alternative(page, subtype="html", cte=cte)
    if draw(st.booleans()):
        message.add_attachment(draw(st.binary(max_size=50)), "application", "zip", filename="ä.zip")
    if draw(st.booleans()):
        inner = email.message.EmailMessage()
        inner.set_content("inner http://inner.example/ text")
        message.add_attachment(inner)
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        if part.get_content_maintype() == "multipart":
            part.set_boundary(f"{number}=_boundary")
    data = message.as_bytes()
    return data.replace(b"\n", b"\r\n") if draw(st.booleans()) else data


@given(well_formed())
@settings(max_examples=150)
def test_both_parsers_agree(data: bytes) -> None:
    """Well-formed mail gives the same message whichever MIME parser read it."""
    fast = parse(data)
    saved, single = mime._fast, mime._single
    mime._fast = lambda *_: None
    mime._single = lambda *_: None
    try:
        slow = parse(data)
    finally:
        mime._fast, mime._single = saved, single
    assert slow.parser == "stdlib"
    assert fast.parser == "fast"
    for name in ("text", "html", "links", "layout", "charset", "encoding", "boundary", "parts", "defects"):
        assert getattr(fast, name) == getattr(slow, name), name
