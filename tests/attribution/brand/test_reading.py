"""Brand wording in disguise, by table: what reads as a brand, what does not, and which rule answers."""

# ruff: noqa: RUF001 - look-alike letters are what this file is about

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spamtide.attribution import load_signatures, match
from spamtide.attribution.brand import index as brand_index
from spamtide.attribution.brand.fold import fold, places_of
from spamtide.attribution.brand.reading import (
    MOST_CHARS,
    MOST_FINDS,
    MOST_LINK_CHARS,
    Reading,
    disguised,
    finds,
    reading_of,
)
from spamtide.attribution.brand.words import wording_of, wordings
from spamtide.knowledge import load_knowledge

BRANDS = (
    ("Quillon Pharmacy", True),
    ("Maple Meds", False),
    ("UV Drugs", True),
    ("QRXL", True),
    ("Zed-Promotion", False),
    ("Regal Replica", False),
)
RULE = (
    'rule maple { meta: kind = "programme" name = "Maple Meds" '
    'strings: $a = "Maple Meds" nocase condition: $a }'
)


@pytest.fixture(scope="module")
def reading() -> Reading:
    found = [wording_of(text, cased=cased) for text, cased in BRANDS]
    return reading_of([one for one in found if one])


def rendering(
    text: str = "x", subject: str = "hi", link: str = "http://a.example/x", sender: str = "x <a@b.c>"
) -> str:
    return (
        f"client: 192.0.2.1\nhelo: x\nheader-order: From\nheader From: {sender}\n"
        f"subject: {subject}\nlink: {link}\ntext:\n{text}"
    )


@pytest.mark.parametrize(
    "text", ["Vend0r Rx", "V3ndor Rx", "Vendor R x", "Vendor-Rx", "VendorRx", "V e n d o r  R x", "Vеndоr Rx"]
)
def test_a_word_may_begin_with_the_letter_that_the_last_one_ended_with(text: str) -> None:
    one = wording_of("Vendor Rx", cased=True)
    assert one is not None
    assert disguised(rendering(f"now at {text} today"), reading_of([one])) == ("Vendor Rx",)


@pytest.mark.parametrize("text", ["ask your vendor. Rx is short for recipe", "Vendor Rx", "the vendor rxes"])
def test_such_wording_is_not_read_into_what_merely_has_its_letters(text: str) -> None:
    one = wording_of("Vendor Rx", cased=True)
    assert one is not None
    assert disguised(rendering(text), reading_of([one])) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Qu1ll0n Ph@rmacy",
        "buy at Q u i l l o n  P h a r m a c y today",
        "Q u i l l o n P h a r m a c y",
        "q u i l l o n p h a r m a c y",
        "Q.u.i.l.l.o.n P.h.a.r.m.a.c.y",
        "Q.u.i.l.l.o.n Pharmacy",
        "Quіllоn Рhаrmасу",
        "Quillon\nPharmacy",
        "QuillonPharmacy",
        "Quil lon Phar macy",
        "ycamrahP nolliuQ",
        "Quil\u202enol\u202c Pharmacy",
        "Quillon | Pharmacy",
        "Q\u200cu\u200ci\u200cl\u200cl\u200co\u200cn Pharmacy",
        "Qu!llon Pharmacy",
        "Qu|llon Pharmacy",
        "Quuuillon  Pharmmmacy",
        "𝐐𝐮𝐢𝐥𝐥𝐨𝐧 Ⓟⓗⓐⓡⓜⓐⓒⓨ",
        "Quìllôn Phármàcy",
        "M@ple M3ds",
        "maplemeds",
        "MAPLE-MEDS",
        "M\na\np\nl\ne\nM\ne\nd\ns",
        "M/a/p/l/e/M/e/d/s",
        "Maple!Meds",
        "*Maple* _Meds_",
        "Ｍａｐｌｅ Ｍｅｄｓ",
        "mapIe meds",
        "Q R X L now",
        "Q-R-X-1",
        "U V  D r u g s",
        "buy for Zed Promotion.",
        "blaze Zed Promotion",
        "R3gal Repl1ca",
    ],
)
def test_a_disguise_reads_as_the_brand(reading: Reading, text: str) -> None:
    assert disguised(rendering(text), reading)
    assert "\n" in text or disguised(rendering("nothing", subject=text), reading)


