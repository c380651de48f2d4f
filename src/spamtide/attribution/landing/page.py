"""Saved landing pages: which programme a shop belongs to, by its folder, its wording, or how it is built.

Shops of one programme are one page with other words: the same elements, classes and files in the same order
(Levchenko et al. 2011, section 3.4, clustered saved pages so and joined at three quarters alike). A page is
read from the observatory's folder; nothing is ever fetched.
"""

from __future__ import annotations

import datetime as dt
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NoReturn

from publicsuffixlist import PublicSuffixList
from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from spamtide.attribution.landing.warc import MOST_PAGE_BYTES, Saved, read_warc
from spamtide.attribution.signature.ruleset import Ruleset, match
from spamtide.attribution.spoken import in_force
from spamtide.errors import SettingsError
from spamtide.knowledge import Knowledge
from spamtide.nesting import spelt_out, too_deep

MOST_PAGES = 5_000
"""Saved pages that are read, the first by name."""
MOST_ELEMENTS = 2_000
"""Elements of a page that are looked at."""
MOST_CHARS = 20_000
"""Elements and characters of one page that are looked at."""
LEAST_OWN = 6
LEAST_BARE = 40
"""Distinct runs of elements that two pages have to share: so many with names in them (class, id, file), or
so many of any kind, since two plain pages always have some bare elements in common."""
ALIKE = 0.75
"""Jaccard similarity from which two pages are one shop's (Levchenko et al. 2011, section 3.4)."""
RUN = 3
"""Elements in a run."""
WITHIN = dt.timedelta(days=90)
"""How long before and after its capture a dated page speaks for its domain: domains change hands."""
SAID, WORDED, BUILT = 0.99, 0.95, 0.93
"""Probability that a page's programme is right: as its folder says, by its wording, by how it is built."""

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}|\d{1,3}(?:\.\d{1,3}){3}")
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([a-z0-9_-]{1,30})", re.IGNORECASE)
_WEB_CHARSETS = (
    "utf-8",
    "utf8",
    "iso",
    "windows-",
    "cp",
    "koi8",
    "mac",
    "gb",
    "big5",
    "euc",
    "shift_jis",
    "x-sjis",
    "tis-620",
)
"""Beginnings of the charsets that pages are in; Python knows others, some of them quadratic."""
_ANY_TAG = re.compile(r"<[!/?a-zA-Z][^>]*>?")
_DIGITS = re.compile(r"\d+")
_NOT_SHOWN = ["script", "style", "noscript", "template"]
_PAGES = {".html", ".htm", ".xhtml", ".php", ".asp"}


@dataclass(frozen=True, slots=True)
class Page:
    """One saved landing page."""

    host: str
    day: dt.date | None
    """Day of capture, where the file says it."""
    programme: str | None
    """As the user's folder names it."""
    rendering: str
    """Title and visible text, in the form that rules see."""
    built: frozenset[int]
    """Hashes of runs of elements; those with names in them are odd numbers."""
    where: str


@dataclass(frozen=True, slots=True)
class Landing:
    """What the saved pages of one domain say."""

    domain: str
    programme: str
    probability: float
    what: str
    """For a person."""
    since: dt.date | None = None
    until: dt.date | None = None


# ---------------------------------------------------------------------------- reading


def read_pages(folder: Path) -> tuple[Page, ...]:
    """All pages below a folder, in order of path.

    `HOST.html`, or any page below a folder named HOST, is of that host; `*.warc` and `*.warc.gz` name
    their hosts themselves. A folder directly below that is no host's name is a programme's: its pages are
    that programme's.

    Raises:
        SettingsError: a page whose host cannot be told, or a broken file; 'file:line: reason'.
    """
    if not folder.is_dir():
        return ()
    pages: list[Page] = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name.startswith("."):
            continue
        above = path.relative_to(folder).parts[:-1]
        programme = above[0] if above and not _HOST.fullmatch(above[0].lower()) else None
        for saved in _saved(path, above):
            pages.append(page_of(saved, programme))
            if len(pages) >= MOST_PAGES:
                return tuple(pages)
    return tuple(pages)


