"""Files of tables that are kept by week: which weeks are in them, and their rows of some weeks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spamtide.store.coded import reading_codes

if TYPE_CHECKING:
    from pyarrow.dataset import FileSystemDataset


class Held:
    """The weeks that files hold, as far as these were opened for it: those never change.

    Mail without a believable time is in most files, so that the edges in Delta's log say little.
    """

    def __init__(self) -> None:
        self._known: dict[str, frozenset[int]] = {}

    def __call__(self, path: str) -> frozenset[int]:
        """The weeks that a local file holds."""
        import pyarrow.parquet

        if path not in self._known:
            rows = pyarrow.parquet.read_table(path, columns=["week"])
            self._known[path] = frozenset(rows["week"].unique().to_pylist())
        return self._known[path]


def read_weeks(
    files: Sequence[str] | FileSystemDataset,
    schema: pa.Schema,
    columns: Sequence[str],
    weeks: Collection[int],
) -> pa.Table:
    """Some columns of some weeks' rows, in the order of the files.

    Args:
        files: paths of local files, or files that lie elsewhere.
        schema: of the whole table, with what is to be read as codes.
        columns: their names.
        weeks: the weeks.
    """
    import pyarrow.dataset

    form = pyarrow.dataset.ParquetFileFormat(read_options=reading_codes(schema))
    if isinstance(files, pyarrow.dataset.FileSystemDataset):
        apart = [form.make_fragment(one.path, files.filesystem) for one in files.get_fragments()]
        parts = [pyarrow.dataset.FileSystemDataset([one], schema, form, files.filesystem) for one in apart]
    else:
        parts = [pyarrow.dataset.dataset(path, schema, form) for path in files]
    read = list(dict.fromkeys([*columns, "week"]))
    empty = pa.schema([schema.field(name) for name in columns]).empty_table()
    found = (of_weeks(part.to_table(columns=read), weeks).select(list(columns)) for part in parts)
    return pa.concat_tables([empty, *found])


def of_weeks(rows: pa.Table, weeks: Collection[int]) -> pa.Table:
    """Rows of some weeks; without a copy where they follow one another."""
    inside = pc.is_in(rows["week"], pa.array(sorted(weeks), pa.int32()))
    places = np.flatnonzero(inside)
    if not len(places) or places[-1] - places[0] + 1 == len(places):
        return rows.slice(int(places[0]) if len(places) else 0, len(places))
    return rows.filter(inside)
