"""The bulletin in short: words of claims, their intervals beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from spamtide.bulletin import Edition, compose, render
from spamtide.bulletin.brief import MINUTE
from spamtide.statement import Brief, Claim, Status

Make = Callable[..., Claim]
FALL = (
    "Rustock probably began to fall about 20 September [18-20] and was negligible, below 5 % of its earlier "
    "level, by 2 October [30 September to 2 October]."
)
FILLED = (
    "From 20 September on Rustock sent 81 % [76-84] less than was to be expected over the first week; all "
    "spam fell short by 34 % [27-40]. Held against their own days before, others did not measurably fill in: "
    "1 % [-5 to 7] of all mail expected in the first week, within chance. It is too early for 4 weeks."
)
EVENT = (
    "The closure of SpamIt is on record for 25 September, 5 days [5-7] after the fall of Rustock began, "
    "closer than chance often brings them (p = 0.03 over 4 moves). 4 of 4 fell. Dates alone do not say which "
    "led to which, or whether either did."
)
SENSOR = (
    "Sensor trap [1-2] perhaps changed about 5 October [4-5]: its spam stands at 21 % [15-30] of what it "
    "was. This is the sensor, not the spam, and is allowed for."
)


@pytest.fixture
def story(claims: tuple[Claim, ...], make_claim: Make) -> tuple[Claim, ...]:
    """A fall that takes longer than a minute to tell."""
    padding = make_claim("published", "all", f"Others measured {'much ' * (MINUTE // 5)}.", 44)
    return (
        *(claim for claim in claims if claim.kind != "decline"),
        make_claim("decline", "rustock", FALL, 80),
        make_claim("effect", "rustock", FILLED, 63),
        make_claim("event", "rustock", EVENT, 64, claim="event:total:spamit:2010-09-25", n=513),
        make_claim("sensor-change", "trap [1-2]", SENSOR, 45, subject_kind="sensor"),
        make_claim(
            "outlook",
            "rustock",
            "The chance that Rustock is back within the next 90 days is 26 % [3-70]. Of 9, 7 ended.",
            20,
            n=9,
        ),
        padding,
    )


def in_short(claims: Sequence[Claim], statuses: Sequence[Status], edition: Edition, kind: str) -> Brief:
    (line,) = [
        line for line in compose(claims, statuses, edition).summary if line.claims[0].split(":")[0] == kind
    ]
    return line


def test_what_takes_a_minute_is_its_own_summary(
    claims: tuple[Claim, ...], statuses: Sequence[Status], edition: Edition
) -> None:
    """Nothing is told twice where it is short."""
    assert compose(claims, statuses, edition).summary == ()


def test_a_line_holds_words_of_its_claims_and_no_others(
    story: tuple[Claim, ...], statuses: Sequence[Status], edition: Edition
) -> None:
    """In their order, 'It' for a name besides; every interval that is left out stands beside it."""
    by_id = {claim.claim: claim for claim in story}
    lines = compose(story, statuses, edition).summary
    assert len(lines) >= 6
    for line in lines:
        said = iter(re.findall(r"\w+", " ".join(by_id[one].sentence for one in line.claims)))
        assert [w for w in re.findall(r"\w+", line.text) if w != "It" and w not in said] == []
        for figure in line.figures:
            assert any(figure in by_id[one].sentence for one in line.claims)
        assert line.n == by_id[line.claims[0]].n


def test_a_botnets_fall_and_state_are_one_line(
    story: tuple[Claim, ...], statuses: Sequence[Status], edition: Edition
) -> None:
    """With its hedge; its days with their intervals beside it."""
    line = in_short(story, statuses, edition, "decline")
    assert line.text == (
        "Rustock probably began to fall about 20 September and was negligible, below 5 % of its earlier "
        "level, by 2 October. It is quiet, not gone."
    )
    assert line.figures == ("20 September [18-20]", "2 October [30 September to 2 October]")


def test_nearness_in_time_keeps_its_warning(
    story: tuple[Claim, ...], statuses: Sequence[Status], edition: Edition
) -> None:
    """A coincidence is worded as one in short, too."""
    assert in_short(story, statuses, edition, "event").text == (
        "The closure of SpamIt is on record for 25 September, 5 days after the fall of Rustock began, closer "
        "than chance often brings them. Dates alone do not say which led to which, or whether either did."
    )


def test_a_vague_number_keeps_its_interval(
    story: tuple[Claim, ...], statuses: Sequence[Status], edition: Edition
) -> None:
    """Where the interval is wider than the value, the value alone would mislead."""
    assert in_short(story, statuses, edition, "outlook").text.endswith("is 26 % [3-70].")


def test_others_and_sensors_are_told_without_what_they_rest_on(
    story: tuple[Claim, ...], statuses: Sequence[Status], edition: Edition
) -> None:
    """A sensor's name is left as it is, whatever is in it."""
    others = in_short(story, statuses, edition, "effect")
    assert others.text == "Held against their own days before, others did not measurably fill in."
    assert others.figures == ("1 % [-5 to 7] of all mail expected in the first week, within chance",)
    assert in_short(story, statuses, edition, "sensor-change").text == (
        "Sensor trap [1-2] perhaps changed about 5 October. This is the sensor, not the spam, and is "
        "allowed for."
    )


