"""Nothing between the run and the exit status turns a failed certification green: each hook of pytest, and each way in
which a project's conftest.py may use it by accident, or take back what was judged.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import _pytest.hookspec
import pytest
from brokercert.door import process
from brokercert.door.wire import Judged, Plan, Request, Told
from brokercert.pytest_status import is_pass

pytest_plugins = ["pytester"]
SET = "tradovate-stage2"
ROWS = {"LOG-010": ["login-timed"], "LOG-025": ["open-held", "login-timed"]}
QUIET = tuple(f"-pno:{name}" for name in ("cacheprovider", "asyncio", "hypothesispytest", "looptime_plugin", "timeout"))
ASKED = ("-m", "stage2", "--brokercert-command=false")

HOOKS = sorted(name for name in dir(_pytest.hookspec) if name.startswith("pytest_"))
# pytest calls these before it reads any conftest.py.
NOT_IN_A_CONFTEST = {"pytest_cmdline_parse", "pytest_load_initial_conftests"}
# What a hook may do that ends with no verdict shown.
MISUSES = {
    "skips": "pytest.skip('needs the network')",
    "leaves": "pytest.exit('enough', returncode=0)",
    "ends": "raise SystemExit(0)",
    "answers": "return True",
    "answers nothing": "return 0",
}


class Engine:
    """Answers in the place of the engine's process: all rows pass, but LOG-010 where it is to fail."""

    def __init__(self) -> None:
        self.fails = True
        self.breaks = False
        self.runs = 0

    def ask(self, request: Request, folder: Path, say: Callable[[str], None]) -> tuple[dict[str, Any], bool]:
        if request["task"] == "plan":
            return {"plan": Plan(set_id=SET, named=SET, marker="stage2", whom="mine", part="", rows=ROWS)}, False
        self.runs += 1
        if self.breaks:
            raise process.EngineBroke("harness error: the engine's process ended by signal 9 without an answer")
        passed, failed = (Told(kind=kind, message=f"says {kind}", properties=[]) for kind in ("pass", "fail"))
        bad = failed if self.fails else passed
        judged = Judged(
            outcome="failed" if self.fails else "certified",
            sentence="failed for it: LOG-010" if self.fails else "certified for it",
            status=int(self.fails),
            reports={},
            items={row: {name: bad if row == "LOG-010" else passed for name in names} for row, names in ROWS.items()},
            certificate=bad,
        )
        return {"judged": judged}, False


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    answering = Engine()
    monkeypatch.setattr(process, "_ask", answering.ask)
    return answering


def arguments_of(hook: str) -> str:
    return ", ".join(list(inspect.signature(getattr(_pytest.hookspec, hook)).parameters)[:1])


def ended(pytester: pytest.Pytester, conftest: str, *more: str) -> pytest.RunResult | None:
    """A run beside this conftest.py; None where an exception left pytest, which ends a process with 1."""
    pytester.makeconftest(f"import os, pytest\n{conftest}")
    try:
        return pytester.runpytest_inprocess(*QUIET, *(more or ASKED))
    except (pytest.skip.Exception, pytest.exit.Exception):
        return None


@pytest.mark.parametrize("hook", [hook for hook in HOOKS if hook not in NOT_IN_A_CONFTEST])
def test_no_hook_turns_a_failure_green(pytester: pytest.Pytester, engine: Engine, hook: str) -> None:
    for how, body in MISUSES.items():
        result = ended(pytester, f"def {hook}({arguments_of(hook)}):\n    {body}\n")
        assert result is None or not is_pass(result.ret), f"{hook} {how}: {result.stdout.str()}"


# What projects have in a conftest.py, for reasons of their own.
ACCIDENTS = {
    "no network here": "def pytest_runtest_setup(item): pytest.skip('needs the network')",
    "expected to fail, late": "def pytest_runtest_setup(item): item.add_marker(pytest.mark.xfail(run=False))",
    "reports rewritten": """
        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_runtest_makereport(item, call):
            report = yield
            report.outcome = "passed"
            return report
    """,
    "reports expected to fail": """
        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_runtest_makereport(item, call):
            report = yield
            report.outcome, report.wasxfail = "skipped", "known"
            return report
    """,
    "no item is run": "def pytest_runtest_protocol(item, nextitem): return True",
    "no item is collected": "def pytest_collection(session): return True",
    "all items dropped": "def pytest_collection_modifyitems(items): items[:] = []",
    "all items dropped late": "def pytest_collection_finish(session): session.items.clear()",
    "all items deselected": """
        def pytest_collection_modifyitems(config, items):
            config.hook.pytest_deselected(items=list(items))
            items.clear()
    """,
    "a marker of its own": "def pytest_configure(config): config.option.markexpr = 'not slow'",
    "another set of rows": "def pytest_configure(config): config.option.brokercert_set = None",
    "only listed": "def pytest_configure(config): config.option.collectonly = True",
    "failures forgotten": "def pytest_sessionfinish(session): session.testsfailed, session.exitstatus = 0, 0",
    "a status of its own": """
        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_sessionfinish(session):
            yield
            session.exitstatus = pytest.ExitCode.OK
    """,
    "a status that shells cut": "def pytest_sessionfinish(session): session.exitstatus = 256",
    "left at the start": "def pytest_sessionstart(session): pytest.exit('not today', returncode=0)",
    "left at the end": "def pytest_sessionfinish(session): pytest.exit('done', returncode=0)",
    "ended at the end": "def pytest_unconfigure(config): raise SystemExit(0)",
    "a program of its own": """
        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_cmdline_main(config):
            yield
            return 0
    """,
    "ended while imported": "raise SystemExit(0)",
    "left while imported": "pytest.exit('not here', returncode=0)",
}


