"""Mutants that must fail rows LOG-*."""
