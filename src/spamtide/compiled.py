"""The compiled form of a few loops over characters and days, where installation could build it.

Everything works without it, and gives the same (fits, dates and costs of levels and mixes: but for the last
digits, as sums are taken in another order): each of its functions stands in for Python that is kept, and is
held against it by tests. SPAMTIDE_PURE=1 in the environment leaves it out. Sources: native/.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FORM = 18
"""Counted up with every change to what the functions are given or give; an older module is left alone."""


class Native(Protocol):
    """What the module offers. None as an answer means: not this one, ask the Python."""

    def read_page(
        self, source: str, entities: dict[str, str], paint_of: Callable[[str, str, str, str], int], /
    ) -> tuple[str, list[str | tuple[int, str]], list[str], list[tuple[str, str]], int] | None:
        """Visible text, addresses, texts of images, hidden texts, whether there are style sheets.

        See message.html. An address is a string when nothing is to be undone, else (0, address) or
        (1, refresh of a page). A hidden text has its reason before it: s style, f white font, t tiny font.
        """

    def read_head(
        self, data: bytes, most: int, kind: type[Any], single: tuple[str, ...], bound: int, /
    ) -> tuple[tuple[Any, ...], list[str], int, int] | None:
        """Header fields, lower-case names, bits of defects, offset of the body; see message.header."""

    def read_fields(
        self, block: str, most: int, kind: type[Any], single: tuple[str, ...], /
    ) -> tuple[tuple[Any, ...], list[str], int, int] | None:
        """The same of a block that was cut out and decoded; the last number says nothing."""

    def columns(
        self, fields: tuple[Any, ...], /
    ) -> tuple[list[str], list[str], list[str], dict[str, str], list[str]]:
        """Header fields by column; see observation.observe."""

    def fold(
        self, subject: str, rendering: str, greetings: bytes, without: Callable[[str], str], /
    ) -> bytes | None:
        """See campaign.folding; the beginning of a text that may greet is handed to `without`."""

    def tidy_lines(self, text: str, /) -> str:
        """See message.text."""

    def is_seen(self, text: str, /) -> bool:
        """Whether no character of a text is left out by `drop_unseen`; see message.text."""

    def is_spaced(self, text: str, /) -> bool:
        """Whether every character is of a script with spaces between words; see campaign.folding."""

    def urls_in_text(self, text: str, clean: Callable[[str], str], /) -> list[str]:
        """Addresses in a text; those with something to undo by `clean`. See message.url."""

    def link_authorities(self, links: tuple[str, ...], /) -> list[str | tuple[str]] | None:
        """Authorities of links, and the rests of those that may carry another; see observation.lure."""

    def recipient_paths(self, received: list[str], /) -> list[str]:
        """Recipients that trace headers name; see observation.redact."""

    def redact(self, data: bytes, domains: dict[bytes, tuple[tuple[bytes, bytes], ...]], /) -> bytes:
        """Data with each local part and domain replaced by its token; see observation.redact."""

    def render(
        self,
        above: list[str],
        names: list[str],
        values: list[str],
        below: list[str],
        text: str,
        most: int,
        most_of_all: int,
        /,
    ) -> bytes | None:
        """Lines, header fields within the bounds, lines and a text in UTF-8; see observation.rendering."""

    def read_date(self, value: str, /) -> tuple[dt.datetime, str] | None:
        """Instant in UTC and zone of a date in the form that nearly all have; see observation.when."""

    def shape(self, text: str, literals: frozenset[str], sized: bool, /) -> str | None:  # noqa: FBT001 - C
        """See observation.template."""

    def wordings_in(
        self, text: str, table: bytes, known: bytes, patterns: dict[bytes, tuple[bytes, ...]], /
    ) -> list[tuple[bytes, list[int]]] | None:
        """Folded wordings that stand anywhere in a text, and where; see attribution.brand.index."""

    def may_say(
        self,
        rendering: str,
        table: bytes,
        known: bytes,
        patterns: dict[bytes, tuple[bytes, ...]],
        standing: dict[bytes, tuple[tuple[str | None, int, int], ...] | None],
        most: int,
        most_of_links: int,
        /,
    ) -> bool:
        """Whether a message may say wording in disguise; see attribution.brand.reading."""

    def texts_in(
        self, text: str, sieve: bytes, entries: bytes, texts: bytes, sets: bytes, /
    ) -> list[int] | None:
        """Numbers of the texts of rules that stand in a message; see attribution.signature.sieve."""

    def mixed(
        self, sketches: NDArray[np.uint32], first: int, columns: int, seed: int, out: NDArray[np.uint64], /
    ) -> None:
        """A 64-bit number of some values of each sketch; see campaign.mixing."""

    def shared(
        self,
        sketches: NDArray[np.uint32],
        left: NDArray[np.int64],
        right: NDArray[np.int64],
        out: NDArray[np.uint8],
        /,
    ) -> None:
        """How many values each pair of sketches has in common; see campaign.candidates."""

    def join_groups(self, *given: NDArray[Any] | float) -> None:
        """Join groups over pairs, in their order; see campaign.grouping."""

    def most_different(
        self, sketches: NDArray[np.uint32], members: NDArray[np.int64], taken: NDArray[np.int64], /
    ) -> None:
        """Places of the most different members, written into `taken`; see campaign.clustering."""

    def bands(self, sketches: NDArray[np.uint32], columns: int, out: NDArray[np.uint64], /) -> None:
        """A 64-bit number of each band of each sketch, written band by band; see campaign.candidates."""

    def met(
        self, keys: NDArray[np.uint64], others: NDArray[np.uint64], fresh: NDArray[np.bool_], window: int, /
    ) -> bytes:
        """Pairs of sketches that share a bucket, eight bytes each; see campaign.candidates."""

    def any_met(
        self, numbers: NDArray[np.uint64], sieve: NDArray[np.uint8], asked: NDArray[np.uint64], /
    ) -> bool:
        """Whether any number is among those asked; see store.contents."""

    def trait_begins(self, entries: NDArray[np.uint64], begins: NDArray[np.int64], /) -> int:
        """How many traits sorted entries are of; where they begin is written. See campaign.weighing."""

    def sift_traits(
        self,
        entries: NDArray[np.uint64],
        begins: NDArray[np.int64],
        kinds: NDArray[np.int64],
        weights: Floats,
        lengths: Floats,
        phrase: int,
        /,
    ) -> int:
        """Lengths of exemplars, and entries of recurring traits, written; see campaign.weighing."""

    def sum_traits(self, *given: NDArray[Any] | int) -> int:
        """Sums over the exemplars of each strain, written; see campaign.weighing."""

    def nearest(
        self,
        ours: tuple[NDArray[Any], ...],
        theirs: tuple[NDArray[Any], ...],
        asked: NDArray[np.int64],
        among: NDArray[np.int64],
        least: float,
        found: NDArray[np.int64],
        /,
    ) -> None:
        """The nearest strains of each that is asked, written into `found`; see campaign.kinship."""

    def inner(self, small: dict[int, float], large: dict[int, float], /) -> float:
        """Inner product of two sparse vectors, in the order of the first; see campaign.regrouping."""

    def read_words(
        self, texts: list[bytes], reading: bytes, inner: bytes, table: bytes, rules: tuple[int, ...], /
    ) -> tuple[bytes, bytes]:
        """Hashes of words and the numbers of their texts, eight bytes each; see campaign.words."""

    def follow(
        self,
        days: tuple[Floats, ...],
        grid: tuple[Floats, ...],
        at_work: tuple[Floats, ...],
        first: int,
        stop: int,
        /,
    ) -> None:
        """Some units of the filters of a wandering level; `at_work` is written. See change.moves.waves."""

    def ramps(
        self,
        days: tuple[Floats, Floats, Floats],
        kinds: tuple[Floats, Floats, Floats],
        grid: tuple[Floats, Floats],
        first: int,
        numbers: NDArray[np.int64],
        bounds: tuple[float, float],
        mass: Floats,
        /,
    ) -> float | None:
        """Sums over all ramps of a move, written into `mass`; see change.moves.date. None: not this one."""

    def cuts(self, sums: Floats, size: float, penalty: float, previous: NDArray[np.int64], /) -> None:
        """Optimal partitioning; `previous` is written. See change.moves.segment and change.mixes.switch."""

    def uneven(
        self, count: Floats, programmes: int, bounds: tuple[int, float, float], out: Floats, /
    ) -> None:
        """What each window of a mix says of how uneven it is, written; see change.mixes.mix."""

    def swing(
        self, part: Floats, total: Floats, rho: float, window: int, shares: tuple[float, float, float], /
    ) -> float:
        """By how much a share swings; see change.mixes.turnover."""

    def exchange(
        self,
        days: tuple[NDArray[Any], ...],
        sides: tuple[NDArray[np.int64], NDArray[np.int64]],
        grids: tuple[Floats, Floats],
        numbers: tuple[int, int, int, int],
        bounds: tuple[float, ...],
        /,
    ) -> tuple[float, float, float] | None:
        """Chi-squared of nothing, of an exchange, of one programme alone; see change.mixes.exchange."""

    def levels(
        self,
        count: Floats,
        offset: Floats,
        size: float,
        bounds: NDArray[np.int64],
        arriving: tuple[int, float],
        /,
    ) -> float:
        """Twice the log-likelihood ratio of some levels against one; see change.moves.weigh."""

    def lines(
        self,
        days: tuple[Floats, ...],
        places: tuple[NDArray[np.int64], NDArray[np.int64]],
        left: int,
        right: int,
        size: float,
        slight: float,
        cost: Floats,
        /,
    ) -> None:
        """Lines between two levels held against the days; `cost` is written. See change.moves.slope."""

    def score(
        self,
        table: tuple[Floats, Floats],
        prior: tuple[Floats, Floats],
        effects: tuple[Floats, Floats],
        held: int,
        alpha: float,
        bounds: tuple[int, float, float, float],
        /,
    ) -> bool:
        """Scoring of a panel; `effects` are written. False: not this one. See series.fitting.loglinear."""

    def dispersion(
        self, square: Floats, mean: Floats, freedom: int, bounds: tuple[float, int, float], /
    ) -> float:
        """See series.fitting.dispersion."""

    def spread(
        self,
        arrays: tuple[Floats, ...],
        place: NDArray[np.int64],
        inner: Floats,
        crossed: Floats,
        /,
    ) -> None:
        """Products of what is correlated, into `inner` and `crossed`; see series.fitting.arrow."""

    def correlate(self, values: Floats, near: Floats, out: Floats, /) -> None:
        """Serial correlation along the last axis, written into `out`; see series.fitting.arrow."""


def _load() -> Native | None:
    """Load the module; None where it was not built, not for these sources, or is not wanted."""
    if os.environ.get("SPAMTIDE_PURE"):
        return None
    try:
        module = import_module("spamtide._native")
    except ImportError:
        return None
    return cast(Native, module) if module.FORM == FORM else None


native = _load()
