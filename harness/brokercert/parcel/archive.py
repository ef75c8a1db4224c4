"""A zip file of one shape: entries end to end, each said twice in the same words, nothing beside them.

The law: what is written here is the same bytes each time, with the same zlib. What is read is refused unless it has
just that shape, so that two programs cannot see two different archives in one file. The library `zipfile` writes;
it reads too leniently for that, so that the shape is read here.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from brokercert.parcel.status import BundleError, Status

MOST_ENTRIES = 10_000
LARGEST = 2**30  # bytes of one entry: a trace of three million records
ALL = 2**32 - 2  # bytes of all entries: what the older zip format holds
RATIO = 200  # times that an entry may grow; what would grow more is written as it is
SMALL = 2**20  # bytes: below that an entry may grow as it likes
CHUNK = 2**16
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip knows: a clock would change the bytes
FILE = 0o100644  # a regular file
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*(/[A-Za-z0-9_][A-Za-z0-9._+-]*)*")
LONGEST_NAME = 200

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")


@dataclass(frozen=True)
class Member:
    """What is to be written: a file, or bytes."""

    name: str
    content: bytes | Path

    def chunks(self) -> Iterator[bytes]:
        if isinstance(self.content, bytes):
            yield self.content
            return
        with self.content.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk


@dataclass(frozen=True)
class Measure:
    """Of a member, before it is written."""

    size: int
    sha256: str
    stored: bool  # it would be compressed too well


def measured(member: Member) -> Measure:
    """Raises `OSError`."""
    size, packed, digest, press = 0, 0, hashlib.sha256(), _compressor()
    for chunk in member.chunks():
        size += len(chunk)
        digest.update(chunk)
        packed += len(press.compress(chunk))
    packed += len(press.flush())
    return Measure(size, digest.hexdigest(), size > SMALL and size > RATIO * packed)


def _compressor() -> zlib._Compress:
    return zlib.compressobj(6, zlib.DEFLATED, -15)


def write_archive(target: BinaryIO, members: Sequence[tuple[Member, Measure]]) -> None:
    """Raises `OSError`, and `BundleError` where the shape cannot hold it or a file changed meanwhile."""
    if len(members) > MOST_ENTRIES or sum(one.size for _, one in members) > ALL:
        raise BundleError(f"more than {MOST_ENTRIES} files or {ALL} bytes; a bundle holds no more", Status.UNREADABLE)
    with zipfile.ZipFile(target, "w", compresslevel=6) as archive:
        for member, measure in members:
            if not is_safe(member.name) or measure.size > LARGEST:
                raise BundleError(f"{member.name!r}: a bundle cannot hold a file of this name or size")
            info = zipfile.ZipInfo(member.name, EPOCH)
            info.create_system = 3
            info.external_attr = FILE << 16
            info.compress_type = zipfile.ZIP_STORED if measure.stored else zipfile.ZIP_DEFLATED
            info.file_size = measure.size
            digest = hashlib.sha256()
            with archive.open(info, "w") as file:
                for chunk in member.chunks():
                    digest.update(chunk)
                    file.write(chunk)
            if digest.hexdigest() != measure.sha256:
                raise BundleError(f"{member.name}: it changed while it was written; bundle the run again")


def is_safe(name: str) -> bool:
    """Whether a name means one file below a folder, on every system."""
    return len(name) <= LONGEST_NAME and NAME.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive. `start`: where its data begin."""

    name: str
    size: int
    packed: int
    crc: int
    stored: bool
    start: int


class Archive:
    """An archive whose shape was looked at. Raises `BundleError`; its data are looked at as they are read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.entries = {entry.name: entry for entry in _entries(file)}

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of an entry. Raises `BundleError` where it is not what its header says."""
        entry = self.entries[name]
        crc, size = 0, 0
        for chunk in self._unpacked(entry):
            crc, size = zlib.crc32(chunk, crc), size + len(chunk)
            if size > entry.size:
                break  # before more of it is unpacked
            yield chunk
        if size != entry.size or crc != entry.crc:
            raise BundleError(f"{name}: its content is not what the zip says of it (size or CRC-32)")

    def read(self, name: str, most: int) -> bytes:
        """All of it. Raises `BundleError` where that is more than `most` bytes."""
        if self.entries[name].size > most:
            raise BundleError(f"{name}: {self.entries[name].size} bytes; expected at most {most}")
        return b"".join(self.chunks(name))

    def _unpacked(self, entry: Entry) -> Iterator[bytes]:
        self._file.seek(entry.start)
        left = entry.packed
        unpack = None if entry.stored else zlib.decompressobj(-15)
        while left:
            data = self._file.read(min(CHUNK, left))
            left -= len(data)
            if not data:
                raise BundleError(f"{entry.name}: the file ends within it")
            if unpack is None:
                yield data
                continue
            yield from _inflated(entry, unpack, data)
        if unpack is not None and (not unpack.eof or unpack.unused_data):
            raise BundleError(f"{entry.name}: its compressed data do not end where the zip says")


