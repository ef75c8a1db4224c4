"""Fuzzing: hostile frames for a client's handler in this process, for any client over the wire, and for our parsers."""
