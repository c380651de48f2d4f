"""What is said of a small world: exact sentences, and what holds of every sentence."""

from __future__ import annotations

import datetime as dt
import re
import shlex
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from told import Campaigns, Make, said, shift, shipped

from spamtide import schema
from spamtide.finding import (
    Composition,
    FindingInputs,
    Period,
    Totals,
    claims_table,
    period,
    state,
)
from spamtide.finding.claim.sentences import TEMPLATES
from spamtide.finding.status import STATE_RULES, VOLUME_RULES
from spamtide.model import Exposure, Measurement

CAUSAL = (
    r"because|caus(e|es|ed|ing)\b|due to|led to|leads to|result(s|ed)? (in|from|of)|owing to|thanks to|"
    r"trigger|as a consequence|consequently|therefore|hence|brought about|responsible for|explain|driven by|"
    r"account(s|ed)? for|blame|effect of|in response|so that"
)
"""Wording that would claim more than dates can carry."""


def test_no_mail_at_all_is_no_error(make: Make) -> None:
    """An empty measurement with a period gives a thin claim and nothing untrue."""
    days = np.array([], dtype="datetime64[D]")
    panel = replace(
        make().measurement.panel,
        days=days,
        sensors=(),
        subjects=(),
        counts=np.zeros((0, 0, 0), dtype=np.int64),
        ham=np.zeros((0, 0), dtype=np.int64),
        relays=(),
        pairs={},
    )
    measurement = Measurement(panel, Exposure(np.zeros((0, 0)), ()), ())
    window = (dt.date(2010, 10, 8), dt.date(2010, 10, 14))
    found = state(
        FindingInputs(measurement, (), (), Period(*window, window, window), Composition(), Totals(0))
    )
    assert said(found, "thin").sentence.startswith("0 messages on 0 days at 0 sensors are too few")


def numbers_of(values: Mapping[str, float | str | None]) -> set[str]:
    """How the numbers of a claim may be written: whole or with up to two decimals, days, years."""
    written: set[str] = set()
    for value in values.values():
        if isinstance(value, float):
            written |= {f"{abs(value):,.{digits}f}" for digits in (0, 1, 2)} | {f"{value:.2g}"}
        elif isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            year, _, day = value.split("-")
            written |= {str(int(day)), year}
    return written


HOSTILE = "Buy <script>alert(1)</script>\u202e\x00 http://evil.example.com/x?q=1 **now** | [a](b)"


def rich(make: Make, campaigns: Campaigns) -> FindingInputs:
    """Inputs that yield nearly every kind of claim, with hostile text in what strangers wrote."""
    return make(
        events=shipped(),
        gathering=campaigns(("c-4k2m9q", 3000, 120, HOSTILE), ("c-b", 900, 3, "hello")),
        totals=Totals(messages=80_000, quarantined=3, simulated=True, undated=5),
    )


def test_every_number_in_a_sentence_is_in_its_numbers(make: Make, campaigns: Campaigns) -> None:
    """No figure without a name: names out, every run of digits must be one of the claim's numbers."""
    for claim in state(rich(make, campaigns)).claims:
        sentence = claim.sentence
        for value in claim.numbers.values():
            if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
                sentence = sentence.replace(value, "")
        known = numbers_of(claim.numbers)
        for number in re.findall(r"\d[\d,]*(?:\.\d+)?", sentence):
            assert number.rstrip(",") in known, (number, claim.sentence, claim.numbers)


def test_no_sentence_claims_a_cause(make: Make, campaigns: Campaigns) -> None:
    """Nowhere in the claims, nor in any template or rule."""
    texts = [c.sentence for c in state(rich(make, campaigns)).claims]
    texts += [part for parts in TEMPLATES.values() for part in parts]
    texts += [rule for rule, *_ in (*VOLUME_RULES, *STATE_RULES)]
    for text in texts:
        assert not re.search(CAUSAL, text, re.IGNORECASE), text


def test_hostile_text_is_one_harmless_line(make: Make, campaigns: Campaigns) -> None:
    """Control and direction marks are gone, the link is unusable; escaping is left to the renderer."""
    sentence = said(state(rich(make, campaigns)), "campaigns").sentence
    assert '"Buy <script>alert(1)</script> hxxp://evil[.]example[.]com/x' in sentence
    assert not set(sentence) & set("\x00\n\u202e")


def test_claims_are_ordered_unique_and_the_same_again(make: Make, campaigns: Campaigns) -> None:
    """The order is that of importance; two runs agree to the byte; the table holds every claim."""
    inputs = rich(make, campaigns)
    first, second = state(inputs), state(inputs)
    assert first == second
    assert repr(first) == repr(second)
    importances = [c.importance for c in first.claims]
    assert importances == sorted(importances, reverse=True)
    assert len({c.claim for c in first.claims}) == len(first.claims)
    table = claims_table(first.claims)
    assert table.schema == schema.CLAIMS
    assert table.column("claim").to_pylist() == [c.claim for c in first.claims]


def test_every_claim_is_marked_when_the_data_is_simulated(make: Make, campaigns: Campaigns) -> None:
    """A claim that leaves the bulletin still says what it was made from."""
    assert {c.numbers["data"] for c in state(rich(make, campaigns)).claims} == {"simulated"}
    assert not [c for c in state(make()).claims if "data" in c.numbers]


def test_commands_are_safe_to_paste(make: Make) -> None:
    """A hostile family name stays one argument of the command."""
    name = "x; rm -rf ~ $(id)"
    inputs = make()
    panel = inputs.measurement.panel
    subjects = tuple((k, name if s == "grum" else s) for k, s in panel.subjects)
    measurement = replace(inputs.measurement, panel=replace(panel, subjects=subjects))
    claim = said(state(make(measurement, changes=(shift("rise", name, "2010-10-06"),))), "rise")
    assert shlex.split(claim.command)[3:5] == ["--botnet", name]


def test_a_period_that_the_caller_chose_is_kept(make: Make) -> None:
    """Claims speak of the period given: an earlier one knows nothing of the fall."""
    inputs = make()
    early = period(inputs.measurement, dt.date(2010, 8, 1), dt.date(2010, 8, 31), inputs.changes)
    found = state(make(period=early, contributions=()))
    assert "nothing-changed" in {c.kind for c in found.claims}
    assert not [c for c in found.claims if "September" in c.sentence]


def test_every_claim_names_the_versions_of_the_tables_that_it_rests_on(make: Make) -> None:
    found = state(make(versions={"series": 4, "changes": 2, "observations": 9, "raw": 1}))
    assert said(found, "level").versions == {"series": 4}
    assert said(found, "decline", "rustock").versions == {"changes": 2, "observations": 9, "series": 4}
    assert all(claim.versions for claim in found.claims if claim.kind != "quarantine")
