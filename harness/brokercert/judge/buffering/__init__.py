"""Whether a client's reports lay in its own output buffer."""
