"""The engine: plays scenarios against a client under test, and has the traces judged."""
