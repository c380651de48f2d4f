"""The Python face: open an observatory and take its tables as Arrow, Polars or pandas.

    import spamtide
    observatory = spamtide.open("my-observatory")
    observatory.series().to_pandas()
    observatory.observations(botnet="rustock", since="2010-09-20").to_polars()

It reads what `ingest` and `update` have written; it writes nothing.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from spamtide.campaign import resolve
from spamtide.errors import UsageError
from spamtide.observatory import Observatory, open_observatory
from spamtide.store.exported import EXPORTS, LABELS, Filters, exported, known_filters, unknown_filters
from spamtide.store.rollup import aliases

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


@dataclass(frozen=True, slots=True)
class Rows:
    """A table of the observatory, in whichever form is wanted."""

    arrow: pa.Table

    def to_arrow(self) -> pa.Table:
        """As a pyarrow.Table."""
        return self.arrow

    def to_polars(self) -> pl.DataFrame:
        """As a Polars frame; wants the extra 'polars'."""
        import polars as pl

        frame = pl.from_arrow(self.arrow)
        if not isinstance(frame, pl.DataFrame):  # pragma: no cover - a table always gives a frame
            raise TypeError
        return frame

    def to_pandas(self) -> pd.DataFrame:
        """As a pandas frame; wants the extra 'pandas'."""
        frame: pd.DataFrame = self.arrow.to_pandas()
        return frame

    def __len__(self) -> int:
        """Number of rows."""
        return int(self.arrow.num_rows)


class Reading:
    """An observatory that is read, table by table; `spamtide.open` makes it."""

    def __init__(self, observatory: Observatory) -> None:
        self.observatory = observatory

    def table(self, name: str, **filters: str | None) -> Rows:
        """An export table by name, narrowed by filters.

        Args:
            name: a key of `store.exported.EXPORTS`: observations, series, hours, changes, alarms, campaigns,
                sensors or claims.
            filters: since, until (ISO 8601, UTC), botnet, programme, sensor, campaign, engine,
                label.

        Raises:
            UsageError: no such table, no such filter for it, or no such date.
        """
        return Rows(pa.Table.from_batches(list(self.batches(name, **filters))))

    def batches(self, name: str, **filters: str | None) -> Iterator[pa.RecordBatch]:
        """As `table`, in Arrow batches; memory stays bounded. The first batch may be empty.

        Raises:
            UsageError: as `table`.
        """
        if name not in EXPORTS:
            message = f"no table '{name}'"
            raise UsageError(message, f"tables: {', '.join(EXPORTS)}")
        wanted = make_filters(**filters)
        useless = unknown_filters(name, wanted)
        if useless:
            message = f"table '{name}' has no filter {', '.join(useless)}"
            raise UsageError(message, f"it has: {', '.join(known_filters(name)) or 'none'}")
        lake = self.observatory.lake
        return exported(lake, name, aliases(resolve(lake.read("lineage"))), wanted)

    def observations(self, **filters: str | None) -> Rows:
        """One row a message and sensor, with its campaign and attribution."""
        return self.table("observations", **filters)

    def series(self, **filters: str | None) -> Rows:
        """The index and count of every subject by day."""
        return self.table("series", **filters)

    def hours(self, **filters: str | None) -> Rows:
        """The index and count of every subject by hour, of the last weeks."""
        return self.table("hours", **filters)

    def changes(self, **filters: str | None) -> Rows:
        """Dated changes."""
        return self.table("changes", **filters)

    def alarms(self, **filters: str | None) -> Rows:
        """What may be changes and is not sure yet."""
        return self.table("alarms", **filters)

    def campaigns(self, **filters: str | None) -> Rows:
        """Campaigns, the largest first."""
        return self.table("campaigns", **filters)

    def sensors(self, **filters: str | None) -> Rows:
        """Sensors with their outages."""
        return self.table("sensors", **filters)

    def claims(self, **filters: str | None) -> Rows:
        """The claims of the last update."""
        return self.table("claims", **filters)

    def versions(self) -> dict[str, int]:
        """Delta version of each table."""
        return self.observatory.lake.versions()


def open(directory: str | os.PathLike[str] = ".") -> Reading:  # noqa: A001 - spamtide.open() is the fixed name of the Python face
    """Open an observatory for reading.

    Raises:
        UnavailableError: there is none at `directory`.
    """
    return Reading(open_observatory(Path(directory)))


def make_filters(**filters: str | None) -> Filters:
    """Filters from text; dates are ISO 8601, and a bare date as `until` means to its end.

    Raises:
        UsageError: no such filter or label, or no such date.
    """
    unknown = set(filters) - set(Filters.__dataclass_fields__)
    if unknown:
        message = f"no such filter: {', '.join(sorted(unknown))}"
        raise UsageError(message)
    moments = {
        name: parse_moment(value, name, end_of_day=name == "until")
        for name in ("since", "until")
        if (value := filters.get(name))
    }
    label = filters.get("label")
    if label is not None and label not in LABELS:
        message = f"no label '{label}'"
        raise UsageError(message, f"labels: {', '.join(LABELS)}")
    names = {name: value for name, value in filters.items() if name not in {"since", "until"}}
    return Filters(since=moments.get("since"), until=moments.get("until"), **names)


def parse_moment(text: str, name: str, *, end_of_day: bool = False) -> dt.datetime:
    """An ISO 8601 date or time, in UTC.

    Raises:
        UsageError: it is neither.
    """
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        message = f"--{name} '{text}' is no ISO 8601 date"
        raise UsageError(message, "write it as 2010-09-20 or 2010-09-20T06:00Z") from error
    try:
        moment = moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
        return moment + dt.timedelta(days=1) if end_of_day and _is_day(text) else moment
    except OverflowError:  # the first or the last day that there is: as good as no bound
        return (
            dt.datetime.max.replace(tzinfo=dt.UTC) if end_of_day else dt.datetime.min.replace(tzinfo=dt.UTC)
        )


def _is_day(text: str) -> bool:
    """Whether a moment was written without a time of day."""
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True
