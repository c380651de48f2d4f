"""Who talks of the same and is hardly of one campaign: what strangers share says nothing for anybody.

A topic has its words, and often a footer that all who write of it have. How much a strain has in common with
strains that came weeks apart in other forms is what it may have in common with anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from spamtide.campaign.weighing import Vectors

Ints = NDArray[np.int64]
Form = tuple[int, ...]
"""A value of each fact."""

FAR_DAYS = 10
"""Strains so many days apart are hardly of one campaign, though they talk of the same."""
USUAL = 0.75
"""Share of a strain's strangers that talk less of the same than company must."""


class Strangers:
    """A strain of each campaign, that others are compared with."""

    def __init__(
        self, vectors: Vectors, sample: Ints, first: Ints, last: Ints, forms: Sequence[Form], least: float
    ) -> None:
        """Keep the strains to compare with.

        Args:
            vectors: of all strains.
            sample: strains to keep.
            first: day of the first mail of each of these.
            last: day of the last; -1 where none is known.
            forms: the commonest form of each of these.
            least: likeness in words from which two strains talk of the same.
        """
        self._vectors = vectors
        self._turned = vectors.sums[sample].T.tocsr()
        self._exemplars = np.maximum(vectors.exemplars[sample], 1)
        self._first, self._last, self._least = first, last, least
        self._number = {form: place for place, form in enumerate(sorted(set(forms)))}
        self._kind = np.array([self._number[form] for form in forms], dtype=np.int64)

    def talk(self, strain: int, first: int, last: int, form: Form) -> float:
        """Likeness in words that a quarter of a strain's strangers exceed; 0 where it has none.

        Args:
            strain: its number.
            first: day of its first mail.
            last: day of its last.
            form: its commonest form.
        """
        said = (self._vectors.sums[strain] @ self._turned).toarray()[0]
        said /= self._exemplars * max(int(self._vectors.exemplars[strain]), 1)
        apart = (self._first - last > FAR_DAYS) | (first - self._last > FAR_DAYS)
        other = self._kind != self._number.get(form, -1)
        talk = said[(said >= self._least) & apart & (self._last >= 0) & other]
        return float(np.quantile(talk, USUAL)) if talk.size else 0.0
