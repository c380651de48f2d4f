"""The header skeleton: which fields the sender's software wrote, in which order and letter case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import compress

SIMULATED_HEADER = "X-Spamtide-Simulated"
"""The simulator marks its mail with this field. It sets `Observation.simulated` and is left out of
everything else."""

SKELETON_CHARS = 2000

RECEIVER_FIELDS: dict[str, str] = {
    "received": "trace: every relay adds one",
    "return-path": "trace: the last relay",
    "delivered-to": "delivery: Postfix, qmail",
    "delivery-date": "delivery: Exim, MH",
    "x-original-to": "delivery: Postfix",
    "envelope-to": "delivery: Exim",
    "envelope-from": "delivery",
    "apparently-to": "delivery: old Sendmail, for a message without To",
    "x-rcpt-to": "delivery",
    "x-real-to": "delivery",
    "authentication-results": "receiver's verdict",
    "authentication-results-original": "receiver's verdict, kept by Exchange",
    "received-spf": "receiver's verdict",
    "dkim-signature": "signing relay: it signs for whoever submits, so it says little of the mailer",
    "domainkey-signature": "signing relay",
    "dkim-filter": "signing relay",
    "x-dkim": "signing relay",
    "x-received": "trace: Google",
    "x-forwarded-encrypted": "trace: Google",
    "x-forwarded-to": "trace: Google",
    "x-forwarded-for": "trace: Google",
    "x-authentication-warning": "relay: Sendmail",
    "x-loop": "relay: list or procmail",
    "x-mailing-list": "list",
    "mailing-list": "list",
    "errors-to": "list",
    "x-beenthere": "list: Mailman",
    "x-mailman-version": "list: Mailman",
    "lines": "mailbox: news and MH",
    "content-length": "mailbox: System V mbox",
    "status": "mailbox: mbox reader",
    "x-status": "mailbox: mbox reader",
    "x-uid": "mailbox: IMAP server",
    "x-uidl": "mailbox: POP server",
    "x-keywords": "mailbox: mbox reader",
    "x-account-key": "mailbox: Thunderbird",
    "x-imapbase": "mailbox: IMAP server",
    "x-evolution": "mailbox: Evolution",
    "x-pyzor": "filter",
    "x-bogosity": "filter: bogofilter",
    "x-scanned-by": "filter: MIMEDefang",
    "x-sender-ip": "receiver: Outlook.com",
    "x-sid-pra": "receiver: Outlook.com",
    "x-sid-result": "receiver: Outlook.com",
    "x-message-delivery": "receiver: Hotmail",
    "x-message-info": "receiver: Hotmail",
    "x-message-status": "receiver: Hotmail",
    "x-apparently-to": "receiver: Yahoo",
    "x-yahoofilteredbulk": "receiver: Yahoo",
    "x-originating-ip": "webmail or receiver: rarely the mailer",
    "x-incomingheadercount": "receiver: Outlook.com",
    "x-incomingtopheadermarker": "receiver: Outlook.com",
    "x-esetresult": "filter: ESET",
    "x-mime-autoconverted": "relay: Sendmail",
    "x-originalarrivaltime": "receiver: Exchange",
    "x-removed-original-auth": "receiver: Google",
    "x-return-path": "delivery",
    SIMULATED_HEADER.lower(): "simulator",
}
"""Lower-case field name -> who adds it after the sender."""

RECEIVER_PREFIXES: dict[str, str] = {
    "arc-": "relay: sealed authentication results",
    "list-": "list",
    "resent-": "somebody forwarded it",
    "x-envelope-": "delivery",
    "x-kse-": "filter: Kaspersky",
    "x-bitdefender": "filter",
    "x-cmae-": "filter: Cloudmark",
    "x-imss-": "filter: Trend Micro",
    "x-tm-as-": "filter: Trend Micro",
    "x-tmase-": "filter: Trend Micro",
    "x-nai-": "filter: McAfee",
    "x-vade-": "filter",
    "ironport-": "filter",
    "x-amavis-": "filter",
    "x-rspamd-": "filter",
    "x-dspam-": "filter",
    "x-barracuda-": "filter",
    "x-asg-": "filter: Barracuda",
    "x-ironport-": "filter",
    "x-proofpoint-": "filter",
    "x-mimecast-": "filter",
    "x-sophos-": "filter",
    "x-pmx-": "filter: PureMessage",
    "x-crm114-": "filter",
    "x-greylist": "filter",
    "x-ms-exchange-": "receiver: Exchange",
    "x-ms-office365-": "receiver: Outlook.com",
    "x-ms-publictraffic": "receiver: Outlook.com",
    "x-ms-traffictype": "receiver: Outlook.com",
    "x-ms-userlastlogon": "receiver: Outlook.com",
    "x-ms-atpmessage": "receiver: Outlook.com",
    "x-microsoft-": "receiver: Outlook.com",
    "x-forefront-": "receiver: Exchange",
    "x-eop": "receiver: Exchange",
    "x-gm-": "receiver: Google",
    "x-gmail-": "receiver: Google",
    "x-google-": "receiver: Google",
    "x-mozilla-": "mailbox: Thunderbird",
}
"""Beginnings of lower-case field names, in the same sense."""

FILTER_WORDS = ("spam", "virus")
"""A field with one of these in its lower-case name is a filter's, whoever made the filter."""

LIST_MARKS = frozenset(
    {"list-id", "list-post", "x-mailing-list", "mailing-list", "x-beenthere", "x-mailman-version"}
)
"""Where one of these stands, a list passed the message on, and Sender and Precedence are the list's."""
LIST_FIELDS = frozenset({"sender", "precedence"})

_PREFIXES = tuple(RECEIVER_PREFIXES)


@lru_cache(maxsize=1024)
def is_sender_made(name: str) -> bool:
    """Whether a field of this name, in lower case, is the sender's own."""
    if name in RECEIVER_FIELDS or name.startswith(_PREFIXES):
        return False
    return not any(word in name for word in FILTER_WORDS)


def skeleton(names: Sequence[str], lower: Sequence[str]) -> str:
    """Sender-made field names, in order and letter case, joined by ','.

    `lower` holds the same names in lower case.
    """
    made: Iterable[str] = compress(names, map(is_sender_made, lower))
    if not LIST_MARKS.isdisjoint(lower):
        made = (name for name in made if name.lower() not in LIST_FIELDS)
    return ",".join(made)[:SKELETON_CHARS]
