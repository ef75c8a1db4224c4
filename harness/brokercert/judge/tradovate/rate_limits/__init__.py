"""Checks of the rows RLP-*."""
