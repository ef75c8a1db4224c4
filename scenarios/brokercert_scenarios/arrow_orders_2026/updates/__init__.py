"""Scenarios of the rows AOU-*."""
