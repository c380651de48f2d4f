"""What is known of each botnet at the end of the period, and the one word that follows from it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from spamtide.finding.figures import Window, day_slice, level, rate
from spamtide.finding.inputs import View
from spamtide.finding.lost import lost_name
from spamtide.finding.silence import Stop, silence_of, still, stop_of
from spamtide.finding.span import calm_part
from spamtide.finding.words import JUST_NOW, NEGLIGIBLE, day_words
from spamtide.model import UNKNOWN, Change, Counts
from spamtide.statement import Status
from spamtide.wilson import poisson_bounds

WEEK = 7
LAB_DAYS = 14
"""A lab bot counts as sending that sent in the last so many days, and in the later half of its botnet's
silence: one that stopped when the botnet did says nothing of its being there."""
LONG_SILENCE = 90
SERVERS_UP = 0.9
"""From this probability on that one is alive, a silent botnet's control servers count as up."""
LEAST_EXPECTED = 5.0
"""Fewer messages than this expected in a week at the level before: too little mail to tell."""
RHYTHM = 90
"""Days in which a botnet's own pauses are looked for."""
FEW = 20
"""With fewer messages in the whole record a botnet was hardly ever recognised: its silence means nothing."""
HARDLY_SEEN = "not established"
MANY_DUE = 12.0
"""So many messages due and none seen: silence, even within days (by chance once in 100,000 times)."""
MOVE = 1.5
"""From this ratio on (or its inverse), with intervals apart, a level counts as risen (fallen)."""
FAR = 3.0
"""From this ratio on it does without a change on record: levels wander by less."""
NEW_AFTER = 28
"""Days of record before the first sighting that make a botnet new rather than merely first recorded."""

Volume = Literal["active", "falling", "rising", "quiet", "gone", "new", "unknown"]


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts that the rules look at."""

    sensors_up: int
    attribution_lost: bool
    expected: float
    """Messages expected in the last week at the level before, given the sensors that were up."""
    count: int
    """Messages in the last week."""
    recorded: int
    """Messages in the whole record up to the end of the period."""
    residual: int
    """Sensors that saw it in the last week."""
    left: float
    """Level against the level before; NaN without one."""
    apart: bool
    """The two levels' intervals do not meet."""
    moved: bool
    """They do not, and a change since the level before is on record or they lie FAR apart."""
    first_after: int
    """Days of record before the first sighting inside the period; -1 if first seen before."""
    silent_days: int
    """Days since a wild sensor last saw it, or since its cease where strays came later; -1 where none did."""
    lab_sends: bool
    ended: bool
    """Its cease is on record and no return since, and what came in the last week is next to nothing."""
    flagged: bool
    """A fall of its is flagged that may still be going on, and began in the last few days."""
    strays: bool
    """So little bears its name since its cease that it may be others'."""
    due: float
    """Messages that were due since it was last seen, by the other mail of those days and its share before."""
    servers_alive: float
    """Probability that one of its control servers is alive; NaN where none was checked."""


VOLUME_RULES: tuple[tuple[str, Callable[[Facts], bool], Volume], ...] = (
    ("no sensor was up", lambda f: f.sensors_up == 0, "unknown"),
    ("its traits were lost", lambda f: f.attribution_lost, "unknown"),
    ("first seen in the period", lambda f: f.first_after >= NEW_AFTER and f.count > 0, "new"),
    ("its cease is on record, and no return", lambda f: f.ended and (f.count == 0 or f.strays), "gone"),
    ("a trickle since its cease", lambda f: f.ended and f.expected < LEAST_EXPECTED, "quiet"),
    ("too little mail to expect any", lambda f: f.count == 0 and f.expected < LEAST_EXPECTED, "unknown"),
    ("no message though many were due", lambda f: f.due >= MANY_DUE, "gone"),
    ("no message in the last week", lambda f: f.count == 0, "gone"),
    ("no level before", lambda f: not math.isfinite(f.left), "active"),
    ("below 5 % of the level before", lambda f: f.left <= NEGLIGIBLE and f.apart, "quiet"),
    ("a fall may be going on", lambda f: f.flagged, "falling"),
    ("well below the level before", lambda f: f.left <= 1 / MOVE and f.moved, "falling"),
    ("well above the level before", lambda f: f.left >= MOVE and f.moved, "rising"),
    ("near the level before", lambda _: True, "active"),
)
"""(rule, test, volume), the first that holds decides."""


