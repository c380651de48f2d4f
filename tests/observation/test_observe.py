"""A message and its reception to one observation: provenance, rendering, marks, and what is never in it."""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Callable
from dataclasses import fields, replace

import pytest
import yara_x
from hypothesis import given
from hypothesis import strategies as st

from spamtide.message import DEFECTS, parse
from spamtide.model import NO_ENVELOPE, Envelope, Header, Observation, RawMessage
from spamtide.observation import SIMULATED_HEADER, observe
from spamtide.observation.traits import echo
from spamtide.settings import Limits, Observing

KEY = b"a key for tests"
Make = Callable[..., RawMessage]

MAIL = """Return-Path: <bounce-trap=example.net@mta.example>
Delivered-To: trap@example.net
Received: from filter.example.net (localhost [127.0.0.1])
\tby mx.example.net (Postfix) with ESMTP id 4F1A3
\tfor <trap@example.net>; Tue, 6 Apr 2010 10:11:14 +0200 (CEST)
Received: from maple (dsl-7.mta.example [192.0.2.7])
\tby filter.example.net (Postfix) with SMTP id 4F1A2
\tfor <trap@example.net>; Tue, 6 Apr 2010 10:11:12 +0200 (CEST)
Received: from bank.example (bank.example [198.51.100.1]) by maple; Mon, 5 Apr 2010 01:00:00 +0000
Message-ID: <000f01cad56a$1b2c3d40$070200c0@mta>
From: "Billing service@bank.example" <shop@mta.example>
TO: Trap@Example.Net
Subject: =?utf-8?Q?trap=40example.net=2C_Maple_Meds_for_you?=
Date: Tue, 6 Apr 2010 03:10:00 -0500
X-Mailer: Maple Mailer 1.0
Content-Type: multipart/mixed; boundary="----=_NextPart_000_000C_01CAD56A.1B2C3D40"

------=_NextPart_000_000C_01CAD56A.1B2C3D40
Content-Type: text/html; charset=utf-8

<p>Dear trap@example.net,</p>
<p>buy <a href="http://www.shop.co.uk/?u=trap%40example.net">Maple <b>Meds</b></a></p>
------=_NextPart_000_000C_01CAD56A.1B2C3D40
Content-Type: application/zip; name="for trap@example.net.zip"

PK
------=_NextPart_000_000C_01CAD56A.1B2C3D40--
"""


DEFAULTS = Observing()


def see(raw: RawMessage, observing: Observing = DEFAULTS) -> Observation:
    return observe(raw, parse(raw.data), observing=observing, key=KEY)


def utc(hour: int, minute: int, second: int = 0) -> dt.datetime:
    return dt.datetime(2010, 4, 6, hour, minute, second, tzinfo=dt.UTC)


def test_one_message_in_full(raw: Make) -> None:
    """Every field of one made-up message is as it should be."""
    seen = see(raw(MAIL))
    (token,) = seen.recipients
    assert token.startswith("rcpt.")
    assert seen.received_at == utc(8, 11, 14)
    assert seen.received_at_from == "received"
    assert seen.sent_at == utc(8, 10)
    assert seen.zone == "-0500"
    assert seen.message_id == "<000f01cad56a$1b2c3d40$070200c0@mta>"
    assert seen.message_id_shape == "<h{12}$h{8}$h{8}@a>"
    assert seen.boundary_shape == "-{4}=_NextPart_9{3}_X{4}_H{8}.H{8}"
    assert (seen.source_ip, seen.source_ip_from) == ("192.0.2.7", "received")
    assert (seen.helo, seen.rdns, seen.relay) == ("maple", "dsl-7.mta.example", "filter.example.net")
    assert seen.hops == 3
    assert (seen.sender_domain, seen.from_domain) == ("mta.example", "mta.example")
    assert seen.subject == f"{token}, Maple Meds for you"
    assert seen.mailer == "Maple Mailer 1.0"
    assert seen.skeleton == "Message-ID,From,TO,Subject,Date,X-Mailer,Content-Type"
    assert seen.layout == "multipart/mixed(text/html,application/zip)"
    assert seen.links == (f"http://www.shop.co.uk/?u={token}",)
    assert seen.link_hosts == ("www.shop.co.uk",)
    assert seen.link_domains == ("shop.co.uk",)
    assert [part.rpartition(";")[0] for part in seen.attachments] == [f"application/zip;for {token}.zip;2"]
    assert not seen.simulated
    assert seen.defects == ()


