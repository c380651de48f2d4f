"""The hourly alarm: a botnet that stopped this morning, before its day is over.

An hour is expected to bring the series' own hour of the day and day of the week at the level of the last
days, corrected by what the hours right before have brought: who sends in lumps sends most after the first
hour of one. The last 1, 2, 3 ... hours are held against that, read off the tail of a negative binomial whose
dispersion is that of stretches of as many hours before. Only deep falls are flagged: half a day of half the
mail is weather.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from spamtide.change.causes.telling import NEGLIGIBLE
from spamtide.change.moves.alarm import lower_tail
from spamtide.model import UNKNOWN, Change, ChangeKind, Counts, Floats, IndexSeries, SubjectKind

WINDOWS = (2, 3, 4, 5, 6, 8, 10, 12, 18, 24)
"""Last hours that are looked at."""
HOURS = 24
"""Of a day."""
FEWEST_HOURS = 7 * HOURS
"""Hours of history without which nothing is said."""
LEVEL_HOURS = 3 * HOURS
"""Hours before the window that say what the level is."""
HABIT, HABIT_HOURS = 0.01, 3 * HOURS
"""Hours at the mean that a day of the week is credited with beside its own (else 1), and hours of it from
which: what three of them did not bring is no stop."""
STOPPED = 0.3
"""Share of the expected mail below which an hourly fall is flagged."""
LEAST_EXPECTED = 15.0
"""Messages expected in a window below which it says nothing."""
CHANCE = 2e-6
"""Tail probability of one window below which the alarm is raised."""
LEAST_ALPHA = 0.05
"""Least over-dispersion of a stretch of hours."""
RIGHT_BEFORE = (3, HOURS)
"""Hours before a window that say how its own will be, as far as they did in the past."""
FEW = 5.0
"""Messages that such hours are credited with as they were expected: nights say little."""
MOST_ABOVE = 2.0
"""Times what was expected of them, and more, by which they may lie above it."""
LEAST_FORETOLD = 0.2
"""Least part of what is expected anyway that they may leave."""
NEAR = 1
"""Hours of the day off in which windows may end that say how uneven this one is."""
BURST = 2.5
"""Times what was foretold that count of a stretch of hours at most: its bursts say nothing of its lulls."""
PAUSES = 2
"""Times, a day or more apart, that as many hours brought as little, or next to nothing, from which on that is
a habit."""
BLOCKS_AGAIN = 5
"""Stretches of hours without which over-dispersion cannot be told, and is taken to be 1."""
TAKEN_OVER = 0.5
"""Part of a botnet's missing mail that `unknown` has too much of, from which its name was lost."""
FEWEST_BOTNETS = 3
"""Botnets, `unknown` among them, from which a fall of all mail must show in some and not in others."""
MOSTLY = 0.5
"""Part of a fall of all mail, or of a programme's, that botnets which stopped must have lost."""
MIX_DAYS = 7
"""Last days that say what part of a botnet's mail a programme is."""
NOT_IN_YET = 10.0
"""Messages due from all botnets but the largest in last hours without any mail, from which on that is no
chance: what came then has not been read yet."""
NO_PAIRS: Mapping[tuple[str, str], Counts] = MappingProxyType({})
BY_CHANCE = 1e-3
"""Tail probability of what `unknown` has too much of, above which that is chance."""
A_YEAR = 365.25
REAL_A_YEAR = 1.0
"""Real stops of a series in a year, against which the false alarms of a year are set for its confidence."""
KNOWN = 2
"""Days within which a change that is told already is the same."""


@dataclass(frozen=True, slots=True)
class HourlyAlarm:
    """A series that has stopped within the last day."""

    subject_kind: SubjectKind
    subject: str
    since: dt.datetime
    """Start of the first silent hour."""
    hours: int
    """Hours since, all of them over; of a silence, all since the last message."""
    seen: float
    """Messages in them."""
    expected: float
    chance: float
    """Probability of so few where nothing has changed, in the window that speaks most for it."""


