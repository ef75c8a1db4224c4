"""The pytest door, in projects of all kinds: what is asked for is judged once, and no filter makes a pass."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from brokercert import pytest_plugin
from brokercert.door import process
from brokercert.engine.ask.whom import REFERENCE
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run import run
from brokercert.requirements import available_sets, load_set
from brokercert.sets import stem_of
from brokercert.verdict import RunRecord, Verdict

pytest_plugins = ["pytester"]
for _name in available_sets():  # for good: a run inside a test drops what it imported first, and checks register once
    load_suite(_name)
HERE = Path(__file__).parent
SET = "tradovate-stage2"
CLIENT = Path(sys.executable).name  # what such a client is called


class Project:
    """A user's project. The engine answers what the test says, in this process; its own is tried in test_door.py."""

    # Without the neighbours that warn where a project does not configure them, or take a second each time.
    base = tuple(f"-pno:{name}" for name in ("cacheprovider", "asyncio", "hypothesispytest"))
    base = (*base, f"--brokercert-command={sys.executable}")

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(str(HERE))
        monkeypatch.setenv("COLUMNS", "200")  # the short summary cuts its lines
        from fake_engine import ask, fake_run

        self.pytester = pytester
        self.calls: list[str] = []
        self.verdicts: dict[str, Verdict] = {}
        self.interrupted = False

        def fake(request: Any, progress: Any) -> RunRecord:
            self.calls.append(",".join(request.only) or "all")
            progress.planned(request.subject.name, ["a"], 1.0)
            return fake_run(request, self.verdicts, interrupted=self.interrupted)

        monkeypatch.setattr(run, "run_certification", fake)
        monkeypatch.setattr(process, "_ask", ask)

    def pytest(self, *arguments: str) -> pytest.RunResult:
        return self.pytester.runpytest_inprocess(*self.base, *arguments)


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(pytester, monkeypatch)


def test_the_markers_are_those_of_the_sets() -> None:
    assert {load_set(name).marker: stem_of(name) for name in available_sets()} == pytest_plugin.MARKERS


