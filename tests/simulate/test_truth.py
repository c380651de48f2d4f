"""What the truth says is what was written, and the story is the one that is told."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spamtide.simulate import NEGLIGIBLE, WORLDS, TrueChange, simulate, simulate_world, true_changes, volume
from spamtide.simulate.stream import Streams
from spamtide.simulate.truth import _moves, sender_level
from spamtide.simulate.world import Decline, Sensor

from .conftest import Made, read_mbox

AUTUMN = WORLDS["autumn-2010"]


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(f"2010-{text}")


def index(date: dt.date) -> int:
    return (date - AUTUMN.since).days


def change(kind: str, subject: str) -> TrueChange:
    (found,) = (each for each in true_changes(AUTUMN) if each.kind == kind and each.subject == subject)
    return found


def test_counts_in_the_truth_are_those_of_the_messages(full: Made) -> None:
    truth, counts = full.json, full.json["counts"]
    kinds = Counter(row["kind"] for row in full.rows)
    assert truth["messages"] == dict(kinds)
    spam = [row for row in full.rows if row["kind"] == "spam"]
    for column, group in (("family", "sender"), ("programme", "programme")):
        realised = Counter((row[column], row["day"]) for row in spam)
        for name, series in counts[group].items():
            assert series["realised"] == [realised[name, each] for each in truth["days"]], name
    cells = Counter((row["family"], row["place"], row["day"]) for row in spam)
    pairs = Counter((row["family"], row["programme"], row["day"]) for row in spam)
    for family, by_sensor in counts["sender_by_sensor"].items():
        for sensor, series in by_sensor.items():
            assert series["realised"] == [cells[family, sensor, each] for each in truth["days"]]
    for family, by_programme in counts["sender_by_programme"].items():
        for programme, series in by_programme.items():
            assert series["realised"] == [pairs[family, programme, each] for each in truth["days"]]
    assert (
        counts["total"]["realised"]
        == np.sum([series["realised"] for series in counts["sender"].values()], axis=0).tolist()
    )


def test_files_hold_as_many_messages_as_the_truth_says(small: Made, tmp_path: Path) -> None:
    written = sum(len(list(read_mbox(path, tmp_path))) for path in small.mailboxes)
    assert written == sum(small.truth.messages.values())


def test_pure_traps_have_no_ham_file(small: Made) -> None:
    with_ham = {path.name.split(".")[0] for path in small.out.glob("sensors/*.ham.mbox.gz")}
    assert with_ham == {sensor.name for sensor in AUTUMN.sensors if sensor.ham}


def test_only_captured_families_have_a_lab_file(small: Made) -> None:
    found = {path.name.split(".")[0] for path in small.out.glob("lab/*.mbox.gz")}
    assert found == {"rustock", "cutwail", "grum", "mega-d", "xarvester", "lethic"}


def test_the_right_answer_for_a_family_without_a_lab_is_unknown(small: Made) -> None:
    answers = {(row["family"], row["botnet"]) for row in small.rows if row["kind"] == "spam"}
    assert {family for family, answer in answers if answer == "unknown"} == {"bramble", "gannet", "webmail"}
    assert all(family == answer for family, answer in answers if answer != "unknown")


def test_realised_counts_follow_the_expected_ones(full: Made) -> None:
    """Every sender's total lies within four standard deviations of its negative binomial."""
    for sender in AUTUMN.senders:
        expected, counts = full.truth.expected[sender.name], full.truth.spam[sender.name]
        spread = np.sqrt((expected + expected**2 / sender.size).sum())
        assert abs(counts.sum() - expected.sum()) < 4 * spread


def test_the_story_has_the_published_dates() -> None:
    rustock = change("decline", "rustock")
    assert (rustock.onset, rustock.end) == (day("09-20"), day("09-23"))
    assert rustock.ratio is not None
    assert 0 < rustock.ratio < NEGLIGIBLE
    assert change("decline", "grum").onset == day("09-27")
    assert change("decline", "cutwail").onset == day("09-28")
    moved = change("switch", "xarvester")
    assert (moved.onset, moved.end) == (day("10-01"), day("10-03"))
    assert (moved.from_programme, moved.to_programme) == ("Canadian Pharmacy", "Ultimate Replicas")
    assert not [each for each in true_changes(AUTUMN) if each.subject == "mega-d"]


def test_derived_changes_start_with_what_causes_them() -> None:
    assert change("decline", "Canadian Pharmacy").onset == change("decline", "rustock").onset
    assert change("decline", "total").onset == change("decline", "rustock").onset
    assert change("rise", "Ultimate Replicas").onset == change("switch", "xarvester").onset


