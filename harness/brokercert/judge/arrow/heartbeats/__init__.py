"""Checks of the rows AOH-*."""
