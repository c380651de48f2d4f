"""What the answers would be if the lab had never had a family: its mail then is a stranger's.

The whole path answers again, with rules learned from the other families' lab mail: addresses, campaigns and
the lab's silence have their say. The family's lab mail takes part as if a trap had received it, but for its
address, which is the lab's and no bot's.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from spamtide import pipeline
from spamtide.attribution import Beyond, Ruleset, attribute, compile_signatures, learn
from spamtide.campaign import resolve
from spamtide.inquiry.rulebook import rule_hits
from spamtide.knowledge import load_knowledge
from spamtide.observatory import Observatory
from spamtide.schema import UNDATED
from spamtide.store import evidence, life, rollup
from spamtide.update.matching import MATCH_ROWS

MOST_ROWS = 400_000
"""Latest messages that are answered again, in whole weeks."""
HAM_MESSAGES = 4_000
"""Legitimate messages that rules are measured on."""
_KEY = ("sha256", "sensor")
_RENDERINGS = "SELECT sha256, sensor, rendering FROM observations WHERE label = 'spam'"
_LEARNED = "learned-"
"""What the names of learned files begin with."""


class Holdout:
    """The rows of an observatory, read once and answered without one family after another."""

    def __init__(self, observatory: Observatory) -> None:
        """Read what answers rest on; `update` has run."""
        self._observatory = observatory
        lake = observatory.lake
        self._knowledge = load_knowledge(observatory.knowledge)
        self._lab = rollup.lab_rows(lake, pipeline.LAB_MESSAGES)
        self._ham = rollup.ham_rows(lake, HAM_MESSAGES)
        self._wild = rollup.wild_fields(lake)
        rows = evidence.stretch(lake, _weeks(evidence.weeks(lake)))
        rows = evidence.surviving(rows, resolve(lake.read("lineage")))
        rows = rows.set_column(
            rows.schema.get_field_index("campaign"), "campaign", rows["campaign"].cast(pa.string())
        )
        rows = rows.filter(pc.equal(rows["label"], "spam"))
        self._rows = rows.sort_by([(name, "ascending") for name in _KEY])
        found = evidence.ham(lake)
        self._beyond = Beyond(ham_addresses=found.addresses, ham_domains=found.domains)

    @property
    def families(self) -> list[str]:
        """Families that the lab has, sorted."""
        return sorted(set(self._lab["lab"].to_pylist()))

    def without(self, family: str) -> pa.Table:
        """Every spam with its answer if the lab had never had `family`.

        Returns:
            Columns sha256, lab, botnet and campaign.
        """
        ruleset = self._ruleset(family)
        own = pc.fill_null(pc.equal(self._rows["lab"], family), fill_value=False)
        rows = self._rows
        for name in ("lab", "source_ip"):
            place = rows.schema.get_field_index(name)
            column = pc.if_else(own, pa.scalar(None, pa.string()), rows[name].cast(pa.string()))
            rows = rows.set_column(place, name, column)
        rows = life.with_rules(self._observatory.lake, rows, self._hits(ruleset))
        rows = rows.sort_by([(name, "ascending") for name in _KEY])
        answers = attribute(
            rows,
            ruleset,
            self._knowledge,
            attributing=self._observatory.settings.attributing,
            beyond=self._beyond,
        )
        columns = [self._rows["sha256"], self._rows["lab"], answers["botnet"], self._rows["campaign"]]
        return pa.table(columns, names=["sha256", "lab", "botnet", "campaign"])

    def _ruleset(self, family: str) -> Ruleset:
        """Shipped and hand-written rules, and what the other families' lab mail teaches."""
        others = self._lab.filter(pc.not_equal(self._lab["lab"], family))
        files = {
            path.name: path
            for folder in pipeline.signature_folders(self._observatory)
            for path in sorted(folder.glob("*.yar"))
            if not path.name.startswith((_LEARNED, "."))
        }
        sources = [(path, path.read_text(encoding="utf-8-sig")) for _, path in sorted(files.items())]
        learned = learn(others, self._ham, wild=self._wild).files() if others.num_rows else {}
        return compile_signatures([*sources, *((Path(name), text) for name, text in learned.items())])

    def _hits(self, ruleset: Ruleset) -> pa.Table:
        """Hits on every stored spam; of legitimate mail only addresses and domains count here."""
        stored = self._observatory.lake.stream(_RENDERINGS, MATCH_ROWS)
        return rule_hits(stored, ruleset, self._observatory.settings.running.workers)


def _weeks(counts: dict[int, int]) -> tuple[int, int]:
    """First and last of the latest weeks that hold no more than MOST_ROWS messages."""
    dated = sorted(week for week in counts if week != UNDATED)
    if not dated:
        return UNDATED, UNDATED
    total, first = 0, dated[-1]
    for week in reversed(dated):
        total += counts[week]
        if total > MOST_ROWS and week != dated[-1]:
            break
        first = week
    return first, dated[-1]
