"""Claims about what the mail is made of: what a reader with one junk folder and no history reads first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from spamtide.finding.claim.draft import About, draft, export, rows_of
from spamtide.finding.claim.volume import is_thin
from spamtide.finding.figures import share_of
from spamtide.finding.inputs import View
from spamtide.finding.words import Value, defang, listing, plural, weeks_of
from spamtide.model import UNKNOWN, SubjectKind
from spamtide.statement import Claim

NAMED = 5
NO_HISTORY = 2.9
"""Weight that puts the make-up of the mail first where there is nothing to compare it with."""

WORDS: dict[SubjectKind, tuple[str, str, str, str]] = {
    "botnet": (
        "carries a botnet's traits",
        "carry a botnet's traits",
        "could not be attributed",
        "could not be attributed",
    ),
    "programme": (
        "advertises a programme that we know",
        "advertise a programme that we know",
        "advertises none that we know",
        "advertise none that we know",
    ),
}
"""Subject -> words for one message with an answer, for several, and for one and several without."""


def makeup_claims(view: View) -> Iterator[Claim]:
    """Botnets, programmes and campaigns of the period's mail."""
    composition = view.inputs.composition
    yield from _answers(view, "botnets", "botnet", composition.botnets)
    yield from _answers(view, "programmes", "programme", composition.programmes)
    yield from _campaigns(view)


def _weight(view: View) -> float:
    """First in the bulletin where there is no level before."""
    return NO_HISTORY / 20 if view.period.comparable and not is_thin(view) else 1.0


def _answers(view: View, kind: str, subject_kind: SubjectKind, counts: Mapping[str, int]) -> Iterator[Claim]:
    """How many messages have an answer, the largest answers, and how many have none."""
    n = sum(counts.values())
    if n <= 0:
        return
    named = sorted(
        ((s, k) for s, k in counts.items() if s != UNKNOWN and k > 0), key=lambda item: (-item[1], item[0])
    )
    with_answer = sum(k for _, k in named)
    one, several, *without = WORDS[subject_kind]
    values: dict[str, Value] = {"n": n}
    whole = weeks_of(values, view.window).replace("the ", "these ", 1)
    if named:
        values |= {"named": with_answer, "named_share": share_of(with_answer, n)}
        verb = plural(with_answer, one, several)
        template = f"Of {{n}} {plural(n, 'message')} in {whole}, {{named}} ({{named_share}}) {verb}: "
        # Where one more would be "others", it is named.
        told = len(named) if len(named) == NAMED + 1 else NAMED
        parts = []
        for at, (subject, k) in enumerate(named[:told], start=1):
            values |= {f"name{at}": view.name(subject), f"k{at}": k, f"share{at}": share_of(k, n)}
            parts.append(f"{{name{at}}} {{k{at}}} ({{share{at}}})")
        if len(named) > told:
            values |= {"more": len(named) - told, "more_k": with_answer - sum(k for _, k in named[:told])}
            parts.append(f"{{more}} other {plural(len(named) - told, subject_kind)} with {{more_k}}")
        template += listing(parts)
        unknown = n - with_answer
        if unknown:
            values |= {"unknown": unknown, "unknown_share": share_of(unknown, n)}
            template += f"; {{unknown}} ({{unknown_share}}) {plural(unknown, *without)}"
    else:
        values["named_share"] = share_of(0, n)
        template = f"None of {{n}} {plural(n, 'message')} in {whole} ({{named_share}}) {one}"
    about = About(
        kind,
        subject_kind,
        "all",
        view.period.until,
        n,
        view.sensors_of("total", "total", view.window),
        rows_of("total", "total", *view.window),
        weight=_weight(view),
    )
    claim = draft(view, about, template + ".", values)
    yield claim


def _campaigns(view: View) -> Iterator[Claim]:
    """How many campaigns the mail falls into, and the largest of them."""
    table = view.inputs.campaigns
    if table is None or not table.num_rows:
        return
    rows = [row for row in table.to_pylist() if _alive(view, row)]
    rows.sort(key=lambda row: (-(row["messages"] or 0), row["campaign"] or ""))
    n = sum(row["messages"] or 0 for row in rows)
    if not rows or n <= 0:
        return
    largest = rows[0]
    messages, sources = int(largest["messages"] or 0), int(largest["sources"] or 0)
    subject = defang(str(largest["subject"] or ""))
    values: dict[str, Value] = {
        "campaigns": len(rows),
        "n": n,
        "campaign": str(largest["campaign"] or ""),
        "messages": messages,
        "sources": sources,
        "share": share_of(messages, n),
    }
    template = (
        f"The period's mail belongs to {{campaigns}} {plural(len(rows), 'campaign')} with {{n}} "
        f"{plural(n, 'message')} over their whole life; the largest, {{campaign}}, has {{messages}} "
        f"({{share}}) from {{sources}} {plural(sources, 'address', 'addresses')}"
    )
    if subject.strip():
        values["subject"] = subject
        template += ', for example with the subject "{subject}"'
    about = About(
        "campaigns",
        "total",
        str(largest["campaign"] or "all"),
        view.period.until,
        messages,
        view.sensors_of("total", "total", view.window),
        export("observations", campaign=str(largest["campaign"] or ""), label="wild"),
        weight=_weight(view),
    )
    yield draft(view, about, template + ".", values)


def _alive(view: View, row: Mapping[str, Any]) -> bool:
    """Whether a campaign has mail in the period; one without a date counts."""
    first, last = row["first_seen"], row["last_seen"]
    start = dt.datetime.combine(view.period.since, dt.time(), tzinfo=dt.UTC)
    stop = dt.datetime.combine(view.period.until, dt.time.max, tzinfo=dt.UTC)
    return (last is None or last >= start) and (first is None or first <= stop)
