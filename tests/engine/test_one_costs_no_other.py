"""Whatever is raised while a scenario is played or cleaned up costs that scenario at most, and no other one."""

from __future__ import annotations

import asyncio
import errno
import shutil
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import pytest
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.errors import HarnessError
from brokercert.engine.play import play
from brokercert.engine.play.paths import Paths
from brokercert.engine.play.play import Played
from brokercert.engine.play.scenario import Scenario, load_suite
from brokercert.engine.play.stage import AnyStage
from brokercert.engine.run import virtual_run as alone
from brokercert.engine.run.live import lost_traces
from brokercert.engine.run.offline import judge_traces
from brokercert.engine.run.run import RunRequest
from brokercert.engine.run.virtual_run import play_alone
from brokercert.requirements import load_set
from brokercert.toxiproxy.driver import ProxyHandle, ToxiproxyError
from brokercert.trace import read_trace
from brokercert.trace.disguises import disguises_of, found_in
from brokercert.trace.file import TraceFile
from brokercert.trace.records import Finished, Step, SubjectExited
from brokercert_mock.port.broker import AnyBroker
from brokercert_mock.tradovate.broker import TradovateBroker
from disguised import WHOLE

SET = "tradovate-stage2"
ROWS, SUITE = load_set(SET), load_suite(SET)
REFERENCE = SUITE.dialect.reference
INSIDE = SubjectSpec(
    "reference", factory=REFERENCE.factory(), level="in process", offers=REFERENCE.offers - {"process"}
)
REQUEST = RunRequest(SET, INSIDE, tier="virtual")

ERRORS: tuple[Exception, ...] = (
    HarnessError("process 7 could not be ended by SIGKILL"),
    ToxiproxyError("DELETE /proxies/x: no answer in 10 s"),
    OSError(errno.ENOSPC, "No space left on device"),
    FileNotFoundError(errno.ENOENT, "No such file or directory"),
    TimeoutError(),
    KeyError("x"),
    AssertionError(),
    RecursionError("too deep"),
    MemoryError(),
)
END = (  # the steps of a scenario's end, in their order, and what is said where one breaks
    (AnyStage, "finish", "the client could not be ended"),
    (AnyBroker, "close", "the broker could not be closed"),
    (ProxyHandle, "destroy", "the proxy could not be removed"),
)


async def plays(stage: AnyStage[Any, Any]) -> None:
    await stage.start()
    await stage.hold(1)


async def breaks(stage: AnyStage[Any, Any]) -> None:
    await stage.start()
    raise KeyError("a scenario")


def scenario(act: Callable[[Any], Any] = plays, name: str = "short") -> Scenario:
    return Scenario(name, "short", ("LOG-010",), act, path="proxied")


def play_one(folder: Path, act: Callable[[Any], Any] = plays) -> Played:
    return play_alone(scenario(act), REQUEST, ROWS, "test", folder)


def also_raises(monkeypatch: pytest.MonkeyPatch, owner: type[Any], name: str, error: Exception) -> list[str]:
    """What it does is done, and then `error` is raised. Returns what names it each time."""
    real, called = getattr(owner, name), []

    async def method(self: Any) -> None:
        called.append(name)
        await real(self)
        raise error

    monkeypatch.setattr(owner, name, method)
    return called


def same_verdicts_again(folder: Path, played: Played) -> None:
    """The trace on the disk is that which was judged."""
    path = folder / played.result.trace
    assert played.result.sha256 and path.is_file()
    again = judge_traces([path], part="", only=())
    assert again.scenarios[0].state == played.result.state
    assert next(one for one in again.scenarios if one.name == "short").sha256 == played.result.sha256


