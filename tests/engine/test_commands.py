"""Commands and their answers, as a scenario gives them: in virtual time to a class, in real time to a program."""

from __future__ import annotations

import asyncio
import json
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.client.telling import BadlyTold, badly_told, told_badly
from brokercert.engine.play.scenario import load_dialect
from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.model.compared import compare_at
from brokercert.judge.tradovate.model.conversation import Conversation
from brokercert.reference.tradovate import ReferenceClient
from brokercert.trace import Trace, parse_trace
from brokercert.trace import records as r
from brokercert.verdict import Finding, Level, Verdict
from brokercert_scenarios.tradovate_stage2.stage import Stage
from command_stage import HEADER, LIMITS, OFFERS, Echo, played, virtually

JUDGING = load_dialect("tradovate-stage2").judging


def test_a_snapshot_and_a_request_come_back_and_the_first_command_of_all_is_the_whistle() -> None:
    got: list[Any] = []

    async def play(stage: Stage) -> None:
        got.append(await stage.snapshot())
        ticket = await stage.request("order/placeorder", {"orderQty": 1}, priority=2)
        got.append(await stage.outcome(ticket))

    told, records = virtually(play)
    shot, outcome = got
    assert shot.entities == {"order": []} and shot.t - shot.asked == 500_000
    assert outcome.ok and outcome.status == 200 and outcome.data == {"orderQty": 1}
    commands = [x for x in records if isinstance(x, r.Command)]
    assert [x.body for x in commands] == [
        {"command": "whistle", "id": 0},
        {"command": "snapshot", "id": 1},
        {
            "command": "request",
            "id": 2,
            "endpoint": "order/placeorder",
            "query": "",
            "body": {"orderQty": 1},
            "priority": 2,
        },
    ]
    assert told.honest and all(x.told for x in commands)
    assert [len(x.outcomes) for x in told.requests()] == [2], "a second outcome is kept, for the judge"


def test_a_client_that_says_unsupported_is_waited_for_no_longer() -> None:
    class Unable(Echo):
        async def command(self, line: Mapping[str, Any]) -> None:
            self.say("unsupported", id=line["id"], command=line["command"])

    async def play(stage: Stage) -> None:
        since = stage.now
        assert await stage.snapshot() is None
        assert await stage.outcome(await stage.request("a/b")) is None
        assert stage.now == since

    told, _ = virtually(play, Unable)
    assert told.honest and not told.snapshots


def test_silence_ends_with_the_wait_and_a_client_without_commands_is_not_waited_for() -> None:
    class Mute(Echo):
        async def command(self, line: Mapping[str, Any]) -> None:
            pass

    class Deaf:
        def __init__(self, env: Mapping[str, str], output: Callable[[str], None]) -> None:
            self.over = asyncio.Event()

        async def run(self) -> int:
            await self.over.wait()
            return 0

        async def stop(self) -> None:
            self.over.set()

    spans: list[int] = []

    async def play(stage: Stage) -> None:
        await stage.hold(1)
        since = stage.now
        assert await stage.snapshot(within=3) is None
        spans.append(stage.now - since)

    assert virtually(play, Mute)[0].honest is False
    _, records = virtually(play, Deaf)
    assert spans == [3_000_000, 0] and not any(x.told for x in records if isinstance(x, r.Command))
    assert virtually(play, offers=frozenset({"wire"}))[0].commands == {}, "who offers nothing is asked nothing"


def test_a_comparison_polls_until_the_state_must_be_right_and_ends_there() -> None:
    async def play(stage: Stage) -> None:
        await stage.compare("flow")

    told, records = virtually(play)
    ledger = next(x for x in records if isinstance(x, r.Ledger))
    assert ledger.state["order"] and ledger.name == "flow"
    # It subscribed to nothing, so that nothing differs: asked at once, and once more.
    assert [round((shot.asked - ledger.t) / 1e6, 2) for shot in told.snapshots] == [0, 2.5]


def test_stop_by_command_and_what_a_failing_command_prints() -> None:
    class Failing(Echo):
        async def command(self, line: Mapping[str, Any]) -> None:
            if line["command"] == "snapshot":
                raise LookupError("no state")
            await super().command(line)

    async def play(stage: Stage) -> None:
        assert await stage.snapshot(within=1) is None
        await stage.ask_stop()
        await stage.hold(5, "the client to leave")
        assert stage.left

    _, records = virtually(play, Failing, stop="command")
    assert [x.how for x in records if isinstance(x, r.StopAsked)] == ["command"]
    assert any(isinstance(x, r.SubjectOutput) and "LookupError: no state" in x.text for x in records)
    assert [(x.code, x.asked) for x in records if isinstance(x, r.SubjectExited)] == [(0, True)]


