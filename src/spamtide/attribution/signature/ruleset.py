"""Signature files: compile the YARA-X rules of an observatory, and scan renderings with them.

A rule is data with an author, a name that it speaks for, a confidence and dates of validity (DESIGN,
'Signature files'). What a hit is worth is decided later, in `evidence`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar

from spamtide.attribution.brand.reading import NO_READING, Reading, disguised, plainly, reading_of
from spamtide.attribution.brand.reading import VERSION as READING_VERSION
from spamtide.attribution.brand.words import wordings
from spamtide.attribution.signature.brand_rules import brand_source
from spamtide.attribution.signature.guarded import Behind, Guard, Guarded, split
from spamtide.attribution.signature.near import MARK
from spamtide.attribution.signature.passing import PASSING, apart
from spamtide.attribution.signature.passing import VERSION as PASSING_VERSION
from spamtide.attribution.signature.quoted import QUOTED, own_rendering
from spamtide.attribution.signature.quoted import VERSION as QUOTED_VERSION
from spamtide.attribution.signature.sieve import UNSIFTED, Sieve, Sifting, sifting_of
from spamtide.errors import SettingsError
from spamtide.knowledge import Knowledge
from spamtide.model import UNKNOWN, Signature

LOG = logging.getLogger(__name__)

DEFAULT_CONFIDENCE = 90
"""Of a rule whose author states none: the author stands behind it, so that it counts by itself."""
SCAN_SECONDS = 5
"""Longest scan of one message. YARA-X counts whole ticks of a clock that is already running: with a limit of
one second, each tick ends the scan under way, however short it is (measured)."""
MAX_FILE_BYTES = 16 * 2**20
MAX_NAME = 100
"""Characters of a name."""
SUFFIX = ".yar"

_KINDS: dict[str, Literal["botnet", "programme"]] = {"botnet": "botnet", "programme": "programme"}
_OWN_META = {"kind", "name", "confidence", "valid_from", "expires", "author", "reference"}
_RULE_LINE = re.compile(r"(?:^|\})[ \t]*((?:(?:private|global)[ \t]+)*)rule[ \t]+(\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Ruleset:
    """The compiled rules of one or more folders. A value: it can be pickled and sent to other processes."""

    signatures: Mapping[str, Signature]
    """By rule id: the rule's name, or 'file stem.name' where several files use the same name."""
    version: str
    """Hash of the sources; the same rules give the same version, wherever the folders are."""
    compiled: bytes
    """The serialised YARA-X rules."""
    ids: Mapping[tuple[str, str], str]
    """(namespace, rule name) -> rule id, for every rule that answers something."""
    reading: Reading = NO_READING
    """The wording of its programme rules, to be known in disguise."""
    guarded: tuple[Guarded, ...] = ()
    """Skeleton rules that are tried only behind their header order; they are not in `compiled`."""
    sifting: Sifting = UNSIFTED
    """What tells that none of `compiled` need be tried on a message, but for those in `apart`."""
    apart: bytes = b""
    """The files of `compiled` of which that is never known, by themselves."""


@dataclass(frozen=True, slots=True)
class Scan:
    """Hits by message, and how many messages could not be scanned."""

    hits: list[tuple[str, ...]]
    """Rule ids by message, sorted; () where nothing matched or the scan failed."""
    failed: int
    """Messages whose scan ran out of time or broke."""


def load_signatures(
    folders: Sequence[Path], knowledge: Knowledge | None = None, *, files: Sequence[Path] = ()
) -> Ruleset:
    """Compile all `*.yar` files of `folders`, in order of folder and name, and brands of a user's knowledge.

    A file in a later folder takes the place of one of the same name in an earlier folder, so that an
    observatory's copy of a shipped file can be edited. A folder that does not exist holds nothing.

    Args:
        folders: where the files are.
        files: single files, as if they were in a last folder.
        knowledge: brands that the user's file adds to it get rules, unless a signature looks for them.

    Raises:
        SettingsError: a file cannot be read or compiled, or a rule's meta breaks the format; the message
            names file, line and reason.
    """
    chosen = {path.name: path for folder in folders for path in sorted(folder.glob(f"*{SUFFIX}"))}
    chosen |= {path.name: path for path in files}
    sources = [(path, _read(path)) for name, path in sorted(chosen.items()) if name[0] != "."]
    if knowledge is not None and brand_source(knowledge, ()) is not None:
        rules = list(_build(sources))
        found = wordings((text for _, text in sources), _names(rules) - _names(rules, "botnet"))
        taken = {wording.letters for wording in found}  # not by botnets: their templates hold brands
        brands = brand_source(knowledge, taken)
        sources += [brands] if brands else []
    ruleset = compile_signatures(sources)
    _try_out(ruleset, list(chosen.values()))
    return ruleset


