"""Template anchors: the parts of a family's texts that stay the same while the slots change.

After Botnet Judo (Pitsillidis et al. 2010), made to hold where one bot sends several templates at once and
slots are everywhere: windows of a few words that many of the family's messages have and no other mail has
are collected greedily, each time around the window that most messages without a rule share.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice

from spamtide.attribution.rulefile import Draft, quoted

MIN_SUPPORT = 4
"""Fewer messages with the same words make no rule."""
MIN_SHARE = 0.003
"""Share of a family's messages that a text must be in."""
MAX_RULES = 150
"""Most template rules per family; lab mail that needs more of them has no templates worth the name."""
MAX_ANCHORS = 6
"""Strings of one rule for a text."""
MAX_ANCHOR = 160
"""Characters of one anchor."""
MAX_WORDS = 400
"""Words of one message that are looked at."""
CLUSTER_SHARE = 0.9
"""An anchor stands in at least this share of the messages that it is a rule for."""
KEPT_SHARE = 0.95
"""A rule's condition holds for at least this share of the messages that it was made from."""
ROUNDS = ((5, 7), (3, 9))
"""(words in a window, words that a match must add up to): long windows first, short ones for what is left."""

_WORD = re.compile(r"[぀-ヿ㐀-鿿가-힣]{2}|[^\s぀-ヿ㐀-鿿가-힣]+|\S")
"""A word; two characters of a script without spaces count as one."""
_SUBJECT = "subject: "
_TEXT = "text:"
_PRIVATE = re.compile(r"rcpt\.|https?:|www\.|@", re.IGNORECASE)
"""Words about a recipient, or of a link: never part of an anchor."""


def lines_of(rendering: str) -> Iterator[str]:
    """Subject and visible text of a rendering, line by line."""
    in_text = False
    for line in rendering.split("\n"):
        if in_text:
            yield line
        elif line.startswith(_TEXT):
            in_text = True
            yield line.removeprefix(_TEXT)
        elif line.startswith(_SUBJECT):
            yield line.removeprefix(_SUBJECT)


def _spans(rendering: str, size: int) -> Iterator[tuple[int, int, int, str]]:
    """Windows of `size` words within a line: (line number, start, end, text)."""
    left = MAX_WORDS
    for number, line in enumerate(lines_of(rendering)):
        words = [match.span() for match in islice(_WORD.finditer(line), left)]
        left -= len(words)
        barred = [bool(_PRIVATE.search(line, *span)) for span in words] if _PRIVATE.search(line) else ()
        for first in range(len(words) - size + 1):
            start, end = words[first][0], words[first + size - 1][1]
            if end - start <= MAX_ANCHOR and not any(barred[first : first + size]):
                yield number, start, end, line[start:end]
        if left <= 0:
            return


def windows(rendering: str, size: int) -> set[str]:
    """All windows of `size` words of a message's subject and text."""
    return {window for _, _, _, window in _spans(rendering, size)}


def candidates(documents: Mapping[str, str], size: int) -> set[str]:
    """Windows that enough of a family's messages share."""
    counts: Counter[str] = Counter()
    for rendering in documents.values():
        counts.update(windows(rendering, size))
    floor = _floor(len(documents))
    return {window for window, count in counts.items() if count >= floor}


def _floor(messages: int) -> int:
    return max(MIN_SUPPORT, round(MIN_SHARE * messages))


def allowed_windows(
    documents: Mapping[str, Mapping[str, str]], others: Iterable[tuple[str, str]], size: int
) -> dict[str, set[str]]:
    """Windows that enough of a family's messages share and that no other mail has, by family.

    Args:
        documents: family -> sha256 -> rendering.
        others: (family, or '' for ham; rendering) of mail to check against.
        size: words in a window.
    """
    wanted = {family: candidates(own, size) for family, own in documents.items()}
    owners: dict[str, str] = {}
    for family, found in wanted.items():
        for window in found:
            owners[window] = family if owners.get(window, family) == family else ""
    for owner, rendering in others:
        for window in windows(rendering, size):
            if window in owners and owners[window] != owner:
                owners[window] = ""
    return {family: {w for w in found if owners[w] == family} for family, found in wanted.items()}


