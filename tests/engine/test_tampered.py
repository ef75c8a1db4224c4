"""Traces that were tampered with, with and without the record of their run: never certified, and never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from brokercert.cli import main
from brokercert.engine.run.run import RunRequest
from brokercert.matrix.subjects import subject_named
from brokercert.verdict import ExitCode, Outcome
from saved_runs import SET, copied, saved_run

Edit = Callable[[Random, bytes], bytes]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the reference client that is certified for the core."""
    request = RunRequest(
        SET, subject_named(SET, "reference"), out=tmp_path_factory.mktemp("good"), tier="virtual", part="core"
    )
    folder, run = saved_run(request)
    assert run.outcome is Outcome.CERTIFIED, run.sentence
    return folder


def cut(rng: Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data) - 1)]


def flipped(rng: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def without_a_line(rng: Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    del lines[rng.randrange(len(lines))]
    return b"".join(lines)


def a_line_twice(rng: Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    place = rng.randrange(len(lines))
    return b"".join((*lines[:place], lines[place], *lines[place:]))


def two_lines_swapped(rng: Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    one = rng.randrange(len(lines) - 1)
    lines[one], lines[one + 1] = lines[one + 1], lines[one]
    return b"".join(lines)


EDITS: dict[str, Edit] = {
    edit.__name__: edit for edit in (cut, flipped, without_a_line, a_line_twice, two_lines_swapped)
}
OFTEN = 4  # of each kind, with and without the record; 13, so 130 in all, were tried once


@pytest.mark.parametrize("record", [True, False], ids=["with run.json", "without run.json"])
@pytest.mark.parametrize("name", EDITS)
def test_a_tampered_trace_is_never_certified(
    good: Path, tmp_path: Path, name: str, record: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = copied(good, tmp_path / "copy", record=record)
    for seed in range(OFTEN):
        rng = Random(seed)
        path = rng.choice(sorted((folder / "traces").glob("*.jsonl")))
        whole = path.read_bytes()
        path.write_bytes(EDITS[name](rng, whole))
        code = main(["judge", str(folder)])
        told = capfd.readouterr()
        assert code != ExitCode.CERTIFIED, seed
        assert "certified for" not in told.out and "Traceback" not in told.err, (seed, told)
        if record:
            assert code == ExitCode.USAGE and path.name in told.err, (seed, told)
        path.write_bytes(whole)


def test_what_nobody_touched_is_certified_as_its_run_was(good: Path) -> None:
    assert main(["judge", str(good)]) == ExitCode.CERTIFIED
