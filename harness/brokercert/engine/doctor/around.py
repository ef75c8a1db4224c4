"""What is around a run: proxies, Toxiproxy, namespaces, tool chains, and the client that is configured."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping

from brokercert.engine.ask.config import Config
from brokercert.engine.ask.options import client_asked
from brokercert.engine.client.command import PROXIES
from brokercert.engine.doctor.line import Line, State, bad, ok, warn
from brokercert.engine.errors import UsageError
from brokercert.engine.look.once import Seen, look
from brokercert.engine.look.words import came, last_lines, told
from brokercert.engine.play.paths import Paths
from brokercert.requirements import RequirementSet
from brokercert.toxiproxy.choose import find_binary

WITHIN = 20.0  # seconds for another program to tell its version: a cold `go` reads much
SHOWN = 60  # characters of what a program said
LEAST_NODE = 18  # as examples/node/package.json has it
NOTHING_BUT_LOOPBACK = "`unshare -rn sh -c 'ip link set lo up && brokercert certify ...'`"


def proxies(environ: Mapping[str, str] = os.environ) -> Line:
    names = sorted(name for name in environ if name.lower() in {f"{proxy}_proxy" for proxy in PROXIES})
    if not names:
        return ok("proxies", "none in the environment")
    return ok("proxies", f"{', '.join(names)}: no client gets them, since the broker is on this machine")


async def toxiproxy(environ: Mapping[str, str] = os.environ) -> Line:
    try:
        async with Paths("doctor") as paths:
            await paths.check()
    except UsageError as error:
        return bad(
            "Toxiproxy", str(error), "start it, correct TOXIPROXY_URL, or unset it: the embedded one is used then"
        )
    if environ.get("TOXIPROXY_URL"):
        return ok("Toxiproxy", f"the one at {environ['TOXIPROXY_URL']} answers")
    found = find_binary()
    return ok(
        "Toxiproxy", f"{found} is started for each run" if found else "none is installed: the embedded one is used"
    )


NODE = f"install Node {LEAST_NODE} or newer for examples/node"
Run = Callable[[list[str]], subprocess.CompletedProcess[str]]


def _run(words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, capture_output=True, text=True, errors="replace", timeout=WITHIN, check=False, stdin=subprocess.DEVNULL
    )


def namespaces(run: Run = _run) -> Line:
    """Whether a run can be made where nothing but loopback can be reached, as an unprivileged user."""
    why = "there is no program `unshare`"
    if shutil.which("unshare"):
        try:
            done = run(["unshare", "-rn", "true"])
        except (OSError, subprocess.SubprocessError) as error:
            why = str(error)
        else:
            if done.returncode == 0:
                return ok("namespaces", f"available: {NOTHING_BUT_LOOPBACK} reaches loopback alone")
            why = done.stderr.strip() or f"`unshare -rn true` ended with {done.returncode}"
    return warn(
        "namespaces",
        f"not available: {why}",
        "nothing needs them. To keep a client from the real broker use a container: `docker run --network none ...`",
    )


def tools(run: Run = _run) -> list[Line]:
    """The tool chains of the examples. Who has a client of their own needs none of them."""
    return [
        _new_enough(_tool("Node", ["node", "--version"], NODE, run)),
        _tool("npm", ["npm", "--version"], "install npm for examples/node", run),
        _tool("Go", ["go", "version"], "install Go for clients in Go", run),
        ok("websockets", "there, for examples/python")
        if importlib.util.find_spec("websockets")
        else warn("websockets", "not installed in this Python", "`pip install websockets` for examples/python"),
    ]


def _new_enough(node: Line) -> Line:
    """What was told of Node, held against the oldest that examples/node takes."""
    if node.state is not State.OK:
        return node
    version = re.match(r"v(\d+)\.", node.told)
    if version is None:
        said = " ".join(node.told.split())[:SHOWN]
        return warn("Node", f"`node --version` said no version: {said or 'nothing'}", NODE)
    return node if int(version[1]) >= LEAST_NODE else warn("Node", f"{node.told}: too old", NODE)


def _tool(name: str, words: list[str], remedy: str, run: Run) -> Line:
    if shutil.which(words[0]) is None:
        return warn(name, f"no `{words[0]}` on PATH", remedy)
    try:
        done = run(words)
    except (OSError, subprocess.SubprocessError) as error:
        return warn(name, f"`{' '.join(words)}` gave no answer: {error}", remedy)
    if done.returncode != 0:
        return warn(name, f"`{' '.join(words)}` ended with {done.returncode}", remedy)
    return ok(name, done.stdout.strip().removeprefix("go version "))


async def client(config: Config, rows: RequirementSet) -> Line:
    """One start of the client that is configured, as `brokercert check` makes it."""
    if not config.command:
        return warn("client", f"none is named in {config.where}", "`brokercert init` writes a brokercert.toml")
    try:
        spec = client_asked(config, rows)
        seen: Seen = await look(spec, rows)
    except UsageError as error:
        return bad("client", str(error), "correct its command")
    first = told(seen)[0]
    if came(seen):
        return ok("client", f"{spec.name}: {first}")
    lines = last_lines(seen)
    return bad(
        "client",
        f"{spec.name}: {first}; its last line: {lines[-1] if lines else 'none'}",
        "`brokercert check` shows all that it did",
    )
