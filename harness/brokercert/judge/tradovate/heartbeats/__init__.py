"""Checks of the rows HBT-*."""
