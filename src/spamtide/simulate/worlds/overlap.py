"""Eight weeks in which engines overlap: imitators of one program, a rented kit, one text sent by several.

The families are invented. Nothing happens; what is measured is who is told from whom.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from spamtide.simulate.creatives.canadian import BRAND as CANADIAN
from spamtide.simulate.creatives.casino import BRAND as CASINO
from spamtide.simulate.creatives.express import BRAND as EXPRESS
from spamtide.simulate.creatives.replicas import BRAND as REPLICAS
from spamtide.simulate.world import Sender, Sensor, World
from spamtide.simulate.worlds.cast import BRAMBLE, LETHIC, MEGA_D, WEBMAIL

GREY = Sender(
    "grey-express",
    kit="express-grey",
    level=22,
    mix={CANADIAN: 1.0},
    repertoire={CANADIAN: ("cp-refill", "cp-pricelist", "cp-affiliate", "cp-holiday", "cp-energy")},
    period=9,
    bots=120,
    host="{@med}{?digit:3}.example",
    lab=6.0,
)
GREEN = Sender(
    "green-express",
    kit="express-green",
    level=16,
    mix={CANADIAN: 0.6, REPLICAS: 0.4},
    repertoire={
        CANADIAN: ("cp-affiliate", "cp-doctor", "cp-quiet"),
        REPLICAS: ("ur-wrist", "ur-gift", "ur-time"),
    },
    period=10,
    phase=4,
    bots=90,
    host="{@noun}-{@trade}.test",
    lab=4.0,
)
DARK = Sender(
    "dark-express",
    kit="express-dark",
    level=14,
    mix={CANADIAN: 1.0},
    repertoire={CANADIAN: ("cp-affiliate", "cp-wife", "cp-stock")},
    captured=False,
    bots=80,
    host="{?lower:5}{@med}.test",
)
MOSAIC = Sender(
    "mosaic",
    kit="mosaic",
    level=18,
    mix={CASINO: 0.5, EXPRESS: 0.5},
    repertoire={
        CASINO: ("gh-vip", "gh-rules", "gh-numbers"),
        EXPRESS: ("pe-courier", "pe-night", "pe-letter"),
    },
    period=11,
    phase=2,
    bots=100,
    host="{@plant}{?digit:2}.invalid",
    lab=5.0,
)

OVERLAP = World(
    name="overlap",
    title="Overlap: engines that look alike",
    since=dt.date(2011, 2, 1),
    until=dt.date(2011, 3, 28),
    sensors=(
        Sensor("ember", 0.5, "postfix", "mx.ember.example", "+0000", ham=8),
        Sensor("flint", 0.3, "exim", "mail.flint.example", "+0100", ham=6),
        Sensor("grove", 0.2, "qmail", "grove.example", "+0000"),
    ),
    senders=(
        GREY,
        GREEN,
        DARK,
        MOSAIC,
        replace(MEGA_D, period=12, level=14),
        replace(LETHIC, period=11, level=12),
        replace(BRAMBLE, level=10),
        replace(WEBMAIL, level=5),
    ),
    invented=(CASINO,),
)
