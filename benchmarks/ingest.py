"""Speed and memory of `spamtide ingest` on each corpus, and beside it, in the same run, what peers parse.

    make bench        (or: python benchmarks/ingest.py [--quick])

Prints a Markdown page and writes it to docs/benchmarks.md. Corpora: SPAMTIDE_CORPORA, else shared/corpora
beside the checkout. Every figure is messages a second on all processors that this process may use; ratios
are within one run, since machines differ and drift.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import re
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

from spamtide.compiled import native

ROOT = Path(__file__).resolve().parents[1]
CORPORA = Path(os.environ.get("SPAMTIDE_CORPORA", ROOT.parent / "shared" / "corpora"))
PROCESSORS = len(os.sched_getaffinity(0))
COPIES = 30
"""CSDMC spam is also read this many times over (each copy made unique by a header), so that the rate is that
of a stream and not of a program's start."""
RUNS = 3
PEER_MESSAGES = {"fast-mail-parser": 13780, "stdlib email": 13780, "mail-parser": 1378, "eml-parser": 300}
"""How many of the CSDMC spam messages each peer is given; the slow ones get a part."""


def main() -> None:
    """Run everything and write the page."""
    quick = "--quick" in sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        spam = list(csdmc_spam())
        write_forms(spam, work)
        lines = list(page(work, spam, runs=1 if quick else RUNS))
    text = "\n".join(lines) + "\n"
    print(text)
    if not quick:
        (ROOT / "docs" / "benchmarks.md").write_text(text, encoding="utf-8")


def page(work: Path, spam: list[bytes], runs: int) -> Iterator[str]:
    """The page's lines."""
    yield "# Speed"
    yield ""
    machine = f"{PROCESSORS} processors ({platform.machine()}), Python {platform.python_version()}"
    form = "in use" if native else "not built"
    yield f"Made by `make bench`: {machine}, compiled form {form}."
    yield f"Median of {runs} runs (lowest to highest)."
    yield "Quote ratios, not single times: machines differ and drift."
    yield ""
    yield from asked(work, spam, runs)
    yield ""
    yield "## Ingest, from files to the lake"
    yield ""
    yield "Whole command: start of the program, reading, parsing, observing, sketching, both Delta commits."
    yield "Memory is of one more run, for to watch it slows a run by a tenth."
    yield ""
    yield "| corpus | messages | MB | messages/s | MB/s | peak memory of all processes, MB |"
    yield "|---|---|---|---|---|---|"
    rates: dict[str, float] = {}
    for name, path, options in corpora(work):
        done = [ingest_once(work, path, options) for _ in range(runs)]
        rate = statistics.median(one["rate"] for one in done)
        rates[name] = rate
        low, high = min(one["rate"] for one in done), max(one["rate"] for one in done)
        size = done[0]["bytes"] / 1e6
        megabytes = statistics.median(one["bytes"] / 1e6 / one["seconds"] for one in done)
        memory = ingest_once(work, path, options, watch=True)["memory"]
        yield (
            f"| {name} | {done[0]['stored']:,} | {size:.1f} | {rate:,.0f} ({low:,.0f}-{high:,.0f}) "
            f"| {megabytes:.0f} | {memory:.0f} |"
        )
    yield ""
    yield "## Where the time goes"
    yield ""
    yield "CSDMC spam on one processor, microseconds a message (median over the runs)."
    yield ""
    yield "| stage | us | share |"
    yield "|---|---|---|"
    stages = stage_costs(spam, runs)
    total = sum(stages.values())
    for name, cost in stages.items():
        yield f"| {name} | {cost:.0f} | {100 * cost / total:.0f} % |"
    yield f"| all | {total:.0f} | 100 % |"
    yield ""
    yield f"## Beside peers: parsing alone, {PROCESSORS} processes"
    yield ""
    yield "The same CSDMC spam, already in memory, in the same run."
    yield "Spamtide's row is the whole ingest into the lake."
    yield ""
    yield "| program | does | messages/s | Spamtide's whole ingest is |"
    yield "|---|---|---|---|"
    ours = rates[STREAM]
    yield f"| Spamtide {version('spamtide')} | everything | {ours:,.0f} | 1 |"
    for name, parse in PEERS.items():
        rate = peer_rate(name, parse, spam)
        yield f"| {name} {peer_version(name)} | parses | {rate:,.0f} | {ours / rate:.2f} x |"


STREAM = f"CSDMC spam x {COPIES}"


