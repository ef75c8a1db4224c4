"""A client's wall clock, stepped: by a file that a small shim in the client reads.

Nothing is needed for it that a machine may lack: Node loads the shim by NODE_OPTIONS, Python by PYTHONPATH. A program
of another runtime does not follow, and its scenario is played with the clock as it is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from brokercert.engine.ask.given import is_file

VARIABLE = "BROKERCERT_CLOCK"
SHIMS = Path(__file__).parent / "shims"


class SteppedClock:
    """The wall clock of one client. `ahead`: seconds by which it differs from the real one."""

    def __init__(self, folder: Path) -> None:
        """`folder` is made where it is not there."""
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "clock"
        self.ahead = 0.0
        self._write()

    def step(self, seconds: float) -> None:
        self.ahead += seconds
        self._write()

    @property
    def followed(self) -> tuple[str, ...]:
        """The runtimes that said that they follow it, each once, in the order of the alphabet."""
        told = self.file.with_name(self.file.name + ".by")
        return tuple(sorted(set(told.read_text("ascii").split()))) if is_file(told) else ()

    def _write(self) -> None:
        """In one step, so that nobody reads half of it."""
        new = self.file.with_name(self.file.name + ".new")
        new.write_text(repr(self.ahead), "ascii")
        new.replace(self.file)


def shimmed(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables by which a client that is given a stepped clock loads the shim, beside what they say already."""
    require = f'--require "{SHIMS / "clock.cjs"}"'
    folders = [str(SHIMS / "python"), *filter(None, [environ.get("PYTHONPATH")])]
    return {
        "NODE_OPTIONS": " ".join(filter(None, [environ.get("NODE_OPTIONS"), require])),
        "PYTHONPATH": os.pathsep.join(folders),
    }
