"""What the headers of one face of an engine have in common, as patterns: one element a habit.

A *hard* element is the engine's: no new template and no other machine changes it. A *soft* one held for all
lab mail too, but may belong to the templates or to the machines that the lab happened to see; mail without it
is not refused, it is doubted, by how few templates or machines stand behind it (see `skeleton`). What a
machine keeps to is taken for the machine's until MANY_MACHINES keep to the same: its name, its language, the
build of its mail program, what an administrator set. What changes from message to message on one machine is
the engine's or the template's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from spamtide.attribution.learning.dates import date_form, date_zone
from spamtide.attribution.learning.grammar import FEW_MACHINES, Grammar, grammar, listed, literal
from spamtide.attribution.learning.layout import machines_of
from spamtide.attribution.learning.order import Face

MAX_VALUE = 400
"""Longer values hold no grammar that a person would read."""
UNSEEN = 0.03
"""Where values seen once make up more than this of all, others are still to come, and no list is complete."""
MANY_MACHINES = 10
"""From so many machines on, a value that all of them write is no machine's choice."""
MANY_VALUES = 10
"""Different values from which a machine is seen to change them."""
MACHINE_HOSTS = frozenset({"literal", "name", "domain", "none"})
"""Forms of what an engine writes that asks its machine for its name."""
EVERYWHERE = frozenset({"us-ascii", "utf-8"})
"""Charsets, in lower case, that no system has by its language."""
FULL = 8.0
"""Bits from which a grammar tells an engine as well as any single thing can."""

Bound = Literal["engine", "template", "machine", "site"]


@dataclass(frozen=True, slots=True)
class Element:
    """One habit."""

    key: str
    """Identifier of its string in a rule."""
    pattern: str
    """YARA regular expression, with its slashes."""
    bound: Bound
    """What the habit belongs to as far as the lab can tell; 'engine' makes it hard."""
    telling: float
    """How much it says: 1 for a grammar of one author's, near 0 for what most mailers do."""


_OPEN = "\ufffc"
"""Stands for what is a machine's; no header holds it."""


@dataclass(frozen=True, slots=True)
class _Field:
    """One header field of a face."""

    name: str
    values: Sequence[str]
    machines: int
    owners: Sequence[str]
    """The machine that wrote each value; '' where it is not known."""
    hosts: AbstractSet[str]
    """What the id-host trait says of the face."""
    masks: Sequence[re.Pattern[str]]
    """By value, what finds its machine's own name and address in it."""

    @property
    def key(self) -> str:
        return re.sub(r"\W+", "_", self.name.lower(), flags=re.ASCII).strip("_") or "header"

    @property
    def bound(self) -> Bound:
        """Whose a value is that never changes on a machine."""
        return "engine" if self.machines >= MANY_MACHINES or not self.kept else "machine"

    @property
    def kept(self) -> bool:
        """Whether each machine keeps to one value."""
        if self.machines == 1:
            return len(set(self.values)) == 1
        by_machine: dict[str, str] = {}
        pairs = zip(self.owners, self.values, strict=True)
        return all(by_machine.setdefault(owner, value) == value for owner, value in pairs)

    def grammar(self, values: Sequence[str]) -> Grammar:
        """The grammar of `values`, one of each message, in which machines' names and addresses stand open."""
        hidden = [mask.sub(_OPEN, value) for value, mask in zip(values, self.masks, strict=True)]
        return _opened(grammar(hidden, self.machines, named=True))

    def element(self, body: str, bound: Bound, telling: float, suffix: str = "") -> Element:
        return Element(self.key + suffix, f"/header {literal(self.name)}: {body}\\n/", bound, telling)


def elements_of(face: Face, unless: Collection[str]) -> list[Element]:
    """Every habit of a face, the most telling kinds first."""
    machines = machines_of(face.layouts)
    found: list[Element] = list(_traits(face, machines))
    for name in face.required(unless):
        having = [layout for layout in face.layouts if name in layout.headers]
        values = [layout.headers[name] for layout in having]
        if not values or max(map(len, values)) > MAX_VALUE:
            continue
        owners = [layout.machine for layout in having]
        reader = _READERS.get(name.lower(), _other)
        masks = [_mask(layout.helo, layout.machine) for layout in having]
        found.extend(reader(_Field(name, values, machines, owners, _values(face, "id-host"), masks)))
    keys = [element.key for element in found]
    unique = [element for place, element in enumerate(found) if element.key not in keys[:place]]
    return sorted(unique, key=lambda element: (-element.telling, element.key))


SHORT_NAME = 4
"""Shorter names of machines may stand anywhere by accident."""
_COMMON_LABELS = frozenset({"mail", "smtp", "mime", "part", "next"})
"""First labels that authors write as well."""
_PRIVATE = (
    r"(?<![0-9])(?:(?:10|127)\.\d{1,3}|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2}(?![0-9])"
)
"""Addresses of a machine that nobody outside its network sees."""


