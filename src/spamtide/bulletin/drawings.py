"""The four charts. Altair is imported where a chart is drawn."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from spamtide.bulletin.pictures import (
    FAINT,
    INK,
    STEP_WORDS,
    WIDTH,
    ChartInputs,
    Picture,
    Window,
    draw,
    iso_days,
    part_of,
    plot,
    pooled,
    step_of,
    time_axis,
)
from spamtide.bulletin.svg import clean_text
from spamtide.model import UNKNOWN, Change, Floats, IndexSeries

TIDE, BAND = "#0b5c8c", "#a9cfe6"
PALETTE = ("#0b5c8c", "#d1495b", "#edae49", "#00798c", "#8d5a97", "#6a994e")
"""One colour a named botnet, told apart by colour-blind readers too."""
UNKNOWN_COLOUR, OTHERS_COLOUR = "#d0d0d0", "#9a9a9a"
LOSS, GAIN = "#d1495b", "#00798c"
NAMED = len(PALETTE)
"""Botnets with a colour of their own."""
STRIP_SENSORS = 24
"""With more sensors the strip shows their mean."""
LABELLED = 6
LETTER, GAP, LINE = 5.6, 4.0, 15.0
"""Pixels: mean width of a letter of a label, room beside a label, height of a line of labels."""
TIDE_HEIGHT = 240
VERBS: dict[str, str] = {
    "decline": "falls",
    "cease": "falls",
    "rise": "rises",
    "resume": "returns",
    "surge": "surges",
    "new": "appears",
    "switch": "switches",
}
"""Kind of change -> its word on a chart."""

# ---------------------------------------------------------------------------- the tide


def tide(
    inputs: ChartInputs, total: IndexSeries, shown: Window, events: Sequence[tuple[dt.date, str]]
) -> Picture:
    """Total index with its interval, changes as dated bands, events as ticks."""
    import altair as alt

    part, step = part_of(inputs, shown), step_of(shown)
    lines = np.stack([total.index[part], total.low[part], total.high[part]])
    lines[:, ~np.isfinite(lines[0])] = np.nan
    days = iso_days(total.days, part)[::step]
    rows: list[dict[str, Any]] = [
        # A day without a sensor is a gap in the line.
        {"day": day, **dict.fromkeys(("index", "low", "high"))}
        if math.isnan(value)
        else {"day": day, "index": float(value), "low": float(low), "high": float(high)}
        for day, (value, low, high) in zip(days, pooled(lines, step).T, strict=True)
    ]
    seen = [row for row in rows if row["index"] is not None]
    top = max((min(row["high"], 3 * row["index"] + 1) for row in seen), default=100.0)
    marks = _band_labels(inputs, shown)
    head = LINE * (max((mark["line"] for mark in marks), default=-1) + 1) + GAP
    scale = alt.Scale(domain=[0, max(top * TIDE_HEIGHT / (TIDE_HEIGHT - head), 1.0)], nice=False, clamp=True)
    x = time_axis(shown)
    base = plot(rows)
    labels = [
        plot([{**mark, "y": GAP + LINE * (mark["line"] + 0.5)} for mark in marks if mark["left"] is left])
        .mark_text(align="right" if left else "left", dx=-3 if left else 3, fontSize=10.5, color=INK)
        .encode(x=x, y=alt.Y("y:Q", scale=alt.Scale(domain=[TIDE_HEIGHT, 0]), axis=None), text="label:N")
        for left in (False, True)
    ]
    layers = [
        plot(_bands(inputs, shown)).mark_rect(opacity=0.16, color=LOSS).encode(x=x, x2="until:T"),
        base.mark_area(color=BAND, opacity=0.8).encode(
            x=x,
            y=alt.Y("low:Q", scale=scale, axis=alt.Axis(title="volume index", grid=True, tickCount=5)),
            y2="high:Q",
        ),
        base.mark_line(color=TIDE, strokeWidth=1.8).encode(x=x, y=alt.Y("index:Q", scale=scale)),
        plot([{"day": str(day)} for day in sorted({d for d, _ in events})])
        .mark_point(shape="triangle-up", filled=True, size=60, color=INK, opacity=1)
        .encode(x=x, y=alt.value(236)),
    ]
    chart = (
        alt.layer(alt.layer(*layers), alt.layer(*labels))
        .resolve_scale(y="independent")
        .properties(width=WIDTH, height=TIDE_HEIGHT)
    )
    values = [row["index"] for row in seen]
    alt_text = (
        f"Line chart of the volume index, a point for {STEP_WORDS[step]}, from {shown[0]} to {shown[1]}: "
        f"between {min(values):,.0f} and {max(values):,.0f}, {values[-1]:,.0f} at last."
        if values
        else f"The volume index from {shown[0]} to {shown[1]}: no day with a sensor up."
    )
    return Picture(
        "tide",
        "The tide",
        f"Volume index of all spam, 100 over {total.base.replace('..', ' to ')}; the light band is its 95 % "
        f"interval{_means(step)}. Shaded: dated changes, from the earliest believable onset to the latest "
        "believable end. Triangles: outside events, listed below.",
        alt_text,
        draw("tide", chart, alt_text),
    )


def _means(step: int) -> str:
    """What a point is, where it is not a day."""
    return "" if step == 1 else f", each point the mean of {STEP_WORDS[step]}"


def _told(inputs: ChartInputs, shown: Window) -> list[Change]:
    """The changes that are marked: those of the total and of botnets, the surest first, then by date."""
    fitting = [
        c
        for c in inputs.changes
        if c.subject_kind in {"total", "botnet"}
        and c.kind != "attribution-loss"
        and shown[0] <= c.onset <= shown[1]
    ]
    fitting.sort(key=lambda c: (-c.confidence, c.onset, c.subject, c.kind))
    return sorted(fitting[:LABELLED], key=lambda c: (c.onset, c.subject_kind != "total", c.subject, c.kind))


def _bands(inputs: ChartInputs, shown: Window) -> list[dict[str, Any]]:
    """One shaded band a change."""
    rows = []
    for change in _told(inputs, shown):
        until = change.end_high or change.end or change.onset_high
        rows.append({"day": str(change.onset_low), "until": str(until + dt.timedelta(days=1))})
    return rows


def _band_labels(inputs: ChartInputs, shown: Window) -> list[dict[str, Any]]:
    """What each band is: in the first row with room, and to the left of its day where the right has none."""
    pixels = WIDTH / max((shown[1] - shown[0]).days + 1, 1)
    taken: list[list[tuple[float, float]]] = []
    rows = []
    for change in _told(inputs, shown):
        subject = "all spam" if change.subject_kind == "total" else inputs.name(change.subject)
        label = f"{subject} {VERBS.get(change.kind, change.kind)}"
        wide = LETTER * len(label) + 2 * GAP
        start = max((change.onset_low - shown[0]).days, 0) * pixels
        left = start + wide > WIDTH
        span = (start - wide, start) if left else (start, start + wide)
        at = next(
            (n for n, row in enumerate(taken) if all(span[1] <= a or span[0] >= b for a, b in row)),
            len(taken),
        )
        if at == len(taken):
            taken.append([])
        taken[at].append(span)
        rows.append({"day": str(change.onset_low), "line": at, "left": left, "label": label})
    return rows


# ---------------------------------------------------------------------------- whose mail


def whose(inputs: ChartInputs, total: IndexSeries, shown: Window) -> Picture | None:
    """Index points by botnet, stacked; nothing where no mail has a botnet's name."""
    import altair as alt

    panel = inputs.measurement.panel
    part, step = part_of(inputs, shown), step_of(shown)
    daily = {
        name: panel.counts[at].sum(axis=0)[part].astype(float)
        for at, (kind, name) in enumerate(panel.subjects)
        if kind == "botnet"
    }
    if not any(counts.any() for name, counts in daily.items() if name != UNKNOWN):
        return None
    mail = panel.counts[0].sum(axis=0)[part].astype(float)
    index = total.index[part]
    points = np.where((mail > 0) & np.isfinite(index), index / np.where(mail > 0, mail, 1), 0.0)
    ranked = sorted((n for n in daily if n != UNKNOWN), key=lambda n: (-float(daily[n].sum()), n))
    named, rest = ranked[:NAMED], ranked[NAMED:]
    groups: list[tuple[str, str, Floats]] = [
        (inputs.name(name), colour, daily[name]) for name, colour in zip(named, PALETTE, strict=False)
    ]
    if rest:
        groups.append(("others", OTHERS_COLOUR, np.sum([daily[name] for name in rest], axis=0)))
    groups.append(
        (
            "unattributed",
            UNKNOWN_COLOUR,
            mail - np.sum([daily[n] for n in ranked], axis=0) if ranked else mail,
        )
    )
    rows: list[dict[str, Any]] = [
        {"day": day, "who": who, "points": round(max(float(value), 0.0), 4), "order": order}
        for order, (who, _, counts) in enumerate(groups)
        for day, value in zip(iso_days(panel.days, part)[::step], pooled(counts * points, step), strict=True)
    ]
    chart = (
        plot(rows)
        .mark_area(opacity=0.92, line=False)
        .encode(
            x=time_axis(shown),
            y=alt.Y("points:Q", stack="zero", axis=alt.Axis(title="index points", tickCount=5)),
            color=alt.Color(
                "who:N",
                scale=alt.Scale(domain=[g[0] for g in groups], range=[g[1] for g in groups]),
                legend=alt.Legend(title=None, orient="bottom", columns=4, symbolType="square"),
            ),
            order=alt.Order("order:Q", sort="descending"),
        )
        .properties(width=WIDTH, height=200)
    )
    largest = ", ".join(g[0] for g in groups[:3])
    alt_text = (
        f"Stacked areas: the volume index split by botnet, {shown[0]} to {shown[1]}. Largest: {largest}."
    )
    return Picture(
        "whose",
        "Whose mail it is",
        "The same index split by the botnet that sent the mail; light grey could not be attributed. "
        f"Shares of each day's messages, without intervals{_means(step)}.",
        alt_text,
        draw("whose", chart, alt_text),
    )


