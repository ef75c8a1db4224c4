"""Says that the main thread has no event loop, before any test runs; why: tests/engine/conftest.py."""

import asyncio

asyncio.set_event_loop(None)
