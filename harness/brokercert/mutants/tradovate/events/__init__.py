"""Mutants that must fail rows EVT-*."""
