"""Links in time: the shift test and the exchange test, by themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from measure_links import autumn, power, spurious

from spamtide.finding.estimate.links import RARE, Trial, exchange_test, shift_test

days = st.integers(0, 99)


@given(st.lists(st.tuples(days, st.lists(days, max_size=4)), max_size=5))
def test_p_is_a_share_and_an_event_that_concerns_nothing_costs_nothing(
    told: list[tuple[int, list[int]]],
) -> None:
    """P lies above own p, both in (0, 1]."""
    trials = [Trial(day, tuple(moves)) for day, moves in told]
    found = shift_test(trials, 100)
    assert all(0 < odds.own <= 1 and odds.own <= odds.p + 1e-12 for odds in found)
    more = shift_test([*trials, Trial(50, ())], 100)
    assert more[:-1] == found
    assert more[-1].p == 1


def test_an_event_on_the_day_of_its_only_move_is_as_near_as_can_be() -> None:
    (odds,) = shift_test([Trial(40, (40,))], 100)
    assert odds.own == odds.p == 0.01
    (far,) = shift_test([Trial(80, (40,))], 100)
    assert far.p == 1


def test_looking_at_more_events_costs() -> None:
    alone = shift_test([Trial(41, (40,))], 200)[0].p
    crowd = shift_test([Trial(41, (40,)), *(Trial(d, (90 + d,)) for d in (10, 70, 120))], 200)[0].p
    assert crowd > alone


def test_several_moves_around_an_event_count_for_more_than_one() -> None:
    one, four = (shift_test([Trial(50, moves)], 365)[0].p for moves in ((45,), (45, 52, 53, 56)))
    assert four < one


@pytest.mark.slow
def test_shuffled_calendars_give_few_links() -> None:
    """At most 5 %; a little more is allowed for the number of runs (two standard errors)."""
    rng = np.random.default_rng(5)
    allowed = RARE + 2 * np.sqrt(RARE * (1 - RARE) / 600)
    assert autumn(rng, 600) <= allowed
    assert spurious(rng, 600, 120, 4, 3) <= allowed
    assert power(rng, 50, 365, 1, 0, 3) > 0.9


def test_who_moved_is_fishers_exact_test() -> None:
    assert exchange_test(4, 4, 0, 2) == pytest.approx(1 / 15)
    assert exchange_test(0, 4, 0, 2) == 1
    assert exchange_test(2, 3, 1, 3) == pytest.approx(0.5)
