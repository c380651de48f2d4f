"""The command line: options in, exit codes out. Data goes to stdout, everything else to stderr.

Exit codes are those of sysexits.h, and this is the one place where errors become them (`run`).
"""

from __future__ import annotations

import errno
import json
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from spamtide.cli import calibrate, evaluate, explain, export, ingest, knowledge
from spamtide.cli.face import FACE, complain, output, show
from spamtide.errors import SpamtideError, UsageError
from spamtide.version import VERSION

app = typer.Typer(
    invoke_without_command=True,
    add_completion=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="An open spam observatory: dated, evidenced statements from the spam somebody receives.",
)

EX_USAGE, EX_UNAVAILABLE, EX_SOFTWARE, EX_TRY_AGAIN, EX_INTERRUPTED = 64, 69, 70, 75, 130
BULLETIN_SUFFIXES = {".html": "html", ".htm": "html", ".md": "md", ".markdown": "md", ".json": "json"}


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit code."""
    try:
        code = app(list(arguments), standalone_mode=False, prog_name="spamtide")
        return _left(code if isinstance(code, int) else 0)  # typer gives the code of an Exit back as a value
    except typer.Exit as leaving:
        return _left(leaving.exit_code)
    except (BrokenPipeError, SystemExit):  # click makes the second of the first
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the last flush fails once more
    except BaseException as error:  # noqa: BLE001 - each becomes one line and an exit code
        message, advice, code = _told(error)
        if code == EX_SOFTWARE and FACE.verbose:
            traceback.print_exc()
        complain(f"spamtide: {message}" + (f" ({advice})" if advice else ""))
        return code
    return 0


def _left(code: int) -> int:
    """The exit code of a command that ended by itself; typer makes a Ctrl-C one of these."""
    if code == EX_INTERRUPTED:
        message, advice, _ = _STOPPED
        complain(f"spamtide: {message} ({advice})")
    return code


_STOPPED = ("stopped", "nothing is left half done: run the same command again", EX_INTERRUPTED)
_NO_ROOM = ("no room on the disk", "make room, then run the same command again", EX_TRY_AGAIN)


def _told(error: BaseException) -> tuple[str, str, int]:
    """What to say of an error, what to do about it, and its exit code."""
    if isinstance(error, SpamtideError):
        return error.message, error.advice, error.exit_code
    if isinstance(error, typer.Abort | KeyboardInterrupt):
        return _STOPPED
    if isinstance(error, typer.TyperException):
        help_ = "see `spamtide --help`"  # of a group that was given no command, help was printed already
        return error.format_message() or "no command", help_, EX_USAGE
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return _NO_ROOM
    if isinstance(error, OSError) and error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"{error.filename or 'a file'}: {error.strerror}", "", EX_UNAVAILABLE
    advice = "a defect of Spamtide; run again with -v to see where"
    return f"{type(error).__name__}: {error}", advice, EX_SOFTWARE


@app.callback()
def globals_(
    context: typer.Context,
    directory: Annotated[
        Path, typer.Option("-C", metavar="DIR", help="The observatory; as in git. Default: this directory.")
    ] = Path(),
    verbose: Annotated[int, typer.Option("-v", "--verbose", count=True, help="Say more.")] = 0,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing but errors.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    """Take the global options."""
    FACE.directory, FACE.verbose, FACE.quiet = directory, verbose, quiet
    if version:
        print(f"spamtide {VERSION}")
        raise typer.Exit(0)
    if context.invoked_subcommand is None:
        context.get_help()  # prints by itself
        raise typer.Exit(EX_USAGE)


# ---------------------------------------------------------------------------- make and fill


@app.command()
def init(directory: Annotated[Path | None, typer.Argument(metavar="[DIR]")] = None) -> None:
    """Make an observatory; what is there already stays as it is.

    Example: `spamtide init my-observatory`
    """
    from spamtide.observatory import init_observatory

    made = init_observatory(directory or FACE.directory)
    FACE.console.print(f"An observatory at {made.directory}. Next: spamtide -C {made.directory} ingest PATH")


@app.command()
def control(
    lists: Annotated[
        list[Path] | None, typer.Argument(metavar="[LIST]...", help="Lists of checks to import (CSV).")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Check the hosts that spamtide.toml lists; no others.")
    ] = False,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="When a list was made that does not say so.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Import checks of control servers, and say which servers are probably alive.

    A list has the columns host, port, family, time, alive and, if you like, source; Feodo Tracker's CSV is
    read as it is. Nothing is ever contacted but hosts that you list yourself, and those only with --check.

    Examples: `spamtide control ipblocklist.csv` · `spamtide control --check` · `spamtide control --json`
    """
    from spamtide import servers
    from spamtide.api import parse_moment
    from spamtide.inquiry import reading

    observatory = FACE.observatory(make=bool(lists))
    if lists:
        new = servers.import_lists(observatory, lists, parse_moment(at, "at") if at else None)
        FACE.console.print(f"{new:,} new checks")
    if check:
        made = servers.check_own(
            observatory, lambda c: FACE.console.print(f"{c.host}:{c.port} {'up' if c.alive else 'down'}")
        )
        FACE.console.print(f"{made:,} checks made")
    if as_json:
        print(json.dumps(reading.control(observatory), indent=2, sort_keys=True))
    elif not (lists or check):
        table = reading.control_table(observatory)
        if table.row_count:
            show(table)
        else:
            FACE.console.print("no control server was checked yet; `spamtide control LIST` imports checks")


