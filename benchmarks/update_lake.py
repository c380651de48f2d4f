"""Write a lake of any size directly: what `ingest` and earlier updates of a busy observatory leave behind.

    python benchmarks/update_lake.py DIR [OBSERVATIONS] [DAYS]

Twenty sensors, sixteen botnets, twenty-three programmes, some six thousand campaigns in a year. Counts have
weekdays, drift, bursts and different mixes at different sensors; bots and link domains come and go. Nothing
in it is taken from mail, and no stage of the program knows its words.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from spamtide.attribution import load_signatures
from spamtide.campaign import COLUMNS, profile
from spamtide.observatory import Observatory, init_observatory
from spamtide.pipeline import signature_folders
from spamtide.schema import (
    EVIDENCE,
    EXEMPLARS,
    LINEAGE,
    MEMBERSHIPS,
    OBSERVATIONS,
    PROFILES,
    TIMESTAMP,
    UNDATED,
)
from spamtide.store import writer_lock

Ints = NDArray[np.int64]

SENSORS, BOTNETS, PROGRAMMES = 20, 16, 23
FIRST = np.datetime64("2025-01-01")
HAM_SHARE, UNDATED_SHARE, RULED_SHARE = 0.05, 0.002, 0.6
"""RULED_SHARE: how much of a botnet's mail its rules match; the rest is left to campaigns and addresses."""
POOL, TURNOVER = 40_000, 400
"""Bots of a botnet at a time, and how many are replaced each day."""
DOMAIN_DAYS = 3
"""Days that a campaign links to one domain."""
HEX = np.array([f"{byte:02x}".encode() for byte in range(256)], dtype="S2")
TWO_DIGITS = np.array([f"{number:02d}" for number in range(100)])
LOT = 200_000
"""Observations of one commit, about as compaction leaves them."""


@dataclass(frozen=True)
class Made:
    """The world behind the lake."""

    rng: np.random.Generator
    level: NDArray[np.float64]
    """(days, sensors, botnets with the unclaimed one): expected messages."""
    start: Ints
    """By campaign: first day, last day, botnet, programme."""
    stop: Ints
    botnet: Ints
    programme: Ints
    weight: NDArray[np.float64]
    sketch: NDArray[np.uint32]
    text: pa.Array


