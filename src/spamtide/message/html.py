"""HTML to what a reader sees: visible text with its lines, hidden text, links and the texts of images.

One lexbor parse a message. Line breaks survive because a form feed, which is white space to HTML and so
never moves an element, is put before every tag that begins a line; afterwards it is the only white space
that counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from html import unescape
from html.entities import html5
from itertools import chain
from threading import local
from typing import NamedTuple

from selectolax.lexbor import LexborCSSSelector, LexborHTMLParser, LexborNode, SelectolaxError

from spamtide.compiled import native
from spamtide.message.text import tidy_words
from spamtide.message.url import clean_url
from spamtide.nesting import spelt_out, too_deep

STYLE_CHARS, COLOUR_CHARS = 2000, 200
"""Characters of a style and of a colour that are looked at."""


def _spelt(names: str) -> str:
    """Alternatives for tag names in any letter case.

    Spelt out and grouped by first letter they match three times as fast as with case ignored.
    """
    rests: dict[str, list[str]] = {}
    for name in names.split():
        spelt = [f"[{char}{char.upper()}]" if char.isalpha() else char for char in name]
        rests.setdefault(spelt[0], []).append("".join(spelt[1:]))
    return "|".join(f"{first}(?:{'|'.join(rest)})" for first, rest in rests.items())


_STARTS_LINE = _spelt("br p pre div dt dd tr li hr h1 h2 h3 h4 h5 h6 option center blockquote")
_ENDS_LINE = _spelt("p div table ul ol dl h1 h2 h3 h4 h5 h6 pre center blockquote form")
_LINE_TAG = re.compile(rf"<(?=(?:{_STARTS_LINE}|/(?:{_ENDS_LINE}))\b)")
_CELL_TAG = re.compile(r"><(?=[tT][dDhH]\b)")
# Possessive white space (*+) below: with two such runs in a row, plain ones would take quadratic time.
_ANY_TAG = re.compile(r"<[!/?a-zA-Z][^>]*>?")
_ATTRIBUTE_URL = re.compile(r"""=\s*+["']?\s*+(https?:[^"'\s>]+)""", re.IGNORECASE)
_REFRESH_URL = re.compile(r"url\s*+=\s*+['\"]?\s*+([^'\"\s>]+)", re.IGNORECASE)

_UNSEEN = frozenset({"script", "style", "noscript", "template", "title", "noframes", "iframe", "object"})
_OF_INTEREST = ",".join(
    ["[href]", "[src]", "[background]", "[action]", "[hidden]", "meta[http-equiv]", *sorted(_UNSEEN)]
)
_WHITE_FONTS = "font[color^='#f' i],font[color='white' i],font[color^='rgb' i],font[color^='f' i]"
_TINY_FONTS = "font[size='0'],font[size^='-']"
_SOUGHT = {"s": "[style]", "f": _WHITE_FONTS, "t": _TINY_FONTS}
"""Selectors that find what the compiled form calls hidden."""
_TINY = frozenset({"0", "-5", "-6", "-7", "-8", "-9"})
"""Sizes of <font> that set noise between the letters of a word too small to be read."""
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all"
    r"|font-size\s*:\s*(?:0(?:px|pt|em|%)?\s*(?:;|!|\Z)|[01](?:\.\d+)?(?:px|pt))"
    r"|opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|\Z)|max-height\s*:\s*0(?:px|pt)?\s*(?:;|!|\Z)"
    r"|(?<![\w-])(?:left|top|text-indent)\s*:\s*-(?:\d{4,5}|[5-9]\d\d)(?:\.\d+)?(?:px|pt|em|%)",
    re.IGNORECASE,
)
_MANY_HIDDEN = 1000
"""Hidden elements after which no more are looked for."""
_COLOUR = re.compile(r"(?:^|;)\s*color\s*:\s*([^;!]{1,40})", re.IGNORECASE)
_GROUND = re.compile(r"background(?:-color)?\s*:\s*([^;!]{1,200})", re.IGNORECASE)
_Colour = tuple[int, int, int]
_PAPER = (255, 255, 255)
_FONT = re.compile(r"<font([^>]{0,200})")
_FONT_COLOUR = re.compile(r"\scolor\s*+=\s*+[\"']?\s*+(#?\w{3,12}|rgb[^\"'>]{1,30})")
_FONT_TINY = re.compile(r"\ssize\s*+=\s*+[\"']?\s*+(?:0|-)")
_NEAR = 8
"""Difference of a colour's parts, of 255, that nobody sees."""
_HEX = re.compile(r"#?([0-9a-f]{3}|[0-9a-f]{6})")
_RGB = re.compile(r"rgba?\((\d{1,3}),(\d{1,3}),(\d{1,3})(?:,[\d.]+)?\)")
_NAMED = {"white": "#fff", "black": "#000", "silver": "#c0c0c0", "gray": "#808080", "grey": "#808080",
          "red": "#f00", "yellow": "#ff0", "navy": "#000080", "blue": "#00f", "green": "#008000"}  # fmt: skip
