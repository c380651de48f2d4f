"""Rendering: one bulletin as a self-contained page, as Markdown, or as JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from spamtide.bulletin.compose import Paragraph
from spamtide.bulletin.pictures import Charts, Mix
from spamtide.bulletin.svg import clean_text
from spamtide.errors import UsageError
from spamtide.statement import Bulletin, Claim, ControlState, Status

if TYPE_CHECKING:
    import jinja2

LEAST_SHOWN = 0.01
"""A probability is never shown closer to 0 or 1 than this."""
LONG = 4000
"""Characters of one text that are shown."""
_LINK = re.compile(r"(?i)http(s?)://")
_PERCENT = re.compile(r"(?<=\d) %")
_MD_SPECIAL = re.compile(r"([\\`*_|~])")
_MD_LINK = re.compile(r"^\[|\](?=[(\[])")

READING = (
    "Brackets hold 95 % intervals where no other share is named: values that go well with the data.",
    "The volume index compares mail with itself: sensors that come, go or fail do not move it.",
    "A change is stated plainly from 95 % on; 'probably' is 80 % or more, 'perhaps' 50 %, 'doubtfully' less.",
    "p is how often chance alone would bring dates as close, after everything that was looked at.",
)
"""How to read a bulletin without the page's longer list."""
NOT_LOOKED_AT = (
    "No control server was contacted but those that the user lists; other checks are lists' and not ours.",
    "No advertised link was opened and no landing page was fetched.",
    "The mail is what these sensors received; it is no sample of all spam.",
    "Mail without a believable date is in no series and in no change.",
    "Nothing here says why a volume moved; events and changes are set side by side in time only.",
)
"""Said in every bulletin."""


def render(bulletin: Bulletin, format: str, charts: Charts | None = None) -> str:  # noqa: A002 - the word of the command line
    """Write a bulletin as 'html', 'md' or 'json'; the same inputs give the same bytes.

    Everything that came from outside is escaped, links in text are made unusable, and the page asks the
    browser to load nothing at all. Charts are in the page only.

    Raises:
        UsageError: no such format.
    """
    if format not in FORMATS:
        message = f"no such bulletin format '{clean_text(format, 40)}'"
        raise UsageError(message, f"known: {', '.join(FORMATS)}")
    return FORMATS[format](bulletin, charts)


def tidy(text: str) -> str:
    """Text fit to be shown: no control or direction marks, no usable link, no line break before a %."""
    return _PERCENT.sub("\u00a0%", _LINK.sub(r"hxxp\1://", clean_text(text, LONG)))


# ---------------------------------------------------------------------------- HTML


def _html(bulletin: Bulletin, charts: Charts | None) -> str:
    """The self-contained page."""
    import markupsafe

    place = {claim.claim: at for at, claim in enumerate(bulletin.claims, start=1)}
    return _template().render(
        bulletin=bulletin,
        place=place,
        paragraphs=_parted(bulletin),
        status_columns=STATUS_COLUMNS,
        facts=_facts(bulletin),
        statuses=_status_rows(bulletin) if bulletin.statuses else [],
        status_caption=_status_caption(bulletin),
        claims=[(at, claim, _numbers(claim)) for at, claim in enumerate(bulletin.claims, start=1)],
        pictures=[(p, markupsafe.Markup(p.svg)) for p in charts.pictures] if charts else [],  # noqa: S704 - our renderer's SVG, checked by svg.embed
        mix=_matrix(charts) if charts else None,
        charts=charts,
        not_looked_at=NOT_LOOKED_AT,
    )


