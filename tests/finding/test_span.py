"""Which days a bulletin speaks of."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from told import Make

from spamtide.errors import BadDataError, UsageError
from spamtide.finding import period
from spamtide.model import Exposure, Measurement, Panel


def empty() -> Measurement:
    """A measurement of no day at all."""
    days = np.array([], dtype="datetime64[D]")
    panel = Panel(days, (), (), np.zeros((0, 0, 0), dtype=np.int64), np.zeros((0, 0), dtype=np.int64), (), {})
    return Measurement(panel, Exposure(np.zeros((0, 0)), ()), ())


def thinned(measurement: Measurement, keep: float) -> Measurement:
    """The same with a share of the counts."""
    counts = (measurement.panel.counts * keep).astype(np.int64)
    return replace(measurement, panel=replace(measurement.panel, counts=counts))


def test_the_usual_period_is_four_weeks_held_against_the_weeks_before_the_fall(make: Make) -> None:
    """28 days; after is the last week; before ends on the day before the fall may have begun."""
    inputs = make()
    assert inputs.period == period(inputs.measurement, None, None, inputs.changes)
    assert (inputs.period.since, inputs.period.until) == (dt.date(2010, 9, 17), dt.date(2010, 10, 14))
    assert inputs.period.before == (dt.date(2010, 8, 22), dt.date(2010, 9, 18))
    assert inputs.period.after == (dt.date(2010, 10, 8), dt.date(2010, 10, 14))
    assert inputs.period.comparable


def test_without_a_fall_the_base_is_the_level_before(make: Make) -> None:
    """The base of the index ended before the period and not long ago."""
    chosen = period(make().measurement, None, None)
    assert chosen.before == (dt.date(2010, 7, 2), dt.date(2010, 7, 29))


def test_little_mail_makes_the_whole_span_the_period(make: Make) -> None:
    """Under 200 messages in four weeks, all of the data is spoken of; whole weeks still stand before."""
    thin = thinned(make().measurement, 0.011)
    daily = thin.panel.counts[0].sum(axis=0)
    with_mail = np.flatnonzero(daily)
    chosen = period(thin, None, None)
    assert chosen.since == thin.panel.days[with_mail[0]].astype(dt.date)
    assert chosen.until == thin.panel.days[with_mail[-1]].astype(dt.date)


def test_both_ends_may_be_given_and_one_alone_too(make: Make) -> None:
    """Given days are taken as they are; a short period has a short window after."""
    measurement = make().measurement
    chosen = period(measurement, dt.date(2010, 10, 1), dt.date(2010, 10, 3))
    assert chosen.after == (dt.date(2010, 10, 1), dt.date(2010, 10, 3))
    assert period(measurement, dt.date(2010, 9, 1), None).until == dt.date(2010, 10, 14)
    assert period(measurement, None, dt.date(2010, 8, 31)).since == dt.date(2010, 8, 4)


def test_the_first_week_of_all_has_nothing_before_it(make: Make) -> None:
    """Before equals after where there is no week before: nothing can be compared."""
    chosen = period(make().measurement, dt.date(2010, 7, 2), dt.date(2010, 7, 8))
    assert chosen.before == chosen.after
    assert not chosen.comparable


def test_wrong_ends_and_no_mail_are_errors_that_say_what_to_do(make: Make) -> None:
    """A period that ends before it begins is a usage error; no dated mail is bad data."""
    with pytest.raises(UsageError):
        period(make().measurement, dt.date(2010, 10, 2), dt.date(2010, 10, 1))
    with pytest.raises(BadDataError, match="no wild mail"):
        period(empty(), None, None)
    chosen = period(empty(), dt.date(2010, 10, 1), dt.date(2010, 10, 9))
    assert not chosen.comparable


@pytest.mark.parametrize(
    ("since", "until"),
    [
        (None, dt.date(2010, 7, 1)),
        (dt.date(2010, 10, 15), None),
        (dt.date(1999, 1, 1), dt.date(1999, 2, 1)),
        (dt.date(2031, 1, 1), dt.date(2031, 2, 1)),
    ],
)
def test_days_beyond_the_data_are_an_error_that_says_which_there_are(
    make: Make, since: dt.date | None, until: dt.date | None
) -> None:
    """The first day before the data and the first after it, and years off."""
    with pytest.raises(UsageError) as found:
        period(make().measurement, since, until)
    assert "2010-07-02 to 2010-10-14" in found.value.advice
