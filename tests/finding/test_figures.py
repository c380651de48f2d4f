"""The small statistics, against exact values and simulation, and how numbers are written."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spamtide.finding.figures import Figure, Rate, rate, ratio, share_of
from spamtide.finding.words import Dated, clean, day_words, defang, figure_words, tell
from spamtide.wilson import poisson_bounds


def test_wilson_against_published_values() -> None:
    """Newcombe 1998, table I, method 3: 81 of 263 is .2553 to .3662; 0 of 20 is 0 to .1611."""
    share = share_of(81, 263)
    assert (share.low, share.high) == (pytest.approx(25.53, abs=0.01), pytest.approx(36.62, abs=0.01))
    none = share_of(0, 20)
    assert (none.low, none.high) == (0, pytest.approx(16.11, abs=0.01))


def test_poisson_bounds_cover_the_mean() -> None:
    """The score interval holds the true mean in about 95 of 100 draws, small means included."""
    rng = np.random.default_rng(7)
    for mean in (2.0, 9.0, 60.0):
        draws = rng.poisson(mean, 4000)
        bounds = [poisson_bounds(int(x)) for x in draws]
        covered = np.mean([low <= mean <= high for low, high in bounds])
        assert 0.93 <= covered <= 0.98


def test_the_ratio_of_two_rates_covers_the_truth() -> None:
    """MOVER-R on two Poisson counts, one of them small: nominal 95 %."""
    rng = np.random.default_rng(8)
    before, after = rng.poisson(400, 3000), rng.poisson(8, 3000)
    hits = 0
    for b, a in zip(before, after, strict=True):
        found = ratio(Rate(int(a), 1.0, 1.0), Rate(int(b), 1.0, 1.0))
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 0.02 <= found.high
    assert 0.93 <= hits / 3000 <= 0.98


def test_a_rate_knows_the_sensors_that_were_up() -> None:
    """Days without exposure count neither as mail nor as time; scatter beyond Poisson widens the interval."""
    counts, offset = np.array([10, 10, 0, 10]), np.array([1.0, 1.0, 0.0, 1.0])
    assert rate(counts, offset, slice(0, 4)) == Rate(30, 3.0, 1.0)
    assert rate(np.array([0, 40, 0, 40]), np.ones(4), slice(0, 4)).dispersion > 10
    assert math.isnan(ratio(rate(counts, offset, slice(0, 2)), Rate(0, 1.0, 1.0)).value)


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        (Figure(62.3, 58.9, 65.4), "62 [59-65]"),
        (Figure(1.2, 0.4, 2.0), "1.2 [0.4-2.0]"),
        (Figure(2.0, -1.0, 5.0), "2 [-1 to 5]"),
        (Figure(38.2, 34.0, 41.3, "percent"), "38 % [34-41]"),
        (Figure(100.0, 99.9, 100.0, "percent"), "100 % [99.9-100]"),
        (Figure(5.0, unit="percent"), "5 %"),
        (Figure(3.14, 2.8, 3.4, "times"), "3.1 times [2.8-3.4]"),
        (Figure(-0.01, -0.5, 1.9), "0.0 [-0.5 to 1.9]"),
        (Figure(1_204_331.0), "1,204,331"),
        (Figure(math.nan, math.nan, math.nan), "unknown"),
        (Figure(4.0, 3.0, math.inf, "times"), "4 times [3 or more]"),
    ],
)
def test_figures_are_written_with_the_digits_that_they_deserve(figure: Figure, words: str) -> None:
    """Interval in brackets after the number, one way everywhere."""
    assert figure_words(figure) == words


def test_days_are_written_as_prose() -> None:
    """The year stands only where it is another; an interval across months names both."""
    low, day, high = dt.date(2010, 9, 29), dt.date(2010, 10, 1), dt.date(2010, 10, 3)
    sentence, numbers = tell(
        "From {a} on, {b}.", {"a": Dated(day, low, high), "b": dt.date(2009, 1, 2)}, 2010
    )
    assert sentence == "From 1 October [29 September to 3 October] on, 2 January 2009."
    assert numbers == {
        "a": "2010-10-01",
        "a_low": "2010-09-29",
        "a_high": "2010-10-03",
        "b": "2009-01-02",
    }
    assert day_words(day, 2010) == "1 October"
    around = Dated(dt.date(2022, 1, 4), dt.date(2021, 12, 14), dt.date(2022, 1, 17))
    told, _ = tell("{a}", {"a": around}, 2022)
    assert told == "4 January [14 December 2021 to 17 January 2022]"


@given(st.text(max_size=200))
def test_cleaned_text_is_one_harmless_line(text: str) -> None:
    """No control, format or direction marks survive, and no usable link does."""
    line = defang(clean(text + "http://evil.example.com\u202e\x00\n"))
    assert "\n" not in line
    assert "\x00" not in line
    assert "\u202e" not in line
    assert "http://" not in line.lower()
    assert len(line) <= 200


def test_a_name_may_hold_braces_without_being_a_slot() -> None:
    """A hostile name never becomes part of the template."""
    sentence, numbers = tell("{name} fell.", {"name": "{n} {name}"}, 2010)
    assert sentence == "{n} {name} fell."
    assert numbers == {"name": "{n} {name}"}
