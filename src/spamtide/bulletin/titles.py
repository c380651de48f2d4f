"""The title of a bulletin: the first rule that its claims carry decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from spamtide.model import UNKNOWN
from spamtide.statement import SEVERAL, Claim

ROOM = 3
"""Names that a title has room for."""
ALONE = 1.05
"""Share of a change of all mail from which one botnet moved by more than all together."""

TITLE_VERBS: dict[str, tuple[str, str]] = {
    "decline": ("fell", "fell"),
    "cease": ("fell silent", "fell silent"),
    "rise": ("rose", "rose"),
    "resume": ("is back", "are back"),
    "surge": ("surged", "surged"),
    "new": ("is new", "are new"),
    "switch": ("moved to another programme", "moved to other programmes"),
    "stopped": ("has been silent for hours", "have been silent for hours"),
    "stopping": ("has sent next to nothing for hours", "have sent next to nothing for hours"),
}
"""What one subject did, and what two did."""


def title_of(claims: Sequence[Claim]) -> str:
    """The first title that the claims carry, by the rules of TITLES."""
    by_kind: dict[str, Claim] = {}
    for claim in claims:
        by_kind.setdefault(claim.kind, claim)
    for rule in TITLES:
        title = rule(by_kind, claims)
        if title:
            return title
    return "Nothing can be said of this period"


def name_of(claim: Claim) -> str:
    """The name by which a claim calls its subject."""
    name = claim.numbers.get("name")
    return name if isinstance(name, str) else claim.subject


def most_sensors(claims: Sequence[Claim]) -> Claim | None:
    """That half of all sensors or more changed at once, where they did: the first thing to know."""
    together = next((c for c in claims if c.kind == "sensor-change" and c.subject == "several"), None)
    if together is None:
        return None
    changed, whole = together.numbers.get("k"), together.numbers.get("all")
    if not isinstance(changed, int | float) or not isinstance(whole, int | float):
        return None
    return together if 2 * changed >= whole else None


def _number(claim: Claim, name: str, unit: str = "") -> str:
    """A claim's number for a title: whole, without its interval, which the text gives."""
    value = claim.numbers.get(name)
    return f"{value:,.0f}{unit}" if isinstance(value, int | float) else "an unknown number"


def _thin_title(kinds: Mapping[str, Claim], _: Sequence[Claim]) -> str:
    """Little mail."""
    thin = kinds.get("thin")
    if thin is None:
        return ""
    lack = str(thin.numbers.get("lack", "too few")).removeprefix("of ")
    return f"{_number(thin, 'n')} {'message' if thin.n == 1 else 'messages'}: {lack} for a trend"


def _dark_title(kinds: Mapping[str, Claim], _: Sequence[Claim]) -> str:
    """No mail, and nobody who would have taken it in."""
    return "Nothing was collected" if "dark" in kinds else ""


def _quiet_title(kinds: Mapping[str, Claim], _: Sequence[Claim]) -> str:
    """No news. Far from its base, an index alone reads as a jump."""
    quiet = kinds.get("nothing-changed")
    if quiet is None:
        return ""
    base = quiet.numbers.get("base_month")
    of = f", where 100 is the level of {base}" if isinstance(base, str) else ""
    return f"Nothing changed: the volume index is {_number(quiet, 'index')}{of}"


def _sensors_title(_: Mapping[str, Claim], claims: Sequence[Claim]) -> str:
    """Several sensors changed at once, which outranks what their mail seems to say."""
    together = next((c for c in claims if c.kind == "sensor-change" and c.subject == "several"), None)
    if together is None:
        return ""
    return f"{_number(together, 'k')} of {_number(together, 'all')} sensors changed; that is not the spam"


def _most_sensors_title(kinds: Mapping[str, Claim], claims: Sequence[Claim]) -> str:
    """Most sensors changed at once, which outranks everything."""
    return _sensors_title(kinds, claims) if most_sensors(claims) else ""


def _level_title(kinds: Mapping[str, Claim], claims: Sequence[Claim]) -> str:
    """The total moved."""
    level, parts = kinds.get("level"), kinds.get("decomposition")
    if level is None or level.numbers.get("direction") not in {"fall", "rise"}:
        return ""
    falling = level.numbers["direction"] == "fall"
    times = "times" in level.numbers
    much = f"to {_times(level)}" if times else f"by {_number(level, 'percent', ' %')}"
    base = level.numbers.get("base_month")
    if isinstance(base, str) or level.numbers.get("dated") == "no":
        percent = _number(level, "percent", " %")
        where = f"at {_times(level)}" if times else f"{percent} {'below' if falling else 'above'}"
        whose = f"its level of {base}" if base else "its earlier level"
        title = f"{_sampled(level)}spam stands {where} {whose}"
        title = f"{title[:1].upper()}{title[1:]}"
        # Where the level before lies months back, what happened in the period is news besides.
        more = _move_title(kinds, claims) if base else "no change could be dated"
        return f"{title}; {more}" if more else title
    title = (
        f"{_sampled(level)}spam {'fell' if falling else 'rose'} {much}{' its earlier level' if times else ''}"
    )
    title = f"{title[:1].upper()}{title[1:]}"
    word = parts.numbers.get("largest_word") if parts else None
    if parts is not None and parts.numbers.get("nameless_word") in {"most", "nearly all"}:
        return (
            f"{title}; {parts.numbers['nameless_word']} of what {'went' if falling else 'came'} has no name"
        )
    if parts is None or word not in {"most", "nearly all"}:
        return title
    largest, share = parts.numbers["largest"], parts.numbers.get("largest_share")
    if isinstance(share, int | float) and share > ALONE and "against" in parts.numbers:
        return f"{title}; {largest} alone {'lost' if falling else 'gained'} more"
    return f"{title}; {word} of the {level.numbers['direction']} is {largest}'s"


