"""The two forms side by side: modules that use the compiled one, and how to leave it out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from spamtide.compiled import native
from spamtide.model import Message, Observation, RawMessage, Sketch

USERS = tuple(
    import_module(f"spamtide.{name}")
    for name in (
        "message.html", "message.header", "message.text", "message.url", "observation.redact",
        "observation.rendering", "observation.template", "observation.when", "observation.lure",
        "observation.observe", "campaign.folding", "campaign.words", "attribution.brand.index",
        "campaign.mixing", "campaign.candidates", "campaign.grouping", "change.moves.date",
        "change.moves.waves", "campaign.kinship", "campaign.regrouping", "series.fitting.arrow",
        "series.fitting.dispersion", "series.fitting.loglinear", "change.mixes.switch",
        "change.moves.segment", "change.moves.weigh", "change.moves.slope", "change.mixes.mix",
        "change.mixes.turnover", "change.mixes.exchange",
        "attribution.signature.sieve", "campaign.clustering", "campaign.weighing", "store.contents",
    )
)  # fmt: skip
html, header, text, url, redact, rendering, template, when, lure, seeing, folding, words, brands = USERS[:13]
mixing, candidates, grouping, date, waves, kinship, regrouping = USERS[13:20]
arrow, dispersion, loglinear, switch, segment, weigh, slope, mix, turnover, exchange = USERS[20:30]
sieve, clustering, weighing, contents = USERS[30:]
parse = import_module("spamtide.message").parse
observe = import_module("spamtide.observation").observe
reading = import_module("spamtide.attribution.brand.reading")
sketch = import_module("spamtide.campaign").sketch


@contextmanager
def python_alone() -> Iterator[None]:
    """Everything by the Python."""
    for user in USERS:
        user.native = None
    try:
        yield
    finally:
        for user in USERS:
            user.native = native


def read(data: bytes) -> tuple[Message, Observation, Sketch]:
    """All that is made of one message."""
    message = parse(data)
    seen = observe(RawMessage("0" * 64, "s", "spam", None, "s", data), message, key=b"k")
    return message, seen, sketch([seen])[0]


def assert_same(data: bytes) -> None:
    """Both forms make the same of one message."""
    compiled = read(data)
    with python_alone():
        plain = read(data)
    assert compiled[:2] == plain[:2]
    assert compiled[2].minhash.tolist() == plain[2].minhash.tolist()
    assert compiled[2].shingles == plain[2].shingles


def page(source: str) -> tuple[str, str, dict[str, None]]:
    """What a page holds; of repeated addresses the first counts, for elements are copied by the tree."""
    found = html.read_html(source, 50, set())
    return found.text, found.hidden, dict.fromkeys(found.urls)
