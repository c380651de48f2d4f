"""Pages read without a tree say what the tree says."""

from __future__ import annotations

import random
from html.entities import html5

import pytest
from forms import html, page, python_alone
from soups import soup

pytestmark = pytest.mark.usefixtures("compiled")


@pytest.mark.parametrize("seed", range(8))
def test_pages_read_without_a_tree_say_what_the_tree_says(seed: int) -> None:
    """Thousands of soups; a share of them is really read without a tree."""
    rng = random.Random(seed)
    plain = 0
    for _ in range(1500):
        source = soup(rng, rng.choice((3, 6, 12, 40)))
        compiled = page(source)
        plain += html._read_plain(source, 50) is not None
        with python_alone():
            assert compiled == page(source), source
    assert plain > 300


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>a<td>b<th>c", "abc"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>d", "a b\nc\nd"),
        ("x<script><!-- </p> //--></script>y<title>no</title>z", "xyz"),
        ("a&ampb &ampersand; &#x26;", "a&b &ersand; &"),
        ("<select><option>a<option>b</select>", "a\nb"),
        ("a<font color=white>not seen</font>b", "ab"),
        ("<table><tr><td>a</td></tr><center>\n<tr><td>b</table>", "a\nb"),
        (f"<p>{'&nGt;' * 300}<p>end", f"{html5['nGt;'] * 300}\nend"),
    ],
)
def test_plain_pages_by_hand(source: str, expected: str) -> None:
    """What is meant, not just what lexbor does."""
    found = html._read_plain(source, 50)
    assert found is not None
    assert found.text == expected


@pytest.mark.parametrize(
    "source",
    [
        "<table>moved<tr><td>a",
        "<table><tr><b>moved</b><td>a",
        "<p style=display:none>a",
        "<font color=white>a",
        "<font size=-5>a",
        "<style>.c{display:none}</style><p class=c>a",
        "<p hidden>a",
        "<select><option>a<input></select>",
        "<font color=white>a<b>c</b></font>",
        "<div class=c><font color=white>a</font></div>",
        "<table><td>a</td><font></font>",
        "<a href='unclosed>a",
        "<!-- unclosed",
        "<body><p><body background=http://a.b/>",
    ],
)
def test_what_needs_the_tree_is_left_to_it(source: str) -> None:
    """A doubt is never decided by the compiled form."""
    assert html._read_plain(source, 50) is None
