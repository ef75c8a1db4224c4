"""Scenarios of the rows REC-*."""