def _saved(path: Path, above: Sequence[str]) -> Iterator[Saved]:
    name = path.name.lower()
    if name.endswith((".warc", ".warc.gz")):
        yield from read_warc(path)
    elif path.suffix.lower() in _PAGES:
        stem = name.removesuffix(path.suffix.lower())
        named = [
            part for part in (stem, *reversed([part.lower() for part in above])) if _HOST.fullmatch(part)
        ]
        if not named:
            _fail(path, "no host: name the file, or a folder above it, after its host (shop.example.html)")
        try:
            with path.open("rb") as file:
                yield Saved(named[0], None, file.read(MOST_PAGE_BYTES), str(path))
        except OSError as error:
            _fail(path, f"cannot be read: {error}")
    elif path.suffix.lower() in {".gz", ".zip", ".mht", ".mhtml"}:
        _fail(path, "neither HTML nor WARC")


def _fail(path: Path, reason: str) -> NoReturn:
    message = f"{path}:1: {reason}"
    raise SettingsError(message)


def page_of(saved: Saved, programme: str | None = None) -> Page:
    """What a saved page shows and how it is built; total."""
    title, text, built = _laid_out(_decoded(saved.body))
    rendering = f"client: \nhelo: \nheader-order: \nsubject: {title}\nlink: http://{saved.host}/\ntext:\n{text[:MOST_CHARS]}"
    return Page(saved.host, saved.day, programme, rendering, built, saved.where)


def _laid_out(source: str) -> tuple[str, str, frozenset[int]]:
    """Title, visible text and fingerprint; of what cannot be laid out, the text between its tags alone."""
    if not too_deep(source):
        with suppress(SelectolaxError, ValueError, RuntimeError):
            tree = LexborHTMLParser(spelt_out(source))
            built = fingerprint(tree)
            node = tree.css_first("title")
            title = " ".join(node.text().split()) if node else ""
            alts = [image.attributes.get("alt") or "" for image in tree.css("img[alt]")[:500]]
            tree.strip_tags(_NOT_SHOWN)
            body = tree.body
            shown = body.text(separator="\n").split("\n") if body is not None else []
            return title, "\n".join(" ".join(line.split()) for line in (*shown, *alts) if line.strip()), built
    return "", _ANY_TAG.sub(" ", source), frozenset()


def _decoded(body: bytes) -> str:
    """A page as text under the charset that it claims, where that is one of the web's; else as UTF-8."""
    found = _CHARSET.search(body[:4096])
    claimed = found[1].decode().lower() if found else "utf-8"
    with suppress(LookupError):
        if claimed.startswith(_WEB_CHARSETS):
            return body.decode(claimed, "replace")
    return body.decode("utf-8", "replace")


def fingerprint(tree: LexborHTMLParser) -> frozenset[int]:
    """Hashes of all runs of elements of a page: tag, classes, id and files, without words and digits."""
    tokens = []
    for number, node in enumerate(tree.root.traverse() if tree.root is not None else ()):
        if number >= MOST_ELEMENTS:
            break
        tokens.append(_token(node))
    return frozenset(map(_hash, zip(*(tokens[start:] for start in range(RUN)), strict=False)))


def _hash(run: tuple[str, ...]) -> int:
    """Hash of a run: odd where an element in it has a name of its own."""
    named = any(token.rstrip("|").count("|") for token in run)
    return zlib.crc32("\x1f".join(run).encode("utf-8", "replace")) & ~1 | named


def _token(node: LexborNode) -> str:
    """An element without what changes from shop to shop."""
    attributes = node.attributes
    parts = [node.tag or ""]
    parts += [
        _DIGITS.sub("#", attributes.get(name) or "").lower() for name in ("class", "id", "name", "type")
    ]
    for name in ("src", "href", "action"):
        path = (attributes.get(name) or "").partition("?")[0].rpartition("/")[2]
        parts.append(_DIGITS.sub("#", path).lower() if node.tag in {"img", "script", "link", "form"} else "")
    return "|".join(parts)


# ---------------------------------------------------------------------------- judging