def compile_signatures(sources: Sequence[tuple[Path, str]]) -> Ruleset:
    """Compile signature texts, each with the path that errors and `Signature.file` name; names are unique.

    Raises:
        SettingsError: as for `load_signatures`.
    """
    rules = _build(sources)
    signatures, ids = _signatures(rules, {path.name: (path, text) for path, text in sources})
    reading = _reading(rules, sources, signatures, ids)
    left, guarded = split(sources)
    rules = _build(left) if guarded else rules
    names: dict[str, list[str]] = {}
    for rule in rules:
        names.setdefault(rule.namespace, []).append(rule.identifier)
    sifting = sifting_of({path.name: text for path, text in left}, names, ids)
    files = {file for file, _ in sifting.left}
    apart = [(path, text) for path, text in left if path.name in files] if sifting.some else []
    digest = hashlib.sha256(f"{QUOTED_VERSION} {PASSING_VERSION}".encode())
    for path, text in sources:
        digest.update(f"{path.name}\0{text}\0".encode())
    if reading.wordings:
        digest.update(READING_VERSION.encode())
    return Ruleset(
        signatures,
        digest.hexdigest()[:16],
        _frozen(rules),
        ids,
        reading,
        guarded,
        sifting,
        _frozen(_build(apart)) if apart else b"",
    )


def _frozen(rules: Any) -> bytes:  # noqa: ANN401 - yara_x has no public type for rules
    written = io.BytesIO()
    rules.serialize_into(written)
    return written.getvalue()


def _build(sources: Sequence[tuple[Path, str]]) -> Any:  # noqa: ANN401 - yara_x has no public type for rules
    """Compile texts, each in a namespace of its file's name."""
    import yara_x

    compiler = yara_x.Compiler(includes_enabled=False)
    for path, text in sources:
        compiler.new_namespace(path.name)
        try:
            compiler.add_source(text, origin=path.name)
        except yara_x.CompileError as error:
            found = compiler.errors()
            del compiler  # the error's frames may end on another thread, which a compiler must not
            line, reason = (found[0]["line"], found[0]["title"]) if found else (1, str(error))
            note = next((str(label["text"]) for label in found[0]["labels"]), "") if found else ""
            _fail(path, int(line), f"{reason}: {note}" if note else str(reason))
    return compiler.build()


def _reading(
    rules: Iterable[Any],
    sources: Sequence[tuple[Path, str]],
    signatures: Mapping[str, Signature],
    ids: Mapping[tuple[str, str], str],
) -> Reading:
    """The wording that programme rules, and their building blocks, look for."""
    botnets = {name for (_, name), rule in ids.items() if signatures[rule].kind == "botnet"}
    programmes = {file for (file, _), rule in ids.items() if signatures[rule].kind == "programme"}
    names = _names(rule for rule in rules if rule.namespace in programmes)
    return reading_of(wordings((text for path, text in sources if path.name in programmes), names - botnets))


def _names(rules: Iterable[Any], kind: str = "") -> frozenset[str]:
    """Identifiers of rules, or of those of a kind. As YARA-X has them: texts may speak of rules too."""
    return frozenset(rule.identifier for rule in rules if not kind or ("kind", kind) in rule.metadata)


def _try_out(ruleset: Ruleset, files: Sequence[Path]) -> None:
    """Refuse rules that cannot read a plain page in time: they would hold up every message."""
    page = ["text:\n" + "A page of plain words, and 12345. " * 300]
    if not scan(page, replace(ruleset, sifting=UNSIFTED)).failed:
        return
    for path in files:
        if scan(page, replace(compile_signatures([(path, _read(path))]), sifting=UNSIFTED)).failed:
            _fail(path, 1, f"a rule in this file takes over {SCAN_SECONDS} s on a page of plain text")


def _read(path: Path) -> str:
    """Text of a signature file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        _fail(path, 1, f"cannot be read: {error}")
    if len(data) > MAX_FILE_BYTES:
        _fail(path, 1, f"larger than {MAX_FILE_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _fail(path, data.count(b"\n", 0, error.start) + 1, "not UTF-8 text")


def _signatures(
    rules: Iterable[Any], sources: Mapping[str, tuple[Path, str]]
) -> tuple[dict[str, Signature], dict[tuple[str, str], str]]:
    """Check every rule's meta and give it an id."""
    found = []
    for rule in rules:
        path, text = sources[rule.namespace]
        line, private = _place(text, rule.identifier)
        meta = rule.metadata
        if private and not any(key in {"kind", "name"} for key, _ in meta):
            continue  # a building block of other rules; it answers nothing itself
        found.append((path, line, rule.identifier, _meta(path, line, rule.identifier, meta)))
    uses = Counter(name for _, _, name, _ in found)
    signatures: dict[str, Signature] = {}
    ids: dict[tuple[str, str], str] = {}
    for path, line, name, meta in found:
        rule_id = name if uses[name] == 1 else f"{path.stem}.{name}"
        ids[path.name, name] = rule_id
        signatures[rule_id] = Signature(
            rule=rule_id,
            kind=_KINDS[meta["kind"]],
            name=meta["name"].strip(),
            confidence=int(meta.get("confidence", DEFAULT_CONFIDENCE)),
            file=str(path),
            line=line,
            valid_from=_date(meta.get("valid_from")),
            expires=_date(meta.get("expires")),
            author=meta.get("author", ""),
            reference=meta.get("reference", ""),
            meta={key: value for key, value in meta.items() if key not in _OWN_META},
        )
    return dict(sorted(signatures.items())), ids


