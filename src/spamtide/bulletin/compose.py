"""Composing: which claims become prose, in which order, and under which title."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from spamtide.model import UNKNOWN
from spamtide.statement import SEVERAL, Bulletin, Claim, Status

MOVES = ("decline", "cease", "rise", "resume", "surge", "new")
TOLD_BOTNETS = 4
"""Botnets that get a paragraph of their own; further ones share one."""
SHARED_SENTENCES = 5
EXPLAINED = re.compile(r"negligible, below \d+ % of its earlier level(?:,( by )|(?=\.))")
"""The word with its explanation."""
ROOM = 3
"""Names that a title has room for."""
ALONE = 1.05
"""Share of a change of all mail from which one botnet moved by more than all together."""


@dataclass(frozen=True, slots=True)
class Edition:
    """What a bulletin says of itself."""

    since: dt.date
    until: dt.date
    sensors: int
    """Sensors with wild spam in the period."""
    messages: int
    """Wild spam messages of the period."""
    simulated: bool = False
    versions: Mapping[str, int] = field(default_factory=dict)
    """Table -> Delta version that was read."""


@dataclass(frozen=True, slots=True)
class Section:
    """One paragraph: its heading and the claims that go into it."""

    heading: str
    kinds: tuple[str, ...]
    """In reading order."""
    subject_kinds: tuple[str, ...] = ()
    """() for any."""
    of_any: tuple[str, ...] = ()
    """Kinds that are taken whatever their subject's kind."""
    sentences: int = 4
    beside_level: int = 4
    """The same where there is a level to report, which makes this the lesser news."""
    subject: str = ""
    """'' for any."""
    most: Mapping[str, int] = field(default_factory=dict)
    """Kind -> most sentences of it, where fewer than `sentences`."""
    by_day: bool = False
    """Those that are told are told in the order of their days, and not of importance."""
    otherwise: str = ""
    """The heading where there is nothing of the first kind."""

    def headed(self, chosen: Sequence[Claim]) -> str:
        """The heading above some claims."""
        return self.heading if not self.otherwise or chosen[0].kind == self.kinds[0] else self.otherwise


SECTIONS: tuple[Section, ...] = (
    Section(
        "",
        ("thin", "dark", "unclear", "nothing-changed", "level", "decomposition", "exchange", *MOVES),
        ("total",),
        most=dict.fromkeys(MOVES, 1),
    ),
    Section("On the same days.", ("event", "nearby"), sentences=2),
    Section(
        "What they advertised.",
        ("advertised", "carried-on", "heir-engine", "nearby"),
        most={"advertised": 2, "carried-on": 1, "heir-engine": 1, "nearby": 1},
        sentences=5,
        beside_level=5,
        otherwise="Events on record.",
    ),
    Section("Whether others filled in.", ("effect",)),
    Section("What others measured.", ("published",)),
    Section("What cannot be attributed.", (*MOVES, "engine"), ("botnet",), sentences=3, subject=UNKNOWN),
    Section("Programmes.", ("switch", *MOVES), ("programme",), of_any=("switch",)),
    Section("What the mail is made of.", ("botnets", "campaigns", "programmes"), beside_level=1),
    Section("What lost its name.", ("attribution-loss",), sentences=4, by_day=True),
    Section("Sensors.", ("sensor-change", "sensor-outage", "coverage"), sentences=3),
    Section("What next.", ("outlook", "forecast")),
    Section("Told later.", ("hindsight",)),
)
"""Paragraphs besides those of single botnets. They are ordered by their most important claim."""

QUIET: tuple[Section, ...] = (
    Section("", ("nothing-changed", "exchange")),
    Section("", ("coverage", "hindsight")),
)
"""A period without news takes two lines."""
NAMELESS = Section("What the mail is made of.", ("campaigns",))
"""Besides, where no botnet is known in it."""

