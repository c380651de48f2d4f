"""The bulletin in short: claims with words left out and none added, for who has a minute.

A line holds what a claim says first, without intervals and brackets; the intervals and n stand beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from spamtide.bulletin.titles import name_of
from spamtide.statement import Brief, Claim

MINUTE = 1200
"""Characters that are read in a minute; shorter prose is its own summary."""
MOST_LINES = 11
MOST_BOTNETS = 3
"""Botnets that have a line."""
MOVES = ("decline", "cease", "rise", "resume", "surge", "new")
ALONE = ("campaigns", "botnets", "programmes")
"""What the mail is made of: told in short only where there is no volume to tell of."""

_SENTENCE = re.compile(r"(?<=[a-z0-9%)\]\uE000-\uF8FF]\.) (?=[A-Z0-9\uE000-\uF8FF])")
_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_NUMBER = r"-?\d[\d,]*(?:\.\d+)?"
_DAY = rf"\d{{1,2}}(?: {_MONTH}(?: \d{{4}})?)?"
_FIGURE = re.compile(
    rf"(?P<value>\d{{1,2}} {_MONTH}(?: \d{{4}})?|{_NUMBER}(?: %| times| days?)?)"
    rf" \[(?:(?P<low>{_NUMBER})(?:-| to )(?P<high>{_NUMBER})|{_NUMBER} or more|{_DAY}(?:(?:-| to ){_DAY})?)\]"
)
"""A number or day with its interval, as claims write them."""
_ASIDE = re.compile(r" \((?!100 is )[^()]*\)")
"""What stands in brackets, but for what the index's 100 is."""
_QUOTED = re.compile(r'("[^"]*")')
_BREAKING = re.compile(r"\. |: |[(\[]")
"""What in a name would be taken for the end of a sentence, for an interval or an aside."""
_FIRST_STAND_IN = 0xE000
"""Private characters, which no claim has, stand for such names."""


def briefs(
    paragraphs: Sequence[tuple[str, str, tuple[str, ...]]], claims: Sequence[Claim]
) -> tuple[Brief, ...]:
    """The lines of a summary, in the order of the prose; none where the prose is read in a minute.

    Args:
        paragraphs: heading, text and claim ids, in reading order.
        claims: all claims.
    """
    if sum(len(text) for _, text, _ in paragraphs) < MINUTE:
        return ()
    by_id = {claim.claim: claim for claim in claims}
    has_level = any(claim.kind == "level" for claim in claims)
    lines: list[Brief] = []
    botnets = 0
    for _, _, ids in paragraphs:
        told = [by_id[i] for i in ids if i in by_id and by_id[i].kind in PARTS]
        told = [c for c in told if not (c.kind in ALONE and has_level)]
        story = [c for c in told if c.kind == "status"]
        if story:  # what a botnet did, and where it stands, is one line
            botnets += 1
            lines += [_line(told)] if botnets <= MOST_BOTNETS else []
            continue
        kinds: dict[str, Claim] = {}
        for claim in told:
            if not kinds or claim.kind not in MOVES:  # after a level or a switch it is the same again
                kinds.setdefault(claim.kind, claim)
        lines += [_line(_told_with(claim, told)) for claim in kinds.values()]
    return tuple(lines[:MOST_LINES])


def _told_with(claim: Claim, told: Sequence[Claim]) -> list[Claim]:
    """A claim, and of a move all moves of its subject by day: who fell silent may be back."""
    if claim.kind not in MOVES:
        return [claim]
    whose = claim.subject_kind, claim.subject
    own = [one for one in told if one.kind in MOVES and (one.subject_kind, one.subject) == whose]
    return sorted(own, key=lambda one: (one.claim.rsplit(":", 1)[-1], one.claim))


