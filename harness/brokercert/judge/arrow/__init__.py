"""The Arrow dialect's checks, over the fold of its traces. They share no code with the broker or the client."""
