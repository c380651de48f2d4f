"""Switches of programme: called when loser falls and gainer rises, and only then."""

import datetime as dt
import itertools
import math

import numpy as np
import pytest
from change_observatory import Setting, date, make

from spamtide.change.detect import detect
from spamtide.change.mixes.mix import UNTOLD, Mix, _spread, _step, intra_day, make_mix
from spamtide.change.mixes.switch import PENALTY_EXTRA, find_switches, partition_mix
from spamtide.model import UNKNOWN, Change

START = np.datetime64("2024-01-01")


def switches(setting: Setting, seed: int) -> list[Change]:
    return [c for c in detect(make(np.random.default_rng(seed), setting)) if c.kind == "switch"]


@pytest.mark.parametrize(
    "setting",
    [
        Setting(switch=(60, 4, 0.5)),
        Setting(switch=(60, 1, 0.5), joins=40, lost=(62, 7)),
        Setting(volume=800, switch=(60, 3, 0.2)),
    ],
    ids=["four days", "sensors come and go", "twenty points"],
)
def test_a_switch_is_found_and_dated(setting: Setting) -> None:
    covered = 0
    for seed in range(8):
        (found,) = [c for c in switches(setting, seed) if c.subject == "b1"]
        assert (found.subject, found.from_programme, found.to_programme) == (
            "b1",
            "acorn-pills",
            "birch-casino",
        )
        assert abs((found.onset - date(60)).days) <= 3
        covered += found.onset_low <= date(60) <= found.onset_high
    assert covered >= 7


def test_growth_of_one_programme_is_no_switch() -> None:
    """Its share rises and all others' fall, but nobody lost a message."""
    assert not any(switches(Setting(grow=(60, 4.0)), seed) for seed in range(12))


def test_loss_of_one_programme_is_no_switch() -> None:
    rng = np.random.default_rng(1)
    a = rng.poisson(np.where(np.arange(120) < 60, 60, 10))
    b = rng.poisson(30, 120)
    assert find_switches(make_mix(START + np.arange(120), {"a": a, "b": b}, np.ones(120))) == ()


def test_unknown_is_neither_loser_nor_gainer() -> None:
    rng = np.random.default_rng(2)
    a = rng.poisson(np.where(np.arange(120) < 60, 60, 10))
    b, c = rng.poisson(70 - np.where(np.arange(120) < 60, 60, 10)), rng.poisson(20, 120)
    mix = make_mix(START + np.arange(120), {"a": a, UNKNOWN: b, "c": c}, np.ones(120))
    assert find_switches(mix) == ()


@pytest.mark.parametrize("mixing", [1.0, 5.0, 50.0])
def test_campaigns_that_come_and_go_are_no_switches(mixing: float) -> None:
    """Days dominated by one campaign: the intra-day correlation takes their weight away."""
    assert not any(switches(Setting(days=200, mixing=mixing), seed) for seed in range(6))


def test_a_short_change_of_mix_is_no_switch() -> None:
    """A four-day campaign for the other programme is not a change of side."""
    rng = np.random.default_rng(3)
    inside = (np.arange(120) >= 60) & (np.arange(120) < 64)
    a, b = rng.poisson(np.where(inside, 10, 60)), rng.poisson(np.where(inside, 70, 20))
    assert find_switches(make_mix(START + np.arange(120), {"a": a, "b": b}, np.ones(120))) == ()


def test_partition_of_a_mix_is_the_best_of_all() -> None:
    """Against all segmentations of eight days."""
    rng = np.random.default_rng(4)
    count = rng.multinomial(12, [0.6, 0.3, 0.1], 8).T.astype(float)
    count[:, 5:] = rng.multinomial(12, [0.1, 0.3, 0.6], 3).T
    mix = Mix(START.astype(object), 1, ("a", "b", "c"), count, np.ones(8), 0.05)

    def likelihood(begin: int, end: int) -> float:
        mass = mix.effective[:, begin:end].sum(axis=1)
        return sum(m * math.log(m / mass.sum()) for m in mass if m > 0)

    beta = (2 + PENALTY_EXTRA) * math.log(8)

    def price(cuts: tuple[int, ...]) -> float:
        return -2 * sum(likelihood(a, b) for a, b in itertools.pairwise(cuts)) + beta * (len(cuts) - 2)

    all_cuts = [(0, *cuts, 8) for k in range(8) for cuts in itertools.combinations(range(1, 8), k)]
    assert price(partition_mix(mix)) == pytest.approx(min(map(price, all_cuts)), abs=1e-9)


def test_the_step_of_a_window_is_the_best_of_all() -> None:
    """As every part of it is reckoned by itself, also where a programme comes or goes, or nothing differs."""
    rng = np.random.default_rng(12)
    for _ in range(300):
        part = rng.poisson(np.repeat(rng.choice([0.0, 0.3, 5.0, 4e4], (3, 2)), 7, axis=1)).astype(float)
        part = part[:, part.sum(axis=0) > 0]
        if part.shape[1] < 2:
            continue
        every = [_spread([part[:, :at], part[:, at:]]).chi2 for at in range(1, part.shape[1])]
        assert every[_step(part) - 1] == pytest.approx(min(every), rel=1e-9, abs=1e-7)
    alike = np.outer([3.0, 1.0, 8.0], np.arange(1.0, 15.0))
    assert _step(alike) == 1


