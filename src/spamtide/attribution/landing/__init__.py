"""Saved landing pages: which programme a shop belongs to, by its folder, its wording, or how it is built.

Reads HTML and WARC files that the user gives; fetches nothing. A page that cannot be read judges nothing.
"""

from spamtide.attribution.landing.page import Landing, judge, read_pages

__all__ = ["Landing", "judge", "read_pages"]
