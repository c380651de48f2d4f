"""What judged events are told as."""

from dataclasses import replace

import numpy as np
from change_observatory import FALL, Setting, date, make

from spamtide.change.causes.handover import Handover, amounts
from spamtide.change.causes.telling import Judged, tell

RISE = replace(
    FALL, kind="rise", onset=date(55), end=date(56), before=4.0, after=13.0, since=date(41), until=date(120)
)


def told(*judged: Judged) -> list[str]:
    panel = make(np.random.default_rng(1), Setting()).panel
    return [change.kind for change in tell(judged, panel)]


def test_a_name_that_comes_back_is_no_rise() -> None:
    subject = ("programme", "acorn-pills")
    lost = Judged(subject, FALL, 0.99, "attribution")
    back = Judged(subject, RISE, 0.99, "stopped")
    assert told(lost, back) == ["attribution-loss"]
    assert told(lost, replace(back, event=replace(RISE, after=30.0))) == ["attribution-loss", "rise"]
    assert told(replace(lost, cause="stopped"), back) == ["decline", "rise"]
    assert told(lost, replace(back, subject=("programme", "birch-casino"))) == ["attribution-loss", "rise"]


def test_what_unknown_gives_back_is_no_fall() -> None:
    """It had been a botnet's all along."""
    subject, nameless = ("botnet", "acorn"), ("botnet", "unknown")
    back = Judged(subject, RISE, 0.99, "regained")
    fell = Judged(nameless, replace(FALL, onset=date(54), end=date(55)), 0.99, "stopped")
    assert told(back, fell) == []
    assert told(replace(back, cause="stopped"), fell) == ["rise", "decline"]
    assert told(back, replace(fell, event=replace(FALL, onset=date(80)))) == ["decline"]
    much = replace(fell.event, before=1000.0, after=1.0)
    assert told(back, replace(fell, event=much)) == ["cease"]
    lost = Judged(subject, replace(FALL, onset=date(20)), 0.99, "attribution")
    assert told(lost, replace(back, cause="stopped"), fell) == ["attribution-loss"]


def test_a_return_from_a_fall_of_its_own_is_told_though_the_name_was_lost_once() -> None:
    subject = ("botnet", "acorn")
    lost = Judged(subject, replace(FALL, onset=date(20)), 0.99, "attribution")
    fell, back = Judged(subject, FALL, 0.99, "stopped"), Judged(subject, RISE, 0.99, "stopped")
    assert told(lost, fell, back) == ["attribution-loss", "decline", "rise"]
    few = replace(fell, event=replace(FALL, before=1.0, after=0.1))
    assert told(lost, few, back) == ["attribution-loss"]


def test_the_few_that_still_bear_a_lost_name_do_not_end() -> None:
    """A fall from a twentieth of what bore the name is none of the botnet; from most of it, it is."""
    subject = ("botnet", "acorn")
    lost = Judged(subject, FALL, 0.99, "attribution")
    few = replace(RISE, kind="fall", before=0.1 * FALL.before, after=0.0)
    assert told(lost, Judged(subject, few, 0.99, "stopped")) == ["attribution-loss"]
    again = replace(few, before=0.9 * FALL.before)
    assert told(lost, Judged(subject, again, 0.99, "stopped")) == ["attribution-loss", "cease"]
    assert told(Judged(subject, few, 0.99, "stopped")) == ["cease"]


def test_amounts_and_sensors_are_weighed_together() -> None:
    """Forty a day are lost; unknown wins as many, a third of them, or none."""
    assert amounts(40.0, 38.0, 8.0, 5.0) > 5
    assert amounts(40.0, 0.0, 8.0, 5.0) < -2
    doubtful = amounts(40.0, 18.0, 10.0, 5.0)
    assert abs(doubtful) < 2
    assert Handover(sensors=6.0, at_once=True).outweighs(doubtful)
    assert not Handover(sensors=-6.0, at_once=True).outweighs(doubtful)
    assert not Handover(sensors=6.0, at_once=False).outweighs(doubtful)


def test_the_interval_of_a_rise_holds_no_fall() -> None:
    """That it rose is known by other means than the few days on either side of it."""
    panel = make(np.random.default_rng(1), Setting()).panel
    subject = ("botnet", "acorn")
    rise = Judged(subject, replace(RISE, reach=(9.7, 0.0, 25.7)), 0.99, "stopped")
    fall = Judged(subject, replace(FALL, reach=(0.2, 0.1, 3.0)), 0.99, "stopped")
    found = {change.kind: (change.ratio_low, change.ratio_high) for change in tell([fall, rise], panel)}
    assert found == {"decline": (0.1, 1.0), "rise": (1.0, 25.7)}


def test_a_new_subject_is_not_seen_before_its_first_mail() -> None:
    """That is a fact; the days before it, in which its level may have begun to rise, are an estimate."""
    panel = make(np.random.default_rng(1), Setting()).panel
    counts = panel.counts.copy()
    counts[panel.subjects.index(("botnet", "b0")), :, :56] = 0
    early = replace(RISE, onset_low=date(20), onset=date(40), onset_high=date(60), silent_before=True)
    panel = replace(panel, counts=counts)
    (found,) = tell([Judged(("botnet", "b0"), early, 0.99, "stopped")], panel)
    assert found.kind == "new"
    assert (found.onset_low, found.onset, found.onset_high) == (date(56), date(56), date(60))


def test_a_day_without_mail_is_no_silence_to_be_back_from() -> None:
    """It is one if a fall into it is believed, or if it lasts."""
    panel = make(np.random.default_rng(1), Setting()).panel
    subject = ("botnet", "b0")
    event = replace(RISE, before=0.0, peak_before=9.0, since=date(54), onset_low=date(55))
    fall = replace(FALL, onset=date(53), end=date(54), after=0.0)
    back, fell = (Judged(subject, one, 0.99, "stopped") for one in (event, fall))
    assert [change.kind for change in tell([back], panel)] == []
    assert [change.kind for change in tell([fell, back], panel)] == ["cease", "resume"]
    long = replace(back, event=replace(event, since=date(51)))
    assert [change.kind for change in tell([long], panel)] == ["resume"]


def test_unknown_cannot_lose_its_name() -> None:
    """A programme falls with a botnet that lost its name; what has none falls."""
    panel = make(np.random.default_rng(1), Setting(cease=(39, 1))).panel
    sold = max(
        (pair for pair in panel.pairs if pair[0] == "b0"), key=lambda pair: panel.pairs[pair][:39].sum()
    )
    lost = Judged(("botnet", "b0"), FALL, 0.99, "attribution")

    def told_of(name: str) -> list[str]:
        same = {sold[1]: name}
        renamed = replace(
            panel,
            subjects=tuple((kind, same.get(one, one)) for kind, one in panel.subjects),
            pairs={(botnet, same.get(one, one)): count for (botnet, one), count in panel.pairs.items()},
        )
        fell = Judged(("programme", name), FALL, 0.99, "stopped")
        return [one.kind for one in tell([lost, fell], renamed) if one.subject_kind == "programme"]

    assert told_of("acorn-pills") == ["attribution-loss"]
    assert told_of("unknown") == ["decline"]
