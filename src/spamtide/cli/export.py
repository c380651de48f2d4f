"""The command `spamtide export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spamtide.cli.face import FACE, output
from spamtide.errors import UsageError


def export(
    table: Annotated[
        str,
        typer.Argument(
            metavar="TABLE", help="observations, series, changes, alarms, campaigns, sensors or claims."
        ),
    ],
    file_format: Annotated[str | None, typer.Option("--format", help="ndjson, csv or parquet.")] = None,
    out: Annotated[Path | None, typer.Option("-o", metavar="FILE", help="Where to; default: stdout.")] = None,
    since: Annotated[str | None, typer.Option(metavar="DATE", help="From this day or time (UTC).")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="To the end of this day.")] = None,
    botnet: Annotated[str | None, typer.Option(help="Only this botnet.")] = None,
    programme: Annotated[str | None, typer.Option(help="Only this programme.")] = None,
    sensor: Annotated[str | None, typer.Option(help="Only this sensor.")] = None,
    campaign: Annotated[str | None, typer.Option(help="Only this campaign.")] = None,
    engine: Annotated[str | None, typer.Option(help="Only mail of this unknown engine.")] = None,
    label: Annotated[
        str | None, typer.Option(help="Of observations: wild (spam that no lab sent), lab or ham.")
    ] = None,
    hourly: Annotated[
        bool, typer.Option("--hourly", help="With series: the last weeks, hour by hour.")
    ] = False,
    spreadsheet: Annotated[
        bool,
        typer.Option(
            "--spreadsheet", help="With csv: for a spreadsheet program, which then runs no cell as a formula."
        ),
    ] = False,
) -> None:
    """Write a table for other programs.

    Examples: `spamtide export changes` · `spamtide export observations --botnet rustock --since 2010-09-20` ·
    `spamtide export series -o series.parquet` · `spamtide export series --hourly --since 2010-09-20` ·
    `spamtide export campaigns --spreadsheet -o campaigns.csv`
    """
    from spamtide import api
    from spamtide.export import FORMATS, write_table
    from spamtide.export.table import peek

    suffix = out.suffix.lstrip(".").lower() if out else ""
    chosen = file_format or (suffix if suffix in FORMATS else "csv" if spreadsheet else "ndjson")
    if chosen not in FORMATS:
        message = f"no export format '{chosen}'"
        raise UsageError(message, f"formats: {', '.join(FORMATS)}")
    if spreadsheet and chosen != "csv":
        message = f"--spreadsheet is of csv, not of {chosen}"
        raise UsageError(message)
    if hourly and table != "series":
        message = f"--hourly is of series, not of {table}"
        raise UsageError(message)
    filters = {
        "botnet": botnet,
        "programme": programme,
        "sensor": sensor,
        "campaign": campaign,
        "engine": engine,
        "label": label,
    }
    batches = api.Reading(FACE.observatory()).batches(
        "hours" if hourly else table, since=since, until=until, **filters
    )
    schema, whole = peek(batches)
    with output(out) as stream:
        written = write_table(whole, schema, chosen, stream, spreadsheet=spreadsheet)
    if out is not None:
        FACE.console.print(f"{written.rows:,} rows to {out}")
    elif not written.rows:
        FACE.console.print("no rows")
    if written.formulas and not spreadsheet:
        begin = "cell begins" if written.formulas == 1 else "cells begin"
        FACE.console.print(
            f"{written.formulas:,} {begin} like a formula: for a spreadsheet program, add --spreadsheet"
        )