def _meta(path: Path, line: int, rule: str, pairs: Sequence[tuple[str, object]]) -> dict[str, str]:
    """A rule's meta as text, checked against the format."""
    meta: dict[str, str] = {}
    for key, value in pairs:
        if key in meta:
            _fail(path, line, f"rule {rule}: meta '{key}' stands twice")
        meta[key] = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    for key in ("kind", "name"):
        if not meta.get(key, "").strip():
            _fail(path, line, f"rule {rule}: meta '{key}' is missing")
    if meta["kind"] not in _KINDS:
        _fail(path, line, f"rule {rule}: kind '{meta['kind']}' is neither botnet nor programme")
    if meta["name"].strip().casefold() == UNKNOWN or len(meta["name"]) > MAX_NAME:
        _fail(path, line, f"rule {rule}: '{meta['name'][:MAX_NAME]}' cannot be a name")
    written = meta.get("confidence", "0")
    if not re.fullmatch(r"\d{1,3}", written) or int(written) > 100:  # noqa: PLR2004 - per cent
        _fail(path, line, f"rule {rule}: confidence '{written}' is not a whole number from 0 to 100")
    _check_dates(path, line, rule, meta)
    return meta


def _check_dates(path: Path, line: int, rule: str, meta: Mapping[str, str]) -> None:
    """Refuse dates of validity that are none, or that end before they start."""
    for key in ("valid_from", "expires"):
        try:
            _date(meta.get(key))
        except ValueError:
            _fail(path, line, f"rule {rule}: {key} '{meta[key]}' is not a date (YYYY-MM-DD)")
    since, until = _date(meta.get("valid_from")), _date(meta.get("expires"))
    if since and until and until < since:
        _fail(path, line, f"rule {rule}: expires before valid_from")


