"""The shipped worlds, one file each, as literal records."""

from __future__ import annotations

from collections.abc import Mapping

from spamtide.simulate.world import World
from spamtide.simulate.worlds.autumn_2010 import AUTUMN_2010
from spamtide.simulate.worlds.churn import CHURN
from spamtide.simulate.worlds.mccolo_2008 import MCCOLO_2008
from spamtide.simulate.worlds.necurs_2017 import NECURS_2017
from spamtide.simulate.worlds.overlap import OVERLAP
from spamtide.simulate.worlds.quiet import QUIET
from spamtide.simulate.worlds.rustock_pause_2010 import RUSTOCK_PAUSE_2010
from spamtide.simulate.worlds.rustock_takedown_2011 import RUSTOCK_TAKEDOWN_2011

WORLDS: Mapping[str, World] = {
    world.name: world
    for world in (
        AUTUMN_2010,
        MCCOLO_2008,
        RUSTOCK_PAUSE_2010,
        RUSTOCK_TAKEDOWN_2011,
        NECURS_2017,
        QUIET,
        CHURN,
        OVERLAP,
    )
}
"""Every shipped world by name."""
