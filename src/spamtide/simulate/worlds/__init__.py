"""The shipped worlds, one file each, as literal records."""

from __future__ import annotations

from collections.abc import Mapping

from spamtide.simulate.world import World
from spamtide.simulate.worlds.autumn_2010 import AUTUMN_2010
from spamtide.simulate.worlds.churn import CHURN
from spamtide.simulate.worlds.quiet import QUIET

WORLDS: Mapping[str, World] = {world.name: world for world in (AUTUMN_2010, QUIET, CHURN)}
"""Every shipped world by name."""
