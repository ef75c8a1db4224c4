"""Scenarios of the rows CON-*."""
