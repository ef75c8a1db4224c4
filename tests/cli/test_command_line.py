"""The command line's doors: what each prints, and that its exit status says what happened and nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import brokercert.cli
import msgspec
import pytest
from brokercert.cli.progress import LiveProgress, PlainProgress, progress_for, waiting
from brokercert.engine.ask.whom import REFERENCE
from brokercert.engine.machine import priority
from brokercert.engine.run import run
from brokercert.engine.run.folder import check_folder
from brokercert.engine.run.manifest import Kept, kept_text, todays
from brokercert.engine.run.run import RunRequest
from brokercert.requirements import load_set
from brokercert.verdict import ExitCode, Verdict

PLUGIN = Path(__file__).parents[1] / "plugin"
SET = "tradovate-stage2"


class Line:
    """A command line in this process; the engine answers what a test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], folder: Path) -> None:
        monkeypatch.chdir(folder)
        monkeypatch.syspath_prepend(str(PLUGIN))
        for name in list(os.environ):
            if name.startswith("BROKERCERT_"):
                monkeypatch.delenv(name)
        from fake_engine import fake_run

        self._capfd = capfd
        self.folder = folder
        self.requests: list[RunRequest] = []
        self.verdicts: dict[str, Verdict] = {}
        self.raises: BaseException | None = None
        self.interrupted = False
        self.asked_first = 0  # for a higher priority

        def fake(request: RunRequest, progress: Any) -> Any:
            self.requests.append(request)
            if self.raises:
                raise self.raises
            progress.planned(request.subject.name, ["a"], 95.0)
            return fake_run(request, self.verdicts, interrupted=self.interrupted)

        def first() -> None:
            assert len(self.requests) == self.asked_first, "the priority comes before the run"
            self.asked_first += 1

        monkeypatch.setattr(run, "run_certification", fake)
        monkeypatch.setattr(priority, "raise_priority", first)

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        code = brokercert.cli.main(arguments)
        assert self.asked_first == len(self.requests)
        out, err = self._capfd.readouterr()
        return code, out, err


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Line:
    return Line(monkeypatch, capfd, tmp_path)


def test_help_names_every_command_and_imports_none() -> None:
    source = (
        "import sys; from brokercert.cli import main; code = main(['--help'])\n"
        "heavy = ('brokercert.', 'brokercert_', 'msgspec', 'rich', 'websockets')\n"
        "print([name for name in sys.modules if name.startswith(heavy)])\n"
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=20, check=True)
    for name in brokercert.cli.COMMANDS:
        assert re.search(rf"^  {name} ", done.stdout, re.MULTILINE)
    assert done.stdout.splitlines()[-1] == "['brokercert.cli', 'brokercert.cli.outlet']"


