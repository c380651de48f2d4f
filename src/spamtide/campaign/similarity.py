"""Words to sketches: 64 MinHash values a message, whose agreement estimates how much two texts share."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

from spamtide.campaign.folding import fold
from spamtide.campaign.mixing import mix
from spamtide.campaign.target import target
from spamtide.campaign.words import LINK, NUMBER, U64, Ints, Words, read_words
from spamtide.model import Observation, Sketch

PERMUTATIONS = 64
"""MinHash values of a sketch. The estimate's standard deviation is sqrt(r(1-r)/64): 0.06 at r = 0.6."""
MIN_SHINGLES = 20
"""With fewer distinct shingles, some ten words, the text alone decides nothing and `Sketch.key` does."""
MIN_KEY_WORDS = 3
"""So many words make a one-line text say something of its own."""
BATCH = 128
"""Messages that are sketched at once: enough to hide numpy's overhead, few enough for the cache."""

_SEED = 20081111
"""Part of the lake's format: sketches of different seeds cannot be compared."""
_TOGETHER = 32
"""Texts that rensa is given at once. From 65,536 shingles or 256 texts on it would start threads, which
a worker that is forked later would wait for in vain; 32 texts of WORDS_KEPT words have 64,000."""
_SECOND = np.uint64(0x9E3779B97F4A7C15)
"""Tells the second word of a pair from the first."""
_HASH = np.uint64(2**48 - 1)
_LINKS_IN_KEY = 8
_DIGITS = re.compile(r"\d+")
_NUMBERED = re.compile(r";(?=[^;]*\d[^;]*\.)(?=[^.;]*[^\W\d_]{3})[^;]+$")
"""Of 'type;name', a name that has a word of three letters before its extension, and a number."""
_BY_MAIL_PROGRAMS = re.compile(r"image/|[^;]*;att\d{5}\.")
"""Attachments, as 'type;name', that mail programs number themselves."""


def sketch(observations: Sequence[Observation]) -> list[Sketch]:
    """Sketch the contents of messages, in the order given.

    Pure and stable: the same observation gives the same sketch in every process and every batch.
    MinHash after Broder (1997), by rensa's R-MinHash.
    """
    sketches: list[Sketch] = []
    for start in range(0, len(observations), BATCH):
        sketches.extend(_sketch_batch(observations[start : start + BATCH]))
    return sketches


