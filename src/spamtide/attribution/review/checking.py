"""Hand-written rules on trial: false hits on ham, overlap with other names, and what they cost."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from spamtide.attribution.learning.measuring import HAM_LIMIT, IMITATION
from spamtide.attribution.rulefile import at_most
from spamtide.attribution.signature.ruleset import Ruleset, compile_signatures, match
from spamtide.attribution.spoken import shared_with
from spamtide.knowledge import Knowledge
from spamtide.model import UNKNOWN, Signature

TIMED = 2000
"""Renderings that speed is measured on."""
SLOW_MICROSECONDS = 30.0
"""A file that adds more than this to a message takes half of what all rules together may take."""
OVERLAP = 0.05
"""Share of a rule's wild hits under other names from which it is worth a look."""


@dataclass(frozen=True, slots=True)
class RuleTrial:
    """What one rule did on mail whose kind is known."""

    signature: Signature
    ham: int
    """Legitimate messages that it was tried on, and those that it hit."""
    ham_hits: int
    lab: Mapping[str, tuple[int, int]]
    """Family -> (hits, messages) of lab mail."""
    wild: int
    wild_hits: int
    otherwise: Mapping[str, int]
    """Other name -> messages of the wild that it hits and that have that name now."""
    complaints: tuple[str, ...]
    """What a reviewer should look at; () for nothing."""
    wrong: bool
    """Whether it names more legitimate mail than `learn` lets a rule name: it must not come into use."""

    @property
    def ham_at_most(self) -> float:
        """Upper end of the 95 % interval of the share of ham that it hits."""
        return at_most(self.ham_hits, self.ham)


def try_rules(
    rows: pa.Table, ruleset: Ruleset, rules: Sequence[str], knowledge: Knowledge
) -> list[RuleTrial]:
    """Try some rules of a rule set on mail.

    Args:
        rows: label, lab, botnet, programme (present answers, or null) and rendering.
        ruleset: holds the rules.
        rules: ids of those to report.
        knowledge: resolves aliases, so that two names of one family are no overlap.
    """
    hits = match(rows["rendering"].to_pylist(), ruleset)
    labels, labs = rows["label"].to_pylist(), rows["lab"].to_pylist()
    answers = {kind: rows[kind].to_pylist() for kind in ("botnet", "programme")}
    size = Counter("ham" if label == "ham" else lab or "" for label, lab in zip(labels, labs, strict=True))
    met: dict[str, Counter[str]] = {rule: Counter() for rule in rules}
    otherwise: dict[str, Counter[str]] = {rule: Counter() for rule in rules}
    for place, found in enumerate(hits):
        group = "ham" if labels[place] == "ham" else labs[place] or ""
        for rule in found:
            if rule not in met:
                continue
            met[rule][group] += 1
            signature = ruleset.signatures[rule]
            name = answers[signature.kind][place]
            if not group and name and name != UNKNOWN and not _same(name, signature, knowledge):
                otherwise[rule][name] += 1
    families = sorted(name for name in size if name not in {"", "ham"})
    return [
        _trial(ruleset.signatures[rule], size, met[rule], otherwise[rule], families, knowledge)
        for rule in rules
    ]


def _trial(
    signature: Signature,
    size: Mapping[str, int],
    met: Mapping[str, int],
    otherwise: Mapping[str, int],
    families: Sequence[str],
    knowledge: Knowledge,
) -> RuleTrial:
    lab = {family: (met.get(family, 0), size[family]) for family in families}
    ham, ham_hits, wild_hits = size.get("ham", 0), met.get("ham", 0), met.get("", 0)
    said = []
    names = signature.confidence > IMITATION and "unlike" not in signature.meta  # else it gives nobody a name
    wrong = names and ham_hits > 1 and ham_hits > HAM_LIMIT * ham
    if ham_hits:
        said.append(
            f"hits {ham_hits:,} of {ham:,} legitimate messages (at most {at_most(ham_hits, ham):.2%})"
            + (f": narrow it, or give it a confidence of {IMITATION} or less" if wrong else "")
        )
    if not ham:
        said.append("no legitimate mail here to try it on: `spamtide ingest --label ham`")
    if signature.kind == "botnet":
        for family, (hits, n) in lab.items():
            if hits and not _same(family, signature, knowledge):
                said.append(f"hits {hits:,} of {n:,} lab messages of {family}: narrow it, or add shared_with")
    for name, hits in sorted(otherwise.items(), key=lambda item: (-item[1], item[0])):
        if hits > OVERLAP * wild_hits:
            said.append(f"{hits:,} of its {wild_hits:,} hits are given to {name} now")
    if not sum(met.values()):
        said.append("hits nothing here")
    return RuleTrial(
        signature,
        ham,
        ham_hits,
        lab,
        size.get("", 0),
        wild_hits,
        dict(sorted(otherwise.items())),
        tuple(said),
        wrong,
    )


def _same(name: str, signature: Signature, knowledge: Knowledge) -> bool:
    """Whether a name is among those that the rule speaks for."""
    wanted = {knowledge.canonical(one).casefold() for one in (signature.name, *shared_with(signature))}
    return knowledge.canonical(name).casefold() in wanted


def cost(sources: Sequence[tuple[Path, str]], renderings: Sequence[str]) -> float:
    """Microseconds that the rules of some files add to a message, on this machine, one core."""
    some = renderings[:TIMED]
    if not some:
        return 0.0
    nothing = compile_signatures([])
    rules = compile_signatures(sources)
    return max(0.0, _seconds(some, rules) - _seconds(some, nothing)) / len(some) * 1e6


def _seconds(renderings: Sequence[str], ruleset: Ruleset) -> float:
    """Least processor time of three scans."""
    match(renderings[:10], ruleset)  # what is made ready once is not counted
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        match(renderings, ruleset)
        best = min(best, time.process_time() - started)
    return best
