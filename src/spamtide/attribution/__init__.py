"""Who sent it and what it advertises, or unknown; with the evidence.

Reads signature files, renderings, and what the other stages know of each message (campaign, address, links);
writes answers with their evidence, and learned signatures as text. Trusts the lab's word on a family and the
author's word on a rule's confidence, within its dates; trusts nothing that a message says. A wrong signature
file raises SettingsError with file, line and reason; a message that cannot be scanned has no hits. Two
families that rent one mailer kit are told apart by other layers or left unknown, never guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spamtide.attribution.answering import METHOD, REACH_WEEKS, Coded, answers_of, attribute, coded
from spamtide.attribution.coding import Beyond
from spamtide.attribution.explaining import explain, rules_of
from spamtide.attribution.landing import Landing, judge, read_pages
from spamtide.attribution.moving import ADDRESS_WEEKS, DOMAIN_WEEKS, behind_engines, moved
from spamtide.attribution.rulefile import LearnedRule
from spamtide.attribution.signature import (
    Ruleset,
    Scan,
    compile_signatures,
    load_signatures,
    match,
    scan,
    sift,
)
from spamtide.attribution.signature.near import MARK
from spamtide.attribution.signature.unreached import unreached
from spamtide.attribution.ties.association import Flags, Ints
from spamtide.attribution.ties.rented import rented, weeks_of_engines

if TYPE_CHECKING:
    from spamtide.attribution.learning import Learned, learn

__all__ = [
    "ADDRESS_WEEKS",
    "DOMAIN_WEEKS",
    "MARK",
    "METHOD",
    "REACH_WEEKS",
    "Beyond",
    "Coded",
    "Flags",
    "Ints",
    "Landing",
    "Learned",
    "LearnedRule",
    "Ruleset",
    "Scan",
    "answers_of",
    "attribute",
    "behind_engines",
    "coded",
    "compile_signatures",
    "explain",
    "judge",
    "learn",
    "load_signatures",
    "match",
    "moved",
    "read_pages",
    "rented",
    "rules_of",
    "scan",
    "sift",
    "unreached",
    "weeks_of_engines",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the module protocol
    """Load what learns rules when it is first asked for: an update does not wait for it."""
    if name not in {"Learned", "learn"}:
        message = f"module 'spamtide.attribution' has no attribute '{name}'"
        raise AttributeError(message)
    from spamtide.attribution import learning

    return getattr(learning, name)
