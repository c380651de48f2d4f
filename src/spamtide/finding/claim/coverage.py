"""Claims about what a period holds, and about what else the observatory holds and knows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np

from spamtide.finding.claim.draft import About, about_all, draft, export
from spamtide.finding.inputs import View
from spamtide.finding.words import WEEK, Value, from_to, plural
from spamtide.statement import Claim


def coverage_claims(view: View) -> Iterator[Claim]:
    """What the period holds, what is known besides, what is kept apart, what could not be read."""
    inputs, totals = view.inputs, view.inputs.totals
    part = view.within(view.window)
    n = view.count("total", "total", view.window)
    seen = view.sensors_of("total", "total", view.window)
    exposure = view.measurement.exposure.values[np.isin(view.panel.sensors, seen), part]
    # A day that is not over, and one that nobody handed in, count for none.
    counted = exposure[:, (exposure > 0).any(axis=0)] > 0
    always = int(counted.all(axis=1).sum()) if counted.size else 0
    whole = bool(np.size(exposure))
    values: dict[str, Value] = {
        "n": n,
        "k": len(seen),
    }
    days = from_to(values, ("since", view.period.since), ("until", view.period.until))
    template = (
        f"The period holds {{n}} {plural(n, 'message')} of spam from the wild at {{k}} "
        f"{plural(len(seen), 'sensor')} {days}"
    )
    if whole:
        values["always"] = always
        if counted.shape[1] < exposure.shape[1] - WEEK:
            values["lit"] = counted.shape[1]
            template += "; {always} of them counted on each of the {lit} days on which any did"
        elif len(seen) > 1:
            template += "; {always} of them counted on every day"
        else:
            del values["always"]
    if totals.undated:
        values["undated"] = totals.undated
        lacking = plural(totals.undated, "bears no believable date and is", "bear no believable date and are")
        template += f"; {{undated}} more {lacking} in no series"
    yield draft(
        view,
        about_all(view, "coverage", view.window),
        template + ".",
        values,
    )
    yield from _hindsight(view)
    ham, lab = inputs.composition.labels.get("ham", 0), inputs.composition.labels.get("lab", 0)
    if ham or lab:
        yield draft(
            view,
            About("labels", "total", "total", view.period.until, ham + lab, seen, export("sensors")),
            "Kept apart and in no volume: {ham} messages of ordinary mail and {lab} from bots in a lab.",
            {"ham": ham, "lab": lab},
        )
    if totals.quarantined:
        n = totals.quarantined
        is_ = plural(n, "is", "are")
        yield draft(
            view,
            About("quarantine", "total", "total", view.period.until, n, (), "spamtide status"),
            f"{{q}} {plural(n, 'message')} could not be processed and {is_} in quarantine.",
            {"q": n},
        )


def _hindsight(view: View) -> Iterator[Claim]:
    """That later mail is known, where it is: dates, sizes and names of the period then rest on it as well."""
    with_mail = np.flatnonzero(view.daily("total", "total"))
    if not with_mail.size:
        return
    known: dt.date = view.panel.days[with_mail[-1]].astype(dt.date)
    if known <= view.period.until:
        return
    yield draft(
        view,
        about_all(view, "hindsight", view.window),
        "This is told with what was known by {known}: days and sizes of changes, and who sent what, rest on "
        "later mail, too.",
        {"known": known},
    )