def test_end_is_the_first_day_under_a_twentieth() -> None:
    for decline in AUTUMN.declines:
        found = change("decline", decline.sender)
        assert found.end is not None
        level = sender_level(AUTUMN, decline.sender)
        assert level[index(found.onset) - 1] == pytest.approx(1)
        assert level[index(found.onset)] < 1
        assert level[index(found.end) - 1] >= NEGLIGIBLE > level[index(found.end)]


def test_rustock_is_the_largest_and_its_fall_is_seen_in_the_counts(full: Made) -> None:
    onset, end = index(day("09-20")), index(day("09-23"))
    rustock = full.truth.spam["rustock"].sum(axis=0)
    total = sum(counts.sum(axis=0) for counts in full.truth.spam.values())
    assert 0.35 < rustock[:onset].sum() / total[:onset].sum() < 0.47
    before = rustock[onset - 28 : onset].mean()
    assert rustock[onset - 1] > 0.6 * before
    assert rustock[onset] < before
    assert rustock[end : end + 14].mean() < NEGLIGIBLE * before


def test_rustock_goes_on_at_two_sensors_and_in_the_lab(full: Made) -> None:
    after = index(day("09-24"))
    by_sensor = dict(zip(full.truth.sensors, full.truth.spam["rustock"][:, after:].sum(axis=1), strict=True))
    assert {name for name, count in by_sensor.items() if count} == {"heron", "fjord"}
    assert full.truth.lab["rustock"][after:].sum() > 40


def test_total_falls_two_weeks_in_a_row(full: Made) -> None:
    total = sum(counts.sum(axis=0) for counts in full.truth.spam.values())
    start = index(day("09-13"))
    first, second, third = (total[start + 7 * week : start + 7 * week + 7].sum() for week in range(3))
    assert first > 1.15 * second > 1.15 * 1.15 * third


def test_xarvester_moves_and_others_do_not(full: Made) -> None:
    programmes = full.truth.programmes
    before, after = index(day("10-01")), index(day("10-03"))
    assert programmes["xarvester", "Ultimate Replicas"][:before].sum() == 0
    moved = programmes["xarvester", "Ultimate Replicas"][after:].sum()
    stayed = programmes["xarvester", "Canadian Pharmacy"][after:].sum()
    assert moved > 5 * stayed > 0
    for name in ("lethic", "mega-d"):
        assert full.truth.spam[name][:, after:].sum() > 0.6 * full.truth.expected[name][:, after:].sum()


def test_a_silent_sensor_gets_nothing_and_a_changed_one_keeps_its_ham(full: Made) -> None:
    heron, lantern = full.truth.sensors.index("heron"), full.truth.sensors.index("lantern")
    down = slice(index(day("08-17")), index(day("08-20")) + 1)
    total = sum(full.truth.spam.values())
    assert total[heron, down].sum() == full.truth.ham[heron, down].sum() == 0
    changed = index(day("10-05"))
    assert (
        full.truth.ham[lantern, changed:].mean()
        > 0.6 * full.truth.ham[lantern, changed - 20 : changed].mean()
    )
    stay = [full.truth.spam[name][lantern] for name in ("lethic", "mega-d", "bramble")]
    assert sum(c[changed:].mean() for c in stay) < 0.5 * sum(c[changed - 28 : changed].mean() for c in stay)


@pytest.mark.parametrize("name", ["quiet", "churn"])
def test_nothing_but_sensors_changes_in_the_other_worlds(name: str) -> None:
    assert {each.subject_kind for each in true_changes(WORLDS[name])} == {"sensor"}
    for sender in WORLDS[name].senders:
        assert np.ptp(sender_level(WORLDS[name], sender.name)) == 0


def test_in_the_quiet_world_one_sensor_joins_and_that_is_all() -> None:
    (only,) = true_changes(WORLDS["quiet"])
    assert (only.kind, only.subject, only.end) == ("sensor-outage", "dune", dt.date(2010, 4, 19))


def test_churn_has_a_sensor_that_grows_tenfold(tmp_path: Path) -> None:
    truth = simulate("churn", tmp_path / "out", scale=0.2)
    row, date = truth.sensors.index("drill"), truth.days.index(dt.date(2010, 3, 29))
    seen = sum(counts[row] for counts in truth.spam.values())
    assert 6 < seen[date:].mean() / seen[:date].mean() < 15


