"""`brokercert doctor`: each line in each of its states, and the exit status."""

from __future__ import annotations

import asyncio
import errno
import json
import subprocess
import sys
from pathlib import Path

import brokercert.cli
import pytest
from brokercert.engine.ask.config import load_config
from brokercert.engine.doctor import around, machine
from brokercert.engine.doctor.line import Line, State
from brokercert.engine.errors import HarnessError
from brokercert.requirements import load_set
from brokercert.verdict import Calibration

ROOT = Path(__file__).parents[2]
ROWS = load_set("tradovate-stage2")


def refuses(code: int) -> object:
    def bind(address: str) -> None:
        raise OSError(code, "Cannot assign requested address")

    return bind


def lags(worst: float | None) -> object:
    async def calibrate() -> Calibration:
        if worst is None:
            raise HarnessError("this machine is too busy to measure anything")
        return Calibration(
            round_trip_p50=0.2, round_trip_p99=1, round_trip_max=2, lag_p99=worst / 2, lag_max=worst, samples=100
        )

    return calibrate


def answers(code: int, out: str = "", err: str = "") -> around.Run:
    return lambda words: subprocess.CompletedProcess(words, code, out, err)


def says_nothing(words: list[str]) -> subprocess.CompletedProcess[str]:
    raise subprocess.TimeoutExpired(words, 20)


def said(line: Line) -> tuple[str, str]:
    return line.state.value, f"{line.told} | {line.remedy}"


def test_python_is_on_linux() -> None:
    assert said(machine.python((3, 11, 7), "linux")) == ("ok", "Python 3.11.7 on linux | ")
    assert said(machine.python((3, 13, 0), "darwin")) == (
        "warn",
        "Python 3.13.0 on darwin | use Linux: on other systems brokercert is untried",
    )


def test_loopback_of_both_families() -> None:
    assert machine.loopback("IPv4").state is State.OK
    for family, state in (("IPv4", "bad"), ("IPv6", "warn")):
        line = machine.loopback(family, refuses(errno.EADDRNOTAVAIL))  # type: ignore[arg-type]
        assert said(line)[0] == state and "Cannot assign requested address" in line.told and line.remedy


def test_the_ports_that_the_system_gives_out(tmp_path: Path) -> None:
    for text, state in (("32768\t60999\n", "ok"), ("50000 50999", "warn"), ("nonsense", "ok")):
        (tmp_path / "range").write_text(text)
        assert said(machine.ports(tmp_path / "range"))[0] == state
    assert machine.ports(tmp_path / "none").told == "the system does not say which ports it gives out"


@pytest.mark.parametrize(
    ("limits", "state", "words"),
    [
        ((1024, 4096), "ok", "1024 open files, and 4096 at most; 508 are needed for --jobs 40"),
        ((64, 4096), "ok", "64 open files"),
        ((64, 64), "warn", "raise the hard limit, or bear that 3 clients run at once"),
        ((32, 32), "bad", "raise the hard limit: 40 are needed for one client"),
    ],
)
def test_the_limit_of_open_files(limits: tuple[int, int], state: str, words: str) -> None:
    found, text = said(machine.files(limits))
    assert found == state and words in text


def test_the_clock_is_possible_and_steady() -> None:
    def still(seconds: float) -> None:
        pass

    now = 1_790_000_000.0
    assert machine.clock(still, lambda: now).state is State.OK
    assert "the wall clock says 2001-09-09" in machine.clock(still, lambda: 1e9).told
    ticks = iter((now, now + 3))
    stepped = machine.clock(still, lambda: next(ticks))
    assert stepped.state is State.WARN and stepped.told.startswith("the wall clock moved +30")


@pytest.mark.parametrize(
    ("worst", "average", "state"), [(2.0, 0.5, "ok"), (40.0, 0.5, "warn"), (2.0, 9.0, "warn"), (None, 0.5, "bad")]
)
def test_the_load_says_which_rows_it_makes_inconclusive(
    monkeypatch: pytest.MonkeyPatch, worst: float | None, average: float, state: str
) -> None:
    monkeypatch.setattr(machine, "calibrate", lags(worst))
    line = asyncio.run(machine.load(["EVT-150"], average, 2))
    assert line.state.value == state and ("(EVT-150)" in line.remedy) is (state == "warn")


def test_proxies_are_named_and_not_their_values() -> None:
    assert around.proxies({}).told == "none in the environment"
    line = around.proxies({"HTTPS_PROXY": "http://user:secret@x", "all_proxy": "y", "NO_PROXY": "z"})
    assert line.told.startswith("HTTPS_PROXY, all_proxy: no client gets them") and "secret" not in line.told


def test_a_toxiproxy_that_does_not_answer_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOXIPROXY_URL", raising=False)
    assert asyncio.run(around.toxiproxy({})).state is State.OK
    monkeypatch.setenv("TOXIPROXY_URL", "http://127.0.0.1:9")
    line = asyncio.run(around.toxiproxy())
    assert line.state is State.BAD and "http://127.0.0.1:9" in line.told and "unset it" in line.remedy