def _opened(made: Grammar) -> Grammar:
    """A grammar with what is a machine's left open."""
    return replace(made, pattern=made.pattern.replace(literal(_OPEN), r'[^\s<>"]{0,255}'))


@lru_cache(maxsize=4096)
def _mask(helo: str, address: str) -> re.Pattern[str]:
    """What finds a machine's name, its first label, and its addresses."""
    name = helo.strip("[]").rstrip(".")
    first = name.partition(".")[0]
    own = [each for each in (name, address, first) if len(each) >= SHORT_NAME and not each.isdigit()]
    own = [each for each in own if each.lower() not in _COMMON_LABELS]
    named = [re.escape(each) for each in dict.fromkeys(own)]
    return re.compile(
        "|".join([*(rf"(?<![0-9A-Za-z])\[?{each}\]?(?![0-9A-Za-z])" for each in named), _PRIVATE]),
        re.IGNORECASE,
    )


# ---------------------------------------------------------------------------- fields


def _identifier(field: _Field) -> Iterator[Element]:
    """Message-ID: the grammar left of the '@', and the form of what stands right of it."""
    inner = [value.strip() for value in field.values]
    split = [value.rpartition("@") for value in inner]
    if not all(at for _, at, _ in split):
        made = field.grammar(inner)
        yield field.element(made.pattern, "engine", _worth(made))
        return
    made = field.grammar([left for left, _, _ in split])
    host, worth = _host([right for _, _, right in split], field)
    yield field.element(f"{made.pattern}@{host}", "engine", min(1.0, _worth(made) + worth))


def _host(hosts: Sequence[str], field: _Field) -> tuple[str, float]:
    """The part after '@' with what closes it: a constant of several machines, or a form."""
    machines = field.machines
    close = ">" if all(host.endswith(">") for host in hosts) else ""
    names = [host.removesuffix(">") for host in hosts]
    if len(set(names)) == 1 and machines >= FEW_MACHINES and field.hosts <= {"name", "domain"}:
        return literal(names[0]) + close, 0.5
    drawn = _drawn(names, machines)
    if drawn and all(re.fullmatch(r"[A-Za-z0-9]+", name) for name in names):
        made = grammar(names, machines)
        return made.pattern + close, 0.25 if made.bits >= 1 else 0.0
    if (drawn or machines >= MANY_MACHINES) and all(re.fullmatch(r"\[[0-9.]+\]", name) for name in names):
        return r"\[[0-9.]{7,15}\]" + close, 0.25
    return r"[^>\n]{0,255}" + close, 0.0


def _drawn(values: Sequence[str], machines: int) -> bool:
    """Whether values change from message to message, and not from machine to machine."""
    return len(set(values)) >= max(MANY_VALUES, 3 * machines)


_PARAMETER = re.compile(r'(\s*;\s*)([A-Za-z0-9*_-]{1,40})=("[^"]*"|[^\s;"]*)')
_STANDARD_TYPE = re.compile(
    r'text/(plain|html); charset="?|multipart/(mixed|alternative|related); boundary="'
)


def _content_type(field: _Field) -> Iterator[Element]:
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
                hidden = mask.sub(_OPEN, given)
                boundaries.setdefault(tuple(form[:2]), []).append(hidden.strip('"'))
            elif name.lower() == "charset":
                charsets.add(given.strip('"'))
        forms[tuple(form)] += 1
        kinds.add(head)
    made = {key: _opened(grammar(values, field.machines, named=True)) for key, values in boundaries.items()}
    shapes = [form for form, count in sorted(forms.items()) if count >= UNSEEN * len(field.values)]
    body = "|".join(dict.fromkeys(_type_pattern(form, made) for form in shapes))
    worth = max((_worth(each) for each in made.values()), default=0.0)
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


def _date(field: _Field) -> Iterator[Element]:
    form = date_form(field.values)
    if form is None:
        return
    pattern, usual = form
    yield field.element(pattern, "engine", 0.0 if usual else 0.75)
    zone = date_zone(field.values)
    if zone is not None:
        yield field.element(f"[^\\n]{{10,40}} {zone}", "site", 0.25, "_zone")


def _choice(field: _Field) -> Iterator[Element]:
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
        yield field.element(made.pattern, "engine", min(0.5, _worth(made)))


def _choices(field: _Field) -> tuple[Counter[str], int]:
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


def _mailbox(field: _Field, bound: Bound) -> Iterator[Element]:
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


def _recipient(field: _Field) -> Iterator[Element]:
    yield from _mailbox(field, "engine")


def _author(field: _Field) -> Iterator[Element]:
    """The author's name is a template's list, or that of whose machine it is."""
    yield from _mailbox(field, "template" if _drawn(field.values, field.machines) else field.bound)


