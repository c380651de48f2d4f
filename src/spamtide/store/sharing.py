"""Evidence by what it shares: the few rows that new mail may move, and those that have a say in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import pyarrow as pa
import pyarrow.compute as pc

from spamtide.schema import CELLS, EVIDENCE, UNDATED
from spamtide.store.lake import Files, Lake

ASKED = ["sha256", "sensor", "week", "label", "lab", "received_at", "source_ip", "link_domains", "campaign",
         "rules"]  # fmt: skip
"""Columns of EVIDENCE that an answer is made from, and those that it is stored under."""
SHARED = ["label", "lab", "received_at", "source_ip", "link_domains", "campaign", "rules"]
"""Columns of what only has a say."""
KEY = pa.schema([("key", pa.string()), ("week", pa.int32())])
"""What is shared, and a week in which it is looked for."""
MARK = "\n"
"""Between names of rules that are grouped by: no name of a rule holds it."""
_NAMES = f"array_to_string(e.rules, '{chr(10)}')"
_CELL = f"coalesce(e.campaign, '') = c.campaign AND e.week = c.week AND coalesce({_NAMES}, '') = c.names"


def keys(rows: pa.Table, column: str, reach: int, without: Collection[str]) -> pa.Table:
    """KEY of the values in a column of text, or of lists of it, in all weeks within reach of the rows'.

    Args:
        rows: with `week`; those without a believable time share nothing.
        column: its name.
        reach: weeks on either side.
        without: values that say nothing.
    """
    dated = rows.filter(pc.not_equal(rows["week"], UNDATED)).select([column, "week"]).combine_chunks()
    values, week = dated[column], dated["week"]
    if pa.types.is_list(values.type):
        week = week.take(pc.list_parent_indices(values))
        values = pc.list_flatten(values)
    found = pa.table([values, week], schema=KEY)
    kept = pc.and_(pc.greater(pc.fill_null(pc.binary_length(found["key"]), 0), 0),
                   pc.invert(pc.is_in(found["key"], pa.array(sorted(without), pa.string()))))  # fmt: skip
    found = found.filter(kept).group_by(["key", "week"]).aggregate([])
    # What is there twice does no harm.
    return pa.concat_tables(
        pa.table([found["key"], pc.add(found["week"], pa.scalar(far, pa.int32()))], schema=KEY)
        for far in range(-reach, reach + 1)
    )


def by_address(lake: Lake, files: Files, wanted: pa.Table, columns: Iterable[str]) -> pa.Table:
    """Rows whose address is wanted (KEY) in their week; other columns than `columns` are left out."""
    if not wanted.num_rows:
        return _none(columns)
    return lake.query(
        f"""
        SELECT {_listed(columns)} FROM old e SEMI JOIN wanted k ON k.key = e.source_ip AND k.week = e.week
        WHERE e.week IN ({_weeks(wanted)})
        """,  # noqa: S608 - names of columns, and numbers
        old=files,
        wanted=wanted,
    )


def by_domain(lake: Lake, files: Files, wanted: pa.Table, columns: Iterable[str]) -> pa.Table:
    """Rows with a link domain that is wanted (KEY) in their week, once for each such; it is in `domain`."""
    if not wanted.num_rows:
        return _none(columns).append_column("domain", pa.array([], pa.string()))
    names = list(columns)
    return lake.query(
        f"""
        SELECT {_listed(names)}, e.domain
        FROM (SELECT {", ".join(dict.fromkeys([*names, "week"]))}, unnest(link_domains) AS domain FROM old
              WHERE week IN ({_weeks(wanted)})) e
        SEMI JOIN wanted k ON k.key = e.domain AND k.week = e.week
        """,  # noqa: S608 - names of columns, and numbers
        old=files,
        wanted=wanted,
    )


def cells(lake: Lake, mail: Files | pa.Table, weeks: Collection[int]) -> pa.Table:
    """CELLS of some weeks of mail."""
    if not weeks:
        return CELLS.empty_table()
    found = lake.query(
        f"""
        SELECT e.week, e.label, e.lab, date_trunc('day', e.received_at) AS received_at, e.campaign,
               coalesce({_NAMES}, '') AS names, count(*) AS n
        FROM old e WHERE e.week IN ({", ".join(map(str, sorted(weeks)))}) GROUP BY ALL
        """,  # noqa: S608 - numbers
        old=mail,
    )
    return found.cast(CELLS)


def known_cells(lake: Lake, version: int | None) -> tuple[pa.Table, int] | None:
    """CELLS that were kept at a version of the evidence, and their first week; None where none were."""
    note = lake.note("cells")
    if version is None or note.get("evidence") != version:
        return None
    return lake.read("cells"), int(note["first"])


def keep_cells(lake: Lake, rows: pa.Table, first: int) -> None:
    """Keep CELLS of all mail from a week on, so that the next update need count its new mail alone."""
    names = [name for name in CELLS.names if name != "n"]
    found = rows.filter(pc.greater_equal(rows["week"], first)).group_by(names).aggregate([("n", "sum")])
    found = found.rename_columns({"n_sum": "n"}).select(CELLS.names).cast(CELLS)
    lake.replace("cells", found, {"evidence": lake.version("evidence"), "first": first})


def laid_out(found: pa.Table) -> pa.Table:
    """CELLS with all columns of SHARED: lists of rules, and nothing where nothing is shared."""
    rules = pc.split_pattern(found["names"], MARK)
    count = found.num_rows
    blank = {
        "source_ip": pa.nulls(count, pa.string()),
        "link_domains": pa.nulls(count, EVIDENCE.field("link_domains").type),
        "rules": rules,
    }
    columns = {name: found[name] if name in found.column_names else blank[name] for name in SHARED}
    return pa.table(columns | {"week": found["week"], "names": found["names"], "n": found["n"]})


def in_cells(lake: Lake, files: Files, wanted: pa.Table) -> pa.Table:
    """ASKED of the messages of some cells: campaign, week and names of rules."""
    if not wanted.num_rows:
        return _none(ASKED)
    return lake.query(
        f"""
        SELECT {_listed(ASKED)} FROM old e SEMI JOIN wanted c ON {_CELL}
        WHERE e.week IN ({_weeks(wanted)})
        """,  # noqa: S608 - names of columns, and numbers
        old=files,
        wanted=wanted,
    )


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(f"e.{name}" for name in columns)


def _weeks(wanted: pa.Table) -> str:
    return ", ".join(map(str, sorted(wanted["week"].unique().to_pylist())))


def _none(columns: Iterable[str]) -> pa.Table:
    return pa.schema([EVIDENCE.field(name) for name in columns]).empty_table()