# ---------------------------------------------------------------------------- coverage


def coverage(inputs: ChartInputs, shown: Window) -> Picture | None:
    """Which sensor saw how much of its usual mail on which day."""
    import altair as alt

    panel = inputs.measurement.panel
    part = part_of(inputs, shown)
    values = inputs.measurement.exposure.values[:, part]
    if not values.size:
        return None
    step = step_of(shown)
    days, values = iso_days(panel.days, part)[::step], pooled(values, step)
    many = len(panel.sensors) > STRIP_SENSORS
    if many:
        names, values = ["sensors up"], values.mean(axis=0, keepdims=True)
    else:
        names = [clean_text(name, 24) or "(no name)" for name in panel.sensors]
    rows = [
        {"day": days[first], "until": until, "sensor": f"{at:03d} {name}", "up": up}
        for at, (name, line) in enumerate(zip(names, values, strict=True))
        for first, until, up in _stretches(days, line, str(shown[1] + dt.timedelta(days=1)))
    ]
    chart = (
        plot(rows)
        .mark_rect()
        .encode(
            x=time_axis(shown),
            x2="until:T",
            y=alt.Y(
                "sensor:N",
                axis=alt.Axis(title="sensor", labelExpr="slice(datum.label, 4)", ticks=False),
                sort=None,
            ),
            color=alt.Color(
                "up:Q", scale=alt.Scale(domain=[0, 1], range=["#f3d9dc", "#6ba7c9"]), legend=None
            ),
        )
        .properties(width=WIDTH, height=max(16 * len(names), 16))
    )
    dark = float((inputs.measurement.exposure.values[:, part] <= 0).mean())
    alt_text = (
        f"Coverage of {len(panel.sensors)} sensors, {shown[0]} to {shown[1]}: "
        f"{100 * dark:.0f} % of the sensors' days without any."
    )
    return Picture(
        "coverage",
        "Sensors' coverage",
        "Blue: the sensor counts in the index; pale red: it was down, absent or no longer comparable.",
        alt_text,
        draw("coverage", chart, alt_text),
    )