def test_rendering(raw: Make) -> None:
    """The rendering has the line forms that signatures rely on."""
    seen = see(raw(MAIL))
    (token,) = seen.recipients
    assert (
        seen.rendering
        == f"""client: 192.0.2.7
helo: maple
header-order: Message-ID,From,TO,Subject,Date,X-Mailer,Content-Type
traits: id-host=name clock=shared helo=name fold=none layout=multipart/mixed(text/html,application/zip) \
charset=utf-8 encoding=none echo=none
header Return-Path: <bounce-{token}@mta.example>
header Delivered-To: {token}
header Received: from filter.example.net (localhost [127.0.0.1]) by mx.example.net (Postfix) with ESMTP id \
4F1A3 for <{token}>; Tue, 6 Apr 2010 10:11:14 +0200 (CEST)
header Received: from maple (dsl-7.mta.example [192.0.2.7]) by filter.example.net (Postfix) with SMTP id \
4F1A2 for <{token}>; Tue, 6 Apr 2010 10:11:12 +0200 (CEST)
header Received: from bank.example (bank.example [198.51.100.1]) by maple; Mon, 5 Apr 2010 01:00:00 +0000
header Message-ID: <000f01cad56a$1b2c3d40$070200c0@mta>
header From: "Billing service@bank.example" <shop@mta.example>
header TO: {token}
header Subject: =?utf-8?Q?{token}=2C_Maple_Meds_for_you?=
header Date: Tue, 6 Apr 2010 03:10:00 -0500
header X-Mailer: Maple Mailer 1.0
header Content-Type: multipart/mixed; boundary="----=_NextPart_000_000C_01CAD56A.1B2C3D40"
subject: {token}, Maple Meds for you
link: http://www.shop.co.uk/?u={token}
attachment: for {token}.zip
text:
Dear {token},
buy Maple Meds"""
    )


@pytest.mark.parametrize(
    ("subject", "names", "found"),
    [
        ("Coupon 2919149", ["coupon_30_2919149.pdf"], "number"),
        ("Coupon 2919149", ["logo.png", "2919149.pdf"], "number"),
        ("Coupon 291", ["coupon_30_291.pdf"], "none"),
        ("Your Invoice", ["your-invoice.doc"], "name"),
        ("Your Invoice", ["your-invoice-2.doc"], "none"),
        ("", [".doc"], "none"),
        ("Your Invoice", [], ""),
    ],
)
def test_what_of_a_subject_an_attachment_repeats(subject: str, names: list[str], found: str) -> None:
    assert echo(subject, names) == found


def test_line_ends_do_not_matter(raw: Make) -> None:
    """The CRLF form of a message gives the same observation, but for identity and size."""
    one, other = see(raw(MAIL)), see(raw(MAIL.replace("\n", "\r\n")))
    assert replace(other, sha256=one.sha256, size=one.size) == one


RULES = """
rule brand { strings: $a = "Maple Meds" nocase condition: $a }
rule lines {
  strings:
    $a = "\\nheader-order: Message-ID,From,TO,"
    $b = "\\nheader X-Mailer: Maple Mailer"
    $c = "\\nlink: http://www.shop.co.uk/"
    $d = "\\ntext:\\n"
  condition: all of them
}
"""


