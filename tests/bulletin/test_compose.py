"""What becomes prose, in which order, under which title."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from spamtide.bulletin import Edition, compose
from spamtide.statement import Bulletin, Claim, Status

Claims = tuple[Claim, ...]


def test_the_lead_comes_first_then_the_botnet_then_who_moved(
    claims: Claims, statuses: Sequence[Status], edition: Edition
) -> None:
    """Order of importance, whatever the order of the claims given."""
    bulletin = compose(claims, statuses, edition)
    assert [heading for heading, *_ in bulletin.paragraphs] == [
        "",
        "Rustock",
        "Programmes.",
        "What the mail is made of.",
        "Sensors.",
    ]
    assert compose(tuple(reversed(claims)), statuses, edition) == bulletin


def test_the_title_says_how_much_and_whose(
    claims: Claims, statuses: Sequence[Status], edition: Edition
) -> None:
    """From the numbers of the level and of the decomposition."""
    assert compose(claims, statuses, edition).title == "Spam fell by 38 %; most of the fall is Rustock's"


def test_every_paragraph_is_made_of_claims_and_names_them(
    claims: Claims, statuses: Sequence[Status], edition: Edition
) -> None:
    """No sentence stands without its claim; a repeated name becomes 'It'."""
    bulletin = compose(claims, statuses, edition)
    by_id = {c.claim: c for c in bulletin.claims}
    for _, text, ids in bulletin.paragraphs:
        rest = text
        for one in ids:
            sentence = by_id[one].sentence
            short = sentence.replace(str(by_id[one].numbers.get("name")), "It", 1)
            assert rest.startswith((sentence, short))
            rest = rest.removeprefix(sentence).removeprefix(short).lstrip()
        assert rest == ""
    assert bulletin.paragraphs[1][1] == (
        "Rustock began to fall about 20 September [19-21]. It is quiet, not gone: a trickle."
    )


def test_beside_a_level_the_make_up_is_one_sentence(
    claims: Claims, statuses: Sequence[Status], edition: Edition
) -> None:
    """Without a level it is the news, and told in full."""
    with_level = dict((h, ids) for h, _, ids in compose(claims, statuses, edition).paragraphs)  # noqa: C402 - pairs of three
    without = tuple(c for c in claims if c.kind in {"botnets", "programmes", "coverage"})
    alone = dict((h, ids) for h, _, ids in compose(without, statuses, edition).paragraphs)  # noqa: C402 - pairs of three
    heading = "What the mail is made of."
    assert (len(with_level[heading]), len(alone[heading])) == (1, 2)


def test_a_quiet_period_takes_two_lines(
    claims: Claims, statuses: Sequence[Status], edition: Edition, make_claim: Callable[..., Claim]
) -> None:
    """The make-up stays in the table of claims."""
    quiet = make_claim(
        "nothing-changed",
        "total",
        "Nothing changed: 98 [95-101].",
        99,
        subject_kind="total",
        numbers={"index": 98.0},
    )
    kept = tuple(c for c in claims if c.kind in {"botnets", "coverage"})
    bulletin = compose((quiet, *kept), statuses, edition)
    assert bulletin.title == "Nothing changed: the volume index is 98"
    assert [text for _, text, _ in bulletin.paragraphs] == [
        "Nothing changed: 98 [95-101].",
        "The figures rest on 9 messages.",
    ]
    assert len(bulletin.claims) == 3


def test_a_quiet_level_far_from_its_base_says_what_that_is(
    edition: Edition, make_claim: Callable[..., Claim]
) -> None:
    numbers = {"index": 516.0, "base_month": "August 2022"}
    quiet = make_claim("nothing-changed", "total", "Nothing.", 99, subject_kind="total", numbers=numbers)
    title = "Nothing changed: the volume index is 516, where 100 is the level of August 2022"
    assert compose((quiet,), (), edition).title == title


@pytest.mark.parametrize(
    ("kinds", "title"),
    [
        ((), "Nothing can be said of this period"),
        (("coverage",), "Nothing can be said of this period"),
        (("decline", "switch"), "Rustock fell, Xarvester moved to another programme"),
        (("level",), "Spam fell by 38 %"),
    ],
)
def test_titles_follow_what_there_is(
    claims: Claims, edition: Edition, kinds: tuple[str, ...], title: str
) -> None:
    """Each rule stands alone; no claims at all make an honest title."""
    assert compose([c for c in claims if c.kind in kinds], (), edition).title == title


@pytest.mark.parametrize(
    ("numbers", "kinds", "title"),
    [
        (
            {"largest_share": 1.4, "against": 9.0},
            ("level", "decomposition"),
            "Spam fell by 38 %; Rustock alone lost more",
        ),
        (
            {"base_month": "July"},
            ("level", "decomposition", "switch"),
            "Spam stands 38 % below its level of July; Xarvester moved to another programme",
        ),
    ],
)
def test_the_title_says_what_a_fall_is_held_against(
    claims: Claims, edition: Edition, numbers: dict[str, object], kinds: tuple[str, ...], title: str
) -> None:
    """A level of months ago is no news by itself; a botnet may have lost more than all together."""
    chosen = [replace(c, numbers={**c.numbers, **numbers}) for c in claims if c.kind in kinds]
    assert compose(chosen, (), edition).title == title


def test_sensors_that_changed_together_make_the_title(
    claims: Claims, edition: Edition, make_claim: Callable[..., Claim]
) -> None:
    """What the sensors did outranks what their mail seems to say; single sensors are not told again."""
    several = make_claim(
        "sensor-change", "several", "2 of 3 sensors changed.", 90,
        subject_kind="sensor", numbers={"k": 2.0, "all": 3.0}, sensors=("trap-a", "trap-b"),
    )  # fmt: skip
    one = make_claim("sensor-change", "trap-a", "Sensor trap-a changed.", 80, subject_kind="sensor")
    bulletin: Bulletin = compose((*claims, several, one), (), edition)
    assert bulletin.title == "2 of 3 sensors changed; that is not the spam"
    assert bulletin.paragraphs[0][1].startswith("2 of 3 sensors changed. The volume index stands at")
    (text,) = [text for heading, text, _ in bulletin.paragraphs if heading == "Sensors."]
    assert text == "The figures rest on 9 messages."


def test_the_title_counts_those_who_did_the_same(edition: Edition, make_claim: Callable[..., Claim]) -> None:
    """Botnets that swap programmes are told together; their programmes' moves only repeat them."""
    told = (
        make_claim("resume", "alder", "Alder is back.", 80),
        *(make_claim("switch", name, f"{name} moved.", 70) for name in ("birch", "cedar", "dogwood")),
        make_claim("rise", "Pills", "Mail for Pills rose.", 75, subject_kind="programme"),
    )
    title = "Alder is back; Birch, Cedar and Dogwood moved to other programmes"
    assert compose(told, (), edition).title == title
    assert compose(told[-1:], (), edition).title == "Pills rose"


