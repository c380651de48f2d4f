"""Sensors join, leave, grow tenfold and shrink, while every sender goes on as before."""

from __future__ import annotations

import datetime as dt

from spamtide.simulate.creatives.casino import BRAND as CASINO
from spamtide.simulate.world import Resize, Sensor, World
from spamtide.simulate.worlds.cast import GRUM, LETHIC, MEGA_D, WEBMAIL, XARVESTER

CHURN = World(
    name="churn",
    title="Churn: sensors come and go, nothing else happens",
    since=dt.date(2010, 2, 1),
    until=dt.date(2010, 5, 31),
    sensors=(
        Sensor("anvil", 0.40, "postfix", "mx.anvil.example", "+0000", ham=10),
        Sensor("bellows", 0.30, "exim", "mail.bellows.example", "+0100", ham=8, leaves=dt.date(2010, 4, 12)),
        Sensor("chisel", 0.30, "amavis", "gate.chisel.example", "+0200", joins=dt.date(2010, 3, 15)),
        Sensor(
            "drill",
            0.08,
            "exchange",
            "hub.drill.example",
            "-0500",
            ham=4,
            resizes=(Resize(dt.date(2010, 3, 29), 10.0),),
        ),
        Sensor(
            "easel",
            0.25,
            "qmail",
            "easel.example",
            "+0000",
            ham=6,
            outages=((dt.date(2010, 2, 22), dt.date(2010, 2, 25)),),
            resizes=(Resize(dt.date(2010, 5, 3), 0.2, "mx9.easel.example"),),
        ),
    ),
    senders=(MEGA_D, LETHIC, XARVESTER, GRUM, WEBMAIL),
    invented=(CASINO,),
)