def _date(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def _place(text: str, rule: str) -> tuple[int, bool]:
    """Line of a rule in its file, and whether it is private."""
    for match in _RULE_LINE.finditer(text):
        if match[2] == rule:
            return text.count("\n", 0, match.start()) + 1, "private" in match[1]
    return 1, False


def _fail(path: Path, line: int, reason: str) -> NoReturn:
    message = f"{path}:{line}: {reason}"
    raise SettingsError(message)


@lru_cache(maxsize=8)
def _rules(compiled: bytes) -> Any:  # noqa: ANN401 - yara_x has no public type for the deserialised rules
    """The rules of a Ruleset, made ready once a process."""
    import yara_x

    return yara_x.Rules.deserialize_from(io.BytesIO(compiled))


def match(renderings: Sequence[str], ruleset: Ruleset) -> list[tuple[str, ...]]:
    """Rule ids that match each rendering, sorted; a message that cannot be scanned has none."""
    return scan(renderings, ruleset).hits


def scan(renderings: Sequence[str], ruleset: Ruleset) -> Scan:
    """As `match`, and counts the messages that ran over SCAN_SECONDS or broke the scanner."""
    import yara_x

    trying = _Trying(ruleset, asking=True)
    hits: list[tuple[str, ...]] = []
    failed = 0
    for rendering in renderings:
        try:
            hits.append(trying.hits(rendering or ""))
        except (yara_x.TimeoutError, yara_x.ScanError) as error:
            failed += 1
            hits.append(())
            LOG.warning("a message could not be scanned: %s", error)
    return Scan(hits, failed)


def sift(renderings: Sequence[str], ruleset: Ruleset) -> list[tuple[str, ...] | None]:
    """As `match`, without YARA-X: None for messages that it has to be asked of."""
    trying = _Trying(ruleset, asking=False)
    found: list[tuple[str, ...] | None] = []
    for rendering in renderings:
        try:
            found.append(trying.hits(rendering or ""))
        except _UnaskedError:
            found.append(None)
    return found


class _UnaskedError(Exception):
    """YARA-X has to be asked, and is not to be."""


_GUARDS: dict[str, Guard] = {}
_SIEVES: dict[str, Sieve] = {}
_SETS = 4
"""Rule sets whose parts are kept."""
_Part = TypeVar("_Part")


def _once(kept: dict[str, _Part], version: str, make: Callable[[], _Part]) -> _Part:
    """A part of a rule set, made once a process; `version` tells rule sets apart."""
    part = kept.get(version)
    if part is None:
        if len(kept) >= _SETS:
            kept.clear()
        part = kept[version] = make()
    return part


class _Trying:
    """The rules of a rule set, tried on one message after the other."""

    def __init__(self, ruleset: Ruleset, *, asking: bool) -> None:
        self._ruleset = ruleset
        version, guarded, sifting = ruleset.version, ruleset.guarded, ruleset.sifting
        self._guard = _once(_GUARDS, version, lambda: Guard(guarded)) if guarded else None
        self._sieve = _once(_SIEVES, version, lambda: Sieve(sifting)) if sifting.some else None
        self._asking = asking
        self._scanners: dict[bytes, Any] = {}

    def hits(self, text: str) -> tuple[str, ...]:
        """Ids of the rules that match, sorted."""
        behind = self._guard.hits(text.encode("utf-8", "replace")) if self._guard else ()
        found = self._passing(text, self._own(text, self._rules(text)))
        said = disguised(text, self._ruleset.reading)
        if not behind and not said:
            return found
        ids, signatures = self._ruleset.ids, self._ruleset.signatures
        named = {*found, *(_named(ids, one) for one in behind)}
        again = set(self._rules(plainly(text, said))) if said else set()
        passing = {rule.removesuffix(PASSING) for rule in found if rule.endswith(PASSING)}
        if again & passing and (parts := apart(text)):  # what is in disguise may be the same brand
            again -= passing - set(self._rules(plainly(parts[0], said)))
            named -= {f"{rule}{PASSING}" for rule in again & passing}
        named |= {rule for rule in again if signatures[rule].kind == "programme"}
        return tuple(sorted(named - {""}))

    def _own(self, text: str, found: tuple[str, ...]) -> tuple[str, ...]:
        """Rules that match a text; botnets' that match only what it quotes are marked so.

        Not those that speak against a family: what is odd about a message is so wherever it stands.
        """
        signatures = self._ruleset.signatures
        asked = [
            rule
            for rule in found
            if signatures[rule].kind == "botnet" and "unlike" not in signatures[rule].meta
        ]
        own = own_rendering(text) if asked else None
        if own is None:
            return found
        left = self._rules(own)
        return tuple(
            sorted(f"{rule}{QUOTED}" if rule in asked and rule not in left else rule for rule in found)
        )

    def _passing(self, text: str, found: tuple[str, ...]) -> tuple[str, ...]:
        """Rules that match; programmes' that match one paragraph alone of a list's letter are marked."""
        known = self._ruleset.signatures
        asked = {rule for rule in found if rule in known and known[rule].kind == "programme"}
        parts = apart(text) if asked else None
        if parts is None:
            return found
        rest, paragraphs = parts
        asked -= set(self._rules(rest))
        said = Counter(rule for one in paragraphs for rule in self._rules(one)) if asked else Counter()
        return tuple(
            sorted(f"{rule}{PASSING}" if rule in asked and said[rule] == 1 else rule for rule in found)
        )

    def _rules(self, text: str) -> tuple[str, ...]:
        """Those that match a text as it is, but for guarded ones."""
        known = self._sieve.look(text) if self._sieve is not None else None
        if known is None:
            return tuple(sorted(self._asked(self._ruleset.compiled, text)))
        apart = self._ruleset.apart
        return tuple(sorted({*known, *self._asked(apart, text)})) if apart else known

    def _asked(self, compiled: bytes, text: str) -> set[str]:
        """Those that YARA-X says match."""
        if not self._asking:
            raise _UnaskedError
        scanner = self._scanners.get(compiled)
        if scanner is None:
            import yara_x

            scanner = self._scanners[compiled] = yara_x.Scanner(_rules(compiled))
            scanner.set_timeout(SCAN_SECONDS)
            scanner.fast_scan(yes=True)
        found = scanner.scan(text.encode("utf-8", "replace")).matching_rules
        ids = self._ruleset.ids
        return {ids.get((rule.namespace, rule.identifier), "") for rule in found} - {""}


def _named(ids: Mapping[tuple[str, str], str], behind: Behind) -> str:
    """The id of a guarded rule that matches, with what it misses by; '' for a rule that answers nothing."""
    rule = ids.get((behind.file, behind.rule), "")
    return f"{rule}{MARK}{behind.fault}" if rule and behind.fault else rule
