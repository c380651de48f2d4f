"""Objections: what speaks against a botnet that rules and ties speak for, and what addresses say of it.

`botnets` finds the objections of all rows at once, as arrays, and `pack` writes those of a row into one whole
number, so that evidence is combined once for each distinct number (`combining.answered`). `speaks_against`
reads the number back, as evidence with a weight and a reason for a person.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from spamtide.attribution.evidence import SENSES, sums
from spamtide.attribution.spoken import ENGINE_LAYERS, MOST_AGAINST, SURE_ENGINE, Spoken, forgives
from spamtide.attribution.ties.association import Flags, Floats, Ints
from spamtide.attribution.ties.fleet import JOINS
from spamtide.attribution.ties.fleet import STEP as KIN_STEP
from spamtide.attribution.ties.lookalike import MOST as SURE_OWN
from spamtide.attribution.ties.lookalike import STEP as OWN_STEP
from spamtide.attribution.ties.silence import STEP as SILENCE_STEP
from spamtide.model import Evidence

MOST_TENANTS = 3
"""Families of one kit that are told apart by their fleets; of more, the first by name."""
HANDED = 1.0
"""Log-odds that the words of a text that is handed round give its family at most."""
WORDED, STRANGE_FLEET = 2.0, 3.0
"""Log-odds of words from which they and the engine name a family by themselves; and log-odds against the
family from which its addresses have a say all the same."""
CONTENT_LAYERS = frozenset(layer for layer, sense in SENSES["botnet"].items() if sense == "content")


class Instead(IntEnum):
    """What takes the place of the lab's silence in an objection; steps of silence are smaller numbers."""

    FOREIGN = 11
    """Nearly the engine, without its words: the campaign alone speaks, and no lab sent it."""
    JOINTLY = 12
    """Tenants of the kit send each other's texts, and this one is surely one of theirs."""
    UNTOLD = 13
    """The same, and a tenant that no lab has may send this one too."""
    STRANGE = 14
    """What differs from the engine in this way is mostly another's."""
    ANYBODYS = 15
    """The engine is rented, and addresses do not tell whose the mail is."""


_SILENCES, _KINSHIPS = 16, 64
"""Numbers that the two kinds of digits of a packed objection may take; the last digit is `own`."""
_OWN = round(SURE_OWN / OWN_STEP)


class Objection(NamedTuple):
    """The objections to what is said of one row."""

    silence: int
    """What the lab's silence takes, in steps of `ties.silence`; or an Instead."""
    fleets: tuple[int | None, ...]
    """By candidate, at most MOST_TENANTS: what its fleet's addresses say for it, in steps of `ties.fleet`,
    negative for against; None where they do not tell."""
    own: int | None
    """Odds of the family against a stranger that looks like it, in steps of `ties.lookalike`; None where
    none is to be reckoned with."""
    handed: bool = False
    """Whether senders with unlike mailers send the text: see `ties.handed`."""


def pack(silence: Ints, fleets: Sequence[tuple[Ints, Flags]], own: Floats, handed: Flags) -> Ints:
    """The objections of rows as one whole number each, 0 for none: see `Objection`.

    Args:
        silence: shape (rows,).
        fleets: by candidate, at most MOST_TENANTS: steps, and whether addresses tell; shape (rows,) each.
        own: log-odds, shape (rows,); from SURE_OWN on no stranger is to be reckoned with.
        handed: shape (rows,).
    """
    codes = np.asarray(silence, dtype=np.int64)
    for candidate, (steps, told) in enumerate(fleets):
        digit = np.where(steps >= 0, 2 * steps + 2, -2 * steps + 1)
        codes = codes + _SILENCES * _KINSHIPS**candidate * np.where(told, digit, 0)
    of_own = np.where(own < SURE_OWN, np.round(own / OWN_STEP) + _OWN + 1, 0).astype(np.int64)
    return np.asarray(2 * (codes + _SILENCES * _KINSHIPS**MOST_TENANTS * of_own) + handed)


