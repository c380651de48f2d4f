"""The MIME tree: what its parts are does not hang on details of how they are written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from spamtide.message import parse


@pytest.mark.parametrize("inner", ["outer-AA", "outer=_1", "outer.outer"])
def test_a_boundary_that_begins_another_is_read_as_if_it_did_not(inner: str) -> None:
    """Parsers take '--outer-AA' for '--outer'; the parts do not hang on boundaries' names."""
    data = (
        'Content-Type: multipart/mixed; boundary="outer"\n\n--outer\n'
        f'Content-Type: multipart/alternative; boundary="{inner}"\n\n--{inner}\n\nplain\n--{inner}\n'
        f"Content-Type: text/html\n\n<p>page</p>\n--{inner}--\n--outer\n"
        "Content-Type: image/png\n\npng\n--outer--\n"
    ).encode()
    other = parse(data.replace(inner.encode(), b"x" * len(inner)))
    found = parse(data)
    assert found.parser == "fast"
    assert found.layout == "multipart/mixed(multipart/alternative(text/plain,text/html),image/png)"
    assert set(found.defects) == {*other.defects, "boundary-prefix"}
    assert replace(found, defects=()) == replace(other, defects=())


def test_where_a_boundary_stands_in_a_text_too_the_standard_library_is_asked() -> None:
    data = (
        b'Content-Type: multipart/mixed; boundary="outer"\n\n--outer\n'
        b'Content-Type: multipart/alternative; boundary="outer-AA"\n\n--outer-AA\n\n'
        b"it is called outer-AA\n--outer-AA--\n--outer--\n"
    )
    found = parse(data)
    assert found.parser == "stdlib"
    assert found.text == "it is called outer-AA"