def test_many_botnets_share_a_paragraph(edition: Edition, make_claim: Callable[..., Claim]) -> None:
    """Four get one each, five more a sentence each, the rest stay in the table."""
    many = tuple(make_claim("decline", f"bot{k:02d}", f"Bot{k:02d} fell.", 70 - k) for k in range(12))
    bulletin = compose(many, (), edition)
    assert [h for h, *_ in bulletin.paragraphs] == ["Bot00", "Bot01", "Bot02", "Bot03", "Others."]
    assert len(bulletin.paragraphs[-1][2]) == 5
    assert len(bulletin.claims) == 12


@pytest.mark.parametrize(
    ("numbers", "title"),
    [
        (
            {"times": 12.4, "sample": 210.0, "sample_sensors": 1.0},
            "At one sensor, 210 messages: spam rose to 12 times its earlier level",
        ),
        ({"times": 2.46}, "Spam rose to 2.5 times its earlier level"),
        ({"sample": 640.0, "sample_sensors": 3.0}, "At 3 sensors, 640 messages: spam rose by 38 %"),
        ({"times": 12.4, "base_month": "July"}, "Spam stands at 12 times its level of July"),
    ],
)
def test_a_title_says_times_and_how_little_it_rests_on(
    claims: Claims, edition: Edition, numbers: dict[str, object], title: str
) -> None:
    """Of a rise over a doubling, and of few messages or one sensor."""
    level = next(c for c in claims if c.kind == "level")
    rise = replace(level, numbers={**level.numbers, "direction": "rise", **numbers})
    assert compose([rise], (), edition).title == title


