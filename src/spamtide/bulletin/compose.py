"""Composing: which claims become prose, in which order, and under which title."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from spamtide.bulletin.brief import MOVES, briefs
from spamtide.bulletin.titles import most_sensors, name_of, title_of
from spamtide.model import UNKNOWN
from spamtide.statement import Brief, Bulletin, Claim, Status

TOLD_BOTNETS = 4
"""Botnets that get a paragraph of their own; further ones share one."""
SHARED_SENTENCES = 5
ONCE = ". Dates alone do not say which led to which, or whether either did."
"""Said of the first event of a bulletin; every claim by itself says it."""
EXPLAINED = re.compile(r"negligible, below \d+ % of its earlier level(?:,( by )|(?=\.))")
"""The word with its explanation."""


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
        most=dict.fromkeys(MOVES, 1) | {"surge": 2},
    ),
    Section("On the same days.", ("event", "nearby"), sentences=3),
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
    paragraphs = _told_once(_paragraphs(ordered, _quiet(ordered)) if quiet else _by_importance(ordered))
    return Bulletin(
        title=title_of(ordered),
        since=edition.since,
        until=edition.until,
        simulated=edition.simulated,
        sensors=edition.sensors,
        messages=edition.messages,
        paragraphs=paragraphs,
        claims=ordered,
        statuses=tuple(statuses),
        versions=dict(sorted(edition.versions.items())),
        unattributed=unattributed,
        summary=_in_short(briefs(paragraphs, ordered)),
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
    first = most_sensors(claims)
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
    if section.by_day:
        return sorted(told, key=_onset)
    floods = iter(sorted((c for c in told if c.kind == "surge"), key=_onset))
    return [next(floods) if c.kind == "surge" else c for c in told]


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
    most = most_sensors(claims)
    opening = [*([most] if most else []), *_chosen(claims, lead)]
    led = [_written(lead.heading, opening)] if opening else []
    return (*led, *(paragraph for *_, paragraph in ranked))


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
        groups.append((-max(c.importance for c in told), story[0].claim, name_of(story[0]), story))
    return [(name, story) for *_, name, story in sorted(groups, key=lambda g: g[:2])]


def _day(claim: Claim) -> str:
    """The day in an outage's id; sensors that change together do so on days that need not be the same."""
    return claim.claim.rsplit(":", 1)[-1] if claim.kind == "sensor-outage" else ""


def _onset(claim: Claim) -> tuple[str, str]:
    """The day in a change's id, and the id."""
    return claim.claim.rsplit(":", 1)[-1], claim.claim


def _told_once(paragraphs: Sequence[Paragraph]) -> tuple[Paragraph, ...]:
    """What negligible means, and what dates do not say, is said once only; every claim by itself says it."""
    told, warned, kept = False, False, []
    for heading, text, ids in paragraphs:
        match = EXPLAINED.search(text)
        if match and not told:
            told, first = True, match.end()
        else:
            first = 0
        short = text[:first] + EXPLAINED.sub(r"negligible\1", text[first:])
        head, once, rest = ("", "", short) if warned else short.partition(ONCE)
        warned = warned or bool(once)
        kept.append((heading, head + once + rest.replace(ONCE, "."), ids))
    return tuple(kept)


def _in_short(lines: Sequence[Brief]) -> tuple[Brief, ...]:
    """The summary, by itself too without what was said before."""
    told = _told_once([("", line.text, line.claims) for line in lines])
    return tuple(replace(line, text=text) for line, (_, text, _) in zip(lines, told, strict=True))


def _written(heading: str, claims: Sequence[Claim]) -> Paragraph:
    """Join the sentences; a name that the sentence before began with becomes 'It'."""
    sentences: list[str] = []
    subject = ""
    for claim in claims:
        name = name_of(claim)
        sentence = claim.sentence
        if sentences and name == subject and sentence.startswith(f"{name} "):
            sentence = f"It {sentence[len(name) + 1 :]}"
        sentences.append(sentence)
        subject = name
    return heading, " ".join(sentences), tuple(c.claim for c in claims)
