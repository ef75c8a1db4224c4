"""Files and folders of a user: looked at and read by functions that refuse in a sentence what cannot be.

The law: nothing of a user's disk makes a traceback. pathlib's own `is_file`, `is_dir` and `exists` raise where a folder
may not be searched, so that nobody asks them; and a file that is there and cannot be read is wrong usage, and no word
of a harness that broke.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from brokercert.engine.errors import UsageError


def is_file(path: Path) -> bool:
    """Whether a file is there that may be reached, through links too."""
    return os.path.isfile(path)


def is_folder(path: Path) -> bool:
    """Whether a folder is there that may be reached, through links too."""
    return os.path.isdir(path)


def is_there(path: Path) -> bool:
    """Whether anything is called so: a link that leads nowhere, and a folder in place of a file, are there too.

    Raises `UsageError` where that cannot be told.
    """
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise UsageError(
            f"{path}: whether it is there cannot be told: {error.strerror}; expected a folder that may be searched"
        ) from error
    return True


def read_given(path: Path, expected: str) -> bytes:
    """The content of a file. Raises `UsageError`, which says what was `expected`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}; expected {expected}") from error


def write_given(path: Path, content: bytes, told: str, *, private: bool = False, new: bool = False) -> None:
    """Write a file that a user named. `new`: never over another one; else whole or not at all. `private`: for its user
    alone.

    Raises `UsageError`, which says who named it (`told`).
    """
    place = path if new else path.with_name(f".{path.name}.{os.getpid()}")
    made = False
    try:
        handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o644)
        made = True
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        if not new:
            os.replace(place, path)
    except OSError as error:
        if made:
            with suppress(OSError):  # what went wrong first is to be told
                os.unlink(place)
        raise UsageError(
            f"{told}: {path} cannot be written: {error.strerror or error}; expected a file in a folder that is there"
        ) from error
