"""Faults put into worlds with known truth, and the one known fault of the real mail."""

from __future__ import annotations

import datetime as dt
import gzip
import mailbox
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spamtide.model import Outage, Panel
from spamtide.series import estimate, measure

Make = Callable[..., Any]
"""Makes a world or a panel; see conftest."""

FIRST = dt.date(2024, 1, 1)
AT = 120
SEEDS = range(6)


def _days(outage: Outage) -> tuple[int, int | None]:
    """Start and end as positions in the span."""
    return (outage.start - FIRST).days, None if outage.end is None else (outage.end - FIRST).days


def _kinds(panel: Panel) -> Counter[tuple[str, str]]:
    return Counter((outage.kind, outage.sensor) for outage in estimate(panel).outages)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_quiet_world_has_no_outage(world: Make, panel_of: Make, seed: int) -> None:
    """Noise, weekdays and drift alone are no fault of any sensor."""
    made = world(seed)
    exposure = estimate(panel_of(made.counts(), made.ham))
    assert exposure.outages == ()
    assert (exposure.values == 1).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_late_and_early_sensors_are_absent(world: Make, panel_of: Make, seed: int) -> None:
    """Before the first mail and after the last; exactly these days have exposure 0."""
    made = world(seed)
    counts, ham = made.counts(), made.ham.copy()
    counts[:, 1, :40] = counts[:, 2, AT:] = 0
    ham[1, :40] = ham[2, AT:] = 0
    exposure = estimate(panel_of(counts, ham))
    assert [(o.sensor, o.kind, *_days(o)) for o in exposure.outages] == [
        ("s1", "absent", 0, 39),
        ("s2", "absent", AT, None),
    ]
    assert (exposure.values[1, :40] == 0).all()
    assert (exposure.values[1, 42:] == 1).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_silence_in_mid_life_is_down(world: Make, panel_of: Make, seed: int) -> None:
    """Spam and ham both gone for five days; still gone at the end of the span, it has no end."""
    made = world(seed)
    counts, ham = made.counts(), made.ham.copy()
    counts[:, 3, AT : AT + 5] = counts[:, 0, -4:] = 0
    ham[3, AT : AT + 5] = ham[0, -4:] = 0
    found = [(o.sensor, o.kind, *_days(o)) for o in estimate(panel_of(counts, ham)).outages]
    assert found == [("s0", "down", 176, None), ("s3", "down", AT, AT + 4)]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_botnet_that_stops_everywhere_is_no_outage(world: Make, panel_of: Make, seed: int) -> None:
    """One subject falling on all sensors, and all spam falling while ham goes on, leave every sensor up."""
    made = world(seed)
    made.mean[0, :, AT:] *= 0.02
    assert _kinds(panel_of(made.counts(), made.ham)) == {}
    made.mean[:, :, AT:] *= 0.02
    assert _kinds(panel_of(made.counts(), made.ham)) == {}


def test_all_spam_silent_while_ham_goes_on_is_not_down(world: Make, panel_of: Make) -> None:
    """Other mail shows that the sensors are up: not a message of spam, and yet no outage."""
    made = world(1)
    made.mean[:, :, AT:] = 0.0
    exposure = estimate(panel_of(made.counts(), made.ham))
    assert exposure.outages == ()


def test_an_observatory_that_goes_dark_is_down(world: Make, panel_of: Make) -> None:
    """Nothing of any kind anywhere, in the midst of full mail: nobody was looking."""
    made = world(1)
    counts, ham = made.counts(), made.ham.copy()
    counts[:, :, AT : AT + 6] = 0
    ham[:, AT : AT + 6] = 0
    exposure = estimate(panel_of(counts, ham))
    assert Counter(o.kind for o in exposure.outages) == {"down": 5}
    assert (exposure.values[:, AT : AT + 6] == 0).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_one_subject_on_one_sensor_is_of_that_cell_alone(world: Make, panel_of: Make, seed: int) -> None:
    """A botnet that stops at one sensor and goes on at the others: the sensor sees all else as before."""
    made = world(seed)
    made.mean[0, 2, AT:] *= 0.02
    panel = panel_of(made.counts(), made.ham)
    exposure = estimate(panel)
    (outage,) = exposure.outages
    assert (outage.kind, outage.sensor) == ("changed", "s2")
    assert [name for kind, name in outage.subjects if kind == "botnet"] == [panel.subjects[1][1]]
    assert abs((outage.start - panel.days[AT].astype(object)).days) <= 1
    assert (exposure.values == 1).all()


