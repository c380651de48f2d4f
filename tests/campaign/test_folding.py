"""Folding and words: what a reader takes for the same comes out the same, whatever its dressing."""

from __future__ import annotations

import random
import unicodedata
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spamtide.campaign.folding import TEXT_CHARS, fold
from spamtide.campaign.similarity import estimate, sketch
from spamtide.campaign.words import LINK, NUMBER, WORDS_KEPT, read_words

CLASSES = {int(NUMBER): "#", int(LINK): "@"}
WORD = st.from_regex(r"[bcdflmnprst][aeiou]([bcdflmnprst][aeiou]){0,5}", fullmatch=True)
SALAD = (
    "antelope barbecue cogent delightful epoxy flamingo gravel hopeful immense jungle kettle lemonade meadow"
)


def words_of(text: str) -> list[object]:
    """Hashes of a text's words, classes as '#' and '@'."""
    return [CLASSES.get(hashed, hashed) for hashed in read_words([text.encode()]).hashes.tolist()]


SAME_WORDS = (
    ("Cheap pills, today!", "cheap   PILLS today"),
    ("v-i-a-g-r-a", "V.i.a.g.r.a"),
    ("from $49.95 only", "from 1,299 only"),
    ("pills of 20mg each", "pills of 100mg each"),
    ("call 1-800-555-0199 now", "call 555.0100 now"),
    ("see http://aa.example/x?u=1 here", "see www.bb.example here"),
    ("write to one@aa.example please", "write to two@bb.test please"),
    ("buy xk7q9zp2 this", "buy this"),
    ("buy qwrtzpl this", "buy this"),
    ("the 3 prices 4 5 6", "the 3 prices 7"),
)


@pytest.mark.parametrize(("one", "other"), SAME_WORDS)
def test_dressing_does_not_change_words(one: str, other: str) -> None:
    """Case, punctuation, numbers, hosts and hash-busters make no difference."""
    assert words_of(one) == words_of(other)


SAME_TEXT = (
    ("víagra për tè", "viagra per te"),
    ("vi\u200bag\u00adra", "viagra"),
    ("\u0441he\u0430\u0440 \u0440ills", "cheap pills"),  # Cyrillic letters
    ("\uff43\uff48\uff45\uff41\uff50", "cheap"),
    ("\u201cnow\u201d \u2013 \u20ac only \U0001f600", "now only"),
    ("Dear Mr. John Smith,\nwe have", "Dear Mr. Ann Miller,\nwe have"),
    ("Sehr geehrte Frau Meier,\nwir haben", "Sehr geehrter Herr Huber,\nwir haben"),
    ("Hallo Anna\n\nwir haben", "Hallo Bernd\n\nwir haben"),
    ("for rcpt.0a1b2c3d4e5f only", "for rcpt.feedfacecafe only"),
)


@pytest.mark.parametrize(("one", "other"), SAME_TEXT)
def test_disguise_and_personal_words_are_taken_out(planting: SimpleNamespace, one: str, other: str) -> None:
    """Accents, unseen and look-alike characters, greetings and redacted addresses make no difference."""
    left, right = (read_words([fold(planting.observe(text))]).hashes.tolist() for text in (one, other))
    assert left == right
    assert left


def test_a_sentence_that_begins_like_a_greeting_is_kept(planting: SimpleNamespace) -> None:
    """Only a greeting with a name is taken out."""
    assert read_words([fold(planting.observe("Hello see my new site."))]).hashes.size == 5
    assert read_words([fold(planting.observe("Hello my friend."))]).hashes.size == 0


def test_scripts_without_spaces_are_read_by_pairs(planting: SimpleNamespace) -> None:
    """Two neighbouring letters are a word, with the marks on them; single letters are in any text."""
    assert fold(planting.observe("特价药品")).split() == ["特价".encode(), "价药".encode(), "药品".encode()]
    assert len(read_words([fold(planting.observe("特价药品今天开始"))]).hashes) == 7
    assert fold(planting.observe("薬")).split() == ["薬".encode()]
    voiced = unicodedata.normalize("NFKD", "がばで")
    assert fold(planting.observe("がばで")).decode().split() == [voiced[:4], voiced[2:]]
    assert fold(planting.observe("ที่นี่")).decode().split() == ["ที่นี่"]


