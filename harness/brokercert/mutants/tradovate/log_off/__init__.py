"""Mutants that must fail rows OFF-*."""
