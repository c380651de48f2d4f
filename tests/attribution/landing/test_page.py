# ruff: noqa: E501, SIM905 - tables of cases, made-up pages
"""Saved landing pages: read strictly, and shops of one programme are known by how they are built."""

from __future__ import annotations

import datetime as dt
import gzip
import random
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spamtide import ingest as intake
from spamtide import pipeline
from spamtide.attribution import judge, load_signatures, read_pages
from spamtide.attribution.landing.page import Landing, page_of
from spamtide.attribution.landing.warc import Saved, read_warc
from spamtide.attribution.signature.ruleset import Ruleset
from spamtide.errors import SettingsError
from spamtide.knowledge import Knowledge, load_knowledge
from spamtide.observatory import init_observatory

RULES = """
rule maple { meta: kind = "programme" name = "Maple Meds" strings: $a = "Maple Meds" nocase condition: $a }
rule zuri { meta: kind = "programme" name = "Zuri Watches" strings: $a = "Zuri Watches" nocase condition: $a }
"""
WORDS = "able acid baby back ball band bank base bath bear beat bell belt best bird blow blue boat body bone".split()


def shop(engine: str, title: str, seed: int, *, items: int = 20) -> bytes:
    """A shop page of one engine, with other words, prices, pictures and a changed corner for each seed."""
    draw = random.Random(seed)

    def say(n: int) -> str:
        return " ".join(draw.choices(WORDS, k=n))

    rows = "".join(
        f'<div class="{engine}-item c{draw.randrange(9)}"><a href="/p/{draw.randrange(999)}"><img src="/i/{n}.jpg">'
        f'</a><h3>{say(2)}</h3><span class="{engine}-price">${draw.randrange(99)}</span><p>{say(9)}</p></div>'
        for n in range(items + draw.randrange(4))
    )
    extra = f'<div id="promo{seed}"><marquee>{say(5)}</marquee></div>' if draw.random() < 0.5 else ""
    return (
        f'<!doctype html><html><head><title>{title}</title><link href="/{engine}/main.css"><script src="/{engine}.js">'
        f'</script></head><body class="{engine}"><table id="{engine}top"><tr><td><form action="/{engine}/find.php">'
        f'<input name="q" type="text"></form></td></tr></table>{extra}<ul class="{engine}-menu">'
        + "".join(f'<li class="m"><a href="#">{say(1)}</a></li>' for _ in range(12))
        + f'</ul><div id="{engine}-main">{rows}</div><div class="foot"><b>{say(3)}</b><i>{say(8)}</i></div></body></html>'
    ).encode()


@pytest.fixture(scope="module")
def ruleset(tmp_path_factory: pytest.TempPathFactory) -> Ruleset:
    folder = tmp_path_factory.mktemp("rules")
    (folder / "own.yar").write_text(RULES, encoding="utf-8")
    return load_signatures([folder])


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


