"""Fuzzing in process is the same whatever does the work: frames, counts, finds and their order."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import pytest
from brokercert.cli import main
from brokercert.fuzz import shards
from brokercert.fuzz.finds import Find
from brokercert.fuzz.inprocess import Outcome
from brokercert.fuzz.shards import Part, Shards, feed_part
from brokercert.hostile.delivery import BATCH
from brokercert.parallel import Workers
from brokercert.verdict import ExitCode
from planted import findings

HANDLER = "planted:on_text"
PARTS, EACH = 5, 16  # of so many batches


@pytest.fixture(autouse=True)
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "BATCHES", EACH)


def asked(jobs: int) -> Shards:
    return Shards(HANDLER, None, seed=3, seconds=60, frames=PARTS * EACH * BATCH, jobs=jobs)


def test_finds_are_the_same_and_in_the_same_order_whatever_the_executor(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    here, interrupted = shards.fuzz(asked(1), seen.append)
    assert not interrupted and here.frames == PARTS * EACH * BATCH
    causes = [find.cause for find in here.finds]
    assert len(causes) > 1 and causes == sorted(here.counts) and sorted(seen) == causes
    assert max(here.counts.values()) > 1, "the same cause again is counted, and no find more"
    assert all(len(find.frames) == 1 for find in here.finds), "shrunk"
    processes, _ = shards.fuzz(asked(2))
    assert findings(processes) == findings(here)

    def threads() -> Executor:
        return ThreadPoolExecutor(3)

    def workers(*_: object, **__: object) -> Workers:
        return threads

    monkeypatch.setattr(shards, "workers", workers)
    assert findings(shards.fuzz(asked(3))[0]) == findings(here)


def test_parts_are_all_batches_of_the_printed_seed_once() -> None:
    fed = [number for part in asked(2).parts() for number in range(part.number, part.of * part.batches, part.of)]
    assert sorted(fed) == list(range(PARTS * EACH))
    odd = Shards(HANDLER, None, 1, 60, frames=EACH * BATCH + 1).parts()
    assert [part.batches for part in odd] == [9, 8]
    timed = Shards(HANDLER, None, 1, 5.0, jobs=2).parts()
    assert [(part.number, part.of, part.seconds) for part in timed] == [(n, 20, 0.5) for n in range(20)]


def test_little_is_fed_in_this_process() -> None:
    assert Shards(HANDLER, None, 1, 2.0).few and not Shards(HANDLER, None, 1, 2.1).few
    assert Shards(HANDLER, None, 1, 60, jobs=1).few and not Shards(HANDLER, None, 1, 1, cluster="tcp://x:1").few
    assert Shards(HANDLER, None, 1, 60, frames=EACH * BATCH).few and not asked(0).few


def test_ctrl_c_keeps_what_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = shards.fuzz(asked(1))[0]

    def interrupted(part: Part) -> Outcome:
        if part.number == PARTS - 1:
            raise KeyboardInterrupt
        return feed_part(part)

    monkeypatch.setattr(shards, "feed_part", interrupted)
    frames = str(PARTS * EACH * BATCH)
    line = ["fuzz", "--handler", HANDLER, "--seed", "3", "--frames", frames, "--jobs", "1", "--out", str(tmp_path)]
    assert main(line) == ExitCode.INTERRUPTED
    out = capsys.readouterr().out
    assert f"{whole.frames - EACH * BATCH:,} hostile frames" in out
    assert len(list(tmp_path.iterdir())) == out.count("find: ") > 0


def test_a_handler_that_ends_the_program_is_a_find_and_no_status_of_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["fuzz", "--level", "frame", "--frames", "1000", "--out", str(tmp_path), "--handler"]
    assert main([*line, "planted:leaves", "--jobs", "1"]) == 1
    assert "SystemExit in planted.py:leaves" in capsys.readouterr().out
    assert main([*line, "planted:dies", "--jobs", "2"]) == 1
    assert "it ends the process that feeds it" in capsys.readouterr().out


def test_an_interrupt_while_shrinking_keeps_the_finds_as_they_were_fed(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(find: Find) -> Find:
        raise KeyboardInterrupt

    small = shards.fuzz(asked(1))[0]
    monkeypatch.setattr(shards, "shrink_find", interrupted)
    outcome, stopped = shards.fuzz(asked(1))
    assert stopped and [find.cause for find in outcome.finds] == [find.cause for find in small.finds]
    assert any(len(find.frames) > 1 for find in outcome.finds)