def test_words_that_a_message_says_are_left_alone(make_claim: Make, edition: Edition) -> None:
    """Brackets in a subject are the sender's."""
    told = make_claim(
        "switch", "bot", f'Bot moved to "Deal 5 [1-9] (now)" by 3 October [2-4]. {"More. " * 300}', 70
    )
    (line,) = compose((told,), (), edition).summary
    assert line.text == 'Bot moved to "Deal 5 [1-9] (now)" by 3 October.'


def test_the_page_and_markdown_show_it_before_the_rest(
    story: tuple[Claim, ...], statuses: Sequence[Status], edition: Edition
) -> None:
    """With the intervals beside the words, and under the mark of simulated data."""
    bulletin = replace(compose(story, statuses, edition), simulated=True)
    html, md = render(bulletin, "html"), render(bulletin, "md")
    assert html.index("Simulated data") < html.index("In short") < html.index("In full")
    assert md.index("Simulated data") < md.index("## In short") < md.index("## In full")
    assert "20 September [18-20]; 2 October [30 September to 2 October]; n = 1,234 |" in md
    assert '"summary": [' in render(bulletin, "json")


LONG = f" {'More. ' * 300}"


def lines_of(edition: Edition, *claims: Claim) -> list[str]:
    return [line.text for line in compose(claims, (), edition).summary]


def test_who_is_back_is_not_left_silent(make_claim: Make, edition: Edition) -> None:
    """A botnet that sends again has no state that is told: its moves are one line, by day."""
    fell = make_claim(
        "cease",
        "bot",
        "Bot fell silent about 3 May [2-4], within a day.",
        80,
        claim="cease:botnet:bot:2010-05-03",
    )
    back = make_claim(
        "resume", "bot", f"Bot was back about 20 May [20].{LONG}", 70, claim="resume:botnet:bot:2010-05-20"
    )
    assert lines_of(edition, back, fell) == [
        "Bot fell silent about 3 May, within a day. It was back about 20 May."
    ]


def test_what_narrows_a_claim_stays_with_it(make_claim: Make, edition: Edition) -> None:
    """That one sensor alone saw it, that a name came back, that it is not known; that nothing changed."""
    told = {
        "rise": "Bot rose about 3 May [2-4], within a day, to 4 times [3-5] its earlier level. This is seen "
        "at one sensor of 9 only.",
        "decline": "Fir fell about 3 May [2-4], to 4 % [3-5] of its earlier level. Only one sensor, a.b, had "
        "mail in these weeks: its collecting may have changed instead.",
        "attribution-loss": "Mail known as Elm fell about 3 May [2-4] while mail without traits took its "
        "place; no fall is counted. It was named again by 9 May.",
        "status": "Oak's bot in the lab sent until 3 May, but only 2 messages in the wild carry its traits: "
        "whether it sends to these sensors is not established.",
    }
    short = [re.sub(r" \[[^]]*\]", "", text) for text in told.values()]
    claims = [make_claim(kind, kind, text + LONG, 70) for kind, text in told.items()]
    assert sorted(lines_of(edition, *claims)) == sorted(short)
    quiet = make_claim("nothing-changed", "total", f"Nothing changed in this period.{LONG}", 70)
    assert lines_of(edition, quiet) == ["Nothing changed in this period."]


def test_a_name_is_left_whole(make_claim: Make, edition: Edition) -> None:
    """Also one with what ends sentences and holds asides elsewhere."""
    name = "Dr. Oak: pills (old) 5 [1-9]"
    told = make_claim(
        "cease", "oak", f"Mail for {name} fell silent about 3 May [2-4]. It was 9 (nine).{LONG}", 70
    )
    told = replace(told, numbers={**told.numbers, "name": name})
    assert lines_of(edition, told) == [f"Mail for {name} fell silent about 3 May."]