@pytest.mark.parametrize("name", ACCIDENTS)
@pytest.mark.parametrize("broken", [False, True], ids=["failed", "broken"])
def test_no_accident_turns_a_failure_green(pytester: pytest.Pytester, engine: Engine, name: str, broken: bool) -> None:
    engine.breaks = broken
    result = ended(pytester, inspect.cleandoc(ACCIDENTS[name]))
    assert result is not None and not is_pass(result.ret), (name, result)


@pytest.mark.parametrize("name", ["no network here", "reports rewritten", "no item is run"])
def test_a_failure_that_no_item_shows_is_told(pytester: pytest.Pytester, engine: Engine, name: str) -> None:
    result = ended(pytester, inspect.cleandoc(ACCIDENTS[name]))
    assert result is not None and result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["failed for it: LOG-010*", "no item of the certification shows this*"])


def test_hooks_are_told_the_status_of_the_run(pytester: pytest.Pytester, engine: Engine) -> None:
    """Projects leave by `os._exit(exitstatus)`, where threads hang."""
    result = ended(
        pytester,
        "def pytest_runtest_setup(item): pytest.skip('needs the network')\n"
        "def pytest_sessionfinish(exitstatus): print(f'told {int(exitstatus)}')",
        *ASKED,
        "-s",
    )
    assert result is not None
    result.stdout.fnmatch_lines(["*told 1"])


def test_an_end_that_was_changed_is_told(pytester: pytest.Pytester, engine: Engine) -> None:
    result = ended(pytester, ACCIDENTS["left at the start"])
    assert result is not None and result.ret == pytest.ExitCode.TESTS_FAILED and engine.runs == 0
    result.stderr.fnmatch_lines(["brokercert: pytest would have ended with status 0; *; ends with 1"])


def test_a_certified_run_is_a_pass_and_stays_one(pytester: pytest.Pytester, engine: Engine) -> None:
    engine.fails = False
    for conftest in ("", ACCIDENTS["no network here"], inspect.cleandoc(ACCIDENTS["reports rewritten"])):
        result = ended(pytester, conftest)
        assert result is not None and result.ret == pytest.ExitCode.OK
        assert "no item of the certification" not in result.stdout.str()


def test_a_run_that_no_item_could_show_yet_blames_no_hook(pytester: pytest.Pytester, engine: Engine) -> None:
    pytester.makepyfile("def test_own(): assert False")
    result = ended(pytester, "", "--brokercert", SET, "--brokercert-command=false", "-x")
    assert result is not None and result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["failed for it: LOG-010*"])
    assert "no item of the certification" not in result.stdout.str()


def test_a_certified_run_hides_no_failure_of_the_projects_own(pytester: pytest.Pytester, engine: Engine) -> None:
    engine.fails = False
    pytester.makepyfile("def test_own(): assert False")
    result = ended(pytester, "", "--brokercert", SET, "--brokercert-command=false")
    assert result is not None and result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=4, failed=1)


def test_an_engine_that_breaks_says_nothing_of_the_client(pytester: pytest.Pytester, engine: Engine) -> None:
    engine.breaks = True
    result = ended(pytester, "")
    assert result is not None and result.ret == pytest.ExitCode.INTERNAL_ERROR
    result.assert_outcomes(errors=4)
    result.stdout.fnmatch_lines(["harness error: the engine's process ended by signal 9 without an answer"])


@pytest.mark.parametrize("marker", ["skip", "skip('later')", "skipif(False, reason='never')", "xfail(strict=True)"])
@pytest.mark.parametrize("hook", ["pytest_itemcollected(item)", "pytest_collection_modifyitems(items)"])
def test_a_marker_that_would_hide_a_verdict_is_refused(
    pytester: pytest.Pytester, engine: Engine, marker: str, hook: str
) -> None:
    items = "items" if "items" in hook else "[item]"
    conftest = f"def {hook}:\n    for one in {items}: one.add_marker(pytest.mark.{marker})\n"
    result = ended(pytester, conftest)
    assert result is not None and result.ret == pytest.ExitCode.USAGE_ERROR and engine.runs == 0
    assert "no item of the certification" not in result.stdout.str()
    name = marker.partition("(")[0]
    result.stderr.fnmatch_lines([f"ERROR: brokercert: {SET}::LOG-010::login-timed bears the marker '{name}'; *"])


def test_by_the_ini_value_a_hook_cannot_withdraw_it_and_a_filter_can(pytester: pytest.Pytester, engine: Engine) -> None:
    pytester.makepyprojecttoml(f'[tool.pytest]\nbrokercert_set = "{SET}"\n')
    pytester.makepyfile("def test_own(): pass")
    drops = "def pytest_collection_modifyitems(items): items[:] = [i for i in items if 'test_own' in i.name]"
    result = ended(pytester, drops, "--brokercert-command=false")
    assert result is not None and result.ret == pytest.ExitCode.TESTS_FAILED
    filtered = ended(pytester, "", "--brokercert-command=false", "-k", "test_own")
    assert filtered is not None and filtered.ret == pytest.ExitCode.OK and engine.runs == 0
    filtered.assert_outcomes(passed=1, deselected=4)


def test_what_only_shows_something_is_no_certification(pytester: pytest.Pytester, engine: Engine) -> None:
    for option in ("--collect-only", "--help", "--markers", "--fixtures"):
        result = ended(pytester, "", *ASKED, option)
        assert result is not None and result.ret == pytest.ExitCode.OK, option
    assert engine.runs == 0