TITLE_VERBS: dict[str, tuple[str, str]] = {
    "decline": ("fell", "fell"),
    "cease": ("fell silent", "fell silent"),
    "rise": ("rose", "rose"),
    "resume": ("is back", "are back"),
    "surge": ("surged", "surged"),
    "new": ("is new", "are new"),
    "switch": ("moved to another programme", "moved to other programmes"),
    "stopped": ("has been silent for hours", "have been silent for hours"),
    "stopping": ("has sent next to nothing for hours", "have sent next to nothing for hours"),
}
"""What one subject did, and what two did."""


def compose(
    claims: Sequence[Claim],
    statuses: Sequence[Status],
    edition: Edition,
    unattributed: Status | None = None,
) -> Bulletin:
    """Compose a bulletin from claims alone, short and in the order that an editor would choose.

    Nothing is written here that is not a claim's sentence, besides headings and the title, whose numbers
    are the claims' too. Claims that find no place in the prose stay in the bulletin's table.
    `unattributed` is the row of the statuses' table that makes its levels add up.
    """
    ordered = tuple(sorted(claims, key=lambda c: (-c.importance, c.claim)))
    quiet = any(c.kind == "nothing-changed" for c in ordered)
    return Bulletin(
        title=_title(ordered),
        since=edition.since,
        until=edition.until,
        simulated=edition.simulated,
        sensors=edition.sensors,
        messages=edition.messages,
        paragraphs=_told_once(_paragraphs(ordered, _quiet(ordered)) if quiet else _by_importance(ordered)),
        claims=ordered,
        statuses=tuple(statuses),
        versions=dict(sorted(edition.versions.items())),
        unattributed=unattributed,
    )


def _quiet(claims: Sequence[Claim]) -> tuple[Section, ...]:
    """The paragraphs of a period without news: that no botnet moved says little where none is known."""
    known = any(c.kind == "botnets" and "named" in c.numbers for c in claims)
    return QUIET if known else (QUIET[0], NAMELESS, *QUIET[1:])


Paragraph = tuple[str, str, tuple[str, ...]]


def _paragraphs(claims: Sequence[Claim], sections: Sequence[Section]) -> tuple[Paragraph, ...]:
    """One paragraph a section, in the order given; sections without claims are left out."""
    made = []
    for section in sections:
        chosen = _chosen(claims, section)
        if chosen:
            made.append(_written(section.headed(chosen), chosen))
    return tuple(made)


def _chosen(claims: Sequence[Claim], section: Section) -> list[Claim]:
    """The claims of a section, kind by kind, the most important first within each."""
    fitting = [
        c
        for c in claims
        if c.kind in section.kinds
        and (not section.subject_kinds or c.subject_kind in section.subject_kinds or c.kind in section.of_any)
        and section.subject in {"", c.subject}
    ]
    # An event that is near stands beside those that are linked, and else among the programmes.
    linked = any(c.kind == "event" for c in claims)
    fitting = [c for c in fitting if c.kind != "nearby" or linked == ("event" in section.kinds)]
    # The switches of one botnet are told in the order of their days.
    top = {c.subject: max(o.importance for o in fitting if o.subject == c.subject) for c in fitting}
    fitting.sort(
        key=lambda c: (
            section.kinds.index(c.kind),
            -(top[c.subject] if c.kind == "switch" else c.importance),
            c.claim,
        )
    )
    first = _most_sensors(claims)
    fitting = [c for c in fitting if c is not first]
    together = {(c.kind, s, _day(c)) for c in claims if c.subject == "several" for s in c.sensors}
    fitting = [c for c in fitting if (c.kind, c.subject, _day(c)) not in together]
    fitting = [
        c
        for c in fitting
        if [o for o in fitting if o.kind == c.kind].index(c) < section.most.get(c.kind, section.sentences)
    ]
    has_level = any(c.kind == "level" for c in claims)
    told = fitting[: min(section.sentences, section.beside_level) if has_level else section.sentences]
    return sorted(told, key=_onset) if section.by_day else told


