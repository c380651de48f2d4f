"""What a person asks of an observatory: its status, its control servers, a bulletin."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table

from spamtide import pipeline
from spamtide.api import parse_moment
from spamtide.bulletin import ChartInputs, Edition, charts, compose, render
from spamtide.engine import Apart
from spamtide.errors import BadDataError, UnavailableError
from spamtide.finding import dormancies
from spamtide.model import Measurement
from spamtide.observatory import Observatory
from spamtide.plain import plain
from spamtide.series import measure, without_last_day
from spamtide.servers import assessed
from spamtide.store import panels, rollup
from spamtide.store.clocks import explained


def measured(observatory: Observatory) -> Measurement:
    """The measurement of what `update` last attributed.

    Raises:
        UnavailableError: `update` has not run yet.
    """
    if not observatory.lake.exists("changes"):
        message = "nothing is measured yet"
        raise UnavailableError(message, "run `spamtide update` first")
    found = measure(panels.panel(observatory.lake), observatory.settings.measuring, _each(observatory))
    found = explained(observatory.lake, found)
    days = found.panel.days
    open_day = len(days) > 0 and panels.is_open(observatory.lake, days[-1].astype(dt.date))
    return without_last_day(found) if open_day else found


def _each(observatory: Observatory) -> Apart:
    """How subjects are looked at: as in `update`."""
    return Apart(observatory.settings.running.workers)


def bulletin(observatory: Observatory, since: str | None, until: str | None, file_format: str) -> str:
    """The bulletin of a period as text; the same from the same table versions, to the byte."""
    measurement = measured(observatory)
    days = _day(since, "since"), _day(until, "until")
    said = pipeline.findings(observatory, measurement, *days, _each(observatory))
    composed = compose(
        said.findings.claims,
        said.findings.statuses,
        _edition(observatory, said),
        said.findings.unattributed,
    )
    drawn = charts(_chart_inputs(said)) if file_format == "html" else None
    return render(composed, file_format, drawn)


def _edition(observatory: Observatory, said: pipeline.Said) -> Edition:
    """What the bulletin says of itself."""
    panel, span = said.inputs.measurement.panel, said.inputs.period
    inside = (panel.days >= np.datetime64(span.since)) & (panel.days <= np.datetime64(span.until))
    by_sensor = panel.counts[0][:, inside].sum(axis=1) if len(panel.days) else np.zeros(0)
    return Edition(
        since=span.since,
        until=span.until,
        sensors=int((by_sensor > 0).sum()),
        messages=int(by_sensor.sum()),
        simulated=said.inputs.totals.simulated,
        versions=observatory.lake.versions(),
    )


def _chart_inputs(said: pipeline.Said) -> ChartInputs:
    """What the charts show."""
    inputs = said.inputs
    return ChartInputs(
        measurement=inputs.measurement,
        changes=inputs.changes,
        contributions=said.findings.parts,
        names_lost=said.findings.names_lost,
        window=(inputs.period.since, inputs.period.until),
        before=inputs.period.before,
        after=inputs.period.after,
        names={status.botnet: status.name for status in said.findings.statuses},
        events=tuple((event.date_start, f"{event.subject}: {event.summary}") for event in inputs.events),
    )


ENGINES = 8
"""Unknown engines that the status shows."""


def status(observatory: Observatory) -> dict[str, Any]:
    """Totals, botnets and sensors as plain values."""
    lake = observatory.lake
    told: dict[str, Any] = {"name": observatory.settings.name, "totals": rollup.totals(lake)}
    told["versions"] = lake.versions()
    told["quarantine"] = rollup.quarantine_reasons(lake)
    told["sensors"] = plain(lake.read("sensors").to_pylist())
    told["botnets"] = []
    told["engines"] = plain(rollup.engines(lake, ENGINES))
    told["alarms"] = plain(lake.read("alarms").to_pylist()) if lake.exists("alarms") else []
    if lake.exists("changes"):
        try:
            said = pipeline.findings(observatory, measured(observatory), None, None, _each(observatory))
        except BadDataError:
            return told
        told["period"] = [said.inputs.period.since.isoformat(), said.inputs.period.until.isoformat()]
        told["botnets"] = plain(said.findings.statuses)
        record = dormancies(said.inputs.events, said.inputs.period.until)
        told["silences"] = plain(record)
    return told


def _compact(title: str) -> Table:
    """A table without lines between its columns, so that it fits a narrow terminal."""
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)


def status_tables(told: dict[str, Any]) -> Group:
    """The status as tables for a terminal."""
    botnets = _compact("Botnets")
    for column in ("botnet", "state", "points", "seen at", "last seen", "lab", "servers"):
        botnets.add_column(column, no_wrap=column != "state")
    for one in told["botnets"]:
        control = one["control"]
        botnets.add_row(
            one["botnet"],
            one["state"],
            f"{one['level']:.1f}",
            f"{one['residual_sensors']}/{one['sensors']}",
            str(one["last_seen"] or "-"),
            str(one["lab_last_seen"] or "-"),
            f"{control['answered']}/{control['checks']}" if control else "-",
        )
    alarms = _compact("Alarms: may be changes, not sure yet")
    for column in ("kind", "subject", "since", "ratio", "confidence"):
        alarms.add_column(column, no_wrap=True)
    for one in told["alarms"]:
        ratio = "-" if one["ratio"] is None else f"{one['ratio']:.2f}"
        alarms.add_row(one["kind"], one["subject"], str(one["onset"]), ratio, f"{one['confidence']:.2f}")
    engines = _compact("Unknown engines")
    for column in ("engine", "messages", "sources", "first seen", "last seen"):
        engines.add_column(column, no_wrap=True)
    for one in told["engines"]:
        engines.add_row(
            *(str(one[name]) for name in ("engine", "messages", "sources", "first_seen", "last_seen"))
        )
    sensors = Table(title="Sensors", title_justify="left")
    for column in ("sensor", "first seen", "last seen", "spam", "ham"):
        sensors.add_column(column)
    for one in told["sensors"]:
        days = [str(one[name] or "-")[:10] for name in ("first_seen", "last_seen")]
        sensors.add_row(one["sensor"], *days, f"{one['messages']:,}", f"{one['ham']:,}")
    tables = [table for table in (botnets, alarms, engines, sensors) if table.row_count]
    return Group(_headline(told), *tables)


def _headline(told: dict[str, Any]) -> str:
    """How much mail there is, and why no botnet is listed where none is."""
    totals = told["totals"]
    head = ", ".join(f"{count:,} {name}" for name, count in totals.items() if count and name != "simulated")
    line = f"{told['name']}: {head or 'no mail yet'}"
    if totals["simulated"]:
        line = f"SIMULATED: {totals['simulated']:,} of these messages were made up.\n{line}"
    if head and not totals["wild"]:
        return f"{line}\nVolumes are of spam of the wild, and none was read yet: `spamtide ingest` does it."
    if head and "period" not in told:
        return f"{line}\nNothing is measured yet: `spamtide update` does it."
    if head and not told["botnets"]:
        return f"{line}\nNo mail carries the traits of a botnet that is known here."
    return line


def control(observatory: Observatory) -> list[dict[str, Any]]:
    """Every control server that was checked, as plain values."""
    found: list[dict[str, Any]] = plain(assessed(observatory))
    return found


def control_table(observatory: Observatory) -> Table:
    """Every control server that was checked, as a table for a terminal."""
    table = _compact("Control servers")
    for column in ("family", "host", "port", "7 days", "last check", "P(alive)"):
        table.add_column(column, no_wrap=column != "host")
    for one in assessed(observatory):
        cells = [one.family, one.host, str(one.port or "-"), f"{one.answered}/{one.checks}"]
        table.add_row(*cells, f"{one.last_check:%Y-%m-%d %H:%M}", f"{one.alive:.3f}")
    return table


def _day(text: str | None, name: str) -> dt.date | None:
    """A day from an option."""
    return parse_moment(text, name).date() if text else None
