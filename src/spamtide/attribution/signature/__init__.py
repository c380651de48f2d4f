"""The rules of an observatory: compiled, and tried on renderings.

Reads signature files and the brands of the knowledge graph; writes hits. A wrong file raises SettingsError
with file, line and reason; a message that cannot be scanned has no hits.
"""

from spamtide.attribution.signature.ruleset import (
    Ruleset,
    Scan,
    compile_signatures,
    load_signatures,
    match,
    scan,
    sift,
)
from spamtide.attribution.signature.unreached import unreached

__all__ = ["Ruleset", "Scan", "compile_signatures", "load_signatures", "match", "scan", "sift", "unreached"]
