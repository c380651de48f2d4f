"""Claims about what the mail is made of: what a reader with one junk folder and no history reads first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from spamtide.finding.claim.draft import About, draft, rows_of
from spamtide.finding.claim.volume import is_thin
from spamtide.finding.figures import share_of
from spamtide.finding.inputs import Composition, View
from spamtide.finding.words import Value, defang, listing, plural, these_days
from spamtide.model import UNKNOWN, SubjectKind
from spamtide.statement import Claim, Gathered, Gathering

NAMED = 5
LARGEST, LEAST_NAMED = 3, 3
"""Campaigns that are named, and messages from which one is."""
MAKES = 8
"""Makes of a scattered campaign from which on it is no one sender's."""
RECIPIENT = re.compile(r"\brcpt\.[0-9a-f]{16}\b")
"""What stands for a recipient's address (`observation.redact`)."""
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
    """Botnets, programmes and campaigns of the period's mail; where none has a name, campaigns alone."""
    composition = view.inputs.composition
    found = view.inputs.gathering(view.window)
    none = _none_of(composition)
    if found.messages:
        yield _campaigns(view, found, none)
    elif none:
        yield _nothing(view, "botnets", "botnet", none)
    yield from _answers(view, "botnets", "botnet", composition.botnets)
    yield from _answers(view, "programmes", "programme", composition.programmes)
    if not none and composition.programmes and not {*composition.programmes} - {UNKNOWN}:
        yield _nothing(view, "programmes", "programme", WORDS["programme"][0])


def _nothing(view: View, kind: str, subject_kind: SubjectKind, none: str) -> Claim:
    """That none of the mail has an answer."""
    n = sum(view.inputs.composition.botnets.values())
    values: dict[str, Value] = {"n": n}
    template = f"None of {{n}} {plural(n, 'message')} {these_days(values, view.window)} {none}."
    return draft(view, _about(view, kind, subject_kind, n), template, values)


def _none_of(composition: Composition) -> str:
    """What none of the mail does: carry a botnet's name, and often a programme's; '' where some does."""
    botnet, programme = (WORDS[kind][0] for kind in ("botnet", "programme"))
    if not composition.botnets or {*composition.botnets} - {UNKNOWN}:
        return ""
    return botnet if {*composition.programmes} - {UNKNOWN} else f"{botnet}, and none {programme}"


def _weight(view: View) -> float:
    """First in the bulletin where there is no level before."""
    return NO_HISTORY / 20 if view.period.comparable and not is_thin(view) else 1.0


def _about(view: View, kind: str, subject_kind: SubjectKind, n: int) -> About:
    """What a claim on the answers of all the period's mail rests on."""
    return About(
        kind,
        subject_kind,
        "all",
        view.period.until,
        n,
        view.sensors_of("total", "total", view.window),
        rows_of("total", "total", *view.window),
        weight=_weight(view),
    )


def _answers(view: View, kind: str, subject_kind: SubjectKind, counts: Mapping[str, int]) -> Iterator[Claim]:
    """How many messages have an answer, the largest answers, and how many have none."""
    n = sum(counts.values())
    named = sorted(
        ((s, k) for s, k in counts.items() if s != UNKNOWN and k > 0), key=lambda item: (-item[1], item[0])
    )
    if not named:
        return
    with_answer = sum(k for _, k in named)
    one, several, *without = WORDS[subject_kind]
    values: dict[str, Value] = {"n": n}
    whole = these_days(values, view.window)
    values |= {"named": with_answer, "named_share": share_of(with_answer, n)}
    verb = plural(with_answer, one, several)
    template = f"Of {{n}} {plural(n, 'message')} {whole}, {{named}} ({{named_share}}) {verb}: "
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
    about = _about(view, kind, subject_kind, n)
    yield draft(view, about, template + ".", values)


def _campaigns(view: View, found: Gathering, none: str) -> Claim:
    """What the period's mail is, as far as its campaigns say: how much stands alone, and the largest."""
    values: dict[str, Value] = {"n": found.messages, "campaigns": found.campaigns}
    template = (
        f"{{n}} {plural(found.messages, 'message')} {these_days(values, view.window)} "
        f"{plural(found.messages, 'belongs', 'belong')} to {{campaigns}} "
        f"{plural(found.campaigns, 'campaign')}"
    )
    if found.alone and found.campaigns > 1:
        values |= {"alone": found.alone, "alone_share": share_of(found.alone, found.messages)}
        template += f"; {{alone}} ({{alone_share}}) {plural(found.alone, 'is', 'are')} like no other message"
    told = [one for one in found.largest if one.messages >= LEAST_NAMED and not _is_a_heap(one)][:LARGEST]
    parts = []
    for at, one in enumerate(told, start=1):
        values |= {
            f"campaign{at}": one.campaign,
            f"messages{at}": one.messages,
            f"share{at}": share_of(one.messages, found.messages),
            f"sources{at}": one.sources,
            f"subject{at}": _subject(one.subject),
        }
        subject = f' ("{{subject{at}}}")' if values[f"subject{at}"] else ""
        first = at == 1
        parts.append(
            f"{{campaign{at}}}{subject} with {{messages{at}}}{f' ({{share{at}}})' if first else ''} from "
            f"{{sources{at}}}{' ' + plural(one.sources, 'address', 'addresses') if first else ''}"
        )
    if parts:
        template += f". The largest {'is' if len(parts) == 1 else 'are'} {listing(parts)}"
    about = About(
        "campaigns",
        "total",
        told[0].campaign if told else "all",
        view.period.until,
        found.messages,
        view.sensors_of("total", "total", view.window),
        rows_of("total", "total", *view.window),
        weight=_weight(view),
    )
    return draft(view, about, f"{template}.{f' None {none}.' if none else ''}", values)


def _is_a_heap(one: Gathered) -> bool:
    """Whether what was gathered is strangers' mail on one topic: of many makes, each from elsewhere."""
    return one.scattered and one.engines >= MAKES


def _subject(text: str) -> str:
    """A subject fit to be quoted; of a recipient's address, which was replaced, nothing is left."""
    return defang(" ".join(RECIPIENT.sub(" ", text).split()).strip(" ,-"))
