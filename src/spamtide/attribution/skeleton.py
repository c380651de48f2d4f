"""Header skeletons: how a mail engine builds its headers, as rules over the rendering.

An engine writes the same headers in the same order and letter case and fills them by fixed grammars. That
outlives every template (Botnet Judo 2010 keeps headers and body apart for the same reason), but families
that rent one mailer kit share it; `learn` measures that and says so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spamtide.attribution.grammar import grammar, listed, literal
from spamtide.attribution.rulefile import Draft

MIN_MESSAGES = 5
"""Fewer messages of one header order make no rule."""
MIN_SHARE = 0.01
"""A header order that fewer of the family's messages have makes no rule."""
MAX_RULES = 12
"""Most header orders per family, the most frequent first."""
MAX_STRINGS = 8
MAX_VALUE = 400
"""Longer values hold no grammar that a person would read."""

ORDER = "header-order: "
_HEADER = "header "
_TEXT = "text:"

PERSONAL = frozenset(
    {"to", "cc", "bcc", "from", "subject", "reply-to", "sender", "received", "return-path", "delivered-to"}
    | {"list-unsubscribe", "references", "in-reply-to", "thread-topic", "dkim-signature", "x-originating-ip"}
    | {"errors-to", "disposition-notification-to", "organization"}
)
"""Headers that say who and what, not which engine."""
FIRST = ("message-id", "content-type", "x-mailer", "user-agent", "date", "x-mimeole")
"""Headers that say most about an engine, in this order; the others follow by name."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The header lines of one rendering."""

    order: str
    headers: Mapping[str, str]
    """Name in its own letter case -> value of its first occurrence."""


def layout_of(rendering: str) -> Layout:
    """Read the header lines of a rendering; stops at its text."""
    order = ""
    headers: dict[str, str] = {}
    for line in rendering.split("\n"):
        if line.startswith(_TEXT):
            break
        if line.startswith(ORDER):
            order = line.removeprefix(ORDER)
        elif line.startswith(_HEADER):
            name, colon, value = line.removeprefix(_HEADER).partition(": ")
            if colon:
                headers.setdefault(name, value)
    return Layout(order, headers)


def skeleton_drafts(family: str, messages: Sequence[tuple[str, str]], *, late: bool = False) -> list[Draft]:
    """Rules for the header orders of a family's lab messages.

    Args:
        family: the family's name.
        messages: (sha256, rendering), in any order.
        late: the messages are the newest, with no later ones to test the rules.
    """
    groups: dict[str, list[tuple[str, Layout]]] = {}
    for sha256, rendering in messages:
        layout = layout_of(rendering)
        groups.setdefault(layout.order, []).append((sha256, layout))
    floor = max(MIN_MESSAGES, MIN_SHARE * len(messages))
    orders = sorted((order for order in groups if order), key=lambda order: (-len(groups[order]), order))
    drafts = []
    for order in orders[:MAX_RULES]:
        if len(groups[order]) < floor:
            break
        layouts = [layout for _, layout in sorted(groups[order], key=lambda item: item[0])]
        strings = [("order", _order(order)), *_strings(order, layouts)]
        drafts.append(
            Draft(
                family,
                "skeleton",
                tuple(strings),
                "all of them",
                tuple(sorted(sha256 for sha256, _ in groups[order])),
                late,
            )
        )
    return drafts


def _order(order: str) -> str:
    """The headers in a row; a relay may have put others above or below them."""
    return f"/{literal(ORDER)}([^\\n]{{0,2000}},)?{literal(order)}(,[^\\n]{{0,2000}})?\\n/"


def _strings(order: str, layouts: Sequence[Layout]) -> list[tuple[str, str]]:
    """One pattern for each header that follows a grammar, the most telling headers first."""
    names = sorted({name for name in order.split(",") if name.lower() not in PERSONAL}, key=_rank)
    strings: list[tuple[str, str]] = []
    taken: Counter[str] = Counter()
    for name in names:
        values = [layout.headers[name] for layout in layouts if name in layout.headers]
        if len(values) < len(layouts) or any(len(value) > MAX_VALUE for value in values):
            continue
        pattern = _pattern(name, values)
        if pattern is None:
            continue
        key = re.sub(r"\W+", "_", name.lower(), flags=re.ASCII).strip("_") or "header"
        taken[key] += 1
        key = key if taken[key] == 1 else f"{key}_{taken[key]}"
        strings.append((key, f"/header {literal(name)}: {pattern}\\n/"))
        if len(strings) == MAX_STRINGS:
            break
    return strings


def _rank(name: str) -> tuple[int, str]:
    lower = name.lower()
    return (FIRST.index(lower) if lower in FIRST else len(FIRST), name)


def _pattern(name: str, values: Sequence[str]) -> str | None:
    """A regular expression for a header's values: listed where they are few, else by grammar."""
    lower = name.lower()
    if lower == "date":
        return _dates(values)
    few = listed(values)
    if few is not None and len(set(values)) * 4 <= len(values):
        return few
    return grammar(values)


_DATE = re.compile(
    r"(?P<day>[A-Za-z]{3}(?P<comma>,?) )?(?P<date>\d{1,2}) [A-Za-z]{3} (?P<year>\d{2,4}) "
    r"(?P<hour>\d{1,2}):\d\d(?P<seconds>:\d\d)? (?P<zone>[^\n]{1,40})"
)
_DAY_NAME = {(): "", (False,): "[A-Za-z]{3} ", (True,): "[A-Za-z]{3}, "}
MAX_ZONES = 3


def _dates(values: Sequence[str]) -> str | None:
    """The grammar of Date headers: never their digits, which are time, but their form and their zones."""
    found = [_DATE.fullmatch(value) for value in values]
    matches = [match for match in found if match is not None]
    if len(matches) < len(values):
        return None
    forms = {() if match["day"] is None else (bool(match["comma"]),) for match in matches}
    if len(forms) != 1:
        return None
    padded = all(len(match["date"]) == 2 for match in matches)  # noqa: PLR2004 - two digits
    short = any(int(match["date"]) < 10 for match in matches)  # noqa: PLR2004 - days that would show padding
    date = "[0-9]{2}" if padded and short else "[0-9]{1,2}"
    year = "[0-9]{4}" if all(len(match["year"]) == 4 for match in matches) else "[0-9]{2,4}"  # noqa: PLR2004
    seconds = {bool(match["seconds"]) for match in matches}
    time = "[0-9]{1,2}:[0-9]{2}" + (
        ":[0-9]{2}" if seconds == {True} else "" if seconds == {False} else "[0-9:]{0,3}"
    )
    return (
        f"{_DAY_NAME[forms.pop()]}{date} [A-Za-z]{{3}} {year} {time} {_zones([m['zone'] for m in matches])}"
    )


def _zones(zones: Sequence[str]) -> str:
    """Few zones are an engine's own and are listed; many are the bots' clocks."""
    distinct = sorted(set(zones))
    if len(distinct) <= MAX_ZONES and len(distinct) * 10 <= len(zones):
        return (
            "(" + "|".join(literal(zone) for zone in distinct) + ")"
            if len(distinct) > 1
            else literal(distinct[0])
        )
    if all(re.fullmatch(r"[+-]\d{4}", zone) for zone in distinct):
        return "[+-][0-9]{4}"
    if all(re.fullmatch(r"[+-]\d{4} \([^)]*\)", zone) for zone in distinct):
        return r"[+-][0-9]{4} \([^)\n]{0,40}\)"
    return r"[^\n]{1,40}"
