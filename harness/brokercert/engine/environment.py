"""What a client under test is told (docs/subject-protocol.md), and what the report tells of the machine."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from brokercert_mock import TradovateBroker

LIBRARIES = ("websockets", "h11", "msgspec", "pytest", "toxiproxy-python")


def subject_environment(
    broker: TradovateBroker, *, host: str, port: int, scenario: str, state_dir: Path
) -> dict[str, str]:
    """The BROKERCERT_* variables of one scenario: a URL, credentials, and a token that is ready to use."""
    who = broker.credentials
    token = broker.issue_token()
    return {
        "BROKERCERT_PROTOCOL": "1",
        "BROKERCERT_URL": f"ws://{host}:{port}/v1/websocket",
        "BROKERCERT_REST_URL": f"http://{host}:{port}/v1",
        "BROKERCERT_TOKEN": token.access,
        "BROKERCERT_MD_TOKEN": token.md,
        "BROKERCERT_TOKEN_EXPIRES": token.expires,
        "BROKERCERT_USER": who.name,
        "BROKERCERT_PASSWORD": who.password,
        "BROKERCERT_APP_ID": who.app_id,
        "BROKERCERT_APP_VERSION": who.app_version,
        "BROKERCERT_CID": str(who.cid),
        "BROKERCERT_SEC": who.sec,
        "BROKERCERT_DEVICE_ID": who.device_id,
        "BROKERCERT_USER_ID": str(who.user_id),
        "BROKERCERT_ACCOUNTS": ",".join(map(str, who.accounts)),
        "BROKERCERT_SCENARIO": scenario,
        "BROKERCERT_STATE_DIR": str(state_dir),
    }


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
