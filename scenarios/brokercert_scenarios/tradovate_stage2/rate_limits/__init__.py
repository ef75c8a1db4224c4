"""Scenarios of the rows RLP-*."""
