"""The suites: one package a requirement set, one folder an area."""
