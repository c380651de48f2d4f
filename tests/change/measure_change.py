"""The full tables of docs/path/change.md: `python tests/change/measure_change.py [series] [worlds]`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from change_observatory import Setting, date, make
from change_series import Scenario, measure

from spamtide.change import detect
from spamtide.model import Change

SERIES = {
    "fall, clean": (Scenario(), 0.5),
    "fall, drift .02": (Scenario(drift=0.02), 0.5),
    "rise, clean": (Scenario(happens="rise"), 0.5),
    "rise, drift .02": (Scenario(happens="rise", drift=0.02), 0.5),
    "5 a day, r = 5": (Scenario(levels=(5,), sizes=(5,)), 0.5),
    "r = 2": (Scenario(sizes=(2,)), 0.5),
    "AR(1) log noise": (Scenario(noise=0.2), 0.5),
    "3-day outage at onset": (Scenario(outage=True), 0.5),
    "to 30 %": (Scenario(residuals=(0.3,)), 0.5),
    "to 50 %, ratio .8": (Scenario(residuals=(0.5,)), 0.8),
    "to 50 %, over 7 to 20 days, ratio .8": (Scenario(residuals=(0.5,), lengths=(7, 20)), 0.8),
    "to twice, over 7 to 20 days, ratio .8": (
        Scenario(happens="rise", residuals=(0.5,), lengths=(7, 20)),
        0.8,
    ),
    "to 60 %, ratio .8": (Scenario(residuals=(0.6,)), 0.8),
    "to 70 %, ratio .8": (Scenario(residuals=(0.7,)), 0.8),
    "nothing, clean": (Scenario(happens="nothing"), 0.5),
    "nothing, drift .02": (Scenario(happens="nothing", drift=0.02), 0.5),
}

SENSORS = {"joins": 40, "lost": (85, 7)}


@dataclass(frozen=True)
class Truth:
    """What must be found in an observatory, and which other kinds its botnets may show."""

    setting: Setting
    kind: str
    subject: str
    onset: int
    end: int
    also: tuple[str, ...] = ()


OBSERVATORIES = {
    "cease over 3 days": Truth(Setting(cease=(70, 3), **SENSORS), "cease", "b0", 70, 72),
    "cease, 40 a day in all": Truth(Setting(volume=40, cease=(70, 3), **SENSORS), "cease", "b0", 70, 72),
    "cease, 60 days, 60 a day": Truth(Setting(days=60, volume=60, cease=(40, 3)), "cease", "b0", 40, 42),
    "cease as a sensor is lost": Truth(Setting(cease=(85, 3), **SENSORS), "cease", "b0", 85, 87),
    "cease 3 days before that": Truth(Setting(cease=(82, 3), **SENSORS), "cease", "b0", 82, 84),
    "switch, 50 points, 4 days": Truth(Setting(switch=(60, 4, 0.5), **SENSORS), "switch", "b1", 60, 63),
    "switch, 20 points": Truth(Setting(volume=800, switch=(60, 3, 0.2), **SENSORS), "switch", "b1", 60, 62),
    "switch, 20 points, lumpy": Truth(
        Setting(volume=800, switch=(60, 3, 0.2), mixing=10, **SENSORS), "switch", "b1", 60, 62
    ),
    "attribution lost": Truth(Setting(lose_name=(60, 3), **SENSORS), "attribution-loss", "b2", 60, 62),
    "new": Truth(Setting(new=50, **SENSORS), "new", "b3", 50, 50),
    "surge x6, 3 days": Truth(Setting(surge=(60, 3, 6.0), **SENSORS), "surge", "b4", 60, 63),
    "resume after 20 days": Truth(Setting(quiet=(60, 20), **SENSORS), "resume", "b4", 80, 80, ("cease",)),
}

QUIET = {
    "60 days": Setting(days=60),
    "60 days, 40 a day": Setting(days=60, volume=40),
    "120 days": Setting(),
    "120 days, r = 3": Setting(size=3),
    "sensors join, leave, are lost": Setting(leaves=100, **SENSORS),
    "all sensors changed": Setting(changed=80),
    "lumpy mixes": Setting(mixing=1),
    "400 days": Setting(days=400),
    "400 days, drift .02": Setting(days=400, drift=0.02),
    "one programme grows fourfold (switches)": Setting(grow=(60, 4.0)),
}


def observe(truth: Truth, worlds: int) -> str:
    """One row: how often it was found, how well it was dated, how often something else was told."""
    errors, ends, covers, end_covers, others = [], [], [], [], 0
    for seed in range(worlds):
        found = [c for c in detect(make(np.random.default_rng(5000 + seed), truth.setting)) if _named(c)]
        hits = [c for c in found if _is(c, truth)]
        others += any(c not in hits[:1] and c.kind not in truth.also for c in found)
        for change in hits[:1]:
            errors.append((change.onset - date(truth.onset)).days)
            covers.append(change.onset_low <= date(truth.onset) <= change.onset_high)
            if change.end is not None:
                ends.append(abs((change.end - date(truth.end)).days))
                end_covers.append(change.end_low <= date(truth.end) <= change.end_high)
    return (
        f"n={worlds} found {len(errors) / worlds:.3f} onset MAE {np.abs(errors).mean():.2f} "
        f"bias {np.mean(errors):+.2f} cover {np.mean(covers):.3f} end MAE {np.mean(ends):.2f} "
        f"cover {np.mean(end_covers):.3f} worlds with another botnet's change {others / worlds:.3f}"
    )


def _named(change: Change) -> bool:
    """A botnet's change, unknown left out."""
    return change.subject_kind == "botnet" and change.subject != "unknown"


def _is(change: Change, truth: Truth) -> bool:
    """The change that is looked for, within two weeks."""
    near = abs((change.onset - date(truth.onset)).days) <= 14
    return (change.kind, change.subject) == (truth.kind, truth.subject) and near


def quiet(setting: Setting, worlds: int, kinds: Iterable[str] = ()) -> str:
    """One row: worlds in which anything at all was told of a level or a mix."""
    told = 0
    for seed in range(worlds):
        found = detect(make(np.random.default_rng(1000 + seed), setting))
        told += any(c.subject_kind != "sensor" and (not kinds or c.kind in kinds) for c in found)
    return f"n={worlds} worlds with any change: {told}"


def main() -> None:
    """Print all tables."""
    series = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    worlds = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    for name, (scenario, ratio) in SERIES.items():
        _say(name, measure(scenario, series, ratio=ratio).line())
    for name, truth in OBSERVATORIES.items():
        _say(name, observe(truth, worlds))
    for name, setting in QUIET.items():
        _say(name, quiet(setting, worlds, ("switch",) if setting.grow else ()))


def _say(name: str, row: str) -> None:
    """Write one row at once."""
    sys.stdout.write(f"{name:40}{row}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
