"""The compiled form gives what the Python gives: generated, damaged and real mail, markup meant to differ."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape as html_escape
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spamtide.compiled import native
from spamtide.model import Header, Message, Observation, RawMessage, Sketch

USERS = tuple(
    import_module(f"spamtide.{name}")
    for name in (
        "message.html", "message.header", "message.text", "message.url", "observation.redact",
        "observation.rendering", "observation.template", "observation.when", "observation.lure",
        "observation.observe", "campaign.folding", "campaign.words", "attribution.brand_index",
    )
)  # fmt: skip
html, header, text, url, redact, rendering, template, when, lure, seeing, folding, words, brands = USERS
parse = import_module("spamtide.message").parse
observe = import_module("spamtide.observation").observe
sketch = import_module("spamtide.campaign").sketch

pytestmark = pytest.mark.usefixtures("compiled")


@contextmanager
def python_alone() -> Iterator[None]:
    """Everything by the Python."""
    for user in USERS:
        user.native = None
    try:
        yield
    finally:
        for user in USERS:
            user.native = native


def read(data: bytes) -> tuple[Message, Observation, Sketch]:
    """All that is made of one message."""
    message = parse(data)
    seen = observe(RawMessage("0" * 64, "s", "spam", None, "s", data), message, key=b"k")
    return message, seen, sketch([seen])[0]


def assert_same(data: bytes) -> None:
    """Both forms make the same of one message."""
    compiled = read(data)
    with python_alone():
        plain = read(data)
    assert compiled[:2] == plain[:2]
    assert compiled[2].minhash.tolist() == plain[2].minhash.tolist()
    assert compiled[2].shingles == plain[2].shingles


# ---------------------------------------------------------------------------- pages

TAGS = (
    "a", "b", "i", "p", "br", "div", "td", "tr", "th", "table", "tbody", "thead", "tfoot", "caption",
    "col", "colgroup", "font", "span", "center", "form", "input", "img", "li", "ul", "option", "h1",
    "pre", "style", "script", "title", "head", "body", "html", "meta", "link", "hr", "o:p", "nobr",
    "blockquote", "td:x", "center", "em", "big", "select",
)  # fmt: skip
ODD = ("svg", "template", "textarea", "iframe", "object", "noscript", "frameset", "image", "xmp")
ATTRIBUTES = (
    "", " href=http://a.b/c", " href='http://a.b/?x=1&amp;y=2&copy=3'", ' src="//www.x.y/ z"',
    " alt='A &eacute; b'", " title=t", " src=http://i.j/k alt=''", " background=http://b.g/",
    " action=http://f.g/", " bgcolor=red", " bgcolor='#ffffff'", " color=white", " color='#FFFFFF'",
    " size=-5", " size=+1", " class=c", " hidden", " style='display:none'", " style=color:white",
    " style='color:#fff;background:blue'",
    " style=font-size:12px", " bgcolor=navy", " style='background:#fefefe'",
    " href='http://a.b/<br>c'", ' src="http://a.b/<td><td>"', " alt='a<p>b' src=x", " class='<br>'",
    " color=' white'", " size=0",
    " size='-5 '", " color='rgb(255,255,255)' style=x", " style='color:&#35;fff'",
    " content='0; url=http://r.s/' http-equiv=refresh", " ==x", " a='<br>'", " /", " href=", ' href="',
    " type=hidden", " HREF=HTTP://UP.PER/", " href=http://first/ href=http://second/",
)  # fmt: skip
TEXTS = (
    "word", " ", "\n", "\r\n", "two words", "&nbsp;", "&amp;", "&copy", "&copyx;", "&notit;", "&#64;",
    "&#x92;", "&#0;", "&#xD800;", "&#12;", "&#13;", "&zzz;", "&", "<", "< b", "</", "<>", "</>", "<!x>",
    "<?y>", "<!-- c -->", "<!-->", "<!--- - -->", "--!>", ">", "é", "\u00a0", "\u2003", "\u200b",
    "\ufeff", "世界", "\x85", "\f", "\v", "\x1c", "@", "<!doctype html>", "<![if x]>", ".c{display:none}",
    "/* }", "<!--", "\x00",
)  # fmt: skip


WHOLE = (
    "<font color=white>sky</font>", "<font size=-6>&nbsp;x &copy;</font>", "<td style='color:white'>x</td>",
    "<span style='display:none'> a\n b </span>", "<p style=color:#fff;>gone</p>", "</td></tr><font><tr><td>",
    "<table><center>\n<tr><td>", "</tr><font face=a><center> <td>", "<select><option>a<option>b</select>",
    "<div style='background:white;color:white'>w</div >", "<!--- x -->", "<!---->", "<body bgcolor=red>",
    "<tr><td bgcolor=red><font color=white>seen</font>", "<b class=c><font color=white>seen</font></b>",
)  # fmt: skip


def mild_soup(rng: random.Random, pieces: int) -> str:
    """Mostly what is well formed, so that more of it is read without a tree."""
    tags = ("b", "i", "p", "br", "div", "tr", "td", "table", "font", "span", "center")
    found: list[str] = []
    for _ in range(pieces):
        kind, tag = rng.random(), rng.choice(tags)
        if kind < 0.3:
            found.append(rng.choice(WHOLE))
        elif kind < 0.5:
            found.append(f"<{tag}{rng.choice(ATTRIBUTES) if rng.random() < 0.2 else ''}>")
        elif kind < 0.65:
            found.append(f"</{tag}>")
        else:
            found.append(rng.choice(("<table><tr><td>", "</td></tr></table>", "<br>", " ", *TEXTS[:14])))
    return "".join(found)


def soup(rng: random.Random, pieces: int) -> str:
    """Tags and texts in any order, as they are met in spam and worse."""
    if rng.random() < 0.5:
        return mild_soup(rng, pieces)
    found: list[str] = []
    for _ in range(pieces):
        kind = rng.random()
        tag = rng.choice(ODD) if kind < 0.01 else rng.choice(TAGS)
        tag = tag.upper() if rng.random() < 0.2 else tag
        if kind < 0.45:
            attributes = "".join(rng.choice(ATTRIBUTES) for _ in range(rng.choice((0, 0, 1, 1, 2))))
            found.append(f"<{tag}{attributes}>")
        elif kind < 0.7:
            found.append(f"</{tag}>")
        elif kind < 0.74:
            found.append("<table><tr><td>")
        elif kind < 0.76:
            found.append(rng.choice(WHOLE))
        elif kind < 0.8:
            found.append("</td></tr></table>")
        else:
            found.append(rng.choice(TEXTS))
    return "".join(found)


def page(source: str) -> tuple[str, str, dict[str, None]]:
    """What a page holds; of repeated addresses the first counts, for elements are copied by the tree."""
    found = html.read_html(source, 50, set())
    return found.text, found.hidden, dict.fromkeys(found.urls)


@pytest.mark.parametrize("seed", range(8))
def test_pages_read_without_a_tree_say_what_the_tree_says(seed: int) -> None:
    """Thousands of soups; a share of them is really read without a tree."""
    rng = random.Random(seed)
    plain = 0
    for _ in range(1500):
        source = soup(rng, rng.choice((3, 6, 12, 40)))
        compiled = page(source)
        plain += html._read_plain(source, 50) is not None
        with python_alone():
            assert compiled == page(source), source
    assert plain > 300


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>a<td>b<th>c", "abc"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>d", "a b\nc\nd"),
        ("x<script><!-- </p> //--></script>y<title>no</title>z", "xyz"),
        ("a&ampb &ampersand; &#x26;", "a&b &ersand; &"),
        ("<select><option>a<option>b</select>", "a\nb"),
        ("a<font color=white>not seen</font>b", "ab"),
        ("<table><tr><td>a</td></tr><center>\n<tr><td>b</table>", "a\nb"),
    ],
)
def test_plain_pages_by_hand(source: str, expected: str) -> None:
    """What is meant, not just what lexbor does."""
    found = html._read_plain(source, 50)
    assert found is not None
    assert found.text == expected


@pytest.mark.parametrize(
    "source",
    [
        "<table>moved<tr><td>a",
        "<table><tr><b>moved</b><td>a",
        "<p style=display:none>a",
        "<font color=white>a",
        "<font size=-5>a",
        "<style>.c{display:none}</style><p class=c>a",
        "<p hidden>a",
        "<select><option>a<input></select>",
        "<font color=white>a<b>c</b></font>",
        "<div class=c><font color=white>a</font></div>",
        "<table><td>a</td><font></font>",
        "<a href='unclosed>a",
        "<!-- unclosed",
        "<body><p><body background=http://a.b/>",
    ],
)
def test_what_needs_the_tree_is_left_to_it(source: str) -> None:
    """A doubt is never decided by the compiled form."""
    assert html._read_plain(source, 50) is None


# ---------------------------------------------------------------------------- the smaller loops

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


@given(st.text(alphabet="ab\u0dff\u0e00\u0e7f\u0e80\u3040ー\u3100\u3400\u4dc0世\ua000😀\u200bK", max_size=5))
def test_scripts_without_spaces_are_told_alike(value: str) -> None:
    """First and last characters of each range."""
    compiled = folding._fold_unicode(value)
    with python_alone():
        assert compiled == folding._fold_unicode(value)


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


GREETED = (
    "Dear", "hello", " ", " ", "Mr.", "dr", "Anna", "rcpt.", "rcpt.12ab", "@", "x.y-z", "ab", ",", ":", "!",
    "\n", "\t", "\x1c", "\ntext:", "é", "уважаемый", "世", "attn", "good day", "HI", "hit", "-",
)  # fmt: skip


@settings(max_examples=500)
@given(st.lists(st.sampled_from(GREETED), max_size=30), st.lists(st.sampled_from(GREETED), max_size=8))
def test_texts_are_folded_alike(pieces: list[str], subject: list[str]) -> None:
    """Greetings, tokens that stand for recipients, texts that are longer than what is compared."""

    class Shown:
        def __init__(self, subject: str, rendering: str) -> None:
            self.subject, self.rendering = subject, rendering

    visible, title = "".join(pieces), "".join(subject)
    for one in (
        Shown(title, f"header A: é\ntext:\n{visible}"),
        Shown(title * 400, f"text:\ntext:{'x' * 3990}{visible}"),
        Shown(title, "Ü\ntext:\n" + "word rcpt.0f@a.b " * 20 + visible + "z" * 4000 + "é"),
        Shown(title, visible),
    ):
        compiled = folding.fold(one)
        with python_alone():
            assert compiled == folding.fold(one)


PIECES = (
    "viagra", "V1@gra", "vvii agra", "argaiv", "canadian", "c a n a d i a n", "rx", "pills", "soft", "tabs",
    " ", "\u0430", "\u200b", "é", "世", "😀", "\ud800", "x" * 40, "cialis", "1",
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12), st.integers(1, 150))
def test_disguised_wording_is_missed_by_neither(pieces: list[str], wordings: int) -> None:
    """Few and many wordings, forwards, backwards, dressed; texts longer than the compiled form's own room."""
    wording_of = import_module("spamtide.attribution.brand_words").wording_of
    said = [
        "viagra soft tabs",
        "canadian pills",
        "viagra",
        "cialis",
        *(f"made{n:x}wording" for n in range(wordings)),
    ]
    index = brands.Index([one for text in said if (one := wording_of(text, cased=False))])
    for value in ("".join(pieces), "zq" * 5000 + "".join(pieces)):
        compiled = index.places(value)
        with python_alone():
            assert sorted(compiled, key=repr) == sorted(index.places(value), key=repr)


