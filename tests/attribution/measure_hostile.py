"""How attribution fares in hostile worlds, by the whole path: ingest, learn, update.

    python tests/attribution/measure_hostile.py --seeds 1 2 3 --hard plain overlap-30

prints one table: a block of rows for each kind of world (see `hostile_world.HARD`) over all seeds together,
and with `--each` one for each seed as well. The unit of the intervals is the campaign, as in `spamtide
evaluate`: one text of one sender.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from hostile_world import HARD, World

from spamtide import pipeline
from spamtide.evaluation.scoring import Outcome, Score, score
from spamtide.evaluation.table import as_markdown
from spamtide.ingest import Source, ingest
from spamtide.model import UNKNOWN
from spamtide.observatory import Observatory, init_observatory

By = dict[str, list[Outcome]]
ROWS = (
    ("known", "captured families, known texts: recall", ">= 95 %"),
    ("new", "captured families, new texts: recall", ">= 70 %"),
    ("precision", "answers that name a family: precision", ">= 99 %"),
    ("kit known", "kit's tenants, known texts: recall", ""),
    ("kit known joint", "kit's tenants, known texts: recall with joint answers", ""),
    ("kit new", "kit's tenants, new texts: recall", ""),
    ("owner known", "owner of a rented engine, known texts: recall", ""),
    ("wrong", "kit's tenants under another tenant's name", "<= 1 %"),
    ("outside", "tenants that no lab has, under a tenant's name", "<= 1 %"),
    ("joint", "joint answers: one of them it is", ""),
    ("dark", "strangers under a known name", "<= 1 %"),
    ("copycat", "strangers with nearly the engine and half the texts, under a known name", "<= 1 %"),
    ("ham", "legitimate mail with a botnet's name", "<= 0.01 %"),
)
"""(key, what is shown, what is asked for)."""
OUTSIDE = ("stranger-tenant", "renter")


def answers(seed: int, hard: str, scale: float, folder: Path) -> list[dict[str, str]]:
    """The truth of each message of one world, with its answer as `botnet` and the joint one as `one_of`."""
    one = _observatory(seed, hard, scale, folder)
    pipeline.update(one)
    said = {
        row["sha256"]: row
        for row in one.lake.query("SELECT sha256, botnet, evidence FROM attributions").to_pylist()
    }
    with (folder / "world" / "truth.csv").open(newline="") as file:
        truth = list(csv.DictReader(file))
    for row in truth:
        got = said[row["sha256"]]
        joint = [item["name"] for item in json.loads(got["evidence"]) if item["layer"] == "joint"]
        row |= {"botnet": got["botnet"], "one_of": joint[0] if joint else "", "evidence": got["evidence"]}
    return truth


def _observatory(seed: int, hard: str, scale: float, folder: Path) -> Observatory:
    """One that holds the world's mail and has learned from its labs."""
    world = folder / "world"
    World(seed, scale, hard).write(world)
    one = init_observatory(folder / "observatory")
    for path in sorted((world / "sensors").glob("*.mbox")):
        sensor, label = path.name.split(".")[:2]
        ingest(one, Source((str(path),), sensor=sensor, label="ham" if label == "ham" else "spam"))
    for path in sorted((world / "lab").glob("*.mbox")):
        ingest(one, Source((str(path),), sensor="lab", lab=path.stem))
    list(pipeline.learn_signatures(one, ()))
    return one


def outcomes(truth: Iterable[dict[str, str]], world: str) -> By:
    """Every message where it counts."""
    by: By = defaultdict(list)
    truth = list(truth)
    captured = {row["family"]: row["kit"] for row in truth if row["captured"] == "1"}
    for row in truth:
        others = {name for name, kit in captured.items() if kit == row["kit"] and name != row["family"]}
        campaign = f"{world}/{row['family']}/{row['text']}" if row["family"] else row["sha256"]
        for key, success in () if row["kind"] == "lab" else _counts(row, others):
            by[key].append(Outcome(campaign, success))
    return by


def _counts(row: dict[str, str], others: set[str]) -> Iterator[tuple[str, bool]]:
    """Where one message counts, and whether as a success.

    Args:
        row: its truth and its answer.
        others: other captured families with its kit.
    """
    got, family, kind = row["botnet"], row["family"], row["class"]
    joint = row["one_of"].split("|") if row["one_of"] else []
    age = "new" if row["new"] == "1" else "known"
    if kind != "ham" and got != UNKNOWN:
        yield "precision", got == family
    if joint:
        yield "joint", family in joint
    if kind == "known":
        yield age, got == family
    elif kind == "tenant":
        yield f"kit {age}", got == family
        yield f"kit {age} joint", family in {got, *joint}
        yield "wrong", got in others
    elif kind == "owner":
        yield f"owner {age}", got == family
    elif kind in OUTSIDE:
        yield "outside", got in others
    else:
        yield {"copycat": "copycat", "ham": "ham"}.get(kind, "dark"), got != UNKNOWN


def scores(by: By, title: str) -> list[Score]:
    """The rows of one block; those without mail are left out."""
    return [score(f"{title}: {what}", by[key], target) for key, what, target in ROWS if by.get(key)]


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--hard", choices=list(HARD), nargs="+", default=list(HARD))
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--each", action="store_true", help="rows for each seed as well")
    told = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="spamtide-hostile-") as scratch:
        table: list[Score] = []
        for hard in told.hard:
            whole: By = defaultdict(list)
            for seed in told.seeds:
                folder = Path(scratch) / f"{hard}-{seed}"
                found = outcomes(answers(seed, hard, told.scale, folder), str(seed))
                sys.stderr.write(f"{hard}, seed {seed}\n")
                if told.each:
                    table += scores(found, f"{hard}, seed {seed}")
                for key, some in found.items():
                    whole[key] += some
            table += scores(whole, hard)
    sys.stdout.write(as_markdown(table))


if __name__ == "__main__":
    main()