@lru_cache(maxsize=1)
def _template() -> jinja2.Template:
    """The page's template, escaping everything that it is given."""
    import jinja2
    import markupsafe

    def finalise(value: Any) -> Any:  # noqa: ANN401 - a template prints values of any type
        return tidy(value) if isinstance(value, str) and not isinstance(value, markupsafe.Markup) else value

    environment = jinja2.Environment(
        autoescape=True,
        finalize=finalise,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    source = files("spamtide.bulletin").joinpath("page.html.j2").read_text(encoding="utf-8")
    return environment.from_string(source)


def _facts(bulletin: Bulletin) -> str:
    """The line under the title."""
    sensors = f"{bulletin.sensors:,} sensor{'' if bulletin.sensors == 1 else 's'}"
    messages = f"{bulletin.messages:,} message{'' if bulletin.messages == 1 else 's'}"
    days = str(bulletin.since)
    if bulletin.until != bulletin.since:
        days += f" to {bulletin.until}"
    line = f"{days}, {sensors}, {messages}"
    return f"{line}, simulated data" if bulletin.simulated else line


def _parted(bulletin: Bulletin) -> list[Paragraph]:
    """Paragraphs as heading and rest: a heading that the text begins with is taken out of the text."""
    parted = []
    for heading, text, ids in bulletin.paragraphs:
        begins = bool(heading) and text.startswith(f"{heading} ")
        parted.append((heading, text[len(heading) + 1 :] if begins else text, ids))
    return parted


def _points(value: float) -> str:
    """Index points for a table."""
    return f"{value:,.1f}" if math.isfinite(value) else "unknown"


def _status_rows(bulletin: Bulletin) -> list[tuple[str, ...]]:
    """The status matrix: every botnet, mail of none, and all mail, to which the columns of points add up."""
    rest = bulletin.unattributed
    every = [*bulletin.statuses, *([rest] if rest else [])]
    now, before = (
        sum(value for value in values if math.isfinite(value))
        for values in ([one.level for one in every], [one.before for one in every])
    )
    rows = [_status_cells(one, now if rest else math.nan) for one in bulletin.statuses]
    if rest:
        name, _, points, share, was, seen, last, _, _, advertised = _status_cells(rest, now)
        rows.append((name, "", points, share, was, seen, last, "", "", advertised))
        known = any(math.isfinite(one.before) for one in every)
        rows.append(
            ("all mail", "", _points(now), "100 %", _points(before if known else math.nan), *[""] * 5)
        )
    return rows


def _status_cells(status: Status, whole: float) -> tuple[str, ...]:
    """One row of the status matrix, in the order of STATUS_COLUMNS; `whole` is the points of all mail."""
    interval = f" [{status.level_low:,.1f}-{status.level_high:,.1f}]" if math.isfinite(status.level) else ""
    programmes = ", ".join(f"{name} {share:.0%}".replace("%", " %") for name, share in status.programmes[:3])
    share = "unknown"
    if whole > 0 and math.isfinite(status.level):
        low, high = (min(100 * end / whole, 100.0) for end in (status.level_low, status.level_high))
        digits = 0 if high >= 1 else 1
        share = f"{100 * status.level / whole:.{digits}f} % [{low:.{digits}f}-{high:.{digits}f}]"
    return (
        status.name or status.botnet,
        status.state,
        f"{_points(status.level)}{interval}",
        share,
        _points(status.before),
        f"{status.residual_sensors} of {status.sensors}",
        str(status.last_seen or "never"),
        str(status.lab_last_seen or "no lab"),
        _servers(status.control),
        programmes or "unknown",
    )


def _status_caption(bulletin: Bulletin) -> str:
    """What the columns of the status matrix are, and of which days."""
    held = {"level", "nothing-changed"}
    level = next((c for c in bulletin.claims if c.kind in held and "from" in c.numbers), None)
    days = f" ({level.numbers['from']} to {level.numbers['to']})" if level else ""
    return (
        "Points are index points of the total: now in the last week, less a flood that is over, with 95 % "
        "intervals, and before in the "
        f"window that the index is held against{days}. Seen at counts the sensors that saw it in the last "
        "week; in a lab is the last message of its bot there; servers are checks of the last week that were "
        "answered; advertises is what its last four weeks with mail carried, of all of it."
    )


def _servers(control: ControlState | None) -> str:
    """Checks of control servers for a table: '11 of 12 (P > 0.99)'."""
    if control is None:
        return "not checked"
    if control.alive > 1 - LEAST_SHOWN:
        odds = f"P > {1 - LEAST_SHOWN:.2f}"
    else:
        odds = f"P < {LEAST_SHOWN:.2f}" if control.alive < LEAST_SHOWN else f"P = {control.alive:.2f}"
    checks = f"{control.answered} of {control.checks}" if control.checks else f"last {control.last_check}"
    return f"{checks} ({odds})"


STATUS_COLUMNS = (
    "botnet",
    "state",
    "points now",
    "share now",
    "points before",
    "seen at",
    "last seen",
    "in a lab",
    "servers",
    "advertises",
)


def _numbers(claim: Claim) -> list[tuple[str, str]]:
    """A claim's numbers for a list, in order of name; 'unknown' for what is not known."""
    return [(name, _value(claim.numbers[name])) for name in sorted(claim.numbers)]


def _value(value: float | str | None) -> str:
    """One number of a claim."""
    if value is None:
        return "unknown"
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"


def _matrix(charts: Charts) -> tuple[list[str], list[tuple[str, list[tuple[str, float]]]]] | None:
    """Columns and rows of the programme x botnet table; each cell is text and the shade of its last share."""
    if not charts.mix:
        return None
    programmes = list(dict.fromkeys(cell.programme for cell in charts.mix))
    rows: dict[str, list[tuple[str, float]]] = {}
    for cell in charts.mix:
        text = _moved(cell, compared=charts.before != charts.after)
        rows.setdefault(cell.botnet, []).append((text, round(0.5 * (cell.after or 0.0), 2)))
    return programmes, list(rows.items())


def _moved(cell: Mix, *, compared: bool) -> str:
    """A cell of the matrix: '100 to 11 %', or one share where nothing is compared or nothing moved."""
    before, after = (None if share is None else f"{100 * share:.0f}" for share in (cell.before, cell.after))
    if after is None:
        return f"{before} %, then no mail" if compared and before is not None else "no mail"
    if not compared or before == after:
        return f"{after} %"
    return f"no mail, then {after} %" if before is None else f"{before} to {after} %"


# ---------------------------------------------------------------------------- Markdown


def markdown(text: str) -> str:
    """Escape text for Markdown: no markup, no HTML, no link."""
    plain = tidy(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MD_LINK.sub(r"\\\g<0>", _MD_SPECIAL.sub(r"\\\1", plain))


def _md(bulletin: Bulletin, _: Charts | None) -> str:
    """The prose, then statuses and claims as tables."""
    lines = [f"# {markdown(bulletin.title)}", ""]
    if bulletin.simulated:
        lines += ["**Simulated data: none of the mail below was observed.**", ""]
    lines += [f"*{_facts(bulletin)}*", ""]
    if bulletin.summary:
        short: list[tuple[str, ...]] = [
            (line.text, "; ".join((*line.figures, f"n = {line.n:,}"))) for line in bulletin.summary
        ]
        lines += ["## In short", "", *_md_table(("what", "with 95 % intervals"), short), "", "## In full", ""]
    for heading, text, _ids in _parted(bulletin):
        lines += [f"**{markdown(heading)}** {markdown(text)}" if heading else markdown(text), ""]
    if bulletin.statuses:
        lines += [
            "## Botnets",
            "",
            *_md_table(STATUS_COLUMNS, _status_rows(bulletin)),
            "",
            markdown(_status_caption(bulletin)),
            "",
        ]
    rows: list[tuple[str, ...]] = [
        (str(at), c.sentence, f"{c.n:,}", str(len(c.sensors)), c.command)
        for at, c in enumerate(bulletin.claims, start=1)
    ]
    lines += ["## Claims", "", *_md_table(("#", "claim", "n", "sensors", "command"), rows), ""]
    lines += ["## How to read this", "", *(f"- {markdown(line)}" for line in READING), ""]
    lines += ["## What was not looked at", "", *(f"- {markdown(line)}" for line in NOT_LOOKED_AT), ""]
    if bulletin.versions:
        read = ", ".join(f"{name} {version}" for name, version in sorted(bulletin.versions.items()))
        lines += [f"Table versions read: {markdown(read)}", ""]
    return "\n".join(lines)


def _md_table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """A Markdown table."""
    return [
        f"| {' | '.join(columns)} |",
        f"|{'---|' * len(columns)}",
        *(f"| {' | '.join(markdown(cell) for cell in row)} |" for row in rows),
    ]


# ---------------------------------------------------------------------------- JSON


def _json(bulletin: Bulletin, _: Charts | None) -> str:
    """Every field of the bulletin; NaN becomes null, dates become ISO text."""
    return (
        json.dumps(_plain(asdict(bulletin)), ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
        + "\n"
    )


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON values are of any type
    """A value that JSON knows; lone surrogates, which UTF-8 does not know, become marks."""
    if isinstance(value, dict):
        return {_plain(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    return value if value is None or isinstance(value, bool | int) else value.isoformat()


FORMATS: dict[str, Callable[[Bulletin, Charts | None], str]] = {"html": _html, "md": _md, "json": _json}
