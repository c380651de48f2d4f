"""Addresses and campaigns that outlive a name."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from change_observatory import FALL, Setting, date, make

from spamtide.change import look
from spamtide.change.causes.names import Names
from spamtide.change.causes.trail import (
    AMOUNTS,
    SUPPORTED,
    SURE,
    UNTRACED,
    _turned,
    follow,
    no_traces,
    weigh_traces,
)
from spamtide.model import UNKNOWN, Measurement, Panel, SubjectKind, Trace, Tracing
from spamtide.series import measure


def addresses(before: int, after: int, days: int = 2, own: tuple[int, int] = (140, 200)) -> tuple[Trace, ...]:
    return (Trace("addresses", own, (before, 7), (after, days)),)


def test_a_fleet_that_goes_on_without_its_name_lost_it() -> None:
    """Thirty a day are gone, seven of ten of which had come from known addresses: forty in two days."""
    found = weigh_traces(addresses(3, 40), 30.0)
    assert found.odds > SURE
    assert found.corrects("stopped") == "attribution"
    assert "3 in 7 days before, 40 in 2 since; of its own 140 of 200" in found.evidence


def test_a_fleet_that_fell_silent_fell() -> None:
    found = weigh_traces(addresses(3, 1), 30.0)
    assert found.odds < -SURE
    assert found.corrects("attribution") == found.corrects("doubtful") == "stopped"


def test_traces_against_a_lost_name_are_held_against_what_counts_say_for_it() -> None:
    """Nine were due of a fleet that seldom uses an address twice, and two came: twice as many as ever."""
    found = weigh_traces(addresses(3, 2, own=(30, 200)), 30.0)
    assert -AMOUNTS < found.odds < 0
    assert found.corrects("attribution", amounts=-0.1) == "stopped"
    assert found.corrects("attribution", amounts=-found.odds + 0.1) == "attribution"
    assert found.corrects("stopped", amounts=5.0) == "stopped"
    gone = weigh_traces(addresses(3, 1), 30.0)
    assert gone.corrects("attribution", amounts=9.0) == "stopped"
    assert UNTRACED.corrects("attribution", amounts=-9.0) == "attribution"


def test_traces_of_a_lost_name_bear_an_alarm_out() -> None:
    """Three of ten such alarms are none; of those whose fleet goes on without its name, hardly any."""
    assert weigh_traces(addresses(3, 40), 30.0).bears_out(0.7) > 0.95
    assert weigh_traces(addresses(3, 1), 30.0).bears_out(0.7) == UNTRACED.bears_out(0.7) == 0.7
    assert weigh_traces(addresses(3, 40), 30.0).bears_out(1.0) == 1.0


def test_a_fleet_that_always_sent_nameless_mail_too_says_little() -> None:
    assert abs(weigh_traces(addresses(140, 45), 4.0).odds) < SUPPORTED


@pytest.mark.parametrize("own", [(0, 0), (5, 8), (4, 200)])
def test_where_addresses_never_come_again_nothing_is_said(own: tuple[int, int]) -> None:
    assert weigh_traces(addresses(0, 0, own=own), 30.0).odds == 0.0


def test_new_campaigns_say_nothing_and_known_ones_do() -> None:
    new = Trace("campaigns", (190, 200), (0, 7), (0, 3))
    known = Trace("campaigns", (190, 200), (0, 7), (80, 3))
    assert weigh_traces([new], 30.0).odds == 0.0
    assert weigh_traces([*addresses(3, 1), known], 30.0).corrects("stopped") == "attribution"


def test_after_weeks_a_fleet_may_be_another() -> None:
    assert weigh_traces(addresses(3, 1), 30.0, stale=True).odds == 0.0
    assert weigh_traces(addresses(3, 40), 30.0, stale=True).odds > SURE


def test_what_it_still_sends_shows_that_its_fleet_is_the_same() -> None:
    """Half of thirty a day is gone over weeks; what is left is of its addresses, the nameless is not."""
    same = Trace("addresses", (140, 200), (3, 7), (2, 7), (60, 100))
    found = weigh_traces([same], 15.0, stale=True)
    assert found.corrects("attribution") == "stopped"
    assert "of its own 140 of 200, 60 of 100 since" in found.evidence
    another = Trace("addresses", (140, 200), (3, 7), (2, 7), (3, 100))
    assert weigh_traces([another], 15.0, stale=True).odds == 0.0


def engines(before: int, after: int, own: tuple[int, int] = (40, 40)) -> list[Trace]:
    return [Trace("engines", own, (before, 7), (after, 7))]


def test_an_engine_that_goes_on_without_a_name_lost_it() -> None:
    """Five a day are gone, all of one engine: thirty-five in a week. Its text and machines are new."""
    found = weigh_traces([*addresses(3, 3, 7, (20, 200)), *engines(2, 33)], 5.0)
    assert found.corrects("stopped") == "attribution"
    assert "messages without a name from its engines" in found.evidence


def test_an_engine_that_is_gone_or_rented_by_another_says_nothing() -> None:
    """A botnet may have a new one; who sends three times as much as was lost, or a third, may be another."""
    assert weigh_traces(engines(2, 2), 5.0).odds == 0.0
    assert weigh_traces(engines(2, 110), 5.0).odds == 0.0
    assert weigh_traces(engines(2, 15), 5.0).odds == 0.0
    assert weigh_traces(engines(40, 45), 5.0).corrects("stopped") == "stopped"


Asked = tuple[dt.date, dt.date, dt.date]


def asking(asked: list[Asked], found: tuple[Trace, ...] = ()) -> Tracing:
    """Notes the days that are asked about."""

    def tracing(subject: tuple[SubjectKind, str], *days: dt.date) -> tuple[Trace, ...]:
        first, last, until = days
        asked.append((first, last, until))
        return found if subject[0] == "botnet" else ()

    return tracing


KNOWN = date(0), date(120)


def test_a_fall_is_asked_about_until_the_next_move() -> None:
    """Days in doubt are left out, if they are few; if they are many, it is taken at its likeliest."""
    asked: list[Asked] = []
    for event in (FALL, replace(FALL, onset_low=date(20)), replace(FALL, end=None, end_high=None)):
        follow(asking(asked), ("botnet", "b"), event, KNOWN)
    assert asked == [
        (date(38), date(42), date(55)),
        (date(40), date(41), date(55)),
        (date(38), date(41), date(55)),
    ]
    assert follow(asking(asked), ("botnet", "b"), replace(FALL, end=date(62)), KNOWN) == UNTRACED
    assert len(asked) == 3


def test_a_rise_is_asked_about_backwards() -> None:
    """Its last day, the last at the level before it, and the last of the move before that."""
    rise = replace(FALL, kind="rise", before=4.0, after=12.0, since=date(30), until=date(120))
    asked: list[Asked] = []
    back = follow(asking(asked, tuple(engines(2, 54))), ("botnet", "b"), rise, KNOWN)
    assert asked == [(date(41), date(37), date(29))]
    assert back.corrects("stopped") == "attribution"
    assert "2 in 7 days since, 54 in 7 before; of its own 40 of 40" in back.evidence
    young = follow(asking(asked, tuple(engines(2, 54))), ("botnet", "b"), rise, (KNOWN[0], date(60)))
    assert (young, len(asked)) == (UNTRACED, 1)


def renamed(*, gone: bool = False) -> tuple[Measurement, Tracing]:
    """A botnet of eight a day that has no name for three weeks, or is silent, beside forty of others.

    Days of the others differ by more than it sends. All its mail is of one engine, and none of theirs.
    """
    rng = np.random.default_rng(21)
    at, sensors = np.arange(120), 3
    away = (at >= 60) & (at < 81)
    mine = rng.poisson(8 / 3, (sensors, len(at)))
    others = rng.poisson(np.outer(np.full(sensors, 40 / 3), rng.gamma(8, 1 / 8, len(at))))
    named, nameless = np.where(away, 0, mine), np.where(away & (not gone), mine, 0)
    counts = [mine + others if not gone else named + others, named, nameless + others]
    panel = Panel(
        days=np.datetime64("2024-01-01") + at,
        sensors=("s0", "s1", "s2"),
        subjects=(("total", "total"), ("botnet", "b"), ("botnet", UNKNOWN)),
        counts=np.stack(counts),
        ham=np.zeros((sensors, len(at)), dtype=np.int64),
        relays=(("mx",) * len(at),) * sensors,
        pairs={("b", UNKNOWN): named.sum(axis=0), (UNKNOWN, UNKNOWN): counts[2].sum(axis=0)},
    )

    def tracing(
        _: tuple[SubjectKind, str], first: dt.date, last: dt.date, until: dt.date
    ) -> tuple[Trace, ...]:
        fell, new, stop = ((day - date(0)).days for day in (first, last, until))
        week, since = slice(max(fell - 7, 0), fell), slice(new, min(new + 7, stop))
        if until < last:
            week, since = slice(fell + 1, fell + 8), slice(max(new - 6, stop + 1), new + 1)
        own, still = (int(named[:, days].sum()) for days in (week, since))
        before, after = (int(nameless[:, days].sum()) for days in (week, since))
        days = since.stop - since.start
        return (Trace("engines", (own, own), (before, 7), (after, days), (still, still)),)

    return measure(panel), tracing


def test_a_name_that_is_lost_for_weeks_is_neither_a_fall_nor_a_rise() -> None:
    """Counts alone do not show that other mail won what it lost, and gave it back."""
    measured, tracing = renamed()
    assert [c.kind for c in look(measured, whole=True).changes] == ["cease", "resume"]
    (lost,) = look(measured, whole=True, tracing=tracing).changes
    assert (lost.kind, lost.subject) == ("attribution-loss", "b")
    assert lost.onset_low <= date(60) <= lost.onset_high
    assert "messages without a name from its engines of the two weeks before: 0 in 7 days" in lost.evidence
    measured, tracing = renamed(gone=True)
    assert [c.kind for c in look(measured, whole=True, tracing=tracing).changes] == ["cease", "resume"]


def test_a_name_that_comes_back_is_no_rise_though_nobody_saw_it_go() -> None:
    """The days before it was lost are not known; those since say whose mail it was."""
    measured, tracing = renamed()
    panel = measured.panel
    late = replace(
        panel,
        days=panel.days[62:],
        counts=panel.counts[..., 62:],
        ham=panel.ham[:, 62:],
        relays=tuple(names[62:] for names in panel.relays),
        pairs={pair: count[62:] for pair, count in panel.pairs.items()},
    )
    counts = late.counts.copy()
    counts[1, 0, :9:4] += 1  # a message now and then, so that it is not new
    late = replace(late, counts=counts)
    assert [c.kind for c in look(measure(late), whole=True).changes] == ["rise"]
    assert look(measure(late), whole=True, tracing=tracing).changes == ()


def of_fleet(part: float) -> Tracing:
    """Every botnet that is asked about has this part of its mail since in mail without a name."""

    def tracing(
        subject: tuple[SubjectKind, str], first: dt.date, last: dt.date, until: dt.date
    ) -> tuple[Trace, ...]:
        days = min((until - last).days, 7)
        assert days > 0
        assert first <= last
        if subject[0] != "botnet":
            return ()
        return addresses(2, round(part * 30 * days), days, (160, 200))

    return tracing


def test_traces_decide_where_counts_mislead() -> None:
    """A name is lost; by counts it is that, and addresses say the one or the other."""
    measured = make(np.random.default_rng(3), Setting(lose_name=(60, 3)))
    (lost,) = look(measured, tracing=of_fleet(0.8)).changes
    assert (lost.kind, lost.subject) == ("attribution-loss", "b2")
    assert abs((lost.onset - date(60)).days) <= 3
    assert "messages without a name from its addresses" in lost.evidence
    fell = look(measured, tracing=of_fleet(0.0)).changes
    assert {(c.kind, c.subject) for c in fell} >= {("cease", "b2"), ("rise", "unknown")}


def test_a_rise_of_unknown_names_the_botnet_whose_addresses_it_came_from() -> None:
    """The fall of the botnet is not sure by itself; its addresses in mail without a name are."""
    measured = make(np.random.default_rng(3), Setting(lose_name=(60, 3)))
    panel = measured.panel
    steady = tuple(s for s in measured.series if s.subject != "b2")
    without = Measurement(panel, measured.exposure, steady)
    told = {(c.kind, c.subject) for c in look(without, tracing=of_fleet(0.8)).changes}
    assert told == {("attribution-loss", "b2")}
    assert ("rise", "unknown") in {(c.kind, c.subject) for c in look(without, tracing=of_fleet(0.0)).changes}


def test_a_stop_is_not_asked_about_where_unknown_won_nothing() -> None:
    """Its days are even enough to show it."""
    measured = make(np.random.default_rng(3), Setting(cease=(60, 3), size=40.0))
    asked: list[tuple[SubjectKind, str]] = []

    def tracing(subject: tuple[SubjectKind, str], *_: dt.date) -> tuple[Trace, ...]:
        asked.append(subject)
        return ()

    assert ("cease", "b0") in {(c.kind, c.subject) for c in look(measured, tracing=tracing).changes}
    assert ("botnet", "b0") not in asked


@pytest.mark.parametrize("owner", ["b0", "b1"])
def test_a_programme_that_fell_with_its_botnet_is_not_asked_about(owner: str) -> None:
    """It was advertised by the one that stopped; by one that goes on, its messages are asked."""
    panel = make(np.random.default_rng(3), Setting(cease=(60, 3))).panel
    fallen = panel.counts[panel.subjects.index(("botnet", "b0"))].sum(axis=0)
    fall = replace(FALL, onset=date(60), onset_low=date(60), onset_high=date(60))
    fall = replace(fall, end=date(63), end_low=date(63), end_high=date(63), until=date(len(panel.days)))
    names = Names(replace(panel, pairs={(owner, "shop"): fallen}), np.ones(len(panel.days)), no_traces)
    assert names.fell_with_senders("shop", fall) is (owner == "b0")


def one_letter(*, until: int = 100) -> Measurement:
    """The letter of a sender without a name stops naming its shop for eleven days, and all mail goes on."""
    rng = np.random.default_rng(8)
    days, sensors = 100, 3
    others = rng.poisson(60 * rng.gamma(10, 0.1, (sensors, days)))
    letters, mine = rng.poisson(4.0, (sensors, days)), rng.poisson(10.0, (sensors, days))
    nameless = (np.arange(days) >= 50) & (np.arange(days) < 61)
    named, unnamed = np.where(nameless, 0, letters), np.where(nameless, letters, 0) + others
    counts = [named + unnamed + mine, mine, named + unnamed, named, unnamed + mine]
    panel = Panel(
        days=np.datetime64("2024-01-01") + np.arange(until),
        sensors=("s0", "s1", "s2"),
        subjects=(
            ("total", "total"),
            ("botnet", "b"),
            ("botnet", UNKNOWN),
            ("programme", "shop"),
            ("programme", UNKNOWN),
        ),
        counts=np.stack(counts)[..., :until],
        ham=np.zeros((sensors, until), dtype=np.int64),
        relays=(("mx",) * until,) * sensors,
        pairs={
            ("b", UNKNOWN): mine.sum(axis=0)[:until],
            (UNKNOWN, "shop"): named.sum(axis=0)[:until],
            (UNKNOWN, UNKNOWN): unnamed.sum(axis=0)[:until],
        },
    )
    return measure(panel)


def of_letter(part: float, other: float = 0.0) -> Tracing:
    """Of what a programme lost, these parts come in mail that names none, and in another programme's."""

    def tracing(
        subject: tuple[SubjectKind, str], _first: dt.date, last: dt.date, until: dt.date
    ) -> tuple[Trace, ...]:
        days = min((until - last).days, 7)
        if subject != ("programme", "shop"):
            return ()
        due = 12 * 0.8 * days
        after = round(due * part), days
        return (Trace("addresses", (67, 84), (0, 7), after, (0, 0), (3, 3 + round(due * other))),)

    return tracing


