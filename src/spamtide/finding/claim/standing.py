"""Claims about where botnets stand at the end: quiet or silent, and what the fallen ones advertised."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace

from spamtide.finding.claim.around import FALLS, LOOK_BACK, weight_of
from spamtide.finding.claim.draft import About, draft, rows_of
from spamtide.finding.claim.volume import in_period
from spamtide.finding.figures import Figure, Window, share_of
from spamtide.finding.inputs import Behind, View
from spamtide.finding.status import HARDLY_SEEN, WEEK, lab_goes_on
from spamtide.finding.words import Value, listing, plural
from spamtide.model import UNKNOWN, Change
from spamtide.statement import Claim, ControlState, Status
from spamtide.wilson import poisson_bounds

TOLD_STATES = frozenset({"quiet, not gone", "silent", "silent for long"})
"""States that a sentence is made of; the others are in the table of statuses."""
STANDS = {"silent for long": "has long been silent"}
"""A state in a sentence, where that is not 'is' and the state itself."""
HARDLY_SEEN_LIFT = -30.0
"""What a botnet that is hardly ever recognised loses in importance."""
KNOWN, LEAST_KNOWN = 0.5, 0.1
"""Share of a botnet's mail that must name a programme that we know for what it advertised to be said without
that share, and to be said at all."""
TOLD_BEHIND = 2
LEAST_SHOWN = 0.01
"""A probability is never said closer to 0 or 1 than this."""


def standing_claims(view: View, statuses: Sequence[Status]) -> Iterator[Claim]:
    """One claim for each botnet that is quiet or silent and was seen at all."""
    whole = sum(s.before for s in statuses if s.before > 0)
    for status in statuses:
        fell = any(
            c.subject == status.botnet and c.kind in FALLS and in_period(view, c) for c in view.inputs.changes
        )
        if status.state in TOLD_STATES and status.last_seen is not None and (fell or status.before > 0):
            weight = status.before / whole if whole and status.before > 0 else 0.0
            yield _standing(view, status, weight)
        elif status.state == HARDLY_SEEN and status.lab_last_seen is not None:
            yield _hardly_seen(view, status)


def _about(view: View, status: Status, window: Window) -> About:
    """What a claim about a botnet's standing rests on."""
    return About(
        "status",
        "botnet",
        status.botnet,
        view.period.until,
        view.count("botnet", status.botnet, window),
        view.sensors_of("botnet", status.botnet, window),
        rows_of("botnet", status.botnet, *window),
    )


def _hardly_seen(view: View, status: Status) -> Claim:
    """A bot that a lab runs and that next to no wild mail is recognised as: its absence here is not shown."""
    window = (view.panel.days[0].item() if view.panel.days.size else view.period.since, view.period.until)
    n = view.count("botnet", status.botnet, window)
    about = replace(_about(view, status, window), lift=HARDLY_SEEN_LIFT)
    values: dict[str, Value] = {"name": view.name(status.botnet), "n": n}
    if status.lab_last_seen is not None:
        values["lab"] = status.lab_last_seen
    template = (
        f"{{name}}'s bot in the lab sent until {{lab}}, but only {{n}} {plural(n, 'message')} in the wild "
        f"{plural(n, 'carries', 'carry')} its traits: whether it sends to these sensors is not established."
    )
    return draft(view, about, template, values, rule=status.rule)


def _standing(view: View, status: Status, weight: float) -> Claim:
    """Volume, residual sensors, lab and control servers, each said apart."""
    week = (view.period.until - dt.timedelta(days=WEEK - 1), view.period.until)
    n = view.count("botnet", status.botnet, week)
    values: dict[str, Value] = {"name": view.name(status.botnet), "state": status.state}
    clauses = []
    if status.residual_sensors and status.volume != "gone":
        low, high = poisson_bounds(n)
        scale = status.residual_per_day / n if n else 0.0
        values |= {
            "residual": status.residual_sensors,
            "sensors": status.sensors,
            "rate": Figure(status.residual_per_day, scale * low, scale * high),
        }
        clauses.append(
            f"{{residual}} of {{sensors}} {plural(status.sensors, 'sensor')} still "
            f"{plural(status.residual_sensors, 'receives', 'receive')} a trickle, {{rate}} messages a day"
            f"{' between them' if status.residual_sensors > 1 else ''} in the last week"
        )
    elif status.last_seen is not None:
        values["last"] = status.last_seen
        trickle = _trickle(view, status)
        if trickle > 1:
            values["trickle"] = trickle
            clauses.append("a trickle of {trickle} messages came until {last} and none since")
        else:
            clauses.append("no sensor has seen it since {last}")
    if status.lab_last_seen is None:
        clauses.append("no lab of ours runs its bot")
    else:
        values["lab"] = status.lab_last_seen
        silent = (view.period.until - status.lab_last_seen).days
        # A bot that stopped when its botnet did does not go on.
        goes_on = status.volume != "gone" or lab_goes_on(
            view.period.until, status.lab_last_seen, status.last_seen
        )
        recent = silent < WEEK and goes_on
        clauses.append(
            "its bot in the lab still sends (last on {lab})"
            if recent
            else "its bot in the lab last sent on {lab}"
        )
    clauses.append(_servers(status.control, values))
    about = replace(_about(view, status, week), weight=weight)
    return draft(
        view,
        about,
        f"{{name}} {STANDS.get(status.state, 'is {state}')}: {listing(clauses)}.",
        values,
        state=status.state,
        rule=status.rule,
        **_checked(status),
    )


