"""The shipped signatures: complete, dated, sourced; each matches what it describes and not its neighbour.

Every sample is written here; none is real mail.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from spamtide.attribution import Ruleset, attribute, load_signatures, match
from spamtide.knowledge import SHIPPED_SIGNATURES, Knowledge, load_knowledge
from spamtide.model import UNKNOWN


def mail(
    *headers: str,
    subject: str = "",
    text: str = "",
    link: str = "",
    helo: str = "host.example",
    order: str = "",
) -> str:
    """A rendering of a made-up message."""
    names = order or ",".join(header.partition(":")[0] for header in headers)
    lines = ["client: 192.0.2.1", f"helo: {helo}", f"header-order: {names}"]
    lines += [f"header {header}" for header in headers]
    lines += [f"subject: {subject}", *([f"link: {link}"] if link else []), "text:", text]
    return "\n".join(lines)


REACTOR = (
    "Message-ID: <000301c88a12$0ab3c5d0$77aa@qwerty>",
    "From: a <a@b.example>",
    "Date: Mon, 3 Mar 2008 10:11:12 +0000",
    "X-Mailer: Microsoft Outlook Express 6.00.2900.3138",
    "X-MimeOLE: Produced By Microsoft MimeOLE V6.00.2900.3198",
)
NEWS_ORDER = (
    "From,To,Subject,Date,MIME-Version,Content-Type,Content-Transfer-Encoding,X-Mailer,Content-Class,"
    "Importance,Priority,X-MimeOLE,messageGUID"
)
NEWS = (
    "X-Mailer: Microsoft CDO for Windows 2000",
    "X-MimeOLE: Produced By Microsoft MimeOLE V6.00.3790.3119",
    "messageGUID: 1",
)
SHOP = "http://shop.example/"

SAMPLES: dict[str, tuple[dt.date, str, str]] = {
    "srizbi_reactor_mailer": (
        dt.date(2008, 3, 3),
        mail(*REACTOR),
        mail(*REACTOR[:2], "Date: Mon, 3 Mar 2008 10:11:12 +0200", *REACTOR[3:]),
    ),
    "srizbi_caught_you": (
        dt.date(2008, 4, 9),
        mail(subject="We caught you naked pat! Check the video"),
        mail(subject="we caught you, pat"),
    ),
    "storm_message_id": (
        dt.date(2008, 1, 9),
        mail("Message-ID: <Q1234567abcdefgh/20080109101112B+3@x.example>"),
        mail("Message-ID: <Q123456abcdefgh/20080109101112B+3@x.example>"),
    ),
    "bobax_message_id_upper": (
        dt.date(2009, 1, 9),
        mail("Message-Id: <1234A567.123456.12345@WXYZ>"),
        mail("Message-Id: <1234A567.123456.12345@wxyz.example>"),
    ),
    "bobax_message_id_fixed": (
        dt.date(2009, 1, 9),
        mail("Message-ID: <1IX234EJXVWDA567@x.example>"),
        mail("Message-ID: <1IX234EJXVWDB567@x.example>"),
    ),
    "rustock_news_2008": (
        dt.date(2008, 8, 14),
        mail(*NEWS, order=NEWS_ORDER),
        mail(*NEWS[:2], order=NEWS_ORDER),
    ),
    "rustock_discount_2011": (
        dt.date(2011, 1, 20),
        mail(subject="Dear pat -80% now", link="http://abc.shop.ru/"),
        mail(subject="Dear pat -80% now", link="http://abc.shop.example/"),
    ),
    "necurs_coupon_2018": (
        dt.date(2018, 2, 19),
        mail('From: "Pat" <Pat@gmail.com>', subject="Coupon 1234567"),
        mail('From: "Pat" <Pat@gmail.com>', subject="Coupon 123456"),
    ),
    "phorpiex_jenny_2024": (
        dt.date(2024, 4, 25),
        mail('From: "Jenny Green" <jenny@x.example>', subject="photo of you???"),
        mail('From: "Jenny Green" <jenny@x.example>', subject="lunch"),
    ),
    "dark_mailer_helo": (dt.date(2011, 6, 1), mail(helo="DM"), mail(helo="DM.example", text="helo: DM?")),
    "canadian_pharmacy": (
        dt.date(2010, 8, 1),
        mail(text="Welcome to the Canadian Pharmacy!", link=SHOP),
        mail(text="a Canadian pharmacy in Toronto, my Canadian Pharmacy", link=SHOP),
    ),
    "my_canadian_pharmacy": (
        dt.date(2010, 8, 1),
        mail(text="MyCanadian pharmacy, my canadian pharmacy", link=SHOP),
        mail(text="my canadian pharmacy"),
    ),
    "canadian_health_care_mall": (
        dt.date(2010, 8, 1),
        mail(text="CANADIAN HEALTH&CARE MALL"),
        mail(text="Canadian health care"),
    ),
    "spamit_brands": (
        dt.date(2010, 8, 1),
        mail(text="European Pharmacy.", link=SHOP),
        mail(text="a European pharmacy", link=SHOP),
    ),
    "affking_brands": (dt.date(2008, 2, 1), mail(text="try VPXL today"), mail(text="AVPXLB")),
    "vpxl_after_affking": (
        dt.date(2010, 2, 1),
        mail(text="try VPXL", link=SHOP),
        mail(text="try vpxl", link=SHOP),
    ),
    "pharmacy_express": (
        dt.date(2011, 2, 1),
        mail(text="PHARMACY EXPRESS", link=SHOP),
        mail(text="Pharmacy express train", link=SHOP),
    ),
    "us_drugs": (
        dt.date(2010, 10, 30),
        mail(text="at US Drugs you save", link=SHOP),
        mail(text="the war on US drugs", link=SHOP),
    ),
    "wikipharmacy": (dt.date(2011, 6, 1), mail(text="WikiPharmacy"), mail(text="wiki of pharmacy")),
    "canadian_rx_drugs": (dt.date(2010, 5, 5), mail(text="Canadian RX Drugs"), mail(text="Canadian drugs")),
    "ultimate_replicas": (
        dt.date(2010, 10, 9),
        mail(text="Ultimate Replicas!", link=SHOP),
        mail(text="the ultimate replication", link=SHOP),
    ),
    "king_replica": (
        dt.date(2008, 6, 9),
        mail(text=" King Replica ", link=SHOP),
        mail(text="viking replica ", link=SHOP),
    ),
    "maxgentleman": (dt.date(2009, 10, 9), mail(text="MaxGentleman"), mail(text="a gentleman to the max")),
    "rx_promotion": (
        dt.date(2010, 1, 9),
        mail(text="Rx-Promotion partners", link=SHOP),
        mail(text="rx-promotional", link=SHOP),
    ),
    "affking_generic_brands": (
        dt.date(2008, 2, 1),
        mail(text="Target Pharmacy ships", link=SHOP),
        mail(text="a target pharmacy", link=SHOP),
    ),
    "herbal_king_later": (
        dt.date(2010, 2, 1),
        mail(text="the Herbal King", link=SHOP),
        mail(text="herbal kingdom", link=SHOP),
    ),
    "express_herbals_later": (
        dt.date(2010, 2, 1),
        mail(text="Express Herbals", link=SHOP),
        mail(text="express herbal", link=SHOP),
    ),
    "worldwide_wholesale_pharmacy_later": (
        dt.date(2010, 2, 1),
        mail(text="Worldwide Wholesale Pharmacy", link=SHOP),
        mail(text="wholesale pharmacy", link=SHOP),
    ),
    "canadian_drugstore_later": (
        dt.date(2010, 2, 1),
        mail(text="Canadian Drugstore", link=SHOP),
        mail(text="a Canadian drugstore", link=SHOP),
    ),
    "canadian_healthcare_later": (
        dt.date(2010, 2, 1),
        mail(text="Canadian Healthcare", link=SHOP),
        mail(text="Canadian healthcare", link=SHOP),
    ),
    "target_pharmacy_later": (
        dt.date(2010, 2, 1),
        mail(text="Target Pharmacy", link=SHOP),
        mail(text="Target pharmacy", link=SHOP),
    ),
    "direct_pharmacy_later": (
        dt.date(2010, 2, 1),
        mail(text="Direct Pharmacy", link=SHOP),
        mail(text="Direct pharmacy", link=SHOP),
    ),
    "united_pharmacy_later": (
        dt.date(2012, 2, 1),
        mail(text="United Pharmacy", link=SHOP),
        mail(text="united pharmacy", link=SHOP),
    ),
    "european_pharmacy_later": (
        dt.date(2012, 2, 1),
        mail(text="European Pharmacy", link=SHOP),
        mail(text="European pharmacy", link=SHOP),
    ),
    "named_warezcash": (
        dt.date(2010, 2, 1),
        mail(text="WarezCash", link=SHOP),
        mail(text="warez for cash", link=SHOP),
    ),
    "named_drugrevenue": (
        dt.date(2010, 2, 1),
        mail(text="33Drugs", link=SHOP),
        mail(text="33 drugstores", link=SHOP),
    ),
    "named_rxpayouts": (
        dt.date(2010, 2, 1),
        mail(text="RxPayouts", link=SHOP),
        mail(text="Rx payout", link=SHOP),
    ),
    "named_evapharmacy": (
        dt.date(2010, 2, 1),
        mail(text="EvaPharmacy", link=SHOP),
        mail(text="Evan pharmacy", link=SHOP),
    ),
    "named_bulker_biz": (
        dt.date(2010, 2, 1),
        mail(text="bulker.biz", link=SHOP),
        mail(text="bulk business", link=SHOP),
    ),
    "named_glavmed": (
        dt.date(2010, 2, 1),
        mail(text="GlavMed", link=SHOP),
        mail(text="glavmedia", link=SHOP),
    ),
    "named_stimul_cash": (
        dt.date(2010, 2, 1),
        mail(text="Stimul-Cash", link=SHOP),
        mail(text="stimulus cash", link=SHOP),
    ),
    "named_rxcash_biz": (
        dt.date(2010, 2, 1),
        mail(text="rxcash.biz", link=SHOP),
        mail(text="rx cashier", link=SHOP),
    ),
}
"""Rule -> (a day in its time, a message that it describes, a near miss)."""


@pytest.fixture(scope="module")
def shipped() -> Ruleset:
    return load_signatures([SHIPPED_SIGNATURES])


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


def test_every_shipped_rule_has_a_sample(shipped: Ruleset) -> None:
    assert set(shipped.signatures) == set(SAMPLES)


@pytest.mark.parametrize("rule", sorted(SAMPLES))
def test_a_rule_matches_its_sample_and_not_the_near_miss(shipped: Ruleset, rule: str) -> None:
    day, hit, miss = SAMPLES[rule]
    found, near = match([hit, miss], shipped)
    assert rule in found
    assert rule not in near
    signature = shipped.signatures[rule]
    assert (signature.valid_from or day) <= day <= (signature.expires or day)


@pytest.mark.parametrize("rule", sorted(SAMPLES))
def test_meta_is_complete(shipped: Ruleset, knowledge: Knowledge, rule: str) -> None:
    """The name is in the knowledge graph, the source is an address, botnets have dates and a layer."""
    signature = shipped.signatures[rule]
    entity = knowledge.entities[signature.name]
    assert signature.author == "Spamtide"
    assert signature.reference.startswith("http")
    assert entity.kind == "botnet" if signature.kind == "botnet" else entity.kind in {"programme", "brand"}
    if signature.kind == "botnet":
        assert signature.valid_from
        assert signature.expires
        assert signature.meta["layer"] in {"skeleton", "template", "dialect"}


def test_a_name_is_the_programmes_where_the_record_is_sure_and_else_the_brands(
    shipped: Ruleset, knowledge: Knowledge
) -> None:
    """No rule answers with a programme that only one weak report, or one of two, ties to the brand."""
    for signature in shipped.signatures.values():
        entity = knowledge.entities[signature.name]
        own_name = signature.rule == "rx_promotion" or signature.rule.startswith("named_")
        if entity.kind == "programme" and not own_name:
            brands = [r for r in knowledge.about(signature.name) if r.kind == "belongs-to"]
            assert brands
            assert any(
                r.confidence == "high" and knowledge.programmes_of(r.subject) == (entity.name,)
                for r in brands
            )


@pytest.mark.parametrize("rule", ["bobax_message_id_upper", "bobax_message_id_fixed", "necurs_coupon_2018"])
def test_what_its_source_doubts_never_names(
    shipped: Ruleset, knowledge: Knowledge, as_table: Callable[[list[dict[str, Any]]], pa.Table], rule: str
) -> None:
    day, hit, _ = SAMPLES[rule]
    row = {
        "sha256": "00",
        "sensor": "trap",
        "label": "spam",
        "received_at": dt.datetime.combine(day, dt.time(12), dt.UTC),
        "link_domains": [],
        "rules": list(match([hit], shipped)[0]),
    }
    assert attribute(as_table([row]), shipped, knowledge)["botnet"].to_pylist() == [UNKNOWN]


def test_the_other_rules_name_their_botnet_and_programme(
    shipped: Ruleset, knowledge: Knowledge, as_table: Callable[[list[dict[str, Any]]], pa.Table]
) -> None:
    doubted = {"bobax_message_id_upper", "bobax_message_id_fixed", "necurs_coupon_2018"}
    for rule, (day, hit, _) in SAMPLES.items():
        row = {
            "sha256": "00",
            "sensor": "trap",
            "label": "spam",
            "received_at": dt.datetime.combine(day, dt.time(12), dt.UTC),
            "link_domains": [],
            "rules": list(match([hit], shipped)[0]),
        }
        signature = shipped.signatures[rule]
        answer = attribute(as_table([row]), shipped, knowledge)[signature.kind].to_pylist()[0]
        assert (answer == signature.name) is (rule not in doubted), rule
