"""Properties are not timed, for the machine may be busy; and what an HTML parser is given can be seen."""

import pytest
from hypothesis import settings
from selectolax.lexbor import LexborHTMLParser

from spamtide.attribution.landing import page
from spamtide.message import html

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What both rooms that lay out HTML give to lexbor, in order."""
    sources: list[str] = []

    def parse(source: str) -> LexborHTMLParser:
        sources.append(source)
        return LexborHTMLParser(source)

    for room in (html, page):
        monkeypatch.setattr(room, "LexborHTMLParser", parse)
    return sources
