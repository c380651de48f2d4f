"""March 2011, after the published record: Rustock is taken down, spam falls by a third, others fill in.

Published (record/events.csv E047 to E050): on 16 Mar 2011 at about 14:45 GMT Rustock goes from thousands of
messages a second to one or two; world-wide spam falls by a third in a week (MessageLabs: 52 to 33 billion a
day; Symantec: -40.4 % on the week), the month as a whole by only about 2 %; Bagle sends most afterwards;
nothing of Rustock returns. Invented: every level and count, how the others grow day by day, other
programmes, sensors and noise.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from spamtide.simulate.creatives.canadian import BRAND as CANADIAN
from spamtide.simulate.creatives.casino import BRAND as CASINO
from spamtide.simulate.creatives.express import BRAND as EXPRESS
from spamtide.simulate.world import Event, Sensor, Shift, World
from spamtide.simulate.worlds.cast import BRAMBLE, CUTWAIL, GRUM, LETHIC, RUSTOCK, WEBMAIL, XARVESTER

CBL = "https://reallyducksoup.blogspot.com/2011/03/rustock-botnet-flatlined.html"
MESSAGELABS = "https://techmonitor.ai/technology/software/rustock-botnet-emails-1382bn-spams-daily-in-march-symantec-310311"
STRUCK = dt.date(2011, 3, 16)
FILLING = dt.date(2011, 3, 23)

LATE_RUSTOCK = replace(
    RUSTOCK,
    level=72,
    mix={EXPRESS: 1.0},
    repertoire={EXPRESS: ("pe-courier", "pe-night", "pe-code", "pe-bulk")},
    checks=(12, 0),
)
BAGLE = replace(CUTWAIL, name="bagle", level=30, mix={CANADIAN: 0.7, CASINO: 0.3})
FULL_LETHIC = replace(LETHIC, level=34)
FULL_GRUM = replace(GRUM, level=26)
STEADY_XARVESTER = replace(
    XARVESTER,
    level=16,
    mix={CANADIAN: 1.0},
    repertoire={CANADIAN: ("cp-licensed", "cp-survey", "cp-anniversary")},
)


def filling(days: int, to: float) -> tuple[float, ...]:
    """Level of a sender that grows evenly from 1 to `to` over so many days."""
    return tuple(round(1 + (to - 1) * day / days, 3) for day in range(1, days + 1))


RUSTOCK_TAKEDOWN_2011 = World(
    name="rustock-takedown-2011",
    title="March 2011: a takedown, a third less spam for a week, and others fill in",
    since=dt.date(2011, 1, 17),
    until=dt.date(2011, 5, 8),
    sensors=(
        Sensor("maple", 0.40, "postfix", "mx1.maple.example", "+0200", ham=14),
        Sensor("heron", 0.28, "exim", "mx.heron.example", "+0100", ham=10),
        Sensor("quarry", 0.20, "qmail", "quarry.example", "+0000", ham=7),
        Sensor("fjord", 0.12, "exchange", "edge01.fjord.example", "+0200"),
    ),
    senders=(LATE_RUSTOCK, BAGLE, FULL_LETHIC, FULL_GRUM, STEADY_XARVESTER, BRAMBLE, WEBMAIL),
    shifts=(
        Shift("rustock", STRUCK, (0.60, 0.0), lab=0.0),
        Shift("bagle", FILLING, filling(14, 2.3)),
        Shift("lethic", FILLING, filling(14, 1.6)),
        Shift("grum", FILLING, filling(14, 1.3)),
    ),
    events=(
        Event(
            STRUCK,
            "takedown",
            "botnet",
            "rustock",
            "Operation b107: Rustock's control servers were seized at about 14:45 GMT",
            CBL,
        ),
        Event(
            dt.date(2011, 3, 29),
            "report",
            "botnet",
            "bagle",
            "MessageLabs counts Bagle as the most active botnet since Rustock's end",
            MESSAGELABS,
        ),
    ),
    invented=(CASINO,),
)
