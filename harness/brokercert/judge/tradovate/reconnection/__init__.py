"""Checks of the rows REC-*."""
