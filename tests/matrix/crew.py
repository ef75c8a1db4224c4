"""Work for workers of another process to import."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path


def square(number: int) -> int:
    time.sleep(0.02 if number % 2 else 0)  # so that results come out of their order
    return number * number


def die_once(share: tuple[str, int]) -> int:
    """Kills its worker the first time that it comes to 3."""
    mark, number = Path(share[0]), share[1]
    if number == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def stumble(number: int) -> int:
    if number == 2:
        raise LookupError("at two")
    return number
