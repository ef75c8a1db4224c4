"""Finds: what broke something, grouped by cause, saved as files that `brokercert replay` runs again.

A find file is JSON: `{"format": 1, "tool": ..., "target": name of a target or "wire", "cause": ..., "seed": ...,
"frames": [{"defect": ..., "text": ...} or {"defect": ..., "base64": ...}]}`. A text with lone surrogates, which no JSON
can hold, is `"wtf8"`: the base64 of its UTF-8 with them. It holds no secret: frames are made up, and what a client
printed is not in it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from brokercert.engine.errors import UsageError
from brokercert.hostile import Hostile, Level

FORMAT = 1


class Find(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was fed last when something broke, and why it counts."""

    target: str
    cause: str
    frames: tuple[Hostile, ...]
    seed: int
    detail: str = ""
    format: int = FORMAT
    tool: str = ""

    @property
    def file_name(self) -> str:
        """The same for the same cause, so that a find replaces the one before it."""
        return f"{self.target}-{hashlib.sha256(_plain(self.cause).encode()).hexdigest()[:10]}.json"


class _Frame(msgspec.Struct, frozen=True, omit_defaults=True):
    level: Level
    defect: str
    text: str = ""
    base64: str = ""
    wtf8: str = ""

    @classmethod
    def of(cls, frame: Hostile) -> _Frame:
        wire = base64.b64encode(frame.wire).decode()
        if _plain(frame.text) == frame.text:
            return cls(frame.level, frame.defect, frame.text, wire)
        data = frame.text.encode("utf-8", "surrogatepass")
        return cls(frame.level, frame.defect, "", wire, base64.b64encode(data).decode())

    def hostile(self) -> Hostile:
        """Raises ValueError."""
        text = base64.b64decode(self.wtf8).decode("utf-8", "surrogatepass") if self.wtf8 else self.text
        return Hostile(self.level, self.defect, text, base64.b64decode(self.base64))


def _plain(text: str) -> str:
    """`text` with an escape for each lone surrogate: an error may quote what it could not read."""
    return text.encode("utf-8", "backslashreplace").decode()


class _File(msgspec.Struct, frozen=True, kw_only=True):
    format: int
    tool: str
    target: str
    cause: str
    seed: int
    frames: tuple[_Frame, ...]
    detail: str = ""


def save(find: Find, folder: Path) -> Path:
    """Write a find. Returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    document = _File(
        format=FORMAT,
        tool=f"brokercert {version('brokercert')}",
        target=find.target,
        cause=_plain(find.cause),
        seed=find.seed,
        detail=_plain(find.detail),
        frames=tuple(map(_Frame.of, find.frames)),
    )
    path = folder / find.file_name
    path.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")
    return path


def load(path: Path) -> Find:
    """Read a find. Raises `UsageError`."""
    try:
        document = msgspec.json.decode(path.read_bytes(), type=_File)
        if document.format != FORMAT:
            raise UsageError(f"{path}: format {document.format}; this version reads {FORMAT}")
        frames = tuple(frame.hostile() for frame in document.frames)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; expected a find, as `brokercert fuzz` saves it") from error
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: {error}; expected a find, as `brokercert fuzz` saves it, or a trace") from error
    return Find(target=document.target, cause=document.cause, frames=frames, seed=document.seed, detail=document.detail)


def shown(frames: Sequence[Hostile], width: int = 300) -> list[str]:
    """Lines that show frames to a reader."""
    return [f"{frame.name}: {_short(frame, width)}" for frame in frames]


def _short(frame: Hostile, width: int) -> str:
    content: Any = frame.wire or frame.text
    text = repr(content[:width])
    return text if len(content) <= width else f"{text} ... ({len(content)} in all)"
