"""Claims about what the largest fall did to volume, by horizon, with what others filled in apart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spamtide.finding.claim.around import FALLS, weight_of
from spamtide.finding.claim.draft import About, draft, rows_of
from spamtide.finding.claim.volume import in_period
from spamtide.finding.estimate.effects import HORIZONS, Effect, Scene, Share, effects
from spamtide.finding.estimate.levels import LEAST_DAYS
from spamtide.finding.figures import Figure
from spamtide.finding.inputs import View
from spamtide.finding.words import Value, listing, plural
from spamtide.model import UNKNOWN, Change, Counts
from spamtide.statement import Claim

TOGETHER = 14
"""Falls that begin within so many days of the largest are told of together."""
LEAST_WEIGHT = 0.05
"""Share of all mail that the largest fall must have taken."""
MOST_PLACEBOS = 8
PLACEBO_DAYS = 7
WHEN = {1: "on the first day", 7: "over the first week", 28: "over 4 weeks", 91: "over 13 weeks"}
SPANS = {1: "first day", 7: "first week", 28: "first 4 weeks", 91: "first 13 weeks"}
AGAINST = "Held against their own days before,"
NEWS = (28, 91)
"""Horizons whose end is news by itself."""
LATELY = 28
"""Days before a fall from which on another botnet's own move keeps it from filling in."""
OFTEN = 2
"""Effects at earlier dates from which on what all spam and others did is not told from chance."""
VAGUE = 200.0
"""An interval wider than so many points of percent says nothing, and is not printed."""
WEEKS = {7: "1", 28: "4", 91: "13"}
"""Horizon -> its words in a sentence."""


@dataclass(frozen=True, slots=True)
class Group:
    """Falls that are told of together, the largest first."""

    falls: tuple[Change, ...]

    @property
    def clean(self) -> dt.date:
        """First day on which any of them may have begun."""
        return min(c.onset_low for c in self.falls)

    @property
    def onset(self) -> dt.date:
        """Day on which the largest began, or one that may have begun on the same day."""
        return min(c.onset for c in self.falls if self._with_the_largest(c))

    def fallen(self, day: dt.date) -> tuple[str, ...]:
        """Botnets that had begun to fall by a day, each once, in order: the others had not."""
        begun = (c.subject for c in self.falls if c.onset <= day or self._with_the_largest(c))
        return tuple(dict.fromkeys(begun))

    def _with_the_largest(self, change: Change) -> bool:
        """Whether a fall may have begun when the largest did."""
        largest = self.falls[0]
        return change.onset_low <= largest.onset_high and largest.onset_low <= change.onset_high


@dataclass(frozen=True, slots=True)
class Found:
    """An effect, and whose it is."""

    effect: Effect
    botnets: tuple[str, ...]
    apart: tuple[str, ...]
    """Others that moved by themselves, which fill nothing in."""

    @property
    def vague(self) -> bool:
        """Whether its intervals say nothing."""
        return any(share.high - share.low > VAGUE for share in (self.effect.own, self.effect.net))


def effect_claims(view: View) -> Iterator[Claim]:
    """What the largest fall of late, and those about the same time, did to volume."""
    group = _group(view)
    if group is None:
        return
    every = _effects(view, group)
    found = [one for one in every if not one.vague]
    if not any(one.effect.own.sure for one in found):
        return
    scene = _scene(view, group, every[0].botnets, every[0].apart)
    yield _claim(view, group, found, _placebos(scene), too_little=[one for one in every if one.vague])


def _effects(view: View, group: Group) -> list[Found]:
    """Effects by horizon, each of the botnets that had begun to fall by its end."""
    spans: dict[tuple[tuple[str, ...], tuple[str, ...]], list[int]] = {}
    for days in HORIZONS:
        last = group.onset + dt.timedelta(days=days - 1)
        fallen = group.fallen(last)
        spans.setdefault((fallen, _apart(view, group, fallen, last)), []).append(days)
    return [
        Found(effect, botnets, apart)
        for (botnets, apart), horizons in spans.items()
        for effect in effects(_scene(view, group, botnets, apart), horizons)
    ]


def _apart(view: View, group: Group, fallen: Sequence[str], last: dt.date) -> tuple[str, ...]:
    """Botnets with a dated move of their own, just before the fall or since, that is no filling in.

    A return and a fall never are; a rise, or a first sighting, is none that began before the fall.
    """
    first = group.clean - dt.timedelta(days=LATELY)
    moved = {
        c.subject
        for c in view.inputs.changes
        if c.subject_kind == "botnet"
        and c.subject not in {UNKNOWN, *fallen}
        and c.onset_high >= first
        and c.onset <= last
        and (c.kind in {*FALLS, "resume"} or (c.kind in {"rise", "new"} and c.onset < group.onset))
    }
    return tuple(sorted(moved))


