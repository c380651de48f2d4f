"""message: what the bytes of a message say.

Reads the bytes of one message and `Limits`. Writes a `Message`: headers as the sender wrote them, decoded
subject, visible and hidden text, links, the MIME layout, and a list of defects. Trusts nothing: every loop
and every size has a bound, and no bytes make it raise. It fails by naming a defect; text that no parser
understands is kept as it stands.
"""

from spamtide.message.defect import DEFECTS
from spamtide.message.parse import parse

__all__ = ["DEFECTS", "parse"]
