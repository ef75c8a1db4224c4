"""What a client's command means: the program that it names, its environment.

The law: a command that cannot be started is told with what was looked for and what to do, before anything is run.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from brokercert.engine.ask.given import is_file, is_folder, is_there
from brokercert.engine.client import clocks, leftovers
from brokercert.engine.client.inherited import inherited
from brokercert.engine.client.placeholders import fill
from brokercert.engine.client.subject import SubjectError, SubjectSpec

LONGEST_SHEBANG = 256  # bytes that Linux reads of it
PROXIES = ("http", "https", "all", "ftp", "ws", "wss", "socks", "socks5")  # <name>_proxy, in both cases
LOOPBACK = "localhost,127.0.0.1,::1"


def environment_of(spec: SubjectSpec, env: Mapping[str, str], state_dir: Path) -> dict[str, str]:
    """The environment of a client: what it inherits of ours, without proxies and without our own settings; its own; and
    the scenario's.
    """
    result = {
        name: value
        for name, value in inherited(os.environ, spec.inherit_env).items()
        if name.lower() not in {f"{proxy}_proxy" for proxy in PROXIES} and not name.startswith("BROKERCERT_")
    }
    folder = str(state_dir / "tmp")
    result |= {"NO_PROXY": LOOPBACK, "no_proxy": LOOPBACK, "TMPDIR": folder, "TMP": folder, "TEMP": folder}
    result.setdefault("PYTHONUNBUFFERED", "1")  # else a Python client that is killed takes its last lines with it
    result |= {name: fill(value, env, spec.placeholders) for name, value in spec.env.items()}
    if clocks.VARIABLE in env:
        result |= clocks.shimmed(result)
    return result | {**env, leftovers.MARK: str(state_dir)}


def find_command(spec: SubjectSpec, environ: Mapping[str, str] = os.environ) -> str:
    """The program that a subject's command names. Raises `SubjectError`: not there, or not executable."""
    assert spec.command is not None
    if not spec.command or not spec.command[0]:
        raise SubjectError("the client's command is empty; expected a program and its arguments, after `--`")
    name = fill(spec.command[0], {}, spec.placeholders)
    if not is_folder(spec.cwd):
        raise SubjectError(f"the client's working directory {spec.cwd} does not exist; set `cwd` under [subject]")
    if os.sep not in name:
        found = shutil.which(name, path=environ.get("PATH"))
        if found is None:
            raise SubjectError(f"the client's command {name!r} was not found on PATH; install it or give its path")
        return _executable(str(Path(found).absolute()), name, spec.cwd)
    path = spec.cwd / name
    if not is_file(path):
        if is_there(path):
            raise SubjectError(f"the client's command {name!r} is no file (looked at {path}); name a program")
        raise SubjectError(f"the client's command {name!r} does not exist (looked for {path})")
    if not os.access(path, os.X_OK):
        raise SubjectError(f"the client's command {name!r} is not executable; chmod +x it, or name its interpreter")
    return _executable(str(path), name, spec.cwd)


def _executable(path: str, name: str, cwd: Path) -> str:
    """`path`, whose interpreter is there if its first line names one. Raises `SubjectError`."""
    try:
        with open(path, "rb") as file:
            first = file.readline(LONGEST_SHEBANG)
    except OSError:
        return path  # may be executed, if not read
    if first.startswith(b"#!"):
        # As the kernel takes it: a carriage return is part of the name.
        interpreter = os.fsdecode(re.split(rb"[ \t]+", first[2:].strip(b" \t\n"))[0])
        if not os.access(cwd / interpreter, os.X_OK):
            raise SubjectError(
                f"the client's command {name!r} names {interpreter!r} in its first line, which cannot be executed; "
                "correct that line, or name the interpreter before the script"
            )
    return path
