"""The file of a trace while it is written: a disk that is full, or a file that goes away, never reaches whoever tells.

The law: nothing here raises `OSError`. What cannot be written is kept and tried again at the next flush, and `trouble`
says what is missing. The hash is of the bytes that were written, taken as they were. At the end the file is held
against it: a client of the same user can write there too.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from io import FileIO
from pathlib import Path

AT_ONCE = 64 * 1024  # bytes that may wait for a flush
PIECE = 1024 * 1024  # bytes read at once, at the end
FOLDER = 0o700  # who may enter: other users of the machine are not told what a client said
FILE = 0o600


def _appending(path: str, flags: int) -> int:
    """Each write goes to the end that the file has by then: of one that somebody cut short, the size tells it."""
    return os.open(path, flags | os.O_APPEND, FILE)


def _hash_of(path: Path) -> bytes:
    """Of what stands in the file. Raises `OSError`."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        for piece in iter(partial(file.read, PIECE), b""):
            found.update(piece)
    return found.digest()


class TraceFile:
    """Lines, appended to `path`; its folder is made where it is missing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.note = ""  # what became of the file, known once it is closed
        self._waiting = bytearray()
        self._failed = ""  # why the last attempt to write failed
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        self._file: FileIO | None = None
        self._named = False  # it stands under its own name: from its first line on
        self._written = 0  # bytes
        self._whole = 0  # lines of which all bytes are written
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Of what stands in the file, in hexadecimal; empty where there is no file, or not one line in it."""
        return self._hash.hexdigest() if self._kept else ""

    @property
    def trouble(self) -> str:
        """Why not everything is in the file. Empty: it is."""
        if not self._waiting and self._kept == self._whole:
            return ""
        return f"{self.path.name} could not be written ({self._failed}); {self._kept} of its lines are in the file"

    @property
    def _kept(self) -> int:
        """Lines that are there under the file's own name."""
        return self._whole if self._named else 0

    def append(self, line: bytes) -> None:
        """Keep a line, with its end, to be written soon."""
        if self._closed:
            return
        self._waiting += line
        if len(self._waiting) >= AT_ONCE and not self._failed:  # after a failure only `flush` tries again
            self.flush()

    def flush(self) -> None:
        """Write what waits, as far as it goes."""
        try:
            if self._file is None:
                self.path.parent.mkdir(FOLDER, parents=True, exist_ok=True)
                self._file = FileIO(self._beside, "wb", opener=_appending)
            while self._waiting:
                done = self._file.write(self._waiting) or 0
                self._hash.update(self._waiting[:done])
                self._whole += self._waiting.count(b"\n", 0, done)
                self._written += done
                del self._waiting[:done]
            self._name()
            self._failed = ""
        except OSError as error:
            self._failed = error.strerror or str(error)
            with suppress(OSError):
                self._name()

    def _name(self) -> None:
        """Give it its own name, from its first whole line on. Raises `OSError`."""
        if self._whole and not self._named:
            self._beside.replace(self.path)
            self._named = True

    @property
    def _beside(self) -> Path:
        """Where it begins. A trace is there with its header or not at all: one without would keep all others from being
        judged.
        """
        return self.path.with_name(f"{self.path.name}.new")

    def close(self, lines: Iterable[bytes]) -> None:
        """Write what waits, and end. `lines` are all lines that were appended: where the file was taken away or changed
        meanwhile, it is written anew from them.
        """
        if self._closed:
            return
        self.flush()
        if self._file is not None and self._whole and not self._is_ours(self._file):
            self._write_anew(lines)
        self._closed = True
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            if not self._named:  # not even a header: no reader could tell what it is
                with suppress(OSError):
                    self._beside.unlink()
        if self.trouble:
            self.note = self.trouble

    def _is_ours(self, file: FileIO) -> bool:
        """Whether the path still leads to what was written, byte for byte."""
        try:
            mine, there = os.fstat(file.fileno()), os.stat(self.path)
            return (
                os.path.samestat(mine, there)
                and there.st_size == self._written
                and _hash_of(self.path) == self._hash.digest()
            )
        except OSError:
            return False

    def _write_anew(self, lines: Iterable[bytes]) -> None:
        assert self._file is not None
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self.path.unlink()
        self._begin()
        self._waiting = bytearray().join(lines)
        self.flush()
        self.note = f"{self.path.name} was removed or changed while it was written; it was written anew from memory"
