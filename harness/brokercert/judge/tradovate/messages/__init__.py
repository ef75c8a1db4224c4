"""Checks of the rows MSG-*."""