def test_a_rule_that_only_names_a_brand(raw: Make) -> None:
    """A hand-written rule matches the brand in subject, text and HTML, however it is encoded."""
    rules = yara_x.compile(RULES)
    hits = {match.identifier for match in rules.scan(see(raw(MAIL)).rendering.encode()).matching_rules}
    assert hits == {"brand", "lines"}
    brand = yara_x.compile(RULES.partition("rule lines")[0])
    for text in (
        "Subject: =?utf-8?B?TUFQTEUgTUVEUw==?=\n\nx",
        "Subject: x\n\nmaple meds\n",
        "Content-Type: text/html\nContent-Transfer-Encoding: base64\n\nTWFwPGI+bGU8L2I+Jm5ic3A7TWVkcw==\n",
        "Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<p>Map=6Ce Me=\nds</p>\n",
    ):
        assert brand.scan(see(raw(text)).rendering.encode()).matching_rules, text


AT = utc(9, 30)
SESSION = Envelope("shop@x.example", ("Trap@Example.Net",), "203.0.113.77", "envelope-helo", AT)
BELOW = "Received: from a (b [192.0.2.9]) by c (Postfix) with SMTP id 1; Tue, 6 Apr 2010 08:00:00 +0000\n"
OWN = BELOW.replace("192.0.2.9", "203.0.113.77")
DATED = "Date: Tue, 6 Apr 2010 07:00:00 +0000\n"
HEADER = "X-Sender-IP: 192.0.2.200\n"
GATEWAY = Observing(source_headers=("X-Client", "x-sender-ip"))

PROVENANCE = (
    # header block, envelope, settings -> received_at, its origin, source_ip, its origin, helo
    (BELOW + DATED, NO_ENVELOPE, Observing(), (utc(8, 0), "received", "192.0.2.9", "received", "a")),
    (DATED, NO_ENVELOPE, Observing(), (utc(7, 0), "date", None, "none", None)),
    ("Subject: x\n", NO_ENVELOPE, Observing(), (None, "none", None, "none", None)),
    (DATED, Envelope(received_at=AT), Observing(), (AT, "envelope", None, "none", None)),
    (BELOW, Envelope(received_at=AT), Observing(), (utc(8, 0), "received", "192.0.2.9", "received", "a")),
    # the sensor spoke to the client itself: Received headers that do not show that client are the sender's
    (BELOW, SESSION, Observing(), (AT, "envelope", "203.0.113.77", "envelope", "envelope-helo")),
    (OWN, SESSION, Observing(), (utc(8, 0), "received", "203.0.113.77", "envelope", "envelope-helo")),
    # its client was a relay of the user's own
    (
        BELOW, replace(SESSION, client_ip="10.1.1.1"), Observing(),
        (AT, "envelope", "192.0.2.9", "received", "a"),
    ),
    (
        BELOW, SESSION, Observing(trusted_relays=("203.0.113.77",)),
        (AT, "envelope", "192.0.2.9", "received", "a"),
    ),
    (BELOW + HEADER, NO_ENVELOPE, GATEWAY, (utc(8, 0), "received", "192.0.2.200", "header", None)),
    (BELOW + HEADER, NO_ENVELOPE, Observing(), (utc(8, 0), "received", "192.0.2.9", "received", "a")),
    (
        BELOW + HEADER.replace("192.0.2.200", "?"), NO_ENVELOPE, GATEWAY,
        (utc(8, 0), "received", "192.0.2.9", "received", "a"),
    ),
    # an impossible date in the only hop that may be believed
    (
        BELOW.replace("2010", "0110") + DATED, NO_ENVELOPE, Observing(),
        (utc(7, 0), "date", "192.0.2.9", "received", "a"),
    ),
)  # fmt: skip


@pytest.mark.parametrize(("block", "envelope", "observing", "expected"), PROVENANCE)
def test_provenance(
    raw: Make, block: str, envelope: Envelope, observing: Observing, expected: tuple[object, ...]
) -> None:
    """Times and addresses come from the most trusted trace, and say from which."""
    seen = see(raw(block + "\nbody\n", envelope), observing)
    assert (
        seen.received_at,
        seen.received_at_from,
        seen.source_ip,
        seen.source_ip_from,
        seen.helo,
    ) == expected


def test_envelope_recipients_are_hashed(raw: Make) -> None:
    """A recipient known from the envelope alone is redacted as well, in the source's name too."""
    seen = see(raw("Subject: to TRAP@example.net\n\nx", SESSION, source="Maildir/trap@example.net/1"))
    assert seen.recipients
    assert seen.subject == f"to {seen.recipients[0]}"
    assert seen.source == f"Maildir/{seen.recipients[0]}/1"