@pytest.mark.parametrize("rho", [0.0, 0.02, 0.3])
def test_intra_day_correlation_is_found(rho: float) -> None:
    rng = np.random.default_rng(5)
    shares = np.array([0.5, 0.3, 0.2])
    daily = rng.dirichlet(shares * (1 / rho - 1), 600) if rho else np.tile(shares, (600, 1))
    count = np.array([rng.multinomial(80, p) for p in daily]).T.astype(float)
    assert intra_day(count) == pytest.approx(rho, abs=0.006 + 0.25 * rho)


def test_a_switch_whose_new_letters_name_nothing_at_first_is_one_switch() -> None:
    """For ten days half of the new letters name no shop: neither step shows the turn by itself."""
    level = np.zeros((3, 130))
    level[0] = np.where(np.arange(130) < 60, 18.0, 1.5)
    level[1] = np.select([np.arange(130) < 60, np.arange(130) < 70], [0.0, 7.0], 14.0)
    level[2, 60:70] = 7.0
    for seed in range(5):
        count = np.random.default_rng(seed).poisson(level)
        mix = make_mix(
            START + np.arange(130), {"a": count[0], "b": count[1], UNKNOWN: count[2]}, np.ones(130)
        )
        (found,) = find_switches(mix)
        assert (found.from_programme, found.to_programme) == ("a", "b")
        assert abs((found.onset[0] - date(60)).days) <= 2


@pytest.mark.parametrize("left", [0.0, 0.4], ids=["nothing", "stragglers"])
def test_a_switch_of_all_mail_is_found_though_no_day_before_it_tells_how_uneven_mixes_are(
    left: float,
) -> None:
    """One programme for months, then another: only windows across the switch hold two, and are no measure."""
    days = np.arange(100)
    for seed in range(6):
        rng = np.random.default_rng(seed)
        old, new = rng.poisson(np.where(days < 88, 11.0, left)), rng.poisson(np.where(days < 88, 0.0, 10.0))
        (found,) = find_switches(make_mix(START + days, {"a": old, "b": new}, np.ones(100)))
        assert (found.from_programme, found.to_programme) == ("a", "b")
        assert found.onset[1] <= date(88) <= found.onset[2]


def test_one_step_is_not_taken_for_unevenness() -> None:
    """Steady shares with one step in them are as even as they were; campaigns of a day stay uneven."""
    rng = np.random.default_rng(6)
    share = np.where(np.arange(42) < 30, 0.8, 0.2)
    stepped = np.array([rng.binomial(60, share), rng.binomial(60, 1 - share)], dtype=float)
    assert intra_day(stepped) < 0.03
    single = rng.random(42) < 0.7
    assert intra_day(np.array([60.0 * single, 60.0 * ~single])) > 0.8


def test_rounding_is_no_serial_correlation() -> None:
    """A botnet of one programme falls to a trickle and comes back with another: else no day differs."""
    days = np.arange("2010-10-15", "2011-02-07", dtype="datetime64[D]")
    dice = np.random.default_rng(4)
    old, new = (np.zeros(len(days), dtype=np.int64) for _ in range(2))
    back = len(days) - 28
    old[: back - 17] = dice.poisson(90, back - 17)
    old[back - 17 : back] = dice.poisson(1, 17)
    new[back:] = dice.poisson(50, 28)
    mix = make_mix(days, {"Maple Meds": old, "Other Meds": new}, np.ones(len(days)))
    found = find_switches(mix)
    assert [switch.to_programme for switch in found] == ["Other Meds"]
    assert found[0].p_value < 1e-6


@pytest.mark.parametrize("more", range(7))
def test_the_unit_that_a_switch_falls_into_says_nothing_of_how_uneven_mixes_are(more: int) -> None:
    """A small botnet is looked at by weeks: its switch falls into some day of one."""
    counts = np.random.default_rng(20220110).poisson(2.0, 420)[: 413 + more]
    days = np.datetime64("2021-04-05") + np.arange(len(counts))
    turned = np.arange(len(counts)) >= 280
    pairs = {"Meridian": np.where(turned, 0, counts), "Heron": np.where(turned, counts, 0)}
    mix = make_mix(days, pairs, np.ones(len(counts)))
    assert mix.step == 7
    assert mix.rho <= UNTOLD
    (switch,) = find_switches(mix)
    assert switch.onset[1] <= days[280].astype(dt.date) <= switch.onset[2]


def test_one_week_of_another_programme_is_uneven_and_no_turn() -> None:
    """A unit that lies outside of what its neighbours hold is a campaign of its own, and counts."""
    counts = np.full(26, 20.0)
    other = np.where(np.arange(26) == 9, 15.0, 0.0)
    assert intra_day(np.array([counts - other, other])) > UNTOLD


def test_a_small_botnets_turn_is_dated_by_its_days() -> None:
    """Of two messages a day a mix is looked at by the week, but mail of one programme ends on a day."""
    held = width = found = 0
    for seed in range(20):
        dice = np.random.default_rng([31, seed])
        days, at = int(dice.integers(200, 207)), int(dice.integers(90, 150))
        count = dice.poisson(2 * dice.gamma(15, 1 / 15, days))
        first = np.where(np.arange(days) < at, count, 0)
        dates = np.datetime64("2024-01-01") + np.arange(days)
        mix = make_mix(dates, {"pills": first, "watches": count - first}, np.ones(days))
        assert mix.step == 7
        for switch in find_switches(mix):
            _, low, high = switch.onset
            found += 1
            held += low <= dates[at].item() <= high
            width += (high - low).days + 1
    assert found >= 18
    assert held >= 0.93 * found
    assert width <= 18 * found
