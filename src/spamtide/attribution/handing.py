"""Rows with a text that senders with unlike mailers send, so that its words name nobody by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from spamtide.attribution.coding import Rows
from spamtide.attribution.combining import Told
from spamtide.attribution.spoken import ENGINE_LAYERS, SURE_ENGINE, Names, Spoken
from spamtide.attribution.ties.association import UNNAMED, Flags, Floats, Ints
from spamtide.attribution.ties.handed import handed_round


def worded_by(spoken: Spoken) -> str:
    """The family whose words are there, of several the likeliest; '' for none."""
    words = [item for item in spoken.evidence["botnet"] if item.layer == "template" and item.weight > 0]
    return max(words, key=lambda item: (item.weight, item.name)).name if words else ""


def handed_by_words(rows: Rows, number: Mapping[str, int], names: Names, first: Ints, wild: Flags) -> Flags:
    """Rows that their words alone name, though others send the text too: they are evidence for nothing."""
    families = _by_words(rows, number)
    sure = np.asarray([_has_engine(s, worded_by(s)) for s in rows.spoken])[rows.said]
    return np.asarray(_handed(rows, families, names, wild) & ~sure & (first == families))


def handed(rows: Rows, number: Mapping[str, int], names: Names, wild: Flags, ties: Sequence[Told]) -> Flags:
    """Rows whose text is others' too; whose it is, words say, or else ties, the first that says anything."""
    families = _by_words(rows, number)
    for told in ties:
        of = families[rows.asked]
        families[rows.asked] = np.where((of == UNNAMED) & (told.steps > 0), told.names, of)
    return _handed(rows, families, names, wild)


def _by_words(rows: Rows, number: Mapping[str, int]) -> Ints:
    return np.asarray([number.get(worded_by(s), UNNAMED) for s in rows.spoken], dtype=np.int64)[rows.said]


def _has_engine(spoken: Spoken, name: str) -> bool:
    """Whether an engine names the family by itself, or does but for what was altered on its way."""
    sure = (
        item.name == name and item.layer in ENGINE_LAYERS and item.weight >= SURE_ENGINE
        for item in spoken.evidence["botnet"]
    )
    return name in spoken.near or any(sure)


def _handed(rows: Rows, families: Ints, names: Names, wild: Flags) -> Flags:
    def absence(family: int, at: Ints) -> Floats:
        """What the absence of the family's engines takes; what was altered on its way is not without one."""
        kinds, of = np.unique(rows.said[at], return_inverse=True)
        taken = [_taken(rows.spoken[kind], names.botnet[family]) for kind in kinds.tolist()]
        return np.asarray(taken, dtype=np.float64)[of]

    return handed_round(np.where(wild, families, UNNAMED), rows.campaign, rows.days, wild, absence)


def _taken(spoken: Spoken, name: str) -> float:
    missed = spoken.absent.get(name)
    return missed.weight if missed and name not in spoken.near else 0.0
