"""Retro-hunt: what new rules would have changed in the answers of the past."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spamtide.attribution.signature.ruleset import Ruleset
from spamtide.model import Signature

EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Hunted:
    """What one rule hits in stored mail."""

    signature: Signature
    wild: int
    lab: int
    ham: int
    first: dt.date | None
    last: dt.date | None
    examples: tuple[str, ...]
    """SHA-256 of some messages, those of the wild first."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Messages whose answer would be another one."""

    kind: Literal["botnet", "programme"]
    group: Literal["wild", "lab", "ham"]
    before: str
    after: str
    messages: int
    first: dt.date | None
    last: dt.date | None
    examples: tuple[str, ...]


def hunted(rows: pa.Table, hits: pa.Array, ruleset: Ruleset, rules: Sequence[str]) -> list[Hunted]:
    """What each of some rules hits.

    Args:
        rows: sha256, label, lab, day of every message.
        hits: its rules, a list a message.
        ruleset: holds the rules.
        rules: ids of those to report.
    """
    entries = pc.list_flatten(hits)
    of = np.asarray(pc.list_parent_indices(hits)).astype(np.int64)
    found = []
    for rule in rules:
        places = of[np.asarray(pc.equal(entries, rule), dtype=np.bool_)] if len(entries) else of[:0]
        sample = rows.take(pa.array(places))
        groups = _groups(sample)
        first, last = _span(sample, groups != "ham")
        order = np.argsort(groups != "wild", kind="stable")[:EXAMPLES]
        found.append(
            Hunted(
                ruleset.signatures[rule],
                int((groups == "wild").sum()),
                int((groups == "lab").sum()),
                int((groups == "ham").sum()),
                first,
                last,
                tuple(sample["sha256"].take(pa.array(order)).to_pylist()),
            )
        )
    return found


def shifts(rows: pa.Table, after: pa.Table) -> list[Shift]:
    """Which answers would change, the most messages first.

    Args:
        rows: sha256, label, lab, day, botnet, programme: the present answers.
        after: botnet and programme of the same messages in the same order, under the new rules.
    """
    found = []
    kinds: tuple[Literal["botnet", "programme"], ...] = ("botnet", "programme")
    for kind in kinds:
        changed = np.flatnonzero(np.asarray(pc.not_equal(rows[kind], after[kind]), dtype=np.bool_))
        some = rows.take(pa.array(changed))
        new = np.asarray(after[kind].take(pa.array(changed)).to_pylist(), dtype=object)
        old, groups = np.asarray(some[kind].to_pylist(), dtype=object), _groups(some)
        for group, before, name in sorted(set(zip(groups, old, new, strict=True))):
            alike = (groups == group) & (old == before) & (new == name)
            first, last = _span(some, alike)
            examples = some["sha256"].filter(pa.array(alike)).slice(0, EXAMPLES).to_pylist()
            found.append(Shift(kind, group, before, name, int(alike.sum()), first, last, tuple(examples)))
    return sorted(found, key=lambda one: (-one.messages, one.kind, one.group, one.before, one.after))


def _groups(rows: pa.Table) -> np.ndarray:
    """'wild', 'lab' or 'ham' by row."""
    pairs = zip(rows["label"].to_pylist(), rows["lab"].to_pylist(), strict=True)
    return np.asarray(
        ["ham" if label == "ham" else "lab" if lab else "wild" for label, lab in pairs], dtype=object
    )


def _span(rows: pa.Table, chosen: np.ndarray) -> tuple[dt.date | None, dt.date | None]:
    """First and last day of some rows."""
    days = pc.min_max(rows["day"].filter(pa.array(chosen, pa.bool_())))
    return days["min"].as_py(), days["max"].as_py()