def watch_hours(
    series: Sequence[IndexSeries],
    told: Sequence[Change],
    pairs: Mapping[tuple[str, str], Counts] = NO_PAIRS,
    ratio: float = STOPPED,
) -> tuple[Change, ...]:
    """Stops of the last hours that are not told yet, as changes that are still going on.

    Args:
        series: hourly series of one observatory, all of the same hours (`series.measure_hours`): `days` are
            hours, the last of them over.
        told: the changes that the days show.
        pairs: (botnet, programme) -> messages by day, as in the daily panel.
        ratio: share of the expected mail below which a fall is flagged.
    """
    wanted = _that_are_over([item for item in series if item.subject_kind != "sensor"])
    if not wanted or len(wanted[0].days) < FEWEST_HOURS:
        return ()
    expected = {(item.subject_kind, item.subject): expectation(item) for item in wanted}
    raised = {
        (item.subject_kind, item.subject): alarm
        for item in wanted
        if (alarm := _raise(item, expected, _rest(item, wanted), ratio)) is not None
    }
    stopped = [
        item for item in wanted if item.subject_kind == "botnet" and ("botnet", item.subject) in raised
    ]
    last: dt.date = wanted[0].days[-1].astype("datetime64[D]").astype(dt.date)
    known = {
        (change.subject_kind, change.subject)
        for change in told
        if change.kind in {"decline", "cease", "attribution-loss"}
        and (change.end is None or (last - change.end).days <= KNOWN)
    }
    mail = {(item.subject_kind, item.subject): item.count for item in wanted}
    return tuple(
        _change(alarm, last, _takes_over(alarm, mail, expected))
        for alarm in raised.values()
        if (alarm.subject_kind, alarm.subject) not in known
        and alarm.subject != UNKNOWN
        and (alarm.subject_kind == "botnet" or _has_its_botnets(alarm, stopped, wanted, expected, pairs))
    )


def _that_are_over(every: list[IndexSeries]) -> list[IndexSeries]:
    """The series up to the last hour of which spam has been read.

    Other mail, which says what hour it is, may have been read further than spam.
    """
    if not every or len(every[0].days) < FEWEST_HOURS:
        return every
    empty = int(np.argmax(np.any([item.count > 0 for item in every], axis=0)[::-1]))
    due = [float(expectation(i)[-empty:].sum()) for i in every if i.subject_kind == "botnet"] if empty else []
    if sum(due) - max(due, default=0.0) < NOT_IN_YET:
        return every
    return [
        replace(item, days=item.days[:-empty], count=item.count[:-empty], offset=item.offset[:-empty])
        for item in every
    ]


def _has_its_botnets(
    alarm: HourlyAlarm,
    stopped: Sequence[IndexSeries],
    every: Sequence[IndexSeries],
    expected: dict[tuple[SubjectKind, str], Floats],
    pairs: Mapping[tuple[str, str], Counts],
) -> bool:
    """Whether a stop of all mail, or of a programme's, is that of botnets that stopped, in the same hours.

    What all botnets lose alike in some hours stands in front of the sensors, or is the hours' own.
    """
    if sum(item.subject_kind == "botnet" for item in every) < FEWEST_BOTNETS:
        return True
    lost = 0.0
    for item in stopped:
        due = _due(item, expected["botnet", item.subject], expected, _rest(item, every), alarm.hours)
        part = 1.0 if alarm.subject_kind == "total" else _part(item.subject, alarm.subject, pairs)
        lost += max(due - float(item.count[-alarm.hours :].sum()), 0.0) * part
    return lost >= MOSTLY * (alarm.expected - alarm.seen)


def _part(botnet: str, programme: str, pairs: Mapping[tuple[str, str], Counts]) -> float:
    """What part of a botnet's mail of the last days is a programme's."""
    mail = {of: int(days[-MIX_DAYS:].sum()) for (sender, of), days in pairs.items() if sender == botnet}
    return mail.get(programme, 0) / max(sum(mail.values()), 1)