@pytest.mark.parametrize(("seed", "share"), [(seed, share) for seed in SEEDS for share in (0.4, 0.02, 3.0)])
def test_all_subjects_on_one_sensor_is_a_changed_sensor(
    world: Make, panel_of: Make, seed: int, share: float
) -> None:
    """Lost, filtered or grown feed: 'changed', dated within its interval, and on as a new epoch."""
    made = world(seed)
    made.mean[:, 3, AT:] *= share
    exposure = estimate(panel_of(made.counts(), made.ham))
    (outage,) = exposure.outages
    assert (outage.sensor, outage.kind) == ("s3", "changed")
    assert outage.onset_low is not None
    assert outage.onset_high is not None
    assert (outage.onset_low - FIRST).days - 2 <= AT <= (outage.onset_high - FIRST).days + 2
    assert "other sensors" in outage.evidence
    follows = made.mean[:, 3, AT:].sum() * share >= 60
    assert outage.end is not None or not follows


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sensor_that_grows_slowly_does_not_hide_one_that_doubled(
    world: Make, panel_of: Make, seed: int
) -> None:
    """Untold, both make days in a row alike; the doubling is told as of every later day all the same."""
    days, at = 150, 45
    made = world(seed, sizes=(210.0, 150.0, 90.0, 90.0, 60.0), days=days, alpha=0.02, rho=0.1)
    size = np.ones((5, days))
    size[3, at:] = 2.0
    size[2] = 2.5 ** np.clip((np.arange(days) - 20) / 80, 0, 1)
    counts = made.rng.poisson(made.mean * made.noise * size)
    for until in range(80, days + 1, 5):
        told = estimate(panel_of(counts[:, :, :until], made.ham[:, :until])).outages
        of_it = [outage for outage in told if outage.sensor == "s3"]
        assert [outage.kind for outage in of_it] == ["changed"]
        assert abs(_days(of_it[0])[0] - at) <= 7


