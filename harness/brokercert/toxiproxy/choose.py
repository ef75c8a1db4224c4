"""Which Toxiproxy a run uses: a real one that is named or found, else the embedded one. It says which, and why.

`TOXIPROXY_URL` names a running server. Otherwise a `toxiproxy-server` on PATH or in `.tools/` is started as a child on
a free port; it dies with us. Whichever is chosen has to answer toxiproxy-python and to keep a proxy before it is used.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from brokercert.engine.client.guard import GUARD
from brokercert.engine.errors import UsageError
from brokercert.toxiproxy.api import Api
from brokercert.toxiproxy.driver import DirectDriver, Driver, ToxiproxyError
from brokercert.toxiproxy.server import ToxiproxyServer

BINARY = "toxiproxy-server"
START_WITHIN = 5.0  # seconds


@dataclass
class Chosen:
    """A server in use. `kind`: embedded or real."""

    kind: str
    url: str
    version: str
    driver: Driver
    server: ToxiproxyServer | None = None
    process: asyncio.subprocess.Process | None = None
    note: str = ""
    api: Api | None = None

    @property
    def description(self) -> str:
        where = "embedded" if self.kind == "embedded" else f"real, version {self.version}, at {self.url}"
        return f"{where}{f' ({self.note})' if self.note else ''}"

    async def close(self) -> None:
        await self.driver.close()
        if self.server is not None:
            await self.server.close()
        if self.api is not None:
            for proxy in list(self.api.proxies.values()):
                await proxy.stop()
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            try:
                async with asyncio.timeout(START_WITHIN):
                    await self.process.wait()
            except TimeoutError:
                self.process.kill()
                await self.process.wait()
        if self.process is not None:
            GUARD.forget(_mark(self.process.pid))


def find_binary(start: Path | None = None) -> str | None:
    """A `toxiproxy-server` on PATH, or in `.tools/` of the checkout that we are in."""
    found = shutil.which(BINARY)
    if found:
        return found
    here = start or Path.cwd()
    for folder in (here, *here.parents):
        candidate = folder / ".tools" / BINARY
        if os.access(candidate, os.X_OK):
            return str(candidate)
    return None


def inside(seed: int = 0) -> Chosen:
    """The embedded one, driven without HTTP: for virtual time."""
    api = Api(random.Random(seed))
    return Chosen("embedded", "", "", DirectDriver(api), note="in virtual time", api=api)


def named() -> str:
    """The running server that the environment names, or an empty text."""
    return os.environ.get("TOXIPROXY_URL", "")


async def choose(*, seed: int = 0, real_allowed: bool = True) -> Chosen:
    """Choose and start. Raises `UsageError` where `TOXIPROXY_URL` names a server that does not answer."""
    url = named()
    if url and real_allowed:
        return await _named(url)
    binary = find_binary() if real_allowed else None
    note = ""
    if binary:
        try:
            return await _started(binary)
        except (OSError, ToxiproxyError, TimeoutError) as error:
            note = f"{binary} could not be used: {error}"
    return await _embedded(seed, note)


async def _embedded(seed: int, note: str) -> Chosen:
    """The embedded one: tried once by its HTTP API, then asked directly.

    That trial is a call to our own loop, so that a machine which is too busy for it may miss it: a note, and no more.
    """
    server = ToxiproxyServer(seed)
    await server.start()
    outside = Driver("127.0.0.1", server.port)
    try:
        await _read_back(outside)
    except ToxiproxyError as error:
        note = "; ".join(filter(None, (note, f"its HTTP API was not tried: {error}")))
    finally:
        await outside.close()
    return Chosen("embedded", f"http://127.0.0.1:{server.port}", "", DirectDriver(server.api), server, note=note)


async def _named(url: str) -> Chosen:
    parts = urlsplit(url if "//" in url else f"http://{url}")
    if not parts.hostname:
        raise UsageError(f"TOXIPROXY_URL is {url!r}; expected http://HOST:PORT")
    driver = Driver(parts.hostname, parts.port or 8474)
    try:
        version = await driver.version()
        await _read_back(driver)
    except ToxiproxyError as error:
        await driver.close()
        raise UsageError(f"TOXIPROXY_URL is {url!r}: {error}; start that server, or unset the variable") from error
    return Chosen("real", url, version, driver)


async def _started(binary: str) -> Chosen:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        binary,
        "-host",
        "127.0.0.1",
        "-port",
        str(port),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    GUARD.watch(_mark(process.pid), process.pid)  # it must not survive a harness that is killed
    driver = Driver("127.0.0.1", port)
    chosen = Chosen("real", f"http://127.0.0.1:{port}", "", driver, process=process)
    try:
        async with asyncio.timeout(START_WITHIN):
            while not await _listens(port):
                if process.returncode is not None:
                    raise ToxiproxyError(f"it left with status {process.returncode}")
                await asyncio.sleep(0.05)
        chosen.version = await driver.version()
        await _read_back(driver)
    except BaseException:
        await chosen.close()
        raise
    return chosen


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def _read_back(driver: Driver) -> None:
    """A server that keeps what it is told. The name is ours alone."""
    proxy = await driver.create(f"brokercert-probe-{os.getpid()}", "127.0.0.1:9")
    await proxy.destroy()


def _mark(pid: int) -> str:
    return f"toxiproxy-server {pid}"
