"""From sources to observations: the per-record half of the path, run by `spamtide ingest`.

Reads files and the keys of what is stored; writes raw mail, observations and quarantine. What becomes of one
message is in `examining`; `run` collects, keeps workers busy and commits, so that it may die at any moment.
"""

from spamtide.ingest.run import IngestSummary, Source, ingest, retry

__all__ = ["IngestSummary", "Source", "ingest", "retry"]
