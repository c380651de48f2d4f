"""Bulletin: claims composed into prose, charts drawn, all of it rendered as HTML, Markdown or JSON.

Reads: claims and statuses (compose), a measurement with its changes (charts), both as arguments.
Writes: text; nothing to disk. HTML is one file without script, network or outside resources.
Trusts: nothing in the text. Everything is escaped, links in text are made unusable, control and direction
marks are taken out. Charts are refused (ValueError) if anything active ever got into one.
Fails: on an unknown format (UsageError). The same inputs give the same bytes.
"""

from __future__ import annotations

from spamtide.bulletin.charts import charts
from spamtide.bulletin.compose import Edition, compose
from spamtide.bulletin.pictures import ChartInputs, Charts, Mix, Picture
from spamtide.bulletin.render import FORMATS, render

__all__ = ["FORMATS", "ChartInputs", "Charts", "Edition", "Mix", "Picture", "charts", "compose", "render"]
