"""Checks of control servers in an observatory: import lists, make own checks, say what is alive."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from spamtide.control import Server, control_states, probe, read_list, servers, targets
from spamtide.control.probe import SOURCE
from spamtide.errors import UsageError
from spamtide.knowledge import Knowledge
from spamtide.observatory import Observatory
from spamtide.rows import to_arrow
from spamtide.schema import CHECKS
from spamtide.statement import Check, ControlState
from spamtide.store import Lake, rollup, writer_lock


def import_lists(observatory: Observatory, paths: Sequence[Path], at: dt.datetime | None) -> int:
    """Read lists of checks into the lake; the same check again stores nothing.

    Returns:
        How many checks were new.

    Raises:
        NoInputError: a list cannot be read.
        SettingsError: a line of a list is wrong; nothing of any list was stored.
    """
    return _store(observatory, [check for path in paths for check in read_list(path, at)])


def check_own(observatory: Observatory, on_check: Callable[[Check], None] = lambda _: None) -> int:
    """Make one check of each host that the settings list, slowly; each is stored before the next is made.

    Raises:
        UsageError: the settings list no host.
        SettingsError: a listed host is not written as 'host:port family'.
    """
    settings = observatory.settings.controlling
    wanted = targets(settings)
    if not wanted:
        message = "no host is listed to be checked"
        raise UsageError(
            message, "list your own in spamtide.toml: [controlling] hosts = ['host:port family']"
        )
    last: dict[tuple[str, int], dt.datetime] = {}
    for check in read_checks(observatory.lake):
        if check.source == SOURCE:
            last[check.host, check.port] = max(check.at, last.get((check.host, check.port), check.at))
    made = 0
    for check in probe(wanted, settings, last):
        made += _store(observatory, [check])
        on_check(check)
    return made


def _store(observatory: Observatory, checks: Iterable[Check]) -> int:
    """Add the checks that are new."""
    rows = pa.Table.from_batches([to_arrow(list(checks), CHECKS)])
    with writer_lock(observatory.directory / "lake"):
        new = rollup.new_checks(observatory.lake, rows)
        if new.num_rows:
            observatory.lake.append("checks", new.select(CHECKS.names).cast(CHECKS))
            observatory.lake.compact("checks")
    return int(new.num_rows)


def read_checks(lake: Lake) -> tuple[Check, ...]:
    """The checks table as records."""
    return tuple(Check(**row) for row in lake.read("checks").to_pylist())


def assessed(observatory: Observatory, until: dt.date | None = None) -> tuple[Server, ...]:
    """Every server with its P(alive) at the end of a day; None: of the day of the last check."""
    checks = read_checks(observatory.lake)
    if not checks:
        return ()
    return servers(checks, until or max(check.at for check in checks).date())


def states(
    lake: Lake, knowledge: Knowledge, subjects: Iterable[str], until: dt.date
) -> Mapping[str, ControlState]:
    """What the checks say of each of some botnets; a list's name for one may be any of its aliases."""
    checks = read_checks(lake)
    if not checks:
        return {}
    ours = {knowledge.canonical(subject).casefold(): subject for subject in subjects}
    return control_states(
        checks, until, lambda family: ours.get(knowledge.canonical(family).casefold(), family)
    )
