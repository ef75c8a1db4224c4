"""Makes importable what the tests of both brokers tell by hand."""

from __future__ import annotations

import sys
from pathlib import Path

JUDGE = Path(__file__).parents[1]
sys.path[:0] = [str(Path(__file__).parent), *(str(JUDGE / name) for name in ("tradovate", "arrow", "tradovate/events"))]
