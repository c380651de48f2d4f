"""Christmas 2010, after the published record: three botnets pause for two weeks and come back on one day.

Published (record/events.csv E041 to E046): Rustock is all but silent from 25 Dec 2010, Lethic from 28 Dec,
Xarvester from 31 Dec, while Cutwail and Gheg go on; all spam is down by more than half; Rustock's control
channel is alive; it is back on 10 Jan 2011 at about 00:00 UTC, smaller than before, and advertises Pharmacy
Express instead of Canadian Pharmacy. Invented: every level and count, other programmes, sensors, noise, the
levels after the return.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from spamtide.simulate.creatives.canadian import BRAND as CANADIAN
from spamtide.simulate.creatives.casino import BRAND as CASINO
from spamtide.simulate.creatives.express import BRAND as EXPRESS
from spamtide.simulate.world import Event, Sensor, Shift, Switch, World
from spamtide.simulate.worlds.cast import BRAMBLE, CUTWAIL, GRUM, LETHIC, RUSTOCK, WEBMAIL, XARVESTER

REGISTER = "https://www.theregister.com/2011/01/06/spam_volumes_shrink/"
SOFTPEDIA = "http://news.softpedia.com/news/Rustock-Back-to-Spamming-in-Force-177368.shtml"

RETURN = dt.date(2011, 1, 10)

WINTER_RUSTOCK = replace(
    RUSTOCK,
    level=85,
    mix={CANADIAN: 1.0, EXPRESS: 0.0},
    repertoire={
        CANADIAN: ("cp-refill", "cp-pricelist", "cp-image", "cp-holiday", "cp-energy", "cp-stock"),
        EXPRESS: ("pe-courier", "pe-night", "pe-code"),
    },
)
GHEG = replace(GRUM, name="gheg", level=18)
STEADY_CUTWAIL = replace(CUTWAIL, level=26)

RUSTOCK_PAUSE_2010 = World(
    name="rustock-pause-2010",
    title="Christmas 2010: three botnets pause, and come back on one day",
    since=dt.date(2010, 10, 15),
    until=dt.date(2011, 2, 6),
    sensors=(
        Sensor("maple", 0.40, "postfix", "mx1.maple.example", "+0200", ham=14),
        Sensor("heron", 0.30, "exim", "mx.heron.example", "+0100", ham=10),
        Sensor("quarry", 0.20, "qmail", "quarry.example", "+0000", ham=7),
        Sensor("saffron", 0.10, "amavis", "mail.saffron.example", "+1000"),
    ),
    senders=(WINTER_RUSTOCK, STEADY_CUTWAIL, GHEG, LETHIC, XARVESTER, BRAMBLE, WEBMAIL),
    shifts=(
        Shift("rustock", dt.date(2010, 12, 25), (0.30, 0.04, 0.01), lab=0.3),
        Shift("lethic", dt.date(2010, 12, 28), (0.20, 0.01), lab=0.0),
        Shift("xarvester", dt.date(2010, 12, 31), (0.25, 0.02), lab=0.0),
        Shift("rustock", RETURN, (0.55, 0.60), lab=1.0),
        Shift("lethic", RETURN, (0.70, 1.00), lab=1.0),
        Shift("xarvester", RETURN, (0.60, 0.90), lab=1.0),
    ),
    switches=(Switch("rustock", RETURN, (1.0,), CANADIAN, EXPRESS),),
    holidays={
        dt.date(2010, 12, 24): 0.92,
        dt.date(2010, 12, 25): 0.85,
        dt.date(2010, 12, 26): 0.9,
        dt.date(2011, 1, 1): 0.85,
    },
    events=(
        Event(
            dt.date(2010, 12, 25),
            "holiday_pause",
            "botnet",
            "rustock",
            "Symantec sees Rustock stop at Christmas, while its machines go on with click fraud",
            REGISTER,
        ),
        Event(
            RETURN,
            "resurgence",
            "botnet",
            "rustock",
            "Symantec sees spam nearly double within ten hours as Rustock comes back",
            SOFTPEDIA,
        ),
    ),
    invented=(CASINO,),
)