@given(some_text, st.booleans())
def test_shapes_are_alike(value: str, sized: bool) -> None:  # noqa: FBT001 - generated
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


WORDS = (
    "word", "of", "buy", "v.i.a.g.r.a", "12.50", "100mg", "xkcdqwrt", "a@b.cc", "http://x.yz", "\n",
    " ", "é", "世", "\u200b", "😀", "lengthened", "extraordinary", "0" * 30, "q" * 30, "\x02", "\x7f", "..",
    "a1b2",
)  # fmt: skip


@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=60), max_size=4))
def test_words_are_alike(texts: list[list[str]]) -> None:
    """Numbers, addresses, random words, padding, repeats, all of a batch."""
    folded = [" ".join(pieces).encode() for pieces in texts]
    compiled = words.read_words(folded)
    with python_alone():
        plain = words.read_words(folded)
    assert compiled.hashes.tolist() == plain.hashes.tolist()
    assert compiled.text.tolist() == plain.text.tolist()


# ---------------------------------------------------------------------------- whole messages


def test_golden_messages_are_read_alike() -> None:
    """Every golden message, whole and cut at many places."""
    paths = sorted((Path(__file__).parent / "message" / "corpus").glob("*.eml"))
    assert paths
    rng = random.Random(5)
    for path in paths:
        data = path.read_bytes()
        assert_same(data)
        for _ in range(8):
            assert_same(damaged(data, rng))


