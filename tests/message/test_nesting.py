"""HTML made to cost quadratic time: tags of many attributes, and grounds below many elements."""

from __future__ import annotations

import pytest

from spamtide.attribution.landing import page
from spamtide.attribution.landing.warc import Saved
from spamtide.message import html
from spamtide.nesting import MOST_ATTRIBUTES, too_deep


def attributes(count: int, form: str = "a{}=x ") -> str:
    return "".join(form.format(number) for number in range(count))


MANY = attributes(MOST_ATTRIBUTES + 1)
QUOTED, BARE = attributes(MOST_ATTRIBUTES + 1, 'a{}="<>"'), attributes(MOST_ATTRIBUTES + 1, "a{}/")


@pytest.mark.parametrize(
    "source",
    [
        f"<p {MANY}>",
        f"<p {MANY}",
        f"<P\n{MANY}/>",
        f"</p {MANY}>",
        f"<style {MANY}></style>",
        f"<p a='>' {MANY}>",
        f"<p {QUOTED}>",
        f"<p {BARE}>",
        f'<!-- <x y=" --> <p {MANY}> ">',
        f"<!--><p {MANY}>",
        f"<script>x = '<a b=\"'</script><p {MANY}>",
    ],
)
def test_a_tag_of_too_many_attributes_is_seen(source: str) -> None:
    assert too_deep(source)


@pytest.mark.parametrize(
    "source",
    [
        f"<p {attributes(MOST_ATTRIBUTES)}>{'word ' * 1000}",
        f"<p {attributes(200)}><p {attributes(200)}>",
        f"<p title='{'> word ' * 1000}'>",
        f"<!-- <p {MANY}> -->",
        f"<style>p < {MANY}</style>",
        f"1 < {MANY}>",
        "<p style='" + "color: red; " * 1000 + "'>",
    ],
)
def test_what_only_looks_like_one_is_laid_out(source: str) -> None:
    assert not too_deep(source)


@pytest.mark.parametrize(("count", "laid_out"), [(MOST_ATTRIBUTES, True), (100_000, False)])
@pytest.mark.parametrize("pure", [False, True])
def test_no_parser_is_given_more(
    monkeypatch: pytest.MonkeyPatch, given: list[str], count: int, *, laid_out: bool, pure: bool
) -> None:
    """The words are read all the same, and both forms read the same."""
    if pure:
        monkeypatch.setattr(html, "native", None)
    source = f"<p {attributes(count)}>some <b>words</b>"
    defects: set[str] = set()

    assert html.read_html(source, 50, defects).text == "some words"
    assert defects == (set() if laid_out else {"html-too-deep"})
    assert "words" in page.page_of(Saved("a.example", None, source.encode(), "x")).rendering
    assert laid_out or not given


def test_each_element_is_asked_for_its_ground_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ground(style: str) -> str:
        asked.append(style)
        return ""

    monkeypatch.setattr(html, "native", None)
    monkeypatch.setattr(html, "_ground", ground)
    page = html.read_html("<div>" * 300 + "<i style='color:#fff'>x</i>" * 200 + "core", 50, set())

    assert page.text == "core"
    assert page.hidden == "\n".join("x" * 200)
    assert len(asked) <= 300 + 200 + 3, "and those of the document, html and body"
