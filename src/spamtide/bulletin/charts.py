"""Charts of a bulletin: Altair specifications drawn to SVG by vl-convert, without network or script.

The SVG of one set of inputs is always the same to the byte: dates are read and written in UTC, and the
renderer's running clip numbers are rewritten.
"""

from __future__ import annotations

from spamtide.bulletin.drawings import apart, coverage, tide, whose
from spamtide.bulletin.pictures import ChartInputs, Charts, Mix, Picture, Window, part_of, shown_days
from spamtide.model import UNKNOWN

MIX_PROGRAMMES = 6


def charts(inputs: ChartInputs) -> Charts:
    """Draw the tide, whose mail it is, the sensors' coverage and the change taken apart.

    A chart without data is left out; thin data draws what there is.
    """
    shown = shown_days(inputs)
    total = next((s for s in inputs.measurement.series if s.subject_kind == "total"), None)
    events = tuple((day, what) for day, what in inputs.events if shown[0] <= day <= shown[1])
    pictures: list[Picture | None] = []
    if total is not None and inputs.measurement.panel.days.size:
        pictures.append(tide(inputs, total, shown, events))
        pictures.append(whose(inputs, total, shown))
    pictures += [coverage(inputs, shown), apart(inputs)]
    return Charts(
        pictures=tuple(p for p in pictures if p is not None),
        mix=_mix(inputs),
        before=inputs.before,
        after=inputs.after,
        events=events,
    )


def _mix(inputs: ChartInputs) -> tuple[Mix, ...]:
    """Programme x botnet, before and after, over the mail with a known programme; largest rows first."""
    pairs = inputs.measurement.panel.pairs
    sums: dict[Window, dict[tuple[str, str], int]] = {}
    for window in (inputs.before, inputs.after):
        part = part_of(inputs, window)
        sums[window] = {
            pair: int(counts[part].sum()) for pair, counts in pairs.items() if UNKNOWN not in pair
        }
    size: dict[str, int] = {}
    reach: dict[str, int] = {}
    for counts in sums.values():
        for (botnet, programme), n in counts.items():
            size[botnet] = size.get(botnet, 0) + n
            reach[programme] = reach.get(programme, 0) + n
    botnets = sorted((b for b in size if size[b]), key=lambda b: (-size[b], b))
    programmes = sorted((p for p in reach if reach[p]), key=lambda p: (-reach[p], p))[:MIX_PROGRAMMES]
    return tuple(
        Mix(
            inputs.name(botnet),
            programme,
            _share_of(sums[inputs.before], botnet, programme),
            _share_of(sums[inputs.after], botnet, programme),
        )
        for botnet in botnets
        for programme in programmes
    )


def _share_of(counts: dict[tuple[str, str], int], botnet: str, programme: str) -> float | None:
    """A programme's share of a botnet's mail with a known programme."""
    whole = sum(n for (b, _), n in counts.items() if b == botnet)
    return counts.get((botnet, programme), 0) / whole if whole else None
