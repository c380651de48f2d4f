"""Engines map a per-record stage over Arrow batches; a bigger engine is another file here.

Reads and writes nothing itself; trusts the stage to be pure and nothing else. A batch whose worker dies or
hangs is taken apart until the one record that does it stands alone, and that record is given back as failed.
"""

from collections.abc import Callable

from spamtide.engine.apart import Apart
from spamtide.engine.backlog import Backlog
from spamtide.engine.local import LocalEngine, processors

ENGINES: dict[str, Callable[[int], LocalEngine]] = {"local": LocalEngine}

__all__ = ["ENGINES", "Apart", "Backlog", "LocalEngine", "processors"]
