"""Replays of the record against each world's truth: drop, dates, recovery, substitution, return."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Run = Callable[..., Any]
Exported = Callable[..., list[dict[str, Any]]]

pytestmark = pytest.mark.slow

DOWN = {"decline", "cease"}


@dataclass(frozen=True, slots=True)
class Replay:
    """One world, run through the whole path."""

    folder: Path
    truth: dict[str, Any]
    changes: list[dict[str, Any]]

    def expected(self, name: str) -> np.ndarray:
        """Expected spam of a sender, or 'total', by day."""
        counts = self.truth["counts"]
        found = counts["total"] if name == "total" else counts["sender"][name]
        return np.array(found["expected"])

    def day(self, text: str) -> int:
        """Number of a day in the world."""
        found: int = self.truth["days"].index(text)
        return found


@pytest.fixture(
    scope="module", params=["mccolo-2008", "rustock-pause-2010", "rustock-takedown-2011", "necurs-2017"]
)
def replay(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    spamtide: Run,
    exported: Exported,
) -> Replay:
    """One run of `spamtide demo --world` for each world, in turn."""
    folder = tmp_path_factory.mktemp("replay") / request.param
    done = spamtide("demo", folder, "--world", request.param)
    assert done.returncode == 0, done.stderr
    truth = json.loads((folder / "world" / "truth.json").read_text())
    return Replay(folder, truth, exported(folder / "observatory", "changes"))


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def nearest(replay: Replay, kinds: set[str], subject: str, onset: dt.date) -> dict[str, Any]:
    """The found change of a kind and subject that begins nearest to a day."""
    found = [each for each in replay.changes if each["kind"] in kinds and each["subject"] == subject]
    assert found, f"no {kinds} of {subject}"
    return min(found, key=lambda each: abs((day(each["onset"]) - onset).days))


def claims(spamtide: Run, replay: Replay, until: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Claims of the four weeks to a day, by kind and subject."""
    since = day(until) - dt.timedelta(days=27)
    done = spamtide(
        "-C",
        replay.folder / "observatory",
        "bulletin",
        "--since",
        since,
        "--until",
        until,
        "--format",
        "json",
    )
    assert done.returncode == 0, done.stderr
    return {(each["kind"], each["subject"]): each for each in json.loads(done.stdout)["claims"]}


def sudden(replay: Replay) -> list[dict[str, Any]]:
    """The true falls and returns of botnets that last no longer than the model's ramp of ten days."""
    kinds = DOWN | {"resume"}
    return [
        each for each in replay.truth["changes"] if each["subject_kind"] == "botnet" and each["kind"] in kinds
    ]


def test_every_fall_and_return_of_a_botnet_begins_inside_its_interval(replay: Replay) -> None:
    for true in sudden(replay):
        kinds = DOWN if true["kind"] in DOWN else {"resume", "rise"}
        found = nearest(replay, kinds, true["subject"], day(true["onset"]))

        assert day(found["onset_low"]) <= day(true["onset"]) <= day(found["onset_high"]), true


def test_every_move_of_the_total_is_found_and_dated(replay: Replay) -> None:
    """Falls by a third and growth over ten weeks among them."""
    for true in replay.truth["changes"]:
        if true["subject_kind"] != "total":
            continue
        kinds = DOWN if true["kind"] in DOWN else {"resume", "rise"}
        found = nearest(replay, kinds, "total", day(true["onset"]))

        assert day(found["onset_low"]) <= day(true["onset"]) <= day(found["onset_high"]), true
        assert day(found["end_low"]) <= day(true["end"]) <= day(found["end_high"]), true


def test_no_botnet_is_said_to_fall_that_did_not(replay: Replay) -> None:
    fell = {each["subject"] for each in replay.truth["changes"] if each["kind"] in DOWN}

    assert {
        each["subject"]
        for each in replay.changes
        if each["subject_kind"] == "botnet" and each["kind"] in DOWN
    } <= fell | {"unknown"}


def test_no_sensor_is_blamed(replay: Replay) -> None:
    assert [each["kind"] for each in replay.changes if each["subject_kind"] == "sensor"] == []


DROPS = {
    "mccolo-2008": "2008-11-20",
    "rustock-pause-2010": "2011-01-06",
    "rustock-takedown-2011": "2011-03-24",
    "necurs-2017": "2017-01-12",
}
"""Last day of the four weeks in which the total fell."""


def test_the_drop_of_the_total_lies_in_its_interval(replay: Replay, spamtide: Run) -> None:
    until = DROPS[replay.truth["world"]]
    level = claims(spamtide, replay, until)["level", "total"]["numbers"]
    total = replay.expected("total")
    last = replay.day(until)
    was = float(total[replay.day(level["from"]) : replay.day(level["to"]) + 1].mean())
    now = float(total[last - 6 : last + 1].mean())

    assert level["direction"] == "fall"
    assert level["percent_low"] <= 100 * (1 - now / was) <= level["percent_high"]


@pytest.mark.parametrize("replay", ["rustock-takedown-2011"], indirect=True)
def test_others_fill_in_over_the_weeks_and_not_in_the_first(replay: Replay, spamtide: Run) -> None:
    effect = claims(spamtide, replay, "2011-04-12")["effect", "rustock"]["numbers"]
    struck = replay.day("2011-03-16")
    for days in (7, 28):
        window = slice(struck, struck + days)
        gone = replay.expected("rustock")[struck - 28 : struck].mean() * days
        others = undisturbed = 0.0
        for name, sender in replay.truth["senders"].items():
            if name != "rustock":
                seen = replay.expected(name)[window]
                others += float(seen.sum())
                undisturbed += float((seen / np.array(sender["level_without_noise"])[window]).sum())
        due = undisturbed + gone

        made_up = 100 * (others - undisturbed) / due
        assert effect[f"others_{days}d_of_all_low"] <= made_up <= effect[f"others_{days}d_of_all_high"]
        net = 100 * ((others + replay.expected("rustock")[window].sum()) / due - 1)
        assert effect[f"total_{days}d_of_all_low"] <= net <= effect[f"total_{days}d_of_all_high"]


@pytest.mark.parametrize("replay", ["mccolo-2008"], indirect=True)
def test_the_total_is_back_by_the_spring(replay: Replay, spamtide: Run) -> None:
    level = claims(spamtide, replay, "2009-03-29")["level", "total"]["numbers"]

    assert level["index_high"] >= 100
    assert level["direction"] in {"level", "rise"}


@pytest.mark.parametrize("replay", ["rustock-pause-2010"], indirect=True)
def test_the_botnet_that_came_back_has_another_programme(replay: Replay) -> None:
    (moved,) = [each for each in replay.changes if each["kind"] == "switch"]

    assert (moved["subject"], moved["from_programme"], moved["to_programme"]) == (
        "rustock",
        "Canadian Pharmacy",
        "Pharmacy Express",
    )
    assert day(moved["onset_low"]) <= dt.date(2011, 1, 10) <= day(moved["onset_high"])
