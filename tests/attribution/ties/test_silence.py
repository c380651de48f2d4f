"""What the lab never sent: silence on a text, and texts that are new to it."""

from __future__ import annotations

import numpy as np

from spamtide.attribution.ties.association import UNNAMED
from spamtide.attribution.ties.silence import lab_silence, unseen_excess


def test_a_lab_that_ended_as_a_text_began_is_not_silent_on_it() -> None:
    """Three hundred messages on the day before its first: none of them could be of it."""
    days = np.array([99] * 300 + [100] * 60)
    captured = np.array([0] * 300 + [UNNAMED] * 60)
    wild = np.where(captured == 0, UNNAMED, 0)
    campaigns = np.where(captured == 0, 1, 2)
    assert not lab_silence(wild, wild, captured, campaigns, days).any()
    days[:30] = 100
    assert lab_silence(wild, wild, captured, campaigns, days)[300:].all(), "it worked on the text's day"


def test_what_the_lab_sent_is_no_text_that_is_new_to_it() -> None:
    """Of a text that several labs have most mail is another's, but it is not new to this one."""
    campaigns = np.array([1] * 20 + [2] * 40 + [1] * 30 + [3] * 30)
    captured = np.array([0] * 60 + [UNNAMED] * 60)
    wild = np.where(captured == 0, UNNAMED, 0)
    days = np.full(120, 100)
    steps = unseen_excess(wild, wild, captured, campaigns, days)
    assert not steps[60:90].any()
    assert steps[90:].all()
    other = np.where(campaigns == 1, 4, campaigns)
    other[:20] = 1
    assert unseen_excess(wild, wild, captured, other, days)[60:90].all()


def test_lab_silence_needs_days_of_lab_mail_and_a_share_worth_missing() -> None:
    """Ten of the family's hundred wild messages; the lab sent forty in those days, so four were expected."""
    wild, lab = 100, 40
    count = wild + lab
    leaning = np.full(count, UNNAMED, dtype=np.int64)
    leaning[:10] = 0
    belongs = np.where(np.arange(count) < wild, 0, UNNAMED)
    captured = np.where(np.arange(count) < wild, UNNAMED, 0)
    campaigns = np.where(np.arange(count) < 10, 7, 1)
    days = np.full(count, 100, dtype=np.int64)
    steps = lab_silence(leaning, belongs, captured, campaigns, days)
    assert set(steps[:10]) == {3}, "half of the 4 expected, less for text sent once, in steps of 1/2"
    assert not steps[10:].any()
    assert not lab_silence(leaning, belongs, captured, np.full(count, 1), days).any(), "the lab sent it too"
    assert not lab_silence(leaning, belongs, np.full(count, UNNAMED), campaigns, days).any(), "no lab"
    elsewhere = np.where(captured == 0, 50, days)
    assert not lab_silence(leaning, belongs, captured, campaigns, elsewhere).any(), (
        "the lab worked on other days"
    )
