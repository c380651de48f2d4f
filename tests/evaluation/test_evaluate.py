"""`spamtide evaluate` on an observatory's own lab mail, and how soon a new template is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from spamtide import pipeline
from spamtide.evaluation import Score, as_json, as_markdown, evaluate
from spamtide.evaluation.latency import Sighting, latency, messages_of, rows
from spamtide.evaluation.orders import of_campaigns, of_orders
from spamtide.ingest import Source, ingest
from spamtide.observatory import init_observatory
from spamtide.simulate import mail_of, simulate, true_messages


def quiet(_: str) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small world of engines that look alike."""
    folder = tmp_path_factory.mktemp("world")
    simulate("overlap", folder, seed=77, scale=0.12)
    return folder


def alone(number: int) -> bytes:
    """A message of a family that has nothing in common with any other: no rule of theirs matches it."""
    return (
        f"From a@x Mon Mar {1 + number:2} 10:00:00 2010\nX-Odd: {number}\nSubject: {number} loose screws\n"
        f"\nladder {number} against the barn, as the ropes allow\n\n"
    ).encode()


def shares(table: list[Score]) -> dict[str, Score]:
    """The rows by what they are about."""
    return {row.what: row for row in table}


@pytest.mark.slow
def test_an_observatory_is_measured_on_its_own_lab_mail(world: Path, tmp_path: Path) -> None:
    """Later mail by earlier rules, and each family left out; the unit is the campaign, nothing is changed."""
    own = init_observatory(tmp_path / "own")
    mail = mail_of(world)
    ingest(own, Source(mail.ham, label="ham"))
    for family, path in mail.lab.items():
        ingest(own, Source((str(path),), sensor="lab", lab=family))
    (tmp_path / "alone.mbox").write_bytes(b"".join(map(alone, range(24))))
    ingest(own, Source((str(tmp_path / "alone.mbox"),), sensor="lab", lab="alone"))
    pipeline.update(own)
    before = sorted(own.signatures.iterdir())
    table = evaluate(own, corpora=None, seed=1, say=quiet)
    assert sorted(own.signatures.iterdir()) == before
    told = shares(table)
    lab = own.lake.query("SELECT lab, count(*) AS n FROM observations WHERE lab IS NOT NULL GROUP BY lab")
    counts = {row["lab"]: row["n"] for row in lab.to_pylist()}
    for family, n in counts.items():
        late = told[f"{family}: later lab mail, recall"]
        assert late.n == (n - int(0.75 * n) if n >= 20 else 0)
        assert late.campaigns < late.n or not late.n
        assert told[f"{family}: left out of the lab, under another name"].n == n
        wrong = told[f"{family}: later lab mail under another name"]
        assert not late.n or late.share + wrong.share <= 1
        assert not late.n or wrong.share <= 0.05  # a lab's spelling of a known name is no other name
    precision = told["later lab mail: answers that name a family, precision"]
    assert precision.share >= 0.95
    assert precision.n <= sum(row.n for row in table if row.what.endswith("recall"))
    assert told["alone: left out of the lab, under another name"].share == 0
    assert sum(row.n * row.share for row in table if row.n and row.what.endswith("recall")) > 0
    assert as_markdown(table).count("\n") == len(table) + 2
    assert len(as_json(table)) == len(table)


@pytest.mark.slow
def test_campaigns_are_held_against_the_truth_and_between_orders(world: Path, tmp_path: Path) -> None:
    """A small world's texts are told apart, in whatever order they come; the observatory is only read."""
    own = init_observatory(tmp_path / "own")
    ingest(own, Source(mail_of(world).spam))
    pipeline.update(own)
    texts = {
        row["sha256"]: row["campaign"].partition(":")[2]
        for row in true_messages(world)
        if row["kind"] == "spam"
    }
    before = own.lake.versions()
    told = shares([*of_campaigns("w", own, texts), *of_orders("w", own, texts, quiet)])
    assert own.lake.versions() == before
    assert {row.verdict for row in told.values()} <= {"met", "too few to tell"}
    assert told["w: campaigns, B-cubed recall"].n == len(texts)
    assert told["w: campaigns, B-cubed recall"].campaigns == len(set(texts.values()))


@pytest.mark.slow
def test_templates_become_known_as_the_lab_goes_on(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = true_messages(world)
    lab = sum(row["kind"] == "lab" for row in truth)
    monkeypatch.setattr("spamtide.evaluation.latency.STEP", (lab + 1) // 2)
    found = latency(init_observatory(tmp_path / "own"), world, truth, quiet)
    assert found
    for one in found:
        assert (lab + 1) // 2 <= one.first < lab
        assert sorted(one.right) == [(lab + 1) // 2, lab]
        assert all(0 <= right <= one.wild for right in one.right.values())


def test_rows_look_no_further_than_they_say() -> None:
    """What is named at 150 is not known in 100 of a first sighting at 40; what came too late has no say."""
    fast = Sighting("a", "stone", 40, 10, {50: 0, 100: 4, 150: 10, 250: 10})
    never = Sighting("b", "reed", 45, 30, {50: 0, 100: 0, 150: 0, 250: 0})
    late = Sighting("c", "stone", 200, 50, {50: 50, 100: 50, 150: 50, 250: 50})
    table = rows("w", [fast, never, late], 250, {"reed"})
    assert [(row.n, row.campaigns) for row in table] == [(90, 3), (90, 3), (40, 2), (40, 2), (10, 1), (2, 2)]
    assert [round(row.share * row.n) for row in table] == [50, 50, 4, 10, 10, 1]
    assert [row.target for row in table] == ["", "", "", ">= 95 %", "", ""]
    assert table[3].verdict == "MISSED"


def test_an_mbox_is_cut_at_its_own_lines() -> None:
    """A From within a line of text, and one that is quoted, belong to the message."""
    first = b"From a@x Mon Mar  1 10:00:00 2010\nSubject: one\n\nwords From here\n>From there\n\n"
    second = b"From b@x Tue Mar  2 11:30:00 2010\nSubject: two\n\ntext\n"
    cut = list(messages_of(first + second))
    assert [message for _, message in cut] == [first, second]
    assert [when.isoformat() for when, _ in cut] == ["2010-03-01T10:00:00+00:00", "2010-03-02T11:30:00+00:00"]
