"""Mutants that must fail rows HBT-*."""
