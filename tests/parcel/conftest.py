"""Runs that are packed: a certified one, and a small one that only a draft can be made of."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from brokercert.engine.ask.waivers import Waivers
from brokercert.parcel.keys import new_key

sys.path.insert(0, str(Path(__file__).parent))  # so that tests find what several of them share

from runs import FEW, WAIVED, WAIVER, saved


@pytest.fixture(scope="session")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("certified"), part="core")


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("few"), only=FEW)


@pytest.fixture(scope="session")
def waived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a failure that is waived."""
    waivers = Waivers((WAIVER,), "whenever the file was read")
    return saved(tmp_path_factory.mktemp("waived"), WAIVED, part="core", waivers=waivers)


@pytest.fixture(scope="session")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, and nobody waived it."""
    return saved(tmp_path_factory.mktemp("failed"), WAIVED, only=FEW)


@pytest.fixture(scope="session")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same once more: another run."""
    return saved(tmp_path_factory.mktemp("older"), only=FEW)


@pytest.fixture(scope="session")
def private(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private key; the public one is beside it."""
    path = tmp_path_factory.mktemp("keys") / "key"
    new_key(path)
    return path
