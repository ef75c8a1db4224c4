"""A Dask scheduler and two workers as processes: what goes through the seam is the same there; one is killed midway."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import crew
import pytest
from brokercert.engine.run.offline import judge_traces
from brokercert.engine.run.run import Quiet, RunRequest, run_certification
from brokercert.fuzz import shards
from brokercert.matrix.cells import Cell, play_cell
from brokercert.matrix.subjects import REFERENCE, subject_named
from brokercert.parallel import in_order, workers
from brokercert.simulation.run import Seed, play_seed
from brokercert.verdict import Outcome
from msgspec import structs
from planted import findings

pytestmark = [
    pytest.mark.skipif(find_spec("distributed") is None, reason="Dask is not installed: pip install -e '.[cluster]'"),
    pytest.mark.filterwarnings("default"),  # Dask's own
]
SET = "tradovate-stage2"
PLAYED = ("answer-held", "answer-in-batch", "loss-fin")
HERE = Path(__file__).parent
WITHIN = 30.0  # seconds for the cluster to stand


def start(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.{module}", *arguments],
        env={**os.environ, "PYTHONPATH": f"{HERE}:{HERE.parent / 'fuzz'}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def cluster() -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    place = ("--host", "127.0.0.1", "--no-dashboard")
    processes = [start("dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")]
    try:
        deadline = time.monotonic() + WITHIN
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert time.monotonic() < deadline, "the scheduler does not listen"
            time.sleep(0.1)
        processes += [start("dask_worker", address, *place, "--no-nanny", "--nthreads", "1") for _ in range(2)]
        from distributed import Client

        with Client(address, timeout=WITHIN) as client:
            client.wait_for_workers(2, timeout=WITHIN)
        yield address, processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_cells_seeds_shards_and_traces_come_to_the_same_there(
    cluster: tuple[str, list[subprocess.Popen[bytes]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, _ = cluster
    there = workers(address)
    cells = [Cell(SET, name, "answer-held") for name in ("first-message-only", REFERENCE)]
    assert in_order(play_cell, cells, there) == in_order(play_cell, cells, None)
    seeds = [Seed(SET, REFERENCE, number, 60.0) for number in (1, 2)]
    assert in_order(play_seed, seeds, there) == in_order(play_seed, seeds, None)

    monkeypatch.setattr(shards, "BATCHES", 16)
    asked = shards.Shards("planted:on_text", None, 1, 60, frames=1_500)
    (here, _), (far, _) = shards.fuzz(replace(asked, jobs=1)), shards.fuzz(replace(asked, cluster=address))
    assert here.finds and findings(far) == findings(here)

    request = RunRequest(SET, subject_named(SET, "first-message-only"), out=tmp_path, tier="virtual", scenarios=PLAYED)
    folder = tmp_path / run_certification(request, Quiet()).run_id
    told = [structs.replace(judge_traces([folder], make=make), started="") for make in (None, there)]
    assert told[0] == told[1] and told[0].outcome is Outcome.FAILED


def test_a_worker_killed_midway_costs_no_result(cluster: tuple[str, list[subprocess.Popen[bytes]]]) -> None:
    address, (first, _) = cluster
    killed = []

    def on_result(place: int, result: int) -> None:
        if not killed:
            killed.append(place)
            first.send_signal(signal.SIGKILL)

    shares = list(range(1, 400, 2))  # 20 ms each: most are still to come when the worker dies
    done = in_order(crew.square, shares, workers(address), on_result)
    assert killed and first.wait(10) == -signal.SIGKILL
    assert done.results == tuple(n * n for n in shares)