def test_few_words_of_a_script_without_spaces_make_many_texts(planting: SimpleNamespace) -> None:
    """Japanese texts of the same words in other sentences are strangers; with one changed, variants."""
    told = "無料 出会い 登録 当選 現金 会員 限定 秘密 稼ぐ 副業 在宅 支援 金額 受取 確認 連絡 返信 情報"
    words = told.split()

    def text(seed: int) -> list[str]:
        dice = random.Random(seed)
        return [
            "".join(f"{dice.choice(words)}{dice.choice('のをにがはで')}" for _ in range(9)) for _ in range(7)
        ]

    one, other = text(1), text(2)
    changed = [*one[:3], other[0], *one[4:]]
    sketches = sketch([planting.observe("。\n".join(lines)) for lines in (one, other, changed)])
    first, stranger, variant = (found.minhash[None] for found in sketches)
    assert estimate(first, stranger)[0] < 0.45
    assert estimate(first, variant)[0] > 0.6


def test_padding_lines_are_left_out() -> None:
    """A line of random words, or of dictionary words with no short one among them, is not compared."""
    prose = "This is the text of the offer that we make to all of you for one more day, at half the price."
    noise = "xkqz wqrtp ab vbnmkl hgfdst"
    assert words_of(f"{prose}\n{SALAD}\n{noise}") == words_of(prose)


def test_a_language_of_long_words_is_kept() -> None:
    """Where all lines look like padding, none is left out."""
    assert len(words_of(SALAD)) == 13


@given(st.lists(WORD, max_size=30))
def test_hashes_are_one_to_one_with_words(words: list[str]) -> None:
    """Equal hashes mean equal words: the oracle is Python's own list."""
    hashes = words_of(" ".join(words))
    assert len(hashes) == len(words)
    assert len(set(hashes)) == len(set(words))
    assert [hashes.index(one) for one in hashes] == [words.index(one) for one in words]


@given(st.lists(st.text(max_size=80), max_size=6))
@settings(max_examples=200)
def test_a_text_is_read_the_same_in_any_batch(texts: list[str]) -> None:
    """What stands beside a text in a batch does not change how it is read; any text is readable."""
    encoded = [text.encode("utf-8", "replace") for text in texts]
    together = read_words(encoded)
    assert np.all(np.diff(together.text) >= 0)
    for number, text in enumerate(encoded):
        assert together.hashes[together.text == number].tolist() == read_words([text]).hashes.tolist()


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_any_bytes_can_be_read(texts: list[bytes]) -> None:
    """Even bytes that are no UTF-8 give words of the texts they are in."""
    words = read_words(texts)
    assert words.hashes.size == words.text.size
    assert not words.text.size or int(words.text.max()) < len(texts)


@given(text=st.text(max_size=400), subject=st.text(max_size=60))
def test_any_text_can_be_folded(planting: SimpleNamespace, text: str, subject: str) -> None:
    """Folding takes any text and gives UTF-8."""
    assert "\n" in fold(planting.observe(text, subject)).decode()


def test_lone_surrogates_and_a_missing_text_line_do_no_harm(planting: SimpleNamespace) -> None:
    """A rendering without its text line leaves the subject; surrogates become a sign."""
    assert fold(planting.observe("a \ud800 b", "c")).startswith(b"c\n")
    bare = planting.observe("", "only this", rendering="client: 192.0.2.1\n")
    assert fold(bare) == b"only this\n"


def test_huge_texts_are_cut(planting: SimpleNamespace) -> None:
    """A megabyte of words costs no more than the first few thousand characters."""
    text = "alpha beta gamma delta " * 50_000
    assert len(fold(planting.observe(text))) <= TEXT_CHARS + 2
    assert read_words([text.encode()]).hashes.size == WORDS_KEPT
