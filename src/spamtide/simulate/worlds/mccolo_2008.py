"""McColo 2008, after the published record: one host is cut off, most spam stops, and most of it comes back.

Published (record/events.csv E007 to E014): McColo loses its transit late on 11 Nov 2008; world-wide spam
falls by 41 to 80 % by the measurer; Rustock is back on 25 Nov, Mega-D from 1 to 8 Dec, with two thirds of
the former volume by 25 Nov (MessageLabs) and all of it by 23 Mar 2009 (Postini); Srizbi does not recover.
Invented: every level and count, the size of each family's loss, Cutwail's half loss, the weeks in which
Xarvester takes over, which programmes are advertised, sensors and noise. Srizbi's few hours of 25 Nov are
left out.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from spamtide.simulate.creatives.canadian import BRAND as CANADIAN
from spamtide.simulate.creatives.casino import BRAND as CASINO
from spamtide.simulate.creatives.express import BRAND as EXPRESS
from spamtide.simulate.creatives.replicas import BRAND as REPLICAS
from spamtide.simulate.world import Event, Sensor, Shift, World
from spamtide.simulate.worlds.cast import CUTWAIL, GRUM, LETHIC, MEGA_D, RUSTOCK, WEBMAIL, XARVESTER

POSTINI = "https://www.cnet.com/tech/services-and-software/postini-spam-up-again-following-mccolo-takedown/"
IRONPORT = "https://www.circleid.com/posts/spam_volumes_dropped_two_thirds/"
SOPHOS = "https://nakedsecurity.sophos.com/2008/11/26/spam-is-up-by-200-rustock-botnet-revival-to-blame/"
MARSHAL = "http://www.net-security.org/secworld.php?id=6817"

SINCE = dt.date(2008, 9, 1)
CUT = dt.date(2008, 11, 11)

SRIZBI = replace(
    RUSTOCK,
    name="srizbi",
    level=44,
    mix={CANADIAN: 0.6, REPLICAS: 0.4},
    repertoire={
        CANADIAN: ("cp-refill", "cp-pricelist", "cp-image", "cp-stock"),
        REPLICAS: ("ur-gallery", "ur-collector"),
    },
    checks=(10, 0),
)
OLD_RUSTOCK = replace(
    CUTWAIL,
    name="rustock",
    level=19,
    mix={CANADIAN: 1.0},
    repertoire={CANADIAN: ("cp-energy", "cp-ecard", "cp-holiday", "cp-shortorder")},
    checks=(9, 9),
)
OLD_CUTWAIL = replace(GRUM, name="cutwail", level=13, checks=(7, 6))
OLD_MEGA_D = replace(MEGA_D, level=16)
BOBAX = replace(LETHIC, name="bobax", level=12, mix={REPLICAS: 0.6, EXPRESS: 0.4})
NEW_XARVESTER = replace(
    XARVESTER,
    level=36,
    mix={CANADIAN: 1.0},
    repertoire={CANADIAN: ("cp-licensed", "cp-survey", "cp-anniversary")},
)

MCCOLO_2008 = World(
    name="mccolo-2008",
    title="McColo 2008: a host is cut off, spam falls and recovers over four months",
    since=SINCE,
    until=dt.date(2009, 4, 12),
    sensors=(
        Sensor("anvil", 0.40, "postfix", "mx.anvil.example", "+0000", ham=9),
        Sensor("bellows", 0.30, "exim", "mail.bellows.example", "+0100", ham=7),
        Sensor("chisel", 0.20, "sendmail", "gate.chisel.example", "-0500"),
        Sensor("drill", 0.10, "exchange", "hub.drill.example", "+0200", ham=4),
    ),
    senders=(SRIZBI, OLD_RUSTOCK, OLD_CUTWAIL, OLD_MEGA_D, BOBAX, NEW_XARVESTER, WEBMAIL),
    shifts=(
        Shift("xarvester", SINCE, (0.0,), lab=0.0),
        Shift("srizbi", CUT, (0.88, 0.0), lab=0.0),
        Shift("rustock", CUT, (0.90, 0.05, 0.02), lab=0.0),
        Shift("mega-d", CUT, (0.90, 0.03, 0.01), lab=0.0),
        Shift("cutwail", CUT, (0.95, 0.50)),
        Shift("rustock", dt.date(2008, 11, 25), (0.80, 1.20, 1.50), lab=1.0),
        Shift("cutwail", dt.date(2008, 11, 25), (0.80, 1.00)),
        Shift("mega-d", dt.date(2008, 12, 1), (0.20, 0.50, 0.80, 1.00, 1.10, 1.25), lab=1.0),
        Shift(
            "xarvester", dt.date(2009, 1, 12), tuple(round(week / 70, 3) for week in range(1, 71)), lab=1.0
        ),
    ),
    holidays={
        dt.date(2008, 12, 25): 0.8,
        dt.date(2008, 12, 26): 0.85,
        dt.date(2009, 1, 1): 0.8,
    },
    events=(
        Event(
            CUT,
            "host_loss",
            "host",
            "McColo",
            "McColo, which hosted control servers of several botnets, lost its transit",
            IRONPORT,
        ),
        Event(
            dt.date(2008, 11, 25),
            "resurgence",
            "botnet",
            "rustock",
            "Sophos reports that Rustock is back and that its traps' volume tripled",
            SOPHOS,
        ),
        Event(
            dt.date(2008, 12, 8),
            "resurgence",
            "botnet",
            "mega-d",
            "Marshal8e6 sees Mega-D send up to 48 % of spam, about three weeks after McColo",
            MARSHAL,
        ),
        Event(
            dt.date(2009, 3, 23),
            "recovery",
            "global",
            "global spam",
            "Postini reports that its seven-day mean is back at the level before McColo",
            POSTINI,
        ),
    ),
    invented=(CASINO,),
)
