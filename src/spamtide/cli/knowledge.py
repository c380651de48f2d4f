"""Commands that ask the knowledge graph and the rules: `spamtide who`, `spamtide signatures`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from spamtide.cli.face import FACE, show
from spamtide.errors import BadDataError, UsageError

app = typer.Typer(
    no_args_is_help=True,
    help="Look after the rules: how old they are, whether a new one is good, what it would have changed.",
)


def who(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Nothing: list all names.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print what is publicly known of a botnet, programme, brand or operator, and who says so.

    Works without an observatory too, from the shipped facts.

    Examples: `spamtide who cutwail` · `spamtide who "Canadian Pharmacy" --json`
    """
    from spamtide.inquiry import who as lookup

    observatory = FACE.observatory_if_any()
    told = lookup.who(name, observatory) if name else lookup.everybody(observatory)
    if as_json:
        print(json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False))
    elif name:
        show("\n".join(lookup.lines(told)), wrap=False)
    else:
        show(lookup.table(told), wrap=False)


@app.command(name="list")
def list_(
    state: Annotated[
        str | None, typer.Option(help="Only these: live, stale, expired, untried, 'never hit' or 'not yet'.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List every rule with its dates, its hits, the day of the last one, and whether it is stale.

    Example: `spamtide signatures list --state stale`
    """
    from spamtide.attribution.review import STATES
    from spamtide.inquiry import rulebook

    if state is not None and state not in STATES:
        message = f"no rule is ever '{state}'"
        raise UsageError(message, f"states: {', '.join(STATES)}")
    rules = [one for one in rulebook.listed(FACE.observatory()) if state in {None, one["state"]}]
    if as_json:
        print(json.dumps(rules, indent=2, sort_keys=True))
    else:
        show(rulebook.list_table(rules), wrap=False)


@app.command()
def check(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Default: all in signatures/.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 65 on any complaint.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Try rules on the stored mail: false hits on ham, overlap with other names, cost.

    A rule of over 60 % confidence that would name two legitimate messages, and over one in a thousand, is
    wrong: exit 65.

    Examples: `spamtide signatures check maple.yar` · `spamtide signatures check --strict`
    """
    from spamtide.inquiry import rulebook

    told = rulebook.checked(FACE.observatory(), files or [])
    _print(told, rulebook.check_lines, as_json=as_json)
    complaints = [text for one in (*told["files"], *told["rules"]) for text in one["complaints"]]
    wrong = [one["rule"] for one in told["rules"] if one["wrong"]]
    if wrong:
        message = f"{', '.join(wrong)}: would name legitimate mail"
        raise BadDataError(message, "see the lines with '!'")
    if strict and complaints:
        message = f"{len(complaints)} {'complaint' if len(complaints) == 1 else 'complaints'}"
        raise BadDataError(message)


@app.command()
def hunt(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Signature files.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run new rules over all stored mail and show what they would have changed; nothing is written.

    Example: `spamtide signatures hunt maple.yar`
    """
    from spamtide.inquiry import rulebook

    with FACE.console.status("matching ...") as spinner:
        told = rulebook.hunt(
            FACE.observatory(), files, lambda done: spinner.update(f"matching ... {done:,} messages")
        )
    _print(told, rulebook.hunt_lines, as_json=as_json)


def _print(told: dict[str, Any], lines: Callable[[dict[str, Any]], list[str]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(told, indent=2, sort_keys=True))
    else:
        show("\n".join(lines(told)), wrap=False)
