"""What the total's change is made of: index points by botnet, by programme, and the unattributed rest.

A subject's level is its exposure-adjusted count over all sensors, as if each had been up; the subjects of
one kind share out the total's level in proportion, so that points add up. Intervals are by the delta
method on each subject's own fit, with half a message of doubt for subjects that fell to nothing.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
from numpy.typing import NDArray

from spamtide.each import Each, in_turn
from spamtide.model import UNKNOWN, Contribution, Counts, Floats, Measurement, Panel, SubjectKind
from spamtide.series.exposure import total_of, weekdays_of
from spamtide.series.fitting.loglinear import Fit
from spamtide.series.index import Levels, View, base_mask, levels_of

NORMAL = 1.959964
KINDS: tuple[SubjectKind, ...] = ("botnet", "programme")


def decompose(
    measurement: Measurement,
    before: tuple[dt.date, dt.date],
    after: tuple[dt.date, dt.date],
    each: Each = in_turn,
) -> tuple[Contribution, ...]:
    """Split the total's change between two periods.

    Means are over weekdays first where a period is not whole weeks, so that a period with two Sundays
    does not fall behind. Days without an index count nothing.

    Args:
        measurement: as `measure` made it; subjects with a series are told apart, all other mail is
            'unknown'.
        before: first and last day of the earlier period.
        after: first and last day of the later period.
        each: how subjects are fitted, one after the other or side by side.

    Returns:
        The total (kind 'total'), then for 'botnet' and 'programme' each subject by falling size and
        'unknown' last; points of each kind add up to the total's. Empty where a period has no index.
    """
    panel = measurement.panel
    base = next((series.base for series in measurement.series if series.subject_kind == "total"), "")
    if not base:
        return ()
    levels = levels_of(panel, measurement.exposure, base_mask(panel, base))
    weights = _weights(panel, np.isfinite(levels.total.level), before, after)
    if weights is None:
        return ()
    found = [_total(levels, weights)]
    for kind in KINDS:
        named = [
            panel.subjects.index((kind, series.subject))
            for series in measurement.series
            if series.subject_kind == kind and series.subject != UNKNOWN
        ]
        found += _by_kind(measurement, (kind, named), levels, weights, each)
    return tuple(found)


def _weights(
    panel: Panel, known: NDArray[np.bool_], before: tuple[dt.date, dt.date], after: tuple[dt.date, dt.date]
) -> Floats | None:
    """Weights of days in the two period means, shape (2, T), each adding up to 1; None where one is empty."""
    weekdays = weekdays_of(panel)
    inside = [base_mask(panel, f"{first}..{last}") & known for first, last in (before, after)]
    if not all(mask.any() for mask in inside):
        return None
    common = np.intersect1d(weekdays[inside[0]], weekdays[inside[1]])
    weights = np.zeros((2, len(weekdays)))
    for row, mask in zip(weights, inside, strict=True):
        if not len(common):
            row[mask] = 1.0 / mask.sum()
        for weekday in common:
            here = mask & (weekdays == weekday)
            row[here] = 1.0 / (len(common) * here.sum())
    return weights


def _total(levels: Levels, weights: Floats) -> Contribution:
    """The total's own change."""
    means = weights @ np.nan_to_num(levels.total.level)
    covariance = levels.total.period_covariance(weights)
    variance = covariance[0, 0] + covariance[1, 1] - 2.0 * covariance[0, 1]
    offset = (levels.exposure * levels.total.sensor[:, None]).sum(axis=0)
    variance += _doubt(weights, offset)
    return _contribution("total", "total", float(means[1] - means[0]), float(variance))


