"""Campaigns of an observatory's wild spam against the truth, and how little the order of arrival matters.

What `update` found is scored as it stands. Then the same mail is clustered in memory: all at once, day by day
as an observatory meets it, and in lots without any order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from spamtide.campaign import COLUMNS, CampaignState, cluster, profile, relate, resolve
from spamtide.evaluation.grouping import agreement, b_cubed, renamed
from spamtide.evaluation.scoring import Score, score
from spamtide.observatory import Observatory
from spamtide.schema import OBSERVATIONS, PROFILES

LOTS = 20
"""Lots that mail without an order comes in."""
_CONTENTS = """
    SELECT * FROM (
        SELECT *, row_number() OVER (PARTITION BY sha256 ORDER BY sensor) AS place
        FROM observations WHERE label = 'spam' AND lab IS NULL
    ) WHERE place = 1 ORDER BY received_at NULLS LAST, sha256
"""
Names = dict[str, str]
"""Content -> the surviving name of its campaign."""


def of_campaigns(world: str, observatory: Observatory, truth: Mapping[str, str]) -> list[Score]:
    """B-cubed precision and recall of the campaigns that `update` found.

    Args:
        world: begins the names of the rows.
        observatory: one whose `update` has run.
        truth: content -> its true campaign, of wild spam.
    """
    lake = observatory.lake
    names = resolve(lake.read("lineage"))
    members = lake.query("SELECT DISTINCT sha256, campaign FROM memberships").to_pylist()
    found = {row["sha256"]: names.get(row["campaign"], row["campaign"]) for row in members}
    precision, recall = b_cubed(found, truth)
    return [
        score(f"{world}: campaigns, B-cubed precision", precision, ">= 98 %"),
        score(f"{world}: campaigns, B-cubed recall", recall, ">= 90 %"),
    ]


def of_orders(
    world: str, observatory: Observatory, truth: Mapping[str, str], say: Callable[[str], None]
) -> list[Score]:
    """How far campaigns by day, and in lots without an order, are those of all mail at once.

    Args:
        world: begins the names of the rows.
        observatory: holds the mail.
        truth: content -> its true campaign, of wild spam; other mail is clustered too, but not counted.
        say: called with a line for a person as the work goes on.
    """
    mail = observatory.lake.query(_CONTENTS)
    similarity = observatory.settings.clustering.similarity
    days = pc.fill_null(mail["received_at"].cast(pa.date32()), pa.scalar(0, pa.int32()).cast(pa.date32()))
    by_day = [mail.filter(pc.equal(days, day)) for day in sorted(set(days.to_pylist()))]
    shuffled = mail.sort_by("sha256")
    lots = [shuffled.take(list(range(start, shuffled.num_rows, LOTS))) for start in range(LOTS)]
    say(f"clustering {mail.num_rows:,} messages at once, by day and shuffled")
    whole = _clustered([mail], similarity)[-1]
    daily = _clustered(by_day, similarity)
    mixed = _clustered(lots, similarity)[-1]
    known = {item: true for item, true in truth.items() if item in whole}
    return [
        agreement(f"{world}: campaigns by day and all at once, Rand", daily[-1], whole, known, ">= 97 %"),
        agreement(f"{world}: campaigns shuffled and all at once, Rand", mixed, whole, known, ">= 97 %"),
        score(
            f"{world}: messages whose campaign has another name a day later", renamed(daily, known), "<= 1 %"
        ),
    ]


def _clustered(lots: Sequence[pa.Table], similarity: float) -> list[Names]:
    """Names of all mail so far after each lot, as an update after each would give them."""
    state, profiles = CampaignState.empty(), PROFILES.empty_table()
    said: Names = {}
    after = []
    for lot in lots:
        done = cluster(lot, state, similarity=similarity, messages=Counter(said.values()))
        shown = lot.select(COLUMNS).cast(pa.schema([OBSERVATIONS.field(name) for name in COLUMNS]))
        new = pa.Table.from_batches([profile(batch) for batch in shown.to_batches()], PROFILES)
        profiles = pa.concat_tables([profiles, new])
        said |= dict(
            zip(*(done.memberships[name].to_pylist() for name in ("sha256", "campaign")), strict=True)
        )
        state = relate(done, state, profiles, Counter(said.values()))
        profiles = profiles.filter(pc.is_in(profiles["sha256"], state.exemplars["sha256"]))
        now = resolve(state.lineage)
        after.append({sha256: now.get(name, name) for sha256, name in said.items()})
    return after