@pytest.mark.parametrize("seed", SEEDS)
def test_several_subjects_on_one_sensor_are_that_sensor(world: Make, panel_of: Make, seed: int) -> None:
    """It greylists: bots never come again, and what comes from servers does."""
    made = world(seed, subjects=6)
    largest = np.argsort(-made.mean[:, 3].sum(axis=1))
    bots = largest[: len(largest) * 2 // 3]
    assert 3 <= len(bots) < 0.75 * len(largest)
    made.mean[bots, 3, AT:] *= 0.1
    exposure = estimate(panel_of(made.counts(), made.ham))
    (outage,) = exposure.outages
    assert (outage.sensor, outage.kind) == ("s3", "changed")


def _moved(days: int, sensors: int, who: set[int]) -> tuple[tuple[str, ...], ...]:
    old, new = ("mx1.example",) * AT, ("mx2.example",) * (days - AT)
    return tuple(old + new if row in who else ("mx9.example",) * days for row in range(sensors))


def test_sensors_that_fall_with_their_relay_have_changed(world: Make, panel_of: Make) -> None:
    """All sensors change relay and lose their spam on one day while ham goes on: it is the filter."""
    made = world(3)
    made.mean[:, :, AT:] *= 0.05
    exposure = estimate(panel_of(made.counts(), made.ham, _moved(180, 5, set(range(5)))))
    assert Counter(o.kind for o in exposure.outages) == {"changed": 5}
    for outage in exposure.outages:
        assert abs(_days(outage)[0] - AT) <= 2
        assert (outage.relay_before, outage.relay_after) == ("mx1.example", "mx2.example")
        assert "mx1.example -> mx2.example" in outage.evidence


def test_a_relay_change_alone_is_nothing(world: Make, panel_of: Make) -> None:
    """A new relay without a jump is no outage."""
    made = world(3)
    assert _kinds(panel_of(made.counts(), made.ham, _moved(180, 5, set(range(5))))) == {}


def test_a_fall_of_all_is_not_blamed_on_the_one_that_changed_relay(world: Make, panel_of: Make) -> None:
    """Sensors whose relay stayed fell just so: the botnets did it."""
    made = world(3)
    made.mean[:, :, AT:] *= 0.2
    assert _kinds(panel_of(made.counts(), made.ham, _moved(180, 5, {2}))) == {}


@pytest.mark.parametrize("sensors", [1, 5])
def test_the_one_that_changed_relay_and_fell_has_changed(world: Make, panel_of: Make, sensors: int) -> None:
    """Alone in the observatory or among others."""
    made = world(3, sizes=(50.0,) * sensors)
    made.mean[:, 0, AT:] *= 0.2
    panel = panel_of(made.counts(), made.ham, _moved(180, sensors, {0}))
    assert _kinds(panel) == {("changed", "s0"): 1}


def test_a_relay_that_lingers_does_not_hide_the_change(world: Make, panel_of: Make) -> None:
    """One of the sensors names the old relay for three more weeks (forwarded mail): changed all the same."""
    made = world(3, sizes=(0.4, 0.5, 0.6, 0.4), subjects=1, days=400, drift=0.0)
    made.mean[:, :, AT:] *= 0.02
    relays = list(_moved(400, 4, set(range(4))))
    relays[0] = ("mx1.example",) * (AT + 21) + ("mx2.example",) * (379 - AT)
    found = estimate(panel_of(made.counts(), made.ham, tuple(relays))).outages
    assert [(o.kind, o.sensor) for o in found] == [("changed", f"s{row}") for row in range(4)]
    assert all(abs(_days(o)[0] - AT) <= 14 for o in found)


def test_a_sensor_silent_since_the_others_moved_has_moved_with_them(world: Make, panel_of: Make) -> None:
    """No mail names its new relay, for none comes: still 'changed', not 'absent'."""
    made = world(3, sizes=(5.0, 5.0, 5.0))
    made.mean[:, :, AT:] *= 0.02
    made.mean[:, 2, AT:] = 0
    made.ham[2] = 0
    relays = list(_moved(180, 3, {0, 1, 2}))
    counts = made.counts()
    relays[2] = tuple(name if counts[:, 2, day].any() else "" for day, name in enumerate(relays[2]))
    found = estimate(panel_of(counts, made.ham, tuple(relays))).outages
    assert [(o.kind, o.sensor) for o in found] == [("changed", f"s{row}") for row in range(3)]


def test_too_little_mail_after_a_change_ends_the_sensor(world: Make, panel_of: Make) -> None:
    """Exposure 0 from there on, and no end, when fewer than thirty messages follow."""
    made = world(3, sizes=(60.0, 60.0, 60.0))
    made.mean[:, 0, AT:] *= 0.002
    exposure = estimate(panel_of(made.counts(), made.ham))
    (outage,) = exposure.outages
    assert outage.end is None
    assert (exposure.values[0, AT + 1 :] == 0).all()


@pytest.mark.parametrize("seed", [5, 6, 7])
@pytest.mark.parametrize("other", [False, True])
def test_a_sensor_that_comes_and_goes_and_stays_away_has_left(
    world: Make, panel_of: Make, seed: int, *, other: bool
) -> None:
    """Its weeks of absence make any silence look usual; where other mail goes on, its filter changed."""
    made = world(seed, sizes=(60.0, 60.0, 60.0, 5.0), days=360)
    counts, ham = made.counts(), made.ham.copy()
    ham[3] = made.rng.poisson(0.5, 360)
    counts[:, :, 308:] = counts[:, :, 308:] * 2 // 3
    for first, last in ((26, 52), (78, 156), (182, 208), (234, 260), (308, 360)):
        counts[:, 3, first:last] = 0
        ham[3, first : first if other and last == 360 else last] = 0
    (left,) = [o for o in estimate(panel_of(counts, ham)).outages if o.sensor == "s3" and o.end is None]
    assert left.kind == ("changed" if other else "absent")
    assert abs((left.start - FIRST).days - 308) <= 2


# ---------------------------------------------------------------- real mail: the vger lists

HOP = re.compile(r"\bby (\S+)")
INNER = ("mail.lfdr.de", "vger.kernel.org")


def _relay(received: list[str]) -> str:
    """Host that took the message for the lists: the first hop that is neither archive nor mirror."""
    for line in received:
        match = HOP.search(line)
        host = match.group(1) if match else ""
        if host and host not in INNER and "mirrors" not in host and "lore" not in host:
            return host
    return ""


@pytest.fixture(scope="session")
def vger(corpora: Path, tmp_path_factory: pytest.TempPathFactory, panel_of: Make) -> Panel:
    """Daily counts of four mailing lists as sensors, from the archive's own Received lines."""
    rows = []
    folder = tmp_path_factory.mktemp("vger")
    for packed in sorted((corpora / "vger").glob("*.mbox.gz")):
        name, label = packed.name.split(".")[:2]
        plain = folder / packed.stem
        plain.write_bytes(gzip.decompress(packed.read_bytes()))
        for message in mailbox.mbox(plain, factory=BytesHeaderParser().parse, create=False):
            received = [" ".join(str(line).split()) for line in message.get_all("Received") or []]
            if received:
                when = parsedate_to_datetime(received[0].rsplit(";", 1)[1].strip()).astimezone(dt.UTC)
                rows.append((name, label, when.date(), _relay(received)))
    first = dt.date(2019, 5, 1)
    rows = [row for row in rows if row[2] >= first]
    span = (max(row[2] for row in rows) - first).days + 1
    names = sorted({row[0] for row in rows})
    spam = np.zeros((1, len(names), span), dtype=np.int64)
    ham = np.zeros((len(names), span), dtype=np.int64)
    relays: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    for name, label, date, relay in rows:
        row, day = names.index(name), (date - first).days
        (spam[0] if label == "spam" else ham)[row, day] += 1
        if relay:
            relays[row, day][relay] += 1
    top = tuple(
        tuple(relays[row, day].most_common(1)[0][0] if relays[row, day] else "" for day in range(span))
        for row in range(len(names))
    )
    made = panel_of(spam, ham, top)
    days = np.datetime64(first) + np.arange(span)
    return Panel(days, tuple(names), made.subjects, made.counts, ham, top, {})


def _cut(panel: Panel, since: str, until: str) -> Panel:
    keep = (panel.days >= np.datetime64(since)) & (panel.days < np.datetime64(until))
    relays = tuple(tuple(name for name, kept in zip(row, keep, strict=True) if kept) for row in panel.relays)
    return Panel(
        panel.days[keep],
        panel.sensors,
        panel.subjects,
        panel.counts[:, :, keep],
        panel.ham[:, keep],
        relays,
        {},
    )


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("since", "until"),
    [("2019-05-01", "2027-01-01"), ("2023-06-01", "2024-03-01"), ("2023-01-01", "2023-12-15")],
)
def test_the_lists_of_vger_changed_in_november_2023(vger: Panel, since: str, until: str) -> None:
    """All four lists, a few messages a month each: 'changed' with the relay, in mid November 2023.

    Also from nine months, and when only four weeks have passed.
    """
    changed = [o for o in estimate(_cut(vger, since, until)).outages if o.kind == "changed"]
    assert [o.sensor for o in changed] == list(vger.sensors)
    for outage in changed:
        assert dt.date(2023, 11, 5) <= outage.start <= dt.date(2023, 11, 24)
        assert outage.onset_high is not None
        assert outage.onset_high <= dt.date(2023, 12, 5)
        assert outage.relay_before == "lindbergh.monkeyblade.net"
        assert outage.relay_after == "smtp.subspace.kernel.org"


