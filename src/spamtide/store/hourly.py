"""Hours that were counted with the answers, kept so that the next update counts only weeks that changed.

The table `hourly` is a memory like `cells`: it says under which note of `sightings` it was counted, and is
not believed under another.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from spamtide.schema import HOURLY
from spamtide.store import rollup
from spamtide.store.lake import Lake


def known(lake: Lake, note: Mapping[str, Any], first: int) -> rollup.Hours:
    """Hours of weeks from `first` on that were kept when this was the note of `sightings`."""
    held = lake.note("hourly")
    weeks = frozenset(week for week in held.get("weeks", ()) if week >= first)
    if not weeks or held.get("of") != note:
        return rollup.NO_HOURS
    rows = lake.of_weeks("hourly", HOURLY.names, weeks, ("sensor", "label", "botnet", "programme"))
    return rollup.Hours(weeks, rows.cast(rollup.NO_HOURS.counts.schema))


def joined(hours: rollup.Hours, late: rollup.Hours) -> rollup.Hours:
    """Hours with those of weeks that were counted again in place of theirs."""
    stale = pc.is_in(hours.counts["week"], pa.array(sorted(late.weeks), pa.int32()))
    kept = hours.counts.filter(pc.invert(stale))
    return rollup.Hours(hours.weeks | late.weeks, pa.concat_tables([kept, late.counts]))


def keep(lake: Lake, hours: rollup.Hours, changed: Collection[int], note: Mapping[str, Any]) -> None:
    """Keep hours under a note of `sightings`.

    Args:
        lake: the observatory's lake.
        hours: all that is known.
        changed: weeks of which other counts may be kept; they follow one another as a rule.
        note: the present one.
    """
    told = {"of": dict(note), "weeks": sorted(hours.weeks)}
    held = lake.note("hourly").get("weeks", [])
    rows = hours.counts.unify_dictionaries()
    if not changed or not hours.weeks <= {*held, *changed} or len(held) > len(hours.weeks) + 1:
        lake.replace("hourly", rows, told)
        return
    edges = min(changed), max(changed)
    inside = pc.and_(pc.greater_equal(rows["week"], edges[0]), pc.less_equal(rows["week"], edges[1]))
    lake.replace_weeks("hourly", rows.filter(inside), edges)
    lake.append("hourly", HOURLY.empty_table(), told)