def test_titles_of_the_nameless_the_dark_and_the_exchange(
    claims: Claims, edition: Edition, make_claim: Callable[..., Claim]
) -> None:
    """Most may be nobody's whom we know; nothing collected is no quiet; a place may be taken."""
    moved = [c for c in claims if c.kind in {"level", "decomposition"}]
    nameless = [replace(c, numbers={**c.numbers, "nameless_word": "most"}) for c in moved]
    assert compose(nameless, (), edition).title == "Spam fell by 38 %; most of what went has no name"
    dark = make_claim("dark", "total", "Nothing was collected.", 100, subject_kind="total")
    assert compose((dark,), (), edition).title == "Nothing was collected"
    numbers = {"most_gained": "Bagle", "most_lost": "Rustock", "month": "January"}
    exchange = make_claim("exchange", "total", "Not the same.", 94, subject_kind="total", numbers=numbers)
    rise = make_claim("rise", "Pills", "Mail for Pills rose.", 60, subject_kind="programme")
    title = "Spam stands where it stood in January: more from Bagle, less from Rustock"
    assert compose((exchange, rise), (), edition).title == title


def test_sensors_that_were_down_together_are_told_together(
    edition: Edition, make_claim: Callable[..., Claim]
) -> None:
    """Their own sentences stay in the table; an outage of another day is told."""
    both = make_claim(
        "sensor-outage", "several", "Both were down.", 30, subject_kind="sensor", sensors=("a", "b")
    )
    own = [make_claim("sensor-outage", name, f"Sensor {name}.", 20, subject_kind="sensor") for name in "ab"]
    other = make_claim("sensor-outage", "a", "Sensor a again.", 20, subject_kind="sensor")
    other = replace(other, claim=other.claim.rsplit(":", 1)[0] + ":2011-01-01")
    (text,) = [text for _, text, _ in compose((both, *own, other), (), edition).paragraphs]
    assert text == "Both were down. Sensor a again."


def test_an_event_that_is_near_stands_beside_one_that_is_linked(
    edition: Edition, make_claim: Callable[..., Claim]
) -> None:
    """Else among the programmes, or alone."""
    near = make_claim("nearby", "alder", "The other is near.", 48)
    linked = make_claim("event", "alder", "The one is linked.", 82)
    (told,) = compose((near, linked), (), edition).paragraphs
    assert told[:2] == ("On the same days.", "The one is linked. The other is near.")
    (alone,) = compose((near,), (), edition).paragraphs
    assert alone[:2] == ("Events on record.", "The other is near.")


def test_names_that_were_lost_are_told_by_their_days(
    edition: Edition, make_claim: Callable[..., Claim]
) -> None:
    """Whatever their importance: who reads of July before May looks for the year."""
    told = [
        make_claim("attribution-loss", "alder", f"It lost its name in {month}.", rank, claim=f"x:{day}")
        for month, day, rank in (
            ("July", "2010-07-09", 90),
            ("May", "2010-05-08", 80),
            ("June", "2010-06-02", 85),
        )
    ]
    ((heading, text, _),) = compose(tuple(told), (), edition).paragraphs
    assert heading == "What lost its name."
    assert text == "It lost its name in May. It lost its name in June. It lost its name in July."


def test_floods_are_told_by_their_days_and_make_a_title_where_nothing_else_does(
    claims: Claims, edition: Edition, make_claim: Callable[..., Claim]
) -> None:
    """Two at most, the earlier first; nothing moved for good."""
    level = replace(claims[1], numbers={"index": 86.0})
    floods = [
        make_claim(
            "surge", "total", f"Spam surged in {month}.", importance,
            claim=f"surge:total:total:2010-{at}", subject_kind="total", numbers=numbers,
        )
        for month, at, importance, numbers in (
            ("October", "10-01", 60, {"factor": 3.04, "flood_word": "Most", "flood_sender": "Ivy"}),
            ("July", "07-09", 50, {}),
            ("August", "08-09", 40, {}),
        )
    ]  # fmt: skip
    bulletin = compose((level, *floods), (), edition)
    assert bulletin.title == "A flood of 3.0 times the usual spam, most of it Ivy's; the index stands at 86"
    assert bulletin.paragraphs[0][1].endswith("Spam surged in July. Spam surged in October.")


def test_what_dates_do_not_say_is_said_once(edition: Edition, make_claim: Callable[..., Claim]) -> None:
    """Two events in a row need one warning; each claim keeps its own."""
    warning = "Dates alone do not say which led to which, or whether either did."
    told = tuple(make_claim("event", name, f"{name} is near (p = 0.01). {warning}", 60) for name in "AB")
    bulletin = compose(told, (), edition)
    assert bulletin.paragraphs[0][1] == f"A is near (p = 0.01). {warning} B is near (p = 0.01)."
    assert all(c.sentence.endswith(warning) for c in bulletin.claims)
