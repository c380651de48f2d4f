"""The smaller loops of parsing and observing, on generated values: both forms give the same."""

from __future__ import annotations

import string
import tracemalloc
from html import escape as html_escape
from importlib import import_module

import pytest
from forms import header, lure, page, python_alone, redact, rendering, seeing, template, text, url, when
from hypothesis import given, settings
from hypothesis import strategies as st

from spamtide.model import Header, Message

pytestmark = pytest.mark.usefixtures("compiled")

LETTERS = (
    string.ascii_letters + string.digits + " \t\n\r:-_@.=<>&;'\"/\\%?!,+`$#*\f\v\0\x1f\x7f"
    "\x80\x85\xa0é\u3000世\u200b😀"
)
some_text = st.text(alphabet=LETTERS, max_size=200)


@given(some_text)
def test_lines_are_tidied_alike(value: str) -> None:
    """White space of every kind."""
    compiled = text.tidy_lines(value)
    with python_alone():
        assert compiled == text.tidy_lines(value)


FIELDS = (
    "A", "Subject", "To:x\n", "tO", "x-y", ":", " :", "\t", " ", "\n", "\n ", "v", "é", "|", "\n\t\n",
    "From ", ">From ", "\r", "\r\n", "\n\n",
)  # fmt: skip


@given(
    st.lists(st.sampled_from(FIELDS), max_size=40),
    st.integers(0, 60),
)
def test_header_fields_are_scanned_alike(pieces: list[str], header_bytes: int) -> None:
    """Folds, blanks, junk, missing colons, repeats, blocks up to a bound and beyond."""
    data = "".join(pieces).encode("latin-1")
    limits = import_module("spamtide.settings").Limits(headers=5, header_bytes=header_bytes, body_bytes=30)
    defects: tuple[set[str], set[str]] = (set(), set())
    compiled = header.scan_headers(data, limits, defects[0])
    with python_alone():
        assert compiled == header.scan_headers(data, limits, defects[1])
    assert defects[0] == defects[1]


def test_long_names_of_fields_are_not_kept() -> None:
    """Else a sender could fill memory with names of its own."""
    limits = import_module("spamtide.settings").Limits()

    def scan(number: int) -> str:
        data = f"{number}{'x' * 100_000}: v\nDate: w\n\nbody".encode()
        return str(header.scan_headers(data, limits, set()).names[0][:-100_000])

    scan(0)
    tracemalloc.start()
    assert [scan(number) for number in range(40)] == [str(number) for number in range(40)]
    assert tracemalloc.get_traced_memory()[0] < 100_000
    tracemalloc.stop()


SEPARATED = (
    "a", "A", "@", "%40", "%2540", "=40", "=", "%3D", "&#64;", "b.c", "B.C", "d", "x.", "é", "YUBiLmM",
)  # fmt: skip


@settings(max_examples=300)
@given(
    st.frozensets(
        st.sampled_from(["a@b.c", "a@b.cd", "x.a@b.c", "a@", "é@b.c", "b.c@b.c", "a%40@b.c"]),
        min_size=1,
    ),
    st.lists(st.sampled_from(SEPARATED)),
)
def test_recipients_are_redacted_alike(addresses: frozenset[str], pieces: list[str]) -> None:
    """Addresses within addresses, every separator, any letter case."""
    data = "".join(pieces).encode()
    compiled = redact.Redactor(addresses, b"k").in_bytes(data)
    with python_alone():
        assert compiled == redact.Redactor(addresses, b"k").in_bytes(data)


DATES = (
    "Wed, ", " ", "3", "31", "03", "29", " ", " Feb", "NOV", " Foo", " ", "2010", "1900", "2000", "2100", "é",
    " 08:15:30", " 24:00:00", " 9:59", ":60", " +0300", " -0000", " +9999", " EST", "-", ",", "\n",
)  # fmt: skip


@settings(max_examples=500)
@given(st.lists(st.sampled_from(DATES), max_size=9))
def test_dates_are_read_alike(pieces: list[str]) -> None:
    """The usual form, what is nearly so, and days that no month has."""
    for value in ("".join(pieces), f"Wed, 28 Feb 2010 23:59:60 {''.join(pieces)}"):
        compiled = when.read_date(value)
        with python_alone():
            assert compiled == when.read_date(value)


