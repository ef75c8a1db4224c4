"""The pytest door: `pytest -m stage2`, or `--brokercert SET`, or the ini value `brokercert_set`.

The law: every pytest run of everybody who has brokercert installed imports this, so that nothing heavy is imported
here, and nothing happens unless a certification is asked for. What happens then stands in `pytest_items.py`.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from brokercert.sets import markers

if TYPE_CHECKING:
    from brokercert.pytest_items import Certification

MARKERS = markers()

_KEY: pytest.StashKey[Certification] = pytest.StashKey()


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
    group.addoption("--brokercert-strict", action="store_true", default=None, help="let a warning fail")
    parser.addini("brokercert_set", "requirement set to certify against in every run", default="")
    parser.addini(
        "brokercert_reference", "take brokercert's own reference client where no other is named", "bool", default=False
    )


def pytest_configure(config: pytest.Config) -> None:
    for marker, set_id in MARKERS.items():
        config.addinivalue_line("markers", f"{marker}: requirements of {set_id}, judged by brokercert")
    set_id, explicit = _asked(config)
    if not set_id:
        for option in ("--brokercert-only", "--brokercert-part", "--brokercert-strict", "--brokercert-reference"):
            if config.getoption(option):  # else the run would be green without what was asked for
                raise pytest.UsageError(f"{option}: of which set? expected -m stage2, or --brokercert SET, as well")
    else:
        from brokercert.pytest_items import Certification

        config.stash[_KEY] = Certification(config, set_id, explicit)


def _asked(config: pytest.Config) -> tuple[str, bool]:
    """The requirement set asked for (empty: none), and whether that was on the command line."""
    named = config.getoption("brokercert_set")
    marked = MARKERS.get(str(config.getoption("markexpr", "")).strip(), "")
    if named or marked:
        return str(named or marked), True
    return str(config.getini("brokercert_set")), False


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
    if certification is not None and not session.config.option.collectonly:
        certification.keep_certificate(session.items)
        certification.run(session)
    return (yield)


def pytest_report_header(config: pytest.Config) -> str | None:
    certification = config.stash.get(_KEY, None)
    return None if certification is None else certification.header


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    certification = config.stash.get(_KEY, None)
    if certification is not None:
        certification.summarize(terminalreporter)
