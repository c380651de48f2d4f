"""An update after more mail gives the rows that a full one gives, whatever came and whenever it died."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from spamtide import pipeline
from spamtide.attribution import load_signatures
from spamtide.campaign import resolve
from spamtide.knowledge import load_knowledge
from spamtide.observatory import Observatory, open_observatory
from spamtide.schema import DERIVED, LINEAGE, TABLES
from spamtide.store import Lake, evidence, hourly, rollup, sharing, writer_lock
from spamtide.store.remembered import NAMED
from spamtide.update import matching
from spamtide.update.stretch import Answering

DAYS, MESSAGES = 120, 5000
BENCH = Path(__file__).resolve().parents[2] / "benchmarks" / "update_lake.py"
COUNTED = ("evidence", "attributions", "daily", "sightings", "kits", "others", "campaigns")


def bench_lake() -> ModuleType:
    """The benchmark's generator of lakes."""
    spec = importlib.util.spec_from_file_location("update_lake", BENCH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["update_lake"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    return bench_lake()


@pytest.fixture(scope="module")
def settled(bench: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, object]:
    """An observatory that was updated once, and the world behind it."""
    folder = tmp_path_factory.mktemp("update") / "settled"
    observatory, made = bench.build(folder, MESSAGES, DAYS)
    (folder / "spamtide.toml").write_text("[running]\nworkers = 1\n", encoding="utf-8")
    counted(open_observatory(observatory.directory))
    return folder, made


@pytest.fixture
def grown(settled: tuple[Path, object], tmp_path: Path) -> Callable[[], Observatory]:
    """A copy of it, as often as wanted."""

    def copy() -> Observatory:
        folder = tmp_path / f"copy-{len(list(tmp_path.iterdir()))}"
        shutil.copytree(settled[0], folder)
        return open_observatory(folder)

    return copy


def counted(observatory: Observatory) -> dict[str, str]:
    """Run the stages up to attribution (those after it read what these write), and say what they did."""
    told: dict[str, str] = {}
    wanted = tuple(stage for stage in pipeline.STAGES if stage.name in {"cluster", "match", "attribute"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "STAGES", wanted)
        pipeline.update(observatory, told.__setitem__)
    return told


def rows(observatory: Observatory, table: str) -> pa.Table:
    """A table in an order of its own."""
    found = Lake.at(observatory.directory).read(table)
    for place, column in enumerate(found.schema):
        if pa.types.is_list(column.type):
            found = found.set_column(place, column.name, pc.binary_join(found[column.name], " "))
    return found.sort_by([(name, "ascending") for name in found.column_names])


def same_as_anew(observatory: Observatory) -> None:
    """Everything that was made by the updates, against one made at once from what they were made of."""
    anew = observatory.directory.with_name(observatory.directory.name + "-anew")
    shutil.copytree(observatory.directory, anew)
    for table in DERIVED:
        shutil.rmtree(anew / "lake" / table, ignore_errors=True)
    other = open_observatory(anew)
    counted(other)
    for table in COUNTED:
        one, two = rows(observatory, table), rows(other, table)
        assert one.num_rows == two.num_rows, table
        assert one.equals(two), table
    remembered(observatory)
    lake = Lake.at(observatory.directory)
    assert lake.read("attributions", ["sha256"]).num_rows == lake.read("observations", ["sha256"]).num_rows


def remembered(observatory: Observatory) -> None:
    """What is kept for the next update, where it says that it is of all mail, is what the evidence says."""
    lake = Lake.at(observatory.directory)
    version = lake.version("evidence")
    cells = sharing.known_cells(lake, version)
    if cells is not None:
        weeks = {week for week in evidence.weeks(lake) if week >= cells[1]}
        found = sharing.cells(lake, lake.files("evidence"), weeks)
        order = [(name, "ascending") for name in found.column_names]
        assert cells[0].num_rows > 100
        assert cells[0].sort_by(order).equals(found.sort_by(order))
    hours = hourly.known(lake, lake.note("sightings"), min(evidence.weeks(lake)))
    if hours.weeks:
        edges = min(hours.weeks), max(hours.weeks)
        found = rollup.hours_between(lake, edges, rollup.NO_HOURS)
        order = [(name, "ascending") for name in found.column_names]
        assert hours.counts.num_rows > 100
        assert texts(hours.counts).sort_by(order).equals(texts(found).sort_by(order))
    if lake.note("senders").get("evidence") == version:
        pairs = lake.query("""
            SELECT DISTINCT campaign, source_ip FROM evidence e
            SEMI JOIN (SELECT campaign FROM senders WHERE source_ip IS NULL) s ON s.campaign = e.campaign
            WHERE label = 'spam' AND lab IS NULL AND source_ip IS NOT NULL ORDER BY ALL
        """)
        kept = lake.query("SELECT campaign, source_ip FROM senders WHERE source_ip IS NOT NULL ORDER BY ALL")
        assert kept.num_rows > 100
        assert kept.equals(pairs)


def texts(found: pa.Table) -> pa.Table:
    """A table with texts instead of codes."""
    plain = [pa.string() if pa.types.is_dictionary(kind) else kind for kind in found.schema.types]
    return found.cast(pa.schema(zip(found.schema.names, plain, strict=True)))


def answered_again(observatory: Observatory) -> int:
    """Messages that an update answers."""
    return int(counted(observatory)["attribute"].split()[0].replace(",", ""))


def test_one_more_day(
    grown: Callable[[], Observatory], bench: ModuleType, settled: tuple[Path, object]
) -> None:
    """A day at the end is answered with the weeks before it, and no more; nothing new is nothing to do."""
    observatory = grown()
    bench.add_day(observatory, settled[1], DAYS)
    answered = answered_again(open_observatory(observatory.directory))
    assert 0 < answered < MESSAGES / 2
    same_as_anew(observatory)
    assert answered_again(open_observatory(observatory.directory)) == 0


def test_late_mail_of_an_old_day(
    grown: Callable[[], Observatory], bench: ModuleType, settled: tuple[Path, object]
) -> None:
    observatory = grown()
    bench.add_day(observatory, settled[1], 20)
    bench.add_day(observatory, settled[1], DAYS)
    counted(open_observatory(observatory.directory))
    same_as_anew(observatory)


Named = tuple[dict[str, int], dict[int, set[tuple[str, ...]]]]


def named(observatory: Observatory) -> Named:
    """What the note of `sightings` says of weeks, and the names of their messages."""
    lake, found = Lake.at(observatory.directory), defaultdict(set)
    for row in lake.read("attributions", ["week", "sha256", "sensor", "botnet", "programme"]).to_pylist():
        found[row.pop("week")].add(tuple(row.values()))
    return lake.note("sightings")[NAMED], found


def tells(before: Named, after: Named) -> set[int]:
    """The weeks of which the note says something else; all in which names differ are among them."""
    told = {int(week) for week, since in after[0].items() if before[0].get(week) != since}
    assert {week for week, names in after[1].items() if before[1].get(week) != names} <= told
    return told


def test_a_day_moves_few_answers(
    grown: Callable[[], Observatory], bench: ModuleType, settled: tuple[Path, object]
) -> None:
    """Of the weeks around a day at the end only what is tied to it is answered, day after day."""
    observatory = grown()
    weeks = evidence.weeks(observatory.lake)
    around = sum(weeks[week] for week in sorted(weeks)[-4:])
    before = named(observatory)
    for day in (DAYS - 2, DAYS, DAYS):
        bench.add_day(observatory, settled[1], day)
        assert 0 < answered_again(open_observatory(observatory.directory)) < around / 2
        after = named(observatory)
        assert 0 < len(tells(before, after)) < len(after[1]) / 2
        before = after
    same_as_anew(observatory)


def resent(lake: Lake, number: int, seed: int) -> pa.Table:
    """Old spam sent again on other days, with addresses and links of other messages, at several sensors."""
    rng = np.random.default_rng(seed)
    old = lake.query("SELECT * FROM observations ORDER BY sha256, sensor").cast(TABLES["observations"])
    rows = old.take(pa.array(rng.integers(0, old.num_rows, number)))
    days = rng.integers(DAYS - 45, DAYS + 2, number)
    moments = np.datetime64("2025-01-01", "us") + days * np.timedelta64(86_400_000_000, "us")
    hosts = old["link_domains"].to_pylist()
    links = [
        [host for place in rng.integers(0, len(hosts), rng.integers(0, 4)) for host in hosts[place]]
        for _ in range(number)
    ]
    links[0] = [*links[0], *links[0], ""]
    changed = {
        "sha256": pa.array([rng.bytes(32).hex() for _ in range(number)]),
        "received_at": pa.array(moments, mask=rng.random(number) < 0.05),
        "link_domains": pa.array(links, rows.schema.field("link_domains").type),
        "source_ip": old["source_ip"].take(pa.array(rng.integers(0, old.num_rows, number))),
    }
    for name, values in changed.items():
        place = rows.column_names.index(name)
        rows = rows.set_column(place, name, values.cast(rows.schema.field(name).type))
    twice = rows.slice(0, number // 4)
    twice = twice.set_column(1, "sensor", pa.array(["another"] * twice.num_rows))
    return pa.concat_tables([rows, twice])


@pytest.mark.parametrize("seed", [1, 2])
def test_mail_that_shares_much(grown: Callable[[], Observatory], seed: int) -> None:
    """Several links a message, addresses of other campaigns, other mail's hosts, one text at two sensors."""
    observatory = grown()
    before = named(observatory)
    for number in (200, 60):
        with writer_lock(observatory.directory / "lake"):
            observatory.lake.append("observations", resent(observatory.lake, number, seed + number))
        counted(open_observatory(observatory.directory))
        observatory = open_observatory(observatory.directory)
        after = named(observatory)
        assert tells(before, after)
        before = after
    same_as_anew(observatory)


def test_weeks_with_an_engine_are_answered_whole(
    grown: Callable[[], Observatory], bench: ModuleType, settled: tuple[Path, object]
) -> None:
    """What is known of a fleet hangs on all of its mail."""
    observatory = grown()
    path = observatory.signatures / "bench.yar"
    path.write_text(
        path.read_text().replace('confidence = "95" ', 'confidence = "95" layer = "skeleton" ', 4)
    )
    counted(open_observatory(observatory.directory))
    bench.add_day(observatory, settled[1], DAYS)
    weeks = evidence.weeks(observatory.lake)
    assert answered_again(open_observatory(observatory.directory)) > sum(
        weeks[week] for week in sorted(weeks)[-4:-1]
    )
    assert observatory.lake.read("kits").num_rows
    same_as_anew(observatory)


def add_lab_mail(observatory: Observatory, mark: str, after: str) -> int:
    """Every third message of the wild since a day once more, as a lab caught it: same text, new address."""
    lake = observatory.lake
    rows = lake.query(f"""
        SELECT * FROM observations
        WHERE label = 'spam' AND lab IS NULL AND received_at >= TIMESTAMPTZ '{after}'
        ORDER BY sha256
    """).cast(TABLES["observations"])  # noqa: S608 - a day
    rows = rows.take(list(range(0, rows.num_rows, 3)))
    given = {
        "sha256": [mark + sha[len(mark) :] for sha in rows["sha256"].to_pylist()],
        "sensor": ["lab"] * rows.num_rows,
        "lab": ["benchbot1"] * rows.num_rows,
        "source_ip": [f"192.0.2.{place % 250}" for place in range(rows.num_rows)],
    }
    for name, values in given.items():
        place = rows.column_names.index(name)
        rows = rows.set_column(place, rows.schema.field(name), pa.array(values, pa.string()))
    with writer_lock(observatory.directory / "lake"):
        lake.append("observations", rows)
    return rows.num_rows


def test_lab_mail_is_in_no_number_of_a_campaign(
    grown: Callable[[], Observatory], bench: ModuleType, settled: tuple[Path, object]
) -> None:
    """Neither when all is counted nor when a day is: messages, addresses, span and names are of the wild."""
    observatory = grown()
    before = rows(observatory, "campaigns").drop_columns(["lab", "botnet", "programme"])
    some = add_lab_mail(observatory, "aaaa", "2000-01-01")
    counted(open_observatory(observatory.directory))
    assert rows(observatory, "campaigns").drop_columns(["lab", "botnet", "programme"]).equals(before)

    bench.add_day(observatory, settled[1], DAYS)
    last = observatory.lake.query("SELECT max(received_at)::DATE::VARCHAR AS day FROM observations")
    more = add_lab_mail(open_observatory(observatory.directory), "bbbb", last["day"][0].as_py())
    assert 0 < answered_again(open_observatory(observatory.directory)) < MESSAGES / 2
    same_as_anew(observatory)

    lake = Lake.at(observatory.directory)
    names = rollup.aliases(resolve(lake.read("lineage")))
    wanted = lake.query(
        """
        SELECT coalesce(a.canonical, e.campaign) AS campaign, count(*) FILTER (WHERE lab IS NULL) AS messages,
               count(DISTINCT source_ip) FILTER (WHERE lab IS NULL) AS sources, count(lab) AS lab
        FROM evidence e LEFT JOIN aliases a ON a.name = e.campaign WHERE label = 'spam'
        GROUP BY ALL HAVING messages > 0 ORDER BY ALL
        """,
        aliases=names,
    )
    told = rows(observatory, "campaigns").select(wanted.column_names)
    assert told.equals(wanted.cast(told.schema))
    assert sum(told["lab"].to_pylist()) == some + more


def test_rules_change(grown: Callable[[], Observatory]) -> None:
    """Another rule set answers everything anew."""
    observatory = grown()
    path = observatory.signatures / "bench.yar"
    path.write_text(
        path.read_text().replace('"benchbot3"', '"renamed"').replace("bench_bot_5 ", "bench_bot_99 ")
    )
    before, then = rows(observatory, "daily"), named(observatory)
    assert answered_again(open_observatory(observatory.directory)) >= MESSAGES / 2
    assert not before.equals(rows(observatory, "daily"))
    told = named(observatory)
    assert tells(then, told) == {*told[1]}
    same_as_anew(observatory)


def test_campaigns_merge(grown: Callable[[], Observatory]) -> None:
    """Weeks of a campaign that turns out to be another one are answered again."""
    observatory = grown()
    lake = observatory.lake
    largest = lake.read("campaigns").sort_by([("messages", "descending")])["campaign"].to_pylist()[:2]
    merged = pa.table([[None], ["merged"], [largest[0]], [largest[1]]], schema=LINEAGE)
    lake.append("lineage", merged)
    before = named(observatory)
    assert answered_again(open_observatory(observatory.directory)) > 0
    assert largest[1] not in rows(observatory, "campaigns")["campaign"].to_pylist()
    assert tells(before, named(observatory))
    same_as_anew(observatory)


def test_other_mail_that_shares_an_address_and_a_domain_bars_them(grown: Callable[[], Observatory]) -> None:
    """Far in time from the spam that had them."""
    observatory = grown()
    lake = observatory.lake
    old = lake.query("""
        SELECT * FROM observations WHERE label = 'spam' AND received_at IS NOT NULL
        ORDER BY received_at, sha256 LIMIT 1
    """).cast(TABLES["observations"])
    ham = old.set_column(old.column_names.index("label"), "label", pa.array(["ham"]))
    ham = ham.set_column(0, "sha256", pa.array(["f" * 64]))
    moment = lake.query("SELECT max(received_at) AS m FROM observations")["m"].cast(
        TABLES["observations"].field("received_at").type
    )
    ham = ham.set_column(ham.column_names.index("received_at"), "received_at", moment)
    with writer_lock(observatory.directory / "lake"):
        lake.append("observations", ham)
    counted(open_observatory(observatory.directory))
    same_as_anew(observatory)


def test_small_files_are_joined_without_any_message_counted_twice(
    grown: Callable[[], Observatory], bench: ModuleType, settled: tuple[Path, object]
) -> None:
    """Compaction between two updates makes old rows look new by file; by key they are not."""
    observatory = grown()
    bench.add_day(observatory, settled[1], DAYS)
    observatory.lake._handle("observations").optimize.compact()  # type: ignore[union-attr]  # as `compact` would
    counted(open_observatory(observatory.directory))
    same_as_anew(observatory)


def test_what_was_counted_is_what_the_rows_say(
    grown: Callable[[], Observatory], bench: ModuleType, settled: tuple[Path, object]
) -> None:
    """Hours that the answers were counted by, and totals by day, against the rows themselves."""
    observatory = grown()
    lake = observatory.lake
    rows = lake.query(
        "SELECT e.*, a.botnet, a.programme FROM evidence e "
        "JOIN attributions a ON a.sha256 = e.sha256 AND a.sensor = e.sensor"
    )
    weeks = sorted(evidence.weeks(lake))[-4:]
    edges = weeks[0], weeks[-1]
    read = rollup.hours_between(lake, edges, rollup.NO_HOURS)
    some = rows.filter(pc.greater_equal(rows["week"], weeks[2]))
    known = rollup.Hours(frozenset(weeks[2:]), rollup.count_hours(some))
    mixed = rollup.hours_between(lake, edges, known)
    order = [(name, "ascending") for name in read.column_names]
    assert read.num_rows > 100
    assert texts(mixed).sort_by(order).equals(texts(read).sort_by(order))

    by_day = rollup.totals(lake)
    bench.add_day(observatory, settled[1], DAYS)
    more = rollup.totals(open_observatory(observatory.directory).lake)
    assert sum(by_day[name] for name in ("wild", "lab", "ham")) == rows.num_rows
    assert more["wild"] > by_day["wild"]
    counted(open_observatory(observatory.directory))
    assert rollup.totals(open_observatory(observatory.directory).lake) == more


def test_where_knowledge_lies_says_nothing(settled: tuple[Path, object], tmp_path: Path) -> None:
    """An observatory, or Spamtide, that moves answers nothing anew; other knowledge does."""
    observatory = open_observatory(settled[0])
    ruleset = load_signatures(pipeline.signature_folders(observatory))
    text = "botnets:\n  Elsewhere: {source: https://example.org/, confidence: high}\n"
    versions = []
    for number, lines in enumerate(("", "# a line more\n", "# other\n")):
        path = tmp_path / str(number) / "knowledge.yaml"
        path.parent.mkdir()
        path.write_text(lines + (text if number < 2 else text.replace("Elsewhere", "Nowhere")))
        known = Answering(ruleset, load_knowledge(path), observatory.settings.attributing, {})
        versions.append(known.version(("a",)))
    assert versions[0] == versions[1]
    assert versions[0] != versions[2]


class Died(BaseException):
    """Stands for kill -9: nothing after it runs."""


def test_who_waits_for_what_rules_say_is_told_that_they_failed(
    grown: Callable[[], Observatory],
    bench: ModuleType,
    settled: tuple[Path, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Weeks around new mail are read behind as soon as rules told which: a run must not wait for ever."""
    observatory = grown()
    bench.add_day(observatory, settled[1], DAYS)

    def fail(*_: object) -> None:
        raise Died

    monkeypatch.setattr(matching, "_sifted", fail)
    with pytest.raises(Died):
        counted(open_observatory(observatory.directory))
    monkeypatch.undo()
    counted(open_observatory(observatory.directory))
    same_as_anew(observatory)


@pytest.mark.slow
@pytest.mark.parametrize("full", [False, True])
def test_death_before_any_commit(
    grown: Callable[[], Observatory],
    bench: ModuleType,
    settled: tuple[Path, object],
    monkeypatch: pytest.MonkeyPatch,
    full: bool,  # noqa: FBT001 - a parameter of a test
) -> None:
    """Each commit in turn is never made; the next update mends it."""
    original = Lake._write  # the one place where commits are made
    observatory = grown()
    bench.add_day(observatory, settled[1], DAYS)
    if full:
        (observatory.signatures / "more.yar").write_text(
            'rule more { meta: kind = "botnet" name = "more" strings: $a = "Benchbrand07" condition: $a }'
        )
    place = 0
    while True:
        commits = 0

        def write(self: Lake, table: str, *args: object, last: int = place, **options: object) -> None:
            nonlocal commits
            if commits == last:
                raise Died(table)
            commits += 1
            original(self, table, *args, **options)  # type: ignore[arg-type]  # passed on

        with monkeypatch.context() as patch:
            patch.setattr(Lake, "_write", write)
            try:
                counted(open_observatory(observatory.directory))
            except Died:
                place += 2
                continue
        break
    assert place > 4
    same_as_anew(observatory)
