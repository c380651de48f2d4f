"""The three-way cause of silence, and sensors as subjects of their own."""

from dataclasses import replace

import numpy as np
import pytest
from change_observatory import Setting, date, make

from spamtide.change.detect import detect
from spamtide.model import Change, Exposure, Measurement, Outage

NEAR = 14
"""Days from a sensor's move within which nothing may be told of a subject."""


def changes(setting: Setting, seed: int = 1) -> tuple[Change, ...]:
    return detect(make(np.random.default_rng(seed), setting))


def of_subjects(found: tuple[Change, ...]) -> list[Change]:
    return [c for c in found if c.subject_kind != "sensor"]


@pytest.mark.parametrize(
    "setting",
    [
        Setting(lost=(60, 7)),
        Setting(joins=50),
        Setting(leaves=70),
        Setting(changed=80),
        Setting(sensors=2, lost=(60, 7), joins=30),
        Setting(sensors=1, lost=(60, 10)),
    ],
    ids=["lost", "joins", "leaves", "all changed", "two sensors", "the only sensor"],
)
def test_sensors_that_come_go_or_change_move_no_subject(setting: Setting) -> None:
    days = [day for day in (setting.joins, setting.leaves, setting.changed) if day]
    if setting.lost:
        days += [setting.lost[0], sum(setting.lost)]
    flagged = []
    for seed in range(6):
        flagged += of_subjects(changes(setting, seed))
    assert [c for c in flagged if any(c.onset_low <= date(day) <= c.onset_high for day in days)] == []
    assert [c for c in flagged if any(abs((c.onset - date(day)).days) <= NEAR for day in days)] == []
    assert flagged == []


def test_outages_of_sensors_are_told_as_theirs() -> None:
    (found,) = changes(Setting(lost=(60, 7), joins=50))
    assert (found.kind, found.subject_kind, found.subject) == ("sensor-outage", "sensor", "s0")
    assert (found.onset, found.end) == (date(60), date(67))


def test_a_sensor_that_left_is_told_and_one_that_left_days_ago_is_not() -> None:
    (left,) = changes(Setting(leaves=90))
    assert (left.kind, left.subject, left.onset, left.end) == ("sensor-outage", "s1", date(90), None)
    assert changes(Setting(leaves=117)) == ()


def test_a_change_of_filter_on_all_sensors_is_a_change_of_sensors() -> None:
    found = changes(Setting(changed=80))
    assert [(c.kind, c.onset, c.end) for c in found] == [("sensor-change", date(80), None)] * 6
    assert all(c.ratio < 0.1 for c in found)


def test_a_fortnight_in_which_all_botnets_send_less_is_no_sensors() -> None:
    """Christmas: all fall alike at all sensors, no relay moves, other mail goes on."""
    found = changes(Setting(poor=(60, 12, 0.6), size=40.0))
    assert {c.subject_kind for c in found} <= {"total", "botnet", "programme"}
    assert any(c.subject_kind == "total" and c.kind == "decline" for c in found)


def test_relays_or_other_mail_show_that_it_was_the_sensors() -> None:
    """The same with new relays, or with as much less of other mail: then it is in front of the sensors."""
    measured = make(np.random.default_rng(2), Setting(poor=(60, 60, 0.6), size=40.0))
    days = len(measured.panel.days)
    moved = tuple(("old",) * 60 + ("new",) * (days - 60) for _ in measured.panel.sensors)
    ham = np.full(measured.panel.ham.shape, 10)
    less = ham.copy()
    less[:, 60:] = 6
    for panel in (replace(measured.panel, relays=moved), replace(measured.panel, ham=less)):
        assert "sensor-change" in {c.kind for c in detect(replace(measured, panel=panel))}
    for panel in (measured.panel, replace(measured.panel, ham=ham)):
        assert "sensor-change" not in {c.kind for c in detect(replace(measured, panel=panel))}


