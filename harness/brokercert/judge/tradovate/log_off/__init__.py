"""Checks of the rows OFF-*."""
