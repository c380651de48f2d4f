"""A name that was lost: no loss of its botnet's, and told only until it is back."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from told import Make, said, shift

from spamtide.finding import state
from spamtide.model import Change, Contribution, Measurement

LOST = shift("attribution-loss", "grum", "2010-09-20", end=dt.date(2010, 9, 21), ratio=0.0)
ONSET = (LOST.onset - dt.date(2010, 7, 2)).days
PARTS = (
    Contribution("total", "total", -29.0, -33.0, -25.0),
    Contribution("botnet", "rustock", -28.0, -31.0, -25.0),
    Contribution("botnet", "grum", -12.0, -14.0, -10.0),
    Contribution("botnet", "cutwail", 2.0, 0.5, 3.5),
    Contribution("botnet", "unknown", 11.0, 9.0, 13.0),
)


def nameless(make: Make, days: slice) -> Measurement:
    """The world in which Grum's mail bears no name on some days: it is in `unknown`."""
    world = make().measurement
    mine, other = (
        world.panel.counts[world.panel.subjects.index(("botnet", name))] for name in ("grum", "unknown")
    )
    other[:, days] += mine[:, days]
    mine[:, days] = 0
    return world


def stands(make: Make, world: Measurement, *changes: Change) -> str:
    """Grum's state."""
    found = state(make(world, changes=changes))
    return next(s.state for s in found.statuses if s.botnet == "grum")


def test_a_lost_name_is_no_loss_of_the_botnet(make: Make) -> None:
    """Its points and what `unknown` won with them are one number, and the name is told as lost."""
    found = state(make(nameless(make, slice(ONSET, None)), changes=(LOST,), contributions=PARTS))
    assert found.names_lost == ("grum",)  # what the chart is drawn from
    assert [(part.subject, part.points) for part in found.parts] == [
        ("rustock", -28.0),
        ("cutwail", 2.0),
        ("unknown", -1.0),
    ]
    claim = said(found, "decomposition")
    assert claim.sentence == (
        "Of the 29 [25-33] index points lost, 28 [25-31] are Rustock's. Mail known as Grum, 12 [10-14] "
        "points, lost its name and counts with mail that cannot be attributed: no fall of it is in these "
        "numbers."
    )
    before = (shift("attribution-loss", "grum", "2010-07-20"), shift("decline", "rustock", "2010-09-20"))
    found = state(make(nameless(make, slice(ONSET, None)), changes=before, contributions=PARTS))
    assert "Grum 12" in said(found, "decomposition").sentence  # the level before was without the name, too


def test_a_name_is_lost_until_it_is_back(make: Make) -> None:
    """Back is a week at most of the level before, or a move of the botnet's own."""
    gone = nameless(make, slice(ONSET, None))
    assert stands(make, gone, LOST) == "not recognised any more"
    assert stands(make, nameless(make, slice(ONSET, ONSET + 12)), LOST) == "active"
    few = nameless(make, slice(ONSET, None))
    row = few.panel.counts[few.panel.subjects.index(("botnet", "grum"))]
    row[:, ONSET:] = np.arange(row[:, ONSET:].size).reshape(row.shape[0], -1) % 3  # one of 18
    assert stands(make, few, LOST) == "not recognised any more"
    assert stands(make, gone, LOST, shift("cease", "grum", "2010-10-04", end=dt.date(2010, 10, 5))) != (
        "not recognised any more"
    )


@pytest.mark.parametrize(("part", "word"), [(0.6, "not recognised any more"), (0.95, "active")])
def test_a_name_that_was_lost_in_part_is_back_when_the_rest_is(make: Make, part: float, word: str) -> None:
    """Of a name of which six tenths were left, six tenths are no return."""
    world = make().measurement
    row = world.panel.counts[world.panel.subjects.index(("botnet", "grum"))]
    row[:, ONSET:] = np.round(row[:, ONSET:] * part).astype(np.int64)
    lost = shift("attribution-loss", "grum", "2010-09-20", end=dt.date(2010, 9, 21), ratio=0.6)
    assert stands(make, world, lost) == word


def test_that_a_name_is_back_is_said(make: Make) -> None:
    """By the last day of the first week that bears it at half its level: on four days of seven."""
    gone = nameless(make, slice(ONSET, None))
    assert said(state(make(gone, changes=(LOST,))), "attribution-loss").sentence.endswith(
        "no fall is counted."
    )
    back = nameless(make, slice(ONSET, ONSET + 12))
    sentence = said(state(make(back, changes=(LOST,))), "attribution-loss").sentence
    assert sentence.endswith("no fall is counted. It was named again by 5 October.")
