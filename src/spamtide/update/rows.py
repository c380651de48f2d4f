"""What was measured, as rows of the tables that keep it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from spamtide.model import Floats, IndexSeries, Measurement
from spamtide.schema import HOURS, SERIES, TIMESTAMP
from spamtide.series import beside as compared


def series_rows(measurement: Measurement) -> pa.Table:
    """All series as rows of SERIES, one a subject and day."""
    tables = []
    for one in measurement.series:
        columns = _index_columns(one)
        columns["date"] = pa.array(one.days.astype("datetime64[D]"), pa.date32())
        for name, values in zip(("naive", "chained"), compared(measurement, one), strict=True):
            columns[name] = _numbers(values)
        tables.append(pa.table([columns[name] for name in SERIES.names], schema=SERIES))
    return pa.concat_tables(tables) if tables else SERIES.empty_table()


def hour_rows(series: Sequence[IndexSeries]) -> pa.Table:
    """Hourly series as rows of HOURS, one a subject and hour."""
    tables = []
    for one in series:
        columns = _index_columns(one)
        columns["hour"] = pa.array(one.days.astype("datetime64[us]")).cast(TIMESTAMP)
        tables.append(pa.table([columns[name] for name in HOURS.names], schema=HOURS))
    return pa.concat_tables(tables) if tables else HOURS.empty_table()


def _index_columns(one: IndexSeries) -> dict[str, pa.Array]:
    """The columns that daily and hourly series share."""
    length = len(one.days)
    unknown = np.full(length, np.nan)
    return {
        "subject_kind": pa.array([one.subject_kind] * length, pa.string()),
        "subject": pa.array([one.subject] * length, pa.string()),
        "count": pa.array(one.count, pa.int64()),
        "index": _numbers(one.index),
        "low": _numbers(one.low),
        "high": _numbers(one.high),
        "base": pa.array([one.base] * length, pa.string()),
        "low_90": _numbers(unknown if one.low_90 is None else one.low_90),
        "high_90": _numbers(unknown if one.high_90 is None else one.high_90),
    }


def _numbers(values: Floats) -> pa.Array:
    """Floats as Arrow, null where they are not finite."""
    return pa.array(values, pa.float64(), mask=~np.isfinite(values))


def outages(measurement: Measurement) -> dict[str, list[dict[str, str | None]]]:
    """Outages by sensor, as the table of sensors holds them."""
    told: dict[str, list[dict[str, str | None]]] = {}
    for outage in measurement.exposure.outages:
        told.setdefault(outage.sensor, []).append(
            {
                "start": outage.start.isoformat(),
                "end": outage.end.isoformat() if outage.end else None,
                "kind": outage.kind,
                "evidence": outage.evidence,
            }
        )
    return told
