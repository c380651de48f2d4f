"""The page, the Markdown and the JSON: escaped, self-contained, the same again."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spamtide.bulletin import ChartInputs, Charts, Edition, charts, compose, render
from spamtide.bulletin.drawings import LETTER, _band_labels
from spamtide.bulletin.pictures import WIDTH, pooled
from spamtide.bulletin.render import markdown, tidy
from spamtide.bulletin.svg import embed
from spamtide.errors import UsageError
from spamtide.finding.words import COINCIDENCE_WORDS, CONFIDENCE_WORDS, SHARE_WORDS
from spamtide.model import UNKNOWN, Change, Exposure, IndexSeries, Measurement
from spamtide.statement import Bulletin, Claim, ControlState, Status

HOSTILE = (
    "<script>alert(1)</script>\"'><img src=x onerror=y>\u202e\x00 http://evil.example/x [a](b) `c` | d\n# e"
)
VOID = {"meta", "br", "img", "link", "hr"}


class Checker(HTMLParser):
    """Collects tags, attributes and text, and checks that tags are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag and remember that it is open."""
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag that closes itself."""
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Close what is open up to this tag."""
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text.append(data)


def checked(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    return checker


@pytest.fixture
def bulletin(claims: tuple[Claim, ...], statuses: Sequence[Status], edition: Edition) -> Bulletin:
    return compose(claims, statuses, edition)


def hostile(bulletin: Bulletin) -> Bulletin:
    """The bulletin with hostile text wherever a stranger could have written."""
    claims = tuple(
        replace(
            c,
            sentence=HOSTILE,
            subject=HOSTILE,
            command=HOSTILE,
            sensors=(HOSTILE,),
            numbers={HOSTILE: HOSTILE},
        )
        for c in bulletin.claims
    )
    statuses = tuple(
        replace(s, botnet=HOSTILE, state=HOSTILE, programmes=((HOSTILE, 0.5),)) for s in bulletin.statuses
    )
    paragraphs = ((HOSTILE, HOSTILE, (bulletin.claims[0].claim, HOSTILE)),)
    return replace(bulletin, title=HOSTILE, claims=claims, statuses=statuses, paragraphs=paragraphs)


# ---------------------------------------------------------------------------- the page


def test_the_page_is_one_file_that_loads_nothing(bulletin: Bulletin, drawn: Charts) -> None:
    """No script, no frame, no outside address anywhere; every link is to a place on the page."""
    checker = checked(render(bulletin, "html", drawn))
    names = {tag for tag, _ in checker.tags}
    assert not names & {"script", "iframe", "link", "img", "object", "embed", "image", "use"}
    for tag, attributes in checker.tags:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in {"href", "src", "xlink:href", "action"}:
                assert str(value).startswith("#")
    assert len(set(checker.ids)) == len(checker.ids)
    places = {f"#{one}" for one in checker.ids}
    assert {a["href"] for tag, a in checker.tags if tag == "a"} <= places


def test_the_page_is_read_aloud_well(bulletin: Bulletin, drawn: Charts) -> None:
    """Language, one h1, captions on tables, header cells with scope, a label on every chart."""
    checker = checked(render(bulletin, "html", drawn))
    tags = [tag for tag, _ in checker.tags]
    assert ("html", {"lang": "en-GB"}) in checker.tags
    assert tags.count("h1") == 1
    assert tags.count("table") == tags.count("caption") == 3
    assert all("scope" in a for tag, a in checker.tags if tag == "th")
    labelled = [a for tag, a in checker.tags if tag == "svg"]
    assert len(labelled) == 4
    assert all(a["role"] == "img" and len(a["aria-label"] or "") > 30 for a in labelled)


def test_simulated_data_is_said_in_every_form(bulletin: Bulletin) -> None:
    """On the page and in Markdown as a banner, in JSON as a field; and not where it was observed."""
    assert "Simulated data: none of the mail on this page was observed." in render(bulletin, "html")
    assert "**Simulated data: none of the mail below was observed.**" in render(bulletin, "md")
    assert json.loads(render(bulletin, "json"))["simulated"] is True
    observed = replace(bulletin, simulated=False)
    for form in ("html", "md"):
        assert "imulated data" not in render(observed, form)


def test_hostile_text_is_escaped_everywhere_on_the_page(bulletin: Bulletin, scene: ChartInputs) -> None:
    """Only text comes of it: no tag, no attribute, no control or direction mark, no usable link."""
    panel = replace(
        scene.measurement.panel,
        sensors=(HOSTILE, "b", "c"),
        subjects=(("total", "total"), ("botnet", HOSTILE), ("botnet", "x"), ("botnet", "unknown")),
        pairs={(HOSTILE, HOSTILE): scene.measurement.panel.counts[1].sum(axis=0)},
    )
    drawn = charts(
        replace(
            scene,
            measurement=replace(scene.measurement, panel=panel),
            changes=tuple(replace(c, subject=HOSTILE) for c in scene.changes),
            contributions=tuple(replace(c, subject=HOSTILE) for c in scene.contributions),
            events=((scene.events[0][0], HOSTILE),),
        )
    )
    page = render(hostile(bulletin), "html", drawn)
    checker = checked(page)
    assert not {"script", "img"} & {tag for tag, _ in checker.tags}
    assert not any(name.startswith("on") for _, a in checker.tags for name in a)
    assert not set(page) & set("\u202e\x00")
    shown = " ".join(checker.text)
    assert "hxxp://evil.example" in shown
    assert "http://" not in shown


def test_the_page_says_what_stands_behind_a_claim(bulletin: Bulletin) -> None:
    """Numbers, n with separators, sensors, confidence, id and command of each; versions at the foot."""
    page = render(bulletin, "html")
    text = " ".join(checked(page).text)
    for claim in bulletin.claims:
        assert claim.command in text
        assert claim.claim in text
    assert "1,234" in text
    assert "1,204,331 messages" in text
    assert "changes 2, series 4" in text
    assert "38\u00a0% [35-41]" in text


def test_what_is_not_known_is_said_to_be_unknown(bulletin: Bulletin) -> None:
    """No NaN, None or nan is ever shown."""
    for form in ("html", "md"):
        text = render(bulletin, form)
        assert not re.search(r"\b(NaN|nan|None|inf)\b", text)
        assert "unknown" in text
    assert "NaN" not in render(bulletin, "json")


def test_the_words_on_the_page_are_those_of_the_tables(bulletin: Bulletin) -> None:
    """How to read the words: each word stands on the page with the threshold that the table gives it."""
    text = " ".join(" ".join(checked(render(bulletin, "html")).text).replace("\u00a0", " ").split())
    for least, word in (*CONFIDENCE_WORDS, *SHARE_WORDS):
        if word and least:
            assert re.search(rf"{word} (means |is )?{100 * least:.0f} % or more", text), word
    (rare, hardly), (few, closer), (_, chance) = COINCIDENCE_WORDS
    assert f"{closer} where at most {100 * few:.0f} %" in text
    assert "hardly ever" in hardly
    assert f"hardly ever : {100 * rare:.0f} %" in text.replace("hardly ever:", "hardly ever :")
    assert chance.removeprefix("which ") in text


# ---------------------------------------------------------------------------- the same again


def test_the_same_inputs_give_the_same_bytes(bulletin: Bulletin, scene: ChartInputs, drawn: Charts) -> None:
    """Twice in one process: the renderer's running numbers do not show."""
    again = charts(scene)
    for form in ("html", "md", "json"):
        assert render(bulletin, form, drawn) == render(bulletin, form, again)


