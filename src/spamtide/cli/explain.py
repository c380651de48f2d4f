"""The command `spamtide explain`."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from spamtide.cli.face import FACE, show
from spamtide.errors import UsageError

MIN_PREFIX = 6
"""Fewest hexadecimal digits that are taken for a message."""


def explain(
    what: Annotated[
        str, typer.Argument(metavar="SHA256", help="A message, or the first digits of it; or a campaign.")
    ],
    why_not: Annotated[
        str | None, typer.Option("--why-not", metavar="NAME", help="Also: why it is not this one's.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the evidence for and against what is said of one message or campaign.

    Examples: `spamtide explain 3fa9c1d2` · `spamtide explain 3fa9c1d2 --why-not cutwail` ·
    `spamtide explain c-4k2m9q`
    """
    from spamtide.inquiry import explanation

    observatory = FACE.observatory()
    wanted = what.strip().lower()
    told: dict[str, Any]
    if wanted.startswith("c-"):
        told = explanation.campaign(observatory, wanted, why_not)
    elif len(wanted) < MIN_PREFIX or any(c not in "0123456789abcdef" for c in wanted):
        message = f"'{what}' is no SHA-256 or beginning of one"
        raise UsageError(message, f"give at least {MIN_PREFIX} hexadecimal digits, or a campaign's name")
    else:
        told = explanation.message(observatory, wanted, why_not)
    if as_json:
        print(json.dumps(told, indent=2, sort_keys=True))
    else:
        show("\n".join(told["lines"]), wrap=False)
