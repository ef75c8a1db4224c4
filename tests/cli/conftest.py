"""What several tests of the command line start from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from brokercert.fuzz.finds import Find, save
from brokercert.hostile import Hostile


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, the current folder, in which no variable of ours names a client."""
    for name in [name for name in os.environ if name.startswith("BROKERCERT_")]:
        monkeypatch.delenv(name)
    (tmp_path / ".git").mkdir()  # what stands above the folder is no part of the case
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def find(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A find as `brokercert fuzz` saves it, outside the project."""
    one = Find(target="wire", cause="it ended", frames=(Hostile("frame", "cut", "x"),), seed=1)
    return save(one, tmp_path_factory.mktemp("saved"))
