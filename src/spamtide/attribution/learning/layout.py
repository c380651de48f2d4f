"""The header block of a rendering, read back: order, values, traits, and the machine that wrote it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ORDER = "header-order: "
TRAITS = "traits: "
_HEADER = "header "
_TEXT = "text:"
_CLIENT = "client: "
_HELO = "helo: "

STANDARD = frozenset(
    {
        "message-id", "from", "to", "cc", "bcc", "subject", "date", "mime-version", "content-type",
        "content-transfer-encoding", "content-disposition", "content-language", "content-class",
        "content-description", "content-id", "reply-to", "sender", "references", "in-reply-to", "x-mailer",
        "user-agent", "x-mimeole", "x-priority", "x-msmail-priority", "importance", "priority", "sensitivity",
        "organization", "thread-index", "thread-topic", "x-accept-language", "precedence", "comments",
        "keywords", "disposition-notification-to", "return-receipt-to", "x-originating-ip", "x-sender",
        "auto-submitted", "x-php-originating-script", "x-auto-response-suppress", "feedback-id",
    }
)  # fmt: skip
"""Lower-case names of fields that mailers write; a capture does not add them."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The header lines of one rendering."""

    order: tuple[str, ...]
    """Sender-made field names, in order and letter case."""
    headers: Mapping[str, str]
    """Name in its own letter case -> value of its first occurrence."""
    traits: Mapping[str, str]
    machine: str
    """Address of the client; '' where nobody noted it."""
    helo: str = ""
    """What the client called itself; '' where nobody noted it."""


def layout_of(rendering: str) -> Layout:
    """Read the header lines of a rendering; stops at its text."""
    order: tuple[str, ...] = ()
    headers: dict[str, str] = {}
    traits: dict[str, str] = {}
    machine = helo = ""
    for line in rendering.split("\n"):
        if line.startswith(_TEXT):
            break
        if line.startswith(_HEADER):
            name, colon, value = line.removeprefix(_HEADER).partition(": ")
            if colon:
                headers.setdefault(name, value)
        elif line.startswith(ORDER):
            order = tuple(filter(None, line.removeprefix(ORDER).split(",")))
        elif line.startswith(TRAITS):
            pairs = (word.partition("=") for word in line.removeprefix(TRAITS).split(" "))
            traits = {key: value for key, _, value in pairs}
        elif line.startswith(_CLIENT):
            machine = line.removeprefix(_CLIENT)
        elif line.startswith(_HELO):
            helo = line.removeprefix(_HELO)
    return Layout(order, headers, traits, machine, helo)


def machines_of(layouts: Sequence[Layout]) -> int:
    """How many machines wrote these messages; at least 1.

    A lab's bot sends much more than one message. Where nearly every message has an address of its own, the
    addresses are those of Received headers that the bot forged. One machine may send through many addresses:
    where all of them call themselves alike, they count as one.
    """
    found = {layout.machine for layout in layouts if layout.machine}
    names = {layout.helo for layout in layouts if layout.helo}
    most = OWN_ADDRESS * len(layouts)
    return max(1, min(len(found), len(names) or len(found))) if len(found) <= most else 1


OWN_ADDRESS = 0.5
"""Addresses a message from which they are forged."""
CAPTURED = 0.9
"""A field that so much of a family's lab mail has is the bot's or the capture's."""
WILD_ENOUGH = 300
"""Wild messages from which a field that none of them has is the capture's."""


def capture_fields(
    families: Mapping[str, Sequence[Layout]], wild: Mapping[str, int], wild_total: int
) -> frozenset[str]:
    """Names, in lower case, of fields that the place of capture wrote and not the bot.

    That is: a field no mailer is known for, in nearly all lab mail of two families or more, or in nearly all
    of one's and in none of much wild mail.

    Args:
        families: lab mail by family.
        wild: field name -> wild messages with it, in any letter case.
        wild_total: wild messages.
    """
    seen = {name.lower() for name, count in wild.items() if count}
    owners: Counter[str] = Counter()
    for layouts in families.values():
        counts: Counter[str] = Counter()
        for layout in layouts:
            counts.update({name.lower() for name in layout.order})
        owners.update(name for name, count in counts.items() if count >= CAPTURED * len(layouts))
    return frozenset(
        name
        for name, count in owners.items()
        if name not in STANDARD and (count > 1 or (wild_total >= WILD_ENOUGH and name not in seen))
    )
