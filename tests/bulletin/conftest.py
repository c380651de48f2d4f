"""Claims, statuses and a measurement made by hand, for bulletins."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pytest

from spamtide.bulletin import ChartInputs, Charts, Edition, charts
from spamtide.model import Change, Contribution, Exposure, IndexSeries, Measurement, Panel
from spamtide.statement import Claim, Status

START = dt.date(2010, 7, 2)
UNTIL = dt.date(2010, 10, 14)
DAYS = 105
SENSORS = ("trap-a", "trap-b", "trap-c")
FALL = 80


def made_claim(kind: str, subject: str, sentence: str, importance: float, **more: object) -> Claim:
    fields: dict[str, object] = {
        "claim": f"{kind}:botnet:{subject}:2010-09-20",
        "subject_kind": "botnet",
        "numbers": {"name": subject.capitalize()},
        "n": 1234,
        "sensors": SENSORS,
        "command": f"spamtide export observations --botnet {subject}",
        "confidence": 0.97,
    }
    return Claim(kind=kind, subject=subject, sentence=sentence, importance=importance, **(fields | more))


@pytest.fixture
def claims() -> tuple[Claim, ...]:
    """A fall, whose it is, where the botnet stands, a switch, the make-up, coverage."""
    total = {"subject_kind": "total"}
    return (
        made_claim("coverage", "total", "The figures rest on 9 messages.", 15, **total),
        made_claim(
            "level",
            "total",
            "The volume index stands at 62 [59-65], against 100 [98-102] before: 38 % [35-41] less.",
            100,
            **total,
            numbers={"index": 62.0, "percent": 38.0, "direction": "fall"},
        ),
        made_claim(
            "decomposition",
            "total",
            "Of the 38 [35-41] points lost, 27 [24-30] are Rustock's.",
            95,
            **total,
            numbers={"largest": "Rustock", "largest_word": "most", "points": 38.0},
        ),
        made_claim("decline", "rustock", "Rustock began to fall about 20 September [19-21].", 80),
        made_claim("status", "rustock", "Rustock is quiet, not gone: a trickle.", 77),
        made_claim("switch", "xarvester", "Xarvester has carried Ultimate Replicas.", 70),
        made_claim("botnets", "all", "Of 9 messages, 8 carry traits.", 43),
        made_claim("programmes", "all", "Of 9 messages, 7 advertise.", 42),
    )


@pytest.fixture
def make_claim() -> Callable[..., Claim]:
    """Makes one claim."""
    return made_claim


@pytest.fixture
def statuses() -> tuple[Status, ...]:
    """One quiet botnet and one of which nothing is known."""
    return (
        Status(
            "rustock", "quiet", 1.04, 0.7, 1.4, 49.8, 2, 3, 7.0, UNTIL, UNTIL, (("Maple Meds", 0.92),),
            "quiet, not gone", "trickle: below 5 % of the level before",
        ),
        Status(
            "grum", "unknown", float("nan"), float("nan"), float("nan"), float("nan"), 0, 0, float("nan"),
            None, None, (), "not observed", "no sensor: no sensor was up",
        ),
    )  # fmt: skip


@pytest.fixture
def edition() -> Edition:
    """The frame of a simulated bulletin."""
    return Edition(
        dt.date(2010, 9, 17), UNTIL, 3, 1_204_331, simulated=True, versions={"series": 4, "changes": 2}
    )


@pytest.fixture(scope="session")
def drawn(scene: ChartInputs) -> Charts:
    """The scene's charts, drawn once."""
    return charts(scene)


@pytest.fixture(scope="session")
def scene() -> ChartInputs:
    """Three sensors, one botnet that falls and one that switches, one sensor down for a while."""
    rng = np.random.default_rng(3)
    exposure = np.ones((3, DAYS))
    exposure[2, 84:93] = 0
    shape = np.ones(DAYS)
    shape[FALL:] = 0.05
    rustock = rng.poisson(50 * shape * exposure)
    other = rng.poisson(30 * exposure)
    unknown = rng.poisson(10 * exposure)
    total = rustock + other + unknown
    days = np.arange(DAYS) + np.datetime64(START)
    daily = total.sum(axis=0)
    index = 100 * daily / np.maximum(90.0 * exposure.sum(axis=0), 1)
    series = IndexSeries(
        "total", "total", days, daily, index, index - 5, index + 5, "2010-07-02..2010-07-29",
        90.0 * exposure.sum(axis=0), 1.0, 0.1,
    )  # fmt: skip
    switched = np.zeros(DAYS, dtype=np.int64)
    switched[90:] = other.sum(axis=0)[90:]
    panel = Panel(
        days,
        SENSORS,
        (("total", "total"), ("botnet", "rustock"), ("botnet", "xarvester"), ("botnet", "unknown")),
        np.stack([total, rustock, other, unknown]),
        np.zeros((3, DAYS), dtype=np.int64),
        (("",) * DAYS,) * 3,
        {
            ("rustock", "Maple Meds"): rustock.sum(axis=0),
            ("xarvester", "Maple Meds"): other.sum(axis=0) - switched,
            ("xarvester", "Ultimate Replicas"): switched,
            ("unknown", "unknown"): unknown.sum(axis=0),
        },
    )
    fall = START + dt.timedelta(days=FALL)
    day = dt.timedelta(days=1)
    return ChartInputs(
        measurement=Measurement(panel, Exposure(exposure, ()), (series,)),
        changes=(
            Change("decline", "total", "total", fall, fall - day, fall + day, None, None, None, 0.55, 0.99),
            Change(
                "cease", "botnet", "rustock", fall, fall - day, fall + day,
                fall + day, fall, fall + day, 0.05, 0.99,
            ),
        ),
        contributions=(
            Contribution("total", "total", -48.0, -51.0, -45.0),
            Contribution("botnet", "rustock", -47.0, -50.0, -44.0),
            Contribution("botnet", "xarvester", 1.0, -1.0, 3.0),
            Contribution("botnet", "unknown", -2.0, -3.0, -1.0),
        ),
        window=(dt.date(2010, 9, 17), UNTIL),
        before=(dt.date(2010, 8, 22), dt.date(2010, 9, 18)),
        after=(dt.date(2010, 10, 8), UNTIL),
        events=((dt.date(2010, 9, 27), "SpamIt: <b>closure</b>"), (dt.date(2009, 1, 1), "long before")),
    )  # fmt: skip