@pytest.mark.parametrize(
    "text",
    [
        "the Quillon. Pharmacy is closed",
        "quillon pharmacy",
        "quillon, pharmacy",
        "luv drugs",
        "l u v d r u g s",
        "give uv drugs",
        "qrxl",
        "an illegal replica, a regal, replica",
        "maple trees and their meds",
        "Quillon Pharmacy",
        "Maple Meds",
        "13375",
        "",
    ],
)
def test_other_text_and_plain_wording_do_not(reading: Reading, text: str) -> None:
    assert disguised(rendering(text), reading) == ()


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("http://www.quillon-pharmacy-4you.example/x", True),
        ("http://buyquillonpharmacy.example", True),
        ("http://maple-meds.example", True),
        ("http://mymaplemeds24.example/", True),
        ("http://uvdrugs.example", True),
        ("http://luvdrugs.example/", False),
        ("http://news.example/quillon-pharmacy-closes", False),
        ("http://quillon.example/pharmacy", False),
    ],
)
def test_a_hosts_name_may_be_the_brand(reading: Reading, link: str, *, said: bool) -> None:
    assert bool(disguised(rendering(link=link), reading)) is said


@pytest.mark.parametrize(
    "sender",
    ['"Quillon_Pharmacy" <a@b.c>', "=?utf-8?B?UXVpbGxvbiBQaDRybWFjeQ==?= <a@b.c>", "M4ple Meds <x@y.z>"],
)
def test_a_senders_name_may_be_the_brand(reading: Reading, sender: str) -> None:
    assert disguised(rendering(sender=sender), reading)


def test_many_links_do_not_keep_the_text_from_being_read(reading: Reading) -> None:
    links = "\n".join(f"link: http://a.example/{n:0300}" for n in range(200))
    assert disguised(rendering("M4ple M3ds").replace("link: http://a.example/x", links), reading)


@pytest.mark.usefixtures("compiled")  # only the compiled form asks first; CI must have it
@pytest.mark.parametrize(("times", "asked"), [(MOST_FINDS, False), (MOST_FINDS + 1, True)])
def test_so_many_plain_finds_are_looked_at_before_all_else(times: int, *, asked: bool) -> None:
    """Each may look back over its line, so that thousands on one line would take a second."""
    wording = wording_of("viagra", cased=False)
    assert wording is not None
    index = brand_index.Index((wording,))
    text = "viagra " * times
    index.places(text)  # from now on it is known how the wording stands in its rule
    assert index.may_say(text, MOST_CHARS, MOST_LINK_CHARS) is asked
    assert disguised(text, reading_of([wording])) == ()


def test_a_find_shows_the_stretch_of_text(reading: Reading) -> None:
    assert [said for _, said in finds(rendering("only M @ p l e  M e d s here"), reading)] == [
        "M @ p l e M e d s"
    ]


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        ('"Maple Meds" nocase', {"Maple Meds"}),
        (r"/maple[ -]?meds/i", {"maple meds"}),
        (
            r"/(north|south) ?rx shops?/i",
            {"north rx shop", "north rx shops", "south rx shop", "south rx shops"},
        ),
        (r"/maple\W{0,3}meds\b/", {"maple meds"}),
        (r"/maple.{0,10}meds/", {"maple meds"}),
        (r"/maple[^a-z]{0,3}meds/", {"maple meds"}),
        (r"/m[a@4]pl[e3] meds/", {"maple meds"}),
        (r"/maple.meds/", set()),
        (r"/[a-z]+meds/", set()),
        ('"http://maple.example/"', set()),
        ('"header X-Mailer: Maple"', set()),
        ('"ab"', set()),
        ('"4711 0815"', set()),
    ],
)
def test_wording_is_taken_from_texts_and_simple_expressions(pattern: str, texts: set[str]) -> None:
    source = f'rule r {{ strings: $a = {pattern} condition: $a }} // $b = "not this"'
    assert {one.text for one in wordings([source], frozenset({"r"})) if not one.spelt} == texts


@pytest.mark.parametrize(
    "text", ["Quillon Pharrnacy", "quillon pharrnacy", "Q u i l l o n  P h a r r n a c y"]
)
def test_two_letters_may_pass_for_one(text: str) -> None:
    source = 'rule r { strings: $a = "Quillon Pharmacy" condition: $a }'
    assert disguised(rendering(text), reading_of(wordings([source], frozenset({"r"})))) == (
        "Quillon Pharmacy",
    )


