"""An observatory's own lab mail: later mail by rules of earlier, and each family left out in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from spamtide import pipeline
from spamtide.attribution import attribute, compile_signatures, learn, match
from spamtide.evaluation.holdout import Holdout
from spamtide.evaluation.scoring import Outcome, Score, score
from spamtide.knowledge import load_knowledge
from spamtide.model import UNKNOWN
from spamtide.observatory import Observatory
from spamtide.store import rollup

EARLIER = 0.75
"""Share of each family's own lab mail that rules are made from, to be tried on the rest."""
SMALL_FAMILY = 20
"""A family with less lab mail is not split."""


def of_lab_mail(observatory: Observatory, say: Callable[[str], None]) -> list[Score]:
    """Later lab mail by rules of earlier; and each family left out in turn, by the whole path."""
    lab = rollup.lab_rows(observatory.lake, pipeline.LAB_MESSAGES)
    ham = rollup.ham_rows(observatory.lake, pipeline.HAM_MESSAGES)
    campaigns = observatory.lake.query("SELECT DISTINCT sha256, campaign FROM memberships").to_pylist()
    units = {row["sha256"]: row["campaign"] for row in campaigns}
    knowledge = load_knowledge(observatory.knowledge)

    def answers(known: pa.Table, asked: pa.Table) -> Iterator[tuple[str, str, str]]:
        """(family, answer, campaign) of lab mail by rules of other lab mail."""
        learned = learn(known, ham)
        rules = compile_signatures([(Path(name), text) for name, text in learned.files().items()])
        hits = match(asked["rendering"].to_pylist(), rules)
        nothing = pa.nulls(asked.num_rows, pa.string())
        rows = asked.set_column(asked.schema.get_field_index("lab"), "lab", nothing)
        rows = rows.append_column("campaign", nothing)
        rows = rows.append_column("rules", pa.array(map(list, hits), pa.list_(pa.string())))
        named = attribute(rows, rules, knowledge)
        said = dict(zip(named["sha256"].to_pylist(), named["botnet"].to_pylist(), strict=True))
        for family, sha256 in zip(asked["lab"].to_pylist(), asked["sha256"].to_pylist(), strict=True):
            right = knowledge.canonical(said[sha256]) == knowledge.canonical(family)
            yield family, family if right else said[sha256], units.get(sha256, sha256)

    families = sorted(set(lab["lab"].to_pylist()))
    early, late = _in_time(lab)
    say(f"learning from the earlier {early.num_rows:,} of {lab.num_rows:,} lab messages")
    told = list(answers(early, late)) if late.num_rows else []
    table = []
    for family in families:
        own = [(name, unit) for of, name, unit in told if of == family]
        right = [Outcome(unit, name == family) for name, unit in own]
        table.append(score(f"{family}: later lab mail, recall", right, ">= 95 %"))
        wrong = [Outcome(unit, name not in {family, UNKNOWN}) for name, unit in own]
        table.append(score(f"{family}: later lab mail under another name", wrong, "<= 1 %"))
    named = [Outcome(unit, name == family) for family, name, unit in told if name != UNKNOWN]
    table.append(score("later lab mail: answers that name a family, precision", named, ">= 99 %"))
    holdout = Holdout(observatory)
    of_stored = stored_names(observatory)
    for family in families if len(families) > 1 else ():
        say(f"leaving out {family}")
        own_name = knowledge.canonical(family)
        outcomes = []
        without = holdout.without(family).select(["sha256", "lab", "botnet", "campaign"])
        for sha256, of_lab, name, unit in zip(*without.to_pydict().values(), strict=True):
            if of_lab == family or (of_lab is None and of_stored.get(sha256) == own_name):
                outcomes.append(Outcome(unit or sha256, knowledge.canonical(name) not in {own_name, UNKNOWN}))
        table.append(score(f"{family}: left out of the lab, under another name", outcomes, "<= 1 %"))
    return table


def stored_names(observatory: Observatory) -> dict[str, str]:
    """Content of the wild -> the botnet that it is said to be of now, by its published name; if any."""
    knowledge = load_knowledge(observatory.knowledge)
    rows = observatory.lake.query(
        "SELECT DISTINCT a.sha256, a.botnet FROM attributions a JOIN evidence e "
        "ON e.sha256 = a.sha256 AND e.sensor = a.sensor "
        "WHERE e.lab IS NULL AND e.label = 'spam' AND a.botnet <> 'unknown'"
    )
    return {row["sha256"]: knowledge.canonical(row["botnet"]) for row in rows.to_pylist()}


def _in_time(lab: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Each family's earlier and later lab mail; a message is on one side only, a small family's on the first.

    Args:
        lab: rows of each family in order of time.
    """
    later: set[str] = set()
    for family in set(lab["lab"].to_pylist()):
        own = list(dict.fromkeys(lab.filter(pc.equal(lab["lab"], family))["sha256"].to_pylist()))
        later.update(own[int(EARLIER * len(own)) :] if len(own) >= SMALL_FAMILY else ())
    is_later = pc.is_in(lab["sha256"], pa.array(sorted(later), pa.string()))
    return lab.filter(pc.invert(is_later)), lab.filter(is_later)
