"""Planted campaigns: found whole and pure, in any order and any lots, with names that stay."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from spamtide.campaign import MIN_SHINGLES, CampaignState, Clustering, cluster, resolve
from spamtide.campaign.clustering import EXEMPLARS_KEPT
from spamtide.model import Observation
from spamtide.schema import EXEMPLARS, LINEAGE, MEMBERSHIPS

EMPTY = CampaignState.empty()
DAY = dt.timedelta(days=1)


def assigned(done: Clustering) -> dict[str, str]:
    """Content -> campaign as first said."""
    columns = (done.memberships[name].to_pylist() for name in ("sha256", "campaign"))
    return dict(zip(*columns, strict=True))


def run(
    planting: SimpleNamespace, lots: Sequence[Sequence[Observation]]
) -> tuple[dict[str, str], dict[str, str], CampaignState]:
    """Cluster lot after lot. Returns campaigns as they are in the end, as first said, and the state."""
    state, said = EMPTY, {}
    for lot in lots:
        done = cluster(planting.tabulate(lot), state)
        state = done.state
        said |= assigned(done)
    names = resolve(state.lineage)
    return {sha256: names.get(name, name) for sha256, name in said.items()}, said, state


def by_day(observations: Sequence[Observation]) -> list[list[Observation]]:
    days: dict[dt.date, list[Observation]] = {}
    for one in observations:
        assert one.received_at is not None
        days.setdefault(one.received_at.date(), []).append(one)
    return [days[day] for day in sorted(days)]


def shuffled(observations: Sequence[Observation], seed: int) -> list[Observation]:
    order = list(observations)
    random.Random(seed).shuffle(order)
    return order


def kinds(state: CampaignState) -> list[str]:
    return state.lineage["kind"].to_pylist()


def spun(
    planting: SimpleNamespace, seed: int, count: int, spin: float = 0.1, size: int = 80
) -> list[Observation]:
    """Messages of one template, an hour apart."""
    dice = random.Random(seed)
    template = planting.template(dice, spin, size=size)
    start = dt.datetime(2010, 3, 1, tzinfo=dt.UTC)
    return [template.fill(dice, start + dt.timedelta(hours=hour)) for hour in range(count)]


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_planted_campaigns_are_found_whole_and_pure(planting: SimpleNamespace, seed: int) -> None:
    """Greetings, hash-busters, rotating hosts, synonyms, shared footers: precision 0.98, recall 0.95."""
    world = planting.plant(seed, spin=0.3)
    found, _, _ = run(planting, [world.observations])
    precision, recall = planting.b_cubed(found, world.truth)
    assert precision >= 0.98
    assert recall >= 0.95


def test_planted_campaigns_are_found_day_by_day(planting: SimpleNamespace) -> None:
    """Daily lots find the same campaigns, and hardly a message is renamed afterwards."""
    world = planting.plant(14, spin=0.3)
    found, said, state = run(planting, by_day(world.observations))
    precision, recall = planting.b_cubed(found, world.truth)
    assert precision >= 0.98
    assert recall >= 0.95
    assert np.mean([said[sha256] != found[sha256] for sha256 in said]) <= 0.01
    whole, _, _ = run(planting, [world.observations])
    assert planting.adjusted_rand(whole, found) >= 0.97
    sizes = state.exemplars["campaign"].value_counts().field("counts").to_numpy()
    assert sizes.max() <= EXEMPLARS_KEPT


@pytest.mark.parametrize("seed", [1, 2])
def test_order_in_a_lot_does_not_matter_at_all(planting: SimpleNamespace, seed: int) -> None:
    """One lot in another order gives the same campaigns by name, the same lineage, the same exemplars."""
    world = planting.plant(15, campaigns=12, singles=30, spin=0.3)
    table = planting.tabulate(world.observations)
    one = cluster(table, EMPTY)
    order = np.random.default_rng(seed).permutation(table.num_rows)
    other = cluster(table.take(pa.array(order)), EMPTY)
    assert assigned(one) == assigned(other)
    assert one.state.lineage.equals(other.state.lineage)
    key = [("campaign", "ascending"), ("sha256", "ascending")]
    assert one.state.exemplars.sort_by(key).equals(other.state.exemplars.sort_by(key))


def test_order_of_arrival_does_not_decide(planting: SimpleNamespace) -> None:
    """Shuffled over sixty days and cut into lots at random, the partition is nearly the same."""
    world = planting.plant(16, spin=0.3)
    whole, _, _ = run(planting, [world.observations])
    for seed in (1, 2):
        order = shuffled(world.observations, seed)
        lots = [order[start : start + 90] for start in range(0, len(order), 90)]
        found, _, _ = run(planting, lots)
        assert planting.adjusted_rand(whole, found) >= 0.97


def test_a_second_lot_joins_and_keeps_the_names(planting: SimpleNamespace) -> None:
    """More of known campaigns and two new ones: names of the first lot stay, only the new ones are minted."""
    old = [spun(planting, seed, 20) for seed in (1, 2, 3)]
    new = [spun(planting, seed, 20) for seed in (4, 5)]
    first = cluster(planting.tabulate([one for lot in old for one in lot[:10]]), EMPTY)
    second = cluster(planting.tabulate([one for lot in old + new for one in lot[10:]]), first.state)
    before, after = assigned(first), assigned(second)
    for lot in old:
        assert {before[one.sha256] for one in lot[:10]} == {after[one.sha256] for one in lot[10:]}
    assert kinds(second.state) == ["minted"] * 5
    assert second.state.lineage.slice(0, 3).equals(first.state.lineage)


def test_a_bridge_merges_and_the_name_of_most_survives(planting: SimpleNamespace) -> None:
    """Two halves of a drifting text are two campaigns until what stands between them arrives."""
    dice = random.Random(6)
    words, later = planting.prose(dice, 200), planting.prose(dice, 200)
    start = dt.datetime(2010, 3, 1, tzinfo=dt.UTC)

    def drift(share: float, day: int) -> Observation:
        cut = int(len(words) * share)
        return planting.observe(" ".join(later[:cut] + words[cut:]), received_at=start + day * DAY)

    young, old, bridge = drift(0.0, 5), drift(0.36, 1), drift(0.18, 9)
    first = cluster(planting.tabulate([young, old]), EMPTY)
    names = assigned(first)
    assert names[young.sha256] != names[old.sha256]
    second = cluster(planting.tabulate([bridge]), first.state)
    assert assigned(second)[bridge.sha256] == names[old.sha256]
    event = second.state.lineage.to_pylist()[-1]
    assert event == {
        "at": bridge.received_at,
        "kind": "merged",
        "campaign": names[old.sha256],
        "other": names[young.sha256],
    }
    assert resolve(second.state.lineage) == {names[young.sha256]: names[old.sha256]}
    assert set(second.state.exemplars["campaign"].to_pylist()) == {names[old.sha256]}
    whole, _, _ = run(planting, [[young, old, bridge]])
    assert len(set(whole.values())) == 1
    voted = cluster(planting.tabulate([bridge]), first.state, messages={names[young.sha256]: 2})
    assert resolve(voted.state.lineage) == {names[old.sha256]: names[young.sha256]}


def test_a_campaign_that_was_silent_returns(planting: SimpleNamespace) -> None:
    """Thirty days without mail and then some: 'returned', once, whether seen in one lot or in two."""
    lot = spun(planting, 7, 12)
    again = [replace(one, received_at=one.received_at + 45 * DAY) for one in lot[6:]]  # type: ignore[operator]  # planted times are set
    soon = [replace(one, received_at=one.received_at + 20 * DAY) for one in lot[6:]]  # type: ignore[operator]  # planted times are set
    for late, expected in ((again, ["minted", "returned"]), (soon, ["minted"])):
        for lots in ([lot[:6], late], [lot[:6] + late]):
            _, _, state = run(planting, lots)
            assert kinds(state) == expected
    _, _, state = run(planting, [lot[:6], again])
    assert state.lineage["at"].to_pylist()[-1] == again[0].received_at


def test_one_liners_and_pictures_group_by_their_key_alone(planting: SimpleNamespace) -> None:
    """The same short mail is one campaign over lots; different short mails are not."""
    picture = "image/gif;a.gif;900;" + "a" * 64
    mails = [
        planting.observe("hello see my site", "no 1"),
        planting.observe("Hello see my site!", "no 22"),
        planting.observe("totally other few words"),
        planting.observe("", "x", attachments=(picture,)),
        planting.observe("", "y", attachments=(picture,)),
        planting.observe("", "y"),
    ]
    found, _, _ = run(planting, [[one] for one in mails])
    names = [found[one.sha256] for one in mails]
    assert names[0] == names[1]
    assert names[3] == names[4]
    assert len({names[0], names[2], names[3], names[5]}) == 4


def test_what_has_neither_sketch_nor_key_stays_alone() -> None:
    """Rows of nulls, of broken sketches and of no key are campaigns of one."""
    table = pa.table(
        {
            "sha256": ["a", "b", "c", "d"],
            "received_at": pa.array([None] * 4, pa.timestamp("us", "UTC")),
            "minhash": pa.array([None, b"", b"xx", b"\0" * 256], pa.binary()),
            "shingles": pa.array([None, 0, 999, 0], pa.int32()),
            "sketch_key": pa.array([None, "", "", None], pa.string()),
        }
    )
    done = cluster(table, EMPTY)
    assert len(set(assigned(done).values())) == 4
    assert done.state.lineage["at"].null_count == 4
    again = cluster(table, done.state)
    assert assigned(again) == assigned(done)


def test_tables_keep_their_schemas_and_order(planting: SimpleNamespace) -> None:
    """Memberships stand in the order given, every table has its schema, and no lot changes nothing."""
    lot = spun(planting, 8, 5)
    done = cluster(planting.tabulate(lot), EMPTY)
    assert done.memberships.schema.equals(MEMBERSHIPS)
    assert done.memberships["sha256"].to_pylist() == [one.sha256 for one in lot]
    assert done.state.exemplars.schema.equals(EXEMPLARS)
    assert done.state.lineage.schema.equals(LINEAGE)
    nothing = cluster(planting.tabulate([]), done.state)
    assert nothing.memberships.num_rows == 0
    assert nothing.state.exemplars.equals(done.state.exemplars)
    assert nothing.state.lineage.equals(done.state.lineage)


def test_a_state_read_from_elsewhere_is_understood(planting: SimpleNamespace) -> None:
    """Columns in another order and wider Arrow types, as engines hand them back, make no difference."""
    lot = planting.tabulate(spun(planting, 8, 10))
    first = cluster(lot.slice(0, 5), EMPTY)

    def elsewhere(table: pa.Table) -> pa.Table:
        wide = [
            field.with_type(pa.large_string()) if field.type == pa.string() else field
            for field in table.schema
        ]
        return table.cast(pa.schema(wide)).select(table.column_names[::-1])

    state = CampaignState(elsewhere(first.state.exemplars), elsewhere(first.state.lineage))
    one, other = cluster(lot.slice(5), first.state), cluster(elsewhere(lot.slice(5)), state)
    assert one.memberships.equals(other.memberships)
    assert one.state.exemplars.equals(other.state.exemplars)


def test_a_missing_column_is_an_error(planting: SimpleNamespace) -> None:
    """A table that lacks a column is refused, not guessed at."""
    with pytest.raises(KeyError):
        cluster(planting.tabulate(spun(planting, 9, 2)).drop_columns(["shingles"]), EMPTY)


def test_twenty_thousand_equal_contents_are_one_campaign_with_few_exemplars(
    planting: SimpleNamespace,
) -> None:
    """Exact repeats collapse to one before anything is compared."""
    one = planting.tabulate(spun(planting, 10, 1))
    count = 20_000
    table = pa.table(
        {name: one[name].take(pa.array(np.zeros(count, dtype=np.int64))) for name in one.column_names}
    ).set_column(0, "sha256", pa.array([f"{number:064x}" for number in range(count)]))
    done = cluster(table, EMPTY)
    assert len(set(assigned(done).values())) == 1
    assert done.state.exemplars.num_rows <= 2


def test_a_huge_campaign_keeps_few_and_different_exemplars(planting: SimpleNamespace) -> None:
    """Of seven hundred variants twelve stand for the campaign, the oldest and the newest among them."""
    lot = spun(planting, 11, 700, spin=0.3)
    _, _, state = run(planting, [lot])
    kept = state.exemplars["sha256"].to_pylist()
    assert len(kept) == EXEMPLARS_KEPT
    assert kept[0] == lot[0].sha256
    assert kept[-1] == lot[-1].sha256
    assert min(state.exemplars["shingles"].to_pylist()) >= MIN_SHINGLES


def test_a_legal_footer_does_not_glue_two_campaigns(planting: SimpleNamespace) -> None:
    """Two campaigns whose footer is as long as their text stay two, next to a mail of the footer alone."""
    dice = random.Random(12)
    footer = planting.prose(dice, 80)
    start = dt.datetime(2010, 3, 1, tzinfo=dt.UTC)
    messages, truth = [], {}
    for number in range(2):
        template = replace(planting.template(dice, 0.1, size=80, footer=footer), gibberish=0)
        for hour in range(20):
            messages.append(template.fill(dice, start + dt.timedelta(hours=hour)))
            truth[messages[-1].sha256] = number
    messages.append(planting.observe(" ".join(footer)))
    found, _, _ = run(planting, [messages])
    assert planting.b_cubed(found, truth) == (1.0, 1.0)
