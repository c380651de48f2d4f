"""What a profile holds, and that it is the same whatever it is read beside."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import pyarrow as pa
import pytest

from spamtide.campaign.mixing import mix
from spamtide.campaign.pictures import picture_lines
from spamtide.campaign.traits import (
    COLUMNS,
    KEPT,
    LINE_BITS,
    MARK,
    NAME,
    PHRASE,
    WORD,
    Shown,
    _lines,
    form_of,
    profile,
)
from spamtide.schema import OBSERVATIONS, PROFILES


def told(*texts: str, head: str = "", subject: str = "") -> list[set[int]]:
    """Traits of texts, read together."""
    columns = {
        "sha256": pa.array([str(number) for number in range(len(texts))]),
        "subject": pa.array([subject] * len(texts)),
        "rendering": pa.array([f"client: x{head}\ntext:{text}" for text in texts]),
    }
    columns |= {
        name: pa.nulls(len(texts), OBSERVATIONS.field(name).type) for name in COLUMNS if name not in columns
    }
    rows = profile(pa.RecordBatch.from_pydict({name: columns[name] for name in COLUMNS}))
    assert rows.schema.equals(PROFILES)
    found = [np.frombuffer(one, dtype="<u4") for one in rows["traits"].to_pylist()]
    assert all((np.diff(one.astype(np.int64)) > 0).all() for one in found)
    return [set(one.tolist()) for one in found]


def trait(kind: int, what: str) -> int:
    """The trait of a name or mark."""
    hashed = mix(np.array([crc32(what.encode())], dtype=np.uint64))
    return int(hashed[0] >> np.uint64(34)) << 2 | kind


@pytest.mark.parametrize(
    ("text", "kind", "what"),
    [
        ("call me on +44 20 7946 0958 today", MARK, "t:079460958"),
        ("call me on 020 7946 0958", MARK, "t:079460958"),
        ("(020) 7946-0958", MARK, "t:079460958"),
        (f"send it to 0x{'AbCdE01' * 5}fffff now", MARK, f"w:0x{'AbCdE01' * 5}fffff"),
        ("pay 1BoatSLRHtKNngkdXEeobR76b53LETtpyT", MARK, "w:1BoatSLRHtKNngkdXEeobR76b53LETtpyT"),
        (f"pay bc1q{'ar0srr5x' * 5}", MARK, f"w:bc1q{'ar0srr5x' * 5}"),
        ("write to Sales@Shop.Example at once", MARK, "a:sales@shop.example"),
        ("from our friend Amara Okonjo there", NAME, "amara okonjo"),
        ("in haste, Amara", NAME, "amara"),
    ],
)  # fmt: skip
def test_names_and_marks_are_read(text: str, kind: int, what: str) -> None:
    """Each form that identifies an offer, or is named in it."""
    assert trait(kind, what) in told(text)[0]


@pytest.mark.parametrize(
    "text", ["id=020 7946 0958", "page/20794609581", "x1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "0207 946"]
)
def test_what_stands_in_an_address_or_a_word_is_no_mark(text: str) -> None:
    """Numbers of paths and parameters, and a wallet's letters within a word."""
    assert not any(one & 3 == MARK for one in told(f"{'more of this ' * 20} {text} here")[0])


def test_a_reply_address_is_a_mark_in_any_letter_case() -> None:
    """The header's name is written in many ways."""
    for name in ("Reply-To", "reply-to", "REPLY-TO"):
        assert trait(MARK, "a:me@x.example") in told("hello", head=f"\nheader {name}: <Me@x.example>")[0]
    assert trait(MARK, "a:me@x.example") not in told("hello", head="\nheader From: <me@x.example>")[0]


def test_words_count_by_their_stems() -> None:
    """Six letters of a Latin word; a word that is shorter is another."""
    one, other, longer = (
        {one for one in found if one & 3 == WORD}
        for found in told("confirm pills", "confirmation pills", "confir pill")
    )
    assert one == other
    assert len(one) == len(longer) == 2
    assert len(one & longer) == 1