def test_simulated_mark(raw: Make) -> None:
    """The simulator's mark sets `simulated` and leaves no other trace."""
    plain = see(raw("Subject: x\n" + DATED + "\nbody\n"))
    marked = see(raw(f"Subject: x\n{SIMULATED_HEADER.lower()}: world 7\n" + DATED + "\nbody\n"))
    assert marked.simulated
    assert not plain.simulated
    assert replace(marked, sha256=plain.sha256, size=plain.size, simulated=False) == plain


@pytest.mark.parametrize(
    ("value", "domain"),
    [
        ("shop@Mta.Example", "mta.example"),
        ('"a@bank.example" <shop@mta.example>', "mta.example"),
        ("<shop@mta.example> (a@bank.example)", "mta.example"),
        ("a@b.example, shop@mta.example", "mta.example"),
        ("nobody", ""),
        ("<>", ""),
        ("x@[192.0.2.7]", "[192.0.2.7]"),
    ],
)
def test_from_domain(raw: Make, value: str, domain: str) -> None:
    """The domain is that of the address, not of an address in a display name."""
    assert see(raw(f"From: {value}\n\nx")).from_domain == domain


def test_no_line_of_the_rendering_can_be_forged(raw: Make) -> None:
    """Line ends and control characters that a Message might hold do not make new lines above the text."""
    seen = raw("Subject: x\n\nbody")
    message = replace(
        parse(seen.data),
        headers=(Header("X\nclient", "a\nhelo: b\x00\x1b"), Header("Message-ID", "<a\nb@c>")),
        subject="one\ntwo",
        links=("http://a/\nlink: http://b/",),
        text="t\x07\ud800",
    )
    made = observe(seen, message, key=KEY)
    lines = made.rendering.split("\n")
    heads = ["client", "helo", "header-order", "traits", "header X client"]
    assert [line.split(":")[0] for line in lines[:5]] == heads
    assert lines[-4:-1] == ["subject: one two", "link: http://a/ link: http://b/", "text:"]
    assert "\x00" not in made.rendering
    made.rendering.encode("utf-8")
    assert made.subject == "one two"
    assert made.message_id == "<a b@c>"


TEXTS = st.text(max_size=60) | st.sampled_from(
    ["a@b.example", "\n", "from x ([192.0.2.1]) by y; 1 Jan 2001 1:1"]
)
MAYBE = st.none() | TEXTS
NAMES = st.sampled_from(
    ["Received", "To", "Date", "From", "Message-ID", "Return-Path", "Delivered-To", "X", "Cc"]
)


@given(
    st.lists(st.builds(Header, NAMES, TEXTS), max_size=12),
    st.builds(
        Envelope, MAYBE, st.lists(TEXTS, max_size=3).map(tuple), MAYBE, MAYBE,
    ),
    TEXTS, TEXTS, st.lists(TEXTS, max_size=3),
)  # fmt: skip
def test_any_message(
    headers: list[Header], envelope: Envelope, subject: str, text: str, links: list[str]
) -> None:
    """Any message gives an observation that can be stored."""
    base = parse(b"Subject: x\n\nbody")
    message = replace(base, headers=tuple(headers), subject=subject, text=text, links=tuple(links))
    seen = observe(RawMessage("0" * 64, "s", "spam", None, "f", b"", envelope), message, key=KEY)
    assert "internal" not in seen.defects
    assert len(seen.links) == len(links)
    for field in fields(seen):
        value = getattr(seen, field.name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, str):
                one.encode("utf-8")


@given(st.binary(max_size=1500))
def test_any_bytes(data: bytes) -> None:
    """Any bytes, parsed, give an observation."""
    raw = RawMessage("0" * 64, "s", "spam", None, "f", b"To: a@b.example\n" + data)
    seen = see(raw)
    assert set(seen.defects) <= set(DEFECTS) - {"internal"}
    assert "a@b.example" not in seen.rendering