def world(observations: int, days: int, seed: int = 1) -> Made:
    """Draw the world: levels and campaigns."""
    rng = np.random.default_rng(seed)
    kinds = BOTNETS + 1
    size = np.exp(rng.normal(0, 1.0, SENSORS))
    share = rng.dirichlet(np.full(kinds, 1.5))
    mix = np.exp(rng.normal(0, 0.4, (SENSORS, kinds)))
    drift = np.exp(np.cumsum(rng.normal(0, 0.03, (days, kinds)), axis=0))
    for botnet in range(0, BOTNETS, 3):
        at = int(rng.integers(days // 4, days - days // 8))
        drift[at : at + days // 10, botnet] *= 0.03
    week = np.array([1.0, 1.05, 1.1, 1.05, 1.0, 0.8, 0.75])[(np.arange(days) + 2) % 7]
    level = week[:, None, None] * drift[:, None, :] * (size[:, None] * share * mix)
    level = level * rng.gamma(8.0, 1 / 8.0, (days, SENSORS, 1))
    level *= observations * (1 - HAM_SHARE) / level.sum()
    campaigns = max(kinds * 4, int(6000 * days / 365))
    start = rng.integers(-20, days, campaigns)
    botnet = np.concatenate([np.arange(kinds).repeat(2), rng.choice(kinds, campaigns - 2 * kinds)])
    stop = start + 4 + rng.gamma(1.5, 12.0, campaigns).astype(np.int64)
    start[: 2 * kinds], stop[: 2 * kinds] = -1, days + 30  # no botnet is ever without one
    words = np.array(["".join(chr(97 + letter) for letter in rng.integers(0, 26, 6)) for _ in range(3000)])
    body = [" ".join(rng.choice(words, 40)) for _ in range(campaigns)]
    return Made(
        rng, level, start, stop, botnet, rng.integers(0, PROGRAMMES + 6, campaigns),
        rng.gamma(0.7, 1.0, campaigns) + 1e-3,
        rng.integers(0, 2**32, (campaigns, 64), dtype=np.uint64).astype(np.uint32),
        pa.array(body, pa.string()),
    )  # fmt: skip


def rules() -> str:
    """A rule for each botnet (by a header) and each programme (by its brand)."""
    text = [
        f'rule bench_bot_{number} {{ meta: kind = "botnet" name = "benchbot{number}" confidence = "95" '
        f'strings: $a = "header X-Bench-Engine: {number:02d}-" condition: $a }}'
        for number in range(BOTNETS)
    ]
    text += [
        f'rule bench_programme_{number} {{ meta: kind = "programme" name = "benchbrand{number}" '
        f'confidence = "95" strings: $a = "Benchbrand{number:02d} " condition: $a }}'
        for number in range(PROGRAMMES)
    ]
    return "\n".join(text) + "\n"


def messages(made: Made, day: int) -> dict[str, Ints]:
    """One day's messages as numbers: sensor, campaign (-1: other mail), second of the day, bot."""
    counts = made.rng.poisson(made.level[day])
    sensors, campaigns = [], []
    for botnet in range(BOTNETS + 1):
        alive = np.flatnonzero((made.start <= day) & (made.stop >= day) & (made.botnet == botnet))
        number = int(counts[:, botnet].sum())
        weight = made.weight[alive] / made.weight[alive].sum()
        sensors.append(np.repeat(np.arange(SENSORS), counts[:, botnet]))
        campaigns.append(made.rng.choice(alive, number, p=weight))
    ham = made.rng.poisson(made.level[day].sum() * HAM_SHARE / (1 - HAM_SHARE))
    sensors.append(made.rng.integers(0, SENSORS, ham))
    campaigns.append(np.full(ham, -1))
    sensor, campaign = np.concatenate(sensors), np.concatenate(campaigns)
    order = made.rng.permutation(len(sensor))
    sensor, campaign = sensor[order], campaign[order]
    count = len(sensor)
    bot = made.rng.integers(0, POOL, count) + day * TURNOVER
    return {
        "sensor": sensor,
        "campaign": campaign,
        "second": np.sort(made.rng.integers(0, 86_400, count)),
        "bot": bot,
        "day": np.full(count, day),
    }


def observations_of(made: Made, drawn: dict[str, Ints], *, fresh: bool) -> tuple[pa.Table, Ints]:
    """Rows of OBSERVATIONS and the campaign of each; with `fresh`, sketches differ message by message."""
    count = len(drawn["sensor"])
    rng = made.rng
    campaign, day = drawn["campaign"], drawn["day"]
    ham = campaign < 0
    safe = np.maximum(campaign, 0)
    botnet = np.where(ham, BOTNETS + 1, made.botnet[safe])
    digest = rng.integers(0, 256, (count, 32), dtype=np.uint8)
    sha256 = pa.array(HEX[digest].reshape(count, 32).view("S64").ravel().tolist()).cast(pa.string())
    mixed = (drawn["bot"] * 2654435761 + botnet * 40503 * 65537) % (2**32)
    mixed = np.where(ham, rng.integers(0, 3000, count) + 3_232_235_520, mixed)
    ip = _joined([pa.array((mixed >> shift) & 255).cast(pa.string()) for shift in (24, 16, 8, 0)], ".")
    moment = (FIRST + day.astype("timedelta64[D]")).astype("datetime64[s]") + drawn["second"].astype(
        "timedelta64[s]"
    )
    received = pa.array(moment.astype("datetime64[us]"), mask=rng.random(count) < UNDATED_SHARE).cast(
        TIMESTAMP
    )
    domain = _joined(["d", _text(safe), "-", _text(day // DOMAIN_DAYS), ".example"], "")
    of_ham = _joined(["ham", _text(rng.integers(0, 400, count)), ".example"], "")
    domain = pc.if_else(pa.array(ham), of_ham, domain)
    engine = np.where(ham | (botnet >= BOTNETS) | (rng.random(count) > RULED_SHARE), 99, botnet)
    brand = np.where(ham, 99, made.programme[safe])
    relay = _joined(["mx.sensor", _text(drawn["sensor"]), ".example"], "")
    subject = _joined(["offer ", _text(safe), " for you ", _text(rng.integers(0, 50, count))], "")
    body = made.text.take(pa.array(safe))
    link = _joined(["http://", domain, "/", _text(rng.integers(0, 10**9, count))], "")
    rendering = _joined(
        ["client: ", ip, "\nhelo: host.example\nheader-order: Received,From,To,Subject,Date\n",
         "header X-Bench-Engine: ", pa.array(TWO_DIGITS[engine]), "-mail\nsubject: ", subject,
         "\nlink: ", link, "\ntext:\n", body, " Benchbrand", pa.array(TWO_DIGITS[brand]), " ",
         _text(rng.integers(0, 10**9, count))], "",
    )  # fmt: skip
    sketches = made.sketch[safe]
    if fresh:
        places = rng.integers(0, 64, (count, 6))
        np.put_along_axis(
            sketches, places, rng.integers(0, 2**32, (count, 6), dtype=np.uint64).astype(np.uint32), axis=1
        )
    width = sketches.astype("<u4").tobytes()
    minhash = pa.Array.from_buffers(pa.binary(256), count, [None, pa.py_buffer(width)]).cast(pa.binary())
    one = np.arange(count + 1, dtype=np.int32)
    columns = {
        "sha256": sha256,
        "sensor": _joined(["sensor-", _text(drawn["sensor"])], ""),
        "label": pc.if_else(pa.array(ham), "ham", "spam"),
        "simulated": pa.array(np.zeros(count, dtype=bool)),
        "source": pa.array(["bench.mbox"]).take(pa.array(np.zeros(count, dtype=np.int64))),
        "received_at": received,
        "received_at_from": _same("received", count),
        "sent_at": received,
        "zone": _same("+0000", count),
        "message_id": _joined(["<", _text(rng.integers(0, 2**62, count)), "@host.example>"], ""),
        "source_ip": ip,
        "source_ip_from": _same("received", count),
        "helo": _same("host.example", count),
        "relay": relay,
        "hops": pa.array(np.full(count, 2, dtype=np.int32)),
        "sender_domain": domain,
        "from_domain": domain,
        "subject": subject,
        "mailer": _same("", count),
        "skeleton": _same("Received,From,To,Subject,Date", count),
        "layout": _same("text/plain", count),
        "links": pa.ListArray.from_arrays(pa.array(one), link),
        "link_hosts": pa.ListArray.from_arrays(pa.array(one), domain),
        "link_domains": pa.ListArray.from_arrays(pa.array(one), domain),
        "size": pa.array(rng.integers(800, 9000, count)),
        "rendering": rendering,
        "minhash": minhash,
        "shingles": pa.array(np.full(count, 60, dtype=np.int32)),
        "sketch_key": _same("", count),
    }  # fmt: skip
    table = pa.table(
        [
            columns[field.name].cast(field.type) if field.name in columns else pa.nulls(count, field.type)
            for field in OBSERVATIONS
        ],
        schema=OBSERVATIONS,
    )
    return table, campaign


def campaign_tables(made: Made) -> tuple[pa.Table, pa.Table]:
    """Exemplars (twelve a campaign) and lineage."""
    count = len(made.botnet)
    names = campaign_names(count)
    each = made.sketch.repeat(12, axis=0)
    places = made.rng.integers(0, 64, (len(each), 6))
    np.put_along_axis(
        each, places, made.rng.integers(0, 2**32, places.shape, dtype=np.uint64).astype(np.uint32), axis=1
    )
    at = (FIRST + made.start.astype("timedelta64[D]")).astype("datetime64[us]")
    minhash = pa.array([row.astype("<u4").tobytes() for row in each], pa.binary())
    exemplars = pa.table(
        [names.take(pa.array(np.arange(count).repeat(12))), pa.array([f"{n:064x}" for n in range(len(each))]),
         pa.array(at.repeat(12)).cast(TIMESTAMP), minhash, pa.array(np.full(len(each), 60, dtype=np.int32)),
         _same("", len(each))], schema=EXEMPLARS,
    )  # fmt: skip
    lineage = pa.table(
        [pa.array(at).cast(TIMESTAMP), _same("minted", count), names, pa.nulls(count, pa.string())],
        schema=LINEAGE,
    )
    return exemplars, lineage


def profiles_of(made: Made, exemplars: pa.Table) -> pa.Table:
    """PROFILES of the exemplars: those of a campaign have its text."""
    count = len(made.text)
    number = pa.array(np.arange(count)).cast(pa.string())
    subject = _joined(["offer ", number, " for you"], "")
    empty = pa.array([[]] * count, pa.list_(pa.string()))
    shown = {
        "sha256": number,
        "subject": subject,
        "rendering": _joined(["subject: ", subject, "\ntext:\n", made.text], ""),
        "link_domains": empty,
        "links": empty,
        "attachments": empty,
        "skeleton": _same("Received,From,To,Subject,Date", count),
        "mailer": _same("", count),
        "message_id_shape": _same("", count),
        "layout": _same("text/plain", count),
    }
    found = profile(pa.record_batch([shown[name] for name in COLUMNS], names=list(COLUMNS)))
    each = pa.array(np.arange(count).repeat(exemplars.num_rows // count))
    facts = [found.column(name).take(each) for name in PROFILES.names[1:]]
    return pa.table([exemplars["sha256"], *facts], schema=PROFILES)


def campaign_names(count: int) -> pa.Array:
    """Names of the campaigns by number."""
    return pa.array([f"c-{number:06x}" for number in range(count)], pa.string())


def evidence_of(rows: pa.Table, campaigns: pa.Array) -> pa.Table:
    """EVIDENCE of observations, as `match` would find it; read off the rendering instead of scanned."""
    found = pc.extract_regex(
        rows["rendering"],
        r"(?s)X-Bench-Engine: (?P<bot>\d\d).*\ntext:\n(?P<body>.* Benchbrand(?P<brand>\d\d) .*)",
    )
    bot, brand = (pc.struct_field(found, name).cast(pa.int32()).to_numpy() for name in ("bot", "brand"))
    rules: list[list[str]] = [
        [f"bench_bot_{one}"] * (one < BOTNETS) + [f"bench_programme_{other}"] * (other < PROGRAMMES)
        for one, other in zip(bot.tolist(), brand.tolist(), strict=True)
    ]
    days = pc.floor(pc.divide(rows["received_at"].cast(pa.date32()).cast(pa.int32()).cast(pa.float64()), 7.0))
    made = {
        "week": pc.fill_null(days.cast(pa.int32()), UNDATED),
        "campaign": campaigns,
        "text": pc.utf8_length(pc.struct_field(found, "body")).cast(pa.int32()),
        "rules": pa.array(rules, EVIDENCE.field("rules").type),
    }
    columns = [made[name] if name in made else rows[name] for name in EVIDENCE.names]
    return pa.table(columns, schema=EVIDENCE).sort_by("week")


def build(
    directory: Path, observations: int, days: int, *, matched: bool = False
) -> tuple[Observatory, Made]:
    """Make the observatory: observations, memberships, exemplars, lineage and rules.

    With `matched`, evidence as well: what the per-record stage `match` has found of every message.
    """
    observatory = init_observatory(directory)
    (observatory.signatures / "bench.yar").write_text(rules(), encoding="utf-8")
    made = world(observations, days + 1)
    names = campaign_names(len(made.botnet))
    lake = observatory.lake
    with writer_lock(directory / "lake"):
        exemplars, lineage = campaign_tables(made)
        lake.replace("exemplars", exemplars)
        lake.replace("lineage", lineage)
        lake.replace("profiles", profiles_of(made, exemplars))
        lot: list[dict[str, Ints]] = []
        for day in range(days):
            lot.append(messages(made, day))
            if day == days - 1 or sum(len(one["day"]) for one in lot) > LOT:
                drawn = {name: np.concatenate([one[name] for one in lot]) for name in lot[0]}
                lot = []
                rows, campaign = observations_of(made, drawn, fresh=False)
                spam = pa.array(campaign >= 0)
                lake.append("observations", rows)
                members = pa.table(
                    [rows["sha256"], names.take(pa.array(np.maximum(campaign, 0)))], schema=MEMBERSHIPS
                )
                lake.append("memberships", members.filter(spam))
                if matched:
                    lake.append("evidence", evidence_of(rows, pc.if_else(spam, members["campaign"], None)))
        if matched:
            version = load_signatures(signature_folders(observatory)).version
            note = {"ruleset": version, "observations": lake.version("observations")}
            lake.append("evidence", EVIDENCE.empty_table(), note)
    return observatory, made


def add_day(observatory: Observatory, made: Made, day: int) -> int:
    """One more day of mail, as `ingest` would leave it; the number of messages."""
    rows, _ = observations_of(made, messages(made, day), fresh=True)
    with writer_lock(observatory.directory / "lake"):
        for start in range(0, rows.num_rows, 4096):
            observatory.lake.append("observations", rows.slice(start, 4096))
    return int(rows.num_rows)


def _text(values: Ints) -> pa.Array:
    return pa.array(values).cast(pa.string())


def _same(value: str, count: int) -> pa.Array:
    return pa.array([value]).take(pa.array(np.zeros(count, dtype=np.int64)))


def _joined(parts: list[pa.Array | str], separator: str) -> pa.Array:
    return pc.binary_join_element_wise(*parts, separator)


if __name__ == "__main__":
    where, number, span = (*sys.argv[1:], *("10000000", "364")[len(sys.argv) - 2 :])
    build(Path(where), int(number), int(span))
