"""A broker without a protocol: its port, its connections, their faults, the rules laid over it."""