def _group(view: View) -> Group | None:
    """The largest fall of a botnet in the period, and those about the same time.

    Where none fell in it, the largest of which a horizon of weeks ended in it: that number is new.
    """
    every = [
        c
        for c in view.inputs.changes
        if c.subject_kind == "botnet" and c.subject != UNKNOWN and c.kind in FALLS
    ]
    falls = [c for c in every if in_period(view, c)] or [c for c in every if _just_over(view, c)]
    falls.sort(key=lambda c: (-weight_of(view, c), c.onset, c.subject))
    if not falls or weight_of(view, falls[0]) < LEAST_WEIGHT:
        return None
    near = [c for c in every if abs((c.onset - falls[0].onset).days) <= TOGETHER and c != falls[0]]
    near.sort(key=lambda c: (-weight_of(view, c), c.onset, c.subject))
    return Group((falls[0], *near))


def _just_over(view: View, change: Change) -> bool:
    """Whether the first 4 or 13 weeks since a fall ended in the period."""
    ends = (change.onset + dt.timedelta(days=days - 1) for days in HORIZONS if days in NEWS)
    return any(view.period.since <= end <= view.period.until for end in ends)


def _returned(view: View, group: Group, days: int) -> list[str]:
    """Those of the fallen that came back within a horizon, and not only on its last days."""
    last = group.onset + dt.timedelta(days=days - 1)
    subjects = {c.subject for c in group.falls}
    back = [
        c
        for c in view.inputs.changes
        if c.subject_kind == "botnet" and c.subject in subjects and c.kind in {"resume", "rise"}
    ]
    return list(dict.fromkeys(c.subject for c in back if group.onset < c.onset <= last))


def _scene(view: View, group: Group, botnets: Sequence[str], apart: Sequence[str]) -> Scene:
    """Counts of the fallen and of all other mail, to the end of the period."""
    stop = view.within((view.period.until, view.period.until)).stop
    days = view.panel.days[:stop]
    fallen = _mail(view, botnets)[:stop]
    clean, action, since = (
        max(int((np.datetime64(day) - days[0]).astype(int)), 0)
        for day in (group.clean, group.onset, _settled(view, group, botnets))
    )
    return Scene(
        affected=fallen,
        others=view.daily("total", "total")[:stop] - fallen,
        offset=view.offset()[:stop],
        weekday=((days.astype(np.int64) + 3) % 7).astype(float),
        clean=clean,
        action=max(action, clean),
        since=since if clean - since >= LEAST_DAYS else 0,
        apart=_mail(view, apart)[:stop] if apart else None,
    )


def _mail(view: View, botnets: Sequence[str]) -> Counts:
    """Messages by day of some botnets together."""
    mail: Counts = np.sum([view.daily("botnet", b) for b in botnets], axis=0)
    return mail


def _settled(view: View, group: Group, botnets: Sequence[str]) -> dt.date:
    """First day on which the fallen were surely at the level that they fell from.

    A silence or a return before makes a level look as if it might go anywhere, on any day.
    """
    ends = (
        c.end_high or c.end or c.onset_high
        for c in view.inputs.changes
        if c.subject_kind == "botnet" and c.subject in botnets and c.kind != "switch" and c not in group.falls
    )
    return max((end for end in ends if end < group.clean), default=dt.date.min)


def _placebos(scene: Scene) -> tuple[int, int]:
    """Effects over a week found at dates before anything happened: how many were tried, how many gave one."""
    tried = found = 0
    for action in range(scene.clean - PLACEBO_DAYS, scene.since + LEAST_DAYS, -PLACEBO_DAYS):
        if tried == MOST_PLACEBOS:
            break
        told = effects(replace(scene, clean=action, action=action), (PLACEBO_DAYS,))
        tried += bool(told)
        found += bool(told) and told[0].net.sure
    return tried, found


def _claim(
    view: View, group: Group, found: Sequence[Found], placebos: tuple[int, int], too_little: Sequence[Found]
) -> Claim:
    """The fallen by horizon, all spam by horizon, what others filled in, the placebo dates."""
    values: dict[str, Value] = {"onset": group.onset}
    before: tuple[str, ...] = ()
    for one in found:
        days, effect = one.effect.days, one.effect
        if one.botnets != before:
            names = [b for b in one.botnets if b not in before]
            values[f"joined_{days}d" if before else "names"] = _names(view, names)
        before = one.botnets
        values |= {f"own_{days}d": _percent(effect.own), f"net_{days}d": _percent(effect.net)}
        values |= {f"moved_{days}d": Figure(effect.net.value, effect.net.low, effect.net.high, "percent")}
    tried, gave = placebos
    template = _shortfall(found, often=gave >= OFTEN)
    template += _filled_in(view, found[-1], values, often=gave >= OFTEN)
    if too_little:
        spans = [SPANS[one.effect.days] for one in too_little]
        template += f". The days before are too uneven to give a number for the {listing(spans)}"
    last = found[-1].effect
    back = _returned(view, group, last.days)
    if back:
        values["back"] = listing([view.name(b) for b in back])
        template += (
            f". {{back}} {plural(len(back), 'was', 'were')} back before the end of the {SPANS[last.days]}"
        )
    over = [WEEKS[days] for days in HORIZONS if days > last.days]
    if over:
        template += f". It is too early for {listing(over)} {'week' if over == ['1'] else 'weeks'}"
    if tried:
        values |= {"tried": tried, "gave": gave}
        showed = "{gave} of them gave one" if gave else "none of them gave one"
        if tried == 1:
            showed = "it gave one" if gave else "it gave none"
        template += (
            f". As a check, {{tried}} earlier {plural(tried, 'date')} "
            f"{plural(tried, 'was', 'were')} asked for an effect in the same way: {showed}"
        )
    window = (group.clean - dt.timedelta(days=28), view.period.until)
    about = About(
        "effect",
        "botnet",
        group.falls[0].subject,
        group.onset,
        view.count("total", "total", window),
        view.sensors_of("total", "total", window),
        rows_of("total", "total", *window),
        weight=weight_of(view, group.falls[0]),
        confidence=min(c.confidence for c in group.falls),
    )
    return draft(view, about, template + ".", values, **_kept([one.effect for one in found]))


