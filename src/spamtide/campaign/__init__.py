"""Observations to campaigns: which messages are variants of one text or template.

Reads observations (`sketch`, a record at a time, any engine may map it) and a small table of sketches
(`cluster`, a relation). Writes memberships, exemplars and lineage. Trusts that the caller gives each
content once; trusts nothing in a message. Fails on a table that lacks a column, on no message: what says
too little to be compared is grouped by an exact key or stays alone.
"""

from __future__ import annotations

from spamtide.campaign.cluster import Clustering, cluster
from spamtide.campaign.lineage import CampaignState, resolve
from spamtide.campaign.relating import relate
from spamtide.campaign.similarity import MIN_SHINGLES, sketch
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