def test_a_fault_of_our_own_is_named(raw: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should a stage's own code fail, the message is counted still, with the defect 'internal'."""
    monkeypatch.setattr(sys.modules["spamtide.observation.observe"], "trace", None)
    seen = see(raw(MAIL))
    assert seen.defects == ("internal",)
    assert seen.sha256 == raw(MAIL).sha256
    assert seen.received_at_from == "none"
    assert "trap@" not in repr(seen)


NASTY = (
    "from " + "x" * 1990,
    "from a (" + "y " * 990,
    "from " + "[" * 1900,
    "from a " + "(HELO " * 300,
    "x@" * 900,
)
MONSTERS = {
    "20,000 recipients": "To: " + ", ".join(f"u{n}@d{n}.example" for n in range(20_000)) + "\n\nbody",
    "one recipient, often": "To: a@b.example\n\n" + "a@b.example " * 8000,
    "separators": "To: " + ", ".join(f"u@d{n}.example" for n in range(100)) + "\n\n" + "@=%40" * 20_000,
    "near misses": "To: a@b.example\n\n" + "x@b.example " * 8000,
    "hops to read": "".join(f"Received: {line}\n" for line in NASTY for _ in range(100)) + "\nbody",
    "hops to step over": "Received: from a (b [10.0.0.1]) by c; 1 Jan 2001 01:01:01 GMT\n" * 900 + "\nbody",
    "dates": "".join(f"Received: by x; {'1 Jan ' * 40}\n" for _ in range(200))
    + "Date: "
    + "1 " * 5000
    + "\n\nx",
    "names": "".join(f"X-{n}-{'y' * 200}: v\n" for n in range(1000)) + "\nbody",
    "a Message-ID": "Message-ID: <" + "a1" * 50_000 + "@" + "b2." * 20_000 + ">\n\nbody",
    "links": "Subject: x\n\n" + " ".join(f"http://{'a.' * 400}h{n}.example/{'%40' * 300}" for n in range(90)),
}


@pytest.mark.parametrize("name", MONSTERS)
def test_monsters(raw: Make, name: str) -> None:
    """Messages made to cost time stay within the time that one message may take, and within bounds."""
    made = raw(MONSTERS[name])
    begun = time.process_time()
    seen = see(made)
    assert time.process_time() - begun < Limits().seconds
    assert "internal" not in seen.defects
    assert len(seen.rendering) < 700_000
    assert len(seen.message_id_shape) <= 120


def test_a_message_id_that_the_relay_added_is_not_the_senders(raw: Make) -> None:
    """A bot that writes none has none in its skeleton, whichever server filled the gap."""
    text = (
        "Received: from dsl ([192.0.2.9]) by mx.trap.example with SMTP; Mon, 5 Apr 2010 01:00:00 +0000\n"
        "From: a@b.example\nTo: c@d.example\nSubject: x\nMessage-Id: <2010.ABC@mx.trap.example>\n\nhello\n"
    )
    seen = see(raw(text))
    assert seen.skeleton == "From,To,Subject"
    assert "traits: id-host=relay " in seen.rendering


@pytest.mark.parametrize("name", ["localhost", "localhost.localdomain", "scanner"])
def test_a_local_name_that_filter_and_sender_both_have_says_nothing_of_who_wrote_the_message_id(
    raw: Make, name: str
) -> None:
    """A filter behind the gateway takes mail `by localhost`, and many a bot signs so."""
    text = (
        f"Received: from mx.trap.example ([10.0.0.3]) by {name} (amavisd-new);"
        " Mon, 5 Apr 2010 01:00:01 +0000\n"
        "Received: from dsl ([192.0.2.9]) by mx.trap.example with SMTP; Mon, 5 Apr 2010 01:00:00 +0000\n"
        f"Message-Id: <2010.ABC@{name}>\nFrom: a@b.example\nTo: c@d.example\nSubject: x\n\nhello\n"
    )
    seen = see(raw(text))
    assert seen.skeleton == "Message-Id,From,To,Subject"
    assert "traits: id-host=relay " not in seen.rendering
