"""The suites: one package a requirement set, one file an area."""
