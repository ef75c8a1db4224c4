"""Checks of the rows LOG-*."""
