"""What a client under test is told (docs/subject-protocol.md), and what the report tells of the machine."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from brokercert.engine.play.broker import Broker

LIBRARIES = ("websockets", "h11", "msgspec", "pytest", "toxiproxy-python")


def subject_environment(broker: Broker, *, host: str, port: int, scenario: str, state_dir: Path) -> dict[str, str]:
    """The BROKERCERT_* variables of one scenario: a URL, credentials, and a token that is ready to use."""
    facts = broker.client_facts(host, port)
    told = {
        "PROTOCOL": "1",
        **_in_parts(facts),
        **facts,
        "SCENARIO": scenario,
        "STATE_DIR": str(state_dir),
    }
    return {f"BROKERCERT_{name}": value for name, value in told.items()}


def _in_parts(facts: Mapping[str, str]) -> dict[str, str]:
    """The addresses among a broker's facts, for clients that put them together themselves. Market data has a socket of
    its own where the broker says so.
    """
    url = urlsplit(facts["URL"])
    rest = urlsplit(facts.get("REST_URL", ""))
    return {
        "HOST": url.hostname or "",
        "PORT": str(url.port or ""),
        "WS_BASE": f"{url.scheme}://{url.netloc}",
        **({"REST_BASE": f"{rest.scheme}://{rest.netloc}"} if rest.netloc else {}),
        "MD_URL": facts["URL"],
    }


@cache
def tool() -> str:
    """This program and its version, as records name it. Looked up once: that reads files."""
    return f"brokercert {version('brokercert')}"


def machine() -> dict[str, str]:
    """What an auditor may want to know of where a run was made."""
    load = ", ".join(f"{x:.2f}" for x in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpus": str(os.cpu_count()),
        "load average at the start": load,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "executable": Path(sys.executable).name,
        **{name: version(name) for name in LIBRARIES},
    }
