"""Odd programs as clients: whatever they do, it is told, within bounds, and nothing of them is left running."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from brokercert.engine import leftovers, output
from brokercert.engine.process import fill
from brokercert.engine.subject import RunningSubject, Stop, Stream, SubjectError, SubjectSpec, start_subject

DEADLINE = 10.0  # seconds for anything to happen; all of it takes well under one


@dataclass
class Notes:
    """An observer that remembers, and lets a test wait for what it is told."""

    lines: list[tuple[Stream, str, bool]] = field(default_factory=list)
    reports: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    broken: list[tuple[int, str, str]] = field(default_factory=list)
    lost: list[tuple[int, int]] = field(default_factory=list)
    stops: list[tuple[str, bool]] = field(default_factory=list)
    exits: list[tuple[int, bool]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def started(self, at: float) -> None:
        self.changed.set()

    def output(self, at: float, stream: Stream, line: str, cut: bool) -> None:
        assert not self.exits, "output told after the exit"
        self.lines.append((stream, line, cut))
        self.changed.set()

    def report(self, at: float, event: str, body: Mapping[str, Any]) -> None:
        self.reports.append((event, body))
        self.changed.set()

    def broken_report(self, at: float, line: int, text: str, why: str) -> None:
        self.broken.append((line, text, why))
        self.changed.set()

    def dropped(self, at: float, lines: int, bytes: int) -> None:
        self.lost.append((lines, bytes))
        self.changed.set()

    def stop_asked(self, at: float, how: str, judged: bool) -> None:
        self.stops.append((how, judged))

    def exited(self, at: float, code: int, asked: bool) -> None:
        self.exits.append((code, asked))
        self.changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    def printed(self, text: str) -> bool:
        return any(text in line for _, line, _ in self.lines)


Start = Callable[..., Any]


class Play:
    """Starts programs, and sees to it that they are gone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes = Notes()

    async def command(self, *command: str, stop: Stop = "signal", level: Any = "wire", **env: str) -> RunningSubject:
        spec = SubjectSpec("odd", command, cwd=self.folder, stop=stop, level=level, env=env)
        told = {"BROKERCERT_URL": "ws://127.0.0.1:1/v1/websocket", "BROKERCERT_TOKEN": "t"}
        return await start_subject(spec, told, self.notes, self.folder / "state", asyncio.get_running_loop().time)

    async def python(self, source: str, **more: Any) -> RunningSubject:
        return await self.command(sys.executable, "-S", "-c", textwrap.dedent(source), **more)

    def running(self) -> list[int]:
        return leftovers.belonging({str(self.folder / "state"): None})


@pytest.fixture
def play(tmp_path: Path) -> Play:
    return Play(tmp_path)


@pytest.mark.asyncio
async def test_a_client_that_exits_at_once_is_told_with_its_status_and_last_words(play: Play) -> None:
    subject = await play.python("import sys; print('no'); print('why', file=sys.stderr); sys.exit(3)")
    assert await subject.wait_exit(DEADLINE)
    assert play.notes.exits == [(3, False)]
    assert sorted(play.notes.lines) == [("err", "why", False), ("out", "no", False)]
    assert sorted(subject.tail) == ["no", "why"]
    assert subject.exit_code == 3
    await subject.ask_stop(judged=False)
    assert play.notes.stops == [], "it has left: nothing is asked of it"
    await subject.kill()
    await subject.kill()


@pytest.mark.asyncio
async def test_a_client_that_ignores_sigterm_is_killed(play: Play) -> None:
    subject = await play.python("""
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("ready", flush=True)
        while True: time.sleep(60)
    """)
    await play.notes.until(lambda: play.notes.printed("ready"))
    await subject.ask_stop(judged=True)
    assert play.notes.stops == [("signal", True)]
    assert not await subject.wait_exit(0.1)
    assert subject.alive
    await subject.kill()
    assert play.notes.exits == [(-signal.SIGKILL, True)]
    assert play.running() == []


@pytest.mark.asyncio
async def test_a_polite_client_is_asked_by_signal(play: Play) -> None:
    subject = await play.python("""
        import signal, sys
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        print("ready", flush=True)
        while True: signal.pause()
    """)
    await play.notes.until(lambda: play.notes.printed("ready"))
    await subject.ask_stop(judged=False)
    assert await subject.wait_exit(DEADLINE)
    assert play.notes.exits == [(0, True)]
    await subject.kill()


@pytest.mark.asyncio
async def test_a_client_behind_a_wrapper_that_dies_of_the_signal_may_still_say_goodbye(play: Play) -> None:
    client = (
        "import signal,sys,time\n"
        "def bye(*_):\n time.sleep(0.6)\n print('closed',flush=True)\n sys.exit(0)\n"
        "signal.signal(signal.SIGTERM,bye)\nprint('ready',flush=True)\nwhile True: signal.pause()"
    )
    (play.folder / "client.py").write_text(client)
    subject = await play.command("sh", "-c", f"{sys.executable} -S client.py; true")
    await play.notes.until(lambda: play.notes.printed("ready"))
    await subject.ask_stop(judged=True)
    assert await subject.wait_exit(DEADLINE)
    assert play.notes.printed("closed")
    assert play.running() == []
    await subject.kill()


