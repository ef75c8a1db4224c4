"""Which requirement set is meant where none is named, and the pytest marker of each of ours: data/sets.json.

It stands apart from the sets because the pytest plugin reads it in every run of everybody who has brokercert
installed: nothing heavy may be imported here.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "sets.json").read_text("utf-8"))
    return data


def default_set() -> str:
    return str(_data()["default"])


def markers() -> dict[str, str]:
    """Marker -> the id of its set, as the set itself says too."""
    return dict(_data()["markers"])