def _line(claims: Sequence[Claim]) -> Brief:
    """One line of one or more claims of one subject; a name that it began with becomes 'It'."""
    names = {text for claim in claims for text in claim.numbers.values() if isinstance(text, str)}
    breaking = sorted(filter(_BREAKING.search, names), key=lambda text: (-len(text), text))
    stand_ins = {text: chr(_FIRST_STAND_IN + at) for at, text in enumerate(breaking)}

    def guarded(text: str) -> str:
        for name, stand_in in stand_ins.items():
            text = text.replace(name, stand_in)
        return text

    def named(text: str) -> str:
        for name, stand_in in stand_ins.items():
            text = text.replace(stand_in, name)
        return text

    kept = [PARTS[claim.kind](guarded(claim.sentence)) for claim in claims]
    texts = [named(_plain(part)) for part in kept]
    name = name_of(claims[0])
    texts[1:] = [
        f"It {text[len(name) + 1 :]}" if name and text.startswith(f"{name} ") else text for text in texts[1:]
    ]
    figures = [match[0] for part in kept for match in _FIGURE.finditer(part) if not _is_vague(match)]
    figures += [_rest(_filling(guarded(claim.sentence))) for claim in claims if claim.kind == "effect"]
    shown = tuple(named(figure) for figure in figures if figure)
    return Brief(" ".join(texts), shown, claims[0].n, tuple(claim.claim for claim in claims))


def _plain(text: str) -> str:
    """A sentence without intervals and brackets; words that a message says are left as they are."""
    parts = _QUOTED.split(text)
    parts[::2] = [_ASIDE.sub("", _FIGURE.sub(_bare, part)) for part in parts[::2]]
    return "".join(parts)


def _bare(match: re.Match[str]) -> str:
    """A figure without its interval; one that is known badly keeps it."""
    return match[0] if _is_vague(match) else match["value"]


def _is_vague(match: re.Match[str]) -> bool:
    """Whether an interval is wider than the value: such a number by itself would mislead."""
    if match["low"] is None:
        return match[0].endswith("or more]")
    value = re.match(_NUMBER, match["value"])
    if value is None or any(
        char.isalpha() for char in match["value"].replace("times", "").replace("day", "")
    ):
        return False  # a day
    low, high, middle = (float(text.replace(",", "")) for text in (match["low"], match["high"], value[0]))
    return high - low > abs(middle)


def _first(sentence: str) -> str:
    """What is said first."""
    return _SENTENCE.split(sentence)[0]


def _head(sentence: str) -> str:
    """What is said first, without what it rests on; what is not known is not left out."""
    first = _first(sentence)
    head, colon, rest = first.partition(": ")
    return f"{head}." if colon and not rest.startswith("whether ") else first


def _rest(sentence: str) -> str:
    """What `_head` leaves out of a sentence."""
    return sentence.partition(": ")[2].removesuffix(".")


def _kept_with(words: str) -> Callable[[str], str]:
    """What is said first, and the sentence after it, with these words, that may not be parted from it."""

    def kept(sentence: str) -> str:
        first, *others = _SENTENCE.split(sentence)
        return " ".join([first, *(other for other in others if words in other)])

    return kept


def _fault(sentence: str) -> str:
    """That a sensor changed, without what it rests on, and that it is not the spam."""
    first, *others = _SENTENCE.split(sentence)
    return " ".join([_head(first), *others]) if others else first


def _filling(sentence: str) -> str:
    """What others did meanwhile; where that is not said, what is said first."""
    first, *others = _SENTENCE.split(sentence)
    return next((one for one in others if one.startswith("Held against ")), first)


PARTS: Mapping[str, Callable[[str], str]] = {
    **dict.fromkeys(("thin", "dark", "unclear", "nothing-changed", "level", "decomposition"), _first),
    **dict.fromkeys(("exchange", "switch", "advertised", "carried-on", "sensor-outage", "outlook"), _first),
    **dict.fromkeys(MOVES, _kept_with(" one sensor")),
    "attribution-loss": _kept_with("It was named again "),
    **dict.fromkeys(ALONE, _head),
    "status": _head,
    **dict.fromkeys(("event", "nearby"), _kept_with("Dates alone ")),
    "effect": lambda sentence: _head(_filling(sentence)),
    "sensor-change": _fault,
}
"""Kind of claim -> what of its sentence is told in short; other kinds are not."""
