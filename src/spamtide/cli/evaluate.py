"""The command `spamtide evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from spamtide.cli.face import FACE


def evaluate(
    corpora: Annotated[
        Path | None, typer.Option(help="Folder of public collections, for real legitimate mail.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulated worlds.")] = 2010,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print how often attribution is right, with 95 % intervals by campaign.

    With an observatory that holds lab mail, its own is measured: later mail by rules of earlier, and each
    family left out in turn. Else shipped worlds are simulated and go through the whole path (some minutes).

    Examples: `spamtide evaluate` · `spamtide -C DIR evaluate --json`
    """
    from spamtide import evaluation

    scores = evaluation.evaluate(
        FACE.observatory_if_any(), corpora=corpora, seed=seed, say=FACE.console.print
    )
    if as_json:
        print(json.dumps(evaluation.as_json(scores), indent=2))
    else:
        print(evaluation.as_markdown(scores), end="")