@pytest.mark.parametrize("text", ["Maple Meds", "M a p l e  M e d s", "Mаplе M3ds", "see maplemeds"])
def test_a_hand_written_rule_matches_in_disguise(tmp_path: Path, text: str) -> None:
    (tmp_path / "own.yar").write_text(RULE, encoding="utf-8")
    ruleset = load_signatures([tmp_path])
    assert match([rendering(text), rendering("maple syrup")], ruleset) == [("maple",), ()]


def test_a_disguise_never_makes_a_botnets_rule_match(tmp_path: Path) -> None:
    rules = RULE + ' rule kit { meta: kind = "botnet" name = "K" strings: $a = "Maple Meds" condition: $a }'
    (tmp_path / "own.yar").write_text(rules, encoding="utf-8")
    ruleset = load_signatures([tmp_path])
    assert match([rendering("M4ple M3ds"), rendering("Maple Meds")], ruleset) == [
        ("maple",),
        ("kit", "maple"),
    ]


def test_other_conditions_of_a_rule_still_hold(tmp_path: Path) -> None:
    text = RULE.replace(
        "condition: $a", '$m = "my maple meds" nocase $l = "link: http" condition: $a and $l and not $m'
    )
    (tmp_path / "own.yar").write_text(text, encoding="utf-8")
    ruleset = load_signatures([tmp_path])
    found = match(
        [rendering("M4ple M3ds"), rendering("My M4ple M3ds"), rendering("M4ple M3ds", link="")], ruleset
    )
    assert found == [("maple",), (), ()]


KNOWLEDGE = """
brands:
  Maple Meds: {source: "https://a.example/1", confidence: high}
  Tundra Tablets:
    aliases: [Tundra Tabs]
    source: https://a.example/2
    confidence: medium
programmes:
  NorthRx: {source: "https://a.example/3", confidence: high}
relations:
  - {kind: belongs-to, subject: Tundra Tablets, object: NorthRx,
     period: 2020..2021, source: "https://a.example/4", confidence: high}
"""


def test_a_users_brands_have_rules(tmp_path: Path) -> None:
    path = tmp_path / "knowledge.yaml"
    path.write_text(KNOWLEDGE, encoding="utf-8")
    ruleset = load_signatures([], load_knowledge(path))
    by_name: dict[str, list[str]] = {}
    for signature in ruleset.signatures.values():
        by_name.setdefault(signature.name, []).append(f"{Path(signature.file).name}:{signature.line}")
    assert by_name == {
        "Maple Meds": ["knowledge.yaml:3"],
        "NorthRx": ["knowledge.yaml:9", "knowledge.yaml:4"],
        "Tundra Tablets": ["knowledge.yaml:4", "knowledge.yaml:4"],
    }
    (found,) = match([rendering("Tundr@ T@bs")], ruleset)
    assert {ruleset.signatures[rule].name for rule in found} == {"NorthRx", "Tundra Tablets"}


def test_a_signature_speaks_before_the_knowledge_file(tmp_path: Path) -> None:
    path = tmp_path / "knowledge.yaml"
    path.write_text(KNOWLEDGE, encoding="utf-8")
    (tmp_path / "own.yar").write_text(
        RULE.replace('name = "Maple Meds"', 'name = "Mapleco"'), encoding="utf-8"
    )
    ruleset = load_signatures([tmp_path], load_knowledge(path))
    assert {s.name for s in ruleset.signatures.values()} == {"Mapleco", "NorthRx", "Tundra Tablets"}


@pytest.mark.parametrize(
    "spoken",
    ['meta: description = "see rule of the letters"', "// a rule of kind\n meta:", "/*\nrule of */ meta:"],
)
def test_a_text_that_speaks_of_rules_hides_no_botnet(tmp_path: Path, spoken: str) -> None:
    path = tmp_path / "knowledge.yaml"
    path.write_text(KNOWLEDGE, encoding="utf-8")
    learned = RULE.replace('"programme"', '"botnet"').replace('name = "Maple Meds"', 'name = "heron"')
    (tmp_path / "learned.yar").write_text(learned.replace("meta:", spoken, 1), "utf-8")
    names = {one.name for one in load_signatures([tmp_path], load_knowledge(path)).signatures.values()}
    assert names >= {"heron", "Maple Meds"}


