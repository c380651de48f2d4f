"""What the stage `cluster` says of itself."""

from __future__ import annotations

from spamtide.store.evidence import Fresh
from spamtide.store.lake import Files
from spamtide.update.gathering import Gathered


def test_only_steps_that_took_long_are_told() -> None:
    """A second and more; of a small observatory nothing but the number."""
    nothing = Fresh(Files("observations", ()), Files("memberships", ()), None)
    assert Gathered(1200, {}, nothing, {"read": 0.2}, None).told() == "1,200 new contents"
    seconds = {"read": 0.2, "cluster": 1.52, "relate": 12.0}
    assert Gathered(3, {}, nothing, seconds, None).told() == "3 new contents: cluster 1.5 s, relate 12.0 s"
