"""Rules under review: whether a new one is good, what it would have changed, and which have grown stale.

Reads rules, stored renderings and answers; writes figures for a person, and changes no answer.
"""

from spamtide.attribution.review.checking import SLOW_MICROSECONDS, cost, try_rules
from spamtide.attribution.review.hunting import hunted, shifts
from spamtide.attribution.review.life import STATES, lives

__all__ = ["SLOW_MICROSECONDS", "STATES", "cost", "hunted", "lives", "shifts", "try_rules"]