def _by_importance(claims: Sequence[Claim]) -> tuple[Paragraph, ...]:
    """All paragraphs, the lead first, the others by their most important claim.

    Botnets that moved follow the first of them, so that the story of who fell is told in one go.
    """
    lead, *others = SECTIONS
    ranked: list[tuple[float, int, Paragraph]] = []
    for place, section in enumerate(others):
        chosen = _chosen(claims, section)
        if chosen:
            top = max(c.importance for c in chosen)
            ranked.append((-top, 100 + place, _written(section.headed(chosen), chosen)))
    botnets = _botnets(claims)
    first = max((c.importance for _, told in botnets[:1] for c in told), default=0.0)
    for place, (name, told) in enumerate(botnets[:TOLD_BOTNETS]):
        own = first if any(c.kind in MOVES for c in told) else max(c.importance for c in told)
        ranked.append((-own, place, _written(name, told)))
    shared = [told[0] for _, told in botnets[TOLD_BOTNETS:]][:SHARED_SENTENCES]
    if shared:
        ranked.append((-shared[0].importance, TOLD_BOTNETS, _written("Others.", shared)))
    ranked.sort(key=lambda item: item[:2])
    most = _most_sensors(claims)
    opening = [*([most] if most else []), *_chosen(claims, lead)]
    led = [_written(lead.heading, opening)] if opening else []
    return (*led, *(paragraph for *_, paragraph in ranked))


def _most_sensors(claims: Sequence[Claim]) -> Claim | None:
    """That half of all sensors or more changed at once, where they did: the first thing to know."""
    together = next((c for c in claims if c.kind == "sensor-change" and c.subject == "several"), None)
    if together is None:
        return None
    changed, whole = together.numbers.get("k"), together.numbers.get("all")
    if not isinstance(changed, int | float) or not isinstance(whole, int | float):
        return None
    return together if 2 * changed >= whole else None


def _botnets(claims: Sequence[Claim]) -> list[tuple[str, list[Claim]]]:
    """(name, claims) of each botnet that moved or stands still now, the most important first."""
    found: dict[str, list[Claim]] = {}
    for claim in claims:
        if claim.subject_kind == "botnet" and claim.subject != UNKNOWN and claim.kind in {*MOVES, "status"}:
            found.setdefault(claim.subject, []).append(claim)
    groups = []
    for told in found.values():
        # The story of a botnet: its changes in order of date, then where it stands.
        story = sorted(told, key=lambda c: (c.kind == "status", c.claim.rsplit(":", 1)[-1], c.claim))
        groups.append((-max(c.importance for c in told), story[0].claim, _name(story[0]), story))
    return [(name, story) for *_, name, story in sorted(groups, key=lambda g: g[:2])]


def _day(claim: Claim) -> str:
    """The day in an outage's id; sensors that change together do so on days that need not be the same."""
    return claim.claim.rsplit(":", 1)[-1] if claim.kind == "sensor-outage" else ""


def _onset(claim: Claim) -> tuple[str, str]:
    """The day in a change's id, and the id."""
    return claim.claim.rsplit(":", 1)[-1], claim.claim


def _name(claim: Claim) -> str:
    """The name by which a claim calls its subject."""
    name = claim.numbers.get("name")
    return name if isinstance(name, str) else claim.subject


def _told_once(paragraphs: Sequence[Paragraph]) -> tuple[Paragraph, ...]:
    """What negligible means is said at its first use only; every claim by itself says it."""
    told, kept = False, []
    for heading, text, ids in paragraphs:
        match = EXPLAINED.search(text)
        if match and not told:
            told, first = True, match.end()
        else:
            first = 0
        kept.append((heading, text[:first] + EXPLAINED.sub(r"negligible\1", text[first:]), ids))
    return tuple(kept)


def _written(heading: str, claims: Sequence[Claim]) -> Paragraph:
    """Join the sentences; a name that the sentence before began with becomes 'It'."""
    sentences: list[str] = []
    subject = ""
    for claim in claims:
        name = _name(claim)
        sentence = claim.sentence
        if sentences and name == subject and sentence.startswith(f"{name} "):
            sentence = f"It {sentence[len(name) + 1 :]}"
        sentences.append(sentence)
        subject = name
    return heading, " ".join(sentences), tuple(c.claim for c in claims)


# ---------------------------------------------------------------------------- the title