def _unheard(volume: Volume, facts: Facts) -> bool:
    """Whether next to nothing of it comes: by the volume, else beside a lab that sends."""
    return volume in {"gone", "quiet"} or (volume == "unknown" and facts.lab_sends)


STATE_RULES: tuple[tuple[str, Callable[[Volume, Facts], bool], str], ...] = (
    ("traits lost", lambda _, f: f.attribution_lost, "not recognised any more"),
    ("never seen", lambda _, f: f.silent_days < 0, "not seen in the wild"),
    ("no sensor", lambda _, f: f.sensors_up == 0, "not observed"),
    ("hardly seen", lambda v, f: f.recorded < FEW and _unheard(v, f), HARDLY_SEEN),
    ("trickle", lambda v, f: v == "quiet" and f.residual > 0, "quiet, not gone"),
    ("lab only", lambda v, f: v in {"gone", "unknown"} and f.lab_sends, "quiet, not gone"),
    ("servers up", lambda v, f: v == "gone" and f.servers_alive >= SERVERS_UP, "quiet, not gone"),
    ("little mail", lambda v, _: v == "unknown", "too little mail to tell"),
    ("long silence", lambda v, f: v == "gone" and f.silent_days >= LONG_SILENCE, "silent for long"),
    ("silence", lambda v, _: v == "gone", "silent"),
    ("new", lambda v, _: v == "new", "new"),
    ("falling", lambda v, _: v == "falling", "sending less"),
    ("rising", lambda v, _: v == "rising", "sending more"),
    ("sending", lambda *_: True, "active"),
)
"""(rule, test, word), the first that holds decides."""


def statuses(view: View) -> tuple[Status, ...]:
    """Status of every botnet that the panel or a lab knows, the largest before or now first."""
    made = [_status(view, botnet) for botnet in view.botnets]
    return tuple(sorted(made, key=lambda s: (-max(_size(s.before), _size(s.level)), s.botnet)))


def _size(points: float) -> float:
    """A level for sorting."""
    return points if math.isfinite(points) else 0.0


def _status(view: View, botnet: str) -> Status:
    """Assess one botnet."""
    period = view.period
    last_week: Window = (period.until - dt.timedelta(days=WEEK - 1), period.until)
    week = view.within(last_week)
    exposure = view.measurement.exposure.values[:, week]
    # A sensor that takes mail is up, whatever the exposure makes of it.
    active = (exposure > 0) | (view.by_sensor("total", "total")[:, week] > 0)
    up = int(active.any(axis=1).sum())
    observed_days = int(active.any(axis=0).sum())
    # A flood that is over is no level; what was seen in the week is counted with it.
    now = _points(view, botnet, calm_part(last_week, view.inputs.changes))
    before = _points(view, botnet, period.before) if period.comparable else (math.nan, math.nan, math.nan)
    last = _last_seen(view, view.daily("botnet", botnet))
    facts = _facts(view, botnet, now, before, sensors_up=up)
    volume_rule, volume = next((rule, word) for rule, test, word in VOLUME_RULES if test(facts))
    state_rule, state = next((rule, word) for rule, test, word in STATE_RULES if test(volume, facts))
    if volume == "falling" and (stop := next(filter(None, map(stop_of, _flagged(view, botnet))), None)):
        state_rule, state = "hourly alarm", _by_the_hour(stop)
    return Status(
        botnet=botnet,
        volume=volume,
        level=now[0],
        level_low=now[1],
        level_high=now[2],
        before=before[0],
        residual_sensors=facts.residual,
        sensors=up,
        residual_per_day=facts.count / observed_days if observed_days else math.nan,
        last_seen=last,
        lab_last_seen=view.inputs.lab_last_seen.get(botnet),
        programmes=_programmes(view, botnet, last),
        state=state,
        rule=f"{state_rule}: {volume_rule}",
        control=view.inputs.control.get(botnet),
        name=view.name(botnet),
    )


