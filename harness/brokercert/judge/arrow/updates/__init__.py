"""Checks of the rows AOU-*."""
