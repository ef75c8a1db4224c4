"""Mutants that must fail rows REQ-*."""
