"""Received headers of every dialect, and which of them may be believed. The lines are made up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spamtide.observation.relay import EDGES, LINE_CHARS, canonical, is_trusted_address, trace
from spamtide.settings import Observing

DATE = "; Tue, 6 Apr 2010 10:11:12 +0200"
LINES = {
    "Postfix": (
        "from maple (dsl-7.example.net [192.0.2.7]) by mx.trap.example (Postfix) with SMTP for <a@b.c>",
        ("192.0.2.7", "maple", "dsl-7.example.net", "mx.trap.example"),
    ),
    "Postfix, no reverse name": (
        "from maple (unknown [192.0.2.7]) by mx.trap.example (Postfix) with ESMTP id 4F1",
        ("192.0.2.7", "maple", None, "mx.trap.example"),
    ),
    "Postfix, TLS and IPv6": (
        "from maple (m.example [IPv6:2001:db8::7]) (using TLSv1.2 cipher X) by mx.trap.example (Postfix)",
        ("2001:db8::7", "maple", "m.example", "mx.trap.example"),
    ),
    "Sendmail": (
        "from maple (m.example [192.0.2.7] (may be forged)) by mx.trap.example (8.12.9/8.12.9) with SMTP",
        ("192.0.2.7", "maple", "m.example", "mx.trap.example"),
    ),
    "Sendmail, address alone": (
        "from maple.example ([192.0.2.7]) by mx.trap.example (8.11.6/8.11.6) with ESMTP id g4F",
        ("192.0.2.7", "maple.example", None, "mx.trap.example"),
    ),
    "Sendmail, ident": (
        "from maple (IDENT:bot@m.example [192.0.2.7]) by mx.trap.example (8.9.3/8.9.3) with SMTP id KAA",
        ("192.0.2.7", "maple", "m.example", "mx.trap.example"),
    ),
    "Sendmail, ident without a name": (
        "from maple (bot@[192.0.2.7]) by mx.trap.example (8.9.3/8.9.3) with SMTP id KAA",
        ("192.0.2.7", "maple", None, "mx.trap.example"),
    ),
    "Exim, HELO differs": (
        "from m.example ([192.0.2.7]:49152 helo=maple) by mx.trap.example with esmtp (Exim 4.69) id 1NyB",
        ("192.0.2.7", "maple", "m.example", "mx.trap.example"),
    ),
    "Exim, HELO is the name": (
        "from m.example ([192.0.2.7]) by mx.trap.example with esmtp (Exim 4.69) id 1NyB",
        ("192.0.2.7", "m.example", "m.example", "mx.trap.example"),
    ),
    "Exim, no name": (
        "from [192.0.2.7] (helo=maple) by mx.trap.example with smtp (Exim 4.69) id 1NyB",
        ("192.0.2.7", "maple", None, "mx.trap.example"),
    ),
    "Exim, no name, port": (
        "from [192.0.2.7] (port=3456 helo=[10.0.0.3]) by mx.trap.example with smtp (Exim 4.69) id 1NyB",
        ("192.0.2.7", "[10.0.0.3]", None, "mx.trap.example"),
    ),
    "qmail": (
        "from m.example (HELO maple) (192.0.2.7) by mx.trap.example with SMTP",
        ("192.0.2.7", "maple", "m.example", "mx.trap.example"),
    ),
    "qmail, no name, ident, bracketed HELO": (
        "from unknown (HELO [10.9.8.7]) (bot@192.0.2.7) by mx.trap.example with SMTP",
        ("192.0.2.7", "[10.9.8.7]", None, "mx.trap.example"),
    ),
    "qmail, EHLO in brackets": (
        "from m.example (EHLO maple) ([192.0.2.7]) by mx.trap.example with SMTP",
        ("192.0.2.7", "maple", "m.example", "mx.trap.example"),
    ),
    "qmail, no address": ("(qmail 4711 invoked from network)", (None, None, None, None)),
    "Exchange": (
        "from maple.example (192.0.2.7) by FRONT01.corp.example (10.1.2.3) with Microsoft SMTP Server",
        ("192.0.2.7", "maple.example", None, "FRONT01.corp.example"),
    ),
    "Exchange 2003": (
        "from maple ([192.0.2.7]) by front.corp.example with Microsoft SMTPSVC(6.0.3790.1830)",
        ("192.0.2.7", "maple", None, "front.corp.example"),
    ),
    "ZMailer": (
        'from m.example ([192.0.2.7]:46158 "EHLO maple.example" rhost-flags-OK-OK-OK-OK) by list.example',
        ("192.0.2.7", "maple.example", "m.example", "list.example"),
    ),
    "ZMailer, no name": (
        'from [192.0.2.7] ([192.0.2.7]:46158 "EHLO maple" rhost-flags-FAIL-OK-OK-OK) by list.example',
        ("192.0.2.7", "maple", None, "list.example"),
    ),
    "Google": (
        "from maple (m.example. [192.0.2.7]) by mx.google.com with ESMTP id k14si54",
        ("192.0.2.7", "maple", "m.example", "mx.google.com"),
    ),
    "Google inside": ("by 10.231.34.69 with SMTP id k5cs18", (None, None, None, "10.231.34.69")),
    "fetchmail": (
        "from pop.example.net [192.0.2.99] by localhost with POP3 (fetchmail-5.9.0) for me@localhost",
        ("192.0.2.99", "pop.example.net", None, "localhost"),
    ),
    "IMail": (
        "from maple.example [192.0.2.7] by mx.trap.example with ESMTP (SMTPD32-7.05) id A2EA",
        ("192.0.2.7", "maple.example", None, "mx.trap.example"),
    ),
    "MDaemon, no address": (
        "from maple by mx.trap.example with SMTP (MDaemon.v3.1.2.R)",
        (None, "maple", None, "mx.trap.example"),
    ),
    "local": (
        "(from www@localhost) by web.example (8.12.9/8.12.9/Submit) id g6L",
        (None, None, None, "web.example"),
    ),
    "mapped IPv4": (
        "from maple (m.example [::ffff:192.0.2.7]) by mx.trap.example (Postfix) with SMTP",
        ("192.0.2.7", "maple", "m.example", "mx.trap.example"),
    ),
    "space in the comment": (
        "from maple ( [192.0.2.7]) by mx.trap.example (EUCPMTA) with SMTP id C9",
        ("192.0.2.7", "maple", None, "mx.trap.example"),
    ),
    "impossible address": (
        "from maple (m.example [1.2.3.400]) by mx.trap.example (Postfix) with SMTP",
        (None, "maple", "m.example", "mx.trap.example"),
    ),
    "nonsense": ("what ever this may be", (None, None, None, None)),
}  # fmt: skip


@pytest.mark.parametrize("dialect", LINES)
def test_dialects(dialect: str) -> None:
    """Each dialect's line is read: address, HELO, looked-up name, receiving host."""
    line, expected = LINES[dialect]
    ((hop, *_), _) = trace([line + DATE], Observing())
    assert (hop.address, hop.helo, hop.rdns, hop.by) == expected


