"""The table of a calibration, for a person, for a program, and as the documentation's page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from rich.table import Table

from spamtide.calibration.row import Row


def shown(row: Row) -> str:
    """The value with its interval."""
    if math.isnan(row.value):
        return "-"
    if _is_share(row):
        return f"{100 * row.value:.1f} % [{100 * row.low:.1f}, {100 * row.high:.1f}]"
    return f"{row.value:.3g} [{row.low:.3g}, {row.high:.3g}]"


def _is_share(row: Row) -> bool:
    return any(word in row.measure for word in ("covered", "found", "share", "right", "called", "within"))


def _cells(row: Row) -> list[str]:
    """What both tables show of a row."""
    return [row.study, row.case, row.measure, shown(row), f"{row.n} {row.unit}"]


def as_table(rows: Sequence[Row]) -> Table:
    """The rows for a terminal."""
    table = Table("study", "case", "measured", "value [95 %]", "n", "target", "")
    for r in rows:
        table.add_row(*_cells(r), r.target, r.verdict)
    return table


def as_json(rows: Sequence[Row], worlds: int, seed: int) -> dict[str, object]:
    """The rows as plain values; numbers that are not finite are null."""

    def plain(value: float) -> float | None:
        return round(value, 6) if math.isfinite(value) else None

    return {
        "worlds": worlds,
        "seed": seed,
        "rows": [
            {
                "study": r.study,
                "case": r.case,
                "measure": r.measure,
                "value": plain(r.value),
                "low": plain(r.low),
                "high": plain(r.high),
                "n": r.n,
                "unit": r.unit,
                "target": r.target or None,
                "verdict": r.verdict or None,
            }
            for r in rows
        ],
    }


def as_page(rows: Sequence[Row], worlds: int, seed: int) -> str:
    """docs/calibration.md."""
    command = f"spamtide calibrate --worlds {worlds} --seed {seed} -o docs/calibration.md"
    parts = [
        "# Calibration",
        "",
        f"Made by `{command}`.",
        "Every number comes from observatories that are made up and whose truth is known. Beside each",
        "value stands its 95 % interval by Monte Carlo error: Wilson for shares, order statistics for",
        "medians, exact Poisson for rates. How they are made, and in what they differ from the models that",
        "are fitted, is on",
        "[calibration](path/calibration.md).",
        "",
        "| study | case | measured | value [95 %] | n | target | |",
        "|---|---|---|---|---|---|---|",
    ]
    parts += [f"| {' | '.join([*_cells(r), r.target, r.verdict])} |" for r in rows]
    counted = Counter(r.verdict for r in rows)
    parts += [
        "",
        f"{counted['met']} targets met, {counted['missed']} missed; {counted['undecided']} undecided:",
        "the value is off its target, by no more than its Monte Carlo error.",
    ]
    return "\n".join(parts) + "\n"
