"""What stands behind the words of evidence, counted in the mail around one campaign when somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from spamtide.store.lake import Lake

MEET_WEEKS = 2
"""Weeks within which addresses of one campaign are looked for in another."""


_CAMPAIGN = """
    SELECT count(*) AS messages, count(DISTINCT address) AS addresses, count(DISTINCT day) AS days
    FROM wild WHERE mine"""
_LINKED = """
    SELECT l.domain, w.programme, count(*) AS n
    FROM wild w JOIN linked l ON list_contains(w.link_domains, l.domain)
    GROUP BY ALL ORDER BY l.domain, n DESC, w.programme"""
_TOLD = """
    , told AS (
        SELECT w.*, botnet = (SELECT family FROM families) AS own,
               list_has_any(w.rules, (SELECT coalesce(list(rule), []) FROM known WHERE engine)) AS engine,
               list_has_any(w.rules, (SELECT coalesce(list(rule), []) FROM known WHERE NOT engine)) AS worded
        FROM wild w)"""
"""Whether a message is answered with the family, and has its engine or its words."""
_ENGINE = """
    SELECT count(*) AS messages, count(DISTINCT address) AS addresses,
           count(DISTINCT campaign) AS campaigns, count(*) FILTER (WHERE mine) AS mine,
           count(*) FILTER (WHERE worded) AS worded
    FROM told WHERE engine"""
_FAULTS = """
    SELECT fault, count(*) AS messages, count(*) FILTER (WHERE worded) AS worded
    FROM told JOIN odd ON list_contains(rules, fault) GROUP BY fault ORDER BY fault"""
_NEAR = f"""
    , pairs AS (SELECT DISTINCT campaign, address, week, mine, own FROM told
                WHERE campaign IS NOT NULL AND address IS NOT NULL),
    met AS (
        SELECT p.campaign, p.address, bool_or(p.mine) AS mine, bool_or(p.own) AS own,
               bool_or(o.campaign IS NOT NULL) AS met
        FROM pairs p LEFT JOIN (SELECT DISTINCT campaign, address, week FROM pairs WHERE own) o
             ON o.address = p.address AND o.campaign <> p.campaign
                AND abs(o.week - p.week) <= {MEET_WEEKS}
        GROUP BY p.campaign, p.address)
    SELECT CASE WHEN mine THEN 'campaign' WHEN own THEN 'own' ELSE 'others' END AS whose,
           count(*) FILTER (WHERE met) AS met, count(*) AS addresses
    FROM met GROUP BY whose"""  # noqa: S608 - a number
_LAB = """
    SELECT count(*) AS messages, count(*) FILTER (WHERE mine) AS mine,
           count(*) FILTER (WHERE day IN (SELECT day FROM wild WHERE mine)) AS same_days
    FROM mail JOIN families f ON f.family = mail.botnet WHERE lab IS NOT NULL"""
_RENTED = """
    SELECT coalesce(sum(own), 0)::BIGINT AS own, coalesce(sum(others), 0)::BIGINT AS others,
           coalesce(sum(untold), 0)::BIGINT AS untold
    FROM kits JOIN families f ON f.family = kits.botnet"""


@dataclass(frozen=True, slots=True)
class Around:
    """Spam around one campaign, some weeks of it."""

    lake: Lake
    names: pa.Table
    """`rollup.aliases` of all campaigns."""
    campaign: str | None
    """None for mail without one."""
    weeks: tuple[int, int]
    """First and last, as the table evidence counts them."""

    def whole(self, address: str | None, domains: Sequence[str]) -> dict[str, Any]:
        """How much there is of the campaign and from an address, its answers, and what labs have of it.

        Args:
            address: of the message that is asked about; None for none.
            domains: that it links to.
        """
        places = pa.table({"address": pa.array([address], pa.string())})
        (counts,) = self._ask(_CAMPAIGN)
        counts["answers"] = self._answers("SELECT botnet AS name FROM wild WHERE mine")
        counts["programmes"] = self._answers("SELECT programme AS name FROM wild WHERE mine")
        linked: dict[str, dict[str, int]] = {domain: {} for domain in domains}
        for row in self._ask(_LINKED, linked=pa.table({"domain": pa.array(list(domains), pa.string())})):
            linked[row["domain"]][row["programme"]] = row["n"]
        return {
            "campaign": counts,
            "address": self._answers(
                "SELECT botnet AS name FROM wild JOIN places p USING (address)", places=places
            ),
            "domains": linked,
            "labs": self._answers("SELECT botnet AS name FROM mail WHERE lab IS NOT NULL AND mine"),
        }

    def of_family(
        self, family: str, engines: Sequence[str], words: Sequence[str], faults: Sequence[str]
    ) -> dict[str, Any]:
        """What there is of a family's engine, its addresses and its lab.

        Args:
            family: as answers spell it.
            engines: ids of the rules that look for its engine.
            words: ids of those that look for its texts.
            faults: hits that say what the message has otherwise than the engine.

        Returns:
            `engine`, `faults` (by hit), `near` (addresses that sent another campaign of the family's within
            two weeks, and all, by whose they are), `lab`, and `rented` (its engine and no other
            family's, of all weeks).
        """
        known = [(rule, True) for rule in engines] + [(rule, False) for rule in words]
        asked = {
            "families": pa.table({"family": [family]}),
            "known": pa.table(
                {
                    "rule": pa.array([rule for rule, _ in known], pa.string()),
                    "engine": pa.array([engine for _, engine in known], pa.bool_()),
                }
            ),
            "odd": pa.table({"fault": pa.array(list(faults), pa.string())}),
        }
        (engine,) = self._ask(_TOLD + _ENGINE, **asked)
        engine["answers"] = self._answers("SELECT botnet AS name FROM told WHERE engine", _TOLD, **asked)
        (lab,) = self._ask(_LAB, **asked)
        return {
            "engine": engine,
            "faults": {row.pop("fault"): row for row in self._ask(_TOLD + _FAULTS, **asked)},
            "near": {row.pop("whose"): row for row in self._ask(_TOLD + _NEAR, **asked)},
            "lab": lab,
            "rented": dict(self.lake.query(_RENTED, families=asked["families"]).to_pylist()[0]),
        }

    def _ask(self, rest: str, **tables: pa.Table) -> list[dict[str, Any]]:
        first, last = self.weeks
        found: list[dict[str, Any]] = self.lake.query(
            f"""
            WITH mail AS (
                SELECT e.week, e.lab, e.source_ip AS address, e.received_at::DATE AS day, e.rules,
                       e.link_domains, coalesce(n.canonical, e.campaign) AS campaign,
                       coalesce(n.canonical, e.campaign) = q.campaign IS TRUE AS mine,
                       a.botnet, a.programme
                FROM evidence e
                JOIN attributions a ON a.sha256 = e.sha256 AND a.sensor = e.sensor
                LEFT JOIN aliases n ON n.name = e.campaign
                CROSS JOIN asked q
                WHERE e.label = 'spam' AND e.week BETWEEN {first:d} AND {last:d}
                      AND a.week BETWEEN {first:d} AND {last:d}),
            wild AS (SELECT * FROM mail WHERE lab IS NULL)
            {rest}""",  # noqa: S608 - numbers and our own words
            aliases=self.names,
            asked=pa.table({"campaign": pa.array([self.campaign], pa.string())}),
            **tables,
        ).to_pylist()
        return found

    def _answers(self, named: str, more: str = "", **tables: pa.Table) -> dict[str, int]:
        """Answer -> messages, the most frequent first."""
        sql = f"{more} SELECT name, count(*) AS n FROM ({named}) GROUP BY name ORDER BY n DESC, name"  # noqa: S608 - our own words
        return {row["name"]: row["n"] for row in self._ask(sql, **tables)}