def _times(level: Claim) -> str:
    """'12 times' or '2.5 times'."""
    value = level.numbers.get("times")
    if not isinstance(value, int | float):
        return "several times"
    return f"{value:,.0f} times" if value >= SEVERAL else f"{value:.1f} times"


def _sampled(level: Claim) -> str:
    """How little a title rests on: 'At one sensor, 210 messages: ', or nothing."""
    n, sensors = level.numbers.get("sample"), level.numbers.get("sample_sensors")
    if not isinstance(n, int | float) or not isinstance(sensors, int | float):
        return ""
    return f"At {'one sensor' if sensors == 1 else f'{sensors:,.0f} sensors'}, {n:,.0f} messages: "


def _move_title(kinds: Mapping[str, Claim], claims: Sequence[Claim]) -> str:
    """What the most important botnets did, and what the next ones did; else a programme's move."""
    moved = [
        c
        for c in claims
        if c.kind in TITLE_VERBS and c.subject_kind in {"botnet", "programme"} and c.subject != UNKNOWN
    ]
    botnets = [c for c in moved if c.subject_kind == "botnet"]
    if not botnets and (exchanged := _exchange_title(kinds, claims)):
        return exchanged
    told: dict[str, str] = {}
    for claim in botnets or moved:  # a programme's move mostly repeats its botnets'
        hours = "stopping" if "seen" in claim.numbers else "stopped"
        told.setdefault(name_of(claim), hours if "due" in claim.numbers else claim.kind)
    groups: dict[str, list[str]] = {}
    for name, kind in told.items():
        groups.setdefault(kind, []).append(name)
    several = any(len(names) > 1 for names in groups.values())
    title = ("; " if several else ", ").join(_did(kind, names) for kind, names in list(groups.items())[:2])
    heir = kinds.get("carried-on")
    if heir is not None and next(iter(told), "") == heir.numbers.get("name"):
        whose = "its" if len(told) == 1 else f"{heir.numbers['name']}'s"
        title += f"; {whose} mail for {heir.numbers['programme']} goes on under another sender"
    return title


def _exchange_title(kinds: Mapping[str, Claim], _: Sequence[Claim]) -> str:
    """All mail stands where it stood, and is not made of the same."""
    exchange = kinds.get("exchange")
    if exchange is None or "percent" in exchange.numbers:
        return ""
    gained, lost = (exchange.numbers.get(name) for name in ("most_gained", "most_lost"))
    told = [f"more from {gained}" if gained else "", f"less from {lost}" if lost else ""]
    return f"Spam stands where it stood in {exchange.numbers['month']}: {', '.join(filter(None, told))}"


def _did(kind: str, names: Sequence[str]) -> str:
    """What one, two or more subjects did."""
    one, several = TITLE_VERBS[kind]
    if len(names) == 1:
        return f"{names[0]} {one}"
    if len(names) <= ROOM:
        return f"{', '.join(names[:-1])} and {names[-1]} {several}"
    return f"{names[0]}, {names[1]} and {len(names) - 2} others {several}"


def _unclear_title(kinds: Mapping[str, Claim], _: Sequence[Claim]) -> str:
    """The volume cannot be told."""
    return "What the volume did cannot be told" if "unclear" in kinds else ""


def _flood_title(kinds: Mapping[str, Claim], claims: Sequence[Claim]) -> str:
    """A flood of all mail, which moved nothing for good."""
    flood = next((c for c in claims if c.kind == "surge" and c.subject_kind == "total"), None)
    factor = flood.numbers.get("factor") if flood else None
    if flood is None or "level" not in kinds or not isinstance(factor, int | float):
        return ""
    sender = flood.numbers.get("flood_sender")
    whose = f", {str(flood.numbers['flood_word']).lower()} of it {sender}'s" if sender else ""
    index = _number(kinds["level"], "index")
    return f"A flood of {factor:.1f} times the usual spam{whose}; the index stands at {index}"


def _level_only_title(kinds: Mapping[str, Claim], _: Sequence[Claim]) -> str:
    """An index and nothing else."""
    level = kinds.get("level")
    return f"The volume index stands at {_number(level, 'index')}" if level else ""


def _makeup_title(kinds: Mapping[str, Claim], _: Sequence[Claim]) -> str:
    """No history at all."""
    made, campaigns = kinds.get("botnets"), kinds.get("campaigns")
    if made and "named" in made.numbers:
        return f"What {_number(made, 'n')} messages are made of"
    if campaigns:
        many = _number(campaigns, "campaigns")
        return f"{_number(campaigns, 'n')} messages of {many} campaigns, no known botnet's"
    return f"{_number(made, 'n')} messages, no known botnet's" if made else ""


TITLES: tuple[Callable[[Mapping[str, Claim], Sequence[Claim]], str], ...] = (
    _most_sensors_title,
    _dark_title,
    _thin_title,
    _quiet_title,
    _sensors_title,
    _level_title,
    _move_title,
    _unclear_title,
    _flood_title,
    _level_only_title,
    _makeup_title,
)
"""Rules for the title, the first that has one decides."""
