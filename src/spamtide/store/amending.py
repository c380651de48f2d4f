"""Answers amended: a few of some weeks' answers replaced, and what these weeks' mail then counts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from spamtide.schema import ANSWERS, STORED_ATTRIBUTIONS
from spamtide.store.counting import COUNTED, FEW
from spamtide.store.lake import Lake

CODED = [field.name for field in ANSWERS if pa.types.is_dictionary(field.type)]


@dataclass(frozen=True, slots=True)
class Amended:
    """All answers of some weeks, with the new ones in the place of those that were there."""

    stored: pa.Table
    """ANSWERS with `week`: those that are stored."""
    kept: NDArray[np.bool_]
    """Which of them stay."""
    answers: pa.Table
    """The new ones."""
    other: frozenset[int]
    """Weeks whose rows are others than those that are stored."""
    counts: frozenset[int]
    """Weeks in which names are given to other numbers of messages, as far as is known without counting."""

    def of_weeks(self, weeks: Collection[int], columns: Sequence[str] = ()) -> pa.Table:
        """All answers of some weeks; all columns of them, or some."""
        names = list(columns) or self.answers.column_names
        inside = pc.and_(_within(self.stored["week"], weeks), pa.array(self.kept))
        stay = self.stored.select(names).filter(inside)
        new = self.answers.select(names).filter(_within(self.answers["week"], weeks))
        return pa.concat_tables([stay, new]).unify_dictionaries()


def stored_answers(lake: Lake, weeks: Collection[int]) -> pa.Table:
    """ANSWERS with `week` as they are stored."""
    return lake.of_weeks("attributions", STORED_ATTRIBUTIONS.names, weeks, CODED)


def amend(stored: pa.Table, answers: pa.Table) -> Amended:
    """Put answers (ANSWERS with `week`) among those that are stored of their weeks, and perhaps of others."""
    known = pc.is_in(stored["sha256"], answers["sha256"].combine_chunks())
    maybe, there = np.flatnonzero(known), stored.filter(known)
    at = _found(_marks(there), _marks(answers))
    there, gone = there.filter(pa.array(at >= 0)), maybe[at >= 0]
    now = answers.take(pa.array(at[at >= 0]))
    week = now["week"].to_numpy()
    differs, renamed = _differs(there, now, ANSWERS.names), _differs(there, now, ["botnet", "programme"])
    new = np.ones(answers.num_rows, dtype=np.bool_)
    new[at[at >= 0]] = False
    fresh = set(answers["week"].filter(pa.array(new)).unique().to_pylist())
    kept = np.ones(stored.num_rows, dtype=np.bool_)
    kept[gone] = False
    return Amended(
        stored,
        kept,
        answers,
        frozenset(fresh | set(week[differs].tolist())),
        frozenset(fresh | set(week[renamed].tolist())),
    )


def mail(lake: Lake, weeks: Collection[int]) -> pa.Table:
    """COUNTED with sha256 of all mail in some weeks."""
    return lake.of_weeks("evidence", ["sha256", *COUNTED], weeks, FEW)


def named(rows: pa.Table, amended: Amended) -> pa.Table:
    """COUNTED with botnet and programme of `mail` of weeks that are to be counted again."""
    answers = amended.of_weeks(amended.counts, ["sha256", "sensor", "botnet", "programme"])
    place = _places(rows, answers)
    found = rows.drop_columns("sha256")
    for name in ("botnet", "programme"):
        found = found.append_column(name, answers[name].combine_chunks().take(place))
    return found


def _places(rows: pa.Table, answers: pa.Table) -> pa.Array:
    """Where the answer of each row stands; null where it has none.

    Nearly every content was seen by one sensor, and is looked up by its hash alone.
    """
    place = _found(rows["sha256"], answers["sha256"])
    there = answers["sensor"].cast(pa.string()).take(pa.array(place, mask=place < 0))
    others = np.flatnonzero(
        pc.fill_null(pc.not_equal(rows["sensor"].cast(pa.string()), there), fill_value=False)
    )
    if len(others):
        few = rows.take(pa.array(others))
        several = np.flatnonzero(pc.is_in(answers["sha256"], few["sha256"].combine_chunks()))
        at = _found(_marks(few), _marks(answers.take(pa.array(several))))
        place[others] = np.where(at < 0, -1, several[at])
    return pa.array(place, mask=place < 0)


def _found(wanted: pa.ChunkedArray, among: pa.ChunkedArray) -> NDArray[np.int64]:
    """Where each value first stands among others; -1 where it does not."""
    found = pc.index_in(wanted, among.combine_chunks())
    places: NDArray[np.int64] = np.asarray(pc.fill_null(found, -1)).astype(np.int64)
    return places


def replace(
    lake: Lake, table: str, of_weeks: Callable[[Collection[int]], pa.Table], weeks: Collection[int]
) -> None:
    """Make the rows of some weeks all that a table holds of them."""
    for first, last in runs(weeks):
        lake.replace_weeks(table, of_weeks(range(first, last + 1)), (first, last))


def runs(weeks: Collection[int]) -> Iterator[tuple[int, int]]:
    """Weeks as (first, last) of those that follow one another."""
    order = sorted(weeks)
    begins = [week for week in order if week - 1 not in weeks]
    ends = [week for week in order if week + 1 not in weeks]
    return zip(begins, ends, strict=True)


def of_weeks(rows: pa.Table, weeks: Collection[int]) -> pa.Table:
    """Rows of some weeks."""
    return rows.filter(_within(rows["week"], weeks))


def _within(column: pa.ChunkedArray, weeks: Collection[int]) -> pa.ChunkedArray:
    return pc.is_in(column, pa.array(sorted(weeks), pa.int32()))


def _marks(rows: pa.Table) -> pa.ChunkedArray:
    """What a message is known by."""
    return pc.binary_join_element_wise(rows["sha256"], rows["sensor"].cast(pa.string()), " ")


def _differs(one: pa.Table, other: pa.Table, names: Collection[str]) -> NDArray[np.bool_]:
    """Rows that differ in some columns, none of which is ever null."""
    found = np.zeros(one.num_rows, dtype=np.bool_)
    for name in names:
        if name in CODED:
            found |= _other_texts(one[name], other[name])
        else:
            found |= np.asarray(pc.not_equal(one[name], other[name]))
    return found


def _other_texts(one: pa.ChunkedArray, other: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Rows that differ in a column of dictionaries: of few distinct texts, each is compared once."""
    left, right = (column.unify_dictionaries().combine_chunks() for column in (one, other))
    place = pc.fill_null(pc.index_in(left.dictionary, right.dictionary), -1)
    differs: NDArray[np.bool_] = np.asarray(place.take(left.indices)) != np.asarray(right.indices)
    return differs
