"""Says that the main thread has no event loop, before any test runs.

Else looptime's plugin, which asks for one around every synchronous test, makes the default policy create one that
nobody closes; it surfaces later, as an error of whichever test the garbage collector happens to run in.
"""

import asyncio
import sys
from pathlib import Path

asyncio.set_event_loop(None)
# `scripted_server.py` is shared by several files here, and no package: a test is imported by its path.
sys.path.insert(0, str(Path(__file__).parent))
