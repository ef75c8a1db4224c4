"""Toxiproxy: an embedded server with the same HTTP API, and the one driver for it and for a real one."""
