"""What a rewriter keeps: a message's content words, names and marks, as a bounded set of numbers.

A MinHash sketch tells how much wording two texts share. Paraphrase leaves little of that, but it keeps what
is talked about, who is named, where the reader is sent, and a phrase here and there. `profile` reads
those from the stored rendering.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from spamtide.campaign.folding import TEXT_CHARS, TEXT_LINE, fold, unspaced
from spamtide.campaign.mixing import mix
from spamtide.campaign.pictures import picture_lines
from spamtide.campaign.places import SHARED_PLACES
from spamtide.campaign.similarity import MIN_KEY_WORDS, link_shape
from spamtide.campaign.target import target
from spamtide.campaign.words import LINK, Words, read_words
from spamtide.quoting import READ_CHARS, is_passed_on, own_words
from spamtide.schema import PROFILES

U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
Ints = NDArray[np.int64]

WORD, NAME, MARK, PHRASE, LINE, SUBJECT = range(6)
"""Kinds of trait: a content word's stem, a proper name, what identifies a sender's offer (registered
domain, mail address, telephone, wallet, attachment), PHRASE_WORDS words in a row, a line of a short text, the
subject of a text with what it came in."""
LINE_BITS = 8
"""A line is stored as a mark that begins with so many bits of 0, a subject as one whose last of them is 1."""
KEPT = {WORD: 96, NAME: 24, MARK: 16, PHRASE: 160, LINE: 12, SUBJECT: 1}
"""Traits of each kind that a profile holds: those of the lowest hash, the same ones in every text."""
STEM = 6
"""Letters of a Latin word that count: 'confirm' and 'confirmation' are one; so are few unrelated ones."""
PHRASE_WORDS = 4
"""Words of a phrase. What letters of one kind have in common are words and pairs of them; four in a row that
many unrelated texts share are a turn of the language, and weigh little."""
WHOLE_WORDS = 5
"""Words from which a short text, or a line of it, is its sender's own."""
SUBJECT_WORDS = 3
"""Words from which the subject of a short text is too."""
LINES_UNDER_SUBJECT = 2
"""Lines of a text whose subject is. Over several lines it is often a topic's or a town's."""
WHOLE_CHARS = 200
"""A text that is longer is told by its phrases."""
UNSPACED_CHARS = 3
"""What a character of a script without spaces counts for: Chinese says as much in a third of the letters."""
FACTS = 3
"""Facts of a message's form."""
LINKS_SHAPED = 8
"""Links of a message whose shape counts."""
PHONE_DIGITS = 9
"""Last digits of a telephone number, which the national and the international form share."""

