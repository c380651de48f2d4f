"""Rules told by one look: the same hits as YARA-X gives, whatever rules and messages are."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spamtide.attribution import Ruleset, compile_signatures, match, sift
from spamtide.attribution.signature import sieve as sieve_module
from spamtide.attribution.signature.needs import Sought, letters, needs_of, plain_of
from spamtide.attribution.signature.sieve import UNSIFTED
from spamtide.attribution.signature.source import UnreadError, rules_of
from spamtide.compiled import native
from spamtide.errors import SettingsError

META = 'meta: kind = "botnet" name = "X"'
PLAIN = f'rule r {{ {META} strings: $a = "maple" condition: $a }}'
STRINGS = (
    '"maple meds"', '"Maple Meds" nocase', '"maple" fullword', '"MEDS" nocase fullword', '"a?b?c"', '"xyz"',
    r'"maple\x41\"\\ meds"', r'"\nhelo: DM\n"', r'"caf\xc3\xa9 maple"', '"\u00e9maple" nocase',
    '"maple" wide',
    r"/map[ -]?le (meds|drugs)?/i", r"/ma(p|pp)le{2}[0-9]{3}/", r"/(maple|meds|cane)\s+cane/",
    r"/[^\n]maple\d/",
    r"/x{2,4}maple+ meds?/", r"/maple.{0,5}meds/s", r"/\bmaple\b[ak-]{2}/i fullword", r"/maple|me/",
    "{ 6d 61 70 }",
)  # fmt: skip
CONDITIONS = (
    "any of them", "all of them", "$a", "$a and $b", "$a or $b", "$a and not $b", "2 of them", "#a > 1",
    "any of ($a, $b, $c)", "not $a", "$b at 0", "for any of them : ($)", "all of ($*)", "$c and ($b or $a)",
    "(filesize < 90 and $a)", "$a or true", "any of ($a*) and (1 of ($b, $c))",
)  # fmt: skip
PIECES = (
    "maple", "MAPLE", "Maple Meds", "meds", "mapple", "maplee123", "cane", " ", "-", "\n",
    "\nhelo: DM\n", "x" * 3,
    "a?b?c", "a\ud800b\udfffc", "é", "É", "caf\u00e9 maple", "世", "😀", "9", "k", "\u212a",
    'mapleA"\\ meds', "xyz",
    "_", "maple\x00", "m\x00a\x00p\x00l\x00e\x00",
)  # fmt: skip

rules = st.lists(
    st.tuples(st.lists(st.sampled_from(STRINGS), min_size=3, max_size=3), st.sampled_from(CONDITIONS)),
    min_size=1,
    max_size=4,
)
texts = st.lists(st.lists(st.sampled_from(PIECES), max_size=9).map("".join), min_size=1, max_size=4)


def asked(ruleset: Ruleset) -> Ruleset:
    """The same rules, all left to YARA-X."""
    return replace(ruleset, sifting=UNSIFTED)


@settings(max_examples=100, deadline=None)
@given(rules, texts, st.booleans())
def test_hits_are_those_of_yara(
    made: list[tuple[list[str], str]],
    said: list[str],
    wide: bool,  # noqa: FBT001 - drawn by hypothesis, which gives it by name
) -> None:
    source = ""
    for number, (strings, condition) in enumerate(made):
        used = "abc" if "them" in condition or "($" in condition else re.findall(r"[$#]([abc])", condition)
        named = [f"${key} = {text}" for key, text in zip("abc", strings, strict=True) if key in used]
        source += f"rule r{number} {{ {META} strings: {' '.join(named)} condition: {condition} }}\n"
    ruleset = compile_signatures([(Path("a.yar"), source)])
    said = [f"{text}\u0100" if wide else text for text in said]
    wanted = match(said, asked(ruleset))
    assert match(said, ruleset) == wanted
    assert all(one in {None, hit} for one, hit in zip(sift(said, ruleset), wanted, strict=True))


def test_thousands_of_texts_are_told_apart() -> None:
    """More than have room on the stack; of fifty rules, for those are slow to compile."""
    draw = random.Random(5)
    source = ""
    for number, condition in enumerate(("any of them", "2 of them") * 25):
        words = ["".join(draw.choice("abcdefghij ") for _ in range(draw.randint(4, 9))) for _ in range(100)]
        ways = draw.choices(("", "nocase", "fullword"), k=len(words))
        strings = " ".join(f'$ = "{word}" {way}' for word, way in zip(words, ways, strict=True))
        source += f"rule r{number} {{ {META} strings: {strings} condition: {condition} }}\n"
    ruleset = compile_signatures([(Path("a.yar"), source)])
    mail = ["".join(draw.choice("abcdefghijABCDEFGHIJ 1") for _ in range(1500)) for _ in range(20)]
    hits = match(mail, ruleset)
    assert hits == match(mail, asked(ruleset))
    assert 0 < sum(map(len, hits)) < 50 * len(mail)


@pytest.mark.parametrize(
    "source",
    [
        f"global private rule g {{ condition: filesize > 9 }} {PLAIN}",
        f'private rule p {{ strings: $a = "maple" condition: $a }} rule r {{ {META} condition: p }}',
        f'import "math" rule r : one two {{ {META} strings: $ = "maple" condition: any of them }} // x',
        f'rule r {{ {META} strings: $a = "maple" condition: $a and "x" contains "x" /* }} */ }}',
        f"rule r {{ {META} strings: $a = /maple/ condition: $a }} rule s {{ {META} condition: r and true }}",
        f"rule r {{ {META} condition: for any n in (1..2) : ( n == 2 ) }}",
    ],
)
def test_files_of_every_form_keep_their_hits(source: str) -> None:
    ruleset = compile_signatures([(Path("a.yar"), source)])
    mail = ["maple", "meds", "a maple tree", "", "nothing at all"]
    assert match(mail, ruleset) == match(mail, asked(ruleset))


@pytest.mark.usefixtures("compiled")  # only the compiled form looks; CI must have it
def test_yara_is_not_asked_where_nothing_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    source = (
        f"rule r {{ {META} strings: $a = /maple [a-z]+/ $b = /link: .*/ condition: all of them }}\n"
        f'rule s {{ {META} strings: $a = "Quillon" condition: $a }}'
    )
    ruleset = compile_signatures([(Path("a.yar"), source)])
    mail = ["link: x", "Quillon", "maple meds", "Quillon link: maple meds"]
    assert sift(mail, ruleset) == [(), ("s",), None, None]
    assert match(mail, ruleset) == [(), ("s",), (), ("r", "s")]
    monkeypatch.setattr(sieve_module, "native", None)
    assert sift(mail, ruleset) == [None] * 4
    assert match(mail, ruleset) == [(), ("s",), (), ("r", "s")]


@pytest.mark.usefixtures("compiled")  # only the compiled form looks; CI must have it
@pytest.mark.parametrize(
    ("other", "rule"),
    [
        (f"rule s {{ {META} strings: $a = /ta[[:alpha:]]ga/ condition: $a }}", "s"),
        (
            (
                f"rule p {{ {META} condition: false or false }} "
                f'rule s {{ {META} strings: $a = "taiga" condition: #a > 0 }}'
            ),
            "p",
        ),
        (f'rule s {{ {META} score = 1.5 strings: $a = "taiga" condition: $a }}', ""),
    ],
)
def test_only_the_file_that_is_not_understood_is_tried_each_time(other: str, rule: str) -> None:
    files = [(Path("a.yar"), PLAIN), (Path("b.yar"), other)]
    ruleset = compile_signatures(files)
    assert ruleset.sifting.left == (("b.yar", rule),)
    mail = ["maple", "taiga", "maple taiga", "fir"]
    hits = [("r",), ("s",), ("r", "s"), ()]
    assert match(mail, ruleset) == match(mail, asked(ruleset)) == hits
    assert sift(mail, ruleset) == [None] * 4
    assert match(mail, replace(ruleset, compiled=b"")) == hits  # which is not even read
    assert compile_signatures(files[1:]).apart == compile_signatures(files[:1]).apart == b""


@pytest.mark.usefixtures("compiled")  # only the compiled form looks; CI must have it
def test_a_look_stands_another_threads_emptying() -> None:
    ruleset = compile_signatures([(Path("a.yar"), PLAIN)])
    sieve = sieve_module.Sieve(ruleset.sifting)

    class Emptied(dict[tuple[int, ...], tuple[str, ...] | None]):
        """Emptied by others as soon as something is put in."""

        def __setitem__(self, key: tuple[int, ...], value: tuple[str, ...] | None) -> None:
            """Forget it."""

    sieve._known = Emptied()
    assert sieve.look("a maple tree") == ("r",)


BEGINS = 4 * (2**sieve_module.SIEVE_BITS + 1)
"""Bytes of the first entry of each hash; behind them are the entries."""


@pytest.mark.usefixtures("compiled")  # only the compiled form looks; CI must have it
@pytest.mark.parametrize(
    ("table", "start", "end", "said"),
    [
        (1, 0, BEGINS - 4, b"\x09\0\0\0"),  # entries begin behind the last
        (1, BEGINS + 4, BEGINS + 8, b"\x07\0\0\0"),  # an entry of no text
        (2, 4, 8, b"\x09\0\0\0"),  # a text ends before it begins
        (2, 16, 24, b"\x63\0"),  # a set that is not there
    ],
)
def test_tables_that_point_out_of_themselves_are_refused(
    table: int, start: int, end: int, said: bytes
) -> None:
    tables = list(sieve_module._laid_out((Sought(letters("zzzz", nocase=False)),)))
    assert native is not None
    assert native.texts_in("a zzzz", *tables) == [0]
    whole = tables[table]
    tables[table] = whole[:start] + said * ((end - start) // len(said)) + whole[end:]
    assert len(tables[table]) == len(whole)
    with pytest.raises(ValueError, match="out of themselves"):
        native.texts_in("a zzzz", *tables)


@pytest.mark.parametrize(
    ("pattern", "mail"),
    [
        (r"/a[[:alpha:]]bcd/", "axbcd"),
        (r"/a[^[:alpha:]]bcd/", "a1bcd"),
        (r"/a[[:digit:]-]bcde/", "a1bcde"),
        (r"/a[a-z[0-9]]bcd/", "axbcd"),
        (r"/a[a-z&&[^b]]bcd/", "acbcd"),
        (r"/[]a]bcde/", "]bcde"),
        (r"/[^]a]bcde/", "xbcde"),
        (r"/[-]a]bcde/", "-a]bcde"),
        (r"/a[\[]]bcd/", "a[]bcd"),
        (r"/a\x5b\]bcd\/e/", "a[]bcd/e"),
        (r"/\bmaple\b$/", "a maple"),
        (r"/map.le{2,3}?bcd|birch/s", "map\nleeebcd"),
        (r"/(maple|)(birch){0}meds/i", "mapleMEDS"),
        (r"/maple#b\.c/ // $b = /x", "maple#b.c"),
    ],
)
def test_patterns_are_read_as_yara_reads_them(pattern: str, mail: str) -> None:
    """Each alone: another string of the rule would hide what is misread."""
    ruleset = compile_signatures(
        [(Path("a.yar"), f"rule r {{ {META} strings: $a = {pattern}\ncondition: $a }}")]
    )
    assert match([mail, "birch"], asked(ruleset))[0] == ("r",)
    assert match([mail, "birch"], ruleset) == match([mail, "birch"], asked(ruleset))


MEMBERS = (
    "a", "z", "a-f", "0-9", "-", "^", "&&", "--", "[:alpha:]", "[:^digit:]", "[0-9]", "[^a]", "[]]", "[a[b]]",
    r"\]", r"\[", r"\d", r"\x5d", "|", "(", ".", "$", r"\/", "&", "'",
)  # fmt: skip
classes = st.tuples(
    st.sampled_from(("", "^")),
    st.sampled_from(("", "]", "-")),
    st.lists(st.sampled_from(MEMBERS), max_size=4).map("".join),
    st.sampled_from(("]", "]]", "]?", "]{2}", "]+?")),
).map("[{0[0]}{0[1]}{0[2]}{0[3]}".format)


@settings(max_examples=100, deadline=None)
@given(classes, st.sampled_from(("", "i")))
def test_classes_are_read_as_yara_reads_them(made: str, flags: str) -> None:
    source = f"rule r {{ {META} strings: $a = /ma{made}bcde/{flags} condition: $a }}"
    try:
        ruleset = compile_signatures([(Path("a.yar"), source)])
    except SettingsError:
        return  # not a class
    chars = [*map(chr, range(32, 127)), "", "é", "\n"]
    mail = [f"ma{char * times}{end}bcde" for char in chars for times in (1, 2) for end in ("", "]")]
    assert match(mail, ruleset) == match(mail, asked(ruleset))


def test_repeated_repeats_are_not_written_out() -> None:
    source = f"rule r {{ {META} strings: $a = /x((((a{{50}}){{50}}){{50}}){{50}}){{50}}/ condition: $a }}"
    assert needs_of(rules_of(source)) == {"r": None}


def test_what_is_not_understood_is_left_alone() -> None:
    for text in ("rule x { condition: 1 / 2 == 0 }", "rule", 'include "a"', 'rule x { strings: $a = "x }'):
        with pytest.raises(UnreadError):
            rules_of(text)
    for pattern in ("/(?i)maple/", "/a[[:alpha:]]bcd/"):
        (rule,) = rules_of(f"rule x {{ {META} strings: $a = {pattern} condition: $a }}")
        assert needs_of([rule]) == {"x": None}
        assert plain_of(rule) is None