@pytest.mark.asyncio
async def test_the_stop_command_travels_on_standard_input(play: Play) -> None:
    subject = await play.python("print('got', input(), flush=True)", stop="command")
    await subject.ask_stop(judged=True)
    assert await subject.wait_exit(DEADLINE)
    assert play.notes.lines == [("out", 'got {"command": "stop", "id": 1000000000}', False)]
    assert play.notes.exits == [(0, True)]
    await subject.kill()


@pytest.mark.asyncio
async def test_grandchildren_that_ignore_sigterm_and_daemons_are_ended_too(play: Play) -> None:
    subject = await play.python("""
        import os, signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sleep = "import os,signal,time; signal.signal(15, signal.SIG_IGN); os.write(1, b'up%c' % 10); time.sleep(300)"
        subprocess.Popen([sys.executable, "-S", "-c", sleep])
        subprocess.Popen([sys.executable, "-S", "-c", sleep], start_new_session=True)
        subprocess.Popen([sys.executable, "-S", "-c", sleep], env={})
        time.sleep(300)
    """)
    await play.notes.until(lambda: sum(line == "up" for _, line, _ in play.notes.lines) == 3)
    pids = {child.pid for child in psutil.Process(subject.pid).children(recursive=True)}  # type: ignore[attr-defined]
    assert len(pids) == 3
    await subject.kill()
    assert [pid for pid in pids if leftovers._runs(pid)] == []


@pytest.mark.asyncio
async def test_a_flood_is_drained_within_bounds_and_its_end_is_kept(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "MOST_LINES", 1_000)
    loop = asyncio.get_running_loop()
    worst = 0.0

    async def watch() -> None:
        nonlocal worst
        while True:
            due = loop.time() + 0.01
            await asyncio.sleep(0.01)
            worst = max(worst, loop.time() - due)

    watcher = asyncio.create_task(watch())
    subject = await play.python("""
        import sys
        for _ in range(60): sys.stdout.write("x" * 31 + "\\n" + ("y" * 15 + "\\n") * 4096)
        sys.stdout.write("the end\\n")
    """)
    assert await subject.wait_exit(DEADLINE)
    watcher.cancel()
    assert len(play.notes.lines) == 1_000
    assert sum(lines for lines, _ in play.notes.lost) == 60 * 4097 + 1 - 1_000
    assert subject.tail[-1] == "the end" and len(subject.tail) == 20
    assert worst < 1.0, "the loop goes on meanwhile"  # some ms where nobody else computes
    await subject.kill()


@pytest.mark.asyncio
async def test_a_flood_without_end_can_be_ended(play: Play) -> None:
    subject = await play.command("yes")
    await play.notes.until(lambda: bool(play.notes.lost))
    cost = time.process_time()
    assert not await subject.wait_exit(0.5)
    assert time.process_time() - cost < 0.4, "it does not take a core of ours"
    await subject.kill()
    assert len(play.notes.lines) <= output.MOST_LINES
    assert play.notes.exits == [(-signal.SIGKILL, False)]


@pytest.mark.asyncio
async def test_a_line_without_end_is_cut_once(play: Play) -> None:
    subject = await play.python("""
        import sys
        for _ in range(64): sys.stdout.write("z" * 16384)
        sys.stdout.write("\\nnext\\nlast")
    """)
    assert await subject.wait_exit(DEADLINE)
    assert [(len(line), cut) for _, line, cut in play.notes.lines] == [(65536, True), (4, False), (4, False)]
    assert sum(count for _, count in play.notes.lost) == 64 * 16384 - 65536
    await subject.kill()


@pytest.mark.asyncio
async def test_a_client_that_closes_its_output_goes_on(play: Play) -> None:
    subject = await play.python("""
        import os, signal
        print("before", flush=True)
        os.close(1); os.close(2); os.close(0)
        signal.pause()
    """)
    await play.notes.until(lambda: play.notes.printed("before"))
    assert not await subject.wait_exit(0.2)
    assert subject.alive
    await subject.kill()
    assert not subject.alive


@pytest.mark.asyncio
async def test_rubbish_is_told_as_text(play: Play) -> None:
    subject = await play.python(
        "import os; os.write(1, bytes(range(256)) * 3 + b'\\r\\n{\\n{\"event\": 7}\\n')", level="reports"
    )
    assert await subject.wait_exit(DEADLINE)
    assert play.notes.printed("{") and play.notes.printed('{"event": 7}')
    assert play.notes.reports == []
    await subject.kill()


@pytest.mark.asyncio
@pytest.mark.parametrize("level", ["wire", "reports"])
async def test_reports_are_recognised_from_their_level_up(play: Play, level: str) -> None:
    subject = await play.python("""print('{"event":"processed","id":4}')""", level=level)
    assert await subject.wait_exit(DEADLINE)
    if level == "wire":
        assert play.notes.reports == [] and play.notes.printed("processed")
    else:
        assert play.notes.reports == [("processed", {"event": "processed", "id": 4})] and play.notes.lines == []
    await subject.kill()