def _subject(field: _Field) -> Iterator[Element]:
    """Whether a subject that need not be is encoded."""
    marks = {match[1] if (match := _ENCODED.match(value)) else "" for value in field.values}
    if len(marks) == 1 and "" not in marks:
        yield field.element(
            f"=\\?[^?\\n]{{1,40}}\\?{marks.pop()}\\?[^\\n]{{0,2000}}", "template", 0.25, "_words"
        )


def _encoding(field: _Field) -> Iterator[Element]:
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


def _version(field: _Field) -> Iterator[Element]:
    """MIME-Version: always 1.0, and a comment that holds a program's build."""
    if not all(value.startswith("1.0") for value in field.values):
        yield from _other(field)
        return
    bare = all(value == "1.0" for value in field.values)
    yield field.element("1\\.0" + ("" if bare else "[^\\n]{0,200}"), "engine", 0.25)
    few = listed(field.values)
    if few is not None and not bare:
        yield field.element(few, field.bound, 0.25, "_build")


def _other(field: _Field) -> Iterator[Element]:
    """Any other field: its few values, or their grammar."""
    counts = Counter(field.values)
    few = listed(field.values)
    if few is not None and len(counts) * 4 <= len(field.values):
        common = field.name.lower() in _SET_BY_AUTHORS
        yield field.element(few, "engine" if common else field.bound, 0.25)
        return
    made = field.grammar(field.values)
    if made.bits > 1:
        yield field.element(made.pattern, "engine", 0.75 * _worth(made))


def _nothing(_field: _Field) -> Iterator[Element]:
    return iter(())


def _worth(made: Grammar) -> float:
    return max(0.0, min(1.0, made.bits / FULL))


_READERS: dict[str, Callable[[_Field], Iterator[Element]]] = {
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


# ---------------------------------------------------------------------------- traits


def _traits(face: Face, machines: int) -> Iterator[Element]:
    """Habits that no single line shows, from the traits line."""
    hosts = _values(face, "id-host")
    if hosts and hosts <= {"none", "relay"}:
        hosts = {"none", "relay"}  # some servers add a Message-ID, and some do not
    elif hosts & MACHINE_HOSTS and len(hosts - MACHINE_HOSTS) <= 1 and not _draws_hosts(face, machines):
        yield from _machine_hosts(hosts, machines)
        hosts = set()
    if hosts and len(hosts) <= 2:  # noqa: PLR2004 - more forms are none
        yield _trait("id_host", f"id-host={_any(hosts)} ", "engine", 0.25)
    clocks = _values(face, "clock")
    if len(clocks) == 1 and clocks != {"none"}:
        yield _trait("clock", f"[^\\n]{{0,40}}clock={_any(clocks)} ", "engine", 0.25)
    folds = _values(face, "fold")
    if len(folds) == 1:
        yield _trait(
            "fold", f"[^\\n]{{0,80}}fold={_any(folds)} ", "engine", 0.0 if folds == {"none"} else 0.25
        )
    helos = _values(face, "helo") - {"none"}
    if len(helos) == 1:
        yield _trait("helo", f"[^\\n]{{0,60}}helo={_any({*helos, 'none'})} ", "machine", 0.25)
    layouts = _values(face, "layout")
    if layouts and len(layouts) <= 2:  # noqa: PLR2004 - more layouts are the templates'
        yield _trait("layout", f"[^\\n]{{0,100}}layout={_any(layouts)} ", "template", 0.25)


def _machine_hosts(hosts: set[str], machines: int) -> Iterator[Element]:
    """That it writes its machine's name is the engine's habit; what kind of name that is, the machine's."""
    told = 0.25 if hosts <= MACHINE_HOSTS else 0.0
    if machines >= MANY_MACHINES:
        yield _trait("id_host", f"id-host={_any(hosts)} ", "engine", told)
        return
    yield _trait("id_host", f"id-host={_any(hosts | MACHINE_HOSTS)} ", "engine", told)
    yield _trait("id_host_form", f"id-host={_any(hosts)} ", "machine", 0.25)


def _draws_hosts(face: Face, machines: int) -> bool:
    """Whether the right sides of Message-IDs change from message to message."""
    found = [
        value.rpartition("@")[2]
        for layout in face.layouts
        for name, value in layout.headers.items()
        if name.lower() == "message-id"
    ]
    return _drawn(found, machines)


def _values(face: Face, key: str) -> set[str]:
    """Values of a trait that are no accident."""
    counts = Counter(layout.traits.get(key, "") for layout in face.layouts)
    return {value for value, count in counts.items() if value and count >= UNSEEN * len(face.layouts)}


def _any(values: Collection[str]) -> str:
    parts = [literal(value) for value in sorted(values)]
    return parts[0] if len(parts) == 1 else f"({'|'.join(parts)})"


def _trait(key: str, body: str, bound: Bound, telling: float) -> Element:
    return Element(key, f"/traits: {body}/", bound, telling)
