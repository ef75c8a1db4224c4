"""Makes the modules here importable that several files share: a test is imported by its path."""

from __future__ import annotations

import sys
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
