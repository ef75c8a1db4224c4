"""The file of a trace: whatever the disk does, nothing is raised, and its hash is that of what stands in it."""

from __future__ import annotations

import errno
import hashlib
import stat
import tempfile
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from unittest import mock

from brokercert.trace import file as tracing
from brokercert.trace.file import TraceFile
from hypothesis import example, given, settings
from hypothesis import strategies as st


class Disk:
    """A disk with room for so many bytes, which writes them in short pieces and then is full."""

    def __init__(self, room: int) -> None:
        self.room = room

    def open(self, path: Path, mode: str, opener: Callable[[str, int], int]) -> FileIO:
        disk = self

        class Limited(FileIO):
            def write(self, data: object) -> int:
                assert isinstance(data, bytearray)
                if not disk.room:
                    raise OSError(errno.ENOSPC, "No space left on device")
                done = super().write(bytes(data[: min(disk.room, 7)]))
                disk.room -= done
                return done

        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return Limited(path, mode, opener=opener)


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("line"), st.binary(max_size=20).map(lambda data: data.replace(b"\n", b"-") + b"\n")),
        st.tuples(st.just("flush"), st.just(b"")),
        st.tuples(st.just("free"), st.binary(max_size=40)),  # so many bytes get free
        st.tuples(st.sampled_from(("remove", "replace", "shorten", "change", "remove folder")), st.just(b"")),
    ),
    max_size=30,
)


def happens(act: str, data: bytes, disk: Disk, file: TraceFile, lines: list[bytes]) -> None:
    if act == "line":
        lines.append(data)
        file.append(data)
    elif act == "flush":
        file.flush()
    elif act == "free":
        disk.room += len(data)
    elif act == "remove folder":
        for path in file.path.parent.glob("*"):
            path.unlink()
        if file.path.parent.exists():
            file.path.parent.rmdir()
    elif file.path.exists():
        if act == "shorten":
            file.path.write_bytes(b"")
        elif act == "change":
            file.path.write_bytes(
                b"H" + file.path.read_bytes()[1:]
            )  # two bytes of a header, say: it is as long as before
        else:
            file.path.unlink()
            if act == "replace":
                file.path.write_bytes(b"of somebody else")


@example([("shorten", b"")], 1, True, 1)
@example([("flush", b""), ("change", b"")], 300, True, 1)
@example([("free", b"1234"), ("remove folder", b"")], 3, False, 1)  # gone before it had its name
@settings(deadline=None)
@given(ACTS, st.integers(0, 300), st.booleans(), st.integers(1, 60))
def test_the_file_holds_what_its_hash_says_and_all_of_it_where_there_is_room(
    acts: list[tuple[str, bytes]], room: int, freed: bool, at_once: int
) -> None:
    disk, lines = Disk(room), [b"header\n"]
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(tracing, "FileIO", disk.open),
        mock.patch.object(tracing, "AT_ONCE", at_once),
    ):
        path = Path(folder) / "traces" / "one.jsonl"
        file = TraceFile(path)
        file.append(lines[0])
        for act, data in acts:
            happens(act, data, disk, file, lines)
        disk.room += 10_000 if freed else 0
        file.close(lines)

        whole = b"".join(lines)
        kept = path.read_bytes() if path.exists() else b""
        assert whole.startswith(kept), "never anything but what was told, from its beginning"
        assert file.sha256 == (hashlib.sha256(kept).hexdigest() if kept else "")
        assert not kept or b"\n" in kept, "a file without its header would keep all others from being judged"
        count = kept.count(b"\n")
        if kept != whole:
            assert not freed and f"{count} of its lines are in the file" in file.note


def test_a_file_that_nobody_touched_has_nothing_to_be_said_of(tmp_path: Path) -> None:
    file = TraceFile(tmp_path / "one.jsonl")
    file.append(b"header\n")
    file.close([b"header\n"])
    assert (file.note, (tmp_path / "one.jsonl").read_bytes()) == ("", b"header\n")


def test_other_users_cannot_read_it(tmp_path: Path) -> None:
    file = TraceFile(tmp_path / "traces" / "one.jsonl")
    file.append(b"header\n")
    file.close([b"header\n"])
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700


def test_a_byte_that_was_changed_on_the_disk_is_mended_and_told(tmp_path: Path) -> None:
    file = TraceFile(tmp_path / "one.jsonl")
    file.append(b"header\n")
    file.flush()
    file.path.write_bytes(b"hEader\n")
    file.close([b"header\n"])
    assert "written anew from memory" in file.note
    assert file.path.read_bytes() == b"header\n" and file.sha256 == hashlib.sha256(b"header\n").hexdigest()
