"""One start in words: what it says of clients of many kinds, in virtual time, and which rows can be asked of them."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from brokercert.engine.ask.config import load_config
from brokercert.engine.client.subject import Factory, Level, SubjectSpec
from brokercert.engine.look.askable import askable, lines
from brokercert.engine.look.once import HUSHED, LEAVES, WATCHED, Seen, look
from brokercert.engine.look.words import came, last_lines, told
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.play.virtual import VirtualLoop
from brokercert.engine.run.plan import Wanted, plan_of
from brokercert.mutants.tradovate import MUTANTS
from brokercert.requirements import load_set
from brokercert.sets import own_sets
from brokercert.trace import records as r
from brokercert.trace.clean import Clean
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from shaped_clients import FarApart
from silent import silent

STAGE2 = "tradovate-stage2"


def seen(factory: Factory | SubjectSpec, set_id: str = STAGE2) -> tuple[Seen, float]:
    """One look in virtual time, and the seconds that it took."""
    spec = (
        factory
        if isinstance(factory, SubjectSpec)
        else SubjectSpec("bot", factory=factory, offers=frozenset({"wire", "stop"}), level="in process")
    )

    async def alone() -> tuple[Seen, float]:
        found = await look(spec, load_set(set_id), virtual=True)
        return found, asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(alone())


def said(factory: Any, set_id: str = STAGE2) -> str:
    return "\n".join(told(seen(factory, set_id)[0]))


@pytest.mark.parametrize("set_id", own_sets())
def test_a_client_that_is_well_is_told_from_its_first_connection_to_its_leaving(set_id: str) -> None:
    found, took = seen(load_suite(set_id).dialect.reference.factory(), set_id)
    assert came(found) and last_lines(found) == () and took <= 20
    first, second, *_, last = told(found)
    assert first.startswith(f"it connected to {found.address} and got its upgrade 0.")
    assert second == "it opened 1 WebSocket"
    assert last.startswith("asked to leave by in process, it sent a close frame (1000) and left 0.")


def test_what_a_tradovate_client_said_is_told_with_its_token_its_sync_and_its_heartbeats() -> None:
    text = said(load_suite(STAGE2).dialect.reference.factory())
    assert "it sent authorize with an access token («access-token#1»): answered with success" in text
    assert 'it sent user/syncrequest with {"entityTypes":["user",' in text and "…: answered with success" in text
    assert "it sent a heartbeat (`[]`) 4 times, at most 2.5 s apart, by a timer: some came more than" in text


@pytest.mark.parametrize(
    ("mutant", "sentence"),
    [
        ("echoes-the-servers-beat", "each just after a message and none in 4.2 s in which the broker said nothing by"),
        ("takes-the-protocols-ping-for-the-heartbeat", "it sent no heartbeat (`[]`)"),
        ("heartbeat-every-8-s", "it sent a heartbeat (`[]`) once, by a timer: "),
    ],
)
def test_a_beat_is_by_a_timer_where_it_came_while_nothing_else_did(mutant: str, sentence: str) -> None:
    text = said(MUTANTS[mutant].client)
    assert sentence in text and ("by a timer" in text) is ("by a timer" in sentence)


def test_without_a_silence_nobody_says_that_a_beat_has_no_timer() -> None:
    """A client that comes late is watched for too short a time."""
    found, _ = seen(MUTANTS["echoes-the-servers-beat"].client)
    kept = [x for x in found.trace.records if not isinstance(x, r.Window)]
    late = replace(found, trace=structs.replace(found.trace, records=kept))
    assert "each just after a message; whether by a timer was not looked at" in "\n".join(told(late))


def test_each_socket_is_told_of_where_there_are_several() -> None:
    text = said(FarApart)
    assert "it opened 3 WebSockets\n" in text
    assert all(f"on socket {n} it sent user/syncrequest with " in text for n in (1, 2, 3))


def test_what_arrow_clients_send_in_their_query_is_told_by_its_labels() -> None:
    text = said(load_suite("arrow-orders").dialect.reference.factory(), "arrow-orders")
    assert "it logged in with session «" in text and " and token «" in text
    assert "(`PONG`) meanwhile; the page has one every 30 s" in text


@pytest.mark.parametrize("set_id", own_sets())
@pytest.mark.parametrize(
    ("leaves", "connects", "first"),
    [
        (True, False, "it never came to 127.0.0.1:{port} before it left"),
        (False, False, f"it never came to 127.0.0.1:{{port}} within {WATCHED:g} s"),
        (False, True, f"it connected to 127.0.0.1:{{port}}, and sent no upgrade request within {WATCHED:g} s"),
    ],
)
def test_a_client_that_never_comes_is_told_with_its_last_lines(
    set_id: str, leaves: bool, connects: bool, first: str
) -> None:
    found, took = seen(silent(leaves, connects=connects), set_id)
    told_first, *_, last = told(found)
    assert not came(found) and took <= 20 and last_lines(found) == ("dialing the production server",)
    assert told_first == first.format(port=found.address.rpartition(":")[2])
    left = "it left by itself 0.0 s after its start: exit 7 (not asked)"
    asked = "asked to leave by in process, it had no WebSocket to close, and left 0.00 s later: exit 7 (asked to stop)"
    assert last == (left if leaves else asked)


class Stubborn:
    """It never leaves by itself, and says nothing."""

    def __init__(self, *_: object) -> None:
        pass

    async def run(self) -> int:
        await asyncio.Event().wait()
        return 0

    async def stop(self) -> None:
        pass


def test_one_that_does_not_leave_is_ended_within_the_time_that_was_promised() -> None:
    found, took = seen(Stubborn)
    assert took <= 20 and f"it still ran {LEAVES:g} s later (a run awaits it for longer)" in told(found)[-1]
    assert last_lines(found) == ("(it printed nothing)",)


def test_one_that_cannot_be_asked_is_not_said_to_stay() -> None:
    spec = SubjectSpec("bot", factory=Stubborn, offers=frozenset({"wire"}), level="in process", stop="none")
    assert told(seen(spec)[0])[-1] == 'it was not asked to leave, since it is declared with stop = "none"'


def changed(found: Seen, *records: r.Body) -> Seen:
    """The same with these records before the last."""
    *before, last = found.trace.records
    return replace(found, trace=structs.replace(found.trace, records=[*before, *records, last]))


def test_what_the_trace_tells_beside_is_told() -> None:
    """Records of their kinds, put into a real trace."""
    found, _ = seen(silent(leaves=True))
    t = found.trace.records[-1].t
    broken = changed(found, r.Accepted(t=t, conn=1), r.Violation(t=t, conn=1, text=Clean("a frame without a mask")))
    assert "its bytes broke the rules of HTTP or WebSocket: a frame without a mask" in told(broken)
    stood = changed(found, r.Stall(t=t, since=t - 3_000_000))
    assert "(the harness stood still for 3.0 s meanwhile: what did not come may have come later)" in told(stood)


# Which rows can be asked.


@pytest.mark.parametrize("set_id", own_sets())
@pytest.mark.parametrize("level", ["wire", "reports", "commands"])
def test_the_rows_that_can_be_asked_are_those_that_a_plan_does_not_leave_out(set_id: str, level: Level) -> None:
    rows, suite = load_set(set_id), load_suite(set_id)
    given = {"wire": (), "reports": ("report",), "commands": ("report", "snapshot", "request")}[level]
    offers = frozenset({"wire", "process", "stop", *given})
    plan = plan_of(Wanted(offers, "virtual", 1, scenarios=tuple(s.name for s in suite.scenarios)), rows, suite)
    played = {row for scenario in plan.played for row in scenario.exercises}
    assert set(askable(rows, suite, offers)) == {row for row in played if set(rows.by_id[row].needs) <= offers}


@pytest.mark.parametrize("set_id", own_sets())
def test_a_line_adds_the_rows_that_it_names_and_no_line_is_told_that_adds_none(set_id: str) -> None:
    rows, suite = load_set(set_id), load_suite(set_id)
    bare = SubjectSpec("bot", ("bot",), offers=frozenset({"wire", "process"}), stop="none")
    found = lines(rows, suite, bare)
    assert found and found == tuple(sorted(found, key=lambda line: -len(line.rows)))
    assert 'stop = "signal"' in [line.text for line in found]
    for line in found:
        assert line.rows and line.means and line.table in ("subject", "capabilities")
    tls = next((line for line in found if line.text == 'offers = ["tls"]'), None)
    if tls is not None:
        offered = replace(bare, offers=bare.offers | {"tls"})
        assert set(askable(rows, suite, offered.offers)) - set(askable(rows, suite, bare.offers)) == set(tls.rows)
        absent = replace(bare, absent={"tls": "it has no TLS"})
        assert 'offers = ["tls"]' not in [line.text for line in lines(rows, suite, absent)]


def _table(names: list[str]) -> str:
    return "{" + ", ".join(f'{name} = "no"' for name in names) + "}"


NAMES = sorted({name for one in own_sets() for name in load_set(one).capabilities} - {"wire"})


@settings(deadline=None, max_examples=60)
@given(
    set_id=st.sampled_from(own_sets()),
    level=st.sampled_from(["wire", "reports", "commands"]),
    stop=st.sampled_from(["signal", "command", "none"]),
    said=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["offered", "absent"])),
)
def test_each_line_put_into_the_file_adds_its_rows_and_takes_none(
    set_id: str, level: str, stop: str, said: dict[str, str]
) -> None:
    """A key cannot stand there twice: the line comes in place of the one of that name."""
    rows, suite = load_set(set_id), load_suite(set_id)
    decided = {"report", "snapshot", "request", "stop", "process"}
    offers = [n for n, how in said.items() if how == "offered" and n in rows.capabilities and n not in decided]
    given = {"wire": (), "reports": ("report",), "commands": ("report", "snapshot", "request")}[level]
    absent = [n for n, how in said.items() if how == "absent" and n in rows.capabilities and n not in given]
    absent = [n for n in absent if n not in rows.never_absent]
    file: dict[str, dict[str, str]] = {
        "subject": {"name": '"bot"', "command": '["bot"]', "level": f'"{level}"', "stop": f'"{stop}"'},
        "capabilities": {"offers": json.dumps(offers), "absent": _table(absent)},
    }

    def asked() -> set[str]:
        text = "".join(f"[{t}]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items()) for t, keys in file.items())
        with TemporaryDirectory() as folder:
            path = Path(folder) / "brokercert.toml"
            path.write_text(text)
            spec = load_config(path, environ={}).subject(rows)
        found.append(spec)
        return set(askable(rows, suite, spec.offers))

    found: list[SubjectSpec] = []
    now = asked()
    for line in lines(rows, suite, found[0]):
        key, _, value = line.text.partition(" = ")
        before = dict(file[line.table])
        file[line.table][key] = value
        assert asked() - now == set(line.rows) and line.rows, line
        assert found[-1].offers >= found[0].offers, line
        file[line.table] = before


def test_who_offers_all_is_told_of_no_line() -> None:
    ours = load_suite(STAGE2).dialect.reference
    spec = SubjectSpec("bot", ("bot",), offers=ours.offers, level="commands")
    assert lines(load_set(STAGE2), load_suite(STAGE2), spec) == ()


def test_the_silence_is_shorter_than_a_watchdog_may_be() -> None:
    assert HUSHED + 2.5 < 7.5 and WATCHED + LEAVES < 20