def asked(work: Path, spam: list[bytes], runs: int) -> Iterator[str]:
    """The two figures asked of an ingest, in pairs: mail-parser is timed around each of our runs."""
    pairs: list[tuple[float, float, float]] = []
    before = peer_rate("mail-parser", parse_mailparser, spam)
    for _ in range(runs):
        once = ingest_once(work, CORPORA / "csdmc2010.tar.gz", ["--members", "*spam/*"])
        many = ingest_once(work, work / TAR, [])
        after = peer_rate("mail-parser", parse_mailparser, spam)
        steady = (many["stored"] - once["stored"]) / max(many["seconds"] - once["seconds"], 1e-9)
        pairs.append((many["rate"], steady, (before + after) / 2))
        before = after
    yield "## What is asked"
    yield ""
    yield f"{STREAM} into the lake. Around each run mail-parser parses alone, on {PROCESSORS} processes."
    yield "'Whole' is the whole command with its start; 'steady' leaves out what a run over one copy takes."
    yield ""
    yield "| | messages/s | times mail-parser, in the same run | asked |"
    yield "|---|---|---|---|"
    for at, name, wanted in ((0, "whole", "3,000 and 2 x"), (1, "steady", "")):
        rates, ratios = [pair[at] for pair in pairs], [pair[at] / pair[2] for pair in pairs]
        yield (
            f"| {name} | {statistics.median(rates):,.0f} ({min(rates):,.0f}-{max(rates):,.0f}) "
            f"| {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f}) | {wanted} |"
        )


TAR, MBOX, FOLDER = "csdmc-spam-copies.tar", "csdmc-spam-copies.mbox", "csdmc-spam-copies"
FEW_COPIES = 10
"""Copies in the other forms."""


def corpora(work: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """(name, path, options) of each corpus."""
    yield STREAM, work / TAR, []
    yield f"CSDMC spam x {FEW_COPIES}, an mbox", work / MBOX, []
    yield f"CSDMC spam x {FEW_COPIES}, a folder", work / FOLDER, []
    yield "CSDMC spam", CORPORA / "csdmc2010.tar.gz", ["--members", "*spam/*"]
    yield "CSDMC, all", CORPORA / "csdmc2010.tar.gz", []
    yield "SpamAssassin", CORPORA / "spamassassin.tar.gz", []
    yield "phishing-pot", CORPORA / "phishing-pot-to-2023.tar.gz", []
    yield "glitchy-419", CORPORA / "glitchy-419.zip", []
    for path in sorted((CORPORA / "vger").glob("*.mbox.gz")):
        yield f"vger {path.name.removesuffix('.mbox.gz')}", path, []


def csdmc_spam() -> Iterator[bytes]:
    """The messages of CSDMC's spam folder."""
    with tarfile.open(CORPORA / "csdmc2010.tar.gz") as archive:
        for member in archive:
            if member.isfile() and "spam/" in member.name:
                opened = archive.extractfile(member)
                if opened is not None:
                    yield opened.read()


def write_forms(messages: list[bytes], work: Path) -> None:
    """Unique copies of each message as a tar, an mbox and a folder of files."""
    with tarfile.open(work / TAR, "w") as archive:
        for name, data in copies(messages, COPIES):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, BytesIO(data))
    folder = work / FOLDER
    folder.mkdir()
    with (work / MBOX).open("wb") as mbox:
        for name, data in copies(messages, FEW_COPIES):
            (folder / name.replace("/", "-")).write_bytes(data)
            quoted = re.sub(rb"(?m)^(>*From )", rb">\1", data).rstrip(b"\n")
            mbox.write(b"From bench@example.com Mon Jan  4 10:00:00 2010\n%b\n\n" % quoted)


def copies(messages: list[bytes], count: int) -> Iterator[tuple[str, bytes]]:
    """(name, data) of each copy, unique by a header, below a separator line where one is."""
    for copy in range(count):
        for number, data in enumerate(messages):
            top = data.index(b"\n") + 1 if data.startswith(b"From ") else 0
            yield f"{copy}/{number}.eml", b"%bX-Copy: %d\n%b" % (data[:top], copy, data[top:])


def ingest_once(work: Path, path: Path, options: list[str], *, watch: bool = False) -> dict[str, float]:
    """One whole `spamtide ingest` into a fresh observatory.

    To `watch` its memory takes a tenth of a processor (the kernel walks every page asked for), so that
    is done in a run of its own.
    """
    with tempfile.TemporaryDirectory(dir=work) as folder:
        command = [
            sys.executable,
            "-m",
            "spamtide",
            "-q",
            "-C",
            folder,
            "ingest",
            "--json",
            *options,
            str(path),
        ]
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: S603 - our own command
        memory = 0.0
        while watch and process.poll() is None:
            memory = max(memory, tree_memory(process.pid))
            time.sleep(0.05)
        process.wait()
        seconds = time.perf_counter() - started
        if process.stdout is None or process.returncode:
            message = f"{' '.join(command)} failed"
            raise RuntimeError(message)
        counts = json.loads(process.stdout.read())
        stored = counts["stored"]
        size = raw_bytes(Path(folder))
    return {
        "stored": stored,
        "seconds": seconds,
        "rate": stored / seconds,
        "bytes": size,
        "memory": memory,
    }


def raw_bytes(observatory: Path) -> int:
    """Bytes of mail in a lake."""
    import spamtide

    return sum(spamtide.open(observatory).observations().arrow["size"].to_pylist())


