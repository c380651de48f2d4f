"""Evaluation: counts of right and wrong answers, with intervals that know how mail comes.

Reads whether each message was answered rightly, or partitions of messages; gives shares and indices with
95 % intervals. Messages of one campaign stand or fall together, so that the unit of every interval is the
campaign. Trusts its callers for the truth; raises nothing.
"""

from spamtide.evaluation.grouping import adjusted_rand, agreement, b_cubed, renamed
from spamtide.evaluation.scoring import Outcome, Score, score

__all__ = ["Outcome", "Score", "adjusted_rand", "agreement", "b_cubed", "renamed", "score"]
