"""A Dask scheduler and two workers as processes, one of them killed midway: every result comes, in order."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import crew
import pytest
from brokercert.parallel import in_order, workers

pytestmark = [
    pytest.mark.skipif(find_spec("distributed") is None, reason="Dask is not installed: pip install -e '.[cluster]'"),
    pytest.mark.filterwarnings("default"),  # Dask's own
]
HERE = Path(__file__).parent
WITHIN = 30.0  # seconds for the cluster to stand


def start(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.{module}", *arguments],
        env={**os.environ, "PYTHONPATH": str(HERE)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture
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
