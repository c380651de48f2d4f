"""Autumn 2010, after the published record: Rustock falls, a programme closes, two more go quiet, one moves.

Published (record/events.csv E029, E030, E036 and M86 Security Labs, 14 Oct 2010): Rustock begins to fall
about 20 Sep and is negligible by 23 Sep, with its control servers up, its lab bot sending and a few
customers still reached; SpamIt gives notice about 25 Sep and takes no traffic from 1 Oct; Grum and
Pushdo go quiet; Xarvester moves to Ultimate Replicas. Invented: every level and count, the days of Grum
and Cutwail, Grum's dead control servers and silent lab bot, floods, sensors and what happens to them. The
August 2010 action against Pushdo is left out.
"""

from __future__ import annotations

import datetime as dt

from spamtide.simulate.creatives.canadian import BRAND as CANADIAN
from spamtide.simulate.creatives.casino import BRAND as CASINO
from spamtide.simulate.creatives.replicas import BRAND as REPLICAS
from spamtide.simulate.world import Decline, Event, Flood, Resize, Sensor, Switch, World
from spamtide.simulate.worlds.cast import (
    BRAMBLE,
    CUTWAIL,
    GANNET,
    GRUM,
    LETHIC,
    MEGA_D,
    RUSTOCK,
    WEBMAIL,
    XARVESTER,
)

SEED_POST = "http://labs.m86security.com/2010/10/spam-volumes-drop-after-spamit-shakeup/"

AUTUMN_2010 = World(
    name="autumn-2010",
    title="Autumn 2010: a botnet falls silent, a programme closes",
    since=dt.date(2010, 7, 1),
    until=dt.date(2010, 10, 14),
    sensors=(
        Sensor("maple", 0.36, "postfix", "mx1.maple.example", "+0200", ham=22),
        Sensor(
            "heron",
            0.24,
            "exim",
            "mx.heron.example",
            "+0100",
            ham=16,
            outages=((dt.date(2010, 8, 17), dt.date(2010, 8, 20)),),
        ),
        Sensor(
            "lantern",
            0.17,
            "sendmail",
            "mail.lantern.example",
            "-0500",
            ham=12,
            resizes=(Resize(dt.date(2010, 10, 5), 0.25, "filter.lantern.example"),),
        ),
        Sensor("quarry", 0.11, "qmail", "quarry.example", "+0000", ham=8),
        Sensor("fjord", 0.07, "exchange", "edge01.fjord.example", "+0200", joins=dt.date(2010, 8, 5)),
        Sensor("saffron", 0.05, "amavis", "mail.saffron.example", "+1000"),
    ),
    senders=(RUSTOCK, CUTWAIL, GRUM, MEGA_D, LETHIC, XARVESTER, BRAMBLE, GANNET, WEBMAIL),
    declines=(
        Decline(
            "rustock",
            dt.date(2010, 9, 20),
            ramp=(0.60, 0.30, 0.10, 0.03),
            residual={"heron": 0.09, "fjord": 0.09},
        ),
        Decline(
            "grum",
            dt.date(2010, 9, 27),
            ramp=(0.50, 0.15, 0.03),
            residual={"maple": 0.02},
            lab_stops=dt.date(2010, 9, 29),
        ),
        Decline(
            "cutwail", dt.date(2010, 9, 28), ramp=(0.45, 0.15, 0.04), residual={"maple": 0.05, "quarry": 0.1}
        ),
    ),
    switches=(Switch("xarvester", dt.date(2010, 10, 1), (0.35, 0.70, 0.92), CANADIAN, REPLICAS),),
    floods=(
        Flood("cutwail", dt.date(2010, 7, 21), 2.6),
        Flood("grum", dt.date(2010, 8, 11), 2.2),
        Flood("lethic", dt.date(2010, 9, 8), 2.0),
    ),
    holidays={dt.date(2010, 7, 5): 0.85, dt.date(2010, 8, 30): 0.9, dt.date(2010, 9, 6): 0.85},
    events=(
        Event(
            dt.date(2010, 9, 25),
            "programme_closure",
            "programme",
            CANADIAN,
            "SpamIt, the programme behind the brand, gives notice about this day that it will close",
            SEED_POST,
        ),
        Event(
            dt.date(2010, 10, 1),
            "programme_closure",
            "programme",
            CANADIAN,
            "SpamIt takes no more traffic from this day on",
            SEED_POST,
        ),
    ),
    invented=(CASINO,),
)