@pytest.mark.parametrize("broken", list(product((False, True), repeat=len(END))))
@pytest.mark.parametrize(("act", "state"), [(plays, "completed"), (breaks, "harness error")])
def test_each_step_of_the_end_has_its_own_guard(
    broken: tuple[bool, ...],
    act: Callable[[Any], Any],
    state: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every set of steps that break: all others are made, and the evidence of a client whose part was over stands."""
    said = []
    for number, ((owner, name, text), is_broken) in enumerate(zip(END, broken, strict=True)):
        if is_broken:
            also_raises(monkeypatch, owner, name, ERRORS[number])
            said.append(text)
    played = play_one(tmp_path, act)
    assert played.result.state == state
    assert all(text in played.result.note for text in said), played.result.note
    assert ("a scenario" in played.result.note) == (act is breaks)
    assert bool(played.result.note) == bool(said or act is breaks), "nothing is said where nothing broke"
    assert [path.name for path in tmp_path.iterdir()] == ["traces"], "its state folder is gone"
    same_verdicts_again(tmp_path, played)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_whatever_the_step_raises_is_a_note(error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called = [also_raises(monkeypatch, owner, name, error) for owner, name, _ in END]
    played = play_one(tmp_path)
    assert played.result.state == "completed" and called == [[name] for _, name, _ in END]
    assert played.result.note.count(type(error).__name__) == len(END)


def test_a_step_that_never_comes_to_its_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hangs(self: ProxyHandle) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(ProxyHandle, "destroy", hangs)
    played = play_one(tmp_path)
    assert played.result.state == "completed"
    assert "the proxy could not be removed within 60 s" in played.result.note


def test_a_cancellation_while_it_is_cleaned_up_costs_nothing_that_was_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = AnyStage.finish
    playing: list[asyncio.Task[Any] | None] = []

    async def finish(self: AnyStage[Any, Any]) -> None:
        for _ in range(3):  # as somebody who presses Ctrl-C again and again
            assert playing[0] is not None
            playing[0].cancel()
            await asyncio.sleep(1)
        await real(self)

    async def act(stage: AnyStage[Any, Any]) -> None:
        playing.append(asyncio.current_task())
        await plays(stage)

    monkeypatch.setattr(AnyStage, "finish", finish)
    with pytest.raises(asyncio.CancelledError):
        play_one(tmp_path, act)
    trace = read_trace(tmp_path / "traces" / "short.jsonl")
    assert isinstance(trace.records[-1], Finished) and trace.records[-1].state == "completed"
    assert any(isinstance(record, SubjectExited) for record in trace.records), "the client was ended"
    assert [path.name for path in tmp_path.iterdir()] == ["traces"], "its state folder is gone"


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Paths, "open"),
        (TradovateBroker, "start"),
        (AnyStage, "start"),
        (play.tempfile, "mkdtemp"),  # type: ignore[attr-defined]
        (play, "subject_environment"),
    ],
)
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_what_breaks_before_the_end_is_that_scenarios_harness_error(
    owner: Any, name: str, error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(owner, name, raises)
    played = play_one(tmp_path)
    assert played.result.state == "harness error"
    assert type(error).__name__ in played.result.note and "did not end within" not in played.result.note
    assert played.trace.records[-1].t == round(played.result.duration * 1e6), "the trace has its last record"


def test_a_task_of_ours_that_was_cancelled_is_no_interruption(tmp_path: Path) -> None:
    async def act(stage: AnyStage[Any, Any]) -> None:
        await plays(stage)
        lost = asyncio.get_running_loop().create_future()
        lost.cancel()
        await lost

    played = play_one(tmp_path, act)
    assert played.result.state == "harness error" and "was cancelled" in played.result.note


def test_records_that_were_kept_back_when_it_broke_are_told(tmp_path: Path) -> None:
    async def act(stage: AnyStage[Any, Any]) -> None:
        await plays(stage)
        stage._writer.hold()
        stage.step("kept back")
        raise KeyError("while something was timed")

    played = play_one(tmp_path, act)
    assert [record.text for record in played.trace.records if isinstance(record, Step)] == ["kept back"]
    assert isinstance(played.trace.records[-1], Finished)
    same_verdicts_again(tmp_path, played)


def test_a_reader_of_the_records_that_breaks_reaches_no_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Raised into the broker, it would end the client's connection, and the client would be blamed for what follows."""

    async def watched(stage: AnyStage[Any, Any]) -> None:
        stage._writer.watchers.append(lambda record: 1 / 0)
        await plays(stage)
        assert stage.talk.connections and not any(one.ended for one in stage.talk.connections.values())

    played = play_one(tmp_path, watched)
    assert played.result.state == "harness error" and "ZeroDivisionError" in played.result.note


class Missing:
    """As `Shortage`, of which every connection is missed that is asked about."""

    def __init__(self) -> None:
        self.asked: set[int] = set()

    def missed(self, ports: set[int], since: float) -> bool:
        self.asked = ports
        return True


@pytest.mark.parametrize(("held", "state"), [(0, "harness error"), (11, "harness error"), (12, "completed")])
def test_a_connection_that_was_missed_is_ours_unless_this_client_holds_too_many(
    held: int, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing, ports = Missing(), set()

    async def act(stage: AnyStage[Any, Any]) -> None:
        await plays(stage)  # the client has one connection of its own
        ends = [await asyncio.open_connection("127.0.0.1", stage.broker.port) for _ in range(held)]
        await stage.hold(1)
        ports.update((stage.broker.port, stage.proxied.listen[1]))
        for _, writer in ends:
            writer.close()

    monkeypatch.setattr(alone, "Props", partial(play.Props, shortage=missing))
    played = play_one(tmp_path, act)
    assert missing.asked == ports, "of its broker and of its proxy"
    assert played.result.state == state, played.result.note
    assert (
        "no file descriptor" if state == "harness error" else "the client held 13 connections"
    ) in played.result.note


@pytest.mark.parametrize("how", ["removed", "replaced", "its folder removed", "a full disk", "never to be opened"])
def test_a_trace_that_cannot_stay_is_judged_from_memory(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")

    async def meanwhile(stage: AnyStage[Any, Any]) -> None:
        await plays(stage)
        path = tmp_path / "traces" / "short.jsonl"
        if how == "its folder removed":
            shutil.rmtree(path.parent)
        elif how in ("removed", "replaced"):
            path.unlink()
        if how == "replaced":
            path.write_text("of somebody else")
        if how == "a full disk":
            monkeypatch.setattr(TraceFile, "flush", lambda self: setattr(self, "_failed", full.strerror))

    if how == "never to be opened":
        (tmp_path / "traces").write_text("a file where the folder should be")
    played = play_one(tmp_path, meanwhile)
    assert played.result.state == "completed"
    assert "short.jsonl" in played.result.note, played.result.note
    lost = lost_traces([played], tmp_path)
    if how in ("a full disk", "never to be opened"):
        assert len(lost) == 1 and "traces/short.jsonl" in lost[0] and str(tmp_path) in lost[0]
        assert "could not be written" in played.result.note
    else:
        assert "written anew from memory" in played.result.note and not lost
        same_verdicts_again(tmp_path, played)


def test_a_trace_that_another_client_removed_later_is_told(tmp_path: Path) -> None:
    played = play_one(tmp_path)
    assert lost_traces([played], tmp_path) == []
    (tmp_path / played.result.trace).unlink()
    (said,) = lost_traces([played], tmp_path)
    assert "traces/short.jsonl" in said and "`brokercert judge` cannot repeat it" in said


TOKEN = "8_2aQx7Tn2Lw9Rk4Vb8Zc1Md6Pf3Gs5Hj0Yu-aE_iOqWtXvNlBrKmDzCyS4UoA1.b"


@pytest.mark.parametrize("disguise", sorted(WHOLE))
@pytest.mark.parametrize("where", ["the playing itself", "the end", "before it"])
def test_what_is_raised_is_told_without_what_a_client_said(
    where: str, disguise: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error may quote a client's bytes."""
    said = WHOLE[disguise](TOKEN)

    async def logs_in(stage: AnyStage[Any, Any]) -> None:
        await stage.start()
        stage._writer.secret("access-token", TOKEN)

    def concludes(self: Any) -> None:
        self._writer.close()
        raise ValueError(f"cannot read {said}")

    async def cleans_up(self: Any) -> None:
        await real(self)
        raise ValueError(f"cannot read {said}")

    def begins(*_: Any) -> None:
        raise ValueError(f"cannot read {said}")

    real = AnyStage.finish
    if where == "the playing itself":
        monkeypatch.setattr(play._Playing, "conclude", concludes)
    elif where == "the end":
        monkeypatch.setattr(AnyStage, "finish", cleans_up)
    else:
        monkeypatch.setattr(alone, "play_alone", begins)
    played = alone.played_alone(scenario(logs_in), REQUEST, ROWS, "test", tmp_path)
    assert "ValueError" in played.result.note and ("cannot read" in played.result.note) == (where != "before it")
    texts = [played.result.note, *(msgspec.json.encode(one).decode() for one in played.trace.records)]
    texts += [path.read_text("utf-8") for path in tmp_path.rglob("*.jsonl")]
    assert not any(found_in(text, [disguises_of(TOKEN)]) for text in texts), played.result.note
    assert (played.result.state == "harness error") == (where != "the end")