def test_zone_locale_and_hash_seed_do_not_show() -> None:
    """A chart drawn in Tokyo with another hash seed has the same bytes."""
    code = (
        "import sys, datetime as dt, hashlib, numpy as np\n"
        "from spamtide.bulletin import ChartInputs, charts\n"
        "from spamtide.model import *\n"
        "d = np.arange(40) + np.datetime64('2010-09-01'); c = np.full((3, 2, 40), 9)\n"
        "x = np.full(40, 100.0)\n"
        "s = IndexSeries('total', 'total', d, c[0].sum(0), x, x - 5, x + 5, '2010-09-01..2010-09-07',\n"
        "                x, 1.0, 0.0)\n"
        "p = Panel(d, ('a', 'b'), (('total', 'total'), ('botnet', 'k'), ('botnet', 'l')), c,\n"
        "          np.zeros((2, 40), dtype=int), (('',) * 40,) * 2, {})\n"
        "w = (dt.date(2010, 9, 20), dt.date(2010, 10, 10))\n"
        "m = Measurement(p, Exposure(np.ones((2, 40)), ()), (s,))\n"
        "made = charts(ChartInputs(m, (), (), w, w, w, ((w[0], 'e'),)))\n"
        "print(len(made.pictures), hashlib.sha256(repr(made).encode()).hexdigest())\n"
    )
    seen = set()
    for zone, seed in (("UTC", "1"), ("Asia/Tokyo", "2")):
        env = os.environ | {"TZ": zone, "PYTHONHASHSEED": seed, "LC_ALL": "C"}
        made = subprocess.run(  # noqa: S603 - our own interpreter and code
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
        )
        seen.add(made.stdout)
    assert len(seen) == 1
    assert seen.pop().startswith("3 ")


