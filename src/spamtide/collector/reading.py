"""One path, read to its end: containers are opened, messages come out, breaks are noted.

Each layer of a source (a compression, an archive, an mbox) is one method that gives what it finds and lets
`Damage` to itself pass upwards; the layer above notes it and goes on with the next member.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from spamtide.collector.compressed import unpack
from spamtide.collector.disk import Disk
from spamtide.collector.from_line import read_from_line
from spamtide.collector.mbox import Piece, split, undo, whole
from spamtide.collector.naming import sensor_of_file, sensor_of_message, shown
from spamtide.collector.reasons import REASONS
from spamtide.collector.sidecar import joined
from spamtide.collector.sniffing import PACKED, SNIFF_BYTES, Kind, headed, inner_name, kind_of
from spamtide.collector.stream import HEAD_BYTES, Budget, Damage, Gathered, Stream, gather
from spamtide.collector.tar_members import tar_members
from spamtide.collector.zip_members import zip_members, zip_stream_members
from spamtide.errors import BadDataError, NoInputError, SpamtideError
from spamtide.model import NO_ENVELOPE, Envelope, Label, RawMessage, Unreadable
from spamtide.settings import Limits

Item = RawMessage | Unreadable

FAULTS_REMEMBERED = 10_000
"""Sources at fault that are told apart; more of them are only counted."""
DEPTH = 6
"""Layers (compressions and archives) that are followed: three tar.gz within one another."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What `collect` was asked for, the same for every path."""

    sensor: str | None
    label: Label
    lab: str | None
    members: str | None
    limits: Limits


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a path the reading is."""

    source: str
    """As in RawMessage."""
    name: str
    """Name that tells a format where the content does not."""
    sensor: str | None = None
    """None until it is known whether the path is a message or holds messages."""
    inner: str = ""
    """Path inside the folder or archive; '' for what the user named."""
    depth: int = 0
    certain: bool = False
    """Whether the user named it: then it is mail."""
    single: bool = False
    """Whether it can only be one message."""
    envelope: Envelope = NO_ENVELOPE
    """What a side-car knows."""

    def inside(self, member: str) -> Place:
        """Place of a member of this archive."""
        member = shown(member).removeprefix("./")
        inner = f"{self.inner}/{member}" if self.inner else member
        source = f"{self.source}!{member}"
        return Place(source, member, self.sensor, inner=inner, depth=self.depth + 1)


class Reading:
    """Reads one path and remembers what went wrong."""

    def __init__(self, terms: Terms, path: str) -> None:
        self.first_problem: SpamtideError | None = None
        self.problems = 0
        """How many sources were at fault."""
        self._at_fault: set[str] = set()
        self.holds_mail = False
        self._terms = terms
        self._path = path

    def read_disk(self, disk: Disk, place: Place) -> Iterator[Item]:
        """Read an open file."""
        budget = disk.budget
        stream = disk.stream()
        try:
            kind = self._kind(stream, place)
            if not place.single and kind == "zip" and disk.file.seekable():
                yield from self._members(
                    ((m.name, m.stream, m.refusal) for m in zip_members(disk)),
                    self._container(place),
                    budget,
                )
            else:
                yield from self._read(stream, place, budget, kind)
        except Damage as damage:
            self._break(damage)

    def note(self, source: str, error: SpamtideError) -> None:
        """Remember what went wrong, once for each source that is at fault."""
        if source in self._at_fault:
            return
        if len(self._at_fault) < FAULTS_REMEMBERED:
            self._at_fault.add(source)
        self.first_problem = self.first_problem or error
        self.problems += 1

    def fail(self, source: str, error: OSError | ValueError) -> None:
        """Remember that something may not or cannot be read."""
        detail = (isinstance(error, OSError) and error.strerror) or str(error)
        self.note(source, NoInputError(f"{source}: {detail}", "all else was read"))

    def _break(self, damage: Damage) -> None:
        """Remember where a source broke off."""
        where = shown(damage.where)
        if damage.reason == "read-error":
            self.note(where, NoInputError(f"{where}: cannot be read: {damage.detail}", "all else was read"))
        else:
            advice = "what is readable was kept; when the file is whole again, read it once more"
            self.note(where, BadDataError(f"{where}: {damage.detail}", advice))

    def skip(self, place: Place, detail: str) -> Iterator[Unreadable]:
        """Count something that is no mail, if it was wanted at all."""
        if self._wanted(place):
            yield Unreadable(place.source, "not-mail", detail)

    def _refuse(self, stream: Stream | None, place: Place, reason: str) -> Iterator[Unreadable]:
        """Give something that is not read further, by the bytes that it is stored in."""
        if self._wanted(place):
            stored = gather(stream, HEAD_BYTES) if stream else Gathered(b"", hashlib.sha256().hexdigest(), 0)
            head = stored.data[:HEAD_BYTES]
            broken = stored.reason not in {"", "too-large"}
            reason = stored.reason if broken else reason
            sensor = self._terms.sensor or place.sensor or sensor_of_file(self._path)
            yield Unreadable(place.source, reason, REASONS[reason], head, stored.sha256, stored.size, sensor)
            if broken and stream and stream.failure:
                raise stream.failure

    def _kind(self, stream: Stream, place: Place) -> Kind:
        """What the content is; what breaks off too early to tell counts as a message that breaks off."""
        head = stream.peek(SNIFF_BYTES)
        kind = kind_of(head, place.name, certain=place.certain, single=place.single)
        return "message" if kind in {"not-mail", "no-header"} and stream.failure else kind

    def _read(self, stream: Stream, place: Place, budget: Budget, kind: Kind | None = None) -> Iterator[Item]:
        """Read a stream, whatever it is."""
        kind = kind or self._kind(stream, place)
        if kind in PACKED or kind in {"tar", "zip"}:
            if place.depth >= DEPTH:
                yield from self._refuse(stream, place, "too-deep")
            elif kind in PACKED:
                below = replace(place, name=inner_name(place.name), depth=place.depth + 1)
                yield from self._read(unpack(stream, kind, budget), below, budget)
            else:
                place = self._container(place)
                members = _tar(stream) if kind == "tar" else _zip(stream, budget)
                yield from self._members(members, place, budget)
        elif not self._wanted(place):
            return
        elif kind == "mbox":
            yield from self._mbox(stream, self._container(place))
        elif kind == "message":
            yield from self._message(stream, place)
        elif kind == "not-mail":
            yield from self.skip(place, REASONS[kind] if stream.peek(1) else "is empty")
        else:
            yield from self._refuse(stream, place, kind)

    def _members(
        self,
        members: Iterable[tuple[str, Stream | None, str]],
        place: Place,
        budget: Budget,
    ) -> Iterator[Item]:
        """Read the members of an archive; damage to one of them does not keep the others from being read."""
        for name, stream, refusal in members:
            below = place.inside(name)
            try:
                if stream is None or refusal:
                    yield from self._refuse(stream, below, refusal)
                else:
                    yield from self._read(stream, below, budget)
            except Damage as damage:
                self._break(damage)

    def _mbox(self, stream: Stream, place: Place) -> Iterator[Item]:
        """Give the messages of an mbox; a side-car would not say which of them it means."""
        place = replace(place, envelope=NO_ENVELOPE)
        limit = self._terms.limits.message_bytes
        for number, piece in enumerate(split(stream, limit), start=1):
            bare = not (piece.from_line or piece.reason or headed(piece.data))
            found = replace(piece, data=piece.data[:HEAD_BYTES], reason="no-header") if bare else piece
            yield self._item(found, place, f"{place.source}#{number}")

    def _message(self, stream: Stream, place: Place) -> Iterator[Item]:
        """Give a stream that is one message."""
        found = gather(stream, self._terms.limits.message_bytes)
        if found.reason:
            yield self._item(
                Piece(b"", found.data, found.sha256, found.size, found.reason), place, place.source
            )
            if stream.failure:
                raise stream.failure
        elif found.data.lstrip(b"\r\n").startswith(b"From "):
            yield self._item(undo(found.data), place, place.source)
        else:
            yield self._item(whole(found.data, found.sha256), place, place.source)

    def _item(self, piece: Piece, place: Place, source: str) -> Item:
        """Make the record of one message."""
        sensor = self._terms.sensor or place.sensor or sensor_of_message(self._path)
        if piece.reason:
            self.holds_mail = self.holds_mail or piece.reason == "too-large"
            return Unreadable(
                source, piece.reason, REASONS[piece.reason], piece.data, piece.sha256, piece.size, sensor
            )
        self.holds_mail = True
        envelope = (
            joined(place.envelope, read_from_line(piece.from_line)) if piece.from_line else place.envelope
        )
        return RawMessage(
            piece.sha256,
            sensor,
            self._terms.label,
            self._terms.lab,
            source,
            piece.data,
            envelope,
            piece.as_read,
        )

    def _container(self, place: Place) -> Place:
        """Place of something that holds messages: now its sensor is known."""
        return place if place.sensor else replace(place, sensor=sensor_of_file(self._path))

    def _wanted(self, place: Place) -> bool:
        """Whether the glob asks for it; what the user named himself always is."""
        glob = self._terms.members
        return glob is None or not place.inner or fnmatchcase(place.inner.replace(os.sep, "/"), glob)


def _tar(stream: Stream) -> Iterator[tuple[str, Stream | None, str]]:
    """Members of a tar for `_members`; a sparse one is refused."""
    for name, data in tar_members(stream):
        yield name, data, "member-unreadable" if data is None else ""


def _zip(stream: Stream, budget: Budget) -> Iterator[tuple[str, Stream | None, str]]:
    """Members of a zip that cannot be searched, for `_members`."""
    for member in zip_stream_members(stream, budget):
        yield member.name, member.stream, member.refusal