def _facts(
    view: View,
    botnet: str,
    now: tuple[float, float, float],
    before: tuple[float, float, float],
    *,
    sensors_up: int,
) -> Facts:
    """What the rules look at of one botnet.

    Args:
        view: the observatory.
        botnet: its name.
        now: index points of the total in the last week's calm part, with the ends of their interval.
        before: the same of the reference period, NaN where it cannot be compared.
        sensors_up: sensors up in the last week.
    """
    period = view.period
    last_week: Window = (period.until - dt.timedelta(days=WEEK - 1), period.until)
    week, span = view.within(last_week), view.within((period.since, period.until))
    counts = view.by_sensor("botnet", botnet)
    daily = counts.sum(axis=0)
    last = _last_seen(view, daily)
    first = int(np.flatnonzero(daily)[0]) if last else -1
    lab = view.inputs.lab_last_seen.get(botnet)
    control = view.inputs.control.get(botnet)
    apart = now[2] < before[1] or now[1] > before[2]
    silence = silence_of(view, "botnet", botnet, period.until)
    ended = silence is not None and still(view, silence, last_week)
    silent_days = (period.until - last).days if last else -1
    return Facts(
        sensors_up=sensors_up,
        attribution_lost=lost_name(view, botnet) is not None,
        expected=_expected(view, botnet, week),
        count=int(daily[week].sum()),
        recorded=int(daily[: span.stop].sum()),
        residual=int((counts[:, week].sum(axis=1) > 0).sum()),
        left=now[0] / before[0] if before[0] > 0 else math.nan,
        apart=apart,
        moved=apart and (_changed(view, botnet) or not before[0] / FAR < now[0] < before[0] * FAR),
        first_after=first if last and first >= span.start else -1,
        silent_days=max(silent_days, silence.days(period.until)) if silence and ended else silent_days,
        lab_sends=lab is not None and lab_goes_on(period.until, lab, last),
        ended=ended,
        flagged=bool(_flagged(view, botnet)),
        strays=silence is not None and silence.by_chance(period.until),
        due=_due(view, botnet, last),
        servers_alive=control.alive if control else math.nan,
    )


def _last_seen(view: View, daily: Counts) -> dt.date | None:
    """The last day up to the period's end with any of some messages by day; None without any."""
    seen = np.flatnonzero(daily[: view.within((view.period.since, view.period.until)).stop])
    last: dt.date | None = view.panel.days[seen[-1]].astype(dt.date) if seen.size else None
    return last


def _flagged(view: View, botnet: str) -> list[Change]:
    """Falls of a botnet that began just now, and may still be going on."""
    return [
        c
        for c in view.inputs.changes
        if c.kind in {"decline", "cease"}
        and (c.subject_kind, c.subject) == ("botnet", botnet)
        and c.end is None
        and (view.period.until - c.onset).days <= JUST_NOW
    ]


def _by_the_hour(stop: Stop) -> str:
    """'silent since 10:00 UTC on 6 June, 42 due'."""
    word = f"{stop.seen:,}" if stop.seen else "silent"
    return f"{word} since {stop.hour} UTC on {day_words(stop.day, stop.day.year)}, {stop.due:,} due"


def _changed(view: View, botnet: str) -> bool:
    """Whether a change of a botnet's volume since the level before is on record."""
    return any(
        c.subject_kind == "botnet" and c.subject == botnet and c.kind != "switch"
        for c in view.inputs.changes
        if max(c.onset_high, c.end_high or c.onset_high) >= view.period.before[0]
    )


def lab_goes_on(until: dt.date, lab: dt.date, last: dt.date | None) -> bool:
    """Whether a lab bot goes on sending, given when it and its botnet were last seen."""
    silent = (until - lab).days
    return silent < LAB_DAYS and (last is None or 2 * silent <= (until - last).days)