# ---------------------------------------------------------------------------- charts


def test_the_matrix_shows_the_switch(drawn: Charts) -> None:
    """Shares of each botnet's mail with a known programme, before and after."""
    cells = {(m.botnet, m.programme): (m.before, m.after) for m in drawn.mix}
    assert cells["Xarvester", "Maple Meds"] == (1.0, 0.0)
    assert cells["Xarvester", "Ultimate Replicas"] == (0.0, 1.0)
    assert cells["Rustock", "Maple Meds"] == (1.0, 1.0)


def test_events_outside_the_charts_are_left_out(drawn: Charts) -> None:
    """Only what lies on the axis is listed."""
    assert [what for _, what in drawn.events] == ["SpamIt: <b>closure</b>"]


def test_charts_of_nothing_are_no_error(scene: ChartInputs) -> None:
    """No day, no sensor, no contribution: no picture."""
    days = np.array([], dtype="datetime64[D]")
    panel = replace(
        scene.measurement.panel,
        days=days,
        sensors=(),
        subjects=(),
        counts=np.zeros((0, 0, 0), dtype=np.int64),
        pairs={},
    )
    nothing = Measurement(panel, Exposure(np.zeros((0, 0)), ()), ())
    made = charts(replace(scene, measurement=nothing, changes=(), contributions=(), before=scene.after))
    assert made.pictures == ()
    assert made.mix == ()


def test_days_without_a_sensor_are_a_gap_not_an_error(scene: ChartInputs) -> None:
    """NaN days are left out of the line; all NaN still draws axes."""
    total = scene.measurement.series[0]
    index = np.full_like(total.index, np.nan)
    series = (replace(total, index=index, low=index, high=index),)
    made = charts(replace(scene, measurement=replace(scene.measurement, series=series)))
    assert "no day with a sensor up" in made.pictures[0].alt


