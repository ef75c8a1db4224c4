"""Mutants that must fail rows MSG-*."""
