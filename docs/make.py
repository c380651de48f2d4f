"""Make the generated pages: docs/cli.md and docs/settings.md. `--check` fails when one is out of date."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import sys
from pathlib import Path

import typer.main
from typer.testing import CliRunner

from spamtide import settings
from spamtide.cli import app

DOCS = Path(__file__).resolve().parent
WIDTH = 100


def cli_page() -> str:
    """Every command's own help."""
    runner = CliRunner()
    command = typer.main.get_command(app)
    names: list[list[str]] = [[]]
    for name, one in command.commands.items():  # type: ignore[attr-defined]  # a group has commands
        names += [[name], *([name, below] for below in getattr(one, "commands", {}))]
    parts = ["# Command line", "", "Made by `make docs` from the program's own help."]
    environment = {"COLUMNS": str(WIDTH), "TERM": "dumb", "NO_COLOR": "1"}
    for name in names:
        told = runner.invoke(app, [*name, "--help"], env=environment, prog_name="spamtide").output
        lines = "\n".join(line.rstrip() for line in told.splitlines()).strip("\n")
        parts += ["", f"## spamtide {' '.join(name)}".rstrip(), "", "```text", lines, "```"]
    return "\n".join(parts) + "\n"


def settings_page() -> str:
    """Every setting with its default and meaning, from the records' field docstrings."""
    parts = [
        "# Settings",
        "",
        "All of `spamtide.toml`; every setting has a default, and a key that Spamtide does not know is an",
        "error that names its line. Made by `make docs` from `settings.py`.",
    ]
    for field in dataclasses.fields(settings.Settings):
        default = getattr(settings.Settings(), field.name)
        if not dataclasses.is_dataclass(default):
            parts += ["", f"`{field.name}` = `{default!r}`: the observatory's name in reports."]
            continue
        record = type(default)
        parts += [
            "",
            f"## [{field.name}]",
            "",
            inspect.getdoc(record) or "",
            "",
            "| key | default | meaning |",
        ]
        parts.append("|---|---|---|")
        words = field_words(record)
        for one in dataclasses.fields(record):
            value = getattr(default, one.name)
            shown = list(value) if isinstance(value, tuple) else value
            most = f" At most {settings.MOST[one.name]:g}." if one.name in settings.MOST else ""
            parts.append(f"| `{one.name}` | `{shown!r}` | {words.get(one.name, '')}{most} |")
    return "\n".join(parts) + "\n"


def field_words(record: type) -> dict[str, str]:
    """The docstring under each field of a record."""
    body = ast.parse(inspect.getsource(record)).body[0]
    if not isinstance(body, ast.ClassDef):
        return {}
    words = {}
    for before, after in zip(body.body, body.body[1:], strict=False):
        told = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        if told and isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name):
            words[before.target.id] = " ".join(str(after.value.value).split())
    return words


PAGES = {"cli.md": cli_page, "settings.md": settings_page}


def main() -> int:
    """Write the pages, or check them."""
    stale = []
    for name, make in PAGES.items():
        text, path = make(), DOCS / name
        if "--check" in sys.argv[1:]:
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                stale.append(name)
        else:
            path.write_text(text, encoding="utf-8")
    if stale:
        print(f"out of date, run `make docs`: {', '.join(stale)}", file=sys.stderr)
    return len(stale)


if __name__ == "__main__":
    sys.exit(main())
