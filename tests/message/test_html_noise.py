"""Noise between the letters of a word: what a reader would not see is not part of the text."""

from __future__ import annotations

from html import unescape
from html.entities import html5

import pytest

from spamtide.attribution.landing import page
from spamtide.attribution.landing.warc import Saved
from spamtide.message import html
from spamtide.message.html import read_html
from spamtide.nesting import spelt_out


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>Map<!-- x -->le Me<!--y-->ds</p>", "Maple Meds"),
        ("<p>Map<font size=0>zq</font>le</p>", "Maple"),
        ("<p>Map<font size='-9'>zq</font>le <font size=-1>Meds</font></p>", "Maple Meds"),
        ("<p>Map<span style='font-size:0'>zq</span>le</p>", "Maple"),
        ("<p>Map<font color=#fdfdfd>zq</font>le</p>", "Maple"),
        ("<p>Map<span style='color: rgb(254, 254, 254)'>zq</span>le</p>", "Maple"),
        ("<p>Map<font color=#f00>zq</font>le</p>", "Mapzqle"),
        ("<table bgcolor=navy><tr><td bgcolor=white>Map<font color=#fefefe>zq</font>le", "Maple"),
        ("<table bgcolor=navy><tr><td>Map<font color=white>zq</font>le", "Mapzqle"),
        ("<table bgcolor=red class=x><tr><td class=y>Map<font color=red>zq</font>le", "Mapzqle"),
        ("<div style='background: #fff url(x)'>Map<span style='color:white'>zq</span>le</div>", "Mapzqle"),
        ("<div style='background: #fff'>Map<span style='color:white'>zq</span>le</div>", "Maple"),
        ("<p>Map<span style='position:absolute;left:-9999px'>zq</span>le</p>", "Maple"),
        ("<p style='margin-top:-900px'>Maple</p>", "Maple"),
        (
            "<style>/* x */ .n, i.k {display:none}</style><p>Map<b class='q N'>zq</b>l<i class=k>w</i>e</p>",
            "Maple",
        ),
        ("<style>@media print { .n {display:none} }</style><p>Map<b class=n>zq</b>le</p>", "Mapzqle"),
        ("<style>.n .m {display:none}</style><p>Map<b class=n>zq</b>le</p>", "Mapzqle"),
        ("<style>.n {display:none</style><p>Maple</p>", "Maple"),
        ("<p><span>M</span><b>a</b><i>p</i>le", "Maple"),
        ("<p>x</p><img src=a alt='Maple Meds'><img src=b title='Tundra'>", "x\nMaple Meds\nTundra"),
    ],
)
def test_what_a_reader_would_not_see_is_left_out(source: str, text: str) -> None:
    assert read_html(source, 50, set()).text == text


@pytest.mark.parametrize("unit", ["<style>", "<style>.a{", "}", "<font size=", ".a{display:none}"])
def test_monstrous_style_sheets_are_read(unit: str) -> None:
    assert read_html("<p>Maple</p><style>" + unit * (200_000 // len(unit)), 50, set()).text.startswith(
        "Maple"
    )


def test_references_that_grow_never_reach_lexbor(given: list[str]) -> None:
    """It would write beyond the end of its buffer, text of the sender's choice."""
    text = "&nGt;&nLt;&amp;nGt;&ngt;" * 3000
    seen = unescape(text)
    source = f"<svg></svg><p>{text}</p><a href='http://a.example/{text}'>"
    found = html.read_html(source, 50, set())
    assert found.text == seen
    assert found.urls[0].startswith("http://a.example/\u226b\u20d2\u226a\u20d2&nGt;")
    assert seen[:1000] in page.page_of(Saved("a.example", None, source.encode(), "x")).rendering
    assert len(given) == 2
    assert not any("&nGt;" in one or "&nLt;" in one for one in given)


def test_no_other_reference_grows() -> None:
    growing = [name for name, value in html5.items() if len(value.encode()) > len(name) + 1]
    assert [spelt_out(f"a&{name}b") for name in growing] == [f"a{html5[name]}b" for name in growing]
    assert spelt_out("&nGt &amp;nLt;") == "&nGt &amp;nLt;"
