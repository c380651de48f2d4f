"""The folder that a simulation writes: the same bytes again, nothing of others touched, readable by all."""

from __future__ import annotations

import datetime as dt
import email.utils
import gzip
import hashlib
import re
import time
from pathlib import Path

import pytest

from spamtide.errors import UsageError
from spamtide.simulate import MARK, WORLDS, simulate
from spamtide.simulate.kits import KITS
from spamtide.simulate.letter import Letter
from spamtide.simulate.spool import MARKER, Mbox

from .conftest import Made, parse, read_mbox


def digest(out: Path) -> dict[str, str]:
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def test_the_same_world_seed_and_scale_give_the_same_bytes(small: Made, tmp_path: Path) -> None:
    simulate("autumn-2010", tmp_path / "again", scale=0.05)
    assert digest(tmp_path / "again") == digest(small.out)


def test_another_seed_gives_other_mail(small: Made, tmp_path: Path) -> None:
    simulate("autumn-2010", tmp_path / "other", scale=0.05, seed=7)
    other, first = digest(tmp_path / "other"), digest(small.out)
    assert other.keys() == first.keys()
    assert all(other[name] != first[name] for name in other if name.endswith(".gz"))


def test_a_former_simulation_is_replaced_by_another_world(tmp_path: Path) -> None:
    simulate("churn", tmp_path / "out", scale=0.02)
    simulate("quiet", tmp_path / "out", scale=0.02)
    simulate("quiet", tmp_path / "new", scale=0.02)
    assert digest(tmp_path / "out") == digest(tmp_path / "new")


def test_an_interrupted_simulation_is_made_again(tmp_path: Path) -> None:
    simulate("quiet", tmp_path / "out", scale=0.02)
    whole = digest(tmp_path / "out")
    (tmp_path / "out" / "truth.json").unlink()
    (tmp_path / "out" / "sensors" / "buoy.ham.mbox.gz").write_bytes(b"cut")
    simulate("quiet", tmp_path / "out", scale=0.02)
    assert digest(tmp_path / "out") == whole


@pytest.mark.parametrize("strange", ["letter.txt", "sensors/mine.mbox", "lake/raw"])
def test_a_folder_with_anything_else_in_it_is_refused_untouched(strange: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    simulate("quiet", out, scale=0.01)
    (out / strange).parent.mkdir(exist_ok=True)
    (out / strange).write_text("mine")
    before = digest(out)
    with pytest.raises(UsageError, match="no simulation wrote"):
        simulate("quiet", out, scale=0.01)
    assert digest(out) == before


def test_a_folder_that_only_looks_like_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / MARKER).write_text("My own notes")
    with pytest.raises(UsageError, match="no simulation wrote"):
        simulate("quiet", tmp_path, scale=0.01)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(UsageError, match="is not a folder"):
        simulate("quiet", tmp_path / "out", scale=0.01)


