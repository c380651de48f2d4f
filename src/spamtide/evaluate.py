"""`spamtide evaluate`: how often attribution is right, from mail whose sender is known.

An observatory with lab mail is measured on it: rules of each family's earlier lab mail on its later mail,
and the whole path without each family in turn on that family's mail. Without lab mail, worlds are simulated
and go through the whole path. Every split is in time or by family, none is at random.
"""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from spamtide import pipeline
from spamtide.attribution import attribute, compile_signatures, learn, load_signatures, match
from spamtide.errors import NoInputError
from spamtide.evaluation import Outcome, Score, score
from spamtide.evaluation.scoring import rows_of
from spamtide.holdout import Holdout
from spamtide.ingest import Source, ingest
from spamtide.knowledge import load_knowledge
from spamtide.latency import latency, messages_of
from spamtide.latency import rows as latency_rows
from spamtide.model import UNKNOWN
from spamtide.observatory import Observatory, init_observatory
from spamtide.orders import of_campaigns, of_orders
from spamtide.simulate import WORLDS as SHIPPED
from spamtide.simulate import drawn_world, simulate_world
from spamtide.simulate.world import World
from spamtide.store import rollup

Say = Callable[[str], None]
Truth = list[dict[str, str]]

DRAWN = "drawn"
"""The world that the seed draws: a dozen families with a lab, some 300 campaigns of theirs."""
WORLDS: tuple[tuple[str, float, float], ...] = (
    (DRAWN, 1.0, 0.6),
    ("overlap", 1.0, 0.35),
    ("quiet", 0.5, 0.35),
)
"""(world, scale, share of its days after which the lab's mail is kept from the learner, so that templates are
new)."""
SLICE = ("overlap", 0.4)
"""(world, scale) in which the lab's mail comes in step by step."""
EARLIER = 0.75
"""Share of each family's own lab mail that rules are made from, to be tried on the rest."""
SMALL_FAMILY = 20
"""A family with less lab mail is not split."""
HAM = (
    ("csdmc2010.tar.gz", "*ham/*"),
    ("spamassassin.tar.gz", "*ham*"),
    ("vger/*.ham.mbox.gz", None),
)
"""(file, members) of legitimate mail in a folder of public collections."""


def evaluate(observatory: Observatory | None, *, corpora: Path | None, seed: int, say: Say) -> list[Score]:
    """Measure and return the rows of the accuracy table.

    Args:
        observatory: one with lab mail is measured itself; None or one without runs simulated worlds.
        corpora: folder of public collections, for real legitimate mail.
        seed: of the simulated worlds.
        say: called with a line for a person as the work goes on.

    Raises:
        NoInputError: there is no folder `corpora`.
    """
    if corpora is not None and not corpora.is_dir():
        message = f"no folder {corpora}"
        raise NoInputError(message)
    if observatory is not None and rollup.lab_rows(observatory.lake, 1).num_rows:
        return _own(observatory, say)
    found: list[Score] = []
    with tempfile.TemporaryDirectory(prefix="spamtide-evaluate-") as folder:
        for name, scale, lab_share in WORLDS:
            made = Path(folder) / name
            say(f"simulating {name}")
            world = drawn_world(seed) if name == DRAWN else SHIPPED[name]
            simulate_world(world, made / "world", seed=seed, scale=scale)
            one = init_observatory(made / "observatory")
            truth = _truth(made / "world")
            known = _fill(one, made / "world", truth, lab_share, say)
            if corpora is not None and name == DRAWN:
                _real_ham(one, corpora, say)
            say(f"learning and updating {name}")
            list(pipeline.learn_signatures(one, ()))
            pipeline.update(one)
            found += _scores(world, one, truth, known)
            campaigns = _campaigns(truth)
            found += of_campaigns(name, one, campaigns)
            if name == DRAWN:
                found += of_orders(name, one, campaigns, say)
                found += _left_out(one, truth, say)
        found += _latency(Path(folder) / "latency", seed, say)
    return found


# ---------------------------------------------------------------------------- simulated worlds


def _latency(made: Path, seed: int, say: Say) -> list[Score]:
    """The rows on how soon a new template is known."""
    world, scale = SLICE
    simulate_world(SHIPPED[world], made / "world", seed=seed, scale=scale)
    truth = _truth(made / "world")
    say(f"letting the lab mail of a smaller {world} come in step by step")
    sightings = latency(init_observatory(made / "observatory"), made / "world", truth, say)
    mates = frozenset(_mates(SHIPPED[world]))
    return latency_rows(world, sightings, sum(row["kind"] == "lab" for row in truth), mates)


