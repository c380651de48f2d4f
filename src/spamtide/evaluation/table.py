"""The accuracy table as a person or a program reads it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from spamtide.evaluation.scoring import Score, rows_of


def as_json(scores: Sequence[Score]) -> list[dict[str, Any]]:
    """The table as plain values."""
    return [
        {
            name: getattr(one, name)
            for name in ("what", "n", "campaigns", "share", "low", "high", "target", "met", "verdict")
        }
        for one in scores
    ]


def as_markdown(scores: Sequence[Score]) -> str:
    """The table as Markdown, aligned so that it reads as text."""
    head = ("what", "n", "campaigns", "share", "95 % interval, by campaign", "asked for", "")
    rows = [head, *rows_of(scores)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    out = io.StringIO()
    out.write("\n".join(lines) + "\n")
    return out.getvalue()