def expectation(item: IndexSeries, asked: int = HOURS) -> Floats:
    """Messages expected in each hour, shape (hours,); 0 where nothing is known.

    offset x hour of day x day of week x level of the days before. The level of an hour is that of the
    LEVEL_HOURS that ended a day earlier, or, for the `asked` last hours, no later than where these begin:
    what is asked about is not in its own measure.
    """
    up = item.offset > 0
    rate = np.where(up, item.count / np.where(up, item.offset, 1.0), 0.0)
    hours = item.days.astype("datetime64[h]").astype(np.int64)
    history = up.copy()
    history[-asked:] = False
    shape = np.ones(len(rate))
    for cycle, length in ((hours % HOURS, HOURS), ((hours // HOURS) % 7, 7)):
        current = rate / np.maximum(shape, 1e-3)
        mean = float(current[history].mean()) if history.any() else 0.0
        for phase in range(length):
            mine = history & (cycle == phase)
            if mine.any() and mean > 0:
                more = HABIT if length < HOURS and mine.sum() >= HABIT_HOURS else 1.0
                shape[cycle == phase] *= (float(current[mine].sum()) + more * mean) / (
                    (mine.sum() + more) * mean
                )
    weight = np.where(up, item.offset * shape, 0.0)
    mass = np.concatenate(([0.0], np.cumsum(weight)))
    mail = np.concatenate(([0.0], np.cumsum(np.where(up, item.count, 0))))
    stop = np.clip(np.arange(len(rate)) - HOURS, 0, len(rate) - asked)
    start = np.maximum(stop - LEVEL_HOURS, 0)
    below = mass[stop] - mass[start]
    level = np.where(below > 0, (mail[stop] - mail[start]) / np.where(below > 0, below, 1.0), 0.0)
    return np.asarray(weight * level)


def _rest(item: IndexSeries, every: Sequence[IndexSeries]) -> tuple[IndexSeries, ...]:
    """The other botnets, which tell whether an hour was poor for all."""
    return tuple(other for other in every if other.subject_kind == "botnet" and other is not item)


def _raise(
    item: IndexSeries,
    expected: dict[tuple[SubjectKind, str], Floats],
    rest: tuple[IndexSeries, ...],
    ratio: float,
) -> HourlyAlarm | None:
    """The alarm of one series, by the window that speaks most for it."""
    mine = expected[item.subject_kind, item.subject]
    best: HourlyAlarm | None = None
    for window in WINDOWS:
        if not (item.offset[-window:] > 0).all():
            break
        due = _due(item, mine, expected, rest, window)
        seen = float(item.count[-window:].sum())
        if due < LEAST_EXPECTED or seen >= ratio * due:
            continue
        part, alpha = _foretell(item.count, mine, window)
        if due * part < LEAST_EXPECTED or seen >= ratio * due * part:
            continue
        if _pauses(item, expected, rest, window, max(seen / due, NEGLIGIBLE)) >= PAUSES:
            continue
        chance = lower_tail(seen, due * part, 1.0 / alpha)
        if chance < CHANCE and (best is None or chance < best.chance):
            since = _moment(item, window)
            best = HourlyAlarm(item.subject_kind, item.subject, since, window, seen, due, chance)
    if best is None or best.seen:
        return best
    # A silence begins after the last message, or with the first hour in which anybody watched.
    ended = (item.count > 0) | (item.offset <= 0)
    silent = int(np.argmax(ended[::-1])) if ended.any() else len(ended)
    due = _due(item, expectation(item, max(silent, HOURS)), expected, rest, silent)
    return replace(best, since=_moment(item, silent), hours=silent, expected=due)


def _moment(item: IndexSeries, hours: int) -> dt.datetime:
    """Start of the last `hours`."""
    start: dt.datetime = item.days[-hours].astype("datetime64[s]").astype(dt.datetime)
    return start.replace(tzinfo=dt.UTC)


def _due(
    item: IndexSeries,
    mine: Floats,
    expected: dict[tuple[SubjectKind, str], Floats],
    rest: tuple[IndexSeries, ...],
    window: int,
) -> float:
    """Messages due in the last hours; of a botnet, as far as these were not poor for all others."""
    due = float(mine[-window:].sum())
    if item.subject_kind != "botnet" or not rest:
        return due
    others = sum(float(expected["botnet", other.subject][-window:].sum()) for other in rest)
    came = sum(float(other.count[-window:].sum()) for other in rest)
    return due * min(1.0, (came + 1.0) / (others + 1.0))


def _foretell(
    count: Counts, expected: Floats, window: int, hours_before: Sequence[int] = RIGHT_BEFORE
) -> tuple[float, float]:
    """What the last `window` hours should bring after those right before, and how unevenly such hours do.

    A linear forecast, fitted to all stretches of as many hours up to the last day, which is left out.

    Returns:
        Part of what was expected anyway, and over-dispersion of stretches about such forecasts.
    """
    stop, longest = len(expected) - HOURS, max(hours_before, default=0)
    blocks = (stop - HOURS - longest) // window
    if blocks < BLOCKS_AGAIN:
        return 1.0, 1.0
    ends = np.append(np.arange(HOURS + longest + window, stop + 1), len(expected))
    mail, mass = (np.concatenate(([0.0], np.cumsum(values))) for values in (count, expected))
    seen, due = (total[ends] - total[ends - window] for total in (mail, mass))
    before = []
    for hours in hours_before:
        came, foreseen = (total[ends - window] - total[ends - window - hours] for total in (mail, mass))
        before.append(due * np.clip((came - foreseen) / (foreseen + FEW), -1.0, MOST_ABOVE))
    x = np.reshape(before, (len(hours_before), len(ends))).T
    habit = np.clip(np.linalg.lstsq(x[:-1], (seen - due)[:-1], rcond=None)[0], 0.0, 1.0)
    foretold = np.maximum(due + x @ (habit / max(1.0, float(habit.sum()))), LEAST_FORETOLD * due)
    seen = np.minimum(seen, BURST * foretold)
    error, square = ((seen - foretold) ** 2 - foretold)[:-1], (foretold**2)[:-1]
    # A forecast errs most where days begin: windows that end now are as uneven as those that ended then.
    here = np.abs((ends[:-1] - ends[-1] + HOURS // 2) % HOURS - HOURS // 2) <= NEAR
    excess = (
        max(float(error[some].sum() / max(float(square[some].sum()), 1e-9)) for some in (slice(None), here))
        * blocks
        / (blocks - len(hours_before))
    )
    return float(foretold[-1] / due[-1]) if due[-1] > 0 else 1.0, max(excess, LEAST_ALPHA)


def _pauses(
    item: IndexSeries,
    expected: dict[tuple[SubjectKind, str], Floats],
    rest: tuple[IndexSeries, ...],
    window: int,
    share: float,
) -> int:
    """How often, a day or more apart, as many hours brought no larger share of what was due; not today.

    Of a botnet, as far as they were not poor for all others (as in `_due`): that is no habit of its own.
    """

    def stretches(values: Counts | Floats) -> Floats:
        total = np.concatenate(([0.0], np.cumsum(values[:-HOURS])))
        return np.asarray(total[window:] - total[:-window])

    seen, due = stretches(item.count), stretches(expected[item.subject_kind, item.subject])
    if item.subject_kind == "botnet" and rest:
        others = np.sum([stretches(expected["botnet", other.subject]) for other in rest], axis=0)
        came = np.sum([stretches(other.count) for other in rest], axis=0)
        due = due * np.minimum(1.0, (came + 1.0) / (others + 1.0))
    ends = np.flatnonzero((due >= LEAST_EXPECTED) & (seen <= share * due))
    return int((np.diff(ends) > HOURS).sum()) + 1 if len(ends) else 0


def _takes_over(
    alarm: HourlyAlarm,
    mail: dict[tuple[SubjectKind, str], Counts],
    expected: dict[tuple[SubjectKind, str], Floats],
) -> bool:
    """Whether `unknown` has too much of what the subject has too little."""
    nameless: tuple[SubjectKind, str] = (alarm.subject_kind, UNKNOWN)
    if nameless not in mail:
        return False
    _, alpha = _foretell(mail[nameless], expected[nameless], alarm.hours, ())
    due = float(expected[nameless][-alarm.hours :].sum())
    came = float(mail[nameless][-alarm.hours :].sum())
    beyond = 1 - lower_tail(came - 1, due, 1.0 / alpha) if due > 0 else 0.0
    return came - due >= TAKEN_OVER * (alarm.expected - alarm.seen) and beyond < BY_CHANCE


def _change(alarm: HourlyAlarm, last: dt.date, lost: bool) -> Change:  # noqa: FBT001 - a fact, not a switch
    """An hourly alarm as a change without an end."""
    onset = alarm.since.date()
    ratio = alarm.seen / alarm.expected
    kind: ChangeKind = "attribution-loss" if lost else "cease" if ratio < NEGLIGIBLE else "decline"
    false_a_year = alarm.chance * A_YEAR * HOURS
    return Change(
        kind=kind,
        subject_kind=alarm.subject_kind,
        subject=alarm.subject,
        onset=onset,
        onset_low=min(onset, (alarm.since - dt.timedelta(hours=6)).date()),
        onset_high=last,
        end=None,
        end_low=None,
        end_high=None,
        ratio=ratio,
        confidence=REAL_A_YEAR / (REAL_A_YEAR + false_a_year),
        evidence=(
            f"hourly alarm: {alarm.seen:.0f} messages since {alarm.since:%Y-%m-%d %H:%M} UTC, "
            f"{alarm.expected:.0f} expected (chance {alarm.chance:.1g}); may still be going on"
        ),
        since=alarm.since,
        seen=round(alarm.seen),
        due=alarm.expected,
    )
