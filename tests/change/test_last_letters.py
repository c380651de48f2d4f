"""Letters that stop naming a programme a few days before their sender stops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from change_observatory import FALL, START
from change_observatory import date as day

from spamtide.change import look
from spamtide.change.causes.names import Names
from spamtide.change.causes.telling import Judged
from spamtide.change.causes.trail import no_traces
from spamtide.model import UNKNOWN, Measurement, Panel
from spamtide.series import measure

GONE, STOPPED = 70, 72
"""First day without a letter that names the shop, and first without any."""


def world(*, instead: bool, after: int = 100) -> Measurement:
    """A sends 18 letters a day for a shop and 6 that name none; for two days all or those 6 do."""
    rng = np.random.default_rng(5)
    at, sensors = np.arange(after), 3
    letters, bare, others = (rng.poisson(rate, (sensors, after)) for rate in (6, 2, 20))
    named = np.where(at < GONE, letters, 0)
    nameless = np.where(at < STOPPED, bare, 0)
    if instead:
        nameless = nameless + np.where((at >= GONE) & (at < STOPPED), letters, 0)
    panel = Panel(
        days=START + at,
        sensors=("s0", "s1", "s2"),
        subjects=(
            ("total", "total"),
            ("botnet", "a"),
            ("botnet", UNKNOWN),
            ("programme", "shop"),
            ("programme", UNKNOWN),
        ),
        counts=np.stack([named + nameless + others, named + nameless, others, named, nameless + others]),
        ham=np.zeros((sensors, after), dtype=np.int64),
        relays=(("mx",) * after,) * sensors,
        pairs={
            ("a", "shop"): named.sum(axis=0),
            ("a", UNKNOWN): nameless.sum(axis=0),
            (UNKNOWN, UNKNOWN): others.sum(axis=0),
        },
    )
    return measure(panel)


def test_a_programme_ends_with_its_sender_though_its_last_letters_name_nothing() -> None:
    """The days of either are in its intervals: for whom the last letters were is not known."""
    told = {(c.subject_kind, c.subject): c for c in look(world(instead=True), whole=True).changes}
    shop, sender = told["programme", "shop"], told["botnet", "a"]
    assert shop.kind == sender.kind == "cease"
    assert (shop.onset, shop.end) == (sender.onset, sender.end) == (day(STOPPED), day(STOPPED))
    assert shop.onset_low <= day(GONE)
    assert shop.end_low == day(GONE)
    assert shop.end_high == sender.end_high


def test_a_programme_that_its_sender_left_before_it_stopped_ended_then() -> None:
    """What it sent besides went on as ever."""
    told = {(c.subject_kind, c.subject): c for c in look(world(instead=False), whole=True).changes}
    shop = told["programme", "shop"]
    assert (shop.kind, shop.end, shop.end_high) == ("cease", day(GONE), day(GONE))


def test_which_stops_a_programme_ended_with() -> None:
    """One of the days after its fall, of its sender itself, where either is no lost name."""
    names = Names(world(instead=True).panel, np.ones(100), no_traces)
    known = {"onset_low": day(GONE), "before": 18.0, "after": 0.0, "since": day(0), "until": day(100)}
    fall, stop = (
        replace(FALL, onset=at, onset_high=at, end=at, end_low=at, end_high=at, **known)
        for at in (day(GONE), day(STOPPED))
    )
    shop = Judged(("programme", "shop"), fall, 0.99, "stopped")
    sender = Judged(("botnet", "a"), stop, 0.99, "stopped")

    def dated(shop: Judged, sender: Judged) -> bool:
        return names.with_last_letters([shop, sender]) != [shop, sender]

    assert dated(shop, sender)
    assert dated(shop, replace(sender, event=replace(stop, end=None, end_low=None, end_high=None)))
    assert not dated(shop, replace(sender, event=replace(stop, end=day(GONE + 4))))
    assert not dated(shop, replace(sender, subject=("botnet", UNKNOWN)))
    assert not dated(shop, replace(sender, cause="attribution"))
    assert not dated(replace(shop, cause="attribution"), sender)
