"""The records of `model` as Arrow rows, and raw mail back again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from operator import attrgetter
from typing import Any

import numpy as np
import pyarrow as pa

from spamtide.model import NO_ENVELOPE, Envelope, RawMessage
from spamtide.schema import RAW


def to_arrow(records: Sequence[Any], schema: pa.Schema) -> pa.RecordBatch:
    """Make one Arrow batch from records that have an attribute of the name of each column."""
    arrays = []
    for column in schema:
        values = map(attrgetter(column.name), records)
        arrays.append(pa.array(values, type=column.type, size=len(records)))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def raw_batch(messages: Sequence[RawMessage], collected_at: dt.datetime, batch: str) -> pa.RecordBatch:
    """RawMessages as rows of RAW."""
    envelopes = [m.envelope for m in messages]
    own = ("sha256", "sensor", "label", "lab", "source")
    columns: dict[str, list[Any]] = {name: [getattr(m, name) for m in messages] for name in own} | {
        "mail_from": [e.mail_from for e in envelopes],
        "rcpt_to": [e.rcpt_to for e in envelopes],
        "client_ip": [e.client_ip for e in envelopes],
        "helo": [e.helo for e in envelopes],
        "envelope_at": [e.received_at for e in envelopes],
        "collected_at": [collected_at] * len(messages),
        "batch": [batch] * len(messages),
    }
    data = [m.data for m in messages]
    arrays = [
        _binary_array(data) if column.name == "data" else pa.array(columns[column.name], column.type)
        for column in RAW
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=RAW)


def _binary_array(values: Sequence[bytes]) -> pa.Array:
    """Byte strings as an Arrow array with one copy; Arrow's own way grows its buffer as it goes."""
    offsets = np.zeros(len(values) + 1, dtype=np.int32)
    np.cumsum([len(value) for value in values], out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(values))]
    return pa.Array.from_buffers(pa.binary(), len(values), buffers)


def raw_messages(batch: pa.RecordBatch) -> Iterator[RawMessage]:
    """Rows of RAW as RawMessages."""
    columns = [
        batch.column(name).to_pylist() for name in ("sha256", "sensor", "label", "lab", "source", "data")
    ]
    yield from map(RawMessage, *columns, _envelopes(batch))


def _envelopes(batch: pa.RecordBatch) -> Iterable[Envelope]:
    """Envelope of each row; most mail comes without."""
    names = ("mail_from", "rcpt_to", "client_ip", "helo", "envelope_at")
    mail_from, rcpt_to, client_ip, helo, at = (batch.column(name) for name in names)
    held = (mail_from, client_ip, helo, at)
    if not len(rcpt_to.flatten()) and all(column.null_count == batch.num_rows for column in held):
        return repeat(NO_ENVELOPE, batch.num_rows)
    recipients = [tuple(one or ()) for one in rcpt_to.to_pylist()]
    return map(
        Envelope, mail_from.to_pylist(), recipients, client_ip.to_pylist(), helo.to_pylist(), at.to_pylist()
    )