def estimate(left: NDArray[np.uint32], right: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Estimated Jaccard similarity of rows of MinHash values, shape (n, 64) each."""
    return np.asarray(np.count_nonzero(left == right, axis=-1) / PERMUTATIONS)


def _sketch_batch(observations: Sequence[Observation]) -> Iterator[Sketch]:
    words = read_words([fold(observation) for observation in observations])
    shingles, bounds = shingle(words, len(observations))
    minhashes = _digest(shingles, bounds)
    counts = np.diff(bounds).tolist()
    word_bounds = np.searchsorted(words.text, np.arange(len(observations) + 1)).tolist()
    spans = pairwise(word_bounds)
    for observation, minhash, count, (first, last) in zip(
        observations, minhashes, counts, spans, strict=True
    ):
        key = "" if count >= MIN_SHINGLES else exact_key(observation, words.hashes[first:last])
        yield Sketch(observation.sha256, minhash, count, key)


def _digest(shingles: U64, bounds: Ints) -> NDArray[np.uint32]:
    """MinHash values of each text, shape (texts, 64)."""
    rows: list[list[int]] = []
    for start in range(0, bounds.size - 1, _TOGETHER):
        edges = bounds[start : start + _TOGETHER + 1]
        part = shingles[edges[0] : edges[-1]]
        ends = (edges - edges[0]).astype(np.uint64)
        rows += RMinHash.digest_matrix_from_flat_token_hashes(part, ends, PERMUTATIONS, _SEED).to_rows()
    return np.array(rows, dtype=np.uint32).reshape(-1, PERMUTATIONS)


def shingle(words: Words, texts: int) -> tuple[U64, Ints]:
    """Distinct shingles of each text: flat hashes, and where each text's begin and end (texts + 1).

    The shingles are the words and the pairs of neighbouring words. Pairs alone lose a campaign whose words
    are spun (a spun word breaks two of them), words alone take letters of one kind for variants.
    """
    hashes, text = words.hashes, words.text
    pairs = mix(hashes[:-1] + hashes[1:] * _SECOND)
    # The text's number above, 48 bits of the hash below: one sort finds the distinct ones of each text.
    owners = text.astype(np.uint64) << np.uint64(48)
    within = text[:-1] == text[1:]
    paired = (owners[:-1] | (pairs >> np.uint64(16)))[within]
    packed = np.concatenate((owners | (hashes >> np.uint64(16)), paired))
    packed.sort()
    packed = packed[np.concatenate(([True], packed[1:] != packed[:-1]))[: packed.size]]
    edges = np.arange(texts + 1, dtype=np.uint64) << np.uint64(48)
    return mix(packed & _HASH), np.searchsorted(packed, edges).astype(np.int64)


def exact_key(observation: Observation, words: U64) -> str:
    """What groups messages that say little: equal keys, and nothing less, make one campaign.

    | the message has            | what must be equal                                                 |
    |----------------------------|--------------------------------------------------------------------|
    | some words                 | words, MIME layout, types and name shapes of attachments, links    |
    | hardly a word, attachments | words, MIME layout, the sending program's header form, types and   |
    | with numbered names        | names of attachments but for the numbers                           |
    | hardly a word, other ones  | MIME layout, types and contents of attachments                     |
    | neither                    | MIME layout, links, words, and the sending program's header form   |

    Links count by their shape, never by their host. A name with a number in it, `scan_30_2919149.pdf`, was
    made for the message, and so mostly was the file: what made both is then told by the name's words.
    """
    said = int(np.count_nonzero((words != NUMBER) & (words != LINK)))
    links = sorted({link_shape(link) for link in observation.links[:_LINKS_IN_KEY]})
    parts = [part.split(";") for part in observation.attachments]
    if said >= MIN_KEY_WORDS:
        facts = [
            "words",
            *(f"{part[0]};{name_shape(part[1] if len(part) > 1 else '')}" for part in parts),
            *links,
        ]
    elif parts and (names := _numbered(parts)):
        facts = ["names", *names, observation.skeleton]
    elif parts:
        facts = ["parts", *sorted(f"{part[0]};{part[-1]}" for part in parts)]
        words = words[:0]
    else:
        facts = [
            "form",
            observation.skeleton,
            observation.mailer,
            observation.charset,
            observation.encoding,
            *links,
        ]
    digest = hashlib.blake2b(
        "\0".join([*facts, observation.layout]).encode("utf-8", "replace"), digest_size=12
    )
    digest.update(words.astype("<u8").tobytes())
    return f"{facts[0]}-{digest.hexdigest()}"


def _numbered(parts: Sequence[Sequence[str]]) -> list[str]:
    """Types and names of attachments without the numbers, sorted; [] unless each has a word and a number."""
    named = [f"{part[0]};{';'.join(part[1:-2]).lower()}" for part in parts]
    made = all(_NUMBERED.search(name) and not _BY_MAIL_PROGRAMS.match(name) for name in named)
    return sorted(_DIGITS.sub("9", name) for name in named) if made else []


def link_shape(link: str) -> str:
    """A link without its host: depth of its path, extension, number of parameters: '2 .php 1'.

    Of a rewritten link, what it leads to.
    """
    link = target(link)
    path, _, query = link.partition("?")
    _, _, path = path.partition("://")
    segments = [segment for segment in path.split("/")[1:] if segment]
    last = segments[-1] if segments else ""
    extension = last[last.rfind(".") :].lower() if "." in last else ""
    return f"{len(segments)} {extension[:6]} {query.count('=')}"


def name_shape(name: str) -> str:
    """A file name with each run of letters as 'a' and each run of digits as '9', extension kept."""
    stem, dot, extension = name.rpartition(".")
    if not dot:
        stem, extension = name, ""
    shape: list[str] = []
    for character in stem[:80]:
        kind = "9" if character.isdigit() else "a" if character.isalpha() else character
        if not shape or shape[-1] != kind or kind not in "a9":
            shape.append(kind)
    return f"{''.join(shape)}{dot}{extension[:8].lower()}"
