"""`state`: every claim that the data carries, in order of importance, and the statuses behind them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import pyarrow as pa

from spamtide import schema
from spamtide.each import Each, in_turn
from spamtide.finding.claim.action import effect_claims
from spamtide.finding.claim.coincidence import event_claims
from spamtide.finding.claim.coverage import coverage_claims
from spamtide.finding.claim.engines import engine_claims
from spamtide.finding.claim.heirs import heir_claims
from spamtide.finding.claim.makeup import makeup_claims
from spamtide.finding.claim.moves import move_claims
from spamtide.finding.claim.published import published_claims
from spamtide.finding.claim.standing import advertised_claims, standing_claims
from spamtide.finding.claim.timing import forecast_claims, outlook_claims
from spamtide.finding.claim.volume import is_dark, volume_claims
from spamtide.finding.inputs import FindingInputs, Findings, View
from spamtide.finding.lost import parts_of
from spamtide.finding.status import statuses, unattributed
from spamtide.model import Change
from spamtide.statement import Claim, Status


def _successions(view: View) -> Iterator[Claim]:
    """Who carries on what a botnet left, and who makes what no botnet is named for; each engine once."""
    heirs = [*heir_claims(view)]
    yield from heirs
    yield from engine_claims(
        view, frozenset(str(c.numbers["engine"]) for c in heirs if "engine" in c.numbers)
    )


MAKERS: tuple[Callable[[View, Sequence[Status]], Iterable[Claim]], ...] = (
    lambda view, _: forecast_claims(view),
    volume_claims,
    lambda view, _: move_claims(view),
    standing_claims,
    lambda view, _: advertised_claims(view),
    lambda view, _: event_claims(view),
    lambda view, _: effect_claims(view),
    lambda view, _: published_claims(view),
    outlook_claims,
    lambda view, _: coverage_claims(view),
)
"""Who makes claims, who takes the longest first; each yields none where the data carries none."""
IN_THE_DARK: tuple[Callable[[View, Sequence[Status]], Iterable[Claim]], ...] = (
    volume_claims,
    lambda view, _: move_claims(view),
)
"""The same for a period in which nobody collected: whatever was before it is another period's news."""


def state(inputs: FindingInputs, each: Each = in_turn) -> Findings:
    """Say what may be said of a measured period.

    `each` says how MAKERS are asked, one after the other or side by side.

    Pure and total: thin or empty data yields fewer claims, never an error. Claims come the most important
    first, then by id; ids are unique (of two changes of one kind, subject and day the surer one is kept).
    """
    view = View(replace(inputs, changes=_known(inputs)))
    stands = statuses(view)
    best: dict[str, Claim] = {}
    dark = is_dark(view)
    elsewhere = each(lambda make: [*make(view, stands)], IN_THE_DARK if dark else MAKERS)
    # What looks at messages asks the store, which no other process of ours does.
    for made in (*elsewhere, [] if dark else [*_successions(view), *makeup_claims(view)]):
        for claim in made:
            other = best.get(claim.claim)
            if other is None or (claim.confidence, claim.sentence) > (other.confidence, other.sentence):
                best[claim.claim] = claim
    ordered = sorted(best.values(), key=lambda claim: (-claim.importance, claim.claim))
    parts, lost = parts_of(view)
    return Findings(
        tuple(ordered), stands, unattributed(view), tuple(parts), tuple(part.subject for part in lost)
    )


def _known(inputs: FindingInputs) -> tuple[Change, ...]:
    """The changes as they stand on the last day: none that begins later, no end beyond it."""
    until = inputs.period.until
    return tuple(
        change
        if change.end is None or change.end <= until
        else replace(change, end=None, end_low=None, end_high=None, ratio=None)
        for change in inputs.changes
        if change.onset <= until
    )


def claims_table(claims: Sequence[Claim]) -> pa.Table:
    """Claims as a table of `schema.CLAIMS`; `numbers` and `versions` are JSON objects, keys in order."""
    columns: dict[str, list[object]] = {name: [] for name in schema.CLAIMS.names}
    for claim in claims:
        for name in schema.CLAIMS.names:
            value = getattr(claim, name)
            if name in {"numbers", "versions"}:
                value = json.dumps(dict(value), sort_keys=True, ensure_ascii=False, allow_nan=False)
            elif name == "sensors":
                value = list(value)
            columns[name].append(value)
    return pa.table(columns, schema=schema.CLAIMS)
