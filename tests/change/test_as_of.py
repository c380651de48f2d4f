"""What is said two days after something happened, on made-up observatories measured as `update` does."""

import numpy as np
import pytest

from spamtide.calibration.plan import (
    Away,
    Fall,
    Filter,
    Happening,
    Plan,
    Rename,
    Turn,
    botnet_name,
    sensor_name,
)
from spamtide.calibration.world import make_world, truncated
from spamtide.change import detect
from spamtide.model import Change
from spamtide.series import measure

ONSET = 75
WORLDS = 3
CASES: dict[str, tuple[tuple[Happening, ...], set[str], str]] = {
    "stop": ((Fall(1, ONSET, 1, 0.0),), {"cease", "decline"}, botnet_name(1)),
    "two stop": ((Fall(0, ONSET, 1, 0.0), Fall(1, ONSET, 1, 0.0)), {"cease", "decline"}, botnet_name(1)),
    "to a tenth": ((Fall(1, ONSET, 1, 0.1),), {"decline", "cease"}, botnet_name(1)),
    "stop during an outage": (
        (Fall(1, ONSET, 1, 0.0), Away(0, ONSET, 4)),
        {"cease", "decline"},
        botnet_name(1),
    ),
    "sensor lost": ((Away(0, ONSET),), {"sensor-outage"}, sensor_name(0)),
    "sensor filtered": ((Filter(0, ONSET, 0.1),), {"sensor-change", "sensor-outage"}, sensor_name(0)),
    "relay moved": (
        (Filter(0, ONSET, 0.05, relay=True),),
        {"sensor-change", "sensor-outage"},
        sensor_name(0),
    ),
    "name lost": ((Rename(1, ONSET),), {"attribution-loss"}, botnet_name(1)),
    "all relays moved": (
        tuple(Filter(s, ONSET, 0.05, relay=True) for s in range(8)),
        {"sensor-change", "sensor-outage"},
        sensor_name(0),
    ),
    "switch": ((Turn(0, ONSET, 1, 0.5),), {"switch"}, botnet_name(0)),
}


def as_of(happenings: tuple[Happening, ...], seed: int, days: int = 2) -> tuple[Change, ...]:
    plan = Plan(days=ONSET + days, sensors=8, botnets=5, volume=600.0, holidays=False, happenings=happenings)
    made = make_world(plan, np.random.default_rng([seed, 3]))
    start = plan.date(ONSET - 3)
    return tuple(
        c for c in detect(measure(truncated(made.panel, ONSET + days)), whole=True) if c.onset >= start
    )


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_two_days_after_it_the_kind_is_right_and_nobody_else_is_blamed(case: str) -> None:
    happenings, kinds, subject = CASES[case]
    falls = {"decline", "cease", "attribution-loss"}
    right = 0
    for seed in range(WORLDS):
        told = as_of(happenings, seed, days=3 if case == "switch" else 2)
        blamed = {c.subject for c in told if c.kind in falls - kinds and c.subject_kind == "botnet"}
        right += any(c.kind in kinds and c.subject == subject for c in told) and not blamed
    assert right >= WORLDS - 1


def test_growth_of_one_programme_or_of_nothing_is_not_told() -> None:
    told = as_of((Filter(0, ONSET, 1.0, relay=True),), 1)
    assert [c for c in told if c.confidence > 0.9] == []


def test_a_collection_with_a_gap_is_a_sensors_outage() -> None:
    """One source: what ends and begins is the collecting."""
    plan = Plan(
        days=200,
        sensors=1,
        botnets=3,
        volume=200.0,
        ham=0.0,
        holidays=False,
        happenings=tuple(Fall(b, 80, 1, 0.002, until=150) for b in range(3)),
    )
    made = make_world(plan, np.random.default_rng(5))
    panel = made.panel
    panel.counts[:, :, 80:150] //= 50  # the unattributed ends as well
    told = detect(measure(panel))
    assert {c.subject_kind for c in told} <= {"sensor"}
    assert "sensor-outage" in {c.kind for c in told}