def damaged(data: bytes, rng: random.Random) -> bytes:
    """A message with markup, line ends and rubbish written into it, and pieces lost."""
    bytes_now = bytearray(data[: 1 << 16])
    for _ in range(rng.randint(1, 20)):
        at = rng.randrange(len(bytes_now) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            del bytes_now[at : at + rng.randint(1, 30)]
        elif kind == 1:
            bytes_now[at:at] = soup(rng, 2).encode("utf-8")
        elif kind == 2:
            bytes_now[at:at] = rng.choice(
                (b"\r\n", b"\n ", b"\n\t\n", b"\0", b"\xa0", b"\xc2\x85", b"=\n", b"@")
            )
        else:
            bytes_now[at:at] = bytes_now[rng.randrange(len(bytes_now) + 1) :][: rng.randint(1, 200)]
    return bytes(bytes_now)


@pytest.mark.slow
@pytest.mark.corpus
def test_real_mail_is_read_alike(corpora: Path) -> None:
    """A few hundred real messages, whole and damaged."""
    collect = import_module("spamtide.collector").collect
    rng = random.Random(11)
    for name in ("csdmc2010.tar.gz", "phishing-pot-to-2023.tar.gz"):
        raws = [raw for raw in collect([str(corpora / name)]) if isinstance(raw, RawMessage)]
        for raw in rng.sample(raws, 250):
            assert_same(raw.data)
            assert_same(damaged(raw.data, rng))


def test_dates_and_wandering_are_reckoned_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the bit: every operation is the same one."""
    date, wandering = (import_module(f"spamtide.change.{name}") for name in ("date", "wander"))
    rng = np.random.default_rng(8)
    count = rng.poisson(np.where(np.arange(120) < 60, 80.0, 30.0) * rng.gamma(8.0, 1 / 8, 120)).astype(float)
    offset = np.where(np.arange(120) % 37 == 20, 0.0, rng.uniform(0.8, 1.2, 120))
    rows, points = 5, len(wandering.GRID)
    log = np.where(rng.random((rows, 61)) < 0.1, np.nan, rng.normal(3.0, 0.3, (rows, 61)))
    fresh = rng.random((rows, 61)) < 0.05
    after = np.cumsum(rng.random((rows, 61)) < 0.02, axis=1) % 2.0
    noise, uneven = rng.uniform(0.001, 0.1, (rows, 61)), rng.uniform(0.001, 0.1, (rows, points))
    memory, spread = wandering.GRID[:, 0].copy(), wandering.GRID[:, 1] ** 2

    def reckoned() -> list[bytes]:
        found = [
            date.ramp_posterior(count, offset, 8.0, (60, 61), (0, 120), residuals)[1]
            for residuals in (date.RESIDUALS, date.SHALLOW_RESIDUALS)
        ]
        found += wandering._run(log, noise, uneven, fresh, after, memory, spread)
        return [one.tobytes() for one in found]

    compiled = reckoned()
    monkeypatch.setattr(date, "native", None)
    monkeypatch.setattr(wandering, "native", None)
    assert reckoned() == compiled


def test_arrays_of_other_shapes_are_refused() -> None:
    """Nothing is read or written beyond an array."""
    assert native is not None
    with pytest.raises(ValueError, match="shapes"):
        native.paths(np.ones((12, 3, 2)), np.array([2, 2, 2]), np.ones((3, 2, 2)), 2, 2)
    arrays = [np.ones(3), *(np.ones(1) for _ in range(8)), np.ones(3), np.ones(6)]

    def follow(arrays: list[np.ndarray], stop: int) -> None:
        native.follow(tuple(arrays[:3]), tuple(arrays[3:7]), tuple(arrays[7:]), 0, stop)

    follow(arrays, 1)
    with pytest.raises(ValueError, match="shapes"):
        follow(arrays, 2)
    for wrong in range(len(arrays)):
        with pytest.raises(ValueError, match="shapes"):
            follow([np.ones(7) if at == wrong else one for at, one in enumerate(arrays)], 1)