def unpack(code: int) -> Objection:
    """The objections in one number of `pack`."""
    rest, handed = divmod(code, 2)
    rest, silence = divmod(rest, _SILENCES)
    fleets: list[int | None] = []
    for _ in range(MOST_TENANTS):
        rest, digit = divmod(rest, _KINSHIPS)
        fleets.append(None if not digit else -(digit // 2) if digit % 2 else digit // 2 - 1)
    return Objection(silence, tuple(fleets), rest - 1 - _OWN if rest else None, bool(handed))


def speaks_against(spoken: Spoken, found: Sequence[Evidence], code: int) -> list[Evidence]:
    """What a row's objections say, as evidence: against a name, or for it where its fleet's addresses do.

    Args:
        spoken: what rules say of the row.
        found: the evidence of rules and ties.
        code: its objections, from `pack`.
    """
    objection = unpack(code)
    told = [*_of_absence(spoken, found, objection.silence), *_of_silence(spoken, found, objection.silence)]
    if objection.handed:
        told.extend(_of_handed(spoken, found, told))
    worded = {item.name for item in found if item.layer == "template" and item.weight >= WORDED}
    addressed = set()
    for name, steps in _of_fleets(spoken.candidates, objection):
        engine = _strongest(name, found, ENGINE_LAYERS)
        lowers = -STRANGE_FLEET < KIN_STEP * steps <= engine
        if name in worded and objection.silence not in {Instead.UNTOLD, Instead.JOINTLY} and lowers:
            continue  # words and engine together outweigh a few fresh addresses
        addressed.add(name)
        told.extend(_of_addresses(name, engine, _heard_of_sender(name, found), KIN_STEP * steps))
    leaning, outranked = spoken.leaning, objection.silence in {Instead.STRANGE, Instead.ANYBODYS}
    if leaning and leaning not in addressed and objection.own is not None and not outranked:
        told.extend(_of_lookalikes(leaning, found, OWN_STEP * objection.own))
    return told


def _of_fleets(candidates: Sequence[str], objection: Objection) -> list[tuple[str, int]]:
    """Candidates of whose fleet addresses say something, and the steps that they say for it.

    Of a text that tenants send one another, addresses that are like none of the fleets say nothing: nobody is
    named because the others are ruled out.
    """
    pairs = zip(candidates, objection.fleets, strict=False)
    found = [(name, steps) for name, steps in pairs if steps is not None]
    like = any(KIN_STEP * steps >= JOINS for _, steps in found)
    return found if like or objection.silence != Instead.JOINTLY else []


def _of_absence(spoken: Spoken, found: Sequence[Evidence], silence: int) -> list[Evidence]:
    """What is taken from each name whose engine is not there, or not whole.

    A text that several families send is handed to many. It names none of them without its engine: that one
    family's lab knows its engines better than another's rules out the one, and not a stranger.
    """
    told = []
    worded = {item.name for item in found if item.layer == "template" and item.weight > 0}
    for name in sorted({item.name for item in found if item.weight > 0}):
        said = (item for item in found if item.name == name)
        altered = silence not in {Instead.STRANGE, Instead.FOREIGN} and name in spoken.near and forgives(said)
        missed = (spoken.near if altered else spoken.absent).get(name)
        told.extend([missed] if missed else [])
        if missed and not altered and name in worded and len(worded) > 1:
            what = "other families send this text too, and its engine is not there"
            told.append(Evidence("template", "botnet", name, -_strongest(name, found, CONTENT_LAYERS), what))
    return told


def _of_handed(spoken: Spoken, found: Sequence[Evidence], told: Sequence[Evidence]) -> list[Evidence]:
    """What is taken from words of a text that others send too, where no engine of the family's own is there.

    What its absence takes from them is not taken twice.
    """
    what = (
        "senders with other mailers than its own send this text too: only its addresses tell what is its own"
    )
    heard = [*found, *told]
    more = []
    for name in sorted({item.name for item in heard if item.weight > 0} - set(spoken.near)):
        taken = sum(item.weight for item in told if item.name == name and item.weight < 0)
        left = HANDED - _strongest(name, heard, CONTENT_LAYERS) - taken
        if left < 0 and _strongest(name, found, ENGINE_LAYERS) < SURE_ENGINE:
            more.append(Evidence("template", "botnet", name, left, what))
    return more


def _of_addresses(name: str, engine: float, sent: float, kin: float) -> list[Evidence]:
    """What a fleet says of whose the engine's mail is: it takes the place of the engine's word.

    Where it speaks for the family, it says as much as the engine at least. Where it clearly does not, what
    the address sent days ago says nothing either: who takes over a family's texts sends several of them.
    """
    if kin >= min(engine, JOINS):
        what = "the campaign's addresses share in its other mail as its own do"
        return [Evidence("sender", "botnet", name, kin - engine, what)] if kin > engine else []
    what = "whose the engine's mail is, addresses tell instead"
    if kin >= 0:
        return [Evidence("skeleton", "botnet", name, kin - engine, what)]
    against = "the campaign's addresses do not share in its other mail as its own do"
    if kin <= -JOINS and sent:
        against += ", and what this one sent within 7 days is no other evidence"
        kin -= sent
    return [
        Evidence("skeleton", "botnet", name, -engine, what),
        Evidence("sender", "botnet", name, kin, against),
    ]


def _of_lookalikes(name: str, found: Sequence[Evidence], own: float) -> list[Evidence]:
    """What is left of an engine's word beside strangers who look like it: odds against another and these.

    Strangers have nothing else of the family's: neither its addresses nor its links.
    """
    if any(item.weight > 0 and item.name == name and item.layer not in ENGINE_LAYERS for item in found):
        return []
    engine = _strongest(name, found, ENGINE_LAYERS)
    left = -math.log(math.exp(-engine) + math.exp(-own))
    what = "in these weeks, and of such a text, strangers whose mailer looks alike are to be reckoned with"
    return [Evidence("skeleton", "botnet", name, left - engine, what)]


def _of_silence(spoken: Spoken, found: Sequence[Evidence], silence: int) -> list[Evidence]:
    """What the lab's silence says, or what stands in its place."""
    if silence == Instead.STRANGE:
        what = "most mail with what it differs in has texts that are not the family's: another's engine"
        return [
            Evidence("skeleton", "botnet", name, -MOST_AGAINST - _strongest(name, found, ENGINE_LAYERS), what)
            for name in spoken.candidates
        ]
    if silence == Instead.ANYBODYS:
        what = "others are known to use the engine, and addresses do not tell whose this is"
        heard = {
            name: _strongest(name, found, ENGINE_LAYERS) + _strongest(name, found, CONTENT_LAYERS)
            for name in spoken.candidates
        }
        return [Evidence("skeleton", "botnet", name, -weight, what) for name, weight in heard.items()]
    if silence in {Instead.UNTOLD, Instead.JOINTLY}:
        return _of_shared_text(spoken.candidates, found, jointly=silence == Instead.JOINTLY)
    if 0 < silence < min(Instead) and spoken.leaning:
        what = "on days on which this text came its bot in the lab worked, and it never sent it"
        return [Evidence("campaign", "botnet", spoken.leaning, -SILENCE_STEP * silence, what)]
    return []


def _of_shared_text(candidates: Sequence[str], found: Sequence[Evidence], *, jointly: bool) -> list[Evidence]:
    """What a text that tenants of a kit share takes from them, or says for each of them as for the others."""
    heard = {name: _strongest(name, found, CONTENT_LAYERS) for name in candidates}
    if jointly:
        what = "tenants of the kit send each other's texts, so that this one speaks for all as for one"
        return [Evidence("campaign", "botnet", name, max(heard.values()), what) for name in candidates]
    what = "tenants of the kit send each other's texts, and so may others who rent it"
    return [Evidence("campaign", "botnet", name, -weight, what) for name, weight in heard.items() if weight]


def _heard_of_sender(name: str, found: Sequence[Evidence]) -> float:
    """What counts of what a message's address sent before."""
    own = sums([item for item in found if item.name == name])
    return own[name].senses.get("sender", 0.0) if own else 0.0


def _strongest(name: str, found: Sequence[Evidence], layers: Collection[str]) -> float:
    """The most that one sense says for a name."""
    return max((item.weight for item in found if item.name == name and item.layer in layers), default=0.0)