def _title(claims: Sequence[Claim]) -> str:
    """The first title that the claims carry, by the rules of TITLES."""
    by_kind: dict[str, Claim] = {}
    for claim in claims:
        by_kind.setdefault(claim.kind, claim)
    for rule in TITLES:
        title = rule(by_kind, claims)
        if title:
            return title
    return "Nothing can be said of this period"


def _number(claim: Claim, name: str, unit: str = "") -> str:
    """A claim's number for a title: whole, without its interval, which the text gives."""
    value = claim.numbers.get(name)
    return f"{value:,.0f}{unit}" if isinstance(value, int | float) else "an unknown number"


def _thin_title(kinds: Mapping[str, Claim], _: Sequence[Claim]) -> str:
    """Little mail."""
    thin = kinds.get("thin")
    if thin is None:
        return ""
    return f"{_number(thin, 'n')} {'message' if thin.n == 1 else 'messages'}: too few for a trend"


def _dark_title(kinds: Mapping[str, Claim], _: Sequence[Claim]) -> str:
    """No mail, and nobody who would have taken it in."""
    return "Nothing was collected" if "dark" in kinds else ""


def _quiet_title(kinds: Mapping[str, Claim], _: Sequence[Claim]) -> str:
    """No news."""
    quiet = kinds.get("nothing-changed")
    return f"Nothing changed: the volume index is {_number(quiet, 'index')}" if quiet else ""


def _sensors_title(_: Mapping[str, Claim], claims: Sequence[Claim]) -> str:
    """Several sensors changed at once, which outranks what their mail seems to say."""
    together = next((c for c in claims if c.kind == "sensor-change" and c.subject == "several"), None)
    if together is None:
        return ""
    return f"{_number(together, 'k')} of {_number(together, 'all')} sensors changed; that is not the spam"


def _most_sensors_title(kinds: Mapping[str, Claim], claims: Sequence[Claim]) -> str:
    """Most sensors changed at once, which outranks everything."""
    return _sensors_title(kinds, claims) if _most_sensors(claims) else ""


def _level_title(kinds: Mapping[str, Claim], claims: Sequence[Claim]) -> str:
    """The total moved."""
    level, parts = kinds.get("level"), kinds.get("decomposition")
    if level is None or level.numbers.get("direction") not in {"fall", "rise"}:
        return ""
    falling = level.numbers["direction"] == "fall"
    times = "times" in level.numbers
    much = f"to {_times(level)}" if times else f"by {_number(level, 'percent', ' %')}"
    base = level.numbers.get("base_month")
    if isinstance(base, str) or level.numbers.get("dated") == "no":
        percent = _number(level, "percent", " %")
        where = f"at {_times(level)}" if times else f"{percent} {'below' if falling else 'above'}"
        whose = f"its level of {base}" if base else "its earlier level"
        title = f"{_sampled(level)}spam stands {where} {whose}"
        title = f"{title[:1].upper()}{title[1:]}"
        # Where the level before lies months back, what happened in the period is news besides.
        more = _move_title(kinds, claims) if base else "no change could be dated"
        return f"{title}; {more}" if more else title
    title = (
        f"{_sampled(level)}spam {'fell' if falling else 'rose'} {much}{' its earlier level' if times else ''}"
    )
    title = f"{title[:1].upper()}{title[1:]}"
    word = parts.numbers.get("largest_word") if parts else None
    if parts is not None and parts.numbers.get("nameless_word") in {"most", "nearly all"}:
        return (
            f"{title}; {parts.numbers['nameless_word']} of what {'went' if falling else 'came'} has no name"
        )
    if parts is None or word not in {"most", "nearly all"}:
        return title
    largest, share = parts.numbers["largest"], parts.numbers.get("largest_share")
    if isinstance(share, int | float) and share > ALONE and "against" in parts.numbers:
        return f"{title}; {largest} alone {'lost' if falling else 'gained'} more"
    return f"{title}; {word} of the {level.numbers['direction']} is {largest}'s"


def _times(level: Claim) -> str:
    """'12 times' or '2.5 times'."""
    value = level.numbers.get("times")
    if not isinstance(value, int | float):
        return "several times"
    return f"{value:,.0f} times" if value >= SEVERAL else f"{value:.1f} times"


