"""P(alive), what is said of a botnet's servers, and own checks."""

from __future__ import annotations

import datetime as dt
import itertools
import socket
from dataclasses import replace

import numpy as np
import pytest
from control_world import calibration_error, watched

from spamtide.control import Target, control_states, fit, probe, servers, targets
from spamtide.control.probe import connects
from spamtide.errors import SettingsError
from spamtide.settings import Controlling
from spamtide.statement import Check

UNTIL = dt.date(2010, 10, 14)


def checks(host: str, family: str, answers: str, source: str = "list") -> list[Check]:
    """One check a day up to UNTIL; '1' answered."""
    end = dt.datetime(2010, 10, 14, 6, tzinfo=dt.UTC)
    return [
        Check(host, 80, family, end - dt.timedelta(days=back), told == "1", source)
        for back, told in enumerate(reversed(answers))
    ]


def test_answers_make_alive_silence_makes_dead_and_one_miss_does_not() -> None:
    found = fit([list(range(20))] * 3, [[True] * 20, [True] * 10 + [False] * 10, [True] * 19 + [False]], 20.0)
    assert found.alive[0] > 0.95
    assert found.alive[1] < 0.02
    assert found.alive[1] < found.alive[2] < found.alive[0]


def test_without_checks_for_long_one_knows_less() -> None:
    near, far = (fit([list(range(20))], [[True] * 20], 20.0 + gap).alive[0] for gap in (0, 200))
    assert near > 0.9 > far > 0.1


@pytest.mark.slow
def test_probabilities_mean_what_they_say() -> None:
    """A small form of measure_alive.py, which gives the figures of the page."""
    rng = np.random.default_rng(7)
    said: list[float] = []
    true: list[bool] = []
    for _ in range(25):
        world = watched(rng, 30, 60.0)
        said += list(fit(world.times, world.answers, world.end).alive)
        true += world.alive
    assert calibration_error(np.array(said), np.array(true, float)) < 0.05


def test_a_botnets_servers_are_taken_together_under_its_name_here() -> None:
    found = control_states(
        [*checks("a", "Cutwail", "1111111"), *checks("b", "Pushdo", "0000000"), *checks("c", "Grum", "0")],
        UNTIL,
        lambda family: {"Pushdo": "cutwail", "Cutwail": "cutwail"}.get(family, family),
    )
    state = found["cutwail"]
    assert (state.servers, state.checks, state.answered, state.last_check) == (2, 14, 7, UNTIL)
    assert state.alive > 0.9
    assert found["Grum"].checks == 1
    assert not state.simulated


def test_nothing_after_the_day_and_nothing_very_old_is_used() -> None:
    old = replace(checks("a", "R", "1")[0], at=dt.datetime(2009, 1, 1, tzinfo=dt.UTC))
    late = replace(old, at=dt.datetime(2010, 10, 15, tzinfo=dt.UTC))
    assert servers([old, late], UNTIL) == ()
    assert control_states([old, late], UNTIL, str) == {}


def test_only_listed_hosts_are_checked_slowly_and_not_too_often() -> None:
    """The pause is between connections; a host that was checked within the hour is passed over."""
    settings = Controlling(hosts=("a.example:80 Rustock", "b.example:443 Grum", "c.example:25 Grum"))
    now = dt.datetime(2010, 10, 14, tzinfo=dt.UTC)
    pauses: list[float] = []
    asked: list[Target] = []
    made = list(
        probe(
            targets(settings),
            settings,
            {("b.example", 443): now - dt.timedelta(minutes=59)},
            now=lambda: now,
            sleep=pauses.append,
            ask=lambda target, _: bool(asked.append(target)) or target.host == "a.example",
        )
    )
    assert [(c.host, c.alive) for c in made] == [("a.example", True), ("c.example", False)]
    assert {c.source for c in made} == {"own"}
    assert pauses == [10.0]
    assert [t.host for t in asked] == ["a.example", "c.example"]


@pytest.mark.parametrize("text", ["a.example", "a.example:80", "a.example:0 R", "a.example:70000 R", ":80 R"])
def test_a_host_that_is_not_written_as_one_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="host:port family"):
        targets(Controlling(hosts=(text,)))


def test_a_check_is_one_connection_that_sends_nothing() -> None:
    """A listening socket on loopback counts as up, a closed one as down."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert connects(Target("127.0.0.1", port, "R"), 2.0)
        peer, _ = server.accept()
        with peer:
            peer.settimeout(2)
            assert peer.recv(1) == b""
    assert not connects(Target("127.0.0.1", port, "R"), 2.0)
    assert not connects(Target(f"{'a' * 64}.example", port, "R"), 2.0)  # no name at all


def test_the_answer_does_not_depend_on_the_order_of_the_checks() -> None:
    told = [*checks("a", "R", "1101"), *checks("b", "R", "0010")]
    orders = list(itertools.islice(itertools.permutations(told), 0, 40000, 9000))
    assert len({control_states(order, UNTIL, str)["R"].alive for order in orders}) == 1
