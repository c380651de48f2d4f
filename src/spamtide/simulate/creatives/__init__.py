"""The advertisements, one file a programme. All wording is written for the simulator."""

from __future__ import annotations

from collections.abc import Mapping

from spamtide.simulate.creatives import canadian, casino, express, other, replicas
from spamtide.simulate.world import Creative

CREATIVES: Mapping[str, Creative] = {
    creative.name: creative
    for group in (canadian, express, replicas, casino, other)
    for creative in group.CREATIVES
}
"""Every creative by name."""
