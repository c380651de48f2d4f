"""The panel: counts by subject, sensor and day (or hour), laid out as arrays for `series` and `change`."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spamtide.model import Counts, Days, Panel, SubjectKind
from spamtide.store import rollup
from spamtide.store.coded import in_one_piece
from spamtide.store.heartbeats import share_up
from spamtide.store.lake import Lake
from spamtide.store.pools import named_pools, read_suffixes

STRAY_GAP_DAYS = 366
STRAY_SHARE = 0.002
"""Days at either end of the span that hold less than this share of the mail, a year or more away from the
rest, are strays of a wrong clock; they would stretch every series."""

FORGED_SHARE = 0.1
"""Mail a day, of the usual, below which days after mail was last stored are of forged dates. Where more is
of such days, it is this machine's clock that is late."""

HOURLY_WEEKS = 4
"""Weeks that an hourly panel holds: enough to know the hours of the day and of the week."""

_READ = ["day", "sensor", "label", "botnet", "programme", "relay", "messages", "lab"]
_HAM = pa.schema([("day", pa.date32()), ("sensor", pa.string()), ("n", pa.int64())])
_SPAM = pa.schema([*_HAM, ("botnet", pa.string()), ("programme", pa.string())])


@dataclass(frozen=True, slots=True)
class Settled:
    """What is counted of weeks that no answer changes any more."""

    paths: frozenset[str]
    """Files of `daily` that hold nothing else."""
    rows: pa.Table
    """_dated of them."""


def settled(lake: Lake, weeks: tuple[int, int]) -> Settled:
    """What is counted of all but the weeks from first to last, read while these are answered."""
    late = lake.files_of_weeks("daily", weeks)
    paths = frozenset(path for path in lake.files("daily").paths if not path.endswith(late))
    rows = _dated(lake.read("daily", _READ, coded=True, paths=paths))
    if rows["relay"].null_count < rows.num_rows:
        read_suffixes()
    return Settled(paths, rows)


def panel(lake: Lake, known: Settled | None = None) -> Panel:
    """Daily counts of wild spam by subject and sensor, of ham by sensor, and each day's main relay.

    `known` need not be read again, if its files are still there.
    """
    now = frozenset(lake.files("daily").paths)
    if known is None or not known.paths <= now:
        rows = _dated(lake.read("daily", _READ, coded=True))
    else:
        rest = lake.read("daily", _READ, coded=True, paths=now - known.paths)
        rows = in_one_piece(pa.concat_tables([known.rows, _dated(rest)]))
    labels = rows["label"].cast(pa.string())
    spam, ham = rows.filter(pc.equal(labels, "spam")), rows.filter(pc.equal(labels, "ham"))
    names = tuple(_sorted(spam["sensor"]))
    ham = _summed(ham, "day", "sensor")
    ham = ham.filter(pc.is_in(ham["sensor"], pa.array(names, pa.string())))
    seen = _summed(pa.concat_tables([table.select(["day", "n"]) for table in (spam, ham)]), "day")
    n = np.asarray(seen["n"].to_numpy(), dtype=np.int64)
    days = _span(_days(seen), n, lake.written("observations")) if names else _span_of_none()
    made = _assemble(days, names, spam, ham, _main_relays(rows))
    return replace(made, up=share_up(lake, names, days))


def _dated(rows: pa.Table) -> pa.Table:
    """Those rows of _READ that are of no lab and of a day; messages are `n`."""
    counted = _READ[:-1]
    dated = pc.and_(pc.is_null(rows["lab"]), pc.is_valid(rows["day"]))
    return rows.filter(dated).select(counted).rename_columns([*counted[:-1], "n"])


def _summed(rows: pa.Table, *columns: str) -> pa.Table:
    """Messages by some columns, texts as they are."""
    found = rows.group_by(list(columns)).aggregate([("n", "sum")])
    kinds = [pa.string() if pa.types.is_dictionary(kind) else kind for kind in found.schema.types]
    return found.cast(pa.schema(zip(found.schema.names, kinds, strict=True))).rename_columns([*columns, "n"])


def _main_relays(rows: pa.Table) -> pa.Table:
    """The relay of most messages, by day and sensor; the first by name of several. A pool counts as one."""
    found = _summed(rows.filter(pc.is_valid(rows["relay"])), "day", "sensor", "relay")
    pools = named_pools(found["relay"].unique().to_pylist())
    shown = pa.array([pools[relay] for relay in found["relay"].to_pylist()], pa.string())
    found = found.set_column(found.column_names.index("relay"), "relay", shown)
    found = _summed(found, "day", "sensor", "relay")
    keys = [("day", "ascending"), ("sensor", "ascending"), ("n", "descending"), ("relay", "ascending")]
    return (
        found.sort_by(keys)
        .group_by(["day", "sensor"], use_threads=False)
        .aggregate([("relay", "first")])
        .rename_columns(["day", "sensor", "relay"])
    )