def test_an_unknown_world_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no such world 'spring'.*autumn-2010"):
        simulate("spring", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("scale", [0.0, -1.0, 1e9, float("nan")])
def test_a_scale_that_makes_no_sense_is_refused(scale: float, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="scale"):
        simulate("quiet", tmp_path / "out", scale=scale)


def test_progress_counts_every_message(tmp_path: Path) -> None:
    seen: list[int] = []
    truth = simulate("quiet", tmp_path / "out", scale=0.02, on_message=seen.append)
    assert seen == list(range(1, sum(truth.messages.values()) + 1))


def test_the_folder_says_that_it_is_simulated(small: Made) -> None:
    assert (small.out / MARKER).read_text("utf-8").startswith("This is a SIMULATION")
    assert small.json["simulated"] is True


def test_every_message_is_the_one_that_the_truth_names(small: Made, tmp_path: Path) -> None:
    """Files and truth_messages.csv.gz agree message by message: hash, Message-ID, order."""
    rows = iter(small.rows)
    by_file: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        name = f"{row['place']}.mbox.gz" if row["kind"] == "lab" else f"{row['place']}.{row['kind']}.mbox.gz"
        by_file.setdefault(name, []).append(row)
    assert by_file.keys() <= {path.name for path in small.mailboxes}
    for path in small.mailboxes:
        messages = list(read_mbox(path, tmp_path))
        wanted = by_file.get(path.name, [])
        assert [hashlib.sha256(data).hexdigest() for _, data in messages] == [row["sha256"] for row in wanted]
        assert [parse(data)["Message-ID"] for _, data in messages] == [row["message_id"] for row in wanted]


def test_every_message_has_one_hash(full: Made) -> None:
    rows = full.rows
    assert len({row["sha256"] for row in rows}) == len(rows) == sum(full.truth.messages.values())


def test_from_line_received_header_and_truth_agree_on_the_time(small: Made, tmp_path: Path) -> None:
    days = {row["sha256"]: row["day"] for row in small.rows}
    for path in small.mailboxes:
        last = 0.0
        for line, data in read_mbox(path, tmp_path):
            stamp = time.strptime(" ".join(line.split()[2:]), "%a %b %d %H:%M:%S %Y")
            at = dt.datetime(*stamp[:6], tzinfo=dt.UTC)
            received = parse(data).get_all("Received", [])[0].rpartition(";")[2].strip()
            assert email.utils.parsedate_to_datetime(received).timestamp() == at.timestamp()
            assert at.date().isoformat() == days[hashlib.sha256(data).hexdigest()]
            assert at.timestamp() >= last
            last = at.timestamp()


def test_the_mark_is_the_last_header_of_every_message(small: Made, tmp_path: Path) -> None:
    for path in small.mailboxes:
        for _, data in read_mbox(path, tmp_path):
            assert parse(data).items()[-1] == (MARK, "autumn-2010/2010")


def test_stdlib_finds_only_the_defects_that_an_engine_means_to_have(small: Made, tmp_path: Path) -> None:
    kits = {sender.name: KITS[sender.kit] for sender in WORLDS["autumn-2010"].senders}
    families = {row["sha256"]: row["family"] for row in small.rows}
    for path in small.mailboxes:
        for _, data in read_mbox(path, tmp_path):
            family = families[hashlib.sha256(data).hexdigest()]
            found = {type(defect).__name__ for part in parse(data).walk() for defect in part.defects}
            assert found == set(kits[family].defects if family else ())


def test_bodies_decode_to_text_with_a_link(small: Made, tmp_path: Path) -> None:
    """Base64, quoted-printable and 8bit bodies all lead back to the words that were written."""
    rows = {row["sha256"]: row for row in small.rows}
    for path in small.out.glob("lab/*.mbox.gz"):
        for _, data in read_mbox(path, tmp_path):
            leaves = [part for part in parse(data).walk() if part.get_content_maintype() == "text"]
            texts = [
                (part.get_payload(decode=True) or b"").decode(part.get_content_charset("ascii"))
                for part in leaves
            ]
            assert texts
            for text in texts:
                assert "{" not in text
                assert "%" not in re.sub(r"\d%", "", text)
                assert "http://" in text
            assert rows[hashlib.sha256(data).hexdigest()]["campaign"]


def test_every_host_and_address_is_reserved(small: Made, tmp_path: Path) -> None:
    """No message holds a host, mail address or IP address that could belong to somebody."""
    host = re.compile(rb"(?:@|https?://|\bby |\bhelo=)([a-z0-9-]+(?:\.[a-z0-9-]+)+)", re.IGNORECASE)
    ours = re.compile(rb"\.(?:example|test|invalid)$|^localhost$|^[\d.]+$")
    number = re.compile(rb"(?<![\w.])(\d{1,3})\.(\d{1,3})\.\d{1,3}\.\d{1,3}(?![\w.])")
    versions = re.compile(rb"^User-Agent:.*$|Server id [\d.]+", re.MULTILINE)
    documentation = {(192, 0), (198, 51), (203, 0), (127, 0), (192, 168), (10, 20)}
    for path in small.mailboxes:
        for _, data in read_mbox(path, tmp_path):
            for found in host.findall(data.replace(b"=\n", b"")):
                assert ours.search(found.lower()), found
            for first, second in number.findall(versions.sub(b"", data)):
                assert int(first) >= 240 or (int(first), int(second)) in documentation, (first, second)


def test_mboxrd_quotes_from_lines_and_loses_nothing(tmp_path: Path) -> None:
    data = b"Subject: x\n\nFrom here on\n>From there\n>>From both\nFromage\n"
    with Mbox(tmp_path / "x.mbox.gz") as mbox:
        mbox.add(
            [Letter(0, "", "", data, "", "", "", ""), Letter(5, "", "a@b.example", data, "", "", "", "")]
        )
    raw = gzip.decompress((tmp_path / "x.mbox.gz").read_bytes())
    assert raw.startswith(
        b"From MAILER-DAEMON Thu Jan  1 00:00:00 1970\nSubject: x\n\n>From here on\n>>From there\n"
    )
    assert [each for _, each in read_mbox(tmp_path / "x.mbox.gz", tmp_path)] == [data, data]