def test_a_profile_does_not_depend_on_its_batch() -> None:
    """Alone or beside others, empty ones and long ones; no more of a kind than is kept."""
    rng = np.random.default_rng(5)
    words = ["".join(rng.choice(list("aeioulnrst"), rng.integers(1, 12))) for _ in range(3000)]
    texts = [" ".join(rng.choice(words, size)) for size in (0, 1, 5, 6, 40, 400, 900)] + [
        "",
        "\n\n",
        "Ünïted",
    ]
    together = told(*texts, subject="Offer")
    assert together == [told(text, subject="Offer")[0] for text in texts]
    for kind, most in KEPT.items():
        assert max(sum(one & 3 == kind for one in found) for found in together) <= most
    assert sum(one & 3 == PHRASE for one in together[6]) == KEPT[PHRASE]
    assert told() == []


@pytest.mark.parametrize(
    ("shape", "same"),
    [
        ("<9.9.9{2}.9{14}.9{8}@[9.9.9.9]>", True),
        ("<9.9.9{2}.9{14}.h{8}@localhost.a>", True),
        ("<9.9.9{2}.9{14}@a.a>", False),
        ("<9$9$9{2}$9{14}$h{8}@a.a>", False),
    ],
)
def test_a_program_is_the_same_on_every_machine(shape: str, *, same: bool) -> None:
    """What stands right of a Message-ID's sign is the machine's; figures among hex digits are chance."""
    one = form_of(Shown("", "", (), (), (), "Date,From", "", "<9.9.9{2}.9{14}.h{8}@A-A>"))
    assert (one == form_of(Shown("", "", (), (), (), "Date,From", "", shape))) == same


@pytest.mark.parametrize(
    ("link", "page"),
    [
        ("http://abc.example/offer", "offer"),
        ("http://abc.example/wp-content/themes/offer.php?id=7", "offer"),
        ("http://abc.example/offer123.html", "offer"),
        ("http://abc.example/index.html", None),
        ("http://abc.example/x1", None),
        ("http://abc.example", None),
    ],
)
def test_a_picture_is_told_by_the_page_that_it_leads_to(link: str, page: str | None) -> None:
    """Pages that many sites have say nothing, nor does what stands behind several pictures: furniture."""
    picture = "image/png;image001.png;4321;" + "a" * 64
    told = {line.partition("|")[0] for line in picture_lines([picture], [], [link], "form")}
    assert told == {"4321"} | ({f"/{page}"} if page else set())
    assert not set(picture_lines([picture, picture], [], [link], "form"))


def test_lines_of_a_script_without_spaces_are_few_characters() -> None:
    """Two lines are a text of a line and a link; five of Chinese are not, in however few characters."""
    lines = [f"{chr(0x6211 + 40 * number)}司在深圳长期提供正规发票税率优惠欢迎" for number in range(5)]

    def told(many: int) -> set[str]:
        rendering = "client: x\ntext:" + "\n".join([*lines[:many], "http://abc.example/offer"])
        return _lines(Shown("", rendering, (), ("http://abc.example/offer",), ()))

    assert len(told(2)) == 2
    assert not told(5)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Best pills for 20 dollars", "Anna: best pills for 35 dollars", True),
        ("Best pills for 20 dollars", "Cheap pills for 20 dollars", False),
        ("Best pills", "Best pills", False),
        ("Re: best pills for you", "Re: best pills for you", False),
        ("[list] Re: best pills for you", "[list] Re: best pills for you", False),
    ],
)
def test_a_subject_of_three_words_is_a_trait_without_numbers_and_names(
    one: str, other: str, *, same: bool
) -> None:
    """What is answered or passed on has another's subject."""
    headed = [
        {trait for trait in told("some text", subject=subject)[0] if trait >> (32 - LINE_BITS) == 1}
        for subject in (one, other)
    ]
    assert (headed[0] == headed[1] != set()) == same