INNER = "from filter.trap.example (localhost [127.0.0.1]) by mx.trap.example (Postfix) with ESMTP id 1"
TRUE = "from bot (bot.example [192.0.2.7]) by mx.trap.example (Postfix) with SMTP id 2"
FORGED = "from bank.example (bank.example [198.51.100.1]) by bot (8.9.3/8.9.3) with SMTP id 3"
FORWARDER = "from fwd.isp.example (fwd.isp.example [203.0.113.9]) by mx.trap.example (Postfix) with SMTP id 4"
OUTLOOK = (
    "from A1.namprd01.prod.outlook.com (2603:10b6:1::1) by B2.namprd01.prod.outlook.com with HTTPS",
    "from C3.eop.prod.protection.outlook.com (2a01:111:f400::1) by A1.outlook.office365.com (2603:10b6::2)",
)
OUTSIDE = "from {} ({}) by C3.mail.protection.outlook.com (10.13.1.2) with Microsoft SMTP Server id 15.20"
LIST = (
    "from vger.kernel.org (vger.kernel.org [203.0.113.5]) by mx.subscriber.example (Postfix) with ESMTP id 5",
    "(majordomo@vger.kernel.org) by vger.kernel.org via listexpand id S17",
)

TRACES = (
    # received, trusted relays, injecting address
    ((TRUE, FORGED), (), "192.0.2.7"),
    ((INNER, TRUE, FORGED), (), "192.0.2.7"),
    ((FORWARDER, TRUE, FORGED), (), "203.0.113.9"),
    ((FORWARDER, TRUE, FORGED), ("203.0.113.0/24",), "192.0.2.7"),
    ((FORWARDER, TRUE, FORGED), ("203.0.113.9",), "192.0.2.7"),
    ((FORWARDER, TRUE, FORGED), (".isp.example",), "192.0.2.7"),
    ((FORWARDER, TRUE, FORGED), ("fwd.isp.example",), "192.0.2.7"),
    ((FORWARDER, TRUE, FORGED), ("isp.example",), "203.0.113.9"),
    ((INNER,), (), None),
    ((), (), None),
    ((LINES["fetchmail"][0], TRUE, FORGED), (), "192.0.2.7"),
    ((LINES["Google inside"][0], LINES["Google"][0], FORGED), (), "192.0.2.7"),
    ((*OUTLOOK, OUTSIDE.format("bot.example", "192.0.2.7"), FORGED), (), "192.0.2.7"),
    # another tenant's server, and a stranger who says that he is one of Outlook's own
    ((*OUTLOOK, OUTSIDE.format("x.outbound.protection.outlook.com", "192.0.2.8"), FORGED), (), "192.0.2.8"),
    ((*OUTLOOK, OUTSIDE.format("A9.namprd01.prod.outlook.com", "192.0.2.7"), FORGED), (), "192.0.2.7"),
    ((*LIST, TRUE, FORGED), (), "192.0.2.7"),
    # a HELO is no looked-up name
    ((TRUE.replace("from bot", "from mail.kernel.org"), FORGED), (), "192.0.2.7"),
    (("from mail.kernel.org (192.0.2.7) by mx.trap.example with SMTP", FORGED), (), "192.0.2.7"),
    ((TRUE.replace("from bot", "from fwd.isp.example"), FORGED), (".isp.example",), "192.0.2.7"),
)