_MANY_SHEETS = 4
SHEET_CHARS = 4000
"""A longer style sheet is read anew each time: what is kept of hostile mail stays small."""
_CLASS_RULE = re.compile(r"\s*(?:[a-z0-9]{1,12})?\.([a-z_][\w-]{0,60})\s*\Z")
_STYLE = re.compile(r"""style\s*=\s*("[^"]*|'[^']*|[^\s>"']+)""")
_NEVER_CUT = frozenset({"html", "head", "body", "img", "input"})


class _Selecting(local):
    """One CSS engine a thread: each tree would make its own, which can cost more than parsing the page."""

    def __init__(self) -> None:
        self.engine = LexborCSSSelector()  # type: ignore[no-untyped-call]


_SELECTING = _Selecting()


class Page(NamedTuple):
    """What one HTML text holds."""

    text: str
    """Visible text, one line a block; texts of images stand at the end."""
    hidden: str
    urls: list[str]
    """Addresses in attributes, in order, with repeats."""


NO_PAGE = Page("", "", [])


def read_html(source: str, bound: int, defects: set[str]) -> Page:
    """Lay out one HTML text; total. `bound` is the number of links worth reading."""
    if native:
        page = _read_plain(source, bound)
        if page:
            return page
    if too_deep(source):
        defects.add("html-too-deep")
        return _read_flat(source)
    source = spelt_out(source)
    marked = _LINE_TAG.sub("\f<", source.replace("\f", " ") if "\f" in source else source)
    marked = _CELL_TAG.sub("> <", marked)
    try:
        tree = LexborHTMLParser(marked)
        found = _look(tree, bound)
        lower = _lower(source)
        classes = _hidden_classes(lower) if "style" in found.unseen else frozenset()
        hidden = _cut_hidden(tree, _hiding(lower, classes, attribute=found.hides), classes)
        if found.unseen:
            tree.strip_tags(list(found.unseen))
        body = tree.body
        text = body.text() if body is not None else ""
    except (SelectolaxError, ValueError, RuntimeError):
        defects.add("html-too-deep")
        return _read_flat(source)
    return Page(_lines(text, found.alts), hidden, found.urls)


def _read_plain(source: str, bound: int) -> Page | None:
    """Read a page by the compiled form, which makes no tree; None where the order of its text needs one."""
    found = native.read_page(source, html5, _paint) if native else None
    if found is None:
        return None
    text, addresses, alts, hidden, styled = found
    lower = _lower(source) if hidden or styled else ""
    if styled and _hidden_classes(lower):
        return None
    if hidden:
        sought = _hiding(lower, frozenset(), attribute=False)
        if not all(_SOUGHT[why] in sought for why, _ in hidden):
            return None
    urls = [
        one if isinstance(one, str) else _refresh_url(one[1]) if one[0] else clean_url(one[1])
        for one in addresses
    ]
    shown = [" ".join(words) for alt in alts[:bound] if (words := alt.split())]
    return Page(
        "\n".join([text, *shown] if text else shown),
        "\n".join(words for _, words in hidden if words),
        [url for url in urls if url],
    )


@lru_cache(maxsize=4096)
def _paint(style: str, colour: str, ground: str, size: str) -> int:
    """What an element's style, and its attributes `color` and `bgcolor`, do, and the size of a font; a sum.

    1: it hides what it holds; 2: its text is white; 4: its ground has another colour; 8: its ground is white;
    16: its style alone does one of the first two.
    """
    hides, own = _style_facts(style)
    styled = 16 * (hides or _is_white(own))
    hides = hides or size.strip() in _TINY
    ground = ground or _ground(style)
    return (
        styled + hides + 2 * _is_white(own or colour) + (0 if not ground else 8 if _is_white(ground) else 4)
    )


