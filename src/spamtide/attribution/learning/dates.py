"""The grammar of Date headers: never their digits, which are time, but their form and their zones."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from spamtide.attribution.learning.grammar import literal

ACCIDENT = 0.02
"""A form that fewer of the values have is left out."""
MAX_FORMS = 3
"""Forms of a zone beyond which any form is allowed."""
SINGLE_DIGITS = 5
"""Days of the month below ten that show whether a mailer pads them."""
_DATE = re.compile(
    r"(?P<day>[A-Za-z]{3}(?P<comma>,?) )?(?P<date> ?\d{1,2}) (?P<month>[A-Za-z]{3}) (?P<year>\d{2,4}) "
    r"(?P<hour>\d{1,2}):\d\d(?P<seconds>:\d\d)? (?P<zone>[^\n]{1,40})"
)
_ZONES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("[+-][0-9]{4}", re.compile(r"[+-]\d{4}")),
    (r"[+-][0-9]{4} \([^\n]{0,200}\)", re.compile(r"[+-]\d{4} \(.*\)")),
    (r"[+-][0-9]{4} \"[^\n]{0,200}\"", re.compile(r"[+-]\d{4} \".*\"")),
    ("[A-Z]{1,5}", re.compile(r"GMT|UT|Z")),
    (r"[^0-9+\-\n][^\n]{0,100}", re.compile(r"[^0-9+\-].*")),
)
"""Names of zones are the machine's, in its language and as long as its system makes them."""
NAME = r"[^\s,]{2,12}"
"""A day's or month's: some systems write their own language."""
USUAL_ZONES = frozenset({_ZONES[0][0], _ZONES[1][0]})


def date_form(values: Sequence[str]) -> tuple[str, bool] | None:
    """A pattern for the values' form, and whether most mailers write it; None where they have none."""
    matches = [match for value in values if (match := _DATE.fullmatch(value.strip())) is not None]
    if len(matches) < (1 - ACCIDENT) * len(values):
        return None
    days = {
        "" if match["day"] is None else f"{NAME}, " if match["comma"] else f"{NAME} " for match in matches
    }
    if len(days) > 1:
        return None
    singles = [match["date"] for match in matches if int(match["date"]) < 10]  # noqa: PLR2004 - one digit
    padded = len(singles) >= SINGLE_DIGITS and all(each.startswith("0") for each in singles)
    bare = len(singles) >= SINGLE_DIGITS and all(len(each) == 1 for each in singles)
    date = "[0-9]{2}" if padded else "[1-9][0-9]?" if bare else "[0-9 ]?[0-9]"
    year = "[0-9]{4}" if all(len(match["year"]) == 4 for match in matches) else "[0-9]{2,4}"  # noqa: PLR2004
    seconds = {bool(match["seconds"]) for match in matches}
    time = "[0-9]{1,2}:[0-9]{2}" + (
        ":[0-9]{2}" if seconds == {True} else "" if seconds == {False} else "[0-9:]{0,3}"
    )
    zone, usual = _zone_forms([match["zone"] for match in matches])
    day = days.pop()
    return f"{day}{date} {NAME} {year} {time} {zone}", usual and day.endswith(", ") and seconds == {True}


def _zone_forms(zones: Sequence[str]) -> tuple[str, bool]:
    """How zones are written; and whether that is usual."""
    forms: Counter[str] = Counter(
        next((form for form, pattern in _ZONES if pattern.fullmatch(zone)), r"[^\n]{1,40}") for zone in zones
    )
    kept = sorted(form for form, count in forms.items() if count >= ACCIDENT * len(zones))
    if len(kept) > MAX_FORMS:
        return r"[^\n]{1,40}", True
    return kept[0] if len(kept) == 1 else f"({'|'.join(kept)})", set(kept) <= USUAL_ZONES


def date_zone(values: Sequence[str]) -> str | None:
    """The one zone of all values as a pattern; None where there are several."""
    zones = {value.strip().rpartition(" ")[2] for value in values}
    return literal(zones.pop()) if len(zones) == 1 else None
