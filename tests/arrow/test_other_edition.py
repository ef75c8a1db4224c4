"""A client that was written from another edition of the page is told so in one sentence, where a record shows it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from arrow_talks import ROWS, Talk
from brokercert.engine.run.edition import other_edition_in
from brokercert.engine.run.preflight import Preflight
from brokercert.reference.arrow import ArrowSubject, OrderUpdatesClient
from brokercert.requirements import available_sets
from brokercert.trace import trace_of
from brokercert.verdict import RunRecord
from brokercert_reports.console import render_console
from brokercert_reports.html import render_html
from brokercert_reports.junit import render_junit
from brokercert_reports.summary import render_summary
from msgspec import structs
from rich.console import Console
from traces import header

OTHER = any(name == "arrow-orders@2026" for name in available_sets())
SAID = (
    "The client asks with `appID` and without `session`, as edition 2026 of the page has it. It is judged by edition "
    f"2025; {'arrow-orders@2026 is the' if OTHER else 'this version has no'} set of the other."
)


def told(query: str, status: int = 101) -> str:
    talk = Talk(until=10)
    talk.asks(1, 1, query, status)
    return other_edition_in(trace_of(header("arrow-orders"), talk.told), ROWS)


@pytest.mark.parametrize("query", ["appID=a&token=b", "token=b&appID=a", "appID=&token=b", "app%49D=a", "appID"])
@pytest.mark.parametrize("status", [101, 401])
def test_a_sign_in_an_upgrade_is_told(query: str, status: int) -> None:
    assert told(query, status) == SAID


@pytest.mark.parametrize(
    "query", ["session=a&token=b", "session=a&appID=b", "token=b", "", "appid=a", "x=appID", "xappID=a", "%zz&=&&"]
)
def test_nothing_is_told_without_one(query: str) -> None:
    assert told(query) == ""


def test_a_request_that_is_no_upgrade_is_no_sign() -> None:
    talk = Talk(until=10)
    talk.asks(1, 1, "appID=a&token=b")
    talk.told = [structs.replace(one, upgrade=False) if hasattr(one, "upgrade") else one for one in talk.told]
    assert other_edition_in(trace_of(header("arrow-orders"), talk.told), ROWS) == ""


class OfToday(ArrowSubject):
    """Asks as the page of 2026 has it."""

    class client_class(OrderUpdatesClient):
        def url(self) -> str:
            return super().url().replace("session=", "appID=")


def test_a_run_tells_it_once_in_every_report(certify: Callable[..., RunRecord]) -> None:
    run = certify(OfToday, ("steady",))
    assert run.other_edition == SAID and run.set_name == "arrow-orders@2025"
    out = StringIO()
    render_console(run, Console(file=out, width=400))
    shown = {
        "console": out.getvalue(),
        "summary": render_summary(run),
        "JUnit": render_junit(run).decode(),
        "page": render_html(run),
    }
    for name, text in shown.items():
        plain = re.sub(r"\\?`|</?code>", "", text)
        assert plain.count(SAID.replace("`", "")) == 1, name
    assert shown["console"].index("asks with") < shown["console"].index("AOC-010")


def test_the_reference_client_of_this_edition_is_told_nothing(certify: Callable[..., RunRecord]) -> None:
    assert certify(None, ("steady",)).other_edition == ""


@pytest.mark.parametrize(("query", "notes"), [("appID=a&token=b", [SAID]), ("session=a&token=b", [])])
def test_whoever_waits_is_told_once_the_first_start_is_over(query: str, notes: list[str]) -> None:
    talk = Talk(until=10)
    talk.asks(1, 1, query)
    played: Any = SimpleNamespace(trace=trace_of(header("arrow-orders", before_all=True), talk.told))
    judged: Any = SimpleNamespace(of=lambda played: ())
    said: list[str] = []

    async def once(number: int) -> Any:
        return played

    assert asyncio.run(Preflight(rows=ROWS, judged=judged, play_once=once, note=said.append).came())
    assert said == notes