@pytest.mark.parametrize(("received", "trusted", "expected"), TRACES)
def test_injecting_hop(received: tuple[str, ...], trusted: tuple[str, ...], expected: str | None) -> None:
    """The first hop from the top that is not the receiver's own is where the message entered."""
    hops, entry = trace([line + DATE for line in received], Observing(trusted_relays=trusted))
    assert (entry.address if entry else None) == expected
    assert len(hops) <= len(received)


@pytest.mark.parametrize("edge", EDGES)
def test_edges_have_reasons(edge: tuple[object, ...]) -> None:
    """Every well-known edge names hosts by suffix and says why it is there."""
    names, by, why = edge
    assert all(name.startswith(".") for name in (*names, *by))
    assert why


@pytest.mark.parametrize(
    ("address", "internal"),
    [("10.1.2.3", True), ("100.64.0.1", True), ("127.0.0.1", True), ("169.254.1.1", True), ("fe80::1", True),
     ("fd00::1", True), ("::1", True), ("192.0.2.1", False), ("8.8.8.8", False), ("2001:db8::1", False)],
)  # fmt: skip
def test_internal_addresses(address: str, *, internal: bool) -> None:
    """Private, loopback, link-local and NAT addresses are stepped over; documentation addresses are not."""
    assert is_trusted_address(address, ()) is internal


@given(st.text(max_size=300))
def test_any_line_is_read(line: str) -> None:
    """Any text is read as a hop, with an address or none."""
    for value in (line, "from " + line, f"from {line} by x", f"from a ({line} [192.0.2.1]) by b"):
        ((hop, *_), _) = trace([value], Observing())
        assert hop.address is None or canonical(hop.address) == hop.address


@pytest.mark.parametrize("filler", ["(", "[", "a ", "from ", "\\(", "x@", "1:", " by", "((HELO "])
def test_long_lines_take_linear_time(filler: str) -> None:
    """A line of any length is cut, so that no pattern can take long over it."""
    assert trace(["from " + filler * 100_000], Observing())[0]
    assert LINE_CHARS <= 5000