def save(folder: Path, name: str, page: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(page)


def test_a_page_is_known_by_folder_wording_and_build(
    tmp_path: Path, ruleset: Ruleset, knowledge: Knowledge
) -> None:
    save(tmp_path, "known.example.com.html", shop("mm", "Maple Meds", 1))
    save(tmp_path, "alike.example.org/index.html", shop("mm", "Best shop", 2))
    save(tmp_path, "Boreal Bags/www.bags.example.net.html", shop("bb", "Bags", 3))
    save(tmp_path, "bagtwin.ru/a/b.htm", shop("bb", "Nice", 4))
    save(tmp_path, "other.info.html", shop("xx", "Another", 5))
    save(tmp_path, "parked.biz.html", b"<html><body>This domain is for sale</body></html>")
    found = {
        one.domain: (one.programme, one.probability)
        for one in judge(read_pages(tmp_path), ruleset, knowledge)
    }
    assert found == {
        "example.com": ("Maple Meds", 0.95),
        "example.org": ("Maple Meds", 0.93),
        "example.net": ("Boreal Bags", 0.99),
        "bagtwin.ru": ("Boreal Bags", 0.93),
    }


@pytest.mark.parametrize(
    "body",
    [
        b"<meta charset=idna><p>Maple Meds \xe9</p>",
        b"<meta charset=undefined><p>Maple Meds</p>",
        b"<meta charset=punycode><p>Maple Meds " + b"abcdefghij" * 20_000,
        b"<p>Maple Meds</p>" + b"<div>" * 500_000,
    ],
    ids=["idna", "undefined", "punycode", "deep"],
)
def test_a_hostile_page_costs_no_more_than_another(body: bytes) -> None:
    """The first two raised, the others took hours: codecs that are no charsets, and half a million open tags."""
    page = page_of(Saved("shop.example.com", None, body, "x"))
    assert "Maple Meds" in page.rendering


def test_look_alikes_are_found_and_others_are_not(ruleset: Ruleset, knowledge: Knowledge) -> None:
    """A hundred shops of two engines with one known page each: all theirs, and none of the other engines'."""
    engines = {"mm": "Maple Meds", "zz": "Zuri Watches"}
    pages = [
        page_of(Saved(f"known{engine}.com", None, shop(engine, name, 1), "x"))
        for engine, name in engines.items()
    ]
    for seed in range(2, 52):
        pages += [
            page_of(Saved(f"s{seed}{engine}.com", None, shop(engine, "Shop", seed), "x"))
            for engine in engines
        ]
        pages.append(page_of(Saved(f"o{seed}.com", None, shop(f"other{seed % 5}", "Shop", seed), "x")))
    found = {one.domain: one.programme for one in judge(pages, ruleset, knowledge)}
    right = sum(
        found.get(f"s{seed}{engine}.com") == name for seed in range(2, 52) for engine, name in engines.items()
    )
    assert right >= 98, right
    assert not [domain for domain in found if domain.startswith("o")]


def test_a_build_that_two_programmes_share_names_none(ruleset: Ruleset, knowledge: Knowledge) -> None:
    pages = [page_of(Saved(host, None, shop("ss", title, seed), "x")) for seed, (host, title) in
             enumerate([("a.com", "Maple Meds"), ("b.com", "Zuri Watches"), ("c.com", "Shop")])]  # fmt: skip
    assert {one.domain for one in judge(pages, ruleset, knowledge)} == {"a.com", "b.com"}


def test_shared_hosts_and_divided_domains_are_left_out(ruleset: Ruleset, knowledge: Knowledge) -> None:
    pages = [page_of(Saved(host, None, shop("mm", title, 1), "x")) for host, title in
             [("bit.ly", "Maple Meds"), ("a.two.com", "Maple Meds"), ("b.two.com", "Zuri Watches")]]  # fmt: skip
    assert judge(pages, ruleset, knowledge) == ()


def test_a_disguised_brand_on_a_page_is_read(ruleset: Ruleset, knowledge: Knowledge) -> None:
    page = page_of(Saved("a.com", dt.date(2024, 5, 1), shop("mm", "M4ple M3ds", 1), "x"))
    (one,) = judge([page], ruleset, knowledge)
    assert (one.programme, one.since, one.until) == ("Maple Meds", dt.date(2024, 2, 1), dt.date(2024, 7, 30))


# ---------------------------------------------------------------------------- WARC


def record(kind: str, address: str, content: bytes, day: str = "2024-05-01T10:00:00Z") -> bytes:
    head = f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {address}\r\nWARC-Date: {day}\r\nContent-Length: {len(content)}"
    return head.encode() + b"\r\n\r\n" + content + b"\r\n\r\n"


def answer(page: bytes, *fields: str, status: str = "200 OK") -> bytes:
    return (
        "\r\n".join([f"HTTP/1.1 {status}", "Content-Type: text/html", *fields]).encode() + b"\r\n\r\n" + page
    )


PAGE = b"<html><title>Maple Meds</title></html>"
CHUNKED = b"10\r\n" + PAGE[:16] + b"\r\n%x\r\n" % len(PAGE[16:]) + PAGE[16:] + b"\r\n0\r\n\r\n"
RECORDS = [
    record("warcinfo", "urn:x", b"software: x\r\n"),
    record("response", "http://Plain.Example.com/a", answer(PAGE)),
    record("request", "http://no.example.com/", b"GET / HTTP/1.1\r\n\r\n"),
    record("response", "<https://chunked.example.com/>", answer(CHUNKED, "Transfer-Encoding: chunked")),
    record("response", "http://zipped.example.com/", answer(gzip.compress(PAGE), "Content-Encoding: gzip")),
    record("response", "http://gone.example.com/", answer(PAGE, status="404 Not Found")),
    record("response", "http://picture.example.com/x.png", answer(b"\x89PNG")),
    record("resource", "http://resource.example.com/", PAGE, day="bad"),
]


@pytest.mark.parametrize("packed", [False, True])
def test_pages_are_read_out_of_a_warc(tmp_path: Path, *, packed: bool) -> None:
    path = tmp_path / ("a.warc.gz" if packed else "a.warc")
    path.write_bytes(b"".join(map(gzip.compress, RECORDS)) if packed else b"".join(RECORDS))
    found = list(read_warc(path))
    assert [one.host.partition(".")[0] for one in found] == ["plain", "chunked", "zipped", "resource"]
    assert {one.body for one in found} == {PAGE}
    assert [one.day for one in found] == [dt.date(2024, 5, 1)] * 3 + [None]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.warc", b"hello\r\n\r\n", "record 1 .*does not begin with 'WARC/'"),
        ("a.warc", RECORDS[1][:-60], "record 1 .*cut off"),
        ("a.warc", RECORDS[0] + b"WARC/1.0\r\nno colon\r\n\r\n", "record 2 .*without a colon"),
        ("a.warc", b"WARC/1.0\r\nWARC-Type: response\r\n\r\n", "no Content-Length"),
        ("a.warc", RECORDS[1].replace(b"WARC-Target-URI: http://Plain.Example.com/a\r\n", b""), "no address"),
        ("a.warc.gz", gzip.compress(RECORDS[1])[:-30], "cannot be read"),
        ("page.html", PAGE, "no host"),
        ("Maple Meds/page.html", PAGE, "no host"),
        ("pages.zip", b"PK", "neither HTML nor WARC"),
    ],
)
def test_wrong_files_are_refused_with_place_and_reason(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    save(tmp_path, name, content)
    with pytest.raises(SettingsError, match=rf"{Path(name).name}:1: .*{reason}"):
        read_pages(tmp_path)


@given(st.binary(max_size=300))
def test_any_page_can_be_looked_at(body: bytes) -> None:
    page_of(Saved("a.com", None, body, "x"))
    page_of(Saved("a.com", None, b"<html>" + zlib.compress(body), "x"))


def test_no_folder_is_no_pages(tmp_path: Path) -> None:
    assert read_pages(tmp_path / "landing") == ()


# ---------------------------------------------------------------------------- through the path


def test_mail_that_leads_to_a_known_shop_is_named(tmp_path: Path) -> None:
    """No message says the brand; one shop is saved under its programme, another is only built like it."""
    made = init_observatory(tmp_path / "observatory")
    save(made.landing, "Tundra Tabs/first-shop.com.html", shop("tt", "Shop", 1))
    save(made.landing, "second-shop.ru.html", shop("tt", "Shop", 2))
    mails = tmp_path / "mails"
    for number, host in enumerate(
        ["first-shop.com", "www.second-shop.ru", "third-shop.ru", "second-shop.ru/x"]
    ):
        text = (
            f"Received: from [198.51.100.9] by mx.example with SMTP; Mon, 06 May 2024 10:00:0{number} +0000\n"
            f"From: a@b.example\nSubject: note\nMessage-ID: <{number}@b>\n\nSee http://{host} today, {WORDS[number]}\n"
        )
        save(mails, f"{number}.eml", text.encode())
    intake.ingest(made, intake.Source((str(mails),), "trap", "spam"))
    pipeline.update(made)
    lake = init_observatory(made.directory).lake
    rows = lake.query("""
        SELECT o.link_hosts[1] AS host, a.programme, a.evidence FROM attributions a
        JOIN observations o ON o.sha256 = a.sha256 ORDER BY host
    """).to_pylist()
    assert {row["host"]: row["programme"] for row in rows} == {
        "first-shop.com": "Tundra Tabs",
        "second-shop.ru": "Tundra Tabs",
        "www.second-shop.ru": "Tundra Tabs",
        "third-shop.ru": "unknown",
    }
    assert "is built like" in next(row["evidence"] for row in rows if row["host"] == "second-shop.ru")


def test_a_page_speaks_for_its_time_only() -> None:
    one = Landing("a.com", "X", 0.9, "", dt.date(2024, 1, 1), dt.date(2024, 3, 1))
    from spamtide.attribution.coding import _speaks_on

    first = (dt.date(2024, 1, 1) - dt.date(1970, 1, 1)).days
    assert [_speaks_on(one, first + n) for n in (-1, 0, 60, 61)] == [False, True, True, False]
