"""Mail without text: subject and attachment's name are its template."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
import re
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from spamtide.attribution import learn
from spamtide.attribution.learning.enclosed import enclosed_drafts
from spamtide.attribution.rulefile import Draft


def rendering(subject: str, name: str, echo: str = "none", text: str = "") -> str:
    """The lines that are looked at."""
    return (
        f"client: \ntraits: id-host=from echo={echo}\nsubject: {subject}\nattachment: {name}\ntext:\n{text}"
    )


def documents(made: list[str]) -> dict[str, str]:
    return {f"{number:064x}": text for number, text in enumerate(made)}


def matches(draft: Draft, text: str) -> bool:
    """Whether a draft's patterns, all of them, are in a rendering."""
    return all(re.search(pattern[1:-1], text) for _, pattern in draft.strings)


def coupons(rng: random.Random, count: int) -> list[str]:
    """One number in the subject and in the file's name."""
    found = []
    for _ in range(count):
        number, word = f"{rng.randrange(10**7):07d}", rng.choice(("Coupon", "Sale"))
        name = f"{word.lower()}_{rng.choice((20, 30, 50))}_{number}.pdf"
        found.append(rendering(f"{word} {number}", name, "number"))
    return found


def test_slots_of_subject_and_name_are_learned() -> None:
    """Later mail of the same form is matched, other mail with a number in it is not."""
    rng = random.Random(4)
    (draft,) = enclosed_drafts("gull", documents(coupons(rng, 60)))
    assert [key for key, _ in draft.strings] == ["subject", "attachment", "echo"]
    assert all(matches(draft, text) for text in coupons(rng, 100))
    assert not matches(draft, rendering("Coupon 1234567", "coupon_20_7654321.pdf"))
    assert not matches(draft, rendering("Invoice 1234567", "invoice_20_1234567.pdf", "number"))
    assert not matches(draft, rendering("Coupon 1234567", "coupon_70_1234567.pdf", "number"))


def test_a_few_subjects_and_a_numbered_photo() -> None:
    rng = random.Random(5)

    def one() -> str:
        name = f"{rng.choice(('photo', 'img'))}{rng.randrange(10**5):05d}.zip"
        return rendering(rng.choice(("photo of you???", "is this you?", "your pictures")), name, text=":D")

    (draft,) = enclosed_drafts("gull", documents([one() for _ in range(50)]))
    assert all(matches(draft, one()) for _ in range(50))
    assert not matches(draft, rendering("holiday", "photo00001.zip"))


@pytest.mark.parametrize(
    "made",
    [
        [rendering(f"subject {number}", "a.doc") for number in range(3)],
        [rendering("hi" * number, "invoice.pdf") for number in range(1, 40)],
        [rendering(f"{number}", f"{number:x}" + "-" * (number % 13) + ".doc") for number in range(60)],
        ["client: \nsubject: words\ntext:\nwords"] * 20,
    ],
    ids=["too few", "what anybody writes", "no form", "no attachment"],
)
def test_what_says_too_little_makes_no_rule(made: list[str]) -> None:
    assert enclosed_drafts("gull", documents(made)) == []


def test_a_rule_is_learned_measured_and_bounded(as_table: Callable[..., pa.Table]) -> None:
    """However much it was measured on, a form is surer the more it says, and never as sure as words."""
    rng = random.Random(6)
    day = dt.datetime(2018, 2, 19, tzinfo=dt.UTC)

    def rows(texts: list[str], lab: str | None) -> list[dict[str, Any]]:
        return [
            {
                "sha256": hashlib.sha256(f"{lab}{number}".encode()).hexdigest(),
                "lab": lab,
                "label": "spam" if lab else "ham",
                "received_at": day + dt.timedelta(hours=number),
                "rendering": text,
            }
            for number, text in enumerate(texts)
        ]

    photos = [
        rendering(rng.choice(("photo", ":)")), f"img{rng.randrange(10**5):05d}.zip", text=":D")
        for _ in range(80)
    ]
    reports = [rendering(f"report {number}", f"report-{number}.xls", text="see it") for number in range(200)]
    learned = learn(
        as_table([*rows(coupons(rng, 80), "gull"), *rows(photos, "tern")]), as_table(rows(reports, None))
    )
    sure = {rule.family: rule for rule in learned.rules if rule.draft.layer == "template"}
    assert (sure["gull"].lab_hits, sure["gull"].ham_hits, sure["gull"].other_hits) == (80, 0, 0)
    assert sure["gull"].held_out_hits == sure["gull"].held_out > 0
    assert "tern" not in sure or sure["tern"].confidence < sure["gull"].confidence <= 95