_NAME = re.compile(r"([A-Z](?<=[^\W\d_A-Z] [A-Z]|[,;] [A-Z])\w+)(?: ([A-Z]\w+))?")
"""A capital amid a sentence, and a second one after it. Here and below what stands before is asked after the
first character: a search passes over all other characters quickly."""
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63}){1,4}")
_PHONE = re.compile(r"[+\d](?<![\w/=.-][+\d])(?:(?<!\+)|(?<=\+)\d)[\d ().-]{7,18}\d(?![\w/=-])")
_WALLET = re.compile(
    r"[b013](?<!\w[b013])"
    r"(?:(?<=b)c1[02-9ac-hj-np-z]{20,60}|(?<=[13])[1-9A-HJ-NP-Za-km-z]{25,34}|(?<=0)x[0-9a-fA-F]{40})\b"
)
_REPLY = re.compile(r"^header Reply-To: .*$", re.MULTILINE | re.IGNORECASE)
_REDACTED = "rcpt."
_IS_LATIN = np.isin(np.arange(256), list(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
_ADDRESS = re.compile(r"\S+(?:://|@)\S+")
_ADDRESSED = re.compile(r"^\s*\S+:\s")
"""What a subject may begin with: a reader's name, or that it is a reply."""
_TAG = re.compile(r"^\s*\[[^\]]*\]")
"""What a mailing list or a filter puts before a subject."""
_LETTERS = re.compile(r"[^\W\d_]+")
_ID_PART = re.compile(r"(?:\w(?:\{\d+\})?)+")
_NO_DIGIT = re.compile(r"\D")

_COMMON = (
    "the and for are but not you all any can had her was one our out has him his how man new now old see "
    "two way who did its let put say she too use that with have this will your from they know want been "
    "good much some time very when come here just like long make many more only over such take than them "
    "well were what would there their which about other these could first after where those being under "
    "again every while shall should most into also because before between through during without within "
    "both each few own same then once until against does doing down off above below further why ours "
    "yours hers mine please dear sir madam hello regards thank thanks best click here link www http "
    "https com email mail message subject free get und der die das den dem des ein eine einer nicht mit "
    "von auf ist sie wir ihr auch sich als aus bei nach les des une pour dans est vous nous votre que "
    "qui sur pas par avec plus ce cette ont son ses el los las una por para con que del como mas pero "
    "sus este esta muy "
)
"""Words that any text has; how rare the others are, the mail itself tells."""


class Shown(NamedTuple):
    """What a reader sees of a message, and what it points to."""

    subject: str
    rendering: str
    link_domains: tuple[str, ...]
    links: tuple[str, ...]
    attachments: tuple[str, ...]
    skeleton: str = ""
    mailer: str = ""
    message_id_shape: str = ""
    layout: str = ""


COLUMNS = ("sha256", *Shown._fields)
"""Columns of OBSERVATIONS that `profile` reads."""


def profile(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The traits of each message: rows with COLUMNS to rows of PROFILES, in order. Pure and total.

    `traits` are ascending little-endian uint32: kind in the two low bits, hash in the others. `form` is as
    `form_of` gives it.
    """
    columns = [map(_known, batch.column(name).to_pylist()) for name in COLUMNS[1:]]
    shown = [Shown(*values) for values in zip(*columns, strict=True)]
    traits, bounds = traits_of(shown)
    buffers = [None, pa.py_buffer((4 * bounds).astype(np.int32)), pa.py_buffer(traits.astype("<u4"))]
    told = pa.Array.from_buffers(pa.binary(), len(shown), buffers)
    form = pa.array([form_of(one) for one in shown], pa.binary())
    return pa.RecordBatch.from_arrays([batch.column("sha256"), told, form], schema=PROFILES)


def _known(value: Any) -> Any:  # noqa: ANN401 - of any column
    """A field's value without what is missing."""
    return tuple(filter(None, value)) if isinstance(value, list) else value or ""


def no_profiles(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Rows of PROFILES for messages whose worker died: nothing is known of them."""
    nothing = pa.array([b""] * batch.num_rows, pa.binary())
    return pa.RecordBatch.from_arrays([batch.column("sha256"), nothing, nothing], schema=PROFILES)


def form_of(shown: Shown) -> bytes:
    """What a message came in, FACTS little-endian uint32: of its program, its layout, its links' shapes."""
    shapes = sorted({link_shape(link) for link in shown.links[:LINKS_SHAPED]})
    facts = (
        _program(shown),
        shown.layout,
        "\n".join(shapes),
    )
    return b"".join(crc32(fact.encode("utf-8", "replace")).to_bytes(4, "little") for fact in facts)


def _program(shown: Shown) -> str:
    """What tells the program that sent a message."""
    return f"{shown.skeleton}\n{shown.mailer}\n{_id_form(shown.message_id_shape)}"


def _id_form(shape: str) -> str:
    """How a program parts what stands left of a Message-ID's sign.

    What stands right of it is told by the machine, and what a part consists of is often chance: one in forty
    numbers of eight hexadecimal digits is all figures.
    """
    return _ID_PART.sub("x", shape.partition("@")[0])


def traits_of(shown: list[Shown]) -> tuple[U32, Ints]:
    """The traits of all messages, those of each ascending; and where each one's begin and end."""
    words = read_words(_stemmed([fold(one) for one in shown]))
    known = _common_words()
    place = np.minimum(np.searchsorted(known, words.hashes), known.size - 1)
    content = (known[place] != words.hashes) & (words.hashes > LINK)
    names, marks, lines, subjects = (
        _numbered(list(map(told, shown))) for told in (_names, _marks, _lines, _headed)
    )
    found = [
        _sampled(words.hashes[content], words.text[content], WORD, len(shown)),
        _sampled(*_phrases(words), PHRASE, len(shown)),
        _sampled(*names, NAME, len(shown)),
        _sampled(*marks, MARK, len(shown)),
        _sampled(*lines, LINE, len(shown)),
        _sampled(*subjects, SUBJECT, len(shown)),
    ]
    packed = np.sort(np.concatenate(found))
    bounds = _bounds(packed, len(shown))
    return (packed & np.uint64(0xFFFFFFFF)).astype(np.uint32), bounds


def _stemmed(texts: list[bytes]) -> list[bytes]:
    """The texts with the first STEM letters of each Latin word, read all at once."""
    raw = np.frombuffer(b"\n".join([*texts, b""]), dtype=np.uint8)
    place = np.arange(raw.size, dtype=np.int32)
    before = np.maximum.accumulate(np.where(_IS_LATIN[raw], np.int32(-1), place)) if raw.size else place
    kept = place - before <= STEM
    stems = raw[kept].tobytes()
    ends = np.cumsum(kept)[np.cumsum([len(text) + 1 for text in texts], dtype=np.int64) - 1].tolist()
    return [stems[start : end - 1] for start, end in pairwise([0, *ends])]


def _common_words() -> U64:
    """Hashes of words that say nothing."""
    global _hashed_common  # noqa: PLW0603 - made once a process
    if _hashed_common is None:
        _hashed_common = np.unique(read_words(_stemmed([_COMMON.encode()])).hashes)
    return _hashed_common


_hashed_common: U64 | None = None


def _sampled(hashes: U64, text: Ints, kind: int, texts: int) -> U64:
    """Distinct traits of one kind of each text, the lowest KEPT of them: the text above, the trait below."""
    trait = (mix(hashes) >> np.uint64(34)) << np.uint64(2)
    if kind >= LINE:
        trait = (trait >> np.uint64(LINE_BITS + 2)) << np.uint64(2) | np.uint64(MARK)
        trait |= np.uint64(kind - LINE) << np.uint64(32 - LINE_BITS)
    else:
        own = (kind == MARK) & (trait >> np.uint64(32 - LINE_BITS) <= SUBJECT - LINE)
        trait = np.where(own, trait | np.uint64(1 << 31), trait) | np.uint64(kind)
    packed = np.sort((text.astype(np.uint64) << np.uint64(32)) | trait)
    packed = packed[np.concatenate(([True], packed[1:] != packed[:-1]))[: packed.size]]
    bounds = _bounds(packed, texts)
    return packed[np.arange(packed.size) - np.repeat(bounds[:-1], np.diff(bounds)) < KEPT[kind]]


def _bounds(packed: U64, texts: int) -> Ints:
    """Where each text's begin and end, of sorted numbers with the text above."""
    return np.searchsorted(packed, np.arange(texts + 1, dtype=np.uint64) << np.uint64(32))


def _phrases(words: Words) -> tuple[U64, Ints]:
    """Hashes of PHRASE_WORDS words in a row, and the text that each is of."""
    last = max(words.hashes.size - PHRASE_WORDS + 1, 0)
    phrase = np.zeros(last, dtype=np.uint64)
    for place in range(PHRASE_WORDS):
        phrase = mix(phrase ^ words.hashes[place : place + last])
    inside = words.text[:last] == words.text[words.text.size - last :]
    return phrase[inside], words.text[:last][inside]


def _numbered(told: list[set[str]]) -> tuple[U64, Ints]:
    """Hashes of strings, and the text that each is of."""
    flat = [
        (crc32(one.encode("utf-8", "replace")), number) for number, many in enumerate(told) for one in many
    ]
    hashes = np.array([one for one, _ in flat], dtype=np.uint64)
    return hashes, np.array([number for _, number in flat], dtype=np.int64)


def _text(shown: Shown) -> str:
    """The visible text, as far as it is compared."""
    start = shown.rendering.find(TEXT_LINE)
    if start < 0:
        return ""
    begin = start + len(TEXT_LINE)
    return own_words(shown.subject, shown.rendering[begin : begin + READ_CHARS])[1][:TEXT_CHARS]


def _names(shown: Shown) -> set[str]:
    """Proper names amid sentences, and pairs of them."""
    found: set[str] = set()
    for first, second in _NAME.findall(_text(shown)):
        found.add(first.lower()[:12])
        if second:
            found.add(second.lower()[:12])
            found.add(f"{first} {second}".lower()[:30])
    return found


def _marks(shown: Shown) -> set[str]:
    """What identifies an offer: own domains, addresses, telephones, wallets, attachments."""
    text = _text(shown)
    found = {f"d:{domain}" for domain in shown.link_domains if domain not in SHARED_PLACES}
    found.update(f"p:{page}" for page in _pages(shown))
    found.update(f"d:{host}" for host in _behind(shown) if host not in SHARED_PLACES)
    head = shown.rendering[: max(shown.rendering.find(TEXT_LINE), 0)]
    reply = _REPLY.search(head) if "header reply-to: " in head.lower() else None
    if "@" in text or reply:
        addresses = _MAIL.findall(f"{text}\n{reply[0] if reply else ''}")
        found.update(f"a:{one.lower()}" for one in addresses if not one.startswith(_REDACTED))
    for phone in _PHONE.findall(text):
        digits = _NO_DIGIT.sub("", phone)
        if len(digits) >= PHONE_DIGITS:
            found.add(f"t:{digits[-PHONE_DIGITS:]}")
    found.update(f"w:{one}" for one in _WALLET.findall(text))
    found.update(f"f:{part.rpartition(';')[2]}" for part in shown.attachments)
    found.update(_whole(shown))
    return found


def _short(shown: Shown) -> str:
    """The end of the rendering, if the whole text is in it and says little; else ''."""
    end = shown.rendering[-WHOLE_CHARS:]
    if TEXT_LINE not in end:
        return ""
    if end.isascii():
        return end
    return end if len(end) + (UNSPACED_CHARS - 1) * unspaced(end) <= WHOLE_CHARS else ""


def _whole(shown: Shown) -> Iterable[str]:
    """A text of one sentence, with the shape of its links: under other subjects it is the same text."""
    end = _short(shown)
    if not end:
        return
    said = fold(shown._replace(subject="", rendering=end))
    words = _LETTERS.findall(_ADDRESS.sub(" ", said.decode("utf-8", "replace").lower()))
    if len(words) >= WHOLE_WORDS:
        shapes = sorted({link_shape(link) for link in shown.links[:LINKS_SHAPED]})
        yield f"s:{' '.join(words)}|{'|'.join(shapes)}"


def _lines(shown: Shown) -> set[str]:
    """Subject and lines of a short text with links, each with the links' shapes.

    Mail of a line and a link is put together of a few subjects and a few lines: what shares one is of one
    sender, if it came in one form in the same days.
    """
    end = _short(shown)
    if not end:
        return set()
    pictured = any(part.startswith("image/") for part in shown.attachments)
    if not (shown.links or pictured):
        return set()
    shapes = "|".join(sorted({link_shape(link) for link in shown.links[:LINKS_SHAPED]}))
    said = fold(shown._replace(subject="", rendering=end)).decode("utf-8", "replace").lower()
    lines = [some for line in said.split("\n") if (some := _LETTERS.findall(_ADDRESS.sub(" ", line)))]
    # The subject of a text of several lines is a topic's: `news for Seville`.
    subject = _subject(shown) if len(lines) <= LINES_UNDER_SUBJECT else []
    if pictured and sum(map(len, lines)) < MIN_KEY_WORDS:
        form = "|".join((_program(shown), shown.layout, shapes))
        return set(picture_lines(shown.attachments, _subject(shown), shown.links[:LINKS_SHAPED], form))
    if not shown.links:
        return set()
    whole = [line for line in lines if len(line) >= WHOLE_WORDS]
    whole += [subject] if len(subject) >= SUBJECT_WORDS else []
    return {f"{' '.join(some)}|{shapes}" for some in whole}


def _headed(shown: Shown) -> set[str]:
    """The subject, with the layout and the shape of the links under it: rewriters seldom rewrite that."""
    said = [word for word in _subject(shown) if len(word) > 1]
    if len(said) < SUBJECT_WORDS or is_passed_on(_TAG.sub("", shown.subject)):
        return set()
    shapes = "|".join(sorted({link_shape(link) for link in shown.links[:LINKS_SHAPED]}))
    return {f"{' '.join(said)}|{shown.layout}|{shapes}"}


def _subject(shown: Shown) -> list[str]:
    """Words of the subject, without whom it is for."""
    said = fold(shown._replace(rendering="")).decode("utf-8", "replace").lower()
    return _LETTERS.findall(_ADDRESS.sub(" ", _ADDRESSED.sub(" ", said, count=1)))


def _behind(shown: Shown) -> Iterable[str]:
    """Hosts behind links that were rewritten on the way."""
    for link in shown.links[:LINKS_SHAPED]:
        inner = target(link)
        if inner != link:
            host = inner.partition("://")[2].partition("/")[0].partition("?")[0].lower()
            yield host.removeprefix("www.")


def _pages(shown: Shown) -> Iterable[str]:
    """Pages on hosts that anybody may use: there the path tells the owner."""
    if SHARED_PLACES.isdisjoint(shown.link_domains):
        return
    for link in map(target, shown.links[:LINKS_SHAPED]):
        host, _, path = link.partition("://")[2].lower().partition("/")
        parts = [part for part in path.partition("?")[0].split("/") if part][:2]
        if parts and any(f".{host}".endswith(f".{place}") for place in SHARED_PLACES):
            yield f"{host}/{'/'.join(parts)}"