def unattributed(view: View) -> Status | None:
    """Mail of no botnet, as the row that makes the botnets' levels add up; None where no level is known.

    Its level is what the total's is without those of the botnets; it has no state, for it is no actor.
    """
    period = view.period
    week: Window = (period.until - dt.timedelta(days=WEEK - 1), period.until)
    part = view.within(week)
    total = view.by_sensor("total", "total")
    named = (view.by_sensor("botnet", botnet) for botnet in view.botnets)
    rest = np.maximum(total - sum(named, np.zeros_like(total)), 0)
    daily: Counts = rest.sum(axis=0)
    now, low, high = _points_of(view, daily, UNKNOWN, calm_part(week, view.inputs.changes))
    if not math.isfinite(now):
        return None
    up = (view.measurement.exposure.values[:, part] > 0) | (total[:, part] > 0)
    days = int(up.any(axis=0).sum())
    last = _last_seen(view, daily)
    return Status(
        botnet=UNKNOWN,
        volume="unknown",
        level=now,
        level_low=low,
        level_high=high,
        before=_points_of(view, daily, UNKNOWN, period.before)[0] if period.comparable else math.nan,
        residual_sensors=int((rest[:, part].sum(axis=1) > 0).sum()),
        sensors=int(up.any(axis=1).sum()),
        residual_per_day=float(daily[part].sum()) / days if days else math.nan,
        last_seen=last,
        lab_last_seen=None,
        programmes=_programmes(view, UNKNOWN, last),
        state="",
        rule="no botnet's traits",
        name="not attributed",
    )


def _points(view: View, botnet: str, window: Window) -> tuple[float, float, float]:
    """Index points of the total that are a botnet's."""
    return _points_of(view, view.daily("botnet", botnet), botnet, window)


def _points_of(view: View, daily: Counts, subject: str, window: Window) -> tuple[float, float, float]:
    """Index points that some of the mail makes: the total's level times its share of the messages."""
    if view.total is None:
        return math.nan, math.nan, math.nan
    part = view.within(window)
    # Of the days that the level is known on, as the part is counted: a day without one has no points.
    all_mail = rate(view.daily("total", "total"), view.offset(), part).count
    points = level(view.total, window).value
    if not math.isfinite(points) or not all_mail:
        return math.nan, math.nan, math.nan
    series = view.series("botnet", subject)
    correlation = series.serial_correlation if series else 0.0
    one = rate(daily, view.offset(), part, correlation)
    low, high = poisson_bounds(one.count, one.dispersion)
    scale = points / all_mail
    return scale * one.count, scale * low, scale * high


def _expected(view: View, botnet: str, week: slice) -> float:
    """Messages that the sensors now up would see in the week at the level before."""
    if not view.period.comparable:
        return 0.0
    before = day_slice(view.panel.days, view.period.before)
    exposure = view.measurement.exposure.values
    counts = view.by_sensor("botnet", botnet)[:, before].sum(axis=1)
    was_up = exposure[:, before].sum(axis=1)
    usual = np.divide(counts, was_up, out=np.zeros_like(was_up), where=was_up > 0)
    return float((usual[:, None] * exposure[:, week]).sum())


def _due(view: View, botnet: str, last: dt.date | None) -> float:
    """Messages due since a botnet was last seen, had it kept its proportion to the other mail.

    Days on which little other mail came, as on a last day that is not over, count for as little. Nothing is
    due from one that kept as silent for as long before.
    """
    if last is None or not view.period.comparable or last >= view.period.until:
        return 0.0
    since: Window = (last + dt.timedelta(days=1), view.period.until)
    silent = view.within(since).stop - view.within(since).start
    earlier = view.within((last - dt.timedelta(days=RHYTHM), last))
    if silent <= _longest_gap(view.daily("botnet", botnet)[earlier]):
        return 0.0
    own = view.count("botnet", botnet, view.period.before)
    others = view.count("total", "total", view.period.before) - own
    return own / others * view.count("total", "total", since) if others > 0 else 0.0


def _longest_gap(daily: Counts) -> int:
    """Most days in a row without a message, between two days with one."""
    seen = np.flatnonzero(daily)
    return int(np.diff(seen).max()) - 1 if seen.size > 1 else 0


def _programmes(view: View, botnet: str, last: dt.date | None) -> tuple[tuple[str, float], ...]:
    """What it advertised in its last four weeks with mail, by share of all its mail."""
    if last is None:
        return ()
    mix = view.programme_mix(botnet, (last - dt.timedelta(days=4 * WEEK - 1), last))
    total = sum(mix.values())
    return tuple((programme, n / total) for programme, n in mix.items() if programme != UNKNOWN)