def test_namespaces_are_available_or_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(around.shutil, "which", lambda name: f"/bin/{name}")
    assert "reaches loopback alone" in around.namespaces(answers(0)).told
    line = around.namespaces(answers(1, err="unshare: Operation not permitted\n"))
    assert said(line)[0] == "warn" and line.told == "not available: unshare: Operation not permitted"
    assert "docker run --network none" in line.remedy
    assert around.namespaces(answers(1)).told == "not available: `unshare -rn true` ended with 1"
    assert "timed out" in around.namespaces(says_nothing).told
    monkeypatch.setattr(around.shutil, "which", lambda name: None)
    assert around.namespaces(answers(0)).told == "not available: there is no program `unshare`"


def test_a_tool_chain_is_there_or_not_or_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(around.shutil, "which", lambda name: f"/bin/{name}")
    _, npm, go, websockets = around.tools(answers(0, "go version go1.26 linux/amd64\n"))
    assert go.told == "go1.26 linux/amd64" and {npm.state, websockets.state} == {State.OK}
    assert around.tools(answers(3))[0].told == "`node --version` ended with 3"
    assert around.tools(says_nothing)[2].told.startswith("`go version` gave no answer: ")
    monkeypatch.setattr(around.shutil, "which", lambda name: None)
    assert said(around.tools(answers(0))[2]) == ("warn", "no `go` on PATH | install Go for clients in Go")


@pytest.mark.parametrize(
    ("out", "state", "told"),
    [
        ("v18.0.0\n", "ok", "v18.0.0"),
        ("v22.12.0-nightly\n", "ok", "v22.12.0-nightly"),
        ("v16.20.2\n", "warn", "v16.20.2: too old"),
        ("v0.10.48\n", "warn", "v0.10.48: too old"),
        ("", "warn", "`node --version` said no version: nothing"),
        ("v\n", "warn", "`node --version` said no version: v"),
        ("node 20\nx", "warn", "`node --version` said no version: node 20 x"),
        ("x" * 999, "warn", f"`node --version` said no version: {'x' * around.SHOWN}"),
    ],
)
def test_a_node_that_is_too_old_or_says_no_version_is_told(
    monkeypatch: pytest.MonkeyPatch, out: str, state: str, told: str
) -> None:
    monkeypatch.setattr(around.shutil, "which", lambda name: f"/bin/{name}")
    remedy = "" if state == "ok" else "install Node 18 or newer for examples/node"
    assert said(around.tools(answers(0, out))[0]) == (state, f"{told} | {remedy}")


def test_the_oldest_node_is_the_examples() -> None:
    package = json.loads((ROOT / "examples" / "node" / "package.json").read_text())
    assert package["engines"] == {"node": f">={around.LEAST_NODE}"}


def client_line(folder: Path, text: str) -> Line:
    (folder / "brokercert.toml").write_text(text)
    return asyncio.run(around.client(load_config(folder / "brokercert.toml"), ROWS))


def test_the_client_that_is_configured_is_started_once(folder: Path) -> None:
    none = client_line(folder, "")
    assert none.state is State.WARN and none.remedy == "`brokercert init` writes a brokercert.toml"
    gone = client_line(folder, "[subject]\ncommand = ['no-such-program']\n")
    assert gone.state is State.BAD and "'no-such-program' was not found on PATH" in gone.told
    silent = client_line(folder, f"[subject]\nname = 'x'\ncommand = ['{sys.executable}', '-S', '-c', 'print(7)']\n")
    assert silent.state is State.BAD and silent.told.startswith("x: it never came to 127.0.0.1:")
    assert silent.told.endswith(" before it left; its last line: 7") and "brokercert check" in silent.remedy
    ours = f"[subject]\nname = 'x'\ncommand = ['{sys.executable}', '-P', '-m', 'brokercert.reference.tradovate']\n"
    well = client_line(folder, ours)
    assert well.state is State.OK and "got its upgrade" in well.told


@pytest.mark.parametrize(("command", "code"), [("", 0), ("command = ['no-such-program']", 4)])
def test_the_exit_status_says_whether_a_line_is_bad(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str, code: int
) -> None:
    monkeypatch.setattr(machine, "calibrate", lags(2.0))
    (folder / "brokercert.toml").write_text(f"[subject]\n{command}\n")
    assert brokercert.cli.main(["doctor"]) == code
    out = capfd.readouterr().out.splitlines()
    assert [line[6:20].strip() for line in out if line.startswith(("ok ", "warn ", "bad "))] == [
        *("load", "Python", "loopback IPv4", "loopback IPv6", "ports", "open files", "clock", "proxies", "Toxiproxy"),
        *("namespaces", "Node", "npm", "Go", "websockets", "client"),
    ]
    assert out[-1].endswith(f"{1 if code else 0} bad")
    brokercert.cli.main(["doctor", "--no-client"])
    assert "\nbad   client" not in capfd.readouterr().out
