"""Claims about what comes next: the return of a quiet botnet, and the volume if nothing happens."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence

import numpy as np

from spamtide.finding.claim.around import FALLS, weight_of
from spamtide.finding.claim.draft import About, draft, rows_of
from spamtide.finding.claim.volume import SENSOR_KINDS, is_told, is_vague
from spamtide.finding.estimate.forecast import forecast_test, forecasts
from spamtide.finding.estimate.outlook import HORIZON, BackTest, back_test, dormancies, outlook, was_struck
from spamtide.finding.figures import Figure
from spamtide.finding.inputs import View
from spamtide.finding.silence import silence_of
from spamtide.finding.span import flood_days
from spamtide.finding.words import Value, plural
from spamtide.statement import Claim, Status

SAME = 0.1
"""Brier scores within a tenth of one another are said to be about the same."""
EIGHTY = Figure(80.0, unit="percent")
DARK = 28
"""Days without a message after which a new stretch of the total begins."""
LARGE = 0.05
"""Share of all mail from which on a botnet's change begins a new stretch of the total."""


def outlook_claims(view: View, statuses: Sequence[Status]) -> Iterator[Claim]:
    """What recorded silences say, for the largest botnet that is quiet or silent now."""
    quiet = [s for s in statuses if s.volume in {"quiet", "gone"} and s.last_seen is not None]
    if not quiet:
        return
    status = quiet[0]
    falls = [c for c in view.inputs.changes if c.subject == status.botnet and c.kind in FALLS]
    silence = silence_of(view, "botnet", status.botnet, view.period.until)
    start = silence.since if silence else status.last_seen
    if start is None or (status.volume == "quiet" and silence is None):
        start = max((c.end or c.onset for c in falls), default=view.period.until)
    # The last day on which it may have begun: an action on that day came before it as likely as not.
    began = silence.fall.onset_high if silence else max((c.onset_high for c in falls), default=start)
    lasted = max((view.period.until - start).days, 0)
    known = [e for e in view.inputs.events if e.date_start <= view.period.until]
    struck = was_struck(known, began, lambda e: view.is_about(e, [status.botnet]))
    record = dormancies(view.inputs.events, view.period.until)
    seen = outlook(record, lasted, struck=struck)
    if seen is None:
        return
    values: dict[str, Value] = {
        "base": seen.base,
        "ended": seen.ended,
        "horizon": HORIZON,
        "name": view.name(status.botnet),
        "lasted": lasted,
        "chance": seen.chance,
    }
    word = "quiet" if status.volume == "quiet" else "silent"
    kind = "after an action against the botnet" if struck else "with no action against the botnet on record"
    template = (
        f"The chance that {{name}}, {word} for {{lasted}} {plural(lasted, 'day')} {kind}, is back within the "
        "next {horizon} days is {chance}. Of {base} recorded silences of botnets, {ended} ended within "
        "{horizon} days of their start"
    )
    if seen.ended and math.isfinite(seen.longest):
        values |= {"shortest": int(seen.shortest), "longest": int(seen.longest)}
        template += ", after {shortest} to {longest}"
    if lasted:
        template += f"; {'{longer}' if seen.longer else 'none'} had lasted longer than {{lasted}} "
        template += plural(lasted, "day")
        if seen.longer:
            values |= {"longer": seen.longer, "then": seen.then}
            template += ", and {then} of these ended within {horizon} more"
    template += "."
    test = back_test(record)
    if test.forecasts and test.intervals:
        values |= {
            "brier": round(test.brier, 2),
            "base_brier": round(test.base_brier, 2),
            "held": test.held,
            "tested": test.intervals,
            "inside": EIGHTY,
        }
        template += (
            " The record is short and holds what was published: tried on each of its silences in turn, such "
            f"forecasts did {_compared(test)} the plain share (Brier score {{brier}} against {{base_brier}}; "
            "{held} of {tested} intervals of {inside} held)."
        )
    else:
        template += " The record is short and holds what was published."
    about = About(
        "outlook", "botnet", status.botnet, view.period.until, seen.base, (), "spamtide status --json"
    )
    yield draft(view, about, template, values, struck="yes" if struck else "no", early=_days(seen.early))


def _compared(test: BackTest) -> str:
    """How the forecasts did beside the plain share: differences below a tenth are none."""
    if test.brier < (1 - SAME) * test.base_brier:
        return "better than"
    return "worse than" if test.brier > (1 + SAME) * test.base_brier else "about as well as"


def _days(value: float) -> float | None:
    """Days as they are kept: None for never."""
    return value if math.isfinite(value) else None


def forecast_claims(view: View) -> Iterator[Claim]:
    """The index of the next week and four weeks if nothing happens, from the last change on.

    None where no level is told, or nearly any would come out inside.
    """
    if view.total is None or not view.panel.days.size or not is_told(view):
        return
    stop = view.within((view.period.until, view.period.until)).stop
    offset = view.offset()[:stop]
    # A flood is no level to go on from: its days count as days on which nobody looked.
    calm = ~np.isin(view.panel.days[:stop], sorted(flood_days(view.inputs.changes, view.period.until)))
    counts = view.daily("total", "total")[:stop] * calm
    breaks = _breaks(view)
    made = forecasts(counts, offset * calm, view.panel.days[:stop], max(breaks, default=0))
    if made is None or is_vague(made.week) or is_vague(made.month):
        return
    test = forecast_test(counts, offset * calm, view.panel.days[:stop], breaks)
    since: dt.date = view.panel.days[min(made.first, stop - 1)].item()
    values: dict[str, Value] = {
        "week": Figure(made.week.value, made.week.low, made.week.high),
        "month": Figure(made.month.value, made.month.low, made.month.high),
        "since": since,
        "inside": EIGHTY,
    }
    template = (
        "If nothing happens, the index will be near {week} next week and near {month} over the next four "
        "weeks ({inside} intervals, from the days since {since})"
    )
    if test.intervals:
        values |= {"held": test.held, "tested": test.intervals}
        weeks = plural(test.intervals, "week")
        template += f"; of {{tested}} past {weeks} forecast in this way, {{held}} came out inside"
    window = (since, view.period.until)
    about = About(
        "forecast",
        "total",
        "total",
        view.period.until,
        view.count("total", "total", window),
        view.sensors_of("total", "total", window),
        rows_of("total", "total", *window),
    )
    yield draft(view, about, template + ".", values)


def _breaks(view: View) -> list[int]:
    """First days of new stretches of the total: after its changes, large botnets' and weeks without mail."""
    lit = np.flatnonzero(view.daily("total", "total"))
    found = [int(day) for day in lit[1:][np.diff(lit) > DARK]]
    for change in view.inputs.changes:
        if change.kind in SENSOR_KINDS or change.kind in {"switch", "surge", "attribution-loss"}:
            continue
        large = change.subject_kind == "botnet" and weight_of(view, change) >= LARGE
        if change.subject_kind == "total" or large:
            last = change.end_high or change.end or change.onset_high
            found.append(int((np.datetime64(last) - view.panel.days[0]).astype(int)))
    size = view.within((view.period.until, view.period.until)).stop
    return sorted({day for day in found if 0 <= day < size})
