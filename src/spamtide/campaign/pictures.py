"""Mail that is nothing but a picture: what its copies have in common though each picture is another.

A code to scan is drawn for each reader, and the subject names him; one picture is changed by a dot in each.
But such mail is put together of a few words in the subject and in the pictures' names, and leads to one page
on whatever host, by one program, in one layout, at nearly one size. Where a dot is all that differs, the
size does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from spamtide.campaign.target import target

SUBJECT_PAIRS = 3
"""Pairs of neighbouring words of a subject that count."""
SHORTEST = 4
"""Letters of a word that counts: `for` and `your` stand in anybody's subject."""
SHORTEST_PAGE = 3
"""Letters of a page's name that counts."""
PAGES = 2
"""Pages that count."""
LEAST_SIZE = 500
"""Bytes from which a picture's exact size tells it: dots that count who reads are all of one size."""
_NAMES = (
    "att attachment bild capture cid clip dsc dscn foto graphic icon image img inline jpeg jpg logo mime mms "
    "noname outlook part photo pic picture png pxl scan screenshot signature unbenannt unknown unnamed "
    "untitled whatsapp"
)
"""First words of pictures' names that mail programs, cameras and scanners give."""
_WORDS = (
    "about account action alert available been document email file from have important mail message notice "
    "notification please reminder required this urgent with your"
)
"""Words of subjects that many senders use: a pair of two of them says nothing."""
_PAGES = (
    "account click default go home html index link login main open page redirect security signin track unsub "
    "unsubscribe url user view webmail"
)
"""Names of pages that many sites have."""
ANYBODYS_NAMES, ANYBODYS_WORDS = frozenset(_NAMES.split()), frozenset(_WORDS.split())
ANYBODYS_PAGES = frozenset(_PAGES.split())
_WORD = re.compile(r"[^\W\d_]+")
_TYPE, _NAME, _SIZE = 0, 1, 2


def picture_lines(
    attachments: Sequence[str], subject: Sequence[str], links: Sequence[str], form: str
) -> Iterator[str]:
    """What may be shared by mail without a text but with pictures, each with the form and the pictures' size.

    Args:
        attachments: as in OBSERVATIONS, 'type;name;size;sha256'.
        subject: its words, in lower case.
        links: where it leads.
        form: what the message came in.
    """
    pictures = [_parted(part) for part in attachments if part.startswith("image/")]
    if not pictures:
        return
    told = [
        f"{one} {other}"
        for one, other in pairwise(subject)
        if min(len(one), len(other)) >= SHORTEST and not {one, other} <= ANYBODYS_WORDS
    ][:SUBJECT_PAIRS]
    name = _WORD.search(pictures[0][_NAME].lower())
    if name and name[0] not in ANYBODYS_NAMES:
        told.append(f"={name[0]}")
    # Of several pictures most are furniture, and so are the pages behind them: logos, a sender's own sites.
    alone = len(pictures) == 1
    pages = sorted({page for page in map(_page, links) if page}) if alone else []
    told += [f"/{page}" for page in pages[:PAGES]]
    size = max(int(part[_SIZE]) if part[_SIZE].isdecimal() else 0 for part in pictures)
    kinds = " ".join(sorted({part[_TYPE] for part in pictures}))
    # Bands of a fourfold size, and those half a band off: what is nearly of one size shares one of them.
    for half in (0, 1):
        band = (size.bit_length() + half) // 2
        yield from (f"{one}|{half} {band}|{kinds}|{form}" for one in told)
    if alone and size >= LEAST_SIZE:
        yield f"{size}|{kinds}|{form}"


def _page(link: str) -> str:
    """The letters that a link's path ends with; '' for less than a word, or what many pages are called."""
    path = target(link).partition("://")[2].partition("?")[0].partition("#")[0]
    _, _, path = path.rstrip("/").partition("/")
    name = _WORD.search(path.rpartition("/")[2].lower())
    return name[0] if name and len(name[0]) >= SHORTEST_PAGE and name[0] not in ANYBODYS_PAGES else ""


def _parted(part: str) -> tuple[str, str, str]:
    """Type, name and size of an attachment; a name may hold the sign between them."""
    kind, _, rest = part.partition(";")
    name, size, _ = rest.rsplit(";", 2) if rest.count(";") > 1 else (rest, "", "")
    return kind, name, size
