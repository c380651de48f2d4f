"""Settings of one observatory: `spamtide.toml`, every value with a default.

Each section is a frozen record that the stage of that name takes as its argument; no stage reads the file.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from spamtide.errors import SettingsError

SETTINGS_FILE = "spamtide.toml"

MOST: dict[str, float] = {
    "similarity": 1,
    "botnet_confidence": 1,
    "programme_confidence": 1,
    "ratio": 1,
    "false_discovery": 1,
    "seconds": 3600,
    "pause_seconds": 86_400,
    "hourly_weeks": 520,
    "raw_retention_days": 36_500,
    "workers": 1024,
}
"""The most that a setting may be: shares, and what a clock, a calendar or a machine holds."""
DAYS = frozenset({"base_since", "base_until"})
"""Settings that are dates."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one message. What goes over a bound is cut and named as a defect, never an error."""

    message_bytes: int = 64 * 2**20
    """A larger message is quarantined ('too-large')."""
    headers: int = 1000
    """Header fields kept, over all of the top level."""
    header_bytes: int = 256 * 2**10
    """Bytes of the header block that are read."""
    depth: int = 20
    """Nesting of MIME parts that is followed."""
    parts: int = 200
    """MIME parts that are looked at."""
    body_bytes: int = 4 * 2**20
    """Bytes of a message that the MIME parsers are given."""
    text_chars: int = 100_000
    """Characters of visible text kept."""
    html_chars: int = 500_000
    """Characters of HTML that are looked at."""
    links: int = 100
    """Links kept."""
    seconds: float = 5.0
    """Processor time of one message in parse and observe; over it, it is quarantined ('too-slow')."""


@dataclass(frozen=True, slots=True)
class Observing:
    """How a message becomes an observation."""

    trusted_relays: tuple[str, ...] = ()
    """Networks (CIDR or address) and host names (or '.suffix') of relays whose Received headers are
    believed and stepped over. Private, loopback and link-local addresses always are."""
    source_headers: tuple[str, ...] = ()
    """Headers, in order, that the user's own gateway writes the client's address into, e.g. 'X-Sender-IP'."""


@dataclass(frozen=True, slots=True)
class Clustering:
    """How messages are grouped into campaigns."""

    similarity: float = 0.6
    """Estimated Jaccard similarity of shingles from which two texts are variants of one another."""


@dataclass(frozen=True, slots=True)
class Attributing:
    """When an answer is given rather than 'unknown'."""

    botnet_confidence: float = 0.9
    """Least probability for a botnet's name."""
    programme_confidence: float = 0.8
    """Least probability for a programme's name."""


@dataclass(frozen=True, slots=True)
class Measuring:
    """How the index is fitted."""

    base_since: str = ""
    """First day of the base period (ISO date); '' lets the data choose."""
    base_until: str = ""
    """Last day of the base period."""
    subject_floor: int = 30
    """A subject with fewer messages over the whole span gets no series of its own."""
    hourly_weeks: int = 4
    """Weeks at the end that are measured by the hour as well; 0 for none."""


@dataclass(frozen=True, slots=True)
class Detecting:
    """When something counts as a change."""

    ratio: float = 0.65
    """A fall below this share of the level before is reported, a rise above its inverse; where days are even,
    as those of all mail are, from half as far on a log scale (0.8) on."""
    false_discovery: float = 0.1
    """Share of reported changes that may be false, over all series together."""


@dataclass(frozen=True, slots=True)
class Controlling:
    """Own checks of control servers. None is made unless hosts are listed here and `--check` is given."""

    hosts: tuple[str, ...] = ()
    """Hosts that you may check, each as 'host:port family'. Nothing else is ever contacted."""
    seconds: float = 5.0
    """Time that a host has to answer."""
    pause_seconds: float = 10.0
    """Pause between two connections."""
    least_hours: float = 1.0
    """A host is not checked again sooner than this."""


