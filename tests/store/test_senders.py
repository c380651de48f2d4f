"""Addresses behind campaigns: what new mail adds to what is remembered is what counting all mail gives."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from spamtide.schema import CAMPAIGNS, EVIDENCE, SENDERS, SIGHTINGS
from spamtide.store import Lake, rollup, senders

WEEK = 2900


def mail(lake: Lake, pairs: list[tuple[str, str | None]], first: int) -> None:
    """Messages of a campaign from an address, a commit of evidence and of sightings."""
    rows = [
        {"sha256": f"{first + n:064x}", "sensor": "maple", "week": WEEK, "label": "spam",
         "campaign": campaign, "source_ip": address}
        for n, (campaign, address) in enumerate(pairs)
    ]  # fmt: skip
    append(lake, "evidence", rows, EVIDENCE)
    names = sorted({name for name, _ in pairs})
    append(lake, "sightings", [{"week": WEEK, "campaign": name} for name in names], SIGHTINGS)


def append(lake: Lake, table: str, rows: list[dict[str, object]], schema: pa.Schema) -> None:
    whole = [{field.name: row.get(field.name) for field in schema} for row in rows]
    lake.append(table, pa.Table.from_pylist(whole, schema=schema))


def counts(pairs: list[tuple[str, str | None]], names: dict[str, str]) -> dict[str, int]:
    """Addresses of each surviving campaign, by the definition."""
    found: dict[str, set[str]] = {}
    for campaign, address in pairs:
        found.setdefault(names.get(campaign, campaign), set()).update({address} if address else ())
    return {name: len(of) for name, of in found.items()}


@pytest.mark.parametrize("seed", range(12))
def test_what_new_mail_adds_is_what_counting_all_of_it_gives(tmp_path: Path, seed: int) -> None:
    """Whatever names campaigns had, have now or bring along."""
    rng = np.random.default_rng(seed)
    lake, old, then = Lake.at(tmp_path), [f"c{n}" for n in range(6)], {}
    for name in old[3:]:
        if rng.random() < 0.6:
            then[name] = old[rng.integers(3)]
    before = pairs_of(rng, old, 60)
    mail(lake, before, 0)
    counted = senders.of_all_mail(lake, rollup.aliases(then))
    senders.keep(lake, counted)
    rows = [{"campaign": row["campaign"], "sources": row["sources"]} for row in counted.sources.to_pylist()]
    append(lake, "campaigns", rows, CAMPAIGNS)
    since, files = lake.version("evidence"), {*lake.files("evidence").paths}

    names = dict(then)
    if seed % 3 == 0:  # a campaign is absorbed that stood alone
        names |= {name: "c0" for name, to in [*then.items(), ("c1", "c1")] if to == "c1"}
    names |= {name: old[rng.integers(3)] for name in ("n0", "n1")}
    names = {name: names.get(to, to) for name, to in names.items()}
    after = pairs_of(rng, [*old, "n0", "n1", "n2"], 25)
    mail(lake, after, 1000)
    added = tuple(sorted({*lake.files("evidence").paths} - files))
    moved = {name for name in old if names.get(name, name) != then.get(name, name)}
    renamed = moved | {names[name] for name in moved if name in names}
    assert since is not None
    now = senders.of_new_mail(lake, rollup.aliases(names), added, since, renamed)
    expected = counts([*before, *after], names)
    new = {names.get(campaign, campaign) for campaign, _ in after}
    assert {row["campaign"]: row["sources"] for row in now.sources.to_pylist()} == {
        name: expected[name] for name in new
    }
    senders.keep(lake, now)
    kept = lake.read("senders").to_pylist()
    assert len(kept) == len({(row["campaign"], row["source_ip"]) for row in kept})


def pairs_of(rng: np.random.Generator, names: list[str], count: int) -> list[tuple[str, str | None]]:
    return [
        (names[rng.integers(len(names))], f"10.0.0.{rng.integers(12)}" if rng.random() < 0.9 else None)
        for _ in range(count)
    ]


def test_what_was_counted_in_another_way_or_is_behind_is_counted_anew(tmp_path: Path) -> None:
    """Behind it is where a run died between its answers and its counts: new mail would add to too few."""
    lake = Lake.at(tmp_path)
    assert not senders.to_be_counted_anew(lake, None)
    mail(lake, [("c0", "10.0.0.1")], 0)
    senders.keep(lake, senders.of_all_mail(lake, rollup.aliases({})))
    assert not senders.to_be_counted_anew(lake, lake.version("evidence"))
    mail(lake, [("c0", "10.0.0.2")], 100)
    assert senders.to_be_counted_anew(lake, lake.version("evidence"))
    lake.append("senders", SENDERS.empty_table(), {"evidence": lake.version("evidence")})
    assert senders.to_be_counted_anew(lake, lake.version("evidence"))
