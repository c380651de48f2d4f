"""observation: what was seen of a message at a sensor, facts only, one row each.

Reads a `RawMessage` (where, when, the SMTP envelope) and its `Message`, with the settings' trusted relays
and the observatory's key. Writes an `Observation`. Trusts the envelope, then the Received headers of the
receiver's own relays from the top, and nothing below them. It fails by leaving a field empty; no
recipient's address passes it.
"""

from spamtide.observation.observe import observe
from spamtide.observation.skeleton import SIMULATED_HEADER

__all__ = ["SIMULATED_HEADER", "observe"]
