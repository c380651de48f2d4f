"""What carries a programme's name from the mail that says it to the mail that does not, and what stops it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from spamtide.attribution import Beyond, Landing, attribute, compile_signatures
from spamtide.knowledge import load_knowledge
from spamtide.model import UNKNOWN

Rows = list[dict[str, Any]]
Ask = Callable[..., list[dict[str, Any]]]
DAY = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
RULES = """
rule brand_x { meta: kind = "programme" name = "Maple Meds" condition: false }
rule brand_y { meta: kind = "programme" name = "Birch Watches" condition: false }
"""
X, Y = {"rules": ["brand_x"]}, {"rules": ["brand_y"]}


@pytest.fixture
def ask(as_table: Callable[[Rows], pa.Table]) -> Ask:
    """Attribute some rows, given by what is special about them."""
    ruleset = compile_signatures([(Path("test.yar"), RULES)])

    def asked(rows: Rows, *landings: Landing) -> Rows:
        whole = [
            {
                "sha256": f"{n:064x}",
                "sensor": "t",
                "label": "spam",
                "received_at": DAY,
                "link_domains": [],
                "rules": [],
            }
            | row
            for n, row in enumerate(rows)
        ]
        beyond = Beyond(landings=landings)
        found = attribute(as_table(whole), ruleset, load_knowledge(), beyond=beyond).to_pylist()
        return [dict(row) for row in found]

    return asked


def last(rows: Rows) -> str:
    return str(rows[-1]["programme"])


@pytest.mark.parametrize(
    ("named", "silent", "answer"), [(3, 17, "Maple Meds"), (10, 90, "Maple Meds"), (1, 49, UNKNOWN)]
)
def test_silent_copies_get_their_campaigns_name(ask: Ask, named: int, silent: int, answer: str) -> None:
    rows = [X | {"campaign": "c"}] * named + [{"campaign": "c"}] * silent
    assert last(ask(rows)) == answer


def test_a_divided_campaign_names_nothing(ask: Ask) -> None:
    rows = [X | {"campaign": "c"}] * 10 + [Y | {"campaign": "c"}] * 10 + [{"campaign": "c"}]
    assert last(ask(rows)) == UNKNOWN


@pytest.mark.parametrize(("others", "answer"), [(1, "Maple Meds"), (2, "Maple Meds"), (20, UNKNOWN)])
def test_a_few_copies_with_another_brand_do_not_shake_a_message_that_says_its_own(
    ask: Ask, others: int, answer: str
) -> None:
    rows = [Y | {"campaign": "c"}] * others + [X | {"campaign": "c"}]
    assert last(ask(rows)) == answer


@pytest.mark.parametrize("times", [1, 3, 8])
def test_a_text_with_a_slot_for_the_brand_is_no_obstacle(ask: Ask, times: int) -> None:
    """Also where one brand is in it much more often than the other."""
    found = ask([*[X | {"campaign": "c"}] * times, Y | {"campaign": "c"}] * 20)
    assert [row["programme"] for row in found] == [*["Maple Meds"] * times, "Birch Watches"] * 20


def test_two_misread_copies_make_no_slot(ask: Ask) -> None:
    found = ask([*[X | {"campaign": "c"}] * 20, *[Y | {"campaign": "c"}] * 2])
    assert last(found) == UNKNOWN


def test_two_brands_in_one_message_are_parked_until_something_decides(ask: Ask) -> None:
    both = {"rules": ["brand_x", "brand_y"]}
    assert last(ask([both])) == UNKNOWN
    assert last(ask([X | {"campaign": "c"}] * 10 + [both | {"campaign": "c"}])) == "Maple Meds"
    domain = {"link_domains": ["shop.example"]}
    assert last(ask([Y | domain] * 10 + [both | domain])) == "Birch Watches"


def test_campaign_and_domain_that_disagree_are_parked(ask: Ask) -> None:
    rows = [X | {"campaign": "c"}] * 10 + [Y | {"link_domains": ["shop.example"]}] * 10
    assert last(ask([*rows, {"campaign": "c", "link_domains": ["shop.example"]}])) == UNKNOWN


@pytest.mark.parametrize("domain", ["bit.ly", "gmail.com", "list-manage.com"])
def test_a_host_that_anybody_may_use_says_nothing(ask: Ask, domain: str) -> None:
    shared = {"link_domains": [domain]}
    assert last(ask([X | shared] * 50 + [shared])) == UNKNOWN
    own = {"link_domains": [domain, "own-shop.example"]}
    assert last(ask([X | own] * 50 + [own])) == "Maple Meds"


def test_a_domain_is_forgotten(ask: Ask) -> None:
    domain = {"link_domains": ["shop.example"]}
    late = [domain | {"received_at": DAY + dt.timedelta(days=days)} for days in (5, 20)]
    found = ask([X | domain] * 30 + late)
    assert [row["programme"] for row in found[-2:]] == ["Maple Meds", UNKNOWN]


def test_a_saved_page_names_and_is_carried_on(ask: Ask) -> None:
    page = Landing("shop.example", "Tundra Tabs", 0.99, "the landing page x is saved under Tundra Tabs")
    rows = [{"link_domains": ["shop.example"], "campaign": "c"}] * 5 + [{"campaign": "c"}]
    found = ask(rows, page)
    assert {row["programme"] for row in found} == {"Tundra Tabs"}
    assert "landing" in {item["layer"] for item in json.loads(found[0]["evidence"])}
    assert last(ask(rows)) == UNKNOWN


def test_a_page_and_a_brand_that_disagree_are_parked(ask: Ask) -> None:
    page = Landing("shop.example", "Birch Watches", 0.93, "")
    assert last(ask([X | {"link_domains": ["shop.example"]}], page)) == UNKNOWN


def test_pages_that_disagree_say_nothing(ask: Ask) -> None:
    pages = Landing("a.example", "A", 0.99, ""), Landing("b.example", "B", 0.99, "")
    assert last(ask([{"link_domains": ["a.example", "b.example"]}], *pages)) == UNKNOWN
