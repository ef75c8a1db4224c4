"""Mutants that must fail rows REC-*."""
