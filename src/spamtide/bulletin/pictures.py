"""What a bulletin's charts are given, what they hand back, and what all of them share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spamtide.bulletin.svg import clean_text, embed
from spamtide.model import Change, Contribution, Floats, Measurement

Window = tuple[dt.date, dt.date]
"""First and last day, both inside."""
WIDTH = 720
CONTEXT_DAYS = 84
"""Days before the period that the charts show, so that the period has something to stand against."""
Y_EXTENT = 56
"""Room for the labels of a vertical axis, so that the time axes of all charts are in line."""
POOLED = ((1, 400), (7, 2600), (28, 10**9))
"""(days of one point, days that a chart shows at most in such)."""
STEP_WORDS = {1: "a day", 7: "a week", 28: "four weeks"}
MONTH_DAYS, YEAR_DAYS = 300, 1600
"""Days on an axis from which on it names months with their year, and years alone."""
INK, FAINT = "#22303c", "#8795a1"


@dataclass(frozen=True, slots=True)
class ChartInputs:
    """What the charts show."""

    measurement: Measurement
    changes: tuple[Change, ...]
    contributions: tuple[Contribution, ...]
    """The botnets' points, those of names that were lost among 'unknown'."""
    window: Window
    """First and last day of the bulletin."""
    before: Window
    after: Window
    """The two windows that were compared; equal where nothing could be."""
    events: tuple[tuple[dt.date, str], ...] = ()
    """(day, what happened) of outside events."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Botnet or programme -> the name to show."""
    names_lost: tuple[str, ...] = ()
    """Botnets whose mail goes on without their name, so that its points are nobody's loss."""

    def name(self, subject: str) -> str:
        """The name to show of a botnet or programme, fit for a chart."""
        shown = self.names.get(subject) or (subject.capitalize() if subject.islower() else subject)
        return clean_text(shown, 24)


@dataclass(frozen=True, slots=True)
class Picture:
    """One chart, ready for a page."""

    name: str
    title: str
    caption: str
    alt: str
    """What a reader who cannot see it needs to know."""
    svg: str


@dataclass(frozen=True, slots=True)
class Mix:
    """One cell of the programme x botnet matrix: shares of the botnet's mail with a known programme."""

    botnet: str
    programme: str
    before: float | None
    after: float | None
    """None where the botnet had no such mail in the window."""


@dataclass(frozen=True, slots=True)
class Charts:
    """Everything drawn for one bulletin."""

    pictures: tuple[Picture, ...]
    mix: tuple[Mix, ...]
    before: Window
    after: Window
    events: tuple[tuple[dt.date, str], ...]
    """Events in the span that the charts show."""


def shown_days(inputs: ChartInputs) -> Window:
    """The days on the charts' axes."""
    since, until = inputs.window
    days = inputs.measurement.panel.days
    first: dt.date = days[0].astype(dt.date) if days.size else since
    return max(first, min(since, until) - dt.timedelta(days=CONTEXT_DAYS)), until


def part_of(inputs: ChartInputs, window: Window) -> slice:
    """Positions of a window in the panel's days."""
    days = inputs.measurement.panel.days
    if not days.size:
        return slice(0, 0)
    first = int((np.datetime64(window[0], "D") - days[0]).astype(int))
    last = int((np.datetime64(window[1], "D") - days[0]).astype(int))
    return slice(max(first, 0), max(min(last + 1, days.size), 0))


def iso_days(days: Any, part: slice) -> list[str]:  # noqa: ANN401 - a numpy array of days, whose type has no short name
    """ISO dates of part of the days."""
    return [str(day) for day in days[part]]


def step_of(shown: Window) -> int:
    """Days that one point of a chart stands for: more than a thousand points are no line any more."""
    days = (shown[1] - shown[0]).days + 1
    return next(step for step, most in POOLED if days <= most)


def pooled(values: Floats, step: int) -> Floats:
    """Means over every `step` days, of the days that have a value; NaN where none has."""
    if step == 1 or not values.shape[-1]:
        return values
    starts = np.arange(0, values.shape[-1], step)
    known = np.isfinite(values)
    n = np.add.reduceat(known, starts, axis=-1, dtype=float)
    sums = np.add.reduceat(np.where(known, values, 0.0), starts, axis=-1)
    means: Floats = np.divide(sums, n, out=np.full_like(sums, np.nan), where=n > 0)
    return means


def plot(rows: list[dict[str, Any]]) -> Any:  # noqa: ANN401 - altair's own type; altair is imported late
    """A chart over rows given in place."""
    import altair as alt

    return alt.Chart(alt.Data(values=rows))  # type: ignore[no-untyped-call]  # altair leaves its data types untyped


def time_axis(shown: Window) -> Any:  # noqa: ANN401 - altair's own type; altair is imported late
    """A time axis in UTC, the same for all charts; a long one says of which years its days are."""
    import altair as alt

    days = (shown[1] - shown[0]).days
    form = "%e %b" if days < MONTH_DAYS else "%b %Y" if days < YEAR_DAYS else "%Y"
    return alt.X(
        "day:T",
        scale=alt.Scale(type="utc", domain=[str(shown[0]), str(shown[1] + dt.timedelta(days=1))], nice=False),
        axis=alt.Axis(
            title=None,
            grid=False,
            tickCount=8,
            labelExpr=f"utcFormat(datum.value, '{form}')",
            labelOverlap=True,
        ),
    )


def draw(name: str, chart: Any, alt_text: str) -> str:  # noqa: ANN401 - altair's own type; altair is imported late
    """Render a chart to an SVG that may stand in a page beside others."""
    import vl_convert

    configured = (
        chart.configure(background="#ffffff", padding=6, aria=False)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK, titleColor=INK, domainColor=FAINT, tickColor=FAINT, gridColor="#e6eaed"
        )
        .configure_axisY(minExtent=Y_EXTENT)
        .configure_legend(labelColor=INK, titleColor=INK, labelLimit=220)
    )
    return embed(vl_convert.vegalite_to_svg(configured.to_dict()), name, alt_text)