def judge(pages: Sequence[Page], ruleset: Ruleset, knowledge: Knowledge) -> tuple[Landing, ...]:
    """The programme of every domain whose pages agree, sorted by domain.

    A page's programme is what its folder says, else the one brand that it words, else that of the known pages
    which it is built like, if these are one programme's. Shared hosts and domains whose pages disagree are
    left out.
    """
    if not pages:  # rules need not be made ready for them
        return ()
    known = [_known(page, hits, ruleset, knowledge) for page, hits in
             zip(pages, match([page.rendering for page in pages], ruleset), strict=True)]  # fmt: skip
    index = _index(pages, known)
    found: dict[str, list[Landing]] = {}
    for place, page in enumerate(pages):
        domain = registered(page.host)
        if not domain or domain in knowledge.shared_hosts:
            continue
        own = known[place]
        if own is None:
            own = _built_like(page, pages, known, index)
        if own is None:
            continue
        name, probability, what = own
        since, until = (page.day - WITHIN, page.day + WITHIN) if page.day else (None, None)
        found.setdefault(domain, []).append(Landing(domain, name, probability, what, since, until))
    agreed = []
    for _, said in sorted(found.items()):
        if len({one.programme for one in said}) == 1:
            agreed.append(_joined(said))
    return tuple(agreed)


_Known = tuple[str, float, str]


def _known(page: Page, hits: Sequence[str], ruleset: Ruleset, knowledge: Knowledge) -> _Known | None:
    """What a page says by itself."""
    if page.programme:
        name = knowledge.canonical(page.programme)
        return name, SAID, f"the landing page {page.where} is saved under {name}"
    signatures = [ruleset.signatures[rule] for rule in hits if rule in ruleset.signatures]
    names = {
        knowledge.canonical(one.name)
        for one in signatures
        if one.kind == "programme" and in_force(one, page.day)
    }
    if len(names) != 1:
        return None
    (name,) = names
    return name, WORDED, f"the landing page {page.where} words {name}"


def _index(pages: Sequence[Page], known: Sequence[_Known | None]) -> Mapping[int, list[int]]:
    """Run of elements -> known pages that have it."""
    index: dict[int, list[int]] = {}
    for place, page in enumerate(pages):
        if known[place] is not None:
            for run in page.built:
                index.setdefault(run, []).append(place)
    return index


def _built_like(
    page: Page, pages: Sequence[Page], known: Sequence[_Known | None], index: Mapping[int, list[int]]
) -> _Known | None:
    """The programme of the known pages that are built alike; None where they are several programmes'."""
    shared = Counter(place for run in page.built for place in index.get(run, ()))
    named = Counter(place for run in page.built if run % 2 for place in index.get(run, ()))
    best: dict[str, tuple[float, str]] = {}
    for place, count in shared.items():
        likeness = count / (len(page.built) + len(pages[place].built) - count)
        own = known[place]
        telling = named[place] >= LEAST_OWN or count >= LEAST_BARE
        if likeness >= ALIKE and telling and own is not None:
            best[own[0]] = max(best.get(own[0], (0.0, "")), (likeness, pages[place].where))
    if len(best) != 1:
        return None
    ((name, (likeness, where)),) = best.items()
    return name, BUILT, f"the landing page {page.where} is built like {where} ({likeness:.0%}), of {name}"


def _joined(said: Sequence[Landing]) -> Landing:
    """The pages of one domain as one: the surest, over all their time."""
    best = max(said, key=lambda one: (one.probability, one.what))
    if any(one.since is None for one in said):
        return Landing(best.domain, best.programme, best.probability, best.what)
    since = min(one.since for one in said if one.since)
    until = max(one.until for one in said if one.until)
    return Landing(best.domain, best.programme, best.probability, best.what, since, until)


def registered(host: str) -> str:
    """Registered domain of a host, as in `link_domains`; '' where it has none."""
    return _suffixes().privatesuffix(host) or "" if not host.rpartition(".")[2].isdigit() else ""


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    """Read when a page is: most observatories have none saved, and every start would pay for it."""
    return PublicSuffixList(accept_unknown=False)
