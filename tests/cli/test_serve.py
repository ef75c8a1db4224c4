"""The mock broker by hand: its lines can be given to a shell, and Ctrl-C ends it."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from brokercert.engine.client.environment import subject_environment
from brokercert.engine.client.placeholders import PLACEHOLDERS
from brokercert.engine.play.scenario import load_dialect
from brokercert.requirements import load_set
from brokercert.sets import own_sets
from brokercert_mock import NullRecorder
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin


def test_serve_prints_what_a_client_needs_and_what_happens() -> None:
    broker = subprocess.Popen(
        [sys.executable, "-u", "-m", "brokercert", "serve"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert broker.stdout is not None and broker.stderr is not None
    try:
        env: dict[str, str] = {}
        while "BROKERCERT_STATE_DIR" not in env:
            command, assignment = shlex.split(broker.stdout.readline())
            assert command == "export"
            name, _, value = assignment.partition("=")
            env[name] = value
        assert re.fullmatch(r"ws://127\.0\.0\.1:\d+/v1/websocket", env["BROKERCERT_URL"])
        request = urllib.request.Request(
            f"{env['BROKERCERT_REST_URL']}/account/list",
            headers={"Authorization": f"Bearer {env['BROKERCERT_TOKEN']}"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as answer:
            assert answer.status == 200 and env["BROKERCERT_ACCOUNTS"].split(",")[0] in answer.read().decode()
        told = ""
        while "/account/list" not in told:
            told = broker.stdout.readline()
        broker.send_signal(signal.SIGINT)
        rest, err = broker.communicate(timeout=10)
    finally:
        broker.kill()
        broker.wait()
    assert broker.returncode == 0 and err == "brokercert: SIGINT: closing the broker\n"
    assert env["BROKERCERT_TOKEN"] not in told + rest, "secrets are labels here too"


@contextmanager
def serving(*options: str) -> Iterator[dict[str, str]]:
    """`serve` as a program, and the variables that it prints at its start."""
    command = [sys.executable, "-u", "-m", "brokercert", "serve", "--quiet", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as broker:
        assert broker.stdout is not None
        try:
            env: dict[str, str] = {}
            while "BROKERCERT_STATE_DIR" not in env:
                _, assignment = shlex.split(broker.stdout.readline())
                name, _, value = assignment.partition("=")
                env[name] = value
            yield env
        finally:
            broker.send_signal(signal.SIGINT)


def variables(*options: str) -> dict[str, str]:
    with serving(*options) as env:
        return env


def test_nobody_knows_a_password_beforehand_unless_its_seed_was_asked_for() -> None:
    one, other, *seeded = variables(), variables(), variables("--seed", "7"), variables("--seed", "7")
    for name in ("BROKERCERT_TOKEN", "BROKERCERT_PASSWORD"):
        assert one[name] != other[name] and seeded[0][name] == seeded[1][name]


EVIL = "http://evil.example"


def upgrade(url: str, origin: str | None) -> tuple[int, str]:
    """Status and body of what an upgrade with this origin is answered."""
    try:
        with connect(url, origin=Origin(origin) if origin else None, proxy=None, open_timeout=10):
            return 101, ""
    except InvalidStatus as refused:
        return refused.response.status_code, refused.response.body.decode()


@pytest.mark.parametrize("set_id", own_sets())
def test_a_page_of_another_place_is_refused_unless_it_was_allowed(set_id: str) -> None:
    allowed = "https://trader.tradovate.com"
    with serving("--set", load_set(set_id).name, "--allow-origin", allowed, "--allow-origin", "null") as env:
        url = env["BROKERCERT_URL"]
        if set_id.startswith("arrow-orders"):
            name, value = ("appID", "APP_ID") if "@" in set_id else ("session", "SESSION")
            url += f"/?{name}={env[f'BROKERCERT_{value}']}&token={env['BROKERCERT_TOKEN']}"
        for origin in (None, allowed, "null", "http://localhost:3000"):
            assert upgrade(url, origin)[0] == 101, origin
        status, said = upgrade(url, EVIL)
        assert status == 403 and EVIL in said and "--allow-origin ORIGIN" in said
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(env["BROKERCERT_REST_URL"], b"{}", {"Origin": EVIL}, method="POST")
        with pytest.raises(urllib.error.HTTPError) as refused:
            opener.open(request, timeout=10)
        assert refused.value.code == 403 and "--allow-origin ORIGIN" in refused.value.read().decode()


@pytest.mark.parametrize(
    "origin", ["", "*", "trader.tradovate.com", "https://a.example/path", "https://b\xfccher.example"]
)
def test_an_origin_that_is_none_is_wrong_use(origin: str) -> None:
    command = [sys.executable, "-m", "brokercert", "serve", "--allow-origin", origin]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2 and ended.stdout == ""
    assert f"--allow-origin {origin}: expected SCHEME://HOST" in ended.stderr and ended.stderr.count("\n") == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("set_id", own_sets())
async def test_every_variable_of_a_client_has_its_placeholder(set_id: str, tmp_path: Path) -> None:
    broker = load_dialect(set_id).broker({}, NullRecorder(), 1, None)
    env = subject_environment(broker, host="127.0.0.1", port=1, scenario="x", state_dir=tmp_path)
    assert {name.removeprefix("BROKERCERT_").lower() for name in env} < {
        *PLACEHOLDERS,
        *load_set(set_id).placeholders,
    }
    await broker.close()


def test_every_placeholder_stands_in_the_page_with_its_variable() -> None:
    page = (Path(__file__).parents[2] / "docs" / "subject-protocol.md").read_text("utf-8")
    listed = set(re.findall(r"`\{([a-z_]+)\}`", page)) - {"python"}
    assert listed == {*PLACEHOLDERS, *(name for set_id in own_sets() for name in load_set(set_id).placeholders)}


@pytest.mark.parametrize(
    ("set_id", "said"), [("tradovate-stage2", "expected strict-claimed"), ("arrow-orders", "has no profile")]
)
def test_a_profile_that_is_not_known_is_wrong_use(set_id: str, said: str) -> None:
    command = [sys.executable, "-m", "brokercert", "serve", "--set", set_id, "--profile", "nonsense"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2 and "--profile nonsense" in ended.stderr and said in ended.stderr


@pytest.mark.asyncio
async def test_every_profile_makes_a_broker() -> None:
    for set_id in own_sets():
        dialect = load_dialect(set_id)
        for settings in dialect.profiles.values():
            broker = dialect.broker(settings, NullRecorder(), 1, None)
            assert {name: getattr(broker.settings, name) for name in settings} == settings  # type: ignore[attr-defined]
