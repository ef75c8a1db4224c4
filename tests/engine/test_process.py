"""Odd programs as clients: whatever they do, it is told, and nothing of them is left running."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from brokercert.engine.ask.fields import SECRET
from brokercert.engine.client import leftovers
from brokercert.engine.client.command import environment_of
from brokercert.engine.client.inherited import USUAL, left_out
from brokercert.engine.client.placeholders import fill, refuse_unknown
from brokercert.engine.client.subject import SubjectError, SubjectSpec
from programs import DEADLINE, Play


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


HIDDEN = "exec setsid env -i sh -c 'echo $$; exec sleep 300'"  # neither its session nor its environment


async def _told(play: Play) -> int:
    """The process whose id is printed."""
    await play.notes.until(lambda: bool(play.notes.lines))
    return int(play.notes.lines[0][1])


@pytest.mark.asyncio
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of another's limits")
@pytest.mark.parametrize("parents", ["live", "have left", "have died"])
async def test_a_daemon_that_hid_itself_is_ended_too(play: Play, parents: str) -> None:
    script = {
        "live": f"({HIDDEN}) & sleep 300",
        "have left": f"(({HIDDEN}) &) ; sleep 300",
        "have died": f"(({HIDDEN}) &) ; kill -9 $$",
    }[parents]
    subject = await play.command("sh", "-c", script)
    pid = await _told(play)
    stranger = await asyncio.create_subprocess_exec("sleep", "300", start_new_session=True)
    try:
        assert leftovers._runs(pid)
        await subject.kill()
        assert not leftovers._runs(pid)
        assert leftovers._runs(stranger.pid), "nobody else is ended"
    finally:
        stranger.kill()
        await stranger.wait()


@pytest.mark.asyncio
async def test_whom_it_started_is_found_without_a_tag_too(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "_tag_of", lambda pid: None)
    subject = await play.command("sh", "-c", f"({HIDDEN}) & sleep 300")
    pid = await _told(play)
    await subject.kill()
    assert not leftovers._runs(pid)


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


SHELL = {
    "PATH": "/bin",
    "HOME": "/h",
    "LC_ALL": "C",
    "GOROOT": "/go",
    "TRADOVATE_TOKEN": "real",
    "AWS_SECRET_ACCESS_KEY": "s",
    "NPM_TOKEN": "n",
    "NODE_AUTH_TOKEN": "n",
    "CARGO_REGISTRY_TOKEN": "c",
    "ACME_STAGE": "demo",
    "ACME_KEY": "k",
    "https_proxy": "http://x",
    "BROKERCERT_PART": "core",
}


@pytest.mark.parametrize(
    ("listed", "more"),
    [
        ((), set()),
        (("ACME_STAGE",), {"ACME_STAGE"}),
        (("ACME_*",), {"ACME_STAGE", "ACME_KEY"}),
        (("acme_stage", "ACME"), set()),
        (("*",), set(SHELL) - {"https_proxy", "BROKERCERT_PART"}),
        (("https_proxy", "BROKERCERT_PART"), set()),
    ],
)
def test_a_client_inherits_the_usual_and_what_is_listed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, listed: tuple[str, ...], more: set[str]
) -> None:
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in SHELL.items():
        monkeypatch.setenv(name, value)
    found = environment_of(SubjectSpec("bot", ("bot",), inherit_env=listed), {"BROKERCERT_URL": "ws://x"}, tmp_path)
    assert set(found) & set(SHELL) == {"PATH", "HOME", "LC_ALL", "GOROOT", *more}
    assert found["BROKERCERT_URL"] == "ws://x"


def test_nothing_usual_names_a_secret_or_opens_a_family_of_names() -> None:
    assert not [name for name in USUAL if SECRET.search(name)]
    assert [name for name in USUAL if "*" in name] == ["LC_*"]
    secret = ["AWS_SECRET_ACCESS_KEY", "CARGO_REGISTRY_TOKEN", "NODE_AUTH_TOKEN", "NPM_TOKEN", "TRADOVATE_TOKEN"]
    assert left_out(SHELL, ("ACME_*",)) == secret


def test_placeholders_are_filled_and_other_braces_stay() -> None:
    env = {"BROKERCERT_URL": "ws://x", "BROKERCERT_STATE_DIR": "/tmp/s"}
    for text, filled in {
        '--url={url} {state_dir}/a {ca} {"json":{}} {nobody}': '--url=ws://x /tmp/s/a  {"json":{}} {nobody}',
        "{{url}} is {url}": "{url} is ws://x",
        "for i in ${url}": "for i in ${url}",
    }.items():
        assert fill(text, env) == filled


@pytest.mark.parametrize(
    ("words", "env", "said"),
    [
        (("./bot", "--url={ulr}"), {}, "word 2: {ulr} is no placeholder; did you mean {url}?"),
        (("./bot",), {"WS": "{ulr}"}, "subject.env.WS: {ulr} is no placeholder; did you mean {url}?"),
        (("./bot",), {"WS": "x {tokn} y"}, "subject.env.WS: {tokn} is no placeholder; did you mean {token}?"),
        (("./bot", "{zzz}"), {}, "{zzz} is no placeholder; expected one of python, protocol, url, "),
        (("./bot", "{wsbase}"), {}, "did you mean {ws_base}?"),
        (
            ("./bot", "awk '{print}'", "{{ulr}}", "${ulr}", "{time} {message}", '{"a":{}}', "{token}", "{python}"),
            {},
            "",
        ),
    ],
)
def test_a_placeholder_that_there_is_not_is_refused_with_what_was_nearly_meant(
    words: tuple[str, ...], env: dict[str, str], said: str
) -> None:
    spec = SubjectSpec("bot", words, env=env, placeholders=("token", "rest_url"))
    if not said:
        refuse_unknown(spec, "subject.env")
        return
    with pytest.raises(SubjectError) as refused:
        refuse_unknown(spec, "subject.env")
    assert said in str(refused.value) and "(for that text itself write {{" in str(refused.value)


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
from brokercert.engine.client.running import start_subject
from brokercert.engine.client.subject import SubjectSpec
from programs import Notes

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