def hourly(lake: Lake, days: Days, weeks: int = HOURLY_WEEKS, known: rollup.Hours = rollup.NO_HOURS) -> Panel:
    """Counts by hour over the last weeks of a daily panel, for `series.measure_hours` and the hourly alarm.

    Args:
        lake: the observatory's lake; hours are counted under the attributions of the last `update`.
        days: those of the daily panel, so that strays of a wrong clock are left out here as well.
        weeks: how far back.
        known: weeks whose hours were counted when they were answered.

    Returns:
        A panel whose `days` are consecutive UTC hours, dtype datetime64[h], from a midnight to the last hour
        that had ended when the newest message came: the hour under way is not in it. Shape of `counts`:
        (subjects, sensors, hours), of `ham` (sensors, hours); subjects and sensors as in the daily panel, as
        far as they sent or saw spam in these weeks. `relays` are all '' and `pairs` is empty. No hours at all
        where the daily panel has no days.
    """
    hours = np.empty(0, dtype="datetime64[h]")
    if not len(days) or not weeks:
        return _assemble(hours, (), _SPAM.empty_table(), _HAM.empty_table(), None)
    first = max(days[0], days[-1] - np.timedelta64(7 * weeks - 1, "D"))
    edges = [int(day.astype("datetime64[D]").astype(np.int64)) // 7 for day in (first, days[-1])]
    found = rollup.hours_between(lake, (edges[0], edges[1]), known)
    day = found["day"].to_numpy()
    found = found.filter(pa.array((day >= first) & (day < days[-1] + np.timedelta64(1, "D"))))
    ham = pc.equal(found["label"].cast(pa.string()), "ham")
    spam, other = found.filter(pc.invert(ham)), found.filter(ham)
    names = tuple(_sorted(spam["sensor"]))
    if found.num_rows:
        last = found["day"].to_numpy().max().astype("datetime64[h]")
        hours = np.arange(first.astype("datetime64[h]"), last)
    made = _assemble(hours, names, spam, _summed(other, "day", "sensor"), None)
    return replace(made, up=share_up(lake, names, hours))


def is_open(lake: Lake, day: dt.date) -> bool:
    """Whether the last `update` found that a day was not over: all mail has no index on it."""
    rows = lake.read("series", ["subject_kind", "date", "index"])
    total = rows.filter(pc.and_(pc.equal(rows["subject_kind"], "total"), pc.equal(rows["date"], day)))
    return bool(total.num_rows > 0 and total["index"].null_count == total.num_rows)


def _sorted(column: pa.ChunkedArray, without: str | None = None) -> list[str]:
    """The distinct values, in order, but for one."""
    return sorted({*column.unique().to_pylist()} - {without})


def _days(rows: pa.Table, unit: str = "D") -> np.ndarray:
    """The day column as datetime64[D], or in another unit."""
    return np.asarray(rows["day"].to_numpy(), dtype=f"datetime64[{unit}]")


def _span(days: np.ndarray, counts: np.ndarray, stored: dt.datetime | None) -> np.ndarray:
    """All days from the first to the last with mail of any kind, strays at either end left out.

    Ham counts too: when spam ends while other mail goes on, the silence is part of what is measured.
    `stored`: when mail was last stored; what is dated after it bears a false date.
    """
    if not len(days):
        return _span_of_none()
    order = np.argsort(days, kind="stable")
    days, counts = days[order], counts[order]
    if stored is not None:
        known = _not_forged(days, counts, np.datetime64(stored.date(), "D") + np.timedelta64(1, "D"))
        days, counts = days[:known], counts[:known]
    below = np.cumsum(counts) - counts
    allowed = STRAY_SHARE * counts.sum()
    first, last = 0, len(days) - 1
    gaps = np.flatnonzero(np.diff(days).astype(int) >= STRAY_GAP_DAYS)
    for gap in gaps:
        if below[gap + 1] <= allowed:
            first = int(gap) + 1
    for gap in gaps[::-1]:
        if gap + 1 > first and counts.sum() - below[gap + 1] <= allowed:
            last = int(gap)
    return np.arange(days[first], days[last] + np.timedelta64(1, "D"), dtype="datetime64[D]")


def _not_forged(days: np.ndarray, counts: np.ndarray, latest: np.datetime64) -> int:
    """How many of the days to keep, in order: later ones are forged if they hold next to no mail a day.

    What is usual is told by the year before: a stray of decades ago must not thin it.
    """
    known = int(np.searchsorted(days, latest, side="right"))
    if known in {0, len(days)}:
        return len(days)
    recent = int(np.searchsorted(days, days[known - 1] - np.timedelta64(STRAY_GAP_DAYS, "D"), side="right"))
    usual = counts[recent:known].sum() / ((days[known - 1] - days[recent]).astype(int) + 1)
    after = counts[known:].sum() / (days[-1] - latest).astype(int)
    return known if after < FORGED_SHARE * usual else len(days)


def _span_of_none() -> np.ndarray:
    """The days of a panel without wild spam."""
    return np.empty(0, dtype="datetime64[D]")


def _assemble(
    days: np.ndarray, names: tuple[str, ...], spam: pa.Table, ham: pa.Table, relays: pa.Table | None
) -> Panel:
    """Lay the grouped counts out as arrays; without relays, pairs are left out too."""
    botnets = _sorted(spam["botnet"], "unknown")
    programmes = _sorted(spam["programme"], "unknown")
    subjects: list[tuple[SubjectKind, str]] = [("total", "total")]
    subjects += [("botnet", name) for name in [*botnets, "unknown"]]
    subjects += [("programme", name) for name in [*programmes, "unknown"]]
    place = {subject: number for number, subject in enumerate(subjects)}
    sensor_at = {name: number for number, name in enumerate(names)}
    rows, day = _inside(spam, days)
    n = rows["n"].to_numpy()
    at = _places(rows["sensor"], sensor_at)
    botnet = _places(rows["botnet"], {name: place["botnet", name] for name in [*botnets, "unknown"]})
    programme = _places(
        rows["programme"], {name: place["programme", name] for name in [*programmes, "unknown"]}
    )
    shape = len(subjects), len(names), len(days)
    cell = at * len(days) + day
    each = shape[1] * shape[2]
    counts = _sums(botnet * each + cell, n, shape) + _sums(programme * each + cell, n, shape)
    counts[0] = counts[1 : 2 + len(botnets)].sum(axis=0)  # whoever sent it
    other = np.zeros((len(names), len(days)), dtype=np.int64)
    for number, sensor, messages in _rows(ham, days, "sensor", "n"):
        if sensor in sensor_at:
            other[sensor_at[sensor], number] = messages
    hosts = [["" for _ in days] for _ in names]
    if relays is not None:
        for number, sensor, relay in _rows(relays, days, "sensor", "relay"):
            if sensor in sensor_at:
                hosts[sensor_at[sensor]][number] = relay
    return Panel(
        days=days,
        sensors=names,
        subjects=tuple(subjects),
        counts=counts,
        ham=other,
        relays=tuple(map(tuple, hosts)),
        pairs={} if relays is None else _by_pair(subjects, (botnet, programme), day, n, len(days)),
    )


def _sums(cell: np.ndarray, n: np.ndarray, shape: tuple[int, ...]) -> Counts:
    """Messages by cell. Sums of floats are exact here, and are made several times as fast."""
    sums = np.bincount(cell, weights=n, minlength=math.prod(shape))
    return np.asarray(sums.astype(np.int64).reshape(shape))


def _by_pair(
    subjects: Sequence[tuple[SubjectKind, str]],
    of: tuple[np.ndarray, np.ndarray],
    day: np.ndarray,
    n: np.ndarray,
    days: int,
) -> dict[tuple[str, str], Counts]:
    """Messages by day of each pair of a botnet and a programme, given by their places among the subjects."""
    code = of[0] * len(subjects) + of[1]
    there = np.flatnonzero(np.bincount(code, minlength=1))
    place = np.zeros(there[-1] + 1 if there.size else 1, dtype=np.int64)
    place[there] = np.arange(there.size)
    sums = _sums(place[code] * days + day, n, (there.size, days))
    return {
        (subjects[one // len(subjects)][1], subjects[one % len(subjects)][1]): sums[row]
        for row, one in enumerate(there.tolist())
    }


def _inside(rows: pa.Table, days: np.ndarray) -> tuple[pa.Table, np.ndarray]:
    """The rows whose day is in the span, and the number of each one's day."""
    if not len(days):
        return rows.slice(0, 0), np.empty(0, dtype=np.int64)
    numbers = (_days(rows, np.datetime_data(days.dtype)[0]) - days[0]).astype(np.int64)
    inside = (numbers >= 0) & (numbers < len(days))
    return (rows, numbers) if inside.all() else (rows.filter(pa.array(inside)), numbers[inside])


def _places(column: pa.ChunkedArray, place: dict[str, int]) -> np.ndarray:
    """The place of each value."""
    encoded = column.combine_chunks().dictionary_encode()
    # A dictionary may name what no row has.
    places = np.array([place.get(name, 0) for name in encoded.dictionary.to_pylist()], dtype=np.int64)
    return places[encoded.indices.to_numpy()] if len(encoded) else np.empty(0, dtype=np.int64)


def _rows(rows: pa.Table, days: np.ndarray, *columns: str) -> zip[tuple]:  # type: ignore[type-arg]
    """(day number, column values ...) of the rows whose day is in the span."""
    kept, numbers = _inside(rows, days)
    return zip(numbers.tolist(), *(kept[name].to_pylist() for name in columns), strict=True)
