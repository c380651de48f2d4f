"""The command that measures the measuring: `spamtide calibrate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from spamtide.cli.face import FACE, show
from spamtide.errors import BadDataError, UsageError


def calibrate(
    quick: Annotated[bool, typer.Option("--quick", help="Few worlds: minutes, and wide errors.")] = False,
    worlds: Annotated[int | None, typer.Option(help="Made-up observatories of the largest study.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same observatories.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    out: Annotated[
        Path | None, typer.Option("-o", metavar="FILE", help="Write the table as Markdown.")
    ] = None,
) -> None:
    """Measure on made-up observatories whether dates, intervals and alarms are as sure as they claim.

    Examples: `spamtide calibrate --quick` · `spamtide calibrate -o docs/calibration.md`
    """
    from spamtide import calibration
    from spamtide.progress import study_bar

    number = worlds if worlds is not None else calibration.QUICK_WORLDS if quick else calibration.WORLDS
    if number < 1:
        message = "--worlds is 1 or more"
        raise UsageError(message)
    with study_bar(FACE.console, enabled=not FACE.quiet) as on_study:
        rows = calibration.calibrate(number, seed, on_study)
    if as_json:
        print(json.dumps(calibration.as_json(rows, number, seed), indent=2))
    elif out is None:
        show(calibration.as_table(rows))
    if out is not None:
        try:
            out.write_text(calibration.as_page(rows, number, seed), encoding="utf-8")
        except OSError as error:
            message = f"cannot write {out}: {error.strerror}"
            raise BadDataError(message) from error
