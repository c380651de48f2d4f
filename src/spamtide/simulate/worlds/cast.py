"""The senders that the worlds draw on. The names are real families'; traits and numbers are invented."""

from __future__ import annotations

from spamtide.simulate.creatives.canadian import BRAND as CANADIAN
from spamtide.simulate.creatives.casino import BRAND as CASINO
from spamtide.simulate.creatives.express import BRAND as EXPRESS
from spamtide.simulate.creatives.replicas import BRAND as REPLICAS
from spamtide.simulate.world import NO_PROGRAMME, Sender

RUSTOCK = Sender(
    "rustock",
    kit="press",
    level=105,
    mix={CANADIAN: 1.0},
    repertoire={
        CANADIAN: ("cp-refill", "cp-pricelist", "cp-image", "cp-holiday", "cp-energy", "cp-stock"),
    },
    active=3,
    period=18,
    bots=400,
    lifetime=20.0,
    host="{?consonant:2}{?vowel:1}{?consonant:2}{?vowel:1}{?consonant:1}{@med}.example",
    amplitude=0.18,
    peak=1,
    size=25.0,
    noise=0.04,
    checks=(12, 11),
)

CUTWAIL = Sender(
    "cutwail",
    kit="caravan",
    level=17,
    mix={CANADIAN: 0.6, CASINO: 0.4},
    repertoire={
        CANADIAN: ("cp-shortorder", "cp-ecard", "cp-affiliate"),
        CASINO: ("gh-vip", "gh-rules", "gh-numbers"),
    },
    period=21,
    phase=5,
    bots=140,
    lifetime=10.0,
    host="www.{@plant}-{@trade}.test",
    amplitude=0.25,
    size=10.0,
    noise=0.08,
    checks=(8, 8),
)

GRUM = Sender(
    "grum",
    kit="ferry",
    level=16,
    mix={CANADIAN: 0.8, CASINO: 0.2},
    repertoire={
        CANADIAN: ("cp-doctor", "cp-affiliate", "cp-wife", "cp-quiet"),
        CASINO: ("gh-friday", "gh-return"),
    },
    period=19,
    phase=11,
    bots=150,
    lifetime=16.0,
    host="{?hex:4}.{@noun}{?digit:2}.example",
    amplitude=0.2,
    peak=3,
    size=12.0,
    checks=(6, 0),
)

MEGA_D = Sender(
    "mega-d",
    kit="tandem",
    level=30,
    mix={EXPRESS: 0.75, CASINO: 0.25},
    repertoire={
        EXPRESS: ("pe-courier", "pe-night", "pe-bulk", "pe-code"),
        CASINO: ("gh-cards", "gh-regatta"),
    },
    period=24,
    phase=3,
    bots=180,
    lifetime=25.0,
    host="{@adjective}{@noun}.example",
    amplitude=0.3,
    peak=2,
    checks=(5, 5),
)

LETHIC = Sender(
    "lethic",
    kit="tandem",
    level=24,
    mix={REPLICAS: 0.6, EXPRESS: 0.4},
    repertoire={
        REPLICAS: ("ur-wrist", "ur-boss", "ur-bags"),
        EXPRESS: ("pe-rush", "pe-insurance", "pe-letter"),
    },
    period=22,
    phase=9,
    bots=160,
    lifetime=18.0,
    host="{?lower:3}-{@noun}.test",
    amplitude=0.3,
    peak=4,
    checks=(4, 4),
)

XARVESTER = Sender(
    "xarvester",
    kit="lantern-works",
    level=24,
    mix={CANADIAN: 1.0, REPLICAS: 0.0},
    repertoire={
        CANADIAN: ("cp-licensed", "cp-survey", "cp-anniversary"),
        REPLICAS: ("ur-gift", "ur-catalogue", "ur-time"),
    },
    period=25,
    phase=7,
    bots=120,
    lifetime=22.0,
    host="{@noun}{?digit:3}.invalid",
    amplitude=0.12,
    checks=(3, 3),
)

BRAMBLE = Sender(
    "bramble",
    kit="hand-press",
    level=18,
    mix={CASINO: 0.45, NO_PROGRAMME: 0.55},
    repertoire={CASINO: ("gh-welcome", "gh-friday"), NO_PROGRAMME: ("sw-office", "sw-serial")},
    captured=False,
    bots=60,
    lifetime=40.0,
    host="{@trade}{@noun}.test",
)

GANNET = Sender(
    "gannet",
    kit="loose-leaf",
    level=12,
    mix={REPLICAS: 0.5, NO_PROGRAMME: 0.5},
    repertoire={REPLICAS: ("ur-gallery", "ur-collector"), NO_PROGRAMME: ("dp-faculty", "dp-career")},
    captured=False,
    bots=90,
    host="{?lower:6}{?digit:1}.example",
)

WEBMAIL = Sender(
    "webmail",
    kit="webmail",
    level=9,
    mix={NO_PROGRAMME: 1.0},
    repertoire={NO_PROGRAMME: ("af-estate", "af-lottery", "af-cargo")},
    captured=False,
    active=3,
    bots=40,
    lifetime=5.0,
    amplitude=0.3,
    provider=True,
)
