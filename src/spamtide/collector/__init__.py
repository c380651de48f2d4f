"""collect: files, folders, Maildirs, mboxes, archives and stdin in, messages out.

Reads: whatever a path holds, byte for byte, and never writes to it. Writes: a stream of `RawMessage`, and of
`Unreadable` for all else, in an order that depends on names and contents alone.
Trusts: nothing in the bytes. Sizes, counts, names and depths that a file claims are bounded, and memory does
not grow with the input; names of members are shown, never opened.
Fails: once, at the very end, after everything that can be read was given. Only a path that is missing is
refused at once, before anything is read.
"""

from spamtide.collector.collecting import collect, refuse_missing
from spamtide.collector.reasons import REASONS
from spamtide.collector.walking import input_size

__all__ = ["REASONS", "collect", "input_size", "refuse_missing"]
