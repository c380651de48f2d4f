"""Necurs 2016-17, after the published record: half of all spam is silent for a quarter of a year.

Published (record/events.csv E065, E066): a last run is seen on 20 Dec 2016 and silence begins in the days
after; Kaspersky counts 35 million malicious messages in December and about 7,000 in March; Sophos sees
world-wide spam about halved; on 20 Mar 2017 Necurs is back with penny-stock spam. Invented: the days of the
fall, every level and count, the other senders (Gamut and Lethic are in the record for late 2017), sensors,
noise. Attachments are not simulated: what Necurs sends here before the silence are letters about invoices
without one.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from spamtide.simulate.creatives.casino import BRAND as CASINO
from spamtide.simulate.creatives.express import BRAND as EXPRESS
from spamtide.simulate.creatives.replicas import BRAND as REPLICAS
from spamtide.simulate.world import NO_PROGRAMME, Event, Sensor, Shift, World
from spamtide.simulate.worlds.cast import BRAMBLE, CUTWAIL, GANNET, LETHIC, RUSTOCK, WEBMAIL

KASPERSKY = "https://usa.kaspersky.com/about/press-releases/2017_5000-fold-decrease-in-spam-botnet-mailings"
TALOS = "https://blogs.cisco.com/security/talos/necurs-diversifies-its-portfolio"
QUIET = dt.date(2016, 12, 21)
RETURN = dt.date(2017, 3, 20)

NECURS = replace(
    RUSTOCK,
    name="necurs",
    level=88,
    mix={NO_PROGRAMME: 1.0},
    repertoire={NO_PROGRAMME: ("iv-scan", "iv-overdue", "iv-order", "st-tip", "st-rumour")},
    active=2,
    period=45,
    bots=500,
    checks=(14, 11),
)
GAMUT = replace(CUTWAIL, name="gamut", level=34, mix={REPLICAS: 0.5, CASINO: 0.5}, repertoire={
    REPLICAS: ("ur-gift", "ur-catalogue", "ur-time"),
    CASINO: ("gh-vip", "gh-rules", "gh-numbers"),
})  # fmt: skip
LATE_LETHIC = replace(LETHIC, level=22, mix={REPLICAS: 0.6, EXPRESS: 0.4})

NECURS_2017 = World(
    name="necurs-2017",
    title="Necurs 2017: half of all spam is silent for three months",
    since=dt.date(2016, 10, 26),
    until=dt.date(2017, 4, 23),
    sensors=(
        Sensor("alcove", 0.45, "postfix", "mx.alcove.example", "+0000", ham=10),
        Sensor("buoy", 0.30, "exim", "mail.buoy.example", "+0100", ham=8),
        Sensor("cairn", 0.15, "sendmail", "in.cairn.example", "-0800"),
        Sensor("dune", 0.10, "qmail", "dune.example", "+0000", ham=4),
    ),
    senders=(NECURS, GAMUT, LATE_LETHIC, BRAMBLE, GANNET, WEBMAIL),
    shifts=(
        Shift("necurs", QUIET, (0.40, 0.10, 0.01, 0.0), lab=0.2),
        Shift("necurs", RETURN, (0.50, 0.65), lab=1.0),
    ),
    holidays={
        dt.date(2016, 12, 25): 0.8,
        dt.date(2016, 12, 26): 0.85,
        dt.date(2017, 1, 1): 0.8,
    },
    events=(
        Event(
            RETURN,
            "resurgence",
            "botnet",
            "necurs",
            "Talos sees Necurs come back after about three months, with penny-stock spam",
            TALOS,
        ),
        Event(
            dt.date(2017, 3, 31),
            "report",
            "botnet",
            "necurs",
            "Kaspersky counts about 7,000 malicious messages for March, against 35 million in December",
            KASPERSKY,
        ),
    ),
    invented=(CASINO,),
)