def test_another_sender_who_begins_for_a_programme_hides_no_shortfall() -> None:
    """Of sixty-three messages a week a half was due; what is found is held against that, whoever joined."""
    joined = 20, 200
    assert _turned(Trace("addresses", (50, 100), (0, 7), (12, 7), joined), 9.0)
    assert not _turned(Trace("addresses", (50, 100), (0, 7), (20, 7), joined), 9.0)


@pytest.mark.parametrize("until", [53, 58, 100])
def test_a_programme_whose_sender_goes_on_without_its_name_did_not_end(until: int) -> None:
    """Nor does it come back as new when the letter names it again."""
    found = look(one_letter(until=until), whole=True, tracing=of_letter(0.9)).changes
    (lost,) = found
    assert (lost.kind, lost.subject_kind, lost.subject) == ("attribution-loss", "programme", "shop")
    assert abs((lost.onset - dt.date(2024, 2, 20)).days) <= 1
    assert "messages without a name from its addresses" in lost.evidence


@pytest.mark.parametrize(("part", "other"), [(0.0, 0.0), (0.0, 0.9), (0.3, 0.0), (0.5, 0.6)])
def test_a_programme_that_is_nowhere_or_gave_way_to_another_ended(part: float, other: float) -> None:
    """Its machines fell silent, or went over to another programme, some of whose letters name nothing."""
    found = look(one_letter(), whole=True, tracing=of_letter(part, other)).changes
    assert [(c.kind, c.subject) for c in found] == [("cease", "shop"), ("resume", "shop")]


