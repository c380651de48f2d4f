"""No recipient's address is left in any of the forms that mail writes it in."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from spamtide.observation.redact import FEW_DOMAINS, Redactor, recipients_of

KEY = b"a key for tests"
ADDRESS = "trap.one+x@spam.example"
TOKEN = Redactor(frozenset({ADDRESS}), KEY).tokens[0]


@pytest.mark.parametrize(
    "form",
    [
        ADDRESS,
        ADDRESS.upper(),
        "Trap.One+X@Spam.Example",
        "trap.one+x%40spam.example",
        "trap.one%2Bx%40spam.example",
        "trap.one%2bx%2540SPAM.example",
        "trap.one+x=spam.example",
        "trap.one+x%3Dspam.example",
        "trap.one+x=40spam.example",
        "trap.one+x&#64;spam.example",
        base64.b64encode(ADDRESS.encode()).decode()[: len(ADDRESS) * 8 // 6],
    ],
)
def test_forms(form: str) -> None:
    """Every form of an address gives one token, and what stands around it stays."""
    redact = Redactor(frozenset({ADDRESS}), KEY)
    assert redact(f"<http://x.example/?u={form}&v=1> bounce-{form}-7") == (
        f"<http://x.example/?u={TOKEN}&v=1> bounce-{TOKEN}-7"
    )


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_encoded_words(before: str) -> None:
    """An address inside a base64 word of RFC 2047 is found wherever in the word it begins."""
    redact = Redactor(frozenset({ADDRESS}), KEY)
    word = base64.b64encode(f"{before}{ADDRESS} Maple Meds".encode()).decode()
    clean = redact(f"header Subject: =?utf-8?B?{word}?=")
    assert TOKEN in clean
    assert clean.endswith("TWVkcw==?=") or len(clean) < len(word) + 40


def test_token() -> None:
    """A token is 'rcpt.' and 16 hex digits; another key gives another, another letter case the same."""
    assert TOKEN.startswith("rcpt.")
    assert len(TOKEN) == 21
    assert Redactor(frozenset({ADDRESS}), b"other").tokens[0] != TOKEN


def test_other_addresses_stay() -> None:
    """Addresses of nobody who received the message are left alone."""
    text = "shop@spam.example, trap.one@spam.example, trap.one+x@other.example, spam.example"
    assert Redactor(frozenset({ADDRESS}), KEY)(text) == text


def test_longest_local_part_wins() -> None:
    """Of two recipients that end alike, the one that stands there is meant."""
    redact = Redactor(frozenset({"x@b.example", "ax@b.example"}), KEY)
    one, two = (Redactor(frozenset({a}), KEY).tokens[0] for a in ("x@b.example", "ax@b.example"))
    assert redact("ax@b.example x@b.example") == f"{two} {one}"


@pytest.mark.parametrize(
    ("fields", "received", "envelope", "expected"),
    [
        (["Joe <Joe@A.example>, <b@c.example>"], [], [], {"joe@a.example", "b@c.example"}),
        (["undisclosed-recipients:;"], [], [], set()),
        (["'a@b.example'", '"c@d.example" <e@f.example>'], [], [],
         {"a@b.example", "c@d.example", "e@f.example"}),
        ([], ["from x by y with SMTP id 1 for <a@b.example>; Tue"], [], {"a@b.example"}),
        ([], ["from x by y id 1 for a@b.example (single-drop); Tue"], [], {"a@b.example"}),
        ([], ["from x by y (ORCPT <rfc822;a@b.example>); Tue"], [], {"a@b.example"}),
        ([], [], ["<a@b.example>", ""], {"a@b.example"}),
        (["@", "a@", "@b"], [], ["postmaster"], set()),
    ],
)  # fmt: skip
def test_recipients(fields: list[str], received: list[str], envelope: list[str], expected: set[str]) -> None:
    """Recipients are found in recipient fields, Received headers and the envelope."""
    assert recipients_of(fields, received, envelope) == expected


LOCAL = st.text(alphabet="abcXYZ019.+-_'!", min_size=1, max_size=12)
DOMAIN = st.text(alphabet="abcXYZ019.-", min_size=1, max_size=12)
ADDRESSES = st.lists(st.builds("{}@{}".format, LOCAL, DOMAIN), min_size=1, max_size=2 * FEW_DOMAINS)


@given(
    ADDRESSES,
    st.lists(st.sampled_from(["", " ", "<", "=", "%40", "é", "日", "x", "@", "rcpt."]), max_size=40),
)
def test_nothing_is_left(addresses: list[str], between: list[str]) -> None:
    """After redaction no recipient's address can be found, plain or percent-encoded, in any letter case."""
    lower = frozenset(address.lower() for address in addresses)
    tokens = "".join(Redactor(lower, KEY).tokens)
    assume(not any(part in tokens for address in lower for part in address.split("@")))
    forms = [form for a in addresses for form in (a, a.upper(), quote(a, safe=""))]
    text = "".join(
        a + b for a, b in zip(forms, between * (len(forms) // max(len(between), 1) + 1), strict=False)
    )
    clean = Redactor(lower, KEY)(text or " ".join(forms)).lower()
    for address in lower:
        assert address not in clean.replace("rcpt.", "\0")
        assert quote(address, safe="").lower() not in clean.replace("rcpt.", "\0")


@given(ADDRESSES)
def test_few_and_many_domains_agree(addresses: list[str]) -> None:
    """Searching for each domain, and looking at each separator, find the same."""
    lower = frozenset(address.lower() for address in addresses)
    padding = frozenset(f"nobody@{number}.padding" for number in range(FEW_DOMAINS + 1))
    text = " and ".join(addresses)
    assert Redactor(lower, KEY)(text) == Redactor(lower | padding, KEY)(text)
