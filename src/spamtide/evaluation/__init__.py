"""Evaluation: how often the answers are right, with intervals that know how mail comes.

Reads simulated worlds, real mail and an observatory's own lab mail, all of whose truth is known, and sends
them through the whole path; gives the accuracy table. Messages of one campaign stand or fall together, so
that the unit of every interval is the campaign. Trusts the truth that it is given; an observatory is only
read. Fails with NoInputError where the folder of public collections is missing.

    evaluate.py   what is measured       naming.py      senders and programmes of a world
    holdout.py    a family left out      orders.py      campaigns, and the order that mail comes in
    latency.py    how soon               laboratory.py  an observatory's own lab mail
    scoring.py    shares by campaign     grouping.py    partitions held against each other
    table.py      the table as text and as plain values
"""

from spamtide.evaluation.evaluate import evaluate
from spamtide.evaluation.grouping import adjusted_rand, agreement, b_cubed, renamed
from spamtide.evaluation.scoring import Outcome, Score, score
from spamtide.evaluation.table import as_json, as_markdown

__all__ = [
    "Outcome",
    "Score",
    "adjusted_rand",
    "agreement",
    "as_json",
    "as_markdown",
    "b_cubed",
    "evaluate",
    "renamed",
    "score",
]