def test_it_is_a_module_as_well() -> None:
    done = subprocess.run([sys.executable, "-m", "brokercert", "--version"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and done.stdout.startswith("brokercert, version ")


@pytest.mark.parametrize(("shell", "said"), [("bash_source", 0), ("bash_complete", 0), ("nonsense_source", 2)])
def test_a_shell_that_completes_is_answered_without_a_word_of_ours(shell: str, said: int) -> None:
    env = {**os.environ, "_BROKERCERT_COMPLETE": shell, "COMP_WORDS": "brokercert cer", "COMP_CWORD": "1"}
    command = [sys.executable, "-m", "brokercert"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, env=env)
    assert (done.returncode, done.stderr) == (said, "")
    assert {"bash_source": "_brokercert_completion", "bash_complete": "plain,certify\n"}.get(shell, "") in done.stdout


# certify


def test_certify_runs_what_stands_after_the_dashes_and_writes_its_reports(line: Line) -> None:
    code, out, err = line(
        "certify", "--part", "core", "--seed", "7", "--", sys.executable, "client.py", "--part", "{url}"
    )
    assert code == 0
    assert out.splitlines()[-1].startswith("client.py: certified for part core")
    assert "client.py: 1 scenario(s), about 95 s" in err, "the predicted duration comes first, on standard error"
    request = line.requests[0]
    assert request.subject.command == (sys.executable, "client.py", "--part", "{url}")
    assert (request.part, request.seed, request.tier) == ("core", 7, "real")
    again = "brokercert certify --part core --seed 7"
    client = f"-- {sys.executable} client.py --part '{{url}}'"
    assert request.again.command_line("LOG-010") == f"{again} --only LOG-010 {client}"
    assert request.again.command_line("LOG-010", "LOG-020").count(" --only ") == 2
    assert request.again.command_line() == f"{again} {client}"
    latest = line.folder / "out" / "latest"
    assert latest.is_symlink() and (latest / "run.json").is_file() and (latest / "report.html").is_file()


def test_the_reference_client_is_run_where_it_is_asked_for(line: Line) -> None:
    code, out, err = line("certify", "--reference")
    assert code == ExitCode.CERTIFIED
    assert line.requests[0].subject.command == (sys.executable, "-P", "-m", "brokercert.reference.tradovate")
    assert {text.partition(":")[0] for text in (out.splitlines()[-1], err.splitlines()[0].partition("] ")[2])} == {
        REFERENCE
    }
    assert line.requests[0].again.command_line("LOG-010") == "brokercert certify --reference --only LOG-010"


def test_the_nearest_file_says_what_flags_do_not(line: Line) -> None:
    (line.folder / "brokercert.toml").write_text(
        f"[subject]\ncommand = ['{sys.executable}', 'a.py']\n[run]\npart = 'core'\nstrict = true\nseed = 3\njobs = 4\n"
    )
    line("certify", "--seed", "4", "--no-strict")
    request = line.requests[0]
    assert (request.part, request.strict, request.seed, request.jobs) == ("core", False, 4, 4)
    assert request.subject.name == "a.py"


@pytest.mark.parametrize(
    ("verdicts", "arguments", "code"),
    [
        ({"LOG-010": Verdict.FAIL}, (), ExitCode.FAILED),
        ({"LOG-010": Verdict.HARNESS_ERROR, "LOG-030": Verdict.FAIL}, (), ExitCode.HARNESS_ERROR),
        ({"LOG-010": Verdict.NOT_OBSERVED}, (), ExitCode.INCOMPLETE),
        ({"LOG-060": Verdict.WARNING}, (), ExitCode.CERTIFIED),
        ({"LOG-060": Verdict.WARNING}, ("--strict",), ExitCode.FAILED),
        ({}, ("--only", "LOG-025"), ExitCode.INCOMPLETE),
    ],
)
def test_the_exit_status_is_the_outcome(
    line: Line, verdicts: dict[str, Verdict], arguments: Sequence[str], code: ExitCode
) -> None:
    line.verdicts = verdicts
    assert line("certify", "--reference", "--part", "core", *arguments)[0] == code


def test_the_form_of_the_junit_file_is_chosen_when_it_is_written(line: Line) -> None:
    def root_of(*arguments: str) -> str:
        line(*arguments)
        text = (line.folder / "out" / "latest" / "TEST-tradovate-stage2.xml").read_text()
        return text.splitlines()[1].split()[0]

    line.interrupted = True  # nothing vouches for this engine's certificates
    certify = ("certify", "--reference", "--part", "core")
    assert root_of(*certify) == "<testsuites"
    assert root_of("report", "--junit", "plain", "out/latest") == "<testsuite"
    assert root_of("report", "out/latest") == "<testsuites"
    assert root_of("certify", "--junit", "plain", *certify[1:]) == "<testsuite"
    assert line("report", "--junit", "fine", "out/latest")[0] == ExitCode.USAGE


def test_an_interrupted_run_has_a_partial_report(line: Line) -> None:
    line.interrupted = True
    code, out, _ = line("certify", "--reference")
    assert code == 130 and "interrupted" in out.splitlines()[-1]
    assert (line.folder / "out" / "latest" / "run.json").is_file()


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (RuntimeError("our bug"), 3)])
def test_a_run_that_breaks_is_never_said_of_the_client(line: Line, error: BaseException, code: int) -> None:
    line.raises = error
    assert line("certify", "--reference")[0] == code


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("certify", "--set", "nobody"), "no requirement set 'nobody'"),
        (("certify", "--part", "half"), "has no part 'half'"),
        (("certify", "--config", "none.toml"), "none.toml: no such file"),
        (("certify", "--jobs", "0"), "--jobs"),
        (("certify", "--tier", "virtual"), "--tier virtual: expected real"),
        (("certify", "--", "no-such-client-anywhere"), "'no-such-client-anywhere' was not found on PATH"),
        (("certify", "--nonsense"), "--nonsense"),
        (("judge",), "TRACES"),
        (("judge", "nowhere.jsonl"), "nowhere.jsonl"),
        (("judge", "."), "no trace in this folder"),
        (("report", "."), "run.json: No such file"),
        (("explain", "XYZ-999"), "no requirement 'XYZ-999'"),
        (("list", "--set", "nobody"), "no requirement set 'nobody'"),
        (("list", "--set", "nobody", "--manifest"), "no requirement set 'nobody'"),
        (("fuzz", "--", "no-such-client-anywhere"), "'no-such-client-anywhere' was not found on PATH"),
        (("nothing",), "nothing"),
    ],
)
def test_what_cannot_be_is_a_usage_error_in_a_sentence(line: Line, arguments: Sequence[str], said: str) -> None:
    code, _, err = line(*arguments)
    assert code == ExitCode.USAGE and said in err and "Traceback" not in err
    assert line.requests == []