@dataclass(frozen=True, slots=True)
class Running:
    """How the program uses the machine."""

    workers: int = 0
    """Processes for per-record stages; 0 means one a core."""
    raw_retention_days: int = 0
    """Raw mail older than this is removed by `update`; 0 keeps it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All of `spamtide.toml`."""

    name: str = "Spamtide observatory"
    limits: Limits = field(default_factory=Limits)
    observing: Observing = field(default_factory=Observing)
    clustering: Clustering = field(default_factory=Clustering)
    attributing: Attributing = field(default_factory=Attributing)
    measuring: Measuring = field(default_factory=Measuring)
    detecting: Detecting = field(default_factory=Detecting)
    controlling: Controlling = field(default_factory=Controlling)
    running: Running = field(default_factory=Running)


def load_settings(directory: Path) -> Settings:
    """Read `spamtide.toml` of an observatory; a missing file means all defaults.

    Raises:
        SettingsError: the file is not TOML, or names a key or a value that Spamtide does not know.
    """
    path = directory / SETTINGS_FILE
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors begin it so
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: cannot be read: {error.strerror if isinstance(error, OSError) else error}"
        raise SettingsError(message) from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{path}: not valid TOML: {error}"
        raise SettingsError(message) from error
    return _build(Settings, data, path, text, "")


def _build(record: type[T], data: Mapping[str, Any], path: Path, text: str, section: str) -> T:
    """Make a settings record from a TOML table, refusing what it does not know."""
    hints = get_type_hints(record)
    known = {item.name for item in fields(record)}  # type: ignore[arg-type]  # every caller passes a dataclass
    values: dict[str, Any] = {}
    for key, value in data.items():
        where = f"{path}:{_line_of(text, key, section)}"
        if key not in known:
            message = f"{where}: no such setting '{key}' in [{section or 'top level'}]"
            raise SettingsError(message, f"known: {', '.join(sorted(known))}")
        values[key] = _convert(hints[key], value, path, text, key, where)
    return record(**values)


def _convert(hint: Any, value: Any, path: Path, text: str, key: str, where: str) -> Any:  # noqa: ANN401 - TOML values are of any type; where is needed for the error
    """Check one TOML value against the type of its field."""
    if isinstance(value, dict):
        if hint in {str, int, float} or not hasattr(hint, "__dataclass_fields__"):
            message = f"{where}: '{key}' is not a section"
            raise SettingsError(message)
        return _build(hint, value, path, text, key)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if hint in {str, int, float}:
        if not isinstance(value, hint) or isinstance(value, bool):
            message = f"{where}: '{key}' wants {hint.__name__}, got {type(value).__name__}"
            raise SettingsError(message)
        if hint is str:
            _check_day(key, value, where)
        else:
            _check_number(key, value, where)
        return value
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        message = f"{where}: '{key}' wants a list of strings"
        raise SettingsError(message)
    if key == "trusted_relays":
        for item in value:
            _check_relay(item, where)
    return tuple(value)


def _check_number(key: str, value: float, where: str) -> None:
    """Refuse a number that means nothing for its setting."""
    if value < 0:
        message = f"{where}: '{key}' may not be negative"
        raise SettingsError(message)
    most = MOST.get(key)
    if not math.isfinite(value) or (most is not None and value > most):
        message = f"{where}: '{key}' may be {most if most is not None else 'a finite number'} at the most"
        raise SettingsError(message)


def _check_day(key: str, value: str, where: str) -> None:
    """Refuse an end of the base period that is no date."""
    if key not in DAYS or not value:
        return
    try:
        dt.date.fromisoformat(value)
    except ValueError as error:
        message = f"{where}: '{key}' is no date: '{value}'"
        raise SettingsError(message, "write it as YYYY-MM-DD") from error


def _check_relay(item: str, where: str) -> None:
    """Refuse a trusted relay that looks like a network and is none."""
    if "/" in item or item.replace(".", "").isdigit() or ":" in item:
        try:
            ipaddress.ip_network(item, strict=False)
        except ValueError as error:
            message = f"{where}: trusted relay '{item}' is no network: {error}"
            raise SettingsError(message) from error


def _line_of(text: str, key: str, section: str) -> int:
    """Line number of `key` in its section, for error messages; 1 when it cannot be told."""
    current = ""
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped.startswith("["):
            current = stripped.strip("[]").strip()
            if not section and current == key:
                return number
        elif current == section and stripped.split("=")[0].strip().strip('"') == key:
            return number
    return 1
