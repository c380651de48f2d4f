"""What the values of one header field have in common: a reader for each kind of field."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from spamtide.attribution.learning.dates import date_form, date_zone
from spamtide.attribution.learning.field import (
    MANY_MACHINES,
    OPEN,
    UNSEEN,
    Bound,
    Element,
    Field,
    is_drawn,
    opened,
    worth_of,
)
from spamtide.attribution.learning.grammar import FEW_MACHINES, Grammar, grammar, listed, literal

EVERYWHERE = frozenset({"us-ascii", "utf-8"})
"""Charsets, in lower case, that no system has by its language."""


def _identifier(field: Field) -> Iterator[Element]:
    """Message-ID: the grammar left of the '@', and the form of what stands right of it."""
    inner = [value.strip() for value in field.values]
    split = [value.rpartition("@") for value in inner]
    if not all(at for _, at, _ in split):
        made = field.grammar(inner)
        yield field.element(made.pattern, "engine", worth_of(made))
        return
    made = field.grammar([left for left, _, _ in split])
    host, worth = _host([right for _, _, right in split], field)
    yield field.element(f"{made.pattern}@{host}", "engine", min(1.0, worth_of(made) + worth))


def _host(hosts: Sequence[str], field: Field) -> tuple[str, float]:
    """The part after '@' with what closes it: a constant of several machines, or a form."""
    machines = field.machines
    close = ">" if all(host.endswith(">") for host in hosts) else ""
    names = [host.removesuffix(">") for host in hosts]
    if len(set(names)) == 1 and machines >= FEW_MACHINES and field.hosts <= {"name", "domain"}:
        return literal(names[0]) + close, 0.5
    drawn = is_drawn(names, machines)
    if drawn and all(re.fullmatch(r"[A-Za-z0-9]+", name) for name in names):
        made = grammar(names, machines)
        return made.pattern + close, 0.25 if made.bits >= 1 else 0.0
    if (drawn or machines >= MANY_MACHINES) and all(re.fullmatch(r"\[[0-9.]+\]", name) for name in names):
        return r"\[[0-9.]{7,15}\]" + close, 0.25
    return r"[^>\n]{0,255}" + close, 0.0


_PARAMETER = re.compile(r'(\s*;\s*)([A-Za-z0-9*_-]{1,40})=("[^"]*"|[^\s;"]*)')
_STANDARD_TYPE = re.compile(
    r'text/(plain|html); charset="?|multipart/(mixed|alternative|related); boundary="'
)


def _content_type(field: Field) -> Iterator[Element]:
    """Type and parameters: spacing, quoting and order are the engine's, type and charset the template's."""
    forms: Counter[tuple[str, ...]] = Counter()
    boundaries: dict[tuple[str, ...], list[str]] = {}
    kinds: set[str] = set()
    charsets: set[str] = set()
    for value, mask in zip(field.values, field.masks, strict=True):
        head, rest = re.match(r"([^;\s]*)(.*)", value, re.DOTALL).groups()  # type: ignore[union-attr]  # matches anything
        form = ["M" if head.lower().startswith("multipart/") else "T", _case(head)]
        for mark, name, given in _PARAMETER.findall(rest):
            quoted = given.startswith('"')
            form += [mark, name, '"' if quoted else ""]
            if name.lower() == "boundary":
                hidden = mask.sub(OPEN, given)
                boundaries.setdefault(tuple(form[:2]), []).append(hidden.strip('"'))
            elif name.lower() == "charset":
                charsets.add(given.strip('"'))
        forms[tuple(form)] += 1
        kinds.add(head)
    made = {key: opened(grammar(values, field.machines, named=True)) for key, values in boundaries.items()}
    shapes = [form for form, count in sorted(forms.items()) if count >= UNSEEN * len(field.values)]
    body = "|".join(dict.fromkeys(_type_pattern(form, made) for form in shapes))
    worth = max((worth_of(each) for each in made.values()), default=0.0)
    plain = all(_STANDARD_TYPE.match(value) for value in field.values)
    yield field.element(f"({body})[ \\t;]{{0,3}}", "engine", max(worth, 0.25 if plain else 0.5))
    few = listed(sorted(kinds))
    if few and not made:
        body = f"/header {literal(field.name)}: {few}"
        yield Element("content_type_values", body + "/", "template", 0.25)
        if sets := listed(sorted(charsets)):
            common = len(charsets) > 1 or {each.lower() for each in charsets} <= EVERYWHERE
            tail = f'[^\\n]{{0,80}}charset="?{sets}"?/'
            yield Element("charset", body + tail, "template" if common else field.bound, 0.25)


def _case(head: str) -> str:
    return "lower" if head == head.lower() else "other"


def _type_pattern(form: tuple[str, ...], boundaries: dict[tuple[str, ...], Grammar]) -> str:
    kind, case, *rest = form
    letters = "a-z" if case == "lower" else "A-Za-z"
    head = "multipart" if kind == "M" else f"[{letters}]{{2,20}}"
    if case != "lower" and kind == "M":
        head = "[Mm][A-Za-z]{8}"
    out = [f"{head}\\/[{letters}0-9.+-]{{2,60}}"]
    for place in range(0, len(rest), 3):
        mark, name, quote = rest[place : place + 3]
        made = boundaries.get((kind, case)) if name.lower() == "boundary" else None
        value = made.pattern if made else '[^\\n"]{0,120}' if quote else r'[^\s;"]{0,120}'
        out.append(f"{_spaces(mark)}{literal(name)}={quote}{value}{quote}")
    return "".join(out)


def _spaces(mark: str) -> str:
    """White space around a semicolon: none, or some."""
    before, _, after = mark.partition(";")
    return ("[ \\t]+" if before else "") + ";" + ("[ \\t]+" if after else "")


def _date(field: Field) -> Iterator[Element]:
    form = date_form(field.values)
    if form is None:
        return
    pattern, usual = form
    yield field.element(pattern, "engine", 0.0 if usual else 0.75)
    zone = date_zone(field.values)
    if zone is not None:
        yield field.element(f"[^\\n]{{10,40}} {zone}", "site", 0.25, "_zone")


def _choice(field: Field) -> Iterator[Element]:
    """A mailer's name, and what goes with it: a list where it seems complete, else how such values look.

    A bot may choose one for each message or once for each machine; where every machine keeps to one, machines
    are what is counted.
    """
    few = listed(field.values)
    counts, seen = _choices(field)
    once = sum(count == 1 for count in counts.values())
    if few is not None and (len(counts) == 1 or (field.kept and seen < MANY_MACHINES)):
        yield field.element(few, "engine" if seen >= MANY_MACHINES else "machine", 1.0)
    elif few is not None and once <= UNSEEN * seen and seen >= 2 * len(counts):
        yield field.element(few, "engine", 1.0)
    else:
        made = grammar(field.values, field.machines)
        yield field.element(made.pattern, "engine", min(0.5, worth_of(made)))


def _choices(field: Field) -> tuple[Counter[str], int]:
    """How often each value was chosen, and the number of choices."""
    if field.machines == 1:
        return Counter(field.values), 1 if len(set(field.values)) == 1 else len(field.values)
    by_machine: dict[str, set[str]] = {}
    for owner, value in zip(field.owners, field.values, strict=True):
        by_machine.setdefault(owner, set()).add(value)
    if len(by_machine) < len(field.values) and all(len(values) == 1 for values in by_machine.values()):
        return Counter(next(iter(values)) for values in by_machine.values()), len(by_machine)
    return Counter(field.values), len(field.values)


_ENCODED = re.compile(r"=\?[^?\s]{1,40}\?([BbQq])\?")
_FORMS: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("bare", re.compile(r"[^\s<>\",]+"), r'[^ \t<>",\n]{1,200}'),
    ("angle", re.compile(r"<[^<>\s]*>"), r"<[^<> \n]{0,200}>"),
    ("quoted", re.compile(r'"[^"]*" <[^<>\s]*>'), r'"[^"\n]{0,200}" <[^<> \n]{0,200}>'),
    ("encoded", re.compile(r'"?=\?.*\?="? ?<[^<>\s]*>'), r'"?=\?[^\n]{1,300}\?="? ?<[^<> \n]{0,200}>'),
    ("named", re.compile(r'[^"<>=][^"<>]* <[^<>\s]*>'), r'[^"<>=\n][^"<>\n]{0,200} <[^<> \n]{0,200}>'),
)


def _mailbox(field: Field, bound: Bound) -> Iterator[Element]:
    """How an address is written; several of them, or groups, have no form here."""
    forms: Counter[str] = Counter()
    for value in field.values:
        form = next((body for _, pattern, body in _FORMS if pattern.fullmatch(value.strip())), None)
        if form is None:
            return
        forms[form] += 1
    kept = sorted(form for form, count in forms.items() if count >= UNSEEN * len(field.values))
    if len(kept) <= 2:  # noqa: PLR2004 - three of five forms say nothing
        body = kept[0] if len(kept) == 1 else f"({'|'.join(kept)})"
        yield field.element(body, bound, 0.25, "_form")


def _recipient(field: Field) -> Iterator[Element]:
    yield from _mailbox(field, "engine")


def _author(field: Field) -> Iterator[Element]:
    """The author's name is a template's list, or that of whose machine it is."""
    yield from _mailbox(field, "template" if is_drawn(field.values, field.machines) else field.bound)


def _subject(field: Field) -> Iterator[Element]:
    """Whether a subject that need not be is encoded."""
    marks = {match[1] if (match := _ENCODED.match(value)) else "" for value in field.values}
    if len(marks) == 1 and "" not in marks:
        yield field.element(
            f"=\\?[^?\\n]{{1,40}}\\?{marks.pop()}\\?[^\\n]{{0,2000}}", "template", 0.25, "_words"
        )


def _encoding(field: Field) -> Iterator[Element]:
    lower = all(value == value.lower() for value in field.values)
    yield field.element(
        "[0-9a-z-]{3,30}" if lower else "[0-9A-Za-z-]{3,30}", "engine", 0.0 if lower else 0.25
    )
    few = listed(field.values)
    if few is not None:
        yield field.element(few, "template", 0.25, "_value")


_SET_BY_AUTHORS = frozenset(
    {
        "x-priority", "x-msmail-priority", "importance", "priority", "precedence", "content-class",
        "auto-submitted", "sensitivity", "content-disposition", "x-auto-response-suppress",
    }
)  # fmt: skip
"""Fields, in lower case, of few known values, which no machine has its own of."""


def _version(field: Field) -> Iterator[Element]:
    """MIME-Version: always 1.0, and a comment that holds a program's build."""
    if not all(value.startswith("1.0") for value in field.values):
        yield from any_other(field)
        return
    bare = all(value == "1.0" for value in field.values)
    yield field.element("1\\.0" + ("" if bare else "[^\\n]{0,200}"), "engine", 0.25)
    few = listed(field.values)
    if few is not None and not bare:
        yield field.element(few, field.bound, 0.25, "_build")


