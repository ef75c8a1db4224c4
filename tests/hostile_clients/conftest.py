"""Makes importable what the tests here share with those of the engine: a test is imported by its path."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "engine")]
