"""Observations to campaigns: which messages are variants of one text or template.

Reads observations (`sketch`, a record at a time, any engine may map it) and a small table of sketches
(`cluster`, a relation). Writes memberships, exemplars and lineage. Trusts that the caller gives each
content once; trusts nothing in a message. Fails on a table that lacks a column, on no message: what says
too little to be compared is grouped by an exact key or stays alone.
"""

from __future__ import annotations

from spamtide.campaign.cluster import Clustering, cluster
from spamtide.campaign.lineage import CampaignState, resolve
from spamtide.campaign.similarity import MIN_SHINGLES, sketch

__all__ = ["MIN_SHINGLES", "CampaignState", "Clustering", "cluster", "resolve", "sketch"]
