"""Why something that was met is not a message: the closed table behind `Unreadable.reason`."""

from __future__ import annotations

REASONS: dict[str, str] = {
    "not-mail": "cannot be mail: neither named nor built like a message (counted as skipped, stored nowhere)",
    "no-header": "has no header that a message would have; was it named by mistake?",
    "too-large": "larger than limits.message_bytes",
    "archive-cut": "the file ends in the middle of this message: half-written or half-copied",
    "archive-damaged": "the archive or compressed stream around this message is damaged here",
    "archive-bomb": "unpacks to far more than any mail would",
    "too-deep": "archives within archives, deeper than Spamtide follows",
    "encrypted": "a member of an archive that asks for a password",
    "member-unreadable": "a member of an archive that is stored in a way that Spamtide does not read",
    "format-unsupported": "an archive or mailbox format that Spamtide does not read",
    "read-error": "the disk, or what the path stands for, failed while this message was read",
}