@pytest.mark.corpus
def test_the_lists_of_vger_did_not_change_before(vger: Panel) -> None:
    """Four quiet years of the same lists, bursts and silent months and all: no outage of any kind."""
    assert estimate(_cut(vger, "2019-05-01", "2023-10-15")).outages == ()


def test_boxes_that_were_read_to_different_days_are_no_outage(world: Make, panel_of: Make) -> None:
    """One sensor has a last day, or a last few, that the others' boxes do not reach: nobody is down."""
    made = world(1, days=60)
    counts, ham = made.counts(), made.ham.copy()
    counts[:, 1:, -1:] = ham[1:, -1:] = 0
    assert estimate(panel_of(counts, ham)).outages == ()
    counts[:, :, -4:] = ham[:, -4:] = 0
    counts[0, 0, -1] = 1
    assert estimate(panel_of(counts, ham)).outages == ()


def test_a_sensor_that_ended_before_another_began_takes_no_day_from_it(world: Make, panel_of: Make) -> None:
    """An old collection in the same observatory: it has left, and the days since are the new sensor's."""
    made = world(3, sizes=(40.0, 60.0))
    counts, ham = made.counts(), made.ham.copy()
    counts[:, 0, 60:], ham[0, 60:] = 0, 0
    counts[:, 1, :90], ham[1, :90] = 0, 0
    found = estimate(panel_of(counts, ham))
    assert found.values[1, 90:].all()
    assert not found.values[1, :90].any()
    assert not found.values[0, 60:].any()
    assert [(o.sensor, o.kind, o.end is None) for o in found.outages] == [
        ("s0", "absent", True),
        ("s1", "absent", False),
    ]