def unadjusted(measured: Measurement) -> Measurement:
    """The same measurement with an exposure that explains nothing: every sensor up on every day."""
    series = tuple(replace(s, offset=np.full(len(s.days), s.offset.max())) for s in measured.series)
    values = np.ones_like(measured.exposure.values)
    return Measurement(measured.panel, Exposure(values, measured.exposure.outages), series)


def test_the_only_sensor_is_not_out_while_its_other_mail_goes_on() -> None:
    """Of SpamAssassin's collection, 734 letters came in what was called an outage."""
    measured = unadjusted(make(np.random.default_rng(3), Setting(sensors=1, lost=(50, 40))))
    measured = replace(measured, exposure=Exposure(measured.exposure.values, ()))
    ham = np.full(measured.panel.ham.shape, 5)
    ends = ham.copy()
    ends[:, 50:90] = 0
    (out,) = detect(replace(measured, panel=replace(measured.panel, ham=ends)))
    assert (out.kind, out.end) == ("sensor-outage", date(90))
    hardly = ham * 20
    hardly[:, 50:90] = 1
    (out,) = detect(replace(measured, panel=replace(measured.panel, ham=hardly)))
    assert out.kind == "sensor-outage"
    kept, again = detect(replace(measured, panel=replace(measured.panel, ham=ham)))
    assert (kept.kind, again.kind) == ("sensor-change", "sensor-change")
    assert kept.end is None
    assert "other mail goes on" in kept.evidence


def test_a_fall_that_only_changed_sensors_show_is_theirs() -> None:
    """The exposure was not adjusted, all sensors changed on the day of the fall: no botnet stopped."""
    found = detect(unadjusted(make(np.random.default_rng(2), Setting(changed=80))))
    assert {c.kind for c in found} == {"sensor-change"}


def test_a_sensor_whose_relay_moved_too_is_no_witness() -> None:
    """Five of six sensors are known to have changed; the relay of the sixth moved on the same day.

    Where its relay stayed, all botnets fall alike on it too: even then no botnet stopped.
    """
    measured = unadjusted(make(np.random.default_rng(2), Setting(changed=80)))
    known = Exposure(measured.exposure.values, measured.exposure.outages[:5])
    moved = tuple(("old",) * 80 + ("new",) * 40 for _ in measured.panel.sensors)
    found = detect(replace(measured, exposure=known, panel=replace(measured.panel, relays=moved)))
    assert {c.kind for c in found} == {"sensor-change"}
    stayed = detect(replace(measured, exposure=known))
    assert {c.kind for c in stayed} == {"sensor-change"}


def test_a_stop_during_an_outage_is_told_by_the_sensors_that_stayed() -> None:
    for seed in range(6):
        found = changes(Setting(cease=(60, 3), lost=(60, 7)), seed)
        assert ("cease", "b0") in {(c.kind, c.subject) for c in found}
        assert ("sensor-outage", "s0") in {(c.kind, c.subject) for c in found}


def test_a_stop_while_the_only_sensor_was_away_is_told_after_its_return() -> None:
    """The silence itself proves nothing; what comes after it does."""
    found = changes(Setting(sensors=1, cease=(60, 2), lost=(58, 5)))
    assert ("cease", "b0") in {(c.kind, c.subject) for c in found}


def test_a_lost_name_is_no_decline() -> None:
    """A botnet's mail becomes unknown, the total stays: the one did not cease, the other did not rise."""
    for seed in range(6):
        (found,) = changes(Setting(lose_name=(60, 3)), seed)
        assert (found.kind, found.subject_kind, found.subject) == ("attribution-loss", "botnet", "b2")
        assert abs((found.onset - date(60)).days) <= 3


def test_a_stop_beside_a_steady_unknown_is_a_stop() -> None:
    found = changes(Setting(cease=(60, 3)))
    assert not [c for c in found if c.kind == "attribution-loss"]


def test_a_doubtful_outage_is_not_told() -> None:
    measured = make(np.random.default_rng(1), Setting())
    doubt = Outage("s0", date(50), date(52), "down", "perhaps", confidence=0.3)
    exposed = Exposure(measured.exposure.values, (doubt,))
    assert detect(Measurement(measured.panel, exposed, measured.series)) == ()