def any_other(field: Field) -> Iterator[Element]:
    """Any other field: its few values, or their grammar."""
    counts = Counter(field.values)
    few = listed(field.values)
    if few is not None and len(counts) * 4 <= len(field.values):
        common = field.name.lower() in _SET_BY_AUTHORS
        yield field.element(few, "engine" if common else field.bound, 0.25)
        return
    made = field.grammar(field.values)
    if made.bits > 1:
        yield field.element(made.pattern, "engine", 0.75 * worth_of(made))


def _nothing(_field: Field) -> Iterator[Element]:
    return iter(())


READERS: dict[str, Callable[[Field], Iterator[Element]]] = {
    "message-id": _identifier,
    "content-type": _content_type,
    "date": _date,
    "x-mailer": _choice,
    "user-agent": _choice,
    "x-mimeole": _choice,
    "to": _recipient,
    "from": _author,
    "reply-to": _author,
    "mime-version": _version,
    "subject": _subject,
    "content-transfer-encoding": _encoding,
    **dict.fromkeys(
        (
            "cc", "bcc", "sender", "references", "in-reply-to", "thread-topic", "organization", "errors-to",
            "x-sender", "disposition-notification-to", "return-receipt-to", "x-originating-ip", "comments",
            "keywords", "content-description", "feedback-id",
        ),
        _nothing,
    ),
}  # fmt: skip
"""Lower-case field name -> what is read off it; fields that say who and what, not which engine, give
nothing."""
