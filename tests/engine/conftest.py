"""Makes the modules here importable that several files share: a test is imported by its path."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from programs import Play

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def play(tmp_path: Path) -> Play:
    from programs import Play

    return Play(tmp_path)


@pytest.fixture(autouse=True)
def hangup() -> Iterator[None]:
    """SIGHUP as a terminal leaves it: under `nohup` it is ignored, here and in whatever is started."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL) if hasattr(signal, "SIGHUP") else None
    yield
    if before is not None:
        signal.signal(signal.SIGHUP, before)
