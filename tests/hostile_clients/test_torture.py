"""Hostile clients as processes, against a broker in real time, each on its own. The laws, for each of them: no process,
port, file or secret is left, nothing breaks that would be a *harness error*, memory stays below a bound, the broker
still answers, and the row of well-formed frames gets the verdict that was said before.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path

import leaves_things
import msgspec
import psutil
import pytest
import speaks_http
import speaks_websocket
from brokercert.engine.client.leftovers import belonging
from brokercert.engine.client.running import start_subject
from brokercert.engine.client.subject import SubjectSpec
from brokercert.trace import records as r
from mock_bench import Bench, running
from plain import GET
from programs import Notes
from talks import Talk

ROOM = {"speaks_http": speaks_http, "speaks_websocket": speaks_websocket, "leaves_things": leaves_things}
KINDS: list[tuple[str, str]] = [(name, kind) for name, module in ROOM.items() for kind in module.KINDS]
SHARED = [one if n % 3 == 0 else pytest.param(*one, marks=pytest.mark.long) for n, one in enumerate(KINDS)]  # a minute
WITHIN = 60.0  # seconds for a client's deed, on a busy machine; the longest takes about ten on a calm one
MOST = 300 * 1024 * 1024  # bytes that one client may add to the memory of the harness
HERE = Path(__file__).parent

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(sys.platform != "linux", reason="only there a hidden daemon is found"),
]


def test_there_are_sixty_kinds() -> None:
    assert len(set(KINDS)) == len(KINDS) >= 60


@pytest.mark.asyncio
@pytest.mark.parametrize(("file", "kind"), SHARED, ids=lambda value: str(value))
async def test_a_hostile_client_breaks_nothing_and_leaves_nothing(file: str, kind: str, tmp_path: Path) -> None:
    before = psutil.Process().memory_info().rss
    expected = ROOM[file].KINDS[kind][1]
    async with running() as bench:
        port, token = bench.broker.port, bench.broker.issue_token().access
        await _played(bench, file, kind, tmp_path, token)
        used = psutil.Process().memory_info().rss - before
        assert not bench.broker.script_errors, "it would be a harness error"
        assert await _answers(port), "the broker is there for the next client"
    assert used < MOST
    assert belonging({str(tmp_path / "state"): None}) == [], "a process"
    assert not _listens(port), "a port"
    assert _left_in(tmp_path) == [], "a file"
    assert token.encode() not in msgspec.json.encode(bench.writer.records), "a secret"
    assert _verdict(bench) == expected


async def _played(bench: Bench, file: str, kind: str, folder: Path, token: str) -> None:
    """Start it, let it do its deed, and end it."""
    notes = Notes()
    spec = SubjectSpec(kind, (sys.executable, str(HERE / f"{file}.py"), kind), cwd=folder)
    told = {"BROKERCERT_URL": bench.broker.url, "BROKERCERT_TOKEN": token}
    subject = await start_subject(spec, told, notes, folder / "state", asyncio.get_running_loop().time)
    try:
        async with asyncio.timeout(WITHIN):
            while subject.alive and not notes.printed("up"):
                notes.changed.clear()
                await notes.changed.wait()
    finally:
        await subject.kill()
    assert not [line for _, line, _ in notes.lines if "Traceback" in line], notes.lines


async def _answers(port: int) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GET)
    head = await asyncio.wait_for(reader.readline(), WITHIN)
    writer.close()
    return head.startswith(b"HTTP/1.1 ")


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def _left_in(folder: Path) -> list[str]:
    """What lies beside the state folder, which the harness removes: a core file, say."""
    return [name for name in os.listdir(folder) if name != "state"]


def _verdict(bench: Bench) -> str:
    talk = Talk()
    talk.told = [r.SubjectStarted(t=0), *(one for one in bench.writer.records if not isinstance(one, r.Finished))]
    talk.ends = max(one.t for one in talk.told)
    return talk.verdict("CON-060", exercises=("CON-060",))