def _stretches(days: Sequence[str], line: Floats, end: str) -> Iterator[tuple[int, str, float]]:
    """(first position, day after the last, value) of stretches of one value: far fewer than days."""
    shown = np.round(np.clip(line, 0.0, 1.0), 3)
    starts = [0, *(int(at) + 1 for at in np.flatnonzero(np.diff(shown)))]
    for first, after in zip(starts, [*starts[1:], len(days)], strict=True):
        yield first, days[after] if after < len(days) else end, float(shown[first])


# ---------------------------------------------------------------------------- taken apart


def apart(inputs: ChartInputs) -> Picture | None:
    """Index points lost or gained by botnet, with intervals, the largest first."""
    import altair as alt

    parts = [
        c
        for c in inputs.contributions
        if c.subject_kind == "botnet" and all(map(math.isfinite, (c.points, c.low, c.high)))
    ]
    if all(c.subject == UNKNOWN for c in parts) or inputs.before == inputs.after:
        return None
    parts.sort(key=lambda c: (-abs(c.points), c.subject))
    rows: list[dict[str, Any]] = [
        {
            "who": f"{at:03d} {'unattributed' if c.subject == UNKNOWN else inputs.name(c.subject)}",
            "points": c.points,
            "low": c.low,
            "high": c.high,
            "colour": LOSS if c.points < 0 else GAIN,
        }
        for at, c in enumerate(parts[:12])
    ]
    base = plot(rows)
    y = alt.Y("who:N", sort=None, axis=alt.Axis(title=None, labelExpr="slice(datum.label, 4)", ticks=False))
    chart = alt.layer(
        base.mark_bar(height=13, opacity=0.85).encode(
            y=y,
            x=alt.X("points:Q", axis=alt.Axis(title="index points", tickCount=6)),
            color=alt.Color("colour:N", scale=None, legend=None),
        ),
        base.mark_rule(color=INK, strokeWidth=1.4).encode(y=y, x="low:Q", x2="high:Q"),
        plot([{"zero": 0}]).mark_rule(color=FAINT).encode(x="zero:Q"),
    ).properties(width=WIDTH - 90, height=max(22 * len(rows), 44))
    alt_text = "Bars of index points by botnet: " + "; ".join(
        f"{row['who'][4:]} {row['points']:+.1f} [{row['low']:.1f} to {row['high']:.1f}]" for row in rows[:6]
    )
    names = ", ".join(inputs.name(name) for name in inputs.names_lost)
    lost = f" Mail that lost its name ({names}) counts as unattributed: nobody lost it." if names else ""
    return Picture(
        "apart",
        "The change taken apart",
        f"Index points lost or gained by each botnet, {inputs.before[0]} to {inputs.before[1]} "
        f"against {inputs.after[0]} to {inputs.after[1]}; the thin line is the 95 % interval.{lost}",
        f"{alt_text}.",
        draw("apart", chart, f"{alt_text}."),
    )
