"""How much of a family's later lab mail its earlier lab mail would have known: the calibration of absence.

Split conformal prediction (Vovk, Gammerman, Shafer 2005, chapter 4), split in time and never at random: a
family's lab mail is cut into blocks, skeletons are learned from the blocks up to one and tried on the next.
If `missed` of `n` later messages had none of them, a message without any has the p-value (missed + 1) / (n +
1) under the hypothesis that the family sent it. It holds for mail that differs from the lab's no more than
the lab's later mail differs from its earlier.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import pairwise

from spamtide.attribution.learning.lab import Mail
from spamtide.attribution.learning.layout import Layout
from spamtide.attribution.learning.skeleton import skeleton_drafts
from spamtide.attribution.rulefile import Draft

BLOCKS = 4
"""Parts of lab mail in order of time; each but the first is held against rules of what came before it."""
LEAST = 12
"""With fewer messages there are no blocks; absence then says nothing."""


def missed_later(
    family: str, mail: Sequence[Mail], layouts: Sequence[Layout], unless: Collection[str]
) -> tuple[int, int] | None:
    """(later messages without a skeleton of earlier ones, later messages); None with too little mail.

    Args:
        family: the family's name.
        mail: its lab mail in order of time.
        layouts: the header lines of each.
        unless: lower-case names of fields that the place of capture added.
    """
    if len(mail) < LEAST:
        return None
    cuts = [len(mail) * block // BLOCKS for block in range(1, BLOCKS + 1)]
    missed = tested = 0
    for start, end in pairwise(cuts):
        known = [(m.sha256, layout) for m, layout in zip(mail[:start], layouts[:start], strict=True)]
        rules = [_compiled(draft) for draft in skeleton_drafts(family, known, unless=unless)]
        later = [m.rendering.partition("\ntext:")[0].encode() + b"\n" for m in mail[start:end]]
        missed += sum(not any(_holds(rule, head) for rule in rules) for head in later)
        tested += end - start
    return missed, tested


_Compiled = tuple[list[re.Pattern[bytes]], re.Pattern[bytes] | None]


def _compiled(draft: Draft) -> _Compiled:
    """A draft's patterns as Python's; the two languages agree on what drafts use."""
    made = {key: re.compile(pattern[1:-1].encode()) for key, pattern in draft.strings}
    never = made.pop("never", None)
    return list(made.values()), never


def _holds(rule: _Compiled, head: bytes) -> bool:
    wanted, never = rule
    return all(pattern.search(head) for pattern in wanted) and not (never and never.search(head))
