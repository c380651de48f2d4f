"""Each compiled function, asked by way of its user for something drawn, with both forms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import forms
import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from hostile import DATES, NAMED, TOKENS, Hostile
from numpy.typing import NDArray
from soups import soup

from spamtide.attribution import compile_signatures, match
from spamtide.attribution.brand.words import wording_of
from spamtide.change.mixes.mix import Mix
from spamtide.change.moves.segment import Segments, Track
from spamtide.compiled import native
from spamtide.each import in_turn
from spamtide.model import Header, Message
from spamtide.settings import Limits

Call = tuple[str, tuple[Any, ...]]
"""Name of a compiled function, and arguments."""

SLOW = frozenset({"ramps", "follow"})
NAMES = ("A", "Received", "RECEIVED", "\u00c9", "\u212a", "", "x" * 101)
KNOWN = ("a@b.c", "a@b.cd", "x.a@b.c", "\u00e9@b.c", "b.c@b.c", "a%40@b.c", "x@y.z", "a@x", "b@=4")
SAID = ("viagra soft tabs", "canadian pills", "viagra", "cialis", *(f"made{n:x}wording" for n in range(120)))

RULES = "".join(
    f'rule r{n} {{ meta: kind = "botnet" name = "X" strings: $a = "{said}" {more} condition: $a }}\n'
    for n, (said, more) in enumerate(
        (
            ("text:", ""), ("soft", "fullword"), ("VIAGRA", "nocase"), ("c a n", "nocase fullword"),
            ("<td>", ""),
            ("0" * 30, ""), ("@b.c", "nocase"), ("&#64;", "nocase"), (" a a", "fullword"),
        )
    )
)  # fmt: skip

MARKS = ("\nsubject: ", "\ntext:\n", "\nheader From: ", "\n", "<")


class Shown:
    """What folding looks at of an observation."""

    def __init__(self, subject: str, rendering: str) -> None:
        self.subject, self.rendering = subject, rendering


class Near:
    """Numbers that are the same but for their last digits: a variance of none may be 1e-16, its root 1e-8."""

    def __init__(self, numbers: NDArray[np.float64]) -> None:
        self.numbers = numbers

    def __eq__(self, other: object) -> bool:
        """Whether they are."""
        return isinstance(other, Near) and np.allclose(
            self.numbers, other.numbers, rtol=1e-8, atol=1e-6, equal_nan=True
        )

    def __hash__(self) -> int:
        """One for all: what is nearly the same must share it."""
        return 0


class Asking:
    """Asks functions; `table` has them by name."""

    def __init__(self, hostile: Hostile) -> None:
        self.hostile = hostile
        self.dice = hostile.dice
        wordings = [one for text in SAID if (one := wording_of(text, cased=False))]
        self.indexes = [forms.brands.Index(wordings[:count]) for count in (1, 4, 120)]
        self.readings = [forms.reading.reading_of(wordings[:count]) for count in (1, 4, 120)]
        self.ruleset = compile_signatures([(Path("a.yar"), RULES)])
        text = hostile.text
        self.table: dict[str, Callable[[], object]] = {
            "read_page": self._page,
            "read_head, read_fields": self._fields,
            "columns": self._columns,
            "fold": self._fold,
            "redact": self._redact,
            "render": self._render,
            "shape": lambda: forms.template._shape(text(), sized=self.dice.random() < 0.5),
            "urls_in_text": lambda: forms.url.urls_in_text(text()),
            "read_date": lambda: forms.when.read_date(text(DATES)),
            "link_authorities": lambda: forms.lure.link_hosts([f"http://{one}" for one in hostile.texts()]),
            "recipient_paths": self._recipients,
            "wordings_in": self._wordings,
            "may_say": self._dressed,
            "texts_in": self._rules,
            "read_words": self._words,
            "mixed": self._mixed,
            "shared, join_groups": self._groups,
            "most_different": self._different,
            "bands, met": self._edges,
            "any_met": self._met,
            "trait_begins, sift_traits, sum_traits": self._weighed,
            "nearest": self._nearest,
            "inner": self._inner,
            "is_spaced": lambda: forms.folding._fold_unicode(text()),
            "is_seen": self._unseen,
            "tidy_lines": lambda: forms.text.tidy_lines(text()),
            "ramps": self._ramps,
            "follow": self._follow,
            "cuts": self._cuts,
            "levels, lines": self._levels,
            "uneven, swing, exchange": self._mix,
            "score, dispersion, correlate, spread": self._fit,
        }

    def both(self, name: str, seed: int) -> tuple[object, object]:
        """What one seed draws, with the compiled form and without."""
        self.dice.seed(seed)
        compiled = self.table[name]()
        self.dice.seed(seed)
        with forms.python_alone():
            return compiled, self.table[name]()

    def calls(self, seeds: range) -> list[Call]:
        """What the compiled functions are handed by their users, not yet written to."""
        found: list[Call] = []

        class Noting:
            """The module, with its calls noted."""

            def __getattr__(self, name: str) -> Callable[..., object]:
                def call(*given: object) -> object:
                    copied = [one.copy() if isinstance(one, np.ndarray) else one for one in given]
                    found.append((name, tuple(copied)))
                    return getattr(native, name)(*given)

                return call

        try:
            for user in forms.USERS:
                user.native = Noting()
            for name, ask in self.table.items():
                for seed in seeds[:1] if name in SLOW else seeds:
                    self.dice.seed(seed)
                    ask()
        finally:
            for user in forms.USERS:
                user.native = native
        return found

    def _generator(self) -> np.random.Generator:
        return np.random.default_rng(self.dice.randrange(2**32))

    # ------------------------------------------------------------------------ messages

    def _page(self) -> object:
        dice = self.dice
        return forms.page(
            soup(dice, dice.choice((3, 12, 40))) if dice.random() < 0.6 else self.hostile.text()
        )

    def _fields(self) -> object:
        dice = self.dice
        data = self.hostile.whole() if dice.random() < 0.5 else self.hostile.data()
        bounds = dice.choice((0, 1, 60, *[2**18] * 9))
        limits = Limits(headers=dice.choice((0, 1, 5, *[1000] * 9)), header_bytes=bounds)
        defects: set[str] = set()
        return forms.header.scan_headers(data, limits, defects), defects

    def _columns(self) -> object:
        names = [self.dice.choice((*NAMES, self.hostile.text())) for _ in range(12)]
        fields = [Header(name, value, "") for name, value in zip(names, self.hostile.texts(12), strict=False)]
        return forms.seeing._columns(tuple(fields))

    def _unseen(self) -> object:
        defects: set[str] = set()
        return forms.text.drop_unseen(self.hostile.text(), defects), defects

    # ------------------------------------------------------------------------ observations

    def _redact(self) -> object:
        dice = self.dice
        drawn = [
            *dice.choices(KNOWN, k=dice.choice((1, 3, 9))),
            *(dice.choice(KNOWN) + self.hostile.text()[:9] for _ in range(3)),
        ]
        addresses = forms.redact.recipients_of(drawn, [], ())
        return forms.redact.Redactor(addresses, b"k").in_bytes(self.hostile.data())

    def _recipients(self) -> object:
        received = [f"from a for {text} by b for <{text}" for text in self.hostile.texts()]
        return forms.redact.recipients_of((), received, ())

    def _render(self) -> object:
        hostile = self.hostile
        names = hostile.texts(12)
        values = [hostile.text() for _ in names]
        visible, links = hostile.text(), tuple(hostile.texts())
        message = Message((), visible[:20], visible, "", "", links, "", "", "", "", (), 0, (), "none")
        frame = forms.rendering.Frame("1.2.3.4", "helo", "A,B", "t")
        return forms.rendering.render(hostile.texts(), message, names, values, frame)

    # ------------------------------------------------------------------------ campaigns and brands

    def _fold(self) -> object:
        text = self.hostile.text
        return forms.folding.fold(Shown(text(), f"{text()}\ntext:{text()}"))

    def _words(self) -> object:
        cut = self.dice.choice((50, 4000, 10**7))
        found = forms.words.read_words(
            [text[:cut].encode("utf-8", "replace") for text in self.hostile.texts()]
        )
        return found.hashes.tolist(), found.text.tolist()

    def _wordings(self) -> object:
        text = self.hostile.text(self.dice.choice((TOKENS, NAMED)))
        return sorted(self.dice.choice(self.indexes).places(text), key=repr)

    def _dressed(self) -> object:
        """Twice, for what a wording's rule has is known from the first time that it was found."""
        tokens = self.dice.choice((TOKENS, NAMED, (*NAMED, *MARKS)))
        text, reading = self.hostile.text(tokens), self.dice.choice(self.readings)
        return [forms.reading.finds(text, reading) for _ in range(2)]

    def _rules(self) -> object:
        return match([self.hostile.text(), self.hostile.text(NAMED)], self.ruleset)

    def _sketches(self, count: int) -> NDArray[np.uint32]:
        """Some alike, some the same."""
        kinds = max(1, count // self.dice.choice((1, 2, 8)))
        rows = self._generator().integers(0, 2**32, (kinds, 64), dtype=np.uint32)
        some: NDArray[np.uint32] = rows[[self.dice.randrange(kinds) for _ in range(count)]]
        some[:, : self.dice.choice((0, 1, 30))] = 7
        return some

    def _mixed(self) -> object:
        first = self.dice.randrange(65)
        columns, seed = self.dice.randrange(65 - first), self.dice.randrange(2**64)
        return forms.mixing.mixed(self._sketches(self.dice.choice((0, 1, 9))), first, columns, seed).tolist()

    def _different(self) -> object:
        sketches = self._sketches(self.dice.choice((13, 40, 600)))
        rows = SimpleNamespace(minhashes=sketches, content=self._generator().permutation(len(sketches)))
        return forms.clustering._most_different(rows, np.arange(len(sketches))).tolist()

    def _edges(self) -> object:
        """Small buckets and crowded ones."""
        sketches = np.unique(self._sketches(self.dice.choice((0, 1, 30, 600))), axis=0)
        varied = self._generator()
        sketches = np.repeat(sketches, self.dice.choice((1, 3)), axis=0)
        sketches[:, varied.integers(0, 64)] = varied.integers(0, 2**32, len(sketches))
        fresh = varied.random(len(sketches)) < self.dice.choice((0, 0.3, 1))
        found = forms.candidates.find_edges(sketches, fresh, 0.5)
        return found.left.tolist(), found.right.tolist(), found.similarity.tolist()

    def _met(self) -> object:
        draw = self._generator()
        known, asked = (
            draw.integers(0, 2**64, count, dtype=np.uint64) for count in (3000, self.dice.choice((1, 900)))
        )
        known[0] = asked[0] if self.dice.random() < 0.5 else known[0]
        lake = SimpleNamespace(batches=lambda *_: [pa.record_batch({"digest": known.view(np.int64)})])
        return forms.contents._any_known(lake, asked)

    def _weighed(self) -> object:
        """Strains of one exemplar and of many, traits of all kinds that some or all of them have."""
        dice, draw = self.dice, self._generator()
        exemplars, strains = dice.choice(((1, 1), (12, 3), (400, 2), (300, 90)))
        strain = draw.integers(0, strains, exemplars)
        known = draw.integers(0, 2**32, dice.choice((3, 200)), dtype=np.uint64).astype(np.uint32)
        known = (known >> np.uint32(dice.choice((0, 0, 12)))) | (known & np.uint32(3))
        held = [np.unique(draw.choice(known, dice.choice((0, 2, 60)))) for _ in range(exemplars)]
        traits = pa.chunked_array([pa.array([one.tobytes() for one in held], pa.binary())])
        exemplar = draw.permutation(exemplars) if dice.random() < 0.8 else np.full(exemplars, -1)
        found = forms.weighing.vectorise(traits, exemplar, strain, strains)
        sparse = [
            one.tolist()
            for matrix in (found.sums, found.phrases, found.means)
            for one in (matrix.data, matrix.indices, matrix.indptr)
        ]
        plain = (found.exemplars, found.norms, found.squares, found.wording, found.telling, found.kind)
        return sparse, [one.tolist() for one in plain]

    def _groups(self) -> object:
        dice = self.dice
        count = dice.choice((1, 2, 3, 20, 200))
        rows = self._sketches(count)
        start = np.array([0] * (count // 3) + list(range(count // 3, count)), dtype=np.int64)
        drawn = [sorted(dice.choices(range(count), k=2)) for _ in range(dice.choice((0, 1, 5 * count)))]
        pairs = sorted({(left, right) for left, right in drawn if left != right})
        left, right = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
        alike = forms.candidates._estimates(rows, left, right)
        groups = forms.grouping.Groups(rows, start, 0.6)
        groups.join_all(forms.candidates.Edges(left, right, alike))
        return groups.roots().tolist()

    def _nearest(self) -> object:
        drawn, dice = self._generator(), self.dice
        strains, traits = dice.choice((0, 1, 30, 300)), dice.choice((1, 40))
        told = sp.random(strains, traits, dice.choice((0.0, 0.1, 1.0)), "csr", rng=drawn)
        told.data = np.round(told.data * 4) / 4  # so that many are as near as others
        every, asked = np.arange(strains), np.arange(0, strains, dice.choice((1, 3)))
        least = dice.choice((0.1, 0.5))
        here, there = forms.kinship._nearest(told[asked], told.T.tocsr(), asked, every, least, in_turn)
        return sorted(zip(here.tolist(), there.tolist(), strict=True))

    def _inner(self) -> object:
        drawn = self._generator()
        one, other = (
            dict(zip(drawn.permutation(60).tolist(), drawn.random(size).tolist(), strict=False))
            for size in self.dice.choices((0, 1, 60), k=2)
        )
        return forms.regrouping._dot(one, other)

    # ------------------------------------------------------------------------ changes

    def _ramps(self) -> object:
        dice, drawn = self.dice, self._generator()
        days = dice.choice((30, 61, 120))
        count = drawn.poisson(drawn.choice((0.0, 3.0, 1e6), days)).astype(float)
        onset = dice.randrange(1, days - 2)
        window = (onset, onset + dice.randrange(1, days - onset))
        offset = drawn.choice((0.0, 1.0, 1e-9, 1e9), days)
        spread = dice.choice((0.5, 8.0, 1e6))
        found = forms.date.ramp_posterior(count, offset, spread, window, (0, days), forms.date.RESIDUALS)
        return Near(found[1])

    def _follow(self) -> object:
        drawn, grid = self._generator(), forms.waves.GRID
        shape = self.dice.choice((1, 5)), self.dice.choice((1, 2, 61, 130))
        log = np.where(drawn.random(shape) < 0.2, np.nan, drawn.normal(3.0, 0.3, shape))
        after = np.cumsum(drawn.random(shape) < 0.05, axis=1) % 2.0
        noise, uneven = drawn.uniform(0.001, 0.1, shape), drawn.uniform(0.001, 0.1, (shape[0], len(grid)))
        memory, whole = grid[:, 0].copy(), grid[:, 1] ** 2
        rows = forms.waves._Rows(log, noise, uneven, after)
        return [one.tobytes() for one in forms.waves._run(rows, memory, whole)[:2]]

    def _cuts(self) -> object:
        return forms.switch.partition_mix(self._some_mix()), forms.segment.partition(self._track(), 3.0)

    def _levels(self) -> object:
        track = self._track()
        units = len(track.count)
        edges = [0, *sorted(self.dice.sample(range(1, units), 2)), units]
        cut = Segments((0, edges[1], edges[2]), units, (1.0, 2.0, 3.0))
        gain = forms.weigh.merged_gain(track, edges, track.size)
        found = forms.slope.fit(track, cut, 1, 2, track.size)
        return Near(np.append(found.cost.ravel() if found else [], gain))

    def _mix(self) -> object:
        dice, mix = self.dice, self._some_mix()
        units = np.arange(mix.count.shape[1])
        at = dice.randrange(1, len(units))
        loser, gainer = dice.randrange(len(mix.programmes)), dice.randrange(len(mix.programmes))
        found = forms.exchange.weigh_exchange(mix, loser, gainer, units[:at], units[at:])
        swung = forms.turnover.swing(mix.count[0], mix.total, mix.rho, mix.step)
        three = () if found is None else (found.nothing, found.moved, found.alone)
        return Near(np.array([*three, swung, forms.mix.intra_day(mix.count)]))

    def _track(self) -> Track:
        dice, drawn = self.dice, self._generator()
        days = dice.choice((3, 40, 90))
        exposure = drawn.choice((0.0, 0.5, 1.0), days, p=(0.1, 0.1, 0.8))
        level = dice.choice((0.0, 0.3, 50.0, 1e5)) * np.where(np.arange(days) < days // 2, 1.0, 0.4)
        count = drawn.poisson(level * exposure * drawn.gamma(5.0, 1 / 5, days)) * 1.0
        weight = exposure * drawn.uniform(0.5, 2.0, days)
        size = dice.choice((0.5, 8.0, 1000.0))
        return Track(dt.date(2024, 1, 1), 1, count, exposure, weight, size)

    def _some_mix(self) -> Mix:
        dice, drawn = self.dice, self._generator()
        programmes, days = dice.choice((1, 2, 5)), dice.choice((14, 60))
        shares = drawn.dirichlet(np.ones(programmes) / 2, 3)[np.sort(drawn.integers(0, 3, days))]
        count = drawn.multinomial(dice.choice((1, 50, 5000)), shares).T * (drawn.random(days) < 0.9)
        names = tuple(f"p{number}" for number in range(programmes))
        start, even = dt.date(2024, 1, 1), np.ones(days)
        return Mix(start, 1, names, count.astype(float), even, dice.choice((0.0, 0.02, 1.0)))

    def _fit(self) -> object:
        dice, drawn = self.dice, self._generator()
        shape = dice.choice((1, 3, 9)), dice.choice((1, 40, 131))
        exposure = drawn.choice((0.0, 0.5, 1.0, 3.0), shape) * dice.choice((0.01, 1.0, 1e4))
        counts = drawn.poisson(exposure * drawn.gamma(0.5, 2.0, shape) * dice.choice((0.01, 5.0))) * 1.0
        found = forms.loglinear.fit(counts, exposure, shrink=dice.choice((0.0, 0.5)))
        halves = np.arange(shape[1]) < [[shape[1] // 2], [shape[1]]]
        covariance = found.period_covariance(halves.astype(float)).ravel()
        return Near(np.concatenate((found.level, found.log_se, found.high, found.sensor, covariance)))