@pytest.mark.asyncio
async def test_a_talkative_log_does_not_crowd_out_the_reports(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "MOST_LINES", 10)
    monkeypatch.setattr(output, "MOST_REPORTS", 30)
    subject = await play.python(
        """for n in range(40): print(f'log {n}'); print('{"event":"processed","id":%d}' % n)""", level="reports"
    )
    assert await subject.wait_exit(DEADLINE)
    assert len(play.notes.lines) == 10
    assert [body["id"] for _, body in play.notes.reports] == list(range(30))
    assert sum(lines for lines, _ in play.notes.lost) == 30 + 10
    await subject.kill()


@pytest.mark.asyncio
async def test_a_grandchild_that_holds_the_pipes_does_not_hide_the_exit(play: Play) -> None:
    subject = await play.python("""
        import subprocess, sys
        subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(300)"])
        print("bye")
    """)
    assert await subject.wait_exit(DEADLINE)
    assert play.notes.exits == [(0, False)]
    assert len(play.running()) == 1
    await subject.kill()
    assert play.running() == []


@pytest.mark.asyncio
async def test_the_environment_has_no_proxy_and_a_folder_of_its_own(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:1")
    monkeypatch.setenv("all_proxy", "http://proxy.invalid:1")
    monkeypatch.setenv("BROKERCERT_SET", "ours")
    subject = await play.python(
        """
        import os, tempfile
        for name in sorted(os.environ):
            if "proxy" in name.lower() or name in ("BROKERCERT_SET", "WHERE"): print(name, os.environ[name])
        print(tempfile.gettempdir() == os.environ["BROKERCERT_STATE_DIR"] + "/tmp")
        """,
        WHERE="{url}",
    )
    assert await subject.wait_exit(DEADLINE)
    assert [line for _, line, _ in play.notes.lines] == [
        "NO_PROXY localhost,127.0.0.1,::1",
        "WHERE ws://127.0.0.1:1/v1/websocket",
        "no_proxy localhost,127.0.0.1,::1",
        "True",
    ]
    await subject.kill()


def test_placeholders_are_filled_and_other_braces_stay() -> None:
    env = {"BROKERCERT_URL": "ws://x", "BROKERCERT_STATE_DIR": "/tmp/s"}
    assert (
        fill('--url={url} {state_dir}/a {ca} {"json":{}} {nobody}', env)
        == '--url=ws://x /tmp/s/a  {"json":{}} {nobody}'
    )


@pytest.mark.asyncio
async def test_what_cannot_be_started_says_so(play: Play) -> None:
    (play.folder / "plain").write_text("no program")
    for name, text in {"odd": "#!/nowhere/at/all\n", "unknown": "no program"}.items():
        (play.folder / name).write_text(text)
        (play.folder / name).chmod(0o755)
    for command, why in {
        "no-such-program-here": "not found on PATH",
        "./missing": "does not exist",
        "./plain": "not executable",
        "./odd": "names '/nowhere/at/all' in its first line",
        "./unknown": "could not be started: Exec format error",
    }.items():
        with pytest.raises(SubjectError, match=why):
            await play.command(command)
    assert play.notes.exits == []


HARNESS = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from brokercert.engine.subject import SubjectSpec, start_subject
from test_process import Notes

async def main():
    notes = Notes()
    client = (
        "import signal,subprocess,sys,time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "subprocess.Popen([sys.executable,'-S','-c','import time; time.sleep(300)'], start_new_session=True);"
        "print('up', flush=True); time.sleep(300)"
    )
    spec = SubjectSpec("odd", (sys.executable, "-S", "-c", client), cwd=Path({folder!r}))
    await start_subject(spec, {{}}, notes, Path({folder!r}) / "state", asyncio.get_running_loop().time)
    await notes.until(lambda: notes.printed("up"))
    print("started", flush=True)
    await asyncio.sleep(300)

asyncio.run(main())
"""


def test_nothing_is_left_when_the_harness_is_killed(tmp_path: Path) -> None:
    source = HARNESS.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    harness = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert harness.stdout is not None
        with harness.stdout:
            assert harness.stdout.readline() == b"started\n"
        mark = str(tmp_path / "state")
        clients = [psutil.Process(pid) for pid in leftovers.belonging({mark: None})]
        assert len(clients) == 2
    finally:
        os.kill(harness.pid, signal.SIGKILL)
        harness.wait(DEADLINE)
    _, alive = psutil.wait_procs(clients, timeout=DEADLINE)
    assert [p for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []


def test_the_shell_is_there() -> None:
    assert shutil.which("sh") and shutil.which("yes"), "these tests use both"


@pytest.mark.asyncio
async def test_a_client_in_python_can_ask_for_the_harness_own_interpreter(play: Play) -> None:
    subject = await play.command("{python}", "-S", "-c", "import sys; print(sys.argv[1] == sys.executable)", "{python}")
    assert await subject.wait_exit(DEADLINE)
    assert [line for _, line, _ in play.notes.lines] == ["True"]
    await subject.kill()