def _refresh_url(content: str) -> str:
    """Address that a page sends its reader on to; '' for none."""
    match = _REFRESH_URL.search(content)
    return clean_url(match[1]) if match else ""


def _lines(text: str, alts: list[str]) -> str:
    """Text of a page with form feeds for lines, tidied, without empty lines."""
    return "\n".join([" ".join(words) for line in (*text.split("\f"), *alts) if (words := line.split())])


class _Found(NamedTuple):
    """What one pass over the elements of interest finds."""

    urls: list[str]
    alts: list[str]
    """Texts of images."""
    unseen: set[str]
    """Names of elements whose text is not shown."""
    hides: bool
    """An element has the attribute `hidden`."""


def _look(tree: LexborHTMLParser, bound: int) -> _Found:
    """Addresses and texts of images, in order, and what has to be taken out; one selection for all of it."""
    urls: list[str] = []
    alts: list[str] = []
    unseen: set[str] = set()
    hides = False
    for node in _select(tree, _OF_INTEREST):
        tag = node.tag
        if tag in _UNSEEN:
            unseen.add(tag)
        attributes = node.attributes
        value = attributes.get("href") or attributes.get("src")
        value = value or attributes.get("background") or attributes.get("action")
        url = clean_url(value) if value else ""
        if url:
            urls.append(url)
        if tag == "img" and len(alts) < bound:
            alts.append(attributes.get("alt") or attributes.get("title") or "")
        elif tag == "meta":
            url = _refresh_url(attributes.get("content") or "")
            if url:
                urls.append(url)
        hides = hides or "hidden" in attributes
    return _Found(urls, alts, unseen, hides)


def _select(tree: LexborHTMLParser, selector: str) -> list[LexborNode]:
    """Elements of a page that a selector matches, in order."""
    root = tree.root
    return [] if root is None else _SELECTING.engine.find(selector, root)


def _cut_hidden(tree: LexborHTMLParser, selector: str, classes: frozenset[str]) -> str:
    """Take elements that a reader would not see out of the tree; their text. '' selects none."""
    if not selector:
        return ""
    hidden: dict[int, LexborNode] = {}
    grounds: dict[int, _Colour | None] = {}
    for node in _select(tree, selector):
        if node.tag in _NEVER_CUT or not _is_hidden(node, classes, grounds):
            continue
        # Cutting an element frees what it holds, so only the outermost hidden ones are cut.
        if not any(above.mem_id in hidden for above in _ancestors(node)):
            hidden[node.mem_id] = node
            if len(hidden) >= _MANY_HIDDEN:
                break
    texts = [tidy_words(node.text()) for node in hidden.values()]
    for node in hidden.values():
        node.decompose()
    return "\n".join(text for text in texts if text)


def _hidden_classes(lower: str) -> frozenset[str]:
    """Classes that a page's own style sheets hide on every screen; a rule inside @media hides on some."""
    found: set[str] = set()
    at = -1
    for _ in range(_MANY_SHEETS):
        at = lower.find("<style", at + 1)
        if at < 0:
            break
        end = lower.find("</style", at)
        sheet = lower[lower.find(">", at) + 1 : end if end >= 0 else len(lower)]
        found |= _classes_in(sheet) if len(sheet) <= SHEET_CHARS else _classes_in.__wrapped__(sheet)
    return frozenset(found)


@lru_cache(maxsize=1024)
def _classes_in(sheet: str) -> frozenset[str]:
    """Classes that one style sheet, in lower case, hides."""
    found: set[str] = set()
    depth = 0
    for chunk in sheet.split("}"):
        selectors, opens, declarations = chunk.partition("{")
        if opens and depth == 0 and "{" not in declarations and _style_facts(declarations)[0]:
            matches = map(_CLASS_RULE.match, selectors.rpartition("*/")[2].split(","))
            found.update(match[1] for match in matches if match)
        depth = max(0, depth + chunk.count("{") - 1)
    return frozenset(found)


def _lower(text: str) -> str:
    """Text with its ASCII letters in lower case: all that is looked for, and far quicker."""
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def _hiding(lower: str, classes: frozenset[str], *, attribute: bool) -> str:
    """Selector of the elements that may be hidden, for a page in lower case; '' for most pages."""
    selectors = ["[hidden]"] if attribute else []
    selectors += [f"[class*='{name}' i]" for name in sorted(classes)]
    fonts = set(map(_font_facts, _FONT.findall(lower))) if "<font" in lower else set()
    if any(tiny for tiny, _ in fonts):
        selectors.append(_TINY_FONTS)
    if any(white for _, white in fonts):
        selectors.append(_WHITE_FONTS)
    for style in set(_STYLE.findall(lower)) if "style" in lower else ():
        hides, colour = _style_facts(style.strip("\"'"))
        if hides or _is_white(colour):
            selectors.append("[style]")
            break
    return ",".join(selectors)


