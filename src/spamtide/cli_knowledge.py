"""Commands that ask the knowledge graph and the rules: `spamtide who`, `spamtide signatures`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from spamtide.errors import BadDataError

app = typer.Typer(
    no_args_is_help=True,
    help="Look after the rules: how old they are, whether a new one is good, what it would have changed.",
)


def who(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Nothing: list all names.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print what is publicly known of a botnet, programme, brand or operator, and who says so.

    Works without an observatory too, from the shipped facts.

    Examples: `spamtide who cutwail` · `spamtide who "Canadian Pharmacy" --json`
    """
    from spamtide import who as lookup
    from spamtide.errors import UnavailableError

    try:
        observatory = _observatory(context)
    except UnavailableError:
        observatory = None
    told = lookup.who(name, observatory) if name else lookup.everybody(observatory)
    if as_json:
        print(json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False))
    elif name:
        Console(highlight=False, soft_wrap=True).print("\n".join(lookup.lines(told)), markup=False)
    else:
        Console(highlight=False, soft_wrap=True).print(lookup.table(told))


@app.command(name="list")
def list_(
    context: typer.Context,
    state: Annotated[str | None, typer.Option(help="Only these: live, stale, 'never hit' ...")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List every rule with its dates, its hits, the day of the last one, and whether it is stale.

    Example: `spamtide signatures list --state stale`
    """
    from spamtide import rulebook

    rules = [one for one in rulebook.listed(_observatory(context)) if state in {None, one["state"]}]
    if as_json:
        print(json.dumps(rules, indent=2, sort_keys=True))
    else:
        Console(highlight=False, soft_wrap=True).print(rulebook.list_table(rules))


@app.command()
def check(
    context: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Default: all in signatures/.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 65 when there is a complaint.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Try rules on the stored mail: false hits on ham, overlap with other names, cost.

    Examples: `spamtide signatures check maple.yar` · `spamtide signatures check --strict`
    """
    from spamtide import rulebook

    told = rulebook.checked(_observatory(context), files or [])
    _print(told, rulebook.check_lines, as_json=as_json)
    complaints = [text for one in (*told["files"], *told["rules"]) for text in one["complaints"]]
    if strict and complaints:
        message = f"{len(complaints)} complaints"
        raise BadDataError(message)


@app.command()
def hunt(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Signature files.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run new rules over all stored mail and show what they would have changed; nothing is written.

    Example: `spamtide signatures hunt maple.yar`
    """
    from spamtide import rulebook

    console = context.obj["console"]
    with console.status("matching ...") as spinner:
        told = rulebook.hunt(
            _observatory(context), files, lambda done: spinner.update(f"matching ... {done:,} messages")
        )
    _print(told, rulebook.hunt_lines, as_json=as_json)


def _print(told: dict[str, Any], lines: Callable[[dict[str, Any]], list[str]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(told, indent=2, sort_keys=True))
    else:
        Console(highlight=False, soft_wrap=True).print("\n".join(lines(told)), markup=False)


def _observatory(context: typer.Context) -> Any:
    return context.obj["observatory"]()