@pytest.mark.parametrize("scale", [0.1, 2.0])
def test_scale_multiplies_what_is_expected(scale: float) -> None:
    one = volume.draw_volumes(AUTUMN, Streams("autumn-2010", 1), 1.0)
    other = volume.draw_volumes(AUTUMN, Streams("autumn-2010", 1), scale)
    for name, expected in one.expected.items():
        np.testing.assert_allclose(other.expected[name], scale * expected)
    total = sum(int(counts.sum()) for counts in one.spam.values())
    assert sum(int(c.sum()) for c in other.spam.values()) == pytest.approx(scale * total, rel=0.1)


def test_a_sensor_more_leaves_every_other_file_as_it_was(small: Made, tmp_path: Path) -> None:
    """Streams are keyed by name: a seventh sensor does not reshuffle the six."""
    extra = Sensor("thorn", 0.2, "postfix", "mx.thorn.example", "+0000", ham=5)
    world = replace(AUTUMN, sensors=(extra, *AUTUMN.sensors))
    simulate_world(world, tmp_path / "out", scale=0.05)
    for path in small.mailboxes:
        assert (tmp_path / "out" / path.relative_to(small.out)).read_bytes() == path.read_bytes()


def test_a_sender_less_leaves_the_mail_of_the_others_as_it_was(small: Made, tmp_path: Path) -> None:
    world = replace(
        AUTUMN,
        senders=tuple(sender for sender in AUTUMN.senders if sender.name != "webmail"),
    )
    simulate_world(world, tmp_path / "out", scale=0.05)
    left = Made(tmp_path / "out", small.truth)
    assert [row for row in small.rows if row["family"] != "webmail" and row["kind"] == "lab"] == [
        row for row in left.rows if row["kind"] == "lab"
    ]
    ours = {row["sha256"] for row in small.rows if row["family"] != "webmail"}
    assert {row["sha256"] for row in left.rows} == ours


@settings(max_examples=30, deadline=None)
@given(
    onset=st.integers(10, 80),
    ramp=st.lists(st.floats(0.0, 0.95), min_size=1, max_size=4).map(lambda r: tuple(sorted(r, reverse=True))),
    rest=st.sampled_from([0.0, 0.002, 0.01, 0.03]),
)
def test_any_decline_is_dated_by_its_own_multipliers(
    onset: int, ramp: tuple[float, ...], rest: float
) -> None:
    """Onset is the first day below, end the first day of the ramp or after it that is negligible."""
    start = AUTUMN.since + dt.timedelta(days=onset)
    residual = {sensor.name: rest for sensor in AUTUMN.sensors}
    world = replace(AUTUMN, declines=(Decline("lethic", start, ramp, residual),), switches=(), floods=())
    (found,) = (each for each in true_changes(world) if each.subject == "lethic")
    level = sender_level(world, "lethic")
    below = [i for i, share in enumerate(level) if share < NEGLIGIBLE - 1e-12]
    assert found.onset == start
    assert found.end is not None
    assert (found.end - AUTUMN.since).days == below[0]
    assert found.kind == ("decline" if rest else "cease")


def test_same_names_give_the_same_stream_and_others_another() -> None:
    streams = Streams("w", 1)
    first = [streams.dice("a", 1).number(1000) for _ in range(3)]
    assert len(set(first)) == 1
    draws = {
        Streams(world, seed).dice(*names).number(1 << 60)
        for world, seed, names in (("w", 1, ("a",)), ("v", 1, ("a",)), ("w", 2, ("a",)), ("w", 1, ("a", "b")))
    }
    assert len(draws) == 4


def test_a_total_that_grows_over_weeks_has_moved() -> None:
    """No day of it steps off the last by half a percent; its dates are those of the sender that grows."""
    world = WORLDS["mccolo-2008"]
    (grown,) = [one for one in true_changes(world) if one.kind == "new" and one.subject == "xarvester"]
    (slow,) = [one for one in true_changes(world) if one.subject == "total" and one.onset == grown.onset]
    assert (slow.kind, slow.end, slow.derived) == ("rise", grown.end, True)
    assert slow.ratio == pytest.approx(1.44, abs=0.01)


@pytest.mark.parametrize(
    ("level", "moves"),
    [
        ([100.0] * 20 + [60.0] * 20, [(19, 20)]),
        ([100.0] * 20 + [90.0, 70.0] + [60.0] * 20, [(19, 22)]),
        ([100.0] * 10 + [100.0 - 0.3 * day for day in range(1, 101)] + [70.0] * 10, [(10, 108)]),
        ([100.0 - 0.3 * day for day in range(101)], [(1, 99)]),
        ([100.0] * 10 + [100.0 - 0.3 * day for day in range(1, 41)] + [88.0] * 10, []),
        ([100.0] * 30, []),
    ],
)
def test_moves_are_found_however_slow(level: list[float], moves: list[tuple[int, int]]) -> None:
    assert _moves(np.array(level)) == moves