def long_scene(scene: ChartInputs, days: int) -> ChartInputs:
    """The same mail over and over, for so many days, shown from its first on."""
    panel, total = scene.measurement.panel, scene.measurement.series[0]
    times = -(-days // len(panel.days))
    axis = panel.days[0] + np.arange(days)

    def on(values: np.ndarray) -> np.ndarray:
        return np.concatenate([values] * times, axis=-1)[..., :days]

    lines = {name: on(getattr(total, name)) for name in ("count", "index", "low", "high", "offset")}
    measurement = replace(
        scene.measurement,
        panel=replace(
            panel,
            days=axis,
            counts=on(panel.counts),
            ham=on(panel.ham),
            relays=tuple(row * times for row in panel.relays),
            pairs={pair: on(counts) for pair, counts in panel.pairs.items()},
        ),
        exposure=replace(scene.measurement.exposure, values=on(scene.measurement.exposure.values)),
        series=(replace(total, days=axis, **lines),),
    )
    window = (axis[0].astype(dt.date), axis[-1].astype(dt.date))
    return replace(scene, measurement=measurement, window=window)


@pytest.mark.parametrize(
    ("days", "label", "means"),
    [
        (250, r"^ ?\d+ [A-Z][a-z]+$", ""),
        (700, r"^[A-Z][a-z]+ \d{4}$", "a week"),
        (6000, r"^\d{4}$", "four weeks"),
    ],
)
def test_a_long_axis_names_its_years_and_its_points_are_few(
    scene: ChartInputs, days: int, label: str, means: str
) -> None:
    """Of 25 years no axis says '1 Jan' twelve times, and no page grows by days times sensors."""
    tide, whose, coverage, _ = charts(long_scene(scene, days)).pictures
    for picture in (tide, whose, coverage):
        ticks = re.findall(r">([^<>]*\d{1,4}[^<>]*|[^<>]*[A-Z][a-z]{2}[^<>]*)</text>", picture.svg)
        dates = [text for text in ticks if re.search(label, text)]
        assert len(dates) >= 4, ticks
        assert len(picture.svg) < 200_000
    assert (f"each point the mean of {means}" in tide.caption) == bool(means)


def test_means_leave_out_days_without_a_value() -> None:
    """A week with one day up has that day's level, a week without any has none."""
    values = np.array([2.0, np.nan, 4.0, np.nan, np.nan, np.nan, 7.0])
    assert np.array_equal(pooled(values, 3), [3.0, np.nan, 7.0], equal_nan=True)
    assert pooled(values, 1) is values


def test_a_day_without_a_sensor_breaks_the_line(scene: ChartInputs) -> None:
    """No straight line is drawn over what nobody saw."""
    total = scene.measurement.series[0]
    holed = {name: getattr(total, name).copy() for name in ("index", "low", "high")}
    for line in holed.values():
        line[40:50] = np.nan

    def pieces(series: IndexSeries) -> int:
        inputs = long_scene(replace(scene, measurement=replace(scene.measurement, series=(series,))), 100)
        svg = charts(inputs).pictures[0].svg
        (path,) = [p for p in re.findall(r"<path [^>]*>", svg) if 'stroke="#0b5c8c"' in p]
        return re.search(r' d="([^"]*)"', path)[1].count("M")

    assert (pieces(total), pieces(replace(total, **holed))) == (1, 2)


def test_mail_that_lost_its_name_is_told_to_be_nobodys_loss(scene: ChartInputs) -> None:
    """The chart taken apart names it in its caption, and draws no bar for it."""
    parts = tuple(c for c in scene.contributions if c.subject != "rustock")
    apart = charts(replace(scene, contributions=parts, names_lost=("rustock",))).pictures[-1]
    assert "Mail that lost its name (Rustock) counts as unattributed" in apart.caption
    assert "Rustock" not in apart.alt


def test_without_a_named_botnet_nothing_is_split_by_botnet(scene: ChartInputs) -> None:
    """A page of grey says nothing."""
    panel = scene.measurement.panel
    counts = panel.counts.copy()
    counts[1:3] = 0
    nameless = replace(scene.measurement, panel=replace(panel, counts=counts))
    parts = tuple(c for c in scene.contributions if c.subject == UNKNOWN)
    made = charts(replace(scene, measurement=nameless, contributions=parts))
    assert [picture.name for picture in made.pictures] == ["tide", "coverage"]


def test_an_active_svg_is_refused() -> None:
    """Should the renderer ever write a script, no page is made of it."""
    with pytest.raises(ValueError, match="active"):
        embed('<svg width="1" height="1"><script>1</script></svg>', "tide", "a")
    assert "aria-label" in embed(
        '<svg class="m" width="1" height="1"><text>onload=1</text></svg>', "tide", "a"
    )


# ---------------------------------------------------------------------------- Markdown and JSON


def test_markdown_keeps_the_prose_and_disarms_the_rest(bulletin: Bulletin) -> None:
    """Headings in bold, names not said twice, hostile text without markup."""
    text = render(bulletin, "md")
    assert "**Rustock** began to fall about 20 September [19-21]. It is quiet, not gone: a trickle." in text
    assert "**Programmes.** Xarvester has carried Ultimate Replicas." in text
    assert "| rustock | quiet, not gone | 1.0 [0.7-1.4] | unknown | 49.8 | 2 of 3 |" in text
    armed = render(hostile(bulletin), "md")
    assert "<script" not in armed
    assert "](b)" not in armed.replace("\\](b)", "")
    assert "http://" not in armed
    assert "\n# e" not in armed


def test_the_botnets_table_adds_up(bulletin: Bulletin) -> None:
    """Mail of no botnet has a row without a state, and all mail is the sum."""
    rest = replace(
        bulletin.statuses[0], botnet="unknown", name="not attributed", level=3.0, level_low=2.0,
        level_high=4.0, before=9.2,
    )  # fmt: skip
    whole = replace(bulletin, unattributed=rest)
    text = render(whole, "md")
    assert "| rustock | quiet, not gone | 1.0 [0.7-1.4] | 26 % [17-35] | 49.8 | 2 of 3 |" in tidied(text)
    assert "| not attributed |  | 3.0 [2.0-4.0] | 74 % [50-99] | 9.2 | 2 of 3 |" in tidied(text)
    assert "| all mail |  | 4.0 | 100 % | 59.0 |" in tidied(text)
    assert "not attributed" in render(whole, "html")


def tidied(text: str) -> str:
    """Text with plain spaces."""
    return text.replace("\u00a0", " ")


@given(st.text(max_size=300))
def test_tidy_and_markdown_are_total(text: str) -> None:
    """Any text becomes one line without markup that a reader would not see."""
    line = markdown(text)
    assert "\n" not in line
    assert "<" not in line
    assert "http://" not in tidy(text + "HTTP://x").lower()


def test_json_holds_every_field(bulletin: Bulletin) -> None:
    """Keys as in the model, dates as text, what is not known as null."""
    data = json.loads(render(bulletin, "json"))
    assert data["since"] == "2010-09-17"
    assert [c["claim"] for c in data["claims"]] == [c.claim for c in bulletin.claims]
    assert data["statuses"][1]["level"] is None
    json.loads(render(hostile(bulletin), "json"))


def test_an_unknown_format_is_a_usage_error(bulletin: Bulletin) -> None:
    """The message says what there is."""
    with pytest.raises(UsageError, match="html, md, json"):
        render(bulletin, "pdf")


def test_a_bulletin_of_no_claims_is_a_page(edition: Edition) -> None:
    """Nothing to say is said, in every form."""
    empty = compose((), (), edition)
    for form in ("html", "md", "json"):
        assert "Nothing can be said of this period" in render(empty, form)


def test_claims_of_any_text_make_a_page(edition: Edition, make_claim: Callable[..., Claim]) -> None:
    """Lone surrogates and other broken text do not stop a bulletin."""
    broken = make_claim("decline", "a\ud800b", "A\ud800 fell.", 70)
    for form in ("html", "md", "json"):
        render(compose((broken,), (), edition), form).encode("utf-8")


def test_labels_of_neighbouring_changes_do_not_overlap(scene: ChartInputs) -> None:
    """Six changes within a week, at the right edge too: no two labels share a line and a place."""
    day = dt.timedelta(days=1)
    last = scene.window[1]
    crowd = tuple(
        Change("decline", "botnet", f"botnet-{k}", d, d, d, None, None, None, 0.1, 0.99)
        for k, d in enumerate(last - back * day for back in (1, 2, 2, 3, 5, 6))
    )
    shown = (scene.window[0], last)
    labels = _band_labels(replace(scene, changes=crowd), shown)
    pixels = WIDTH / ((shown[1] - shown[0]).days + 1)
    spans = []
    for label in labels:
        start = (dt.date.fromisoformat(label["day"]) - shown[0]).days * pixels
        wide = LETTER * len(label["label"])
        spans.append((label["line"], *((start - wide, start) if label["left"] else (start, start + wide))))
    assert len(spans) == 6
    for at, (line, low, high) in enumerate(spans):
        assert 0 <= low <= high <= WIDTH
        assert not [s for s in spans[:at] if s[0] == line and low < s[2] and s[1] < high]


def test_tables_show_names_and_checks_of_control_servers(bulletin: Bulletin) -> None:
    """Where prose shows a name the table shows it too; certainty is never shown as 0 or 1."""
    state = ControlState("rustock", 4, 12, 11, dt.date(2010, 10, 14), 0.9999, 3.9)
    status = replace(bulletin.statuses[0], name="Rustock", control=state)
    text = render(replace(bulletin, statuses=(status,)), "md")
    assert "| Rustock | quiet, not gone |" in text
    assert "11 of 12 (P &gt; 0.99)" in text