def _trickle(view: View, status: Status) -> int:
    """Messages from the end of its fall to the last that came: what was left of it before it was silent."""
    falls = [
        c
        for c in view.inputs.changes
        if c.subject == status.botnet and c.subject_kind == "botnet" and c.kind in FALLS and c.end is not None
    ]
    if not falls or status.last_seen is None:
        return 0
    end = max((c.end for c in falls if c.end is not None), default=status.last_seen)
    return view.count("botnet", status.botnet, (end, status.last_seen)) if end <= status.last_seen else 0


def _checked(status: Status) -> dict[str, float | str | None]:
    """What stands behind the clause on control servers."""
    if status.control is None:
        return {}
    more: dict[str, float | str | None] = {"p_alive": status.control.alive}
    return more | ({"data": "simulated"} if status.control.simulated else {})


def _servers(control: ControlState | None, values: dict[str, Value]) -> str:
    """What the checks of its control servers say, its numbers put into `values`."""
    if control is None:
        return "its control servers were not checked"
    shown = min(max(control.alive, LEAST_SHOWN), 1 - LEAST_SHOWN)
    values |= {"alive": shown, "servers": control.servers}
    bound = "" if shown == control.alive else "below " if shown > control.alive else "above "
    odds = f"(probability that {'it' if control.servers == 1 else 'one at least'} is up: {bound}{{alive}})"
    if not control.checks:
        values["checked"] = control.last_check
        checked = plural(control.servers, "server was", "servers were")
        return f"its {{servers}} control {checked} last checked on {{checked}} {odds}"
    values |= {"answered": control.answered, "checks": control.checks}
    return (
        f"its {{servers}} control {plural(control.servers, 'server')} answered {{answered}} of {{checks}} "
        f"{plural(control.checks, 'check')} in the last week {odds}"
    )


def advertised_claims(view: View) -> Iterator[Claim]:
    """What the botnets that fell had advertised: once a programme, by the largest fall."""
    falls = [
        c
        for c in view.inputs.changes
        if c.subject_kind == "botnet" and c.subject != UNKNOWN and c.kind in FALLS and in_period(view, c)
    ]
    told: set[str] = set()
    for change in sorted(falls, key=lambda c: (-weight_of(view, c), c.onset, c.subject)):
        claim = _advertised(view, change)
        if claim is not None and str(claim.numbers["programme"]) not in told:
            told.add(str(claim.numbers["programme"]))
            yield claim


def _advertised(view: View, change: Change) -> Claim | None:
    """The main programme of one botnet in the four weeks before it fell."""
    window = (change.onset_low - dt.timedelta(days=LOOK_BACK), change.onset_low - dt.timedelta(days=1))
    mix = {p: n for p, n in view.programme_mix(change.subject, window).items() if p != UNKNOWN}
    if not mix:
        return None
    programme, n = next(iter(mix.items()))
    known, all_mail = sum(mix.values()), view.count("botnet", change.subject, window)
    if known < LEAST_KNOWN * all_mail:
        return None
    others = [b for b in view.botnets if b != change.subject and view.main_programme(b, window) == programme]
    values: dict[str, Value] = {
        "share": share_of(n, known),
        "name": view.name(change.subject),
        "programme": view.name(programme),
        "until": window[1],
    }
    template = (
        "In the four weeks to {until}, {share} of {name}'s mail with a known programme advertised {programme}"
    )
    if known < KNOWN * all_mail:
        values["known_share"] = share_of(known, all_mail)
        template = (
            "In the four weeks to {until}, {known_share} of {name}'s mail named a programme that we know; "
            "{share} of this advertised {programme}"
        )
    if others:
        values["others"] = len(others)
        values["names"] = listing([view.name(b) for b in others[:5]])
        more = "" if len(others) <= 5 else " and more"  # noqa: PLR2004 - five names are enough for a sentence
        template += (
            f", as did most mail of {'another botnet' if len(others) == 1 else '{others} other botnets'} "
            f"({{names}}{more})"
        )
    template += _behind(view, programme, values)
    whole = view.count("total", "total", window)
    about = About(
        "advertised",
        "botnet",
        change.subject,
        change.onset,
        known,
        view.sensors_of("botnet", change.subject, window),
        rows_of("botnet", change.subject, *window),
        weight=view.count("botnet", change.subject, window) / whole if whole else 0.0,
    )
    sources: dict[str, float | str | None] = {
        f"source_url{at}": one.source_url for at, one in enumerate(_known_behind(view, programme), start=1)
    }
    return draft(view, about, template + ".", values, **{"programme_name": programme} | sources)


def _known_behind(view: View, programme: str) -> Sequence[Behind]:
    """The programmes that a brand is published to belong to, a few of them."""
    return view.inputs.behind.get(programme, ())[:TOLD_BEHIND]


def _behind(view: View, programme: str, values: dict[str, Value]) -> str:
    """'. Z links that brand to Y', where that is published."""
    clauses = []
    for at, one in enumerate(_known_behind(view, programme), start=1):
        values |= {f"behind{at}": one.programme, f"said_by{at}": one.said_by}
        what = "links that brand" if at == 1 else "links it"
        clauses.append(f"{{said_by{at}}} {what} to {{behind{at}}}")
    return f". {listing(clauses)}" if clauses else ""