def _names(view: View, botnets: Sequence[str]) -> str:
    """Some botnets' names, as many as a sentence holds."""
    names = [view.name(b) for b in botnets]
    return listing([*names[:4], *(["others"] if len(names) > 4 else [])])  # noqa: PLR2004 - enough for a sentence


def _filled_in(view: View, found: Found, values: dict[str, Value], *, often: bool) -> str:
    """What others did over the last horizon, their numbers put into `values`.

    `often` as in `_shortfall`: then it is said to be no more than chance brings.
    """
    others, span = found.effect.others, SPANS[found.effect.days]
    values["others"] = Figure(others.value, others.low, others.high, "percent")
    who = "others"
    if found.apart:
        values["apart"] = _names(view, found.apart)
        own = "a move of its own" if len(found.apart) == 1 else "moves of their own"
        who = f"others, leaving out {{apart}} for {own},"
    of_all = f"of all mail expected in the {span}"
    if often and others.sure:
        return (
            f". {AGAINST} {who} did not measurably fill in: {{others}} {of_all}, which is not beyond chance "
            "where earlier dates give effects as well"
        )
    if not others.sure:
        return f". {AGAINST} {who} did not measurably fill in: {{others}} {of_all}, within chance"
    if others.value > 0:
        return f". {AGAINST} {who} filled in {{others}} {of_all}"
    values["others"] = _percent(others)
    return f". {AGAINST} {who} fell short too, by {{others}} {of_all}"


def _shortfall(told: Sequence[Found], *, often: bool) -> str:
    """By how much the fallen, and all spam, fell short; a first day that shows nothing comes last.

    A botnet that began to fall within a later horizon is named there, and not before. Where earlier dates
    gave effects `often`, what all spam did is within chance.
    """
    found = [one.effect for one in told]
    together = len(told[0].botnets) > 1
    unsure = len(found) > 1 and not found[0].own.sure
    sure = found[1:] if unsure else found
    own = [f"{{own_{one.days}d}} {WHEN[one.days]}" for one in sure]
    own[0] = own[0].replace("}", "} less than was to be expected", 1)
    for at, (one, before) in enumerate(zip(told[1:], told, strict=False), start=1 - unsure):
        if one.botnets != before.botnets:
            own[at] += f" (with {{joined_{one.effect.days}d}}, which began to fall meanwhile)"
    more = any(one.net.value > 0 for one in sure)  # no shortfall, so none is said
    net = listing([f"{{{'moved' if more else 'net'}_{one.days}d}}" for one in sure])
    chance = [SPANS[one.days] for one in sure if often or not one.net.sure]
    within = f" (that of the {listing(chance)} is within chance)" if chance else ""
    if any(one.net.sure for one in sure) and often:
        within = " (which is not beyond chance where earlier dates give effects as well)"
    elif len(chance) == len(sure) > 1:
        within = " (each within chance)"
    template = (
        f"From {{onset}} on {{names}}{' together' if together else ''} sent {listing(own)}; all spam "
        f"{'moved' if more else 'fell short'} by {net}{within}"
    )
    if unsure:
        template += (
            f". {WHEN[found[0].days].capitalize()} alone nothing is beyond chance ({{own_{found[0].days}d}} "
            f"and {{net_{found[0].days}d}})"
        )
    return template


def _percent(share: Share) -> Figure:
    """A shortfall as a positive number."""
    return Figure(share.value, share.low, share.high, "percent").flipped()


def _kept(found: Sequence[Effect]) -> dict[str, float | str | None]:
    """All three numbers of every horizon, in percent of all mail expected."""
    kept: dict[str, float | str | None] = {}
    for effect in found:
        for name, share in (("lost", effect.lost), ("others", effect.others), ("total", effect.net)):
            key = f"{name}_{effect.days}d_of_all"
            kept |= {key: round(share.value, 2), f"{key}_low": round(share.low, 2)}
            kept[f"{key}_high"] = round(share.high, 2)
    return kept
