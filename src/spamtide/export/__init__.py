"""Rows for other programs: NDJSON, CSV and Parquet with fixed column names.

Reads Arrow batches, writes bytes to an open file; trusts nothing in the rows (a field that a spreadsheet
would run as a formula stays text only because CSV says so: quote it, never evaluate it). Fails only as the
file fails.
"""

from spamtide.export.table import FORMATS, write_table

__all__ = ["FORMATS", "write_table"]
