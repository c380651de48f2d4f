"""Learning from lab mail: what is named, what is not, and that the numbers in the rules are true."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from spamtide.attribution import Learned, Ruleset, attribute, compile_signatures, learn, match
from spamtide.attribution.learning.measuring import IMITATION
from spamtide.attribution.rulefile import at_most
from spamtide.knowledge import load_knowledge
from spamtide.wilson import wilson

Rows = list[dict[str, Any]]
AsTable = Callable[[Rows], pa.Table]


@pytest.fixture(scope="module")
def rows(
    new_world: Callable[..., Any], kits: dict[str, Callable[..., Any]], new_template: Callable[..., Any]
) -> Rows:
    """Three captured families, of which beta and gamma rent one kit; one never captured; ham.

    Delta, which no lab has, has a kit of its own and advertises with alpha's words in half of its mail.
    """
    world = new_world(5)
    world.family("alpha", kits["stone"])
    world.family("beta", kits["reed"])
    world.family("gamma", kits["reed"])
    borrowed = [row["rendering"].partition("text:\n")[2] for row in world.rows if row["truth"] == "alpha"]
    fill = new_template(world.rng)

    def other(rng: random.Random, when: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - a datetime
        return [("X-Sender", "d"), *kits["stone"](rng, when)[::-1]]

    for number in range(200):
        text = borrowed[number] if number % 2 else fill(world.rng)
        world.send(other, text, world.rng.random() * 28, truth="delta", campaign="c-delta")
    world.ham(400)
    return list(world.rows)


@pytest.fixture(scope="module")
def learned(rows: Rows, as_table: AsTable) -> Learned:
    return learn(
        as_table([row for row in rows if row["lab"]]),
        as_table([row for row in rows if row["label"] == "ham"]),
    )


@pytest.fixture(scope="module")
def ruleset(learned: Learned) -> Ruleset:
    return compile_signatures([(Path(name), text) for name, text in learned.files().items()])


def test_wild_mail_gets_its_familys_name_and_no_other(
    rows: Rows, ruleset: Ruleset, as_table: AsTable
) -> None:
    """Recall and precision on mail that the learner never saw; kit mates are told apart by their texts."""
    wild = [dict(row) for row in rows if not row["lab"]]
    for row, hits in zip(wild, match([row["rendering"] for row in wild], ruleset), strict=True):
        row["rules"] = list(hits)
    answers = attribute(as_table(wild), ruleset, load_knowledge())["botnet"].to_pylist()
    pairs = [(row["truth"], answer) for row, answer in zip(wild, answers, strict=True)]
    captured = [(truth, answer) for truth, answer in pairs if truth in {"alpha", "beta", "gamma"}]
    assert sum(truth == answer for truth, answer in captured) >= 0.98 * len(captured)
    assert not [pair for pair in captured if pair[1] not in {pair[0], "unknown"}]
    assert {answer for truth, answer in pairs if truth == "delta"} == {"unknown"}
    assert {answer for truth, answer in pairs if truth is None} == {"unknown"}


def test_a_kit_that_two_families_rent_names_neither(ruleset: Ruleset) -> None:
    skeletons = {
        s.name: s
        for s in ruleset.signatures.values()
        if s.meta["layer"] == "skeleton" and "unlike" not in s.meta
    }
    assert skeletons["beta"].meta["shared_with"] == "gamma"
    assert skeletons["gamma"].meta["shared_with"] == "beta"
    assert "shared_with" not in skeletons["alpha"].meta


def test_a_new_template_in_a_known_kit_is_still_named(
    ruleset: Ruleset,
    new_world: Callable[..., Any],
    kits: dict[str, Callable[..., Any]],
    as_table: AsTable,
) -> None:
    """The skeleton carries a family whose kit nobody shares over to words never seen."""
    world = new_world(99)
    for number in range(50):
        world.send(kits["stone"], f"entirely fresh words {number}", 30 + number % 5)
    hits = match([row["rendering"] for row in world.rows], ruleset)
    table = as_table([{**row, "rules": list(found)} for row, found in zip(world.rows, hits, strict=True)])
    assert set(attribute(table, ruleset, load_knowledge())["botnet"].to_pylist()) == {"alpha"}


def test_the_same_mail_in_any_order_gives_the_same_text(
    rows: Rows, learned: Learned, as_table: AsTable
) -> None:
    shuffled = list(rows)
    random.Random(3).shuffle(shuffled)
    again = learn(
        as_table([row for row in shuffled if row["lab"]]),
        as_table([row for row in shuffled if row["label"] == "ham"]),
    )
    assert again.text == learned.text
    assert again.rules == learned.rules


def test_the_numbers_in_a_rule_are_what_a_scan_gives(rows: Rows, learned: Learned, ruleset: Ruleset) -> None:
    """Hits on the family, on other families and on ham, counted again by `match`."""
    hits = match([row["rendering"] for row in rows], ruleset)
    for rule in learned.rules:
        found = [row for row, names in zip(rows, hits, strict=True) if rule.rule in names]
        shared = {rule.family, *rule.shared_with}
        assert rule.lab_hits == sum(row["lab"] == rule.family for row in found)
        assert rule.other_hits == sum(bool(row["lab"]) and row["lab"] not in shared for row in found)
        assert rule.ham_hits == sum(row["label"] == "ham" for row in found)
        assert rule.lab_total == 240
        assert rule.ham == 400


def test_rules_are_made_from_the_first_part_and_measured_on_the_rest(learned: Learned) -> None:
    skeleton = next(r for r in learned.rules if r.family == "alpha" and r.draft.layer == "skeleton")
    assert (skeleton.lab_messages, skeleton.missed) == (240, (0, 180)), "later by earlier"
    late = [r for r in learned.rules if r.family == "alpha" and r.draft.late]
    assert late, "the last week's template is new, and has a rule all the same"
    assert all(r.held_out == 0 for r in late)


def test_rules_are_text_that_a_person_reads(learned: Learned) -> None:
    text = learned.text["alpha"]
    for part in (
        "rule learned_alpha_skeleton_1",
        "author",
        '"learned by spamtide"',
        "valid_from",
        "ham_hits",
    ):
        assert part in text
    assert "rcpt." not in text
    assert max(map(len, text.splitlines())) < 400


def test_what_people_write_as_well_names_nobody_by_itself(rows: Rows, as_table: AsTable) -> None:
    """Eight of 408 people have the program that a bot imitates: hundreds in the lab do not outweigh them."""
    theirs = [
        row | {"label": "ham", "lab": ""} for row in rows if row["truth"] == "alpha" and not row["lab"]
    ][:8]
    ham = [row for row in rows if row["label"] == "ham"]
    found = learn(as_table([row for row in rows if row["lab"]]), as_table([*ham, *theirs]))
    hit = [rule for rule in found.rules if rule.draft.family == "alpha" and rule.ham_hits > 1]
    assert hit
    assert all(rule.confidence <= IMITATION for rule in hit)


def test_known_rule_names_are_not_used_again(rows: Rows, as_table: AsTable) -> None:
    few = as_table([row for row in rows if row["lab"] == "alpha"])
    found = learn(few, as_table([]), known=["learned_alpha_skeleton_1"])
    assert "learned_alpha_skeleton_2" in {rule.rule for rule in found.rules}
    assert "learned_alpha_skeleton_1" not in {rule.rule for rule in found.rules}


def test_names_of_families_cannot_break_the_file(rows: Rows, as_table: AsTable) -> None:
    odd = 'Mega "D" \\ \n// é'
    some = [{**row, "lab": odd} for row in rows if row["lab"] == "alpha"]
    twin = [{**row, "lab": "mega d é"} for row in rows if row["lab"] == "beta"]
    found = learn(as_table(some + twin), as_table([]))
    assert len(found.files()) == 2
    rules = compile_signatures([(Path(name), text) for name, text in found.files().items()])
    assert {s.name for s in rules.signatures.values()} == {odd, "mega d é"}
    assert not any("." in rule for rule in rules.signatures), "identifiers are unique without their files"


def test_little_or_no_lab_mail_is_no_error(rows: Rows, as_table: AsTable) -> None:
    assert learn(as_table([]), as_table([])) == Learned({}, ())
    few = [row for row in rows if row["lab"] == "alpha"][:6]
    found = learn(as_table(few), as_table([]))
    assert found.rules
    templates = [rule for rule in found.rules if rule.draft.layer == "template"]
    assert all(rule.draft.late for rule in templates), "nothing was kept back, and the rules say so"
    assert all(rule.missed is None for rule in found.rules)
    assert learn(as_table(few[:2]), as_table([])).rules == ()


def test_free_text_without_a_grammar_gives_no_rule(
    new_world: Callable[..., Any],
    as_table: AsTable,
) -> None:
    """A family that writes like everybody else is not learned: its own ham tells against it."""
    world = new_world(4)
    world.ham(300)
    some = [{**row, "lab": "quiet", "label": "spam"} for row in world.rows[:60]]
    found = learn(as_table(some), as_table(world.rows[60:]))
    assert not found.rules


@pytest.mark.parametrize(("hits", "n", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634)])
def test_intervals_are_wilsons(hits: int, n: int, low: float, high: float) -> None:
    """Against the worked values of Brown, Cai and DasGupta's interval at 95 %."""
    assert wilson(hits / n, n) == pytest.approx((low, high), abs=1e-3)
    assert at_most(hits, n) == pytest.approx(high, abs=1e-3)
    assert at_most(0, 0) == 1
