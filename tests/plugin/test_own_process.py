"""pytest's end of the door against processes that end badly, and what a process of our own is started with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from brokercert import ownprocess
from brokercert.door import process
from brokercert.door.child import Line, Stopping
from brokercert.door.wire import Options

OPTIONS = Options(set_id="a-set", config=None, command=None, part=None, only=[], out=None, strict=False)
JUDGED = '{"judged": {"status": 0, "outcome": "certified"}}'


def answer_of(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[object, list[str]]:
    """What pytest makes of an engine that is this program; and what it told meanwhile."""
    script = tmp_path / "engine.py"
    script.write_text(f"import os, sys, signal\nasked = sys.stdin.readline()\n{program}\n")
    monkeypatch.setattr(process, "MAIN", str(script))
    said: list[str] = []
    return process.ask_run(OPTIONS, tmp_path, tmp_path, ["A-010"], said.append)[0], said


def test_progress_is_passed_on_and_the_answer_is_returned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = f"""print('{{"progress": "half"}}', flush=True); print('{JUDGED}')"""
    assert answer_of(program, tmp_path, monkeypatch) == ({"status": 0, "outcome": "certified"}, ["half"])


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("sys.exit(0)", "with status 0 without an answer"),
        ("sys.exit('no such module')", "with status 1 without an answer"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "by signal 9 without an answer"),
        (f"print('{JUDGED}'); sys.exit(3)", "with status 3 after its answer, which is not of that status"),
        (f"sys.stdout.write('{JUDGED}')", "with status 0 without an answer"),  # cut before its end
    ],
)
def test_an_engine_without_a_whole_answer_is_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, told: str
) -> None:
    with pytest.raises(process.EngineBroke, match=f"{told}; this says nothing of the client"):
        answer_of(program, tmp_path, monkeypatch)


def test_its_last_words_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(process.EngineBroke, match=r"the last lines that it wrote:\n    no such module$"):
        answer_of("sys.exit('no such module')", tmp_path, monkeypatch)


def test_wrong_usage_and_an_interruption_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(process.UsageRefused, match=r"^not so$"):
        answer_of("""print('{"usage": "not so"}'); sys.exit(2)""", tmp_path, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        answer_of("""print('{"interrupted": true}'); sys.exit(130)""", tmp_path, monkeypatch)


def test_what_a_project_sets_for_python_processes_is_not_for_ours() -> None:
    given = {
        **dict.fromkeys(("PYTHONPATH", "PYTHONWARNINGS", "PYTHONASYNCIODEBUG", "PYTHONSTARTUP"), "x"),
        **dict.fromkeys(("PYTEST_ADDOPTS", "PYTEST_VERSION", "COVERAGE_PROCESS_START", "COV_CORE_SOURCE"), "x"),
        "PYTHONHOME": "/where/python/is",
        "PATH": "/bin",
        "TOKEN": "mine",
    }
    assert ownprocess.own_environment(given).keys() - {"PYTHONUTF8"} == {"PYTHONHOME", "PATH", "TOKEN"}


def test_its_import_path_ends_with_our_packages_and_no_folder_of_the_project(tmp_path: Path) -> None:
    installed, project = tmp_path / "installed", tmp_path / "tests"
    (installed / "msgspec-1.dist-info").mkdir(parents=True)
    project.mkdir()
    folders = ownprocess.package_folders(["", str(project), str(installed)])
    assert folders[-1] == str(installed) and str(project) not in folders and "" not in folders
    assert all(any((Path(folder) / name).is_dir() for folder in folders) for name in ownprocess.OURS)
    assert ownprocess.own_command("x.py")[:2] == [sys.executable, "-P"]


def test_a_stop_before_the_engine_runs_interrupts_it_at_once() -> None:
    reader, writer = os.pipe()
    stopping = Stopping(Line(writer))
    stopping.ask()
    stopping.ask()
    with pytest.raises(KeyboardInterrupt), stopping.running():
        pytest.fail("it ran")
    os.close(writer)
    told = os.read(reader, 65536).decode().splitlines()
    os.close(reader)
    assert len(told) == 2 and "interrupted: no client was started yet" in told[0] and "still at it" in told[1]


def test_a_progress_that_nobody_reads_is_lost_and_breaks_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    Line(writer).say("half")
    os.close(writer)


WATCHING = """
import os, sys
from brokercert.door import child

class Stopping:
    def ask(self):
        print("asked to stop", flush=True)
        os._exit(0)

print("watching", flush=True)
child._watch(Stopping(), int(sys.argv[1]), b"")
"""


def test_it_sees_that_pytest_is_gone_though_another_process_holds_the_pipe() -> None:
    """This process holds both ends of its standard input; its parent, a shell, is killed."""
    shell = subprocess.Popen(
        ["sh", "-c", 'exec 3<&0; "$0" -c "$1" $$ <&3 & wait', sys.executable, WATCHING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert shell.stdin is not None and shell.stdout is not None
    with shell.stdin, shell.stdout:
        assert shell.stdout.readline() == "watching\n"
        shell.kill()
        assert shell.stdout.readline() == "asked to stop\n"
    shell.wait()
