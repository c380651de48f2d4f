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


def effect_claims(view: View) -> Iterator[Claim]:
    """What the largest fall of late, and those about the same time, did to volume."""
    group = _group(view)
    if group is None:
        return
    found = _effects(view, group)
    if not any(one.effect.own.sure for one in found):
        return
    yield _claim(view, group, found, _placebos(_scene(view, group, found[0].botnets)))


def _effects(view: View, group: Group) -> list[Found]:
    """Effects by horizon, each of the botnets that had begun to fall by its end."""
    spans: dict[tuple[str, ...], list[int]] = {}
    for days in HORIZONS:
        spans.setdefault(group.fallen(group.onset + dt.timedelta(days=days - 1)), []).append(days)
    return [
        Found(effect, botnets)
        for botnets, horizons in spans.items()
        for effect in effects(_scene(view, group, botnets), horizons)
    ]


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


def _scene(view: View, group: Group, botnets: Sequence[str]) -> Scene:
    """Counts of the fallen and of all other mail, to the end of the period."""
    stop = view.within((view.period.until, view.period.until)).stop
    days = view.panel.days[:stop]
    fallen: Counts = np.sum([view.daily("botnet", b) for b in botnets], axis=0)[:stop]
    clean, action = (int((np.datetime64(day) - days[0]).astype(int)) for day in (group.clean, group.onset))
    return Scene(
        affected=fallen,
        others=view.daily("total", "total")[:stop] - fallen,
        offset=view.offset()[:stop],
        weekday=((days.astype(np.int64) + 3) % 7).astype(float),
        clean=max(clean, 0),
        action=max(action, clean, 0),
    )


def _placebos(scene: Scene) -> tuple[int, int]:
    """Effects over a week found at dates before anything happened: how many were tried, how many gave one."""
    tried = found = 0
    for action in range(scene.clean - PLACEBO_DAYS, LEAST_DAYS, -PLACEBO_DAYS):
        if tried == MOST_PLACEBOS:
            break
        told = effects(replace(scene, clean=action, action=action), (PLACEBO_DAYS,))
        tried += bool(told)
        found += bool(told) and told[0].net.sure
    return tried, found


def _claim(view: View, group: Group, found: Sequence[Found], placebos: tuple[int, int]) -> Claim:
    """The fallen by horizon, all spam by horizon, what others filled in, the placebo dates."""
    values: dict[str, Value] = {"onset": group.onset}
    before: tuple[str, ...] = ()
    for one in found:
        days, effect = one.effect.days, one.effect
        if one.botnets != before:
            names = [view.name(b) for b in one.botnets if b not in before]
            key = f"joined_{days}d" if before else "names"
            values[key] = listing([*names[:4], *(["others"] if len(names) > 4 else [])])  # noqa: PLR2004 - enough for a sentence
        before = one.botnets
        values |= {f"own_{days}d": _percent(effect.own), f"net_{days}d": _percent(effect.net)}
        values |= {f"moved_{days}d": Figure(effect.net.value, effect.net.low, effect.net.high, "percent")}
    template = _shortfall(found)
    last = found[-1].effect
    values["others"] = Figure(last.others.value, last.others.low, last.others.high, "percent")
    span = SPANS[last.days]
    if not last.others.sure:
        template += (
            f". {AGAINST} others did not measurably fill in: {{others}} of all mail expected in the {span}, "
            "within chance"
        )
    elif last.others.value > 0:
        template += f". {AGAINST} others filled in {{others}} of all mail expected in the {span}"
    else:
        values["others"] = _percent(last.others)
        template += f". {AGAINST} others fell short too, by {{others}} of all mail expected in the {span}"
    back = _returned(view, group, last.days)
    if back:
        values["back"] = listing([view.name(b) for b in back])
        template += f". {{back}} {plural(len(back), 'was', 'were')} back before the end of the {span}"
    over = [WEEKS[days] for days in HORIZONS if days > last.days]
    if over:
        template += f". It is too early for {listing(over)} {'week' if over == ['1'] else 'weeks'}"
    tried, gave = placebos
    if tried:
        values |= {"tried": tried, "gave": gave}
        showed = "{gave} of them gave one" if gave else "none of them gave one"
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


def _shortfall(told: Sequence[Found]) -> str:
    """By how much the fallen, and all spam, fell short; a first day that shows nothing comes last.

    A botnet that began to fall within a later horizon is named there, and not before.
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
    chance = [SPANS[one.days] for one in sure if not one.net.sure]
    within = f" (that of the {listing(chance)} is within chance)" if chance else ""
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
