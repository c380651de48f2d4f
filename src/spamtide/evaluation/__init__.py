"""Evaluation: counts of right and wrong answers, with intervals that know how mail comes.

Reads rows of (group, campaign, right answer, answer); gives shares with 95 % intervals. Messages of one
campaign stand or fall together, so that the unit of every interval is the campaign. Trusts its callers for
the truth; raises nothing.
"""

from spamtide.evaluation.scoring import Outcome, Score, score

__all__ = ["Outcome", "Score", "score"]
