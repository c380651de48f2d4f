"""Four months of noise, weekdays and mild drift, in which nothing happens but one sensor that joins."""

from __future__ import annotations

import datetime as dt

from spamtide.simulate.creatives.casino import BRAND as CASINO
from spamtide.simulate.world import Sensor, World
from spamtide.simulate.worlds.cast import BRAMBLE, GRUM, LETHIC, MEGA_D, XARVESTER

QUIET = World(
    name="quiet",
    title="Quiet: nothing happens",
    since=dt.date(2010, 3, 1),
    until=dt.date(2010, 6, 28),
    sensors=(
        Sensor("alcove", 0.50, "postfix", "mx.alcove.example", "+0000", ham=12),
        Sensor("buoy", 0.30, "exim", "mail.buoy.example", "+0100", ham=8),
        Sensor("cairn", 0.15, "sendmail", "in.cairn.example", "-0800"),
        Sensor("dune", 0.25, "qmail", "dune.example", "+0000", ham=5, joins=dt.date(2010, 4, 20)),
    ),
    senders=(MEGA_D, LETHIC, XARVESTER, GRUM, BRAMBLE),
    invented=(CASINO,),
)
