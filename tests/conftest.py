"""Says that the main thread has no event loop, before any test runs.

Else looptime's plugin, which asks for one around every synchronous test, makes the default policy create one that
nobody closes; it surfaces later, as an error of whichever test the garbage collector happens to run in.
"""

import asyncio
import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A process that a script started in the background ignores Ctrl-C, and so would every program that tests end by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

asyncio.set_event_loop(None)
