"""The pytest door: `pytest -m stage2`, or `--brokercert SET`, or the ini value `brokercert_set`.

The law: every pytest run of everybody who has brokercert installed imports this, so that nothing heavy is imported
here, and nothing happens unless a certification is asked for. What happens then stands in `pytest_items.py`. pytest's
side of the door imports the standard library, pytest and itself alone, and all of it now: once the project's folders
are on the import path, any other module may be the project's.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import suppress

import pytest

from brokercert.pytest_items import Certification
from brokercert.pytest_status import CHANGED, MARKERS, Wish, is_pass, status_of, wish_of

_KEY: pytest.StashKey[Certification] = pytest.StashKey()
_WISH: pytest.StashKey[Wish] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("brokercert", "certification of a trading WebSocket client")
    group.addoption("--brokercert", metavar="SET", dest="brokercert_set", help="certify against this requirement set")
    group.addoption("--brokercert-part", metavar="PART", help="certify a named part of the set only")
    group.addoption("--brokercert-only", metavar="ID", action="append", help="only this requirement; repeatable")
    group.addoption("--brokercert-command", metavar="COMMAND", help='the client, as in "node client.mjs"')
    group.addoption(
        "--brokercert-reference", action="store_true", help="take brokercert's own reference client, and no other"
    )
    group.addoption("--brokercert-config", metavar="FILE", help="a brokercert.toml (default: the nearest one)")
    group.addoption("--brokercert-out", metavar="DIR", help="where the run is written (default: out)")
    group.addoption("--brokercert-waivers", metavar="FILE", help="a waivers.toml (default: beside brokercert.toml)")
    group.addoption("--brokercert-strict", action="store_true", default=None, help="let a warning fail")
    parser.addini("brokercert_set", "requirement set to certify against in every run", default="")
    parser.addini(
        "brokercert_reference", "take brokercert's own reference client where no other is named", "bool", default=False
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    """Read what is asked for before the project's conftest files are imported, and be outermost after them."""
    wish = wish_of(early_config, early_config.known_args_namespace)
    if wish is not None:
        early_config.stash[_WISH] = wish
    try:
        result = yield
    except (SystemExit, pytest.exit.Exception) as error:
        status = error.code if isinstance(error, SystemExit) else error.returncode
        if wish is not None and status_of(wish, None, status) != status:
            raise pytest.UsageError(
                f"brokercert: a conftest.py ended pytest with status {status} while it was imported, "
                "before anything was judged"
            ) from error
        raise
    early_config.pluginmanager.register(_Outermost(), "brokercert-outermost")
    return result


def pytest_configure(config: pytest.Config) -> None:
    for marker, set_id in MARKERS.items():
        config.addinivalue_line("markers", f"{marker}: requirements of {set_id}, judged by brokercert")
    wish = config.stash.get(_WISH, None) or wish_of(config, config.option)
    if wish is None:
        for option in ("--brokercert-only", "--brokercert-part", "--brokercert-strict", "--brokercert-reference"):
            if config.getoption(option):  # else the run would be green without what was asked for
                raise pytest.UsageError(f"{option}: of which set? expected -m stage2, or --brokercert SET, as well")
    else:
        config.stash[_WISH] = wish
        config.stash[_KEY] = Certification(config, wish)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> Generator[None, object, object]:
    """Outermost: ours are there before anybody selects, and the certificate also after everybody has."""
    certification = config.stash.get(_KEY, None)
    if certification is None:
        return (yield)
    items += certification.items(session)
    result = yield
    certification.keep_certificate(items)
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    certification = session.config.stash.get(_KEY, None)
    if certification is None or session.config.option.collectonly:
        return (yield)
    session.config.pluginmanager.register(_Finish(certification), "brokercert-finish")
    certification.keep_certificate(session.items)
    certification.run(session)
    result = yield
    certification.over = True
    if status_of(certification.wish, certification, 0):
        session.testsfailed = max(1, session.testsfailed)  # so that each hook that is told the status is told this
    return result


def pytest_report_header(config: pytest.Config) -> str | None:
    certification = config.stash.get(_KEY, None)
    return None if certification is None else certification.header


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    certification = config.stash.get(_KEY, None)
    if certification is not None:
        certification.summarize(terminalreporter)


class _Finish:
    """Registered once every conftest.py is, so that it sees what they made of the reports and of the status."""

    def __init__(self, certification: Certification) -> None:
        self._certification = certification

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._certification.count(report)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        try:
            return (yield)
        finally:
            status = status_of(self._certification.wish, self._certification, session.exitstatus)
            session.exitstatus = status  # type: ignore[assignment]  # whatever it was, and is left as it was


class _Outermost:
    """Registered after the initial conftest files, so that nothing of theirs comes after it."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> Generator[None, object, object]:
        try:
            status = yield
        except SystemExit as error:
            status = error.code
            if not is_pass(status):
                raise
            if _last(config, status) == status:
                raise
        return _last(config, status)


def _last(config: pytest.Config, status: object) -> object:
    """The status that pytest ends with; said where it is another than pytest would have ended with."""
    last = status_of(config.stash.get(_WISH, None), config.stash.get(_KEY, None), status)
    if last != status:
        with suppress(OSError, ValueError, AttributeError):  # no standard error, or none that takes it
            sys.stderr.write(CHANGED.format(status, int(last)))  # type: ignore[call-overload]
    return last
