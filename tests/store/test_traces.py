"""What is left of a botnet in mail without a name, counted over the lake."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from spamtide.model import Carried, Counts, SubjectKind, Trace
from spamtide.schema import CHANGES, EVIDENCE, SIGHTINGS, STORED_ATTRIBUTIONS
from spamtide.store import Lake
from spamtide.store import remembered as module
from spamtide.store.remembered import KEPT, NAMED, Remembered
from spamtide.store.traces import EPOCH, Fall, count, traces
from spamtide.store.traces import Mail as Mailing

FELL = dt.date(2024, 3, 1)
Mail = tuple[int, str, str, str]
"""Day off the fall, botnet, address, campaign; of an engine if the campaign ends in 1 or 2."""
SHOPS = {"rustock": "pills", "unknown": "unknown", "grum": "tabs"}
"""What each botnet's mail names here."""


def rules(campaign: str) -> list[str]:
    """Rules that match mail of a campaign: of its text, and of one of two engines or of none."""
    engine = {
        "1": ["learned_rustock_skeleton_1"],
        "2": ["learned_grum_dialect_2", "learned_rustock_skeleton_1"],
    }
    return [*engine.get(campaign[-1], []), f"learned_rustock_template_{campaign}"]


def engine(campaign: str) -> str | None:
    return campaign[-1] if campaign[-1] in {"1", "2"} else None


