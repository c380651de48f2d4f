"""Rows for other programs: NDJSON, CSV and Parquet with fixed column names.

Reads Arrow batches, writes bytes to an open file; trusts nothing in the rows: what a spreadsheet
program would run as a formula is counted, and made text where CSV for such a program is asked for. Fails
only as the file fails.
"""

from spamtide.export.table import FORMATS, write_table

__all__ = ["FORMATS", "write_table"]