def test_a_botnets_template_does_not_speak_for_the_brand_in_it(tmp_path: Path) -> None:
    """Learned rules quote a botnet's letters, brand and all, and answer with the botnet alone."""
    path = tmp_path / "knowledge.yaml"
    path.write_text(KNOWLEDGE, encoding="utf-8")
    learned = RULE.replace('"programme"', '"botnet"').replace('"Maple Meds" nocase', '"M a p l e  M e d s"')
    (tmp_path / "learned.yar").write_text(learned.replace('name = "Maple Meds"', 'name = "heron"'), "utf-8")
    ruleset = load_signatures([tmp_path], load_knowledge(path))
    (found,) = match([rendering("buy M a p l e  M e d s")], ruleset)
    assert {ruleset.signatures[rule].name for rule in found} == {"heron", "Maple Meds"}


@pytest.mark.parametrize(
    ("brand", "text", "said"),
    [
        ("24/7 Pills", "at 24/7 PILLS now", True),
        ("24/7 Pills", "at 24/7 pillsbury", False),
        ("日本薬局店", "ようこそ日本薬局店へ", True),
        ("Rx 24", "Rx 24", False),
    ],
)
def test_a_users_brand_that_is_no_wording_is_sought_as_it_stands(
    tmp_path: Path, brand: str, text: str, *, said: bool
) -> None:
    path = tmp_path / "knowledge.yaml"
    path.write_text(
        f'brands:\n  "{brand}": {{source: "https://a.example/1", confidence: high}}\n', encoding="utf-8"
    )
    (found,) = match([rendering(text)], load_signatures([], load_knowledge(path)))
    assert bool(found) is said


def test_shipped_knowledge_makes_no_rules() -> None:
    assert not load_signatures([], load_knowledge()).signatures


@given(st.text(max_size=200))
def test_folding_and_reading_are_total(text: str) -> None:
    assert len(fold(text)) == len(places_of(text))
    one = wording_of("Maple Meds", cased=False)
    assert one is not None
    disguised(rendering(text), reading_of([one]))
    disguised(rendering(subject=text, sender=text, link=f"http://{text}"), reading_of([one]))
    disguised(rendering(sender=f"=?utf-8?B?{text}?= =?x?Q?{text}?= <a@b.c>"), reading_of([one]))


@pytest.mark.parametrize(
    "unit", ["Maple Med", "M a p l e M e d ", "s", "M", "maplemeds|", "Map!le Me!ds.", "\u202emaple"]
)
def test_monsters_are_read(reading: Reading, unit: str) -> None:
    disguised(rendering("Maple Med" + unit * (200_000 // len(unit)), link="http://" + unit * 500), reading)


@pytest.mark.parametrize(
    ("brand", "text", "said"),
    [
        ("Maple Meds ", "buy Maple Meds now", False),
        ("Maple Meds ", "buy Maple Meds!", True),
        (" Maple Meds", "(Maple Meds)", True),
        (" Maple Meds", "our Maple Meds.", False),
        ("Aabba Pills", "the Aabba Pills", False),
        ("Aabba Pills", "the AAabba Pills", True),
        ("Maple Meds ", "Maple Meds 12, M@ple Meds", True),
    ],
)
def test_a_rules_own_text_is_no_disguise(brand: str, text: str, *, said: bool) -> None:
    """White space that a rule asks for is there or not; where it is, the rule sees its text by itself."""
    wording = wording_of(brand, cased=True)
    assert wording
    assert bool(disguised(rendering(f"x {text} x"), reading_of([wording]))) is said


@pytest.mark.usefixtures("compiled")
@given(
    st.lists(
        st.sampled_from(["Maple", "Meds", "M@ple", "eIpaM", "QRXL", "q-r.x", "l", "а", " ", "\n", "\u200b"])
    )
)
def test_the_compiled_form_finds_the_same_places(parts: list[str]) -> None:
    """Each wording at the same places, in the same order."""
    found = [wording_of(text, cased=cased) for text, cased in BRANDS]
    index = brand_index.Index([one for one in found if one])
    places = index.places("".join(parts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(brand_index, "native", None)
        assert sorted(places, key=repr) == sorted(index.places("".join(parts)), key=repr)
