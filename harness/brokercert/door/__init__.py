"""The pytest door's two ends: pytest's own process (`process.py`, standard library only) and the engine's."""
