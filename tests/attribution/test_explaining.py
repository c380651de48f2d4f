"""What `explain` says of an answer, and how it adds up."""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict

import pytest
from answer_rules import Ask
from hypothesis import given, settings
from hypothesis import strategies as st

from spamtide.attribution import Ruleset, compile_signatures, explain
from spamtide.attribution.evidence import answer, tally
from spamtide.knowledge import Knowledge
from spamtide.model import Evidence


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        (["strong_a"], ["botnet: alpha, 97.0% sure", "rule strong_a", "test.yar:2, confidence 97 %"]),
        (["strong_a", "strong_b"], ["botnet: unknown; the evidence is divided between alpha, beta"]),
        (["weak_a"], ["botnet: unknown; alpha is 80.0% likely, 90% is asked for"]),
        ([], ["botnet: unknown; nothing that counts speaks for any"]),
        (["text_c"], ["against", "has none of its skeletons, as 1 of 99 later lab messages"]),
        (["pushdo"], ["botnet: Cutwail", "also called Pushdo"]),
    ],
)
def test_explain_says_what_speaks_for_and_against(
    ask: Ask, ruleset: Ruleset, knowledge: Knowledge, rules: list[str], wanted: list[str]
) -> None:
    found = ask([{"rules": rules}])[0]
    text = "\n".join(explain({"sha256": "ab", "sensor": "trap"}, found, ruleset, knowledge))
    for part in wanted:
        assert part in text


def test_the_head_and_the_sum_round_the_same_probability(
    ask: Ask, ruleset: Ruleset, knowledge: Knowledge
) -> None:
    """Kept to four digits, 99.748 % is 99.75 %, which would be told as 99.8 %."""
    found = ask([{"rules": ["strong_a"]}])[0] | {"botnet_confidence": 0.9975}
    found["evidence"] = json.dumps(
        [asdict(Evidence(layer, "botnet", "alpha", 2.9905, "x")) for layer in ("template", "skeleton")]
    )
    lines = explain({}, found, ruleset, knowledge)
    told = [re.search(r"([\d.]+)%", line) for line in lines if "sure" in line or " = " in line]
    assert "99.7" in [one[1] for one in told if one]
    assert "99.8" not in [one[1] for one in told if one]


_PIECE = re.compile(r"  ([+-]\d+\.\d\d) (\w+) \(")
_SUM = re.compile(r"  sum (\w+): (.*): ([+-]\d+\.\d\d), ")
_HEADER = re.compile(r"botnet: .*?([\d.]+)% (?:sure|likely)")
_END = re.compile(r"  (\w+): .* = ([\d.]+)%")


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.builds(
            Evidence,
            st.sampled_from(["skeleton", "template", "campaign", "link", "sender"]),
            st.just("botnet"),
            st.sampled_from(["alpha", "beta"]),
            st.integers(-500, 530).map(lambda n: n / 100),  # as fine as they are printed
            st.sampled_from(["x", "y"]),
        ),
        min_size=1,
        max_size=7,
    )
)
def test_what_explain_prints_adds_up_to_its_probability(evidence: list[Evidence]) -> None:
    """A person with a pencil gets from the pieces to the sums, and from these to the probability."""
    name, probability = answer(tally(evidence), 0.9)
    row = {
        "botnet": name,
        "botnet_confidence": probability,
        "evidence": json.dumps([asdict(item) for item in evidence]),
    }
    lines = explain({}, row, compile_signatures([]), Knowledge({}, {}, ()))
    pieces: dict[str, float] = {}
    for line in lines:
        if (piece := _PIECE.match(line)) and "[not added" not in line:
            pieces[piece[2]] = pieces.get(piece[2], 0.0) + float(piece[1])
    printed = {found[1]: (found[2], float(found[3])) for line in lines if (found := _SUM.match(line))}
    if not any(item.weight > 0 for item in evidence):
        assert not printed
        return
    for of, (parts, total) in printed.items():
        assert sum(map(float, re.findall(r"[+-]\d+\.\d\d", parts))) == pytest.approx(total, abs=0.04)
        assert "the most by itself" in parts or pieces[of] == pytest.approx(total, abs=0.05)
    worth = {of: math.exp(total) for of, (_, total) in printed.items() if total > 0}
    ends = [found for line in lines if (found := _END.match(line))]
    assert bool(ends) == bool(worth)
    if worth:
        best, said = ends[0][1], float(ends[0][2]) / 100
        assert said == pytest.approx(min(0.999, worth[best] / (1 + sum(worth.values()))), abs=0.005)
        header = next((found for line in lines if (found := _HEADER.match(line))), None)
        assert header is None or float(header[1]) / 100 == pytest.approx(said, abs=0.0011)
