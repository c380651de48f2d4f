"""Brand wording in disguise: what a message says to its reader, however its letters are dressed.

Reads a rendering and the wording that rules look for; says where it stands, and how it was disguised. Trusts
nothing that a message holds: time and memory are bounded by its length.
"""

from spamtide.attribution.brand.reading import NO_READING, Reading, disguised, finds, reading_of

__all__ = ["NO_READING", "Reading", "disguised", "finds", "reading_of"]
