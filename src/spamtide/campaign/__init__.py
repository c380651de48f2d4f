"""Observations to campaigns: which messages are variants of one text or template.

Reads observations (`sketch`, a record at a time, any engine may map it) and a small table of sketches
(`cluster`, a relation). Writes memberships, exemplars and lineage. Trusts that the caller gives each
content once; trusts nothing in a message. Fails on a table that lacks a column, on no message: what says
too little to be compared is grouped by an exact key or stays alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spamtide.campaign.similarity import MIN_SHINGLES, sketch

if TYPE_CHECKING:
    from spamtide.campaign.clustering import Clustering, cluster
    from spamtide.campaign.lineage import CampaignState, resolve
    from spamtide.campaign.relating import relate
    from spamtide.campaign.traits import COLUMNS, no_profiles, profile

__all__ = [
    "COLUMNS",
    "MIN_SHINGLES",
    "CampaignState",
    "Clustering",
    "cluster",
    "no_profiles",
    "profile",
    "relate",
    "resolve",
    "sketch",
]

_WHERE = {
    "COLUMNS": "traits",
    "CampaignState": "lineage",
    "Clustering": "clustering",
    "cluster": "clustering",
    "no_profiles": "traits",
    "profile": "traits",
    "relate": "relating",
    "resolve": "lineage",
}
"""What a relation needs -> its module. An ingest only sketches, and does not wait for the rest."""


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the module protocol
    """Load the rest of the room when it is first asked for."""
    from importlib import import_module

    if name not in _WHERE:
        message = f"module 'spamtide.campaign' has no attribute '{name}'"
        raise AttributeError(message)
    return getattr(import_module(f"spamtide.campaign.{_WHERE[name]}"), name)