def _sampled(level: Claim) -> str:
    """How little a title rests on: 'At one sensor, 210 messages: ', or nothing."""
    n, sensors = level.numbers.get("sample"), level.numbers.get("sample_sensors")
    if not isinstance(n, int | float) or not isinstance(sensors, int | float):
        return ""
    return f"At {'one sensor' if sensors == 1 else f'{sensors:,.0f} sensors'}, {n:,.0f} messages: "


def _move_title(kinds: Mapping[str, Claim], claims: Sequence[Claim]) -> str:
    """What the most important botnets did, and what the next ones did; else a programme's move."""
    moved = [
        c
        for c in claims
        if c.kind in TITLE_VERBS and c.subject_kind in {"botnet", "programme"} and c.subject != UNKNOWN
    ]
    botnets = [c for c in moved if c.subject_kind == "botnet"]
    if not botnets and (exchanged := _exchange_title(kinds, claims)):
        return exchanged
    told: dict[str, str] = {}
    for claim in botnets or moved:  # a programme's move mostly repeats its botnets'
        hours = "stopping" if "seen" in claim.numbers else "stopped"
        told.setdefault(_name(claim), hours if "due" in claim.numbers else claim.kind)
    groups: dict[str, list[str]] = {}
    for name, kind in told.items():
        groups.setdefault(kind, []).append(name)
    several = any(len(names) > 1 for names in groups.values())
    title = ("; " if several else ", ").join(_did(kind, names) for kind, names in list(groups.items())[:2])
    heir = kinds.get("carried-on")
    if heir is not None and next(iter(told), "") == heir.numbers.get("name"):
        title += f"; its mail for {heir.numbers['programme']} goes on under another sender"
    return title


def _exchange_title(kinds: Mapping[str, Claim], _: Sequence[Claim]) -> str:
    """All mail stands where it stood, and is not made of the same."""
    exchange = kinds.get("exchange")
    if exchange is None or "percent" in exchange.numbers:
        return ""
    gained, lost = (exchange.numbers.get(name) for name in ("most_gained", "most_lost"))
    told = [f"more from {gained}" if gained else "", f"less from {lost}" if lost else ""]
    return f"Spam stands where it stood in {exchange.numbers['month']}: {', '.join(filter(None, told))}"


def _did(kind: str, names: Sequence[str]) -> str:
    """What one, two or more subjects did."""
    one, several = TITLE_VERBS[kind]
    if len(names) == 1:
        return f"{names[0]} {one}"
    if len(names) <= ROOM:
        return f"{', '.join(names[:-1])} and {names[-1]} {several}"
    return f"{names[0]}, {names[1]} and {len(names) - 2} others {several}"


def _unclear_title(kinds: Mapping[str, Claim], _: Sequence[Claim]) -> str:
    """The volume cannot be told."""
    return "What the volume did cannot be told" if "unclear" in kinds else ""


def _level_only_title(kinds: Mapping[str, Claim], _: Sequence[Claim]) -> str:
    """An index and nothing else."""
    level = kinds.get("level")
    return f"The volume index stands at {_number(level, 'index')}" if level else ""


def _makeup_title(kinds: Mapping[str, Claim], _: Sequence[Claim]) -> str:
    """No history at all."""
    made, campaigns = kinds.get("botnets"), kinds.get("campaigns")
    if made and "named" in made.numbers:
        return f"What {_number(made, 'n')} messages are made of"
    if campaigns:
        many = _number(campaigns, "campaigns")
        return f"{_number(campaigns, 'n')} messages of {many} campaigns, no known botnet's"
    return f"{_number(made, 'n')} messages, no known botnet's" if made else ""


TITLES: tuple[Callable[[Mapping[str, Claim], Sequence[Claim]], str], ...] = (
    _most_sensors_title,
    _dark_title,
    _thin_title,
    _quiet_title,
    _sensors_title,
    _level_title,
    _move_title,
    _unclear_title,
    _level_only_title,
    _makeup_title,
)
"""Rules for the title, the first that has one decides."""
