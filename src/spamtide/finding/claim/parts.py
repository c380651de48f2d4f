"""Claims about what a level is made of: whose the points are that all mail lost or gained."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from spamtide.finding.claim.draft import about_all, draft
from spamtide.finding.figures import Figure, figure_of, total_of
from spamtide.finding.inputs import View
from spamtide.finding.lost import parts_of
from spamtide.finding.words import SHARE_WORDS, Dated, Value, listing, month_of, weeks_of, word_from
from spamtide.model import UNKNOWN, Change, Contribution
from spamtide.statement import Claim

ERROR = 0.05
"""Chance that any botnet is told by name that did as ever."""
BEYOND = 1.05
"""Share of all points lost from which those of the named botnets are no part of them."""
NAMED_PARTS = 4
"""Botnets whose points are told by name."""
LEAST_POINTS = 0.5
"""Index points below which nothing is told."""
MOVED: dict[bool, dict[str, str]] = {
    True: {"decline": "began to fall", "cease": "began to fall"},
    False: {"rise": "began to rise", "resume": "was back", "new": "was first seen"},
}
"""Whether points were lost -> kind of change that did it -> what is said of its day."""
EXCHANGED = 0.1
"""Share of the level: what came or went of less is not told where all mail stands where it stood."""


@dataclass(frozen=True, slots=True)
class _Split:
    """Whose the index points are that all mail lost or gained; figures are positive the way it went."""

    whole: Figure
    falling: bool
    named: tuple[Contribution, ...]
    """Botnets that went with it, beyond chance, those with most points first."""
    unknown: tuple[Contribution, ...]
    """What mail of no botnet lost or gained with it, if that is worth telling."""
    apart: Figure | None
    """The same where it is beyond chance, to be told by itself."""
    others: Figure
    """All the rest. One number: those chosen because they went one way would make a move of chance."""
    against: Figure
    """The same the other way."""


def decomposition_claims(view: View) -> Iterator[Claim]:
    """Whose the lost (or gained) points are; what all others gained meanwhile is one number of its own."""
    parts, lost = parts_of(view)
    if not parts or not view.botnets:
        return  # where no botnet is known to send or not to send, that no part is a botnet's says nothing
    split = _split(view, parts)
    if split is None:
        return
    values: dict[str, Value] = {"points": split.whole}
    template = _opening(view, values, split)
    dated = [
        f"{{part{at}_name}} {when}"
        for at, one in enumerate(split.named, start=1)
        if (when := _when(view, values, one, f"since{at}"))
    ]
    template += f". {listing(dated)}" if dated else ""
    template += _names_lost(view, values, lost, falling=split.falling)
    # A title says whose most of a fall is, and means of all that was lost, not of what others left of it.
    gross = sum(abs(c.points) for c in parts if (c.points < 0) == split.falling)
    nameless = sum(abs(c.points) for c in split.unknown)
    largest = split.named[0] if split.named else None
    yield draft(
        view,
        about_all(view, "decomposition", (view.period.before[0], view.period.after[1])),
        template + ".",
        values,
        direction="fall" if split.falling else "rise",
        largest=view.name(largest.subject) if largest else None,
        largest_share=round(abs(largest.points / split.whole.value), 4) if largest else 0.0,
        largest_word=word_from(SHARE_WORDS, abs(largest.points) / gross) if largest else None,
        nameless_word=word_from(SHARE_WORDS, nameless / gross) if nameless else None,
    )


def _split(view: View, parts: Sequence[Contribution]) -> _Split | None:
    """Whose the points are; None where all mail neither lost nor gained beyond chance."""
    stated = next((c for c in view.inputs.contributions if c.subject_kind == "total"), None)
    whole = figure_of(stated) if stated else total_of([figure_of(c) for c in parts])
    if not math.isfinite(whole.value) or not whole.sure:
        return None
    falling = whole.value < 0
    sign = -1 if falling else 1
    with_it = sorted(
        (c for c in parts if sign * c.points > 0 and c.subject != UNKNOWN),
        key=lambda c: (-sign * c.points, c.subject),
    )
    many = max(sum(c.subject != UNKNOWN for c in parts), 1)
    named = [c for c in with_it if _is_part(view, c, many) and abs(c.points) >= LEAST_POINTS][:NAMED_PARTS]
    unknown = [c for c in parts if c.subject == UNKNOWN and sign * c.points >= LEAST_POINTS]
    apart = [c for c in unknown if figure_of(c).sure]
    net = total_of([figure_of(c) for c in parts if c not in named and c not in apart])
    return _Split(
        whole=whole.flipped() if falling else whole,
        falling=falling,
        named=tuple(named),
        unknown=tuple(unknown),
        apart=_oriented(figure_of(apart[0]), falling=falling) if apart else None,
        others=_oriented(net, falling=falling),
        against=_oriented(net, falling=not falling),
    )


def _opening(view: View, values: dict[str, Value], split: _Split) -> str:
    """'Of the 30 index points lost, 20 are Rustock's and 8 others'', its numbers put into `values`."""
    clauses = [
        _clause(view, values, f"part{at}", contribution, falling=split.falling)
        for at, contribution in enumerate(split.named, start=1)
    ]
    if split.others.sure and split.others.value >= LEAST_POINTS:
        values["others"] = split.others
        clauses.append("{others} others'")
    moved, back, less = ("lost", "gained", "less") if split.falling else ("gained", "lost", "more")
    if split.apart and not split.named and not split.others.sure:
        template = f"None of the {{points}} index points {moved} can be given to a botnet"
    else:
        if split.apart:
            values["unattributed"] = split.apart
            clauses.append("{unattributed} spread over mail that cannot be attributed")
        template = f"Of the {{points}} index points {moved}, "
        first = clauses[0].replace("}", "} are", 1) if clauses else "none can be given to a botnet"
        template += listing([first, *clauses[1:]])
    if split.against.sure and split.against.value >= LEAST_POINTS:
        values["against"] = split.against
        if split.named:
            return (
                f"{_losers(values, split.named, clauses, moved)}; others {back} {{against}} meanwhile: "
                f"{{points}} points {less} in all"
            )
        return f"{template}; others {back} {{against}} meanwhile"
    if split.named and abs(sum(c.points for c in split.named)) > BEYOND * split.whole.value:
        return f"{_losers(values, split.named, clauses, moved)}, and all spam together {{points}}"
    return template


def _is_part(view: View, part: Contribution, many: int) -> bool:
    """Whether a botnet's points are told by its name: beyond chance, though `many` were looked at.

    Of twenty that do as ever one lies outside its interval, and all would be told that by chance went with
    all mail; who has a change on record since the level before is not picked by chance.
    """
    figure = figure_of(part)
    if not figure.sure:
        return False
    wider = NormalDist().inv_cdf(1 - ERROR / 2 / many) / NormalDist().inv_cdf(1 - ERROR / 2)
    edge = figure.low if figure.value > 0 else figure.high
    if edge is None or not math.isfinite(edge) or abs(figure.value) > wider * abs(figure.value - edge):
        return True
    return any(
        (c.subject_kind, c.subject) == ("botnet", part.subject)
        and c.kind in MOVED[part.points < 0]
        and c.onset_high > view.period.before[0]
        for c in view.inputs.changes
    )


def _names_lost(view: View, values: dict[str, Value], lost: Sequence[Contribution], *, falling: bool) -> str:
    """'. Mail known as Sorrel, 8 [7-9] points, lost its name and ...', of names that took points along."""
    told = [c for c in lost if c.points <= -LEAST_POINTS]
    if not told or not falling:
        return ""
    clauses = []
    for at, one in enumerate(told, start=1):
        values |= {f"lost{at}": figure_of(one).flipped(), f"lost{at}_name": view.name(one.subject)}
        clauses.append(f"{{lost{at}_name}}, {{lost{at}}} points,")
    return (
        f". Mail known as {listing(clauses)} lost its name and counts with mail that cannot be attributed: "
        "no fall of it is in these numbers"
    )


def exchanged(view: View, now: Figure, *, undated: bool = False) -> list[Contribution]:
    """Botnets' points that came or went, a tenth of the level and beyond chance.

    Args:
        view: the inputs.
        now: the level.
        undated: no change on record made them, so that as many as there are were looked at.
    """
    least = max(EXCHANGED * now.value, LEAST_POINTS)
    parts, _ = parts_of(view)
    named = [c for c in parts if c.subject != UNKNOWN and abs(c.points) >= least and figure_of(c).sure]
    many = max(sum(c.subject != UNKNOWN for c in parts), 1)
    return [c for c in named if not undated or _is_part(view, c, many)]


def exchange_claims(view: View, now: Figure, percent: Figure, *, undated: bool = False) -> Iterator[Claim]:
    """All mail stands near where it stood, but is not made of the same: whose points came, and whose went.

    Told where the window before lies well back: within a period the moves themselves are told, but for
    `undated` ones.
    """
    moved = exchanged(view, now, undated=undated)
    if not moved or not (view.period.far or undated):
        return
    values: dict[str, Value] = {"from": view.period.before[0], "to": view.period.before[1]}
    whence = weeks_of(values, view.period.before)
    came, went = (_told(view, values, moved, verb) for verb in ("gained", "lost"))
    span = (view.period.before[0], view.period.after[1])
    stands = "about where it stood in"
    if percent.sure:
        values["percent"] = percent if percent.value > 0 else percent.flipped()
        stands = f"{{percent}} {'above' if percent.value > 0 else 'below'} its level in"
    yield draft(
        view,
        about_all(view, "exchange", span),
        f"All spam stands {stands} {whence} from {{from}} to {{to}}, {'and' if percent.sure else 'but'} "
        f"it is not made of the same: {'; '.join(filter(None, (came, went)))}.",
        values,
        **_named(view, moved),
        month=month_of(view.period.before, view.year),
    )


def _named(view: View, moved: Sequence[Contribution]) -> dict[str, str | None]:
    """Who gained most and who lost most, for a title."""
    by = sorted(moved, key=lambda c: (c.points, c.subject))
    return {
        "most_gained": view.name(by[-1].subject) if by[-1].points > 0 else None,
        "most_lost": view.name(by[0].subject) if by[0].points < 0 else None,
    }


def _told(view: View, values: dict[str, Value], moved: Sequence[Contribution], verb: str) -> str:
    """'Xarvester has gained 31 [27-35] points', of those that did so; '' where none did."""
    falling = verb == "lost"
    own = sorted((c for c in moved if (c.points < 0) == falling), key=lambda c: (-abs(c.points), c.subject))
    clauses = []
    for at, part in enumerate(own[:NAMED_PARTS], start=1):
        values[f"{verb}{at}"] = _oriented(figure_of(part), falling=falling)
        values[f"{verb}{at}_name"] = view.name(part.subject)
        has, points = (f"has {verb} ", " points") if at == 1 else ("", "")
        when = _when(view, values, part, f"{verb}{at}_since")
        clauses.append(f"{{{verb}{at}_name}} {has}{{{verb}{at}}}{points}{f' (it {when})' if when else ''}")
    return listing(clauses)


def _when(view: View, values: dict[str, Value], part: Contribution, key: str) -> str:
    """'began to fall about 24 April [23-25]', where that was before the period and after the level before.

    What moved in the period has a sentence of its own.
    """
    words = MOVED[part.points < 0]
    own: list[Change] = [
        c
        for c in view.inputs.changes
        if (c.subject_kind, c.subject) == ("botnet", part.subject)
        and c.kind in words
        and view.period.before[0] <= c.onset
        and c.onset_high < view.period.since
    ]
    if not own or not view.period.far:
        return ""
    change = max(own, key=lambda c: (c.confidence, c.onset))
    values[key] = Dated(change.onset, change.onset_low, change.onset_high)
    told = f"{words[change.kind]} about {{{key}}}"
    # What turned since has not lost, or gained, by that move alone.
    turned = [
        c
        for c in view.inputs.changes
        if (c.subject_kind, c.subject) == ("botnet", part.subject)
        and c.kind in MOVED[part.points >= 0]
        and change.onset < c.onset
        and c.onset_high < view.period.since
    ]
    if turned:
        last = max(turned, key=lambda c: c.onset)
        values[f"{key}_turned"] = Dated(last.onset, last.onset_low, last.onset_high)
        told += f" and {MOVED[part.points >= 0][last.kind]} about {{{key}_turned}}"
    return told


def _losers(
    values: dict[str, Value], named: Sequence[Contribution], clauses: Sequence[str], moved: str
) -> str:
    """'Srizbi lost 38 [35-41] points, Rustock 17 [15-19] and others 5 [2-8]'."""
    told = [f"{{part{at}_name}} {{part{at}}}" for at in range(1, len(named) + 1)]
    told[0] = f"{{part1_name}} {moved} {{part1}} index points"
    rest = clauses[len(named) :]
    if "others" in values:
        told.append("others {others}")
        rest = rest[1:]
    if rest:
        told.append("mail that cannot be attributed {unattributed}")
    return listing(told)


def _clause(view: View, values: dict[str, Value], key: str, part: Contribution, *, falling: bool) -> str:
    """'27 [24-30] Rustock's', its numbers put into `values`."""
    values[key] = _oriented(figure_of(part), falling=falling)
    values[f"{key}_name"] = view.name(part.subject)
    return f"{{{key}}} {{{key}_name}}'s"


def _oriented(figure: Figure, *, falling: bool) -> Figure:
    """Points lost are said as positive numbers."""
    return figure.flipped() if falling else figure