def tree_memory(pid: int) -> float:
    """Memory of a process and its children in MB, shared pages counted once each (PSS)."""
    total = 0
    for process in [pid, *children(pid)]:
        try:
            text = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total / 1024


def children(pid: int) -> list[int]:
    """Process ids of the children."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(word) for word in text.split()]


# ---------------------------------------------------------------------------- stages


def stage_costs(messages: list[bytes], runs: int) -> dict[str, float]:
    """Microseconds a message by stage, one process."""
    found = [_stage_costs(messages) for _ in range(runs)]
    return {name: statistics.median(one[name] for one in found) for name in found[0]}


def _stage_costs(messages: list[bytes]) -> dict[str, float]:
    """One run."""
    import datetime as dt
    import hashlib

    import pyarrow as pa

    from spamtide.campaign import sketch
    from spamtide.ingest.examining import observation_rows
    from spamtide.message import parse
    from spamtide.model import RawMessage
    from spamtide.observation import observe
    from spamtide.rows import raw_batch
    from spamtide.settings import Limits, Observing
    from spamtide.store import Lake

    costs: dict[str, float] = {}
    limits, observing = Limits(), Observing()
    mark = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal mark
        now = time.perf_counter()
        costs[name] = (now - mark) / len(messages) * 1e6
        mark = now

    raws = [
        RawMessage(hashlib.sha256(data).hexdigest(), "bench", "spam", None, "bench", data)
        for data in messages
    ]
    lap("identity (SHA-256)")
    parsed = [parse(raw.data, limits) for raw in raws]
    lap("parse")
    pairs = zip(raws, parsed, strict=True)
    seen = [observe(raw, message, observing=observing, key=b"k" * 32) for raw, message in pairs]
    lap("observe")
    sketches = sketch(seen)
    lap("sketch")
    rows = pa.Table.from_batches([observation_rows(seen, sketches)])
    raw = pa.Table.from_batches([raw_batch(raws, dt.datetime.now(dt.UTC), "bench")])
    lap("to Arrow")
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(folder)
        lake.append("raw", raw.slice(0, 1))
        lake.append("observations", rows.slice(0, 1))
        mark = time.perf_counter()
        lake.append("raw", raw)
        lake.append("observations", rows)
        lap("commit to Delta")
    return costs


# ---------------------------------------------------------------------------- peers


def parse_fast(data: bytes) -> None:
    """fast-mail-parser."""
    from fast_mail_parser import ParseError, parse_email

    try:
        mail = parse_email(data)
        _ = mail.subject, mail.text_plain, mail.text_html, mail.headers
    except ParseError:
        pass


def parse_stdlib(data: bytes) -> None:
    """The standard library, decoding each text part."""
    import email

    for part in email.message_from_bytes(data).walk():
        if part.get_content_maintype() == "text":
            part.get_payload(decode=True)


def parse_mailparser(data: bytes) -> None:
    """mail-parser."""
    import mailparser

    mail = mailparser.parse_from_bytes(data)
    _ = mail.subject, mail.body, mail.headers


def parse_emlparser(data: bytes) -> None:
    """eml-parser with the body decoded."""
    import eml_parser

    eml_parser.EmlParser(include_raw_body=True).decode_email_bytes(data)


PEERS: dict[str, Callable[[bytes], None]] = {
    "fast-mail-parser": parse_fast,
    "stdlib email": parse_stdlib,
    "mail-parser": parse_mailparser,
    "eml-parser": parse_emlparser,
}


def peer_version(name: str) -> str:
    """A peer's version."""
    return platform.python_version() if name.startswith("stdlib") else version(name)


def peer_rate(name: str, parse: Callable[[bytes], None], spam: list[bytes]) -> float:
    """Messages a second of a peer on as many processes as Spamtide has."""
    wanted = PEER_MESSAGES[name]
    messages = (spam * (wanted // len(spam) + 1))[:wanted]
    with multiprocessing.get_context("fork").Pool(PROCESSORS) as pool:
        pool.starmap(_warm, [(parse, spam[0])] * PROCESSORS * 4, chunksize=1)
        started = time.perf_counter()
        failures = sum(
            pool.starmap(_parse_all, [(parse, messages[n::PROCESSORS]) for n in range(PROCESSORS)])
        )
        seconds = time.perf_counter() - started
    if failures:
        print(f"{name}: {failures} of {wanted} messages raised", file=sys.stderr)
    return wanted / seconds


def _warm(parse: Callable[[bytes], None], data: bytes) -> None:
    """Import the parser in a worker."""
    parse(data)


def _parse_all(parse: Callable[[bytes], None], messages: list[bytes]) -> int:
    """Parse messages; how many raised."""
    failures = 0
    for data in messages:
        try:
            parse(data)
        except Exception:  # noqa: BLE001 - a peer's failure is counted, not ours to judge
            failures += 1
    return failures


if __name__ == "__main__":
    if not zipfile.is_zipfile(CORPORA / "glitchy-419.zip"):
        sys.exit("no corpora; set SPAMTIDE_CORPORA to their folder")
    main()
