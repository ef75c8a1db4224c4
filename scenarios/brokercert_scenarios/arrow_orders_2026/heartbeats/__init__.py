"""Scenarios of the rows AOH-*."""