@app.command()
def learn(
    family: Annotated[list[str] | None, typer.Argument(metavar="[FAMILY]...", help="Only these.")] = None,
) -> None:
    """Turn lab captures into signatures that a person can read, in signatures/learned-FAMILY.yar.

    Example: `spamtide ingest --lab cutwail lab.mbox && spamtide learn && spamtide update`
    """
    from spamtide import pipeline

    observatory = FACE.observatory()
    for written in pipeline.learn_signatures(observatory, tuple(family or ())):
        FACE.console.print(written)


@app.command()
def update() -> None:
    """Cluster, attribute, measure and detect over everything in the lake.

    Example: `spamtide -C my-observatory update`
    """
    from spamtide import pipeline
    from spamtide.progress import stage_lines

    with stage_lines(FACE.console) as on_stage:
        pipeline.update(FACE.observatory(), on_stage)


# ---------------------------------------------------------------------------- read


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say what is known of every botnet and sensor at the end of the period.

    Example: `spamtide status --json`
    """
    from spamtide.inquiry import reading

    told = reading.status(FACE.observatory())
    if as_json:
        print(json.dumps(told, indent=2, sort_keys=True))
    else:
        show(reading.status_tables(told))


@app.command()
def bulletin(
    since: Annotated[str | None, typer.Option(metavar="DATE", help="First day (ISO 8601, UTC).")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Last day.")] = None,
    file_format: Annotated[str | None, typer.Option("--format", help="html, md or json.")] = None,
    out: Annotated[Path | None, typer.Option("-o", metavar="FILE", help="Where to; default: stdout.")] = None,
) -> None:
    """Compose the bulletin from claims: what changed, when, how surely, and what stayed the same.

    Examples: `spamtide bulletin -o bulletin.html` · `spamtide bulletin --since 2010-09-16 --format md`
    """
    from spamtide.inquiry import reading

    chosen = file_format or (BULLETIN_SUFFIXES.get(out.suffix.lower(), "") if out else "md")
    if chosen not in BULLETIN_SUFFIXES.values():
        message = f"no bulletin format '{chosen}'" if chosen else f"the name {out} tells no bulletin format"
        raise UsageError(message, "name one with --format html, md or json")
    text = reading.bulletin(FACE.observatory(), since, until, chosen)
    with output(out) as stream:
        stream.write(text.encode())


# ---------------------------------------------------------------------------- try and check


@app.command()
def simulate(
    world: Annotated[str, typer.Argument(metavar="WORLD", help="autumn-2010, quiet ...; 'list' names them.")],
    out: Annotated[Path | None, typer.Option("-o", metavar="DIR", help="Where to.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same world.")] = 2010,
    scale: Annotated[float, typer.Option(help="Volume, 1 is the demo's.")] = 1.0,
) -> None:
    """Write the mail of a made-up world whose truth is known, to files only.

    Example: `spamtide simulate autumn-2010 -o world`
    """
    from spamtide.simulate import WORLDS
    from spamtide.simulate import simulate as make

    if world == "list":
        for name in WORLDS:
            print(name)
        return
    if world not in WORLDS:
        message = f"no world '{world}'"
        raise UsageError(message, f"worlds: {', '.join(WORLDS)}")
    if out is None:
        message = "simulate wants a folder to write to"
        raise UsageError(message, "name it with -o DIR")
    make(world, out, seed=seed, scale=scale)
    FACE.console.print(f"World '{world}' (simulated) in {out}; its truth is in {out / 'truth.json'}")


@app.command()
def demo(
    directory: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to.")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="The same seed makes the same world.")] = 2010,
    world: Annotated[
        str, typer.Option(help="Another shipped world; `spamtide simulate list` names them.")
    ] = "autumn-2010",
) -> None:
    """Simulate a world, run the whole path over it, and write its bulletin.

    Examples: `spamtide demo`, `spamtide demo replay --world rustock-takedown-2011`
    """
    from spamtide.demo import run_demo

    run_demo(directory, seed, FACE.console, world)


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check the installation and the observatory, and say what to do.

    Example: `spamtide -C my-observatory doctor`
    """
    from spamtide.inquiry.doctor import examine

    worst = 0
    checks = []
    for check in examine(FACE.directory):
        if as_json:
            checks.append({"verdict": check.verdict, "what": check.what, "finding": check.finding})
        else:
            print(f"{check.verdict:5} {check.what}: {check.finding}")
        worst = max(worst, check.exit_code)
    if as_json:
        print(json.dumps(checks, indent=2))
    if worst:
        raise typer.Exit(worst)


app.command()(ingest.ingest)
app.command()(explain.explain)
app.command()(knowledge.who)
app.command()(export.export)
app.command()(evaluate.evaluate)
app.command()(calibrate.calibrate)
app.add_typer(knowledge.app, name="signatures")
COMMANDS = (
    *("init", "ingest", "learn", "update", "status", "bulletin", "explain", "who", "export", "control"),
    *("evaluate", "calibrate", "simulate", "demo", "doctor"),
)
"""In the order of use, which is that of `--help`."""
app.registered_commands.sort(key=lambda command: COMMANDS.index(getattr(command.callback, "__name__", "")))