def filled(tmp_path: Path, mail: list[Mail]) -> Lake:
    """A lake of these messages, and of ham and lab mail that must not count."""
    lake = Lake.at(tmp_path)
    evidence, answers = [], []
    for number, (off, botnet, address, campaign) in enumerate(mail):
        day = FELL + dt.timedelta(days=off)
        key = {"sha256": f"{number:064x}", "sensor": "maple", "week": (day - EPOCH).days // 7}
        at = dt.datetime.combine(day, (dt.time.min, dt.time.max)[number % 2], dt.UTC)
        for label, lab, more in (("spam", None, ""), ("ham", None, "h"), ("spam", "rustock", "l")):
            own = {**key, "sha256": key["sha256"] + more}
            evidence.append(
                {
                    **own,
                    "label": label,
                    "lab": lab,
                    "received_at": at,
                    "source_ip": address,
                    "campaign": campaign,
                    "rules": rules(campaign),
                }
            )
            answers.append({**own, "botnet": botnet, "programme": SHOPS[botnet]})
    for name, rows, schema in (
        ("evidence", evidence, EVIDENCE),
        ("attributions", answers, STORED_ATTRIBUTIONS),
    ):
        whole = [{field.name: row.get(field.name) for field in schema} for row in rows]
        lake.append(name, pa.Table.from_pylist(whole, schema=schema))
    return lake


CARRIED: tuple[tuple[Carried, Callable[[Mail], str | None]], ...] = (
    ("addresses", lambda mail: mail[2]),
    ("campaigns", lambda mail: mail[3]),
    ("engines", lambda mail: engine(mail[3])),
)
"""What may be carried, and where it stands in a row of mail."""


def slow(mail: list[Mail], days: int, last: int, kind: SubjectKind) -> tuple[Trace, ...]:
    """The same, by the definition."""
    other = "grum" if kind == "programme" else "nobody"

    def count(
        botnet: str, first: int, length: int, known_from: int, place: Callable[[Mail], str | None]
    ) -> int:
        known = {place(m) for m in mail if m[1] == "rustock" and known_from <= m[0] < known_from + 14} - {
            None
        }
        return sum(m[1] == botnet and first <= m[0] < first + length and place(m) in known for m in mail)

    own = sum(m[1] == "rustock" and -7 <= m[0] < 0 for m in mail)
    since = sum(m[1] == "rustock" and last <= m[0] < last + days for m in mail)
    return tuple(
        Trace(
            of,
            (count("rustock", -7, 7, -21, place), own),
            (count("unknown", -7, 7, -21, place), 7),
            (count("unknown", last, days, -14, place), days),
            (count("rustock", last, days, -14, place), since),
            (count(other, -7, 7, -21, place), count(other, last, days, -14, place)),
        )
        for of, place in (CARRIED if kind == "botnet" else CARRIED[:2])
    )


def test_addresses_and_campaigns_of_before_are_found_in_mail_without_a_name(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    mail: list[Mail] = []
    for off in range(-25, 12):
        for _ in range(12):
            botnet = str(rng.choice(["rustock", "unknown", "grum"]))
            if botnet == "rustock" and off >= 1 and rng.random() < 0.7:
                botnet = "unknown"
            address, campaign = f"192.0.2.{rng.integers(40)}", f"c{rng.integers(20) + off // 8}"
            mail.append((off, botnet, address, campaign))
    lake = filled(tmp_path, mail)
    last = FELL + dt.timedelta(days=1)

    for until, days in ((3, 2), (30, 7)):
        subjects: tuple[tuple[SubjectKind, str], ...] = ("botnet", "rustock"), ("programme", "pills")
        for subject in subjects:
            found = traces(lake, subject, FELL, last, FELL + dt.timedelta(days=until))
            assert found == slow(mail, days, 1, subject[0])
            assert found[0].after[0] > 0
            if subject[0] == "botnet":
                assert 0 < found[2].own[0] < found[2].own[1]  # some of its mail has an engine

    assert traces(lake, ("botnet", "rustock"), FELL, last, last) == ()
    assert traces(lake, ("total", "total"), FELL, last, FELL + dt.timedelta(days=30)) == ()
    assert traces(lake, ("programme", "no'body"), FELL, last, FELL + dt.timedelta(days=30))[0].own == (0, 0)


@pytest.mark.parametrize(("since", "days"), [(-13, 7), (-5, 4)])
def test_a_rise_is_a_fall_in_reversed_time(tmp_path: Path, since: int, days: int) -> None:
    """Its last day is the third after the first one at which it may have begun."""
    rng = np.random.default_rng(6)
    mail: list[Mail] = []
    for off in range(-12, 28):
        for _ in range(12):
            botnet = str(rng.choice(["rustock", "unknown", "grum"]))
            if botnet == "rustock" and off < 0 and rng.random() < 0.7:
                botnet = "unknown"
            mail.append((off, botnet, f"192.0.2.{rng.integers(40)}", f"c{rng.integers(20) + off // 8}"))
    lake, day = filled(tmp_path, mail), dt.timedelta(days=1)
    found = traces(lake, ("botnet", "rustock"), FELL + 2 * day, FELL - day, FELL + since * day)
    # Days 2, 1, 0, -1 ... are 0, 1, 2, 3 ... of a fall that is over on day 3.
    mirrored = [(2 - off, botnet, address, campaign) for off, botnet, address, campaign in mail]
    assert found == slow(mirrored, days, 3, "botnet")
    assert found[0].after[0] > 0


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Fall]:
    """Falls of which mail was counted since."""
    falls: list[Fall] = []

    def counting(lake: Lake, fall: Fall, *of_weeks: Mailing) -> Counts:
        falls.append(fall)
        return count(lake, fall, *of_weeks)

    monkeypatch.setattr(module, "count", counting)
    return falls


def some_mail(tmp_path: Path) -> Lake:
    rng = np.random.default_rng(5)
    return filled(
        tmp_path,
        [
            (
                int(rng.integers(-25, 12)),
                str(rng.choice(["rustock", "unknown"])),
                f"10.0.0.{rng.integers(40)}",
                "c",
            )
            for _ in range(400)
        ],
    )


def asked(
    tmp_path: Path, first: int = 0, last: int = 2, until: int = 30, today: int = 40, *, back: bool = False
) -> tuple[Trace, ...]:
    """What an update says of a fall, which is what is to be said; the next one knows of it."""
    lake = Lake.at(tmp_path)
    remembered = Remembered(lake, FELL + dt.timedelta(days=today))
    subject: tuple[SubjectKind, str] = ("botnet", "rustock") if back else ("programme", "pills")
    fell, ended, later = (FELL + dt.timedelta(days=days) for days in (first, last, until))
    found = remembered(subject, fell, ended, later)
    assert found == traces(lake, subject, fell, ended, later)
    lake.replace("changes", CHANGES.empty_table(), remembered.note())
    return found


def test_what_was_counted_is_remembered_while_its_names_are_the_same(
    tmp_path: Path, counted: list[Fall]
) -> None:
    """Names of other weeks change nothing; one of these weeks does. Files may be joined meanwhile."""
    lake, week = some_mail(tmp_path), (FELL - EPOCH).days // 7
    first = asked(tmp_path)
    assert first[0].after[0] > 0
    assert asked(tmp_path) == asked(tmp_path, until=31) == first  # a week is known: later days say nothing
    assert len(counted) == 1
    named(lake, {week + 9: 5})
    doubts = lake.of_weeks("attributions", STORED_ATTRIBUTIONS.names, [week])
    lake.replace_weeks("attributions", doubts, (week, week))  # as where confidence changes alone
    assert asked(tmp_path) == first
    assert len(counted) == 1
    lake.replace_weeks("attributions", STORED_ATTRIBUTIONS.empty_table(), (week, week))
    named(lake, {week: 7, week + 9: 5})
    assert asked(tmp_path) != first
    assert len(counted) == 2
    named(lake, {week: 7, week + 9: 8})
    assert asked(tmp_path) != first
    assert len(counted) == 2
    assert len(Lake.at(tmp_path).note("changes")["falls"]) == 1  # what was of older names is gone


def named(lake: Lake, since: dict[int, int]) -> None:
    """Note since when weeks have their names."""
    note = {NAMED: {str(week): version for week, version in since.items()}}
    lake.append("sightings", SIGHTINGS.empty_table(), note)


@pytest.mark.parametrize("back", [False, True])
def test_dates_that_move_by_a_day_are_known(tmp_path: Path, counted: list[Fall], *, back: bool) -> None:
    some_mail(tmp_path)
    dates = (1, -3, -20) if back else (0, 2, 30)
    asked(tmp_path, *dates, back=back)
    counted.clear()
    found = {
        asked(tmp_path, dates[0] + one, dates[1] + other, dates[2], back=back)
        for one in (-1, 0, 1)
        for other in (-1, 0, 1)
    }
    assert len(found) > 3
    short = asked(tmp_path, dates[0], dates[1], dates[1] + (-4 if back else 4), back=back)
    assert short[0].after[1] == 4
    assert not counted
    asked(tmp_path, dates[0] + 2, dates[1], dates[2], back=back)
    assert len(counted) == 1


def test_a_fall_that_is_in_doubt_is_remembered_for_a_while(tmp_path: Path, counted: list[Fall]) -> None:
    lake = some_mail(tmp_path)
    first = asked(tmp_path)
    for today in (40 + KEPT // 2, 40 + KEPT):
        remembered = Remembered(Lake.at(tmp_path), FELL + dt.timedelta(days=today))
        lake.replace("changes", CHANGES.empty_table(), remembered.note())  # nobody asked about it
    assert asked(tmp_path, today=40 + KEPT) == first
    assert len(counted) == 1
    remembered = Remembered(Lake.at(tmp_path), FELL + dt.timedelta(days=41 + 2 * KEPT))
    assert remembered.note() == {}


def test_without_any_mail_nothing_is_forgotten(tmp_path: Path) -> None:
    """Nor does the update end."""
    some_mail(tmp_path)
    asked(tmp_path)
    lake = Lake.at(tmp_path)
    assert Remembered(lake, dt.date.min).note() == lake.note("changes")