def _by_kind(
    measurement: Measurement,
    subjects: tuple[SubjectKind, list[int]],
    levels: Levels,
    weights: Floats,
    each: Each,
) -> list[Contribution]:
    """The subjects of one kind, given by their rows, and the rest."""
    kind, named = subjects
    panel = measurement.panel
    counts = [np.asarray(panel.counts[row]) for row in named]
    rest: Counts = np.maximum(total_of(panel) - sum(counts, np.zeros_like(total_of(panel))), 0)
    names = [panel.subjects[row][1] for row in named] + [UNKNOWN]
    fits = _fits(measurement, kind, dict(zip(names, [*counts, rest], strict=True)), levels, each)
    views = [levels.view((kind, name)) for name in names]
    shares = np.stack([_on_total_scale(*one, levels) for one in zip(fits, views, strict=True)])
    together = shares.sum(axis=0)
    scale = np.where(
        together > 0, np.nan_to_num(levels.total.level) / np.where(together > 0, together, 1.0), 0.0
    )
    found = []
    for name, fitted, view, level in zip(names, fits, views, shares, strict=True):
        means = weights @ (level * scale)
        signed = (weights[1] - weights[0]) * scale
        variance = _variance(fitted, view, level * signed)
        variance += (means[1] - means[0]) ** 2 * _base_variance(levels)
        effects = fitted.sensor if fitted.spread is not None else np.ones(len(fitted.sensor))
        offset = (view.expected * effects[:, None]).sum(axis=0) / max(_unit(fitted, view, levels), 1e-12)
        variance += _doubt(weights * scale, offset)
        found.append(_contribution(kind, name, float(means[1] - means[0]), float(variance)))
    return [*sorted(found[:-1], key=lambda item: (-abs(item.points), item.subject)), found[-1]]


def _fits(
    measurement: Measurement, kind: SubjectKind, counts: dict[str, Counts], levels: Levels, each: Each
) -> list[Fit]:
    """Fits of some subjects' counts: those that `measure` made, of as many messages, and new ones."""
    panel, known = measurement.panel, {}
    for name, mine in counts.items():
        fitted = measurement.fits.get((kind, name))
        if not isinstance(fitted, Fit) or not np.array_equal(fitted.base, levels.base):
            continue
        if np.array_equal(panel.counts[panel.subjects.index((kind, name))], mine):
            known[name] = fitted
    left = [name for name in counts if name not in known]
    known |= zip(left, each(lambda name: levels.subject((kind, name), counts[name]), left), strict=True)
    return [known[name] for name in counts]


def _unit(fitted: Fit, view: View, levels: Levels) -> float:
    """A subject's expected count over all sensors at its level 1, over the total's at its level 1."""
    size = levels.total.sensor.sum()
    if fitted.spread is None or size <= 0:
        return 1.0
    return float((view.size * fitted.sensor).sum() / size)


def _on_total_scale(fitted: Fit, view: View, levels: Levels) -> Floats:
    """A subject's level by day such that subjects add up to about the total's level."""
    if fitted.spread is None:
        return np.zeros(len(fitted.level))
    return np.nan_to_num(fitted.level) * _unit(fitted, view, levels)


def _variance(fitted: Fit, view: View, parts: Floats) -> float:
    """Variance of the sum of `parts` (signed levels by day), by the delta method over all effects."""
    arrow = fitted.spread
    if arrow is None:
        return 0.0
    size = view.size * fitted.sensor
    share = size[size > 0] / size.sum()
    return float(arrow.covariance(parts[arrow.days][None], parts.sum() * share[arrow.free][None])[0, 0])


def _base_variance(levels: Levels) -> float:
    """Relative variance of the total's mean level over the base period."""
    arrow = levels.total.spread
    if arrow is None:
        return 0.0
    information = arrow.weight.sum(axis=0)[levels.base[arrow.days]].sum()
    return float((1.0 + arrow.rho) / (1.0 - arrow.rho) / max(information, 1e-12))


def _doubt(weights: Floats, offset: Floats) -> float:
    """Half a message a period, in squared level: what a period without mail leaves open."""
    open_days = (offset > 0) & (weights > 0)
    variance = 0.0
    for row, days in zip(weights, open_days, strict=True):
        if days.any():
            variance += 0.5 * float(((row[days] / offset[days]) ** 2).mean())
    return variance


def _contribution(kind: SubjectKind, name: str, change: float, variance: float) -> Contribution:
    """Points and their 95 % interval from a change of level."""
    half = NORMAL * float(np.sqrt(max(variance, 0.0)))
    return Contribution(kind, name, 100.0 * change, 100.0 * (change - half), 100.0 * (change + half))