@pytest.mark.parametrize("command", ["judge", "report", "fuzz", "simulate"])
def test_a_folder_that_cannot_be_made_is_found_before_the_work_is_done(line: Line, command: str) -> None:
    line.interrupted = True  # nothing vouches for this engine's certificates
    line("certify", "--reference", "--part", "core")
    trace = line.folder / "out" / "latest" / "traces" / "one.jsonl"
    trace.parent.mkdir(exist_ok=True)
    trace.write_text("{}")
    (line.folder / "file").write_text("not a folder")
    what = {
        "judge": (str(trace),),
        "report": ("out/latest",),
        "fuzz": ("--reference",),
        "simulate": ("--client", "reference"),
    }[command]
    code, out, err = line(command, "--out", "file/x", *what)
    assert code == ExitCode.USAGE and not out
    assert err == (
        "brokercert: --out: nothing can be written to file/x: Not a directory; expected a folder, there or to be made\n"
    )


def test_a_folder_that_is_only_looked_at_is_left_as_it_was(tmp_path: Path) -> None:
    check_folder(tmp_path / "a" / "b", "--out")
    assert list(tmp_path.iterdir()) == []


def test_a_broken_file_is_named(line: Line) -> None:
    (line.folder / "run.json").write_text('{"format": 1}')
    code, _, err = line("report", "run.json")
    assert code == ExitCode.USAGE and err.startswith("brokercert: run.json: ")


def test_a_report_is_rendered_again_with_the_status_of_its_run(line: Line) -> None:
    line.verdicts = {"LOG-010": Verdict.FAIL}
    line("certify", "--reference", "--part", "core")
    (line.folder / "out" / "latest" / "report.html").unlink()
    code, out, _ = line("report", "out/latest")
    assert code == ExitCode.FAILED and "failed for part core: LOG-010" in out
    assert (line.folder / "out" / "latest" / "report.html").is_file()


# list and explain


def test_the_manifest_of_a_set_is_printed_as_a_package_keeps_it(line: Line) -> None:
    code, out, _ = line("list", "--set", "tradovate-stage2", "--manifest")
    kept = msgspec.json.decode(out, type=Kept)
    assert code == 0 and kept == Kept(True, todays("tradovate-stage2")) and out == kept_text(kept)


def test_list_tells_of_every_row_what_there_is_for_it(line: Line) -> None:
    code, out, _ = line("list", "--json")
    document = json.loads(out)
    rows = {row["id"]: row for row in document["requirements"]}
    assert code == 0 and set(rows) == set(load_set(SET).by_id)
    assert rows["LOG-010"]["state"] == "judged" and rows["LOG-010"]["scenarios"] and rows["LOG-010"]["checks"]
    assert {row["state"] for row in rows.values()} <= {"judged", "no scenario", "no check"}
    code, out, _ = line("list")
    judged = sum(row["state"] == "judged" for row in rows.values())
    assert code == 0 and f"{judged} of {len(rows)} requirements are judged" in out
    assert all(name in out for name in rows)


def test_a_set_without_scenarios_is_listed_too(line: Line) -> None:
    code, out, _ = line("list", "--set", "arrow-orders")
    assert code == 0 and "of 0" not in out


def test_explain_says_what_is_asked_how_it_is_judged_and_how_to_mend_it(line: Line) -> None:
    row = load_set(SET).by_id["LOG-010"]
    code, out, _ = line("explain", "log-010")
    assert code == 0
    assert row.title in out and row.source in out and "Limit connect: 5 s (doc)" in out and "Scenarios:" in out
    assert f"brokercert certify --set {SET} --only LOG-010 -- COMMAND" in out
    _, out, _ = line("explain", "EVT-150")
    limits = [text for text in out.splitlines() if text.startswith("Limit ")]
    assert [text.split(":")[0].removeprefix("Limit ") for text in limits] == [*load_set(SET).by_id["EVT-150"].limits]
    shown = [text.split(". ")[0] for text in limits]
    assert {"Limit processing_p99: 100 ms (doc)", "Limit burst_rate: 1000 messages/s (ours)"} <= {*shown}


