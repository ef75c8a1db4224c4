"""Makes `stories.py` importable: several files here share it, and a test is imported by its path."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
