"""Shapes, skeletons, hosts and domains: the small facts of an observation."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spamtide.observation.lure import link_domains, link_hosts
from spamtide.observation.skeleton import RECEIVER_FIELDS, RECEIVER_PREFIXES, skeleton
from spamtide.observation.template import SHAPE_CHARS, boundary_shape, message_id_shape


@pytest.mark.parametrize(
    ("message_id", "shape"),
    [
        ("<20100406081100.12345.qmail@mx.shop.example>", "<9{14}.9{5}.qmail@a.a.a>"),
        ("<000f01cad56a$1b2c3d40$070200c0@mta>", "<h{12}$h{8}$h{8}@a>"),
        ("<4BBAE9F0.8060508@shop.example>", "<H{8}.9{7}@a.a>"),
        ("<bcac5a52-3b2f-4c52-bf1a-ac083982294f@host7.example>", "<h{8}-x{4}-x{4}-x{4}-h{12}@x.a>"),
        ("<CAKx9-Qz_7t@mail.example>", "<w{5}-w{2}_x{2}@a.a>"),
        ("<000abc@kqwpz>", "<h{6}@a>"),
        ("<x@[192.0.2.7]>", "<a@[9.9.9.9]>"),
        ("no at sign 77", "a{2} a{2} a{4} 9{2}"),
        ("", ""),
    ],
)
def test_message_id_shapes(message_id: str, shape: str) -> None:
    """Runs become classes with lengths on the left of the '@', and without on its right."""
    assert message_id_shape(message_id) == shape


@pytest.mark.parametrize(
    ("boundary", "shape"),
    [
        ("----=_NextPart_000_000C_01CAD56A.1B2C3D40", "-{4}=_NextPart_9{3}_X{4}_H{8}.H{8}"),
        ("----=_Part_17099783_681629644.1662638551474", "-{4}=_Part_9{8}_9{9}.9{13}"),
        ("Apple-Mail-3--1008899", "Apple-Mail-9--9{7}"),
        ("b1_4f2a9c01d7", "x{2}_h{10}"),
        ("", ""),
    ],
)
def test_boundary_shapes(boundary: str, shape: str) -> None:
    """An engine's words stay, its counters and clocks become classes."""
    assert boundary_shape(boundary) == shape


@given(st.text(max_size=600))
def test_shapes_are_bounded(text: str) -> None:
    """Any text has a short shape, which holds no digit but class 9 and lengths."""
    for shape in (message_id_shape(text), boundary_shape(text)):
        assert len(shape) <= SHAPE_CHARS
        assert not re.search(r"(?<![{0-9])[0-8]", shape)


def frame(*names: str) -> str:
    return skeleton(names, [name.lower() for name in names])


def test_skeleton_keeps_order_and_case() -> None:
    """Sender-made names in their order and letter case; trace, filters and mailboxes left out."""
    added = (
        "Return-Path X-Original-To Received X-Spam-Status ARC-Seal X-MS-Exchange-CrossTenant-Id X-UIDL Lines"
    )
    made = "Message-Id FROM To X-MSMail-Priority X-Mailer Mime-version"
    mixed = [
        name for pair in zip(added.split(), [*made.split(), "Subject", "Date"], strict=True) for name in pair
    ]
    assert frame(*mixed) == "Message-Id,FROM,To,X-MSMail-Priority,X-Mailer,Mime-version,Subject,Date"


@pytest.mark.parametrize(
    "added",
    [
        "X-BitDefenderWKS-Spam", "X-Anti-Virus", "X-VirusScan", "X-Spamtest-Rate", "X-TM-AS-Result",
        "SpamTally", "X-Virus-Scanned", "X-PM-Spam-Action", "X-NAI-Header", "X-MIME-Autoconverted",
        "Delivered-To", "X-OriginalArrivalTime", "X-Spam-Level", "X-Antivirus-Status",
    ],
)  # fmt: skip
def test_a_recipients_filter_is_not_the_sender(added: str) -> None:
    """Fields that filters, scanners and mailboxes at the receiving end add, wherever they put them."""
    assert frame(added, "From", "To", "X-Mailer", added) == "From,To,X-Mailer"


def test_lists_own_sender_and_precedence() -> None:
    """Sender and Precedence are the sender's own, unless a list passed the message on."""
    assert frame("Sender", "Precedence", "Subject") == "Sender,Precedence,Subject"
    assert frame("Sender", "Precedence", "Subject", "List-Id") == "Subject"
    assert frame("Sender", "Subject", "List-Unsubscribe") == "Sender,Subject"


def test_the_table_of_receiver_fields() -> None:
    """Every entry is in lower case and has a reason, and no entry repeats a prefix."""
    prefixes = tuple(RECEIVER_PREFIXES)
    for name, why in (RECEIVER_FIELDS | RECEIVER_PREFIXES).items():
        assert name == name.lower()
        assert why
    assert not [name for name in RECEIVER_FIELDS if name.startswith(prefixes)]


@pytest.mark.parametrize(
    ("link", "host", "domain"),
    [
        ("http://www.shop.co.uk/a", "www.shop.co.uk", "shop.co.uk"),
        ("https://user:pass@Shop.Example:8443/x", "shop.example", ""),
        ("http://a.b.github.io/", "a.b.github.io", "b.github.io"),
        ("http://192.0.2.7/x", "192.0.2.7", ""),
        ("http://[2001:db8::7]:80/x", "[2001:db8::7]", ""),
        ("http://3221225991/x", "3221225991", ""),
        ("http://co.uk/", "co.uk", ""),
        ("http://bücher.de", "bücher.de", "bücher.de"),
        ("http://{macro}/x", "", ""),
        ("http://a=b.example.com/", "", ""),
        ("ftp://shop.example/", "", ""),
    ],
)
def test_hosts_and_domains(link: str, host: str, domain: str) -> None:
    """A link's host in lower case, and its registered domain where it has one."""
    hosts = link_hosts([link, link])
    assert hosts == ((host,) if host else ())
    assert link_domains(hosts) == ((domain,) if domain else ())


@given(st.lists(st.text(max_size=80), max_size=5))
def test_any_links(links: list[str]) -> None:
    """Any text gives hosts and domains without an error."""
    hosts = link_hosts("http://" + link for link in links)
    assert len(link_domains(hosts)) <= len(hosts)
