"""Names of unknown engines: neither more mail nor what a receiver adds renames or splits one."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import pytest

from spamtide import pipeline
from spamtide.api import Reading
from spamtide.errors import UnavailableError
from spamtide.ingest import Source, ingest
from spamtide.inquiry import explanation
from spamtide.observatory import Observatory, init_observatory
from spamtide.store import rollup
from spamtide.store.makers import makers

ADDED = (
    "",
    "Delivered-To: trap@pot.example\n",
    "X-Spam-Status: Yes, score=9\nX-Spam-Level: *********\n",
    "X-BitDefenderWKS-Spam: Yes (99)\n",
    "X-Anti-Virus: seen by a scanner\nX-VirusScan: clean\n",
)
ORDER = ("From", "To", "Subject", "Date", "Message-ID", "X-Mailer", "MIME-Version", "Content-Type")


def mail(number: int, order: tuple[str, ...] = ORDER, *, server: str | None = None) -> bytes:
    """A message of an engine that no lab has; `server` gives it its Message-ID."""
    values = {
        "From": f"a{number}@shop.example",
        "To": "trap@pot.example",
        "Subject": f"offer {number}",
        "Date": f"Mon, {1 + number % 28:02} Mar 2010 10:00:00 +0000",
        "Message-ID": f"<{number:08x}.{number * 7:05}@{server or 'own.example'}>",
        "X-Mailer": "Willow 2.1",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain",
    }
    taken = (
        f"Received: from h (h [24.1.2.{number % 250}]) by {server or 'mx.pot.example'}; {values['Date']}\n"
    )
    fields = "".join(f"{name}: {values[name]}\n" for name in order)
    return f"{ADDED[number % len(ADDED)]}{taken}{fields}\nwords of {number} for sale\n".encode()


def take(observatory: Observatory, folder: Path, mails: list[bytes]) -> dict[str, str]:
    """Ingest and update; SHA-256 -> engine."""
    folder.mkdir()
    for number, one in enumerate(mails):
        (folder / f"{number}.eml").write_bytes(one)
    ingest(observatory, Source((str(folder),), sensor="pot", label="spam"))
    pipeline.update(observatory)
    rows = observatory.lake.query(
        f"SELECT o.sha256, {rollup.ENGINE} AS engine FROM observations o "  # noqa: S608 - the words are ours
        "LEFT JOIN attributions a ON a.sha256 = o.sha256 AND a.sensor = o.sensor"
    )
    return {row["sha256"]: row["engine"] for row in rows.to_pylist()}


def test_a_name_is_for_ever_and_for_all_receivers(tmp_path: Path) -> None:
    one = init_observatory(tmp_path / "one")
    before = take(one, tmp_path / "first", [mail(number) for number in range(10)])
    assert len(set(before.values())) == 1
    other = (*ORDER[:4], "X-Mailer", "Message-ID", *ORDER[6:])
    later = take(
        one, tmp_path / "second", [mail(n) for n in range(10, 20)] + [mail(n, other) for n in range(40, 46)]
    )
    assert {sha256: later[sha256] for sha256 in before} == before
    assert sorted(map(list(later.values()).count, set(later.values()))) == [6, 20]
    elsewhere = init_observatory(tmp_path / "two")
    assert set(take(elsewhere, tmp_path / "third", [mail(99)]).values()) == set(before.values())
    listed = rollup.engines(one.lake, 9)
    assert (listed[0]["engine"], listed[0]["messages"]) == (next(iter(before.values())), 20)


def test_a_message_id_that_receivers_add_splits_no_engine(tmp_path: Path) -> None:
    """Each server gives it another form; the engine sends none."""
    mails = [mail(n, server=f"mx{n}.pot.example").replace(b".0", b"-0" * (1 + n % 3)) for n in range(1, 9)]
    assert len(set(take(init_observatory(tmp_path / "one"), tmp_path / "mail", mails).values())) == 1


def test_what_a_message_holds_splits_no_engine(tmp_path: Path) -> None:
    """One part or two, an answer or none: one engine, and the same as of mail without these fields."""
    held = (
        ("Content-Type: text/plain", "Content-Type: text/plain\nContent-Transfer-Encoding: base64"),
        ("Content-Type: text/plain", 'Content-Type: multipart/mixed; boundary="----=_NextPart_000"'),
        ("Date:", "In-Reply-To: <1@own.example>\nReferences: <1@own.example>\nDate:"),
        ("Content-Type: text/plain", "content-disposition: inline\nContent-Type: text/plain"),
        ("", ""),
    )
    mails = [mail(n).decode().replace(*held[n % len(held)], 1).encode() for n in range(10)]
    assert len(set(take(init_observatory(tmp_path / "one"), tmp_path / "mail", mails).values())) == 1


def test_engines_are_told_by_how_they_write_a_message_id(tmp_path: Path) -> None:
    """By letter case and by long parts of figures alone; short ones among hexadecimal digits are chance."""
    written = ("{:08x}.{:05}", "{:08X}.{:05}", "{:08x}.9876543{:05}", "x{:07x}.Q{:05}")
    mails = {
        n: mail(n).replace(
            f"<{n:08x}.{n * 7:05}@".encode(), f"<{written[n % 4].format(n + 2741, n)}@".encode()
        )
        for n in range(4, 12)
    }
    found = take(init_observatory(tmp_path / "one"), tmp_path / "mail", list(mails.values()))
    names = [found[hashlib.sha256(mails[n]).hexdigest()] for n in sorted(mails)]
    assert names[:4] == names[4:]
    assert len(set(names)) == 4


def test_why_not_a_name(tmp_path: Path) -> None:
    """For a message: the rules of a name and what is missing; for what is not there, an error that helps."""
    one = init_observatory(tmp_path / "one")
    sha256 = next(iter(take(one, tmp_path / "mail", [mail(1)])))
    (one.signatures / "own.yar").write_text(
        'rule willow { meta: kind = "botnet" name = "willow"\nstrings:\n $a = "no such words"\n'
        "condition: $a }\n",
        encoding="utf-8",
    )
    lines = explanation.message(one, sha256[:12], "willow")["lines"]
    assert "  no match willow (0 of 1 strings; not: a)" in lines
    assert lines[-1] == "  no evidence of any layer speaks for or against it"
    with pytest.raises(UnavailableError):
        explanation.message(one, "0" * 12 if not sha256.startswith("0" * 12) else "1" * 12, "willow")
    campaigns = rollup.message(one.lake, sha256)[0]["campaign"]
    told = explanation.campaign(one, campaigns)
    assert told["messages"] == 1
    with pytest.raises(UnavailableError):
        explanation.campaign(one, "c-000000")


def test_the_engines_behind_some_days_are_those_that_an_export_shows(tmp_path: Path) -> None:
    """Messages, addresses and first day of each, by programme and days; the filter gives the same rows."""
    one = init_observatory(tmp_path / "one")
    other = (*ORDER[:4], "X-Mailer", "Message-ID", *ORDER[6:])
    take(one, tmp_path / "mail", [mail(n) for n in range(28)] + [mail(n, other) for n in range(100, 104)])
    first, last = dt.date(2010, 3, 10), dt.date(2010, 3, 20)
    found = makers(one.lake, None, first, last)
    assert [(each.messages, each.sources, each.first_seen) for each in found] == [
        (11, 11, dt.date(2010, 3, 1)),
        (4, 4, dt.date(2010, 3, 17)),
    ]
    rows = Reading(one).observations(
        engine=found[0].engine, label="wild", since=str(first), until=str(last), programme="unknown"
    )
    assert rows.arrow.num_rows == 11
    assert makers(one.lake, "unknown", first, last) == found
    assert makers(one.lake, "Maple Meds", first, last) == ()
    assert makers(one.lake, None, dt.date(2011, 1, 1), dt.date(2011, 2, 1)) == ()


def test_an_engines_first_day_is_that_of_any_of_its_forms(tmp_path: Path) -> None:
    """Also of one that it does not send in the days that are asked about."""
    one = init_observatory(tmp_path / "one")
    parted = b"Content-Type: text/plain\nContent-Transfer-Encoding: base64"
    early = [mail(n).replace(b"Content-Type: text/plain", parted) for n in range(4)]
    take(one, tmp_path / "mail", [*early, *(mail(n) for n in range(20, 24))])
    (found,) = makers(one.lake, None, dt.date(2010, 3, 20), dt.date(2010, 3, 28))
    assert (found.messages, found.first_seen) == (4, dt.date(2010, 3, 1))


def test_an_engine_of_many_forms_is_counted_once(tmp_path: Path) -> None:
    """Forms that have one name are one engine, and an address that sends several forms is one address."""
    one = init_observatory(tmp_path / "one")
    mails = [
        mail(n, server=server).replace(b".0", b"-0" * (1 + n % 3))
        for n in (1, 2, 251, 252, 501)
        for server in ("mx1.pot.example", "mx.two.pot.example")
    ]
    nowhere = mail(7).replace(b" from h (h [24.1.2.7])", b"")
    other = (*ORDER[:4], "X-Mailer", "Message-ID", *ORDER[6:])
    take(one, tmp_path / "mail", [*mails, nowhere, *(mail(n, other) for n in range(100, 104))])
    rows = one.lake.query(f"""
        SELECT {rollup.ENGINE} AS engine, count(*) AS messages, count(DISTINCT o.source_ip) AS sources,
               min(o.received_at)::DATE AS first
        FROM observations o JOIN attributions a ON a.sha256 = o.sha256 AND a.sensor = o.sensor
        WHERE engine IS NOT NULL GROUP BY ALL ORDER BY messages DESC, engine
    """).to_pylist()  # noqa: S608 - the words are ours
    found = makers(one.lake, None, dt.date(2010, 3, 1), dt.date(2010, 3, 31))
    assert [tuple(row.values()) for row in rows] == [
        (each.engine, each.messages, each.sources, each.first_seen) for each in found
    ]
    forms = one.lake.query("SELECT count(DISTINCT message_id_shape) AS n FROM observations")["n"][0].as_py()
    assert forms > len(found)
    assert found[0].sources < found[0].messages
