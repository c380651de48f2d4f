"""`spamtide evaluate`: how often attribution is right, from mail whose sender is known.

An observatory with lab mail is measured on it: rules of each family's earlier lab mail on its later mail,
and the whole path without each family in turn on that family's mail. Without lab mail, worlds are simulated
and go through the whole path. Every split is in time or by family, none is at random.
"""

from __future__ import annotations

import gzip
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from spamtide import pipeline
from spamtide.errors import NoInputError
from spamtide.evaluation.holdout import Holdout
from spamtide.evaluation.laboratory import of_lab_mail
from spamtide.evaluation.latency import latency, messages_of
from spamtide.evaluation.latency import rows as latency_rows
from spamtide.evaluation.naming import Truth, mates, of_names
from spamtide.evaluation.orders import of_campaigns, of_orders
from spamtide.evaluation.scoring import Outcome, Score, score
from spamtide.ingest import Source, ingest
from spamtide.model import UNKNOWN
from spamtide.observatory import Observatory, init_observatory
from spamtide.simulate import WORLDS as SHIPPED
from spamtide.simulate import drawn_world, mail_of, simulate_world, true_messages
from spamtide.store import rollup

Say = Callable[[str], None]

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
        return of_lab_mail(observatory, say)
    found: list[Score] = []
    with tempfile.TemporaryDirectory(prefix="spamtide-evaluate-") as folder:
        for name, scale, lab_share in WORLDS:
            made = Path(folder) / name
            say(f"simulating {name}")
            world = drawn_world(seed) if name == DRAWN else SHIPPED[name]
            simulate_world(world, made / "world", seed=seed, scale=scale)
            one = init_observatory(made / "observatory")
            truth = true_messages(made / "world")
            known = _fill(one, made / "world", truth, lab_share, say)
            if corpora is not None and name == DRAWN:
                _real_ham(one, corpora, say)
            say(f"learning and updating {name}")
            list(pipeline.learn_signatures(one, ()))
            pipeline.update(one)
            found += of_names(world, one, truth, known, each=name == DRAWN)
            campaigns = _campaigns(truth)
            found += of_campaigns(name, one, campaigns)
            if name == DRAWN:
                found += of_orders(name, one, campaigns, say)
                found += _left_out(one, truth, say)
        found += _latency(Path(folder) / "latency", seed, say)
    return found


def _latency(made: Path, seed: int, say: Say) -> list[Score]:
    """The rows on how soon a new template is known."""
    world, scale = SLICE
    simulate_world(SHIPPED[world], made / "world", seed=seed, scale=scale)
    truth = true_messages(made / "world")
    say(f"letting the lab mail of a smaller {world} come in step by step")
    sightings = latency(init_observatory(made / "observatory"), made / "world", truth, say)
    lab = sum(row["kind"] == "lab" for row in truth)
    return latency_rows(world, sightings, lab, frozenset(mates(SHIPPED[world])))


def _campaigns(truth: Truth) -> dict[str, str]:
    """Content -> its text, of wild spam: what several senders send for one programme is one campaign."""
    return {
        row["sha256"]: row["campaign"].partition(":")[2] or row["campaign"] or row["sha256"]
        for row in truth
        if row["kind"] == "spam"
    }


def _fill(observatory: Observatory, world: Path, truth: Truth, lab_share: float, say: Say) -> set[str]:
    """Ingest everything but the lab's later mail; returns the campaigns that the lab showed."""
    days = sorted({row["day"] for row in truth})
    cut = days[int(lab_share * len(days))]
    mail = mail_of(world)
    ingest(observatory, Source(mail.spam, label="spam"))
    ingest(observatory, Source(mail.ham, label="ham"))
    for family, path in mail.lab.items():
        early = path.with_name(f"early-{family}.mbox")
        caught = messages_of(gzip.decompress(path.read_bytes()))
        early.write_bytes(b"".join(message for when, message in caught if when.date().isoformat() < cut))
        ingest(observatory, Source((str(early),), sensor="lab", lab=family))
    say(f"{len(truth):,} messages; the lab's from {cut} on are kept from the learner")
    return {row["campaign"] for row in truth if row["kind"] == "lab" and row["day"] < cut}


def _real_ham(observatory: Observatory, corpora: Path, say: Say) -> None:
    """Ingest real legitimate mail under a sensor of its own."""
    for pattern, members in HAM:
        paths = tuple(map(str, sorted(corpora.glob(pattern))))
        if paths:
            done = ingest(observatory, Source(paths, sensor="real-ham", label="ham", members=members))
            say(f"{done.stored:,} real legitimate messages from {pattern}")


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