def with_its_sender(*, turns: bool) -> Measurement:
    """A shop's main sender stops, or turns to another shop, as one who names no shop comes back."""
    rng = np.random.default_rng(11)
    days, sensors = 120, 4
    mail = {name: rng.poisson(rate, (sensors, days)) for name, rate in (("a", 12), ("b", 10), ("c", 30))}
    at = np.arange(days)
    away = at >= 80
    back = np.where(away | (at < 40), mail["b"], 0)  # it was silent for six weeks
    of_shop = np.where(away, 0, mail["a"])
    turned = mail["a"] - of_shop if turns else np.zeros_like(of_shop)
    counts = {
        ("botnet", "a"): of_shop + turned,
        ("botnet", "b"): back,
        ("botnet", UNKNOWN): mail["c"],
        ("programme", "shop"): of_shop,
        ("programme", "stall"): turned + mail["c"] // 2,
        ("programme", UNKNOWN): back + mail["c"] - mail["c"] // 2,
    }
    counts = {("total", "total"): of_shop + turned + back + mail["c"], **counts}
    panel = Panel(
        days=np.datetime64("2024-01-01") + at,
        sensors=tuple(f"s{n}" for n in range(sensors)),
        subjects=tuple(counts),
        counts=np.stack([*counts.values()]),
        ham=np.zeros((sensors, days), dtype=np.int64),
        relays=(("mx",) * days,) * sensors,
        pairs={
            ("a", "shop"): of_shop.sum(axis=0),
            ("a", "stall"): turned.sum(axis=0),
            ("b", UNKNOWN): back.sum(axis=0),
            (UNKNOWN, "stall"): (mail["c"] // 2).sum(axis=0),
            (UNKNOWN, UNKNOWN): (mail["c"] - mail["c"] // 2).sum(axis=0),
        },
    )
    return measure(panel)


@pytest.mark.parametrize("turns", [False, True])
def test_a_programme_whose_sender_stopped_or_turned_away_lost_no_name(*, turns: bool) -> None:
    """Another's mail without a programme began in those days, as much of it as the programme lost."""
    found = look(with_its_sender(turns=turns), whole=True).changes
    told = {(c.kind, c.subject) for c in found}
    assert ("cease", "shop") in told
    assert ("switch" if turns else "cease", "a") in told
    assert not [c for c in found if c.kind == "attribution-loss"]
