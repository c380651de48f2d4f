"""What is publicly known: botnets, programmes, brands, operators, and how they relate.

Reads the shipped `knowledge.yaml` and, where an observatory has one, its own file over it; writes nothing.
Every fact carries a source, a period where one is published, and a confidence. Knowledge gives names and
context; it never attributes a message by itself, because the mix of what a botnet advertises is one of the
things that Spamtide measures. A wrong file raises SettingsError with file, line and reason.
"""

from spamtide.knowledge.graph import Alias, Entity, EntityKind, Knowledge, Period, Relation
from spamtide.knowledge.reading import KNOWLEDGE_FILE, SHIPPED_SIGNATURES, load_knowledge

__all__ = [
    "KNOWLEDGE_FILE",
    "SHIPPED_SIGNATURES",
    "Alias",
    "Entity",
    "EntityKind",
    "Knowledge",
    "Period",
    "Relation",
    "load_knowledge",
]
