"""Scenarios of the rows HBT-*."""
