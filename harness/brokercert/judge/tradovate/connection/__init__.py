"""Checks of the rows CON-*."""