PROGRAM = """
    import json, sys
    print("{broken", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["command"] == "snapshot":
            orders = [{"id": n, "text": "x" * 80} for n in range(2000)]
            print(json.dumps({"event": "snapshot", "id": asked["id"], "entities": {"order": orders}}), flush=True)
        elif asked["command"] == "stop":
            break
        else:
            print(json.dumps({"event": "unsupported", "id": asked["id"], "command": asked["command"]}), flush=True)
"""


@pytest.mark.asyncio
async def test_a_program_is_asked_on_standard_input_and_a_snapshot_may_be_a_long_line(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        shot = await stage.snapshot(within=10)
        assert shot is not None and len(shot.entities["order"]) == 2000
        assert await stage.outcome(await stage.request("a/b"), within=10) is None
        await stage.ask_stop()
        assert await stage.wait("its exit", lambda talk: talk.exited, 10)

    command = (sys.executable, "-S", "-c", textwrap.dedent(PROGRAM))
    spec = SubjectSpec("odd", command, cwd=tmp_path, level="commands", stop="command", offers=OFFERS)
    stage, _ = await played(play, spec, tmp_path)
    assert stage.talk.told.honest
    assert [(x.line, x.text) for _, _, x in stage.talk.told.broken] == [(1, "{broken")]
    assert stage.talk.exited is not None and stage.talk.exited[2].code == 0


def told_of(factory: Any = Echo, scenario: str = "test") -> BadlyTold:
    async def play(stage: Stage) -> None:
        await stage.snapshot(within=1)

    header = msgspec.structs.replace(HEADER, scenario=scenario)
    return badly_told(Trace(header, tuple(virtually(play, factory)[1])), JUDGING)


def test_what_is_wrong_with_the_reports_themselves_is_told_line_by_line() -> None:
    class Liar(Echo):
        async def command(self, line: Mapping[str, Any]) -> None:
            self.output('{"event": "snap')
            self.output("{}")
            self.output("{'event': 1}")
            self.say("snapshot", id=line["id"], entities=[])

    first, second, third, wrong, lied = told_badly([told_of(Liar), told_of(Liar, "another")])
    assert first.startswith("another and 1 more: lines 1, 5 of the client's output each begins as a report and is none")
    assert first.endswith('`{"event": "snap`.')
    assert second.startswith("another and 1 more: lines 3, 7 of ") and "`{'event': 1}`" in second
    # The whistle asks for no snapshot, the second command does.
    assert "line 4 of the client's output is no proper `snapshot`: `id` is 0; expected that of a command" in third
    assert "line 8 of the client's output is no proper `snapshot`: `entities` is []; expected an object" in wrong
    assert "`whistle`" in lied
    assert list(told_badly([told_of()])) == []


def test_a_client_of_which_no_line_came_may_have_lost_them() -> None:
    class Mute(Echo):
        async def command(self, line: Mapping[str, Any]) -> None:
            pass

    mute, lied = told_badly([told_of(Mute)])
    assert mute.startswith("test: not one line of the client's output came.") and "flush" in mute and "whistle" in lied


def test_of_many_bad_lines_the_first_are_named_and_the_others_counted() -> None:
    class Chatty(Echo):
        async def command(self, line: Mapping[str, Any]) -> None:
            for _ in range(15):
                self.say("processed", id=1)
            for number in range(20):
                self.output(f'{{"event": {number}')
            await super().command(line)

    told = list(told_badly([told_of(Chatty)]))
    assert len(told) == 13 and "other lines are wrong too" in told[-1]
    # 15 of them, 20 that are broken, the answer to the whistle, and the same once more.
    assert "lines 1, 2, 3, " in told[0] and ", 40, 41 and 10 more of the client's output each" in told[0]
    assert "`entityType` is missing" in told[0]


@pytest.mark.parametrize(("sent", "blamed"), [(None, False), ("Created", True)])
def test_a_client_that_repeats_what_a_hostile_event_was_called_is_not_blamed(sent: str | None, blamed: bool) -> None:
    event = {"entityType": "order", "eventType": sent, "entity": [{"id": 6}, {"id": 7}]}
    text = "a" + json.dumps([{"e": "props", "d": event}])
    body = {"event": "processed", "entityType": "order", "eventType": None, "id": 7}
    records = (
        r.Frame(t=0, conn=1, sender="broker", ordinal=1, opcode=1, text=text),
        r.SubjectReport(t=1, event="processed", body=body),
    )
    said = list(told_badly([badly_told(Trace(HEADER, records), JUDGING)]))
    assert len(said) == blamed and all("`eventType` is null" in text for text in said)


@pytest.mark.parametrize(
    ("sent", "said", "blamed"),
    [
        (2**53 + 1, 2**53, False),
        (2**53 + 1, 2**53 + 1, False),
        (2**64 - 1, 18446744073709552000, False),
        (-(2**63), -9223372036854775808.0, False),
        (0.5, 0.5, False),
        (-0.0, 0, False),
        ([2**53 + 1, True], [2**53, True], False),
        ({"a": 2**53 + 1}, {"a": 2**53}, False),
        (2**53 + 3, 2**53, True),
        (1, True, True),
    ],
)
def test_who_repeats_a_number_as_its_runtime_rounds_it_is_not_blamed(sent: Any, said: Any, blamed: bool) -> None:
    event = {"entityType": sent, "eventType": "Created", "entity": {"id": 9007199254740993}}
    body = {"event": "processed", "entityType": said, "eventType": "Created", "id": 9007199254740992}
    records = (
        r.Frame(t=0, conn=1, sender="broker", ordinal=1, opcode=1, text="a" + json.dumps([{"e": "props", "d": event}])),
        r.SubjectReport(t=1, event="processed", body=body),
    )
    assert bool(list(told_badly([badly_told(Trace(HEADER, records), JUDGING)]))) == blamed


class Forgetful(ReferenceClient):
    """Its copy of one order is never brought up to date."""

    def __init__(self, env: Mapping[str, str], output: Callable[[str], None]) -> None:
        super().__init__(env, output)
        for store in self.stores:
            store.apply = lambda data: 0  # type: ignore[method-assign]


@pytest.mark.parametrize(("factory", "verdict"), [(ReferenceClient, Verdict.PASS), (Forgetful, Verdict.FAIL)])
def test_what_the_reference_client_believes_is_the_ledger_and_what_a_deaf_one_believes_is_not(
    factory: Any, verdict: Verdict
) -> None:
    findings: list[Finding] = []

    async def play(stage: Stage) -> None:
        assert await stage.synced() is not None
        order = next(x for x in stage.broker.db.of("order") if x["ordStatus"] == "Working")
        order["ordStatus"] = "Canceled"
        stage.broker.emit("order", "Updated", order)
        await stage.compare("cancelled")
        bench = Bench("EVT-050", Level.MUST, msgspec.structs.replace(HEADER, limits=LIMITS), stage.talk)
        findings.extend(compare_at(bench, "cancelled"))

    _, records = virtually(play, factory)
    saved = b"".join(msgspec.json.encode(line) + b"\n" for line in (HEADER, *records))
    talk = Conversation()
    for record in parse_trace(saved).records:
        talk.feed(record)
    again = Bench("EVT-050", Level.MUST, msgspec.structs.replace(HEADER, limits=LIMITS), talk)
    assert list(compare_at(again, "cancelled")) == findings, "judged from its file, it is the same"
    (found,) = findings
    assert found.verdict is verdict
    if verdict is Verdict.FAIL:
        assert found.clause == "order.ordStatus" and "is Canceled" not in found.observed
        assert "has ordStatus Working with the client" in found.observed


@pytest.mark.asyncio
async def test_the_reference_client_as_a_program_believes_the_ledger(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        assert await stage.synced() is not None
        await stage.compare("synced")
        outcome = await stage.outcome(await stage.request("account/list"), within=10)
        assert outcome is not None and outcome.ok and len(outcome.data) == 3

    command = (sys.executable, "-m", "brokercert.reference.tradovate")
    spec = SubjectSpec("reference", command, cwd=tmp_path, level="commands", offers=OFFERS)
    stage, _ = await played(play, spec, tmp_path)
    bench = Bench("EVT-050", Level.MUST, msgspec.structs.replace(HEADER, limits=LIMITS), stage.talk)
    assert [x.verdict for x in compare_at(bench, "synced")] == [Verdict.PASS]
    assert stage.talk.told.honest and stage.talk.told.connecting
