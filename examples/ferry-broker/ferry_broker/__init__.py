"""The Ferry protocol for brokercert: a broker of a package of its own (docs/new-dialect.md)."""
