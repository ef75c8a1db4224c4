"""Lets the harness step the wall clock of a Python program; `time.monotonic` and all timers go on as they do.

PYTHONPATH names this folder. BROKERCERT_CLOCK names a file with the seconds by which the clock is ahead. Stepped are
`time.time` and `time.time_ns`. The dates of `datetime` are not, since its type cannot be changed.
"""

import importlib
import os
import sys
import time

LOOK = 0.02  # seconds between two looks into the file


def _step(file: str) -> None:
    real, real_ns = time.time, time.time_ns
    ahead, looked = 0.0, float("-inf")

    def by() -> float:
        nonlocal ahead, looked
        if time.monotonic() - looked >= LOOK:
            looked = time.monotonic()
            try:
                with open(file, encoding="ascii") as seconds:
                    ahead = float(seconds.read() or 0)
            except (OSError, ValueError):
                pass  # taken away at the scenario's end
        return ahead

    time.time = lambda: real() + by()
    time.time_ns = lambda: real_ns() + round(by() * 1e9)
    try:
        with open(f"{file}.by", "a", encoding="ascii") as told:
            told.write("python\n")
    except OSError:
        pass


def _go_on() -> None:
    """What would have been imported under this name without this folder."""
    own = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != own]
    here = sys.modules.pop("sitecustomize")
    try:
        importlib.import_module("sitecustomize")
    except ImportError:
        sys.modules["sitecustomize"] = here  # Python looks for what it has imported, and would tell the client's stderr


if os.environ.get("BROKERCERT_CLOCK"):
    _step(os.environ["BROKERCERT_CLOCK"])
_go_on()
