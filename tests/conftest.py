"""Says that the main thread has no event loop, before any test runs.

Else looptime's plugin, which asks for one around every synchronous test, makes the default policy create one that
nobody closes; it surfaces later, as an error of whichever test the garbage collector happens to run in.
"""

import asyncio

asyncio.set_event_loop(None)