# progress


def said() -> tuple[list[str], Callable[[str], None]]:
    lines: list[str] = []
    return lines, lines.append


def test_plain_progress_is_never_silent_for_long() -> None:
    lines, say = said()
    now = 1000.0
    progress = PlainProgress(say, lambda: now)
    progress.planned("bot", ["a", "b"], 95.0)
    progress.started("a")
    for second in range(1, 91):
        now = 1000.0 + second
        progress.tick(["a", "b"], float(second))
    progress.ended("a", "completed")
    now = 1102.0  # without a tick meanwhile: something was scored alone
    progress.ended("b", "completed")
    assert lines == [
        "[   0 s] bot: 2 scenario(s), about 95 s",
        "[  30 s] 2 scenarios under way, 65 s of about 95 s left; waiting for a, b",
        "[  60 s] 2 scenarios under way, 35 s of about 95 s left; waiting for a, b",
        "[  90 s] 2 scenarios under way, 5 s of about 95 s left; waiting for a, b",
        "[  90 s] a: completed (1 of 2)",
        "[ 102 s] b: completed (2 of 2)",
    ]


def test_what_is_waited_for_is_named() -> None:
    text = waiting(["a", "b", "c", "d", "e"], 54, 95)
    assert text == "5 scenarios under way, 41 s of about 95 s left; waiting for a, b, c and 2 more"
    assert waiting(["a"], 100, 95) == "1 scenario under way, 100 s so far, longer than predicted; waiting for a"
    assert waiting([], 1, 95) == "94 s of about 95 s left"


def test_a_terminal_gets_one_line_and_a_pipe_or_ci_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert isinstance(progress_for(io.StringIO(), {}), PlainProgress)
    assert isinstance(progress_for(Terminal(), {"CI": "true"}), PlainProgress)
    assert isinstance(progress_for(Terminal(), {"TERM": "dumb"}), PlainProgress)
    monkeypatch.setenv("COLUMNS", "120")
    terminal = Terminal()
    live = progress_for(terminal, {})
    assert isinstance(live, LiveProgress)
    live.planned("bot", ["first"], 95.0)
    live.tick(["first"], 1.0)
    live.tick(["x" * 500], 2.0)
    live.ended("first", "harness error")
    live.stop()
    lines = terminal.getvalue().split("\r\x1b[2K")
    assert lines[:2] == [
        "bot: 1 scenario(s), about 95 s\n",
        "1 scenario under way, 94 s of about 95 s left; waiting for first",
    ]
    assert len(lines[2]) < 200 and lines[2].endswith("…")
    assert lines[3:] == ["first: harness error\n", "judging", ""]


@pytest.mark.parametrize(
    "text", ["bot\x1b[2J", "bot\rbrokercert: certified", "bot\u202edeifitrec", "bot\x07"], ids=repr
)
def test_what_a_client_printed_moves_no_cursor_while_one_waits(text: str) -> None:
    """Its last lines are shown while it is awaited, and its name begins the run."""
    import io

    lines, say = said()
    stream = io.StringIO()
    for progress in (PlainProgress(say), LiveProgress(stream)):
        progress.planned(text, ["first"], 1.0)
        progress.noted(f"its last lines:\n  {text}")
    shown = "".join(lines) + stream.getvalue().replace("\r\x1b[2K", "")  # which renews a terminal's own line
    assert shown.count("bot") == 4 and all(char.isprintable() or char == "\n" for char in shown)


def test_what_stands_in_a_trace_moves_no_cursor_where_it_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import msgspec
    from mock_bench import header

    told = json.loads(msgspec.json.encode(header())) | {"format": 99, "tool": "\x1b[2Jbrokercert 9"}
    (tmp_path / "odd.jsonl").write_text(json.dumps(told) + "\n")
    assert brokercert.cli.main(["judge", str(tmp_path / "odd.jsonl")]) == ExitCode.USAGE
    assert r"judge it with \x1b[2Jbrokercert 9" in capfd.readouterr().err


def test_a_terminal_is_not_filled_by_cells_in_virtual_time(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    monkeypatch.setenv("COLUMNS", "120")
    stream = io.StringIO()
    live = LiveProgress(stream)
    live.planned("bot", ["a", "b", "c"], 60.0)
    for name, state in (("a", "completed"), ("b", "completed, in virtual time"), ("c", "completed, in virtual time")):
        live.ended(name, state)
    text = stream.getvalue()
    assert text.count("\n") == 1 and text.endswith("\r\x1b[2K1 left, in virtual time\r\x1b[2Kjudging")