@given(st.lists(st.text(alphabet="htps:/w.WxX@=-& ;,\"'()[]<>\\é\u201d\u3000am", max_size=60), max_size=3))
def test_addresses_in_text_are_found_alike(pieces: list[str]) -> None:
    """Schemes in any letter case, bare names, brackets, references, what ends an address."""
    for value in ("http://a.b/".join(pieces), "HttpS://w?".join(pieces), " www.".join(pieces)):
        compiled = url.urls_in_text(value)
        with python_alone():
            assert compiled == url.urls_in_text(value)


@given(st.text(alphabet="(()))].,a", max_size=60))
def test_brackets_that_an_address_opened_are_kept(end: str) -> None:
    """What closes a sentence is left out one character after the other."""
    expected = end
    while expected and expected[-1] in ").,]":
        if expected[-1] == ")" and expected.count("(") >= expected.count(")"):
            break
        expected = expected[:-1]
    assert url.urls_in_text(f"http://a/{end} b") == [f"http://a/{expected}"]
    with python_alone():
        assert url.urls_in_text(f"http://a/{end} b") == [f"http://a/{expected}"]


ADDRESSES = (
    "http", "https", "HTTP", "://", ":", "/", "//", "\\", "www.", "WWW.", "a", "B", ".", "-", "@", "?", "#",
    "=3D", "=3", " ", "\t", "%3a%2f%2F", "shop.example", "é", "&amp;", "mailto:", "javascript:", "[::1]",
    ":80", "x" * 1890, "~", "\x7f",
)  # fmt: skip


@settings(max_examples=500)
@given(st.lists(st.lists(st.sampled_from(ADDRESSES), max_size=9), max_size=4))
def test_addresses_are_cleaned_and_their_hosts_found_alike(values: list[list[str]]) -> None:
    """Schemes and hosts in any letter case, rubbish before and within, addresses that carry another."""
    links = tuple("".join(pieces) for pieces in values)
    quoted = "".join(f'<a href="{html_escape(link)}">x</a>' for link in links)
    compiled = page(quoted), lure.link_hosts(links)
    with python_alone():
        assert compiled == (page(quoted), lure.link_hosts(links))


@given(
    st.lists(
        st.sampled_from(
            ["from x", " for ", "rfc822;", "<", ">", "a", "b.c", "@", ";", " ", "(", "é", "x" * 319]
        )
    )
)
def test_recipients_in_traces_are_found_alike(pieces: list[str]) -> None:
    """Marks in a row, long names, brackets that never close."""
    received = ["".join(pieces), "by y for <a@b.c>; " + "".join(pieces)]
    compiled = redact.recipients_of((), received, ())
    with python_alone():
        assert compiled == redact.recipients_of((), received, ())


@given(st.lists(st.tuples(st.sampled_from(["A", "Received", "RECEIVED", "É", "K", ""]), some_text)))
def test_fields_are_put_into_columns_alike(fields: list[tuple[str, str]]) -> None:
    """Names that repeat, in any letter case, known and never met before."""
    headers = tuple(Header(name, value, "") for name, value in fields)
    compiled = seeing._columns(headers)
    with python_alone():
        assert compiled == seeing._columns(headers)


@given(st.text(alphabet="a\n\r\t", max_size=20), st.integers(0, 3), st.integers(0, 20))
def test_blank_lines_are_found_as_the_pattern_finds_them(value: str, start: int, stop: int) -> None:
    """Line ends of every kind, before and behind the bounds."""
    data = value.encode()
    match = header._BLANK_LINE.search(data, start, stop)
    assert header._blank_line(data, start, stop) == (match.span() if match else (-1, -1))


@given(value=some_text, sized=st.booleans())
def test_shapes_are_alike(value: str, *, sized: bool) -> None:
    """Runs, classes and literals."""
    for one in (value, f"{value}NextPart{value[:3]}"):
        compiled = template._shape(one, sized=sized)
        with python_alone():
            assert compiled == template._shape(one, sized=sized)


@given(st.lists(some_text, max_size=4), st.lists(st.tuples(some_text, some_text), max_size=4), some_text)
def test_renderings_are_alike(above: list[str], fields: list[tuple[str, str]], visible: str) -> None:
    """Line ends inside lines, control characters, characters of every width."""
    message = Message((), visible[:20], visible, "", "", tuple(above), "", "", "", "", (), 0, (), "none")
    names, values = [name for name, _ in fields], [value for _, value in fields]
    frame = rendering.Frame("1.2.3.4", "helo", "A,B", "t")
    compiled = rendering.render(above, message, names, values, frame)
    with python_alone():
        assert compiled == rendering.render(above, message, names, values, frame)