def test_it_is_inert_and_light_where_nothing_is_asked_for(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys
        def test_own():
            heavy = "brokercert.engine brokercert.door.engine brokercert_mock websockets msgspec rich.live".split()
            assert "brokercert.pytest_plugin" in sys.modules
            assert [name for name in heavy if name in sys.modules] == []
        """
    )
    arguments = ("-W", "error", "--strict-markers", "-p", "no:asyncio", "-p", "no:hypothesispytest")
    pytester.runpytest_subprocess(*arguments).assert_outcomes(passed=1)


def test_the_marker_alone_adds_an_item_a_row_and_scenario_even_without_tests(project: Project) -> None:
    result = project.pytest("-m", "stage2", "-W", "error", "--strict-markers", "--collect-only", "-q")
    names = [line for line in result.outlines if line.startswith(f"{SET}::")]
    assert len(names) == len(set(names))
    assert names[-1] == f"{SET}::certificate"
    assert {name.split("::")[1] for name in names[:-1]} == set(load_set(SET).by_id)
    assert any(name.startswith(f"{SET}::LOG-010::") for name in names)
    assert project.calls == [], "collecting runs nothing"


def test_a_part_whose_rows_all_pass_is_certified(project: Project) -> None:
    result = project.pytest("-m", "stage2", "--brokercert-part", "core", "-W", "error")
    assert result.ret == 0, result.stdout.str()
    assert project.calls == ["all"], "the engine ran once"
    result.stdout.fnmatch_lines(["*certified for part core*not a certificate of the set*"])
    folder = project.pytester.path / "out" / "latest"
    assert (folder / "run.json").is_file() and (folder / "report.html").is_file()


WAIVER = """[[waiver]]
row = "LOG-010"
reason = "due in March"
who = "Ana Lima"
expiry = 2999-12-31
"""
CORE = ("-m", "stage2", "--brokercert-part", "core", "-rA")


@pytest.mark.parametrize("place", ["beside the file", "in the root", "elsewhere"])
def test_a_waived_failure_is_no_failure_and_says_so(project: Project, place: str) -> None:
    project.verdicts = {"LOG-010": Verdict.FAIL}
    more: tuple[str, ...] = ()
    folder = project.pytester.path
    if place != "in the root":
        folder = project.pytester.mkdir("sub")
        (folder / "brokercert.toml").write_text("[subject]\nname = 'mine'\n")
        more = ("--brokercert-config", "sub/brokercert.toml")
    if place == "elsewhere":
        more, folder = ("--brokercert-waivers", "other.toml"), project.pytester.path
    (folder / ("other.toml" if place == "elsewhere" else "waivers.toml")).write_text(WAIVER)
    result = project.pytest(*CORE, *more)
    assert result.ret == 0, result.stdout.str()
    result.stdout.fnmatch_lines(
        ["SKIPPED * waived until 2999-12-31 by Ana Lima: due in March; fail: LOG-010 *: saw fail *"]
    )
    result.stdout.fnmatch_lines(["*certified with 1 waiver for part core*"])
    assert "FAILED" not in result.stdout.str() and "ERROR" not in result.stdout.str()


@pytest.mark.parametrize(
    ("text", "verdict", "said"),
    [
        (WAIVER.replace("2999", "1999"), Verdict.FAIL, "the waiver of LOG-010 expired on 1999-12-31"),
        (WAIVER, Verdict.PASS, "the waiver of LOG-010 is not needed, since the row does not fail"),
        (WAIVER.replace("LOG-010", "NOT-999"), Verdict.PASS, "the waiver of NOT-999 matches no row of this set"),
        (WAIVER, Verdict.BLOCKED, "incomplete"),
    ],
)
def test_a_waiver_that_does_not_hold_withholds_the_certificate(
    project: Project, text: str, verdict: Verdict, said: str
) -> None:
    project.verdicts = {"LOG-010": verdict}
    (project.pytester.path / "waivers.toml").write_text(text)
    result = project.pytest(*CORE)
    assert result.ret == 1 and said in result.stdout.str()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[[waiver]]\nrow = 'LOG-010'\n",
            "waivers.toml: waiver 1: reason is missing; expected why",
        ),
        ("[waver]\n", "waivers.toml: waver is not known; did you mean waiver?"),
        ("[[waiver", "waivers.toml: "),
        (WAIVER * 2, "waivers.toml: waiver 2: row = 'LOG-010' is waived twice; leave one out"),
    ],
)
def test_a_file_of_waivers_that_is_broken_is_told_before_anything_is_run(
    project: Project, text: str, said: str
) -> None:
    (project.pytester.path / "waivers.toml").write_text(text)
    result = project.pytest(*CORE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR and said in result.stderr.str() and project.calls == []
    (project.pytester.path / "waivers.toml").unlink()
    result = project.pytest(*CORE, "--brokercert-waivers", "nobody.toml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR and "nobody.toml" in result.stderr.str() and project.calls == []


def test_whatever_a_client_says_moves_no_cursor_of_whoever_reads(project: Project) -> None:
    """What a client printed, how it is called, and what stands in a file."""
    project.verdicts = {"LOG-010": Verdict.FAIL}
    program = project.pytester.path / "bot\x1b[2J\u202e.sh"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    result = project.pytest("-m", "stage2", "-rA", f"--brokercert-command='{program}'")
    text = result.stdout.str()
    assert result.ret == 1 and r"bot\x1b[2J\u202e.sh; tradovate-stage2" in text and r"saw fail <b>]]>\x1b[31m" in text
    assert not any(mark in text for mark in ("\x1b", "\u202e", "\ud800"))
    (project.pytester.path / "brokercert.toml").write_text('"a\\u001b[2Jb" = 1\n')
    result = project.pytest("-m", "stage2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR and r"a\x1b[2Jb is not known" in result.stderr.str()


def test_each_verdict_has_its_own_kind_of_outcome(project: Project) -> None:
    verdicts = {
        "LOG-010": "fail",
        "LOG-030": "blocked",
        "LOG-040": "not applicable",
        "LOG-060": "warning",
        "LOG-070": "inconclusive",
        "LOG-020": "harness error",
    }
    project.verdicts = {row: Verdict(verdict) for row, verdict in verdicts.items()}
    result = project.pytest(
        "--brokercert", SET, "--brokercert-part", "core", "-rA", "--junit-xml=j.xml", "-o", "junit_family=xunit1"
    )
    assert result.ret == 1
    text = result.stdout.str()
    for row, kind in {
        "LOG-010": "FAILED",
        "LOG-030": "ERROR",
        "LOG-060": "PASSED",
        "LOG-070": "ERROR",
        "LOG-020": "ERROR",
        "LOG-080": "PASSED",
    }.items():
        assert f"{kind} {SET}::{row}::" in text, (row, kind)
    assert "not applicable: saw not applicable" in text
    result.stdout.fnmatch_lines(["*blocked by   LOG-010*", "*reproduce    again LOG-030*"])
    result.stdout.fnmatch_lines(["*its last words*"])
    junit = (project.pytester.path / "j.xml").read_text()
    assert 'name="verdict" value="warning"' in junit and 'name="requirement" value="LOG-010"' in junit
    assert "1.5 s (limit 2 s)" in junit
    assert f"ERROR {SET}::certificate" in text, "a harness error certifies nothing and convicts nobody"


def test_under_strict_a_warning_fails(project: Project) -> None:
    project.verdicts = {"LOG-060": Verdict.WARNING}
    arguments = ("-m", "stage2", "--brokercert-part", "core", "-rA")
    assert project.pytest(*arguments).ret == 0
    result = project.pytest(*arguments, "--brokercert-strict")
    assert result.ret == 1
    text = result.stdout.str()
    assert f"FAILED {SET}::LOG-060::" in text and f"FAILED {SET}::certificate" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ("-m", "stage2", "--brokercert-part", "core", "-k", "LOG-025"),
        ("-m", "stage2", "--brokercert-part", "core", "--brokercert-only", "LOG-025"),
        ("--brokercert", SET, "--brokercert-part", "core", "-k", "LOG-025 and not certificate"),
    ],
)
def test_a_filter_never_makes_a_pass(project: Project, arguments: tuple[str, ...]) -> None:
    result = project.pytest(*arguments, "-rA")
    assert result.ret == 1
    assert project.calls == ["LOG-025"], "only what was selected is played"
    text = result.stdout.str()
    assert f"PASSED {SET}::LOG-025::" in text and f"ERROR {SET}::certificate - Failed: {CLIENT}: incomplete for" in text


def test_the_client_is_named_before_and_after(project: Project) -> None:
    result = project.pytest("-m", "stage2", "--brokercert-part", "core")
    assert result.ret == 0
    lines = result.stdout.lines
    assert lines.index(f"brokercert: {CLIENT}; {SET}, part core") < next(
        place for place, line in enumerate(lines) if line.startswith(f"{CLIENT}: certified for part core")
    )


@pytest.mark.parametrize(
    ("ini", "arguments", "status", "client"),
    [
        ("", (), pytest.ExitCode.USAGE_ERROR, ""),
        ("", ("--brokercert-reference",), 0, REFERENCE),
        ("brokercert_reference = true", (), 0, REFERENCE),
        ("brokercert_reference = true", (f"--brokercert-command={sys.executable}",), 0, CLIENT),
        ("", (f"--brokercert-command={sys.executable}", "--brokercert-reference"), pytest.ExitCode.USAGE_ERROR, ""),
        ("brokercert_reference = true", ("--brokercert-command=",), pytest.ExitCode.USAGE_ERROR, ""),
    ],
)
def test_no_client_is_picked_in_silence(
    project: Project, ini: str, arguments: tuple[str, ...], status: int, client: str
) -> None:
    project.pytester.makepyprojecttoml(f"[tool.pytest]\n{ini}\n")
    project.base = tuple(word for word in project.base if not word.startswith("--brokercert"))
    result = project.pytest("-m", "stage2", *arguments)
    assert result.ret == status, result.stderr.str()
    assert bool(project.calls) is (status == 0), "without a client nothing is run"
    if client:
        result.stdout.fnmatch_lines([f"brokercert: {client}; {SET}", f"{client}: certified for {SET}*"])
    else:
        assert "--brokercert-" in result.stderr.str()


def test_everything_deselected_is_no_pass_either(project: Project) -> None:
    result = project.pytest("-m", "stage2", "-k", "nothing-of-that-name")
    assert result.ret == 1 and project.calls == []
    result.stdout.fnmatch_lines(["*incomplete: every requirement was deselected*"])


def test_a_conftest_that_trims_the_items_is_no_pass_either(project: Project) -> None:
    project.pytester.makeconftest("def pytest_collection_modifyitems(items):\n    items[:] = items[:1]\n")
    result = project.pytest("-m", "stage2", "-rA")
    assert result.ret == 1
    assert f"ERROR {SET}::certificate" in result.stdout.str()


def test_it_lives_beside_the_tests_of_a_project_and_its_ini(project: Project) -> None:
    project.pytester.makepyfile(test_mine="def test_mine(): pass\n")
    project.pytester.makepyprojecttoml(
        '[tool.pytest]\nbrokercert_set = "tradovate-stage2"\nstrict_markers = true\nfilterwarnings = ["error"]\n'
        'python_files = ["test_*.py"]\n[tool.brokercert.run]\npart = "core"\n'
    )
    result = project.pytest("-rA")
    assert result.ret == 0, result.stdout.str()
    text = result.stdout.str()
    assert "PASSED test_mine.py::test_mine" in text and f"PASSED {SET}::certificate" in text
    alone = project.pytest("-rA", "-m", "not stage2")
    assert alone.ret == 0 and "certificate" not in alone.stdout.str() and len(project.calls) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--brokercert", "nobody"), "no requirement set 'nobody'"),
        (("--brokercert-only", "LOG-010"), "--brokercert-only: of which set?"),
        (("--brokercert-strict",), "--brokercert-strict: of which set?"),
        (("-m", "stage2", "--brokercert-part", "half"), "no part 'half'"),
        (("-m", "stage2", "--brokercert-only", "XYZ-000"), "--brokercert-only XYZ-000: no such requirement"),
        (("-m", "stage2", "--brokercert-config", "none.toml"), "none.toml: no such file"),
        (("-m", "stage2", "--brokercert-command", "no-such-client-here"), "'no-such-client-here' was not found"),
        (
            ("-m", "stage2", "-n", "2"),
            "pytest-xdist spreads and repeats it, and slows the latencies that it scores; run with -n 0",
        ),
        (("-m", "stage2", "--dist", "load", "--tx", "2*popen"), "that it scores; run without --tx"),
        (("-m", "stage2", "-p", "spreading", "--reruns", "2"), "pytest-rerunfailures hides"),
        (("-m", "stage2", "-p", "spreading", "-o", "retries=2"), "pytest-retry hides"),
    ],
)
def test_what_cannot_be_is_a_usage_error(
    project: Project, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    project.pytester.makepyfile(  # the options of rerunfailures and retry, as they declare them
        spreading="""
        def pytest_addoption(parser):
            parser.addoption("--reruns", dest="reruns", type=int, default=0)
            parser.addini("retries", "")
        """
    )
    monkeypatch.syspath_prepend(str(project.pytester.path))
    result = project.pytest(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert said in result.stderr.str() + result.stdout.str()
    assert project.calls == []


def test_plugins_that_are_there_but_idle_are_no_obstacle(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.pytester.makepyfile(
        spreading="""
        def pytest_addoption(parser):
            parser.addoption("--reruns", dest="reruns", type=int, default=0)
        """
    )
    monkeypatch.syspath_prepend(str(project.pytester.path))
    assert project.pytest("-m", "stage2", "--brokercert-part", "core", "-p", "spreading", "-n", "0").ret == 0


def test_an_interrupted_run_keeps_its_reports_and_ends_as_interrupted(project: Project) -> None:
    project.interrupted = True
    ended = project.pytester.inline_run(*project.base, "-m", "stage2", no_reraise_ctrlc=True)
    assert ended.ret == pytest.ExitCode.INTERRUPTED
    assert (project.pytester.path / "out" / "latest" / "report.html").is_file()