def _truth(world: Path) -> Truth:
    with gzip.open(world / "truth_messages.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _campaigns(truth: Truth) -> dict[str, str]:
    """Content -> its text, of wild spam: what several senders send for one programme is one campaign."""
    return {
        row["sha256"]: row["campaign"].partition(":")[2] or row["campaign"] or row["sha256"]
        for row in truth
        if row["kind"] == "spam"
    }


def _mates(world: World) -> dict[str, frozenset[str]]:
    """Families with a lab that rent one kit with others that have one -> those others."""
    tenants: dict[str, set[str]] = defaultdict(set)
    for sender in world.senders:
        if sender.captured:
            tenants[sender.kit].add(sender.name)
    return {name: frozenset(group - {name}) for group in tenants.values() if len(group) > 1 for name in group}


def _strangers(world: World) -> dict[str, frozenset[str]]:
    """Families that no lab has and whose kit captured families rent -> those families."""
    captured = {(sender.kit, sender.name) for sender in world.senders if sender.captured}
    found = {
        sender.name: frozenset(name for kit, name in captured if kit == sender.kit)
        for sender in world.senders
        if not sender.captured
    }
    return {name: group for name, group in found.items() if group}


def _fill(observatory: Observatory, world: Path, truth: Truth, lab_share: float, say: Say) -> set[str]:
    """Ingest everything but the lab's later mail; returns the campaigns that the lab showed."""
    days = sorted({row["day"] for row in truth})
    cut = days[int(lab_share * len(days))]
    for label in ("spam", "ham"):
        paths = tuple(map(str, sorted((world / "sensors").glob(f"*.{label}.mbox.gz"))))
        ingest(observatory, Source(paths, label=label))
    for path in sorted((world / "lab").glob("*.mbox.gz")):
        early = path.with_name(f"early-{path.name.removesuffix('.gz')}")
        mail = messages_of(gzip.decompress(path.read_bytes()))
        early.write_bytes(b"".join(message for when, message in mail if when.date().isoformat() < cut))
        ingest(observatory, Source((str(early),), sensor="lab", lab=path.name.removesuffix(".mbox.gz")))
    say(f"{len(truth):,} messages; the lab's from {cut} on are kept from the learner")
    return {row["campaign"] for row in truth if row["kind"] == "lab" and row["day"] < cut}


def _real_ham(observatory: Observatory, corpora: Path, say: Say) -> None:
    """Ingest real legitimate mail under a sensor of its own."""
    for pattern, members in HAM:
        paths = tuple(map(str, sorted(corpora.glob(pattern))))
        if paths:
            done = ingest(observatory, Source(paths, sensor="real-ham", label="ham", members=members))
            say(f"{done.stored:,} real legitimate messages from {pattern}")


def _scores(world: World, observatory: Observatory, truth: Truth, known: set[str]) -> list[Score]:
    """The rows of one world."""
    mates, strangers = _mates(world), _strangers(world)
    answers = observatory.lake.query(
        "SELECT a.sha256, a.sensor, a.botnet, a.programme, o.label FROM attributions a JOIN observations o "
        "ON o.sha256 = a.sha256 AND o.sensor = a.sensor"
    ).to_pylist()
    said = {row["sha256"]: row["botnet"] for row in answers}
    by: dict[str, list[Outcome]] = defaultdict(list)
    for row in truth:
        got = said.get(row["sha256"], UNKNOWN)
        _sort(row, got, row["campaign"] in known, mates.get(row["family"], frozenset()), by)
        if row["kind"] == "spam" and row["family"] in strangers:
            by["stranger"].append(Outcome(row["campaign"], got in strangers[row["family"]]))
    table = [
        score(f"{world.name}: {what}", by[key], target)
        for key, what, target in (
            ("recall", "families with a lab, known templates: recall", ">= 95 %"),
            ("precision", "answers that name a family: precision", ">= 99 %"),
            ("new", "new templates before the lab saw them: recall", ">= 70 %"),
            ("new precision", "new templates: precision of the names given", ">= 98 %"),
            ("kit known", "of which kit mates, known templates: recall", ""),
            ("kit new", "kit mates, new templates: recall", ""),
            ("kit", "kit mates under the other tenant's name", "<= 1 %"),
            ("stranger", "tenants of a kit that no lab has, under another tenant's name", "<= 1 %"),
            ("dark", "families that no lab has, under a known name", "<= 1 %"),
            ("ham", "simulated legitimate mail with a botnet's name", "<= 0.01 %"),
        )
        if by[key] or target
    ]
    if world.name == DRAWN:
        table += _by_family(truth, said, known)
    table += _programmes(world.name, observatory, truth, {row["sha256"]: row["programme"] for row in answers})
    for kind in ("botnet", "programme"):
        real = [
            Outcome(row["sha256"], row[kind] != UNKNOWN) for row in answers if row["sensor"] == "real-ham"
        ]
        if real:
            table.append(score(f"real legitimate mail with a {kind}'s name", real, "<= 0.01 %"))
    return table


def _programmes(world: str, observatory: Observatory, truth: Truth, said: Mapping[str, str]) -> list[Score]:
    """The rows on what is advertised; the brands of the worlds are in disguise now and then."""
    rules = load_signatures(pipeline.signature_folders(observatory)).signatures.values()
    known = {rule.name for rule in rules if rule.kind == "programme"}
    by: dict[str, list[Outcome]] = defaultdict(list)
    for row in truth:
        got = said.get(row["sha256"], UNKNOWN)
        unit = row["campaign"] or row["sha256"]
        if row["kind"] == "ham":
            by["ham"].append(Outcome(unit, got != UNKNOWN))
        elif row["kind"] == "spam":
            if got != UNKNOWN:
                by["precision"].append(Outcome(unit, got == row["programme"]))
            if row["programme"] in known:
                by["recall"].append(Outcome(unit, got == row["programme"]))
            else:
                by["other"].append(Outcome(unit, got != UNKNOWN))
    return [
        score(f"{world}: {what}", by[key], target)
        for key, what, target in (
            ("recall", "programmes with a rule: recall", ">= 90 %"),
            ("precision", "answers that name a programme: precision", ">= 98 %"),
            ("other", "advertisers without a rule, under a programme's name", "<= 1 %"),
            ("ham", "simulated legitimate mail with a programme's name", "<= 0.01 %"),
        )
    ]


def _by_family(truth: Truth, said: Mapping[str, str], known: set[str]) -> list[Score]:
    """Recall of each family with a lab, and what of each other one went under a name."""
    found: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for row in truth:
        if row["kind"] != "spam":
            continue
        got = said.get(row["sha256"], UNKNOWN)
        if row["botnet"] == UNKNOWN:
            found["no lab has it, under a known name", row["family"]].append(
                Outcome(row["campaign"], got != UNKNOWN)
            )
        else:
            what = "known templates: recall" if row["campaign"] in known else "new templates: recall"
            found[what, row["family"]].append(Outcome(row["campaign"], got == row["family"]))
    return [score(f"{DRAWN}, {family}: {what}", found[what, family]) for what, family in sorted(found)]


def _left_out(observatory: Observatory, truth: Truth, say: Say) -> list[Score]:
    """Each family with a lab left out of it in turn: what of its wild mail goes under another's name."""
    holdout = Holdout(observatory)
    wild: dict[str, dict[str, str]] = defaultdict(dict)
    for row in truth:
        if row["kind"] == "spam":
            wild[row["family"]][row["sha256"]] = row["campaign"]
    table, whole = [], []
    for family in holdout.families:
        say(f"leaving out {family}")
        answers = holdout.without(family)
        named = zip(answers["sha256"].to_pylist(), answers["botnet"].to_pylist(), strict=True)
        own = [
            Outcome(wild[family][sha256], name != UNKNOWN) for sha256, name in named if sha256 in wild[family]
        ]
        whole += own
        table.append(score(f"{DRAWN}, {family}: left out of the lab, under another name", own))
    return [
        score(f"{DRAWN}: families left out of the lab in turn, under a known name", whole, "<= 1 %"),
        *table,
    ]


def _sort(
    row: dict[str, str],
    got: str,
    known: bool,  # noqa: FBT001 - a fact of the row
    mates: frozenset[str],
    by: dict[str, list[Outcome]],
) -> None:
    """Put one message where it counts."""

    def count(key: str, success: bool) -> None:  # noqa: FBT001 - an outcome
        by[key].append(Outcome(row["campaign"] or row["sha256"], success))

    if row["kind"] == "ham":
        count("ham", got != UNKNOWN)
    if row["kind"] != "spam":
        return
    if got != UNKNOWN:
        count("precision", got == row["family"])
    if row["botnet"] == UNKNOWN:
        count("dark", got != UNKNOWN)
        return
    if mates:
        count("kit", got in mates)
        count("kit known" if known else "kit new", got == row["family"])
    if known:
        count("recall", got == row["family"])
    elif not mates:
        count("new", got == row["family"])
        if got != UNKNOWN:
            count("new precision", got == row["family"])


# ---------------------------------------------------------------------------- an observatory's own lab mail


def _own(observatory: Observatory, say: Say) -> list[Score]:
    """Later lab mail by rules of earlier; and each family left out in turn, by the whole path."""
    lab = rollup.lab_rows(observatory.lake, pipeline.LAB_MESSAGES)
    ham = rollup.ham_rows(observatory.lake, pipeline.HAM_MESSAGES)
    campaigns = observatory.lake.query("SELECT DISTINCT sha256, campaign FROM memberships").to_pylist()
    units = {row["sha256"]: row["campaign"] for row in campaigns}
    knowledge = load_knowledge(observatory.knowledge)

    def answers(known: pa.Table, asked: pa.Table) -> Iterator[tuple[str, str, str]]:
        """(family, answer, campaign) of lab mail by rules of other lab mail."""
        learned = learn(known, ham)
        rules = compile_signatures([(Path(name), text) for name, text in learned.files().items()])
        hits = match(asked["rendering"].to_pylist(), rules)
        nothing = pa.nulls(asked.num_rows, pa.string())
        rows = asked.set_column(asked.schema.get_field_index("lab"), "lab", nothing)
        rows = rows.append_column("campaign", nothing)
        rows = rows.append_column("rules", pa.array(map(list, hits), pa.list_(pa.string())))
        named = attribute(rows, rules, knowledge)
        said = dict(zip(named["sha256"].to_pylist(), named["botnet"].to_pylist(), strict=True))
        for family, sha256 in zip(asked["lab"].to_pylist(), asked["sha256"].to_pylist(), strict=True):
            right = knowledge.canonical(said[sha256]) == knowledge.canonical(family)
            yield family, family if right else said[sha256], units.get(sha256, sha256)

    families = sorted(set(lab["lab"].to_pylist()))
    early, late = _in_time(lab)
    say(f"learning from the earlier {early.num_rows:,} of {lab.num_rows:,} lab messages")
    told = list(answers(early, late)) if late.num_rows else []
    table = []
    for family in families:
        own = [(name, unit) for of, name, unit in told if of == family]
        right = [Outcome(unit, name == family) for name, unit in own]
        table.append(score(f"{family}: later lab mail, recall", right, ">= 95 %"))
        wrong = [Outcome(unit, name not in {family, UNKNOWN}) for name, unit in own]
        table.append(score(f"{family}: later lab mail under another name", wrong, "<= 1 %"))
    holdout = Holdout(observatory)
    of_stored = stored_names(observatory)
    for family in families if len(families) > 1 else ():
        say(f"leaving out {family}")
        own_name = knowledge.canonical(family)
        outcomes = []
        without = holdout.without(family).select(["sha256", "lab", "botnet", "campaign"])
        for sha256, of_lab, name, unit in zip(*without.to_pydict().values(), strict=True):
            if of_lab == family or (of_lab is None and of_stored.get(sha256) == own_name):
                outcomes.append(Outcome(unit or sha256, knowledge.canonical(name) not in {own_name, UNKNOWN}))
        table.append(score(f"{family}: left out of the lab, under another name", outcomes, "<= 1 %"))
    return table


def stored_names(observatory: Observatory) -> dict[str, str]:
    """Content of the wild -> the botnet that it is said to be of now, by its published name; if any."""
    knowledge = load_knowledge(observatory.knowledge)
    rows = observatory.lake.query(
        "SELECT DISTINCT a.sha256, a.botnet FROM attributions a JOIN evidence e "
        "ON e.sha256 = a.sha256 AND e.sensor = a.sensor "
        "WHERE e.lab IS NULL AND e.label = 'spam' AND a.botnet <> 'unknown'"
    )
    return {row["sha256"]: knowledge.canonical(row["botnet"]) for row in rows.to_pylist()}


def _in_time(lab: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Each family's earlier and later lab mail; a message is on one side only, a small family's on the first.

    Args:
        lab: rows of each family in order of time.
    """
    later: set[str] = set()
    for family in set(lab["lab"].to_pylist()):
        own = list(dict.fromkeys(lab.filter(pc.equal(lab["lab"], family))["sha256"].to_pylist()))
        later.update(own[int(EARLIER * len(own)) :] if len(own) >= SMALL_FAMILY else ())
    is_later = pc.is_in(lab["sha256"], pa.array(sorted(later), pa.string()))
    return lab.filter(pc.invert(is_later)), lab.filter(is_later)


# ---------------------------------------------------------------------------- telling it


def as_json(scores: Sequence[Score]) -> list[dict[str, Any]]:
    """The table as plain values."""
    return [
        {
            name: getattr(one, name)
            for name in ("what", "n", "campaigns", "share", "low", "high", "target", "met")
        }
        for one in scores
    ]


def as_markdown(scores: Sequence[Score]) -> str:
    """The table as Markdown, aligned so that it reads as text."""
    head = ("what", "n", "campaigns", "share", "95 % interval, by campaign", "asked for", "")
    rows = [head, *rows_of(scores)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    out = io.StringIO()
    out.write("\n".join(lines) + "\n")
    return out.getvalue()