def test_one_message_says_nothing_of_the_weeks_before(world: Make, panel_of: Make) -> None:
    made = world(2, days=60)
    counts, ham = made.counts(), made.ham.copy()
    counts[:, 0] = ham[0] = 0
    counts[0, 0, -1] = 1
    assert estimate(panel_of(counts, ham)).outages == ()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sensor_that_began_with_a_message_a_month_was_not_there_for_years(
    world: Make, panel_of: Make, seed: int
) -> None:
    """Once it is there, it is rare, and up."""
    made = world(seed, sizes=(40.0, 60.0, 50.0), days=1500)
    counts, ham = made.counts(), made.ham.copy()
    counts[:, 0], ham[0] = 0, 0
    counts[0, 0, [700, 733, 761, 790]] = 1
    counts[0, 0, 800:] = made.rng.poisson(0.4, 700)
    found = estimate(panel_of(counts, ham))
    assert not found.values[0, :700].any()
    assert found.values[0, 700:].mean() > 0.95
    assert ("s0", "absent", 0, 699) in [(o.sensor, o.kind, *_days(o)) for o in found.outages]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_filter_of_the_last_week_leaves_the_index(world: Make, panel_of: Make, seed: int) -> None:
    """The largest sensor is filtered to a twentieth a week ago: its days count no more, the index stays."""
    made = world(seed, days=90, drift=0.0)
    counts = made.counts()
    counts[:, 3, -7:] //= 20
    measured = measure(panel_of(counts, made.ham))
    (outage,) = measured.exposure.outages
    assert (outage.sensor, outage.kind) == ("s3", "changed")
    index = measured.series[0].index
    assert index[-6:].mean() == pytest.approx(index[-35:-7].mean(), rel=0.2)
