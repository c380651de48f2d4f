"""Words for numbers, defined once, and the one way in which a sentence is made.

A sentence is a template and its values. `tell` writes every value the same way wherever it occurs and
hands back the numbers that it wrote, so that no number can be in a sentence without being in its claim.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spamtide.finding.figures import Figure, Window
from spamtide.statement import SEVERAL

CONFIDENCE_WORDS: tuple[tuple[float, str], ...] = (
    (0.95, ""),
    (0.8, "probably"),
    (0.5, "perhaps"),
    (0.0, "doubtfully"),
)
"""Least probability that a change is real -> how its sentence is hedged; '' is stated plainly."""

SHARE_WORDS: tuple[tuple[float, str], ...] = (
    (0.9, "nearly all"),
    (0.5, "most"),
    (0.25, "a good part"),
    (0.0, "a small part"),
)
"""Least share of a whole -> word."""

COINCIDENCE_WORDS: tuple[tuple[float, str], ...] = (
    (0.01, "as close as chance hardly ever brings them"),
    (0.05, "closer than chance often brings them"),
    (1.0, "which may well be chance"),
)
"""Largest p of the shift null -> what is said of two days."""

SAMPLE_WORDS: tuple[tuple[int, str], ...] = (
    (1000, ""),
    (0, "from {sample} messages at {sample_sensors} sensors"),
)
"""Least messages of a period -> how its statements of level say how little they rest on. What rests on one
sensor says so however many there are."""
ONE_SENSOR = "from {sample} messages at one sensor"

DOUBLED = 100.0
"""Percent more from which a rise is said in times the level: nobody reads percentages of thousands."""

JUST_NOW = 2
"""Days before the end of a period on which what began, and is not over, may still be going on."""
NEGLIGIBLE = 0.05
"""Below this share of its earlier level, volume is called negligible."""

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
NAME_LENGTH, QUOTE_LENGTH = 80, 250
WEEK = 7
HALF = 0.5
TWO_DIGITS, WIDE, NARROW = 10, 2, 0.2
"""From two digits on a number has one decimal at most; none where its interval is WIDE, two where NARROW."""
COUNTED_DAYS = 98
"""Days up to which a period is told by their number."""
UNKNOWN_WORD = "unknown"
_SLOT = re.compile(r"\{(\w+)\}")
_HOST_DOT = re.compile(r"(?<=[0-9A-Za-z])\.(?=[A-Za-z])")


def word_from(table: Sequence[tuple[float, str]], value: float) -> str:
    """Look a value up in a table of least values, largest first."""
    return next((word for least, word in table if value >= least), table[-1][1])


def coincidence_word(p: float) -> str:
    """Word for a p-value of the shift null."""
    return next((word for largest, word in COINCIDENCE_WORDS if p <= largest), COINCIDENCE_WORDS[-1][1])


def clean(text: str, length: int = NAME_LENGTH) -> str:
    """Make text from a stranger fit for one line: no control, format or direction marks, bounded."""
    kept = "".join(
        " " if unicodedata.category(char) in {"Cc", "Zl", "Zp", "Zs"} else char
        for char in text[: 8 * length]
        if char in "\n\r\t" or not unicodedata.category(char).startswith("C") or char < " "
    )
    line = " ".join(kept.split())
    return line if len(line) <= length else line[: length - 3].rstrip() + "..."


def defang(text: str) -> str:
    """Make links in text from a message unusable: hxxp, and [.] in host names."""
    without = re.sub(r"(?i)http(s?)://", r"hxxp\1://", text)
    return _HOST_DOT.sub("[.]", without)


@dataclass(frozen=True, slots=True)
class Dated:
    """A day with its interval."""

    day: dt.date
    low: dt.date | None = None
    high: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """Longer text from an events file."""

    text: str


Numbers = dict[str, float | str | None]
"""What a sentence states, by name."""

Value = Figure | Dated | Quote | dt.date | int | float | str
"""What a slot of a template takes. A float is a probability; a string is a name, cleaned when written."""


def tell(template: str, values: Mapping[str, Value], year: int) -> tuple[str, Numbers]:
    """Fill a template; return the sentence and all that it states, by name.

    Days of the year `year` are written without it. A figure's and a day's ends come as name_low, name_high.
    """
    numbers: Numbers = {}
    written: dict[str, str] = {}
    for name in dict.fromkeys(_SLOT.findall(template)):
        value = values[name]
        written[name], stated = _write(name, value, year)
        numbers |= stated
    sentence = _SLOT.sub(lambda match: written[match[1]], template)
    return sentence, numbers


def _write(name: str, value: Value, year: int) -> tuple[str, Numbers]:
    """Write one value and say what was written."""
    stated: Numbers
    match value:
        case str():
            written = clean(value)
            stated = {name: written}
        case Quote():
            written = clean(value.text, QUOTE_LENGTH)
            stated = {name: written}
        case int():
            written, stated = f"{value:,}", {name: float(value)}
        case float():
            written = f"{value:.2g}"
            stated = {name: float(written)}
        case Figure():
            written, stated = figure_words(value), {name: _kept(value.value)}
            if value.low is not None:
                stated |= {f"{name}_low": _kept(value.low), f"{name}_high": _kept(value.high)}
        case Dated():
            written, stated = day_words(value.day, year), {name: value.day.isoformat()}
            if value.low is not None and value.high is not None:
                written += f" [{days_words(value.low, value.high, value.day)}]"
                stated |= {f"{name}_low": value.low.isoformat(), f"{name}_high": value.high.isoformat()}
        case _:
            written, stated = day_words(value, year), {name: value.isoformat()}
    return written, stated


def _kept(value: float | None) -> float | None:
    """A number as it is kept in a claim: None for what is not known."""
    return round(value, 4) if value is not None and math.isfinite(value) else None


def figure_words(figure: Figure) -> str:
    """Write a figure with as many digits as its interval deserves: '62 [59-65]', '38 % [34-41]'."""
    if not math.isfinite(figure.value):
        return UNKNOWN_WORD
    digits = _digits(figure)
    unit = {"": "", "percent": " %", "times": " times", "days": " days"}[figure.unit]
    if figure.unit == "days" and abs(figure.value) == 1:
        unit = " day"
    whole = 0 if figure.unit == "percent" and figure.value in {0, 100} else digits
    text = f"{_number(figure.value, whole)}{unit}"
    if figure.low is None or figure.high is None:
        return text
    low, high = (
        _number(end, 0 if figure.unit == "percent" and end in {0, 100} else digits)
        for end in (figure.low, figure.high)
    )
    if not math.isfinite(figure.high):
        return f"{text} [{low} or more]"
    link = " to " if low.startswith("-") or high.startswith("-") else "-"
    return f"{text} [{low}{link}{high}]"


def _digits(figure: Figure) -> int:
    """Decimals: none where the interval is wide or the number whole, else one or two."""
    if figure.unit == "days":
        return 0
    if figure.low is None or figure.high is None or not math.isfinite(figure.high - figure.low):
        return 0 if figure.value == round(figure.value) or abs(figure.value) >= TWO_DIGITS else 1
    width = figure.high - figure.low
    near = min(abs(figure.low), abs(figure.high))
    across = figure.low < 0 < figure.high
    if near < 1 if across else 0 < near < HALF and not figure.unit:
        return 1  # an end near zero must not look as if it were there, or on the other side
    if figure.unit == "percent":
        return 0 if width >= 1 else 1
    if figure.unit == "times" and figure.value < SEVERAL:
        return 2 if width < NARROW else 1  # twice and two and a half times are not the same
    return 0 if width >= WIDE else 1 if width >= NARROW or abs(figure.value) >= TWO_DIGITS else 2


def _number(value: float, digits: int) -> str:
    """Write a number with thousands separators and no minus zero."""
    if not math.isfinite(value):
        return UNKNOWN_WORD
    text = f"{value:,.{digits}f}"
    return text.lstrip("-") if not float(text.replace(",", "")) else text


def day_words(day: dt.date, year: int) -> str:
    """Write a day: '20 September', with its year where that is not `year`."""
    text = f"{day.day} {MONTHS[day.month - 1]}"
    return text if day.year == year else f"{text} {day.year}"


def days_words(low: dt.date, high: dt.date, day: dt.date) -> str:
    """Write the interval of a day: '19-21', else '29 September to 3 October'."""
    if low == high == day:
        return str(day.day)
    if (low.year, low.month) == (high.year, high.month) == (day.year, day.month):
        return f"{low.day}-{high.day}"
    year = day.year if low.year == high.year else 0  # over New Year both say theirs
    return f"{day_words(low, year)} to {day_words(high, year)}"


def listing(parts: Sequence[str]) -> str:
    """Join parts as prose does: 'a, b and c'."""
    if len(parts) <= 1:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def sample_words(n: int, sensors: int) -> str:
    """How little a statement of level rests on, as a template; '' where that is enough."""
    return ONE_SENSOR if sensors == 1 else word_from(SAMPLE_WORDS, n)


def month_of(window: Window, year: int) -> str:
    """The month in the middle of some days, with its year where that is not `year`."""
    middle = window[0] + (window[1] - window[0]) / 2
    return f"{MONTHS[middle.month - 1]}{'' if middle.year == year else f' {middle.year}'}"


def plural(count: int, one: str, many: str = "") -> str:
    """The noun that goes with a count."""
    return one if count == 1 else many or f"{one}s"


def these_days(values: dict[str, Value], window: Window) -> str:
    """'in these {weeks} weeks', or which days: of a single one, and of more than anybody would count."""
    if window[0] < window[1] and (window[1] - window[0]).days < COUNTED_DAYS:
        days = weeks_of(values, window)
        return "in this week" if days == "the week" else f"in {days.replace('the ', 'these ', 1)}"
    return from_to(values, ("since", window[0]), ("until", window[1]))


def from_to(values: dict[str, Value], first: tuple[str, dt.date], last: tuple[str, dt.date]) -> str:
    """'from {first} to {last}', 'on {first}' of a single day; the days put into `values` by their names."""
    values[first[0]] = first[1]
    if first[1] == last[1]:
        return f"on {{{first[0]}}}"
    values[last[0]] = last[1]
    return f"from {{{first[0]}}} to {{{last[0]}}}"


def weeks_of(values: dict[str, Value], window: Window) -> str:
    """'the {weeks} weeks', or days where they are no whole weeks, the number put into `values`."""
    days = (window[1] - window[0]).days + 1
    if days % WEEK:
        values["days"] = days
        return f"the {{days}} {plural(days, 'day')}"
    if days == WEEK:
        return "the week"
    values["weeks"] = days // WEEK
    return f"the {{weeks}} {plural(days // WEEK, 'week')}"
