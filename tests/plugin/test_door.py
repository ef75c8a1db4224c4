"""The engine's own process, in projects that would disturb one in pytest's: real runs, as short as they can be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

pytest_plugins = ["pytester"]
DEADLINE = 40  # seconds for a run of one scenario, on a machine that does much else
PLAIN = tuple(f"-pno:{name}" for name in ("cacheprovider", "asyncio", "hypothesispytest", "looptime_plugin"))

# Each line disturbed, or would disturb, an engine that runs inside pytest.
DISTURBING = """
import asyncio, time, warnings, toxiproxy, websockets

assert toxiproxy.add_latency(3) == 3, "the project's own"
moment = time.time(), time.monotonic()
time.time, time.monotonic, time.perf_counter = lambda: moment[0], lambda: moment[1], lambda: moment[1]
time.sleep = lambda seconds: None
warnings.simplefilter("error")

class Policy(asyncio.DefaultEventLoopPolicy):
    def new_event_loop(self):
        raise AssertionError("no loops here")

asyncio.set_event_loop_policy(Policy())
"""


def test_nothing_of_the_project_reaches_the_engine(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    tests = pytester.mkdir("tests")
    (tests / "conftest.py").write_text(DISTURBING)
    (tests / "toxiproxy.py").write_text("def add_latency(ms): return ms\n")
    for name in ("websockets", "msgspec", "h11", "rich"):  # of the same names as what the engine needs
        (tests / f"{name}.py").write_text("")
    (tests / "sitecustomize.py").write_text("import os, sys\nif '-mpytest' not in sys.orig_argv: os._exit(7)\n")
    monkeypatch.setenv("PYTHONPATH", str(tests))
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    monkeypatch.setenv("COVERAGE_PROCESS_START", str(pytester.path / "no-such-file"))
    client = f"{sys.executable} -E -P -m brokercert.reference.tradovate"  # -E: PYTHONPATH is the client's too
    result = pytester.runpytest_subprocess(
        *PLAIN, "-m", "stage2", f"--brokercert-command={client}", "--brokercert-only", "LOG-025", "-rA", "tests",
        timeout=DEADLINE,
    )  # fmt: skip
    assert result.ret == pytest.ExitCode.TESTS_FAILED, result.stdout.str()
    result.stdout.fnmatch_lines(["brokercert [[]*open-held: completed*"])
    result.stdout.fnmatch_lines(["PASSED tradovate-stage2::LOG-025::*", "ERROR tradovate-stage2::certificate*"])


def test_a_hook_that_skips_everything_and_one_that_ends_the_process(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import os
        import pytest

        def pytest_runtest_setup(item):
            pytest.skip("needs the network")

        def pytest_sessionfinish(session):
            session.config.session, session.exitstatus = session, 0

        def pytest_unconfigure(config):  # as projects do whose threads hang
            os._exit(config.session.exitstatus)
        """
    )
    result = pytester.runpytest_subprocess(
        *PLAIN, "-m", "stage2", "--brokercert-command=false", "--brokercert-only", "LOG-010", timeout=DEADLINE
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(skipped=3)
    assert _record(pytester.path)["outcome"] == "failed"


@contextmanager
def under_way(pytester: pytest.Pytester) -> Iterator[tuple[subprocess.Popen[str], list[psutil.Process]]]:
    """pytest while its engine plays with a client that sleeps; and all processes that came of it."""
    options = ("-m", "stage2", "--brokercert-command=sleep 600", "--brokercert-only", "LOG-025")
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "pytest", *PLAIN, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=pytester.path,
    ) as process:
        assert process.stdout is not None
        try:
            next(line for line in process.stdout if "scenario(s), about" in line)
            started = psutil.Process(process.pid)
            while not any(child.name() == "sleep" for child in started.children(recursive=True)):
                assert process.poll() is None
                os.sched_yield()
            yield process, started.children(recursive=True)
        finally:
            process.kill()


def _record(folder: Path) -> dict[str, object]:
    record: dict[str, object] = json.loads((folder / "out" / "latest" / "run.json").read_text("utf-8"))
    return record


def test_ctrl_c_ends_the_run_as_interrupted_and_judges_what_was_recorded(pytester: pytest.Pytester) -> None:
    with under_way(pytester) as (process, children):
        for _ in range(3):  # as impatient people press it
            process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=DEADLINE)
        assert process.returncode == pytest.ExitCode.INTERRUPTED, text
        assert not psutil.wait_procs(children, timeout=DEADLINE)[1]
    assert "interrupted: ends the client" in text and "report.html" in text
    assert _record(pytester.path)["outcome"] == "interrupted"


def test_the_engine_ends_with_pytest_and_judges_what_was_recorded(pytester: pytest.Pytester) -> None:
    with under_way(pytester) as (process, children):
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=DEADLINE)
        assert process.returncode == -signal.SIGKILL
        assert not psutil.wait_procs(children, timeout=DEADLINE)[1]
    assert _record(pytester.path)["outcome"] == "interrupted"
