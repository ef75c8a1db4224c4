"""Mutants that must fail rows CON-*."""
