"""`brokercert simulate` and `brokercert replay`, as a user types them."""

from __future__ import annotations

from pathlib import Path

import pytest
from brokercert.cli import main
from brokercert.parallel import in_order, local
from brokercert.sets import default_set
from brokercert.simulation.run import Seed, play_seed


def test_a_client_that_passes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["simulate", "--client", "reference", "--seeds", "1", "--minutes", "1", "--out", str(tmp_path)]) == 0
    assert "reference: 1 seeds, 0.0 h of virtual time" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_a_client_that_fails_is_saved_and_replayed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    asked = ["simulate", "--seeds", "1", "--minutes", "1", "--client", "syncs-twice", "--out", str(tmp_path)]
    assert main(asked) == 1
    assert "0 of 0 events" in capsys.readouterr().out
    file = tmp_path / "syncs-twice-one-sync.json"
    assert main(["replay", str(file)]) == 1
    assert "syncs-twice: one-sync at 0.00 s" in capsys.readouterr().out
    file.write_text(file.read_text().replace('"client": "syncs-twice"', '"client": "reference"'))
    assert main(["replay", str(file)]) == 0
    assert "reference: every invariant holds (before: one-sync)" in capsys.readouterr().out
    assert main(["replay", str(file), "--", "node", "client.mjs"]) == 2


def test_seeds_of_several_processes_are_those_of_one() -> None:
    seeds = [Seed(default_set(), "syncs-twice" if n == 2 else "reference", n, 60.0) for n in (1, 2, 3)]
    assert in_order(play_seed, seeds, local(2)).complete == tuple(play_seed(seed) for seed in seeds)


def test_wrong_use(tmp_path: Path) -> None:
    assert main(["simulate", "--client", "nobody"]) == 2
    assert main(["simulate", "--client", "reference", "--seeds", "0"]) == 2
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"kind": "simulation"}')
    assert main(["replay", str(wrong)]) == 2
