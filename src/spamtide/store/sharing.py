"""Evidence by what it shares: the few rows that new mail may move, and those that have a say in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from spamtide.schema import CELLS, EVIDENCE, UNDATED
from spamtide.store.counting import FEW
from spamtide.store.lake import Files, Lake

ASKED = ["sha256", "sensor", "week", "label", "lab", "received_at", "source_ip", "link_domains", "campaign",
         "rules"]  # fmt: skip
"""Columns of EVIDENCE that an answer is made from, and those that it is stored under."""
SHARED = ["label", "lab", "received_at", "source_ip", "link_domains", "campaign", "rules"]
"""Columns of what only has a say."""
KEY = pa.schema([("key", pa.string()), ("week", pa.int32())])
"""What is shared, and a week in which it is looked for."""
_OF_DOMAINS = pa.schema([*(field for field in CELLS if field.name != "campaign"), ("domain", pa.string())])
MARK = "\n"
"""Between names of rules that are grouped by: no name of a rule holds it."""
_NAMES = f"array_to_string(e.rules, '{chr(10)}')"
_CELL = f"coalesce(e.campaign, '') = c.campaign AND e.week = c.week AND coalesce({_NAMES}, '') = c.names"


@dataclass(frozen=True, slots=True)
class Mail:
    """Evidence that is looked through."""

    files: Files
    held: pa.Table = field(default_factory=lambda: _none(ASKED))
    """ASKED of some of its weeks."""
    weeks: frozenset[int] = frozenset()
    """Which these are."""
    more: pa.Table = field(default_factory=lambda: _none(ASKED))
    """ASKED of mail beside it."""

    def among(self, wanted: pa.Table) -> Iterator[tuple[Files | pa.Table, pa.Table]]:
        """Mail in its parts, each with what is wanted (with `week`) of it."""
        near = pc.is_in(wanted["week"], pa.array(sorted(self.weeks), pa.int32()))
        for part, asked in (
            (self.held, wanted.filter(near)),
            (self.files, wanted.filter(pc.invert(near))),
            (self.more, wanted),
        ):
            if asked.num_rows and (isinstance(part, Files) or part.num_rows):
                yield part, asked


def held(lake: Lake, files: Files, weeks: Collection[int]) -> pa.Table:
    """ASKED of some weeks of evidence, texts that come again as codes.

    Items of lists are not: DuckDB cannot read such where all lists are empty.
    """
    return lake.of_weeks("evidence", ASKED, weeks, FEW, files)


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


def by_address(lake: Lake, mail: Mail, wanted: pa.Table, columns: Iterable[str]) -> pa.Table:
    """Rows whose address is wanted (KEY) in their week; other columns than `columns` are left out."""
    names = list(columns)
    sql = f"SELECT {_listed(names)} FROM old e SEMI JOIN wanted k ON k.key = e.source_ip AND k.week = e.week"  # noqa: S608 - names of columns
    found = [
        lake.query(f"{sql} WHERE e.week IN ({_weeks(asked)})", old=part, wanted=asked)
        for part, asked in mail.among(wanted)
    ]
    return pa.concat_tables(found) if found else _none(names)


def by_domain(lake: Lake, mail: Mail, wanted: pa.Table, columns: Iterable[str]) -> pa.Table:
    """Rows with a link domain that is wanted (KEY) in their week, once for each such; it is in `domain`."""
    names = list(columns)
    inner = ", ".join(dict.fromkeys([*names, "week"]))
    found = [
        lake.query(
            f"""
            SELECT {_listed(names)}, e.domain
            FROM (SELECT {inner}, unnest(link_domains) AS domain FROM old WHERE week IN ({_weeks(asked)})) e
            SEMI JOIN wanted k ON k.key = e.domain AND k.week = e.week
            """,  # noqa: S608 - names of columns, and numbers
            old=part,
            wanted=asked,
        )
        for part, asked in mail.among(wanted)
    ]
    return (
        pa.concat_tables(found) if found else _none(names).append_column("domain", pa.array([], pa.string()))
    )


def cells_of_domains(lake: Lake, mail: Mail, wanted: pa.Table) -> pa.Table:
    """As `laid_out` but for campaigns, with `domain`: rows as of `by_domain`, those that are alike as one.

    A domain is in as many rows as messages have it, and what these say of it is said by how many they are.
    """
    found = [
        lake.query(
            f"""
            SELECT e.week, e.label, e.lab, date_trunc('day', e.received_at) AS received_at,
                   coalesce({_NAMES}, '') AS names, count(*) AS n, e.domain
            FROM (SELECT week, label, lab, received_at, rules, unnest(link_domains) AS domain
                  FROM old WHERE week IN ({_weeks(asked)})) e
            SEMI JOIN wanted k ON k.key = e.domain AND k.week = e.week GROUP BY ALL
            """,  # noqa: S608 - names of columns, and numbers
            old=part,
            wanted=asked,
        ).cast(_OF_DOMAINS)
        for part, asked in mail.among(wanted)
    ]
    rows = pa.concat_tables(found) if found else _OF_DOMAINS.empty_table()
    return laid_out(rows).append_column("domain", rows["domain"])


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
        "campaign": pa.nulls(count, pa.string()),
        "link_domains": pa.nulls(count, EVIDENCE.field("link_domains").type),
        "rules": rules,
    }
    columns = {name: found[name] if name in found.column_names else blank[name] for name in SHARED}
    return pa.table(columns | {"week": found["week"], "names": found["names"], "n": found["n"]})


def in_cells(lake: Lake, mail: Mail, wanted: pa.Table) -> pa.Table:
    """ASKED of the messages of some cells: campaign, week and names of rules."""
    sql = f"SELECT {_listed(ASKED)} FROM old e SEMI JOIN wanted c ON {_CELL}"  # noqa: S608 - names of columns
    found = [
        lake.query(f"{sql} WHERE e.week IN ({_weeks(asked)})", old=part, wanted=asked)
        for part, asked in mail.among(wanted)
    ]
    return pa.concat_tables(found) if found else _none(ASKED)


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(f"e.{name}" for name in columns)


def _weeks(wanted: pa.Table) -> str:
    return ", ".join(map(str, sorted(wanted["week"].unique().to_pylist())))


def _none(columns: Iterable[str]) -> pa.Table:
    return pa.schema([EVIDENCE.field(name) for name in columns]).empty_table()
