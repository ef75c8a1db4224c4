"""Mutants that must fail rows RLP-*."""
