"""Checks of control servers that a world writes: the last week as the world says, reserved names, marked."""

from __future__ import annotations

import datetime as dt

import pytest

from spamtide.simulate.control import alive_at_end, looks, server_count
from spamtide.simulate.stream import Streams
from spamtide.simulate.worlds import WORLDS


@pytest.mark.parametrize("name", sorted(WORLDS))
def test_the_last_week_is_as_the_world_says(name: str) -> None:
    world = WORLDS[name]
    made = looks(world, Streams(name, 7))
    week = dt.datetime.combine(world.until - dt.timedelta(days=6), dt.time(), tzinfo=dt.UTC)
    for sender in world.senders:
        own = [look for look in made if look.family == sender.name]
        last = [look for look in own if look.at >= week]
        assert (len(last), sum(look.alive for look in last)) == sender.checks
        assert len({look.host for look in own}) == server_count(sender)
        assert alive_at_end(sender) is (None if not sender.checks[0] else any(look.alive for look in last))
    assert all(look.host.endswith(".invalid") for look in made)
    assert made == looks(world, Streams(name, 7))


def test_servers_are_lost_when_the_lab_bot_falls_silent() -> None:
    """Grum's answer until 28 September 2010 and never after."""
    grum = [look for look in looks(WORLDS["autumn-2010"], Streams("autumn-2010", 7)) if look.family == "grum"]
    after = [look.alive for look in grum if look.at.date() >= dt.date(2010, 9, 29)]
    before = [look.alive for look in grum if look.at.date() < dt.date(2010, 9, 29)]
    assert not any(after)
    assert sum(before) / len(before) > 0.85