def _inflated(entry: Entry, unpack: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    try:
        while data and not unpack.eof:
            yield unpack.decompress(data, CHUNK)
            data = unpack.unconsumed_tail
        if data:  # after the end of the stream
            raise BundleError(f"{entry.name}: its compressed data do not end where the zip says")
    except zlib.error as error:
        raise BundleError(f"{entry.name}: its compressed data are broken ({error})") from error


def _entries(file: BinaryIO) -> list[Entry]:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if file.read(4) not in (b"PK\3\4", b"PK\5\6"):
        raise BundleError("it is no bundle: it does not begin as a zip file", Status.UNREADABLE)
    count, start, length = _end(file, size)
    file.seek(start)
    directory = file.read(length)
    entries: list[Entry] = []
    offset, place = 0, 0
    for number in range(count):
        if place + _CENTRAL.size > length:
            raise BundleError(f"zip: its directory ends within entry {number + 1} of {count}")
        entry, place, offset = _entry(file, directory, place, offset, start)
        entries.append(entry)
    if place != length or offset != start:
        raise BundleError("zip: there is something between its entries, its directory and its end")
    _refuse_alike(entries)
    _refuse_bomb(entries)
    return entries


def _end(file: BinaryIO, size: int) -> tuple[int, int, int]:
    """Number of entries, and where the directory begins and how long it is."""
    if size < _END.size:
        raise BundleError("zip: it is cut short")
    file.seek(size - _END.size)
    mark, disk, first, here, count, length, start, comment = _END.unpack(file.read(_END.size))
    if mark != b"PK\5\6" or comment:
        raise BundleError("zip: it is cut short, or something follows its end")
    if disk or first or here != count:
        raise BundleError("zip: it is one part of several; expected a whole one")
    if start + length != size - _END.size:
        raise BundleError("zip: there is something before its first entry, or between its directory and its end")
    if count > MOST_ENTRIES:
        raise BundleError(f"zip: {count} entries; expected at most {MOST_ENTRIES}")
    return count, start, length


class _Said(NamedTuple):
    """An entry as the directory says it, in the order of the format."""

    mark: bytes
    made: int
    needs: int
    flags: int
    method: int
    time: int
    date: int
    crc: int
    packed: int
    size: int
    name: int
    extra: int
    comment: int
    disk: int
    internal: int
    external: int
    offset: int


def _entry(file: BinaryIO, directory: bytes, place: int, offset: int, most: int) -> tuple[Entry, int, int]:
    """The entry at this place of the directory, whose header must lie at `offset`; and the next place and offset.

    No entry lies at `most` or after it.
    """
    said = _Said(*_CENTRAL.unpack_from(directory, place))
    after = place + _CENTRAL.size + said.name
    raw = directory[place + _CENTRAL.size : after]
    name = raw.decode("ascii", "backslashreplace")
    wrong = _fault_of(said, raw, offset)
    if wrong:
        raise BundleError(f"{name[:LONGEST_NAME]!r}: {wrong}")
    start = offset + _LOCAL.size + said.name
    if start + said.packed > most:
        raise BundleError(f"{name}: it reaches into what follows it in the zip")
    file.seek(offset)
    again = (b"PK\3\4", said.needs, said.flags, said.method, said.time, said.date, said.crc, said.packed, said.size)
    local = _LOCAL.unpack(file.read(_LOCAL.size))
    if local != (*again, said.name, 0) or file.read(said.name) != raw:
        raise BundleError(f"{name}: its two headers in the zip differ")
    entry = Entry(name, said.size, said.packed, said.crc, said.method == zipfile.ZIP_STORED, start)
    return entry, after, start + said.packed


def _fault_of(said: _Said, raw: bytes, offset: int) -> str:
    """Why a bundle has no such entry; empty where it may."""
    name = raw.decode("ascii", "replace")
    faults = (
        (said.mark != b"PK\1\2" or len(raw) != said.name, "the zip's directory is broken there"),
        (bool(said.flags & 1), "it is encrypted; expected a file that anybody can read"),
        (said.external >> 16 & 0o170000 == 0o120000, "it is a link; expected a file"),
        (raw.endswith(b"/") or said.external >> 16 & 0o170000 == 0o040000, "it is a folder; expected files alone"),
        (raw[:1] in (b"/", b"\\") or raw[1:2] == b":", "its path is absolute; expected one within the bundle"),
        (".." in re.split(r"[/\\]", name), "its path leads out of the bundle (..)"),
        (not is_safe(name), "no file of a bundle has such a name"),
        (said.offset != offset, "it overlaps another entry of the zip, or something lies before it"),
        (said.method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED), f"compression method {said.method}"),
        (bool(said.flags or said.extra or said.comment or said.disk), "the zip says more of it than a bundle does"),
        ((said.date, said.time) != (33, 0), "it has a date; in a bundle none has"),
        (said.external != FILE << 16 or said.internal != 0, "it has other attributes than files of a bundle have"),
        (
            said.method == zipfile.ZIP_STORED and said.packed != said.size,
            "its two sizes differ, and it is not compressed",
        ),
    )
    return next((text for is_wrong, text in faults if is_wrong), "")


def _refuse_alike(entries: Sequence[Entry]) -> None:
    seen: dict[str, str] = {}
    for entry in entries:
        other = seen.setdefault(entry.name.casefold(), entry.name)
        if seen.get(entry.name.casefold()) is not entry.name:
            how = "it stands there twice" if other == entry.name else f"its name differs from {other} by case only"
            raise BundleError(f"{entry.name}: {how}")
    for entry in entries:
        folder = entry.name.casefold()
        while folder := folder.rpartition("/")[0]:
            if folder in seen:
                raise BundleError(f"{entry.name}: {seen[folder]} is a file, and no folder")


def _refuse_bomb(entries: Sequence[Entry]) -> None:
    for entry in entries:
        if entry.size > LARGEST or (entry.size > SMALL and entry.size > RATIO * entry.packed):
            raise BundleError(
                f"{entry.name}: {entry.packed} bytes that grow to {entry.size}; expected at most {RATIO} times as "
                f"many, and {LARGEST} bytes"
            )
    if sum(entry.size for entry in entries) > ALL:
        raise BundleError(f"zip: its files grow to more than {ALL} bytes")