def _ancestors(node: LexborNode) -> Iterator[LexborNode]:
    """Elements above a node, the nearest first."""
    above = node.parent
    while above is not None and above.tag != "-undef":
        yield above
        above = above.parent


def _is_hidden(node: LexborNode, classes: frozenset[str], grounds: dict[int, _Colour | None]) -> bool:
    """Whether an element hides what it holds: by its style, its size, or white on white.

    `grounds` remembers what is behind the elements of a page.
    """
    attributes = node.attributes
    if "hidden" in attributes or (node.tag == "font" and (attributes.get("size") or "").strip() in _TINY):
        return True
    if classes and not classes.isdisjoint(_lower(attributes.get("class") or "").split()):
        return True
    style = attributes.get("style") or ""
    hides, colour = _style_facts(style)
    if hides:
        return True
    if not _is_white(colour or attributes.get("color") or ""):
        return False
    ground = _ground_of(node, grounds)
    return ground is not None and _alike(ground, _PAPER)


def _ground_of(node: LexborNode, known: dict[int, _Colour | None]) -> _Colour | None:
    """The colour behind an element: the nearest given, else white; None where a class might give another."""
    ground: _Colour | None = _PAPER
    passed: list[int] = []
    for element in chain((node,), _ancestors(node)):
        if element.mem_id in known:
            ground = known[element.mem_id]
            break
        passed.append(element.mem_id)
        attributes = element.attributes
        if "class" in attributes or "background" in attributes:
            ground = None
            break
        given = attributes.get("bgcolor") or _ground(attributes.get("style") or "")
        if given:
            ground = _rgb(given[:COLOUR_CHARS])
            break
    known.update(dict.fromkeys(passed, ground))
    return ground


def _style_facts(style: str) -> tuple[bool, str]:
    """Whether an inline style hides its element, and the text colour it sets ('' for none)."""
    return _facts_of(style[:STYLE_CHARS])


@lru_cache(maxsize=4096)
def _facts_of(style: str) -> tuple[bool, str]:
    colour = _COLOUR.search(style)
    return bool(_HIDING.search(style)), colour[1] if colour else ""


def _ground(style: str) -> str:
    """The ground that an inline style sets; '' for none."""
    return _ground_in(style[:STYLE_CHARS])


@lru_cache(maxsize=4096)
def _ground_in(style: str) -> str:
    match = _GROUND.search(style)
    return match[1] if match else ""


def _is_white(colour: str) -> bool:
    rgb = _rgb(colour[:COLOUR_CHARS])
    return rgb is not None and _alike(rgb, _PAPER)


@lru_cache(maxsize=4096)
def _font_facts(attributes: str) -> tuple[bool, bool]:
    """Whether a <font> of these attributes, in lower case, may be tiny, and whether it is white."""
    colour = _FONT_COLOUR.search(attributes)
    return bool(_FONT_TINY.search(attributes)), bool(colour and _is_white(colour[1]))


def _alike(one: _Colour, other: _Colour) -> bool:
    """Whether nobody tells two colours apart."""
    return all(abs(a - b) <= _NEAR for a, b in zip(one, other, strict=True))


@lru_cache(maxsize=4096)
def _rgb(colour: str) -> _Colour | None:
    """Red, green and blue of a colour as HTML and CSS write it; None where it is not known."""
    text = colour.replace(" ", "").lower()
    text = _NAMED.get(text, text)
    if match := _HEX.fullmatch(text):
        digits = match[1] if len(match[1]) > 3 else "".join(2 * char for char in match[1])  # noqa: PLR2004 - #rgb
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if match := _RGB.fullmatch(text):
        return int(match[1]), int(match[2]), int(match[3])
    return None


def _read_flat(source: str) -> Page:
    """Read a page by cutting its tags out: for HTML that costs too much to lay out."""
    text = _ANY_TAG.sub("", _LINE_TAG.sub("\f<", source.replace("\f", " ")))
    urls = [clean_url(url) for url in _ATTRIBUTE_URL.findall(source)]
    return Page(_lines(unescape(text), []), "", urls)