def template_drafts(
    family: str,
    documents: Mapping[str, str],
    allowed: AbstractSet[str],
    size: int,
    words: int,
    *,
    late: bool = False,
) -> list[Draft]:
    """Rules around the windows that a family's messages share.

    Args:
        family: the family's name.
        documents: sha256 -> rendering.
        allowed: windows that may be used: candidates of the family that no other mail has.
        size: words in a window.
        words: words that a match must add up to.
        late: the messages are the newest, with no later ones to test the rules.
    """
    has = {sha256: windows(text, size) & allowed for sha256, text in sorted(documents.items())}
    open_: dict[str, set[str]] = {sha256: found for sha256, found in has.items() if found}
    counts: Counter[str] = Counter()
    for found in open_.values():
        counts.update(found)
    floor = _floor(len(documents))
    drafts: list[Draft] = []
    while counts and len(drafts) < MAX_RULES:
        seed = min(counts, key=lambda window: (-counts[window], -len(window), window))
        if counts[seed] < floor:
            break
        cluster = [sha256 for sha256, found in open_.items() if seed in found]
        anchors = _anchors(cluster, open_, documents, size)
        needed = _needed(anchors, cluster, documents, words)
        done = list(cluster)
        if needed:
            done = [s for s in open_ if sum(a in documents[s] for a in anchors) >= needed]
            done = sorted({*done, *cluster})
            drafts.append(_draft(family, anchors, needed, done, late=late))
        for sha256 in done:
            counts.subtract(open_.pop(sha256))
        counts += Counter()  # drops what is used up
    return drafts


def _anchors(
    cluster: Sequence[str], has: Mapping[str, AbstractSet[str]], documents: Mapping[str, str], size: int
) -> list[str]:
    """The longest stretches that most of the cluster has, read off one of its messages."""
    counts: Counter[str] = Counter()
    for sha256 in cluster:
        counts.update(has[sha256])
    common = {window for window, count in counts.items() if count >= CLUSTER_SHARE * len(cluster)}
    model = max(cluster, key=lambda sha256: (len(has[sha256] & common), sha256))
    lines = list(lines_of(documents[model]))
    stretches: list[tuple[int, int, int]] = []
    for number, start, end, window in _spans(documents[model], size):
        if window not in common:
            continue
        line, begun, reached = stretches[-1] if stretches else (-1, 0, 0)
        if line != number or start > reached:
            stretches.append((number, start, end))
        elif end - begun <= MAX_ANCHOR:
            stretches[-1] = (number, begun, end)
    texts = sorted({lines[n][start:end] for n, start, end in stretches}, key=lambda text: (-len(text), text))
    held: list[str] = []
    for text in texts:
        # What stands in a longer one says nothing more.
        within = any(text in longer for longer in held)
        if not within and sum(text in documents[s] for s in cluster) >= CLUSTER_SHARE * len(cluster):
            held.append(text)
    return held[:MAX_ANCHORS] or sorted(common, key=lambda text: (-counts[text], -len(text), text))[:1]


def _needed(
    anchors: Sequence[str], cluster: Collection[str], documents: Mapping[str, str], words: int
) -> int:
    """How many anchors a match needs: as many as nearly all have, if those are words enough; else 0."""
    found = sorted(sum(anchor in documents[sha256] for anchor in anchors) for sha256 in cluster)
    most = found[int((1 - KEPT_SHARE) * len(found))]
    return most if most and _words(anchors, most) >= words else 0


def _words(anchors: Sequence[str], needed: int) -> int:
    """Words that a match of so many anchors adds up to, at least."""
    return sum(sorted(len(_WORD.findall(anchor)) for anchor in anchors)[:needed])


def _draft(family: str, anchors: Sequence[str], needed: int, messages: Sequence[str], *, late: bool) -> Draft:
    strings = tuple((f"text_{number}", quoted(anchor)) for number, anchor in enumerate(anchors, start=1))
    condition = "all of them" if needed == len(anchors) else f"{needed} of them"
    said = _words(anchors, needed)
    return Draft(family, "template", strings, condition, tuple(messages), late, words=said)
