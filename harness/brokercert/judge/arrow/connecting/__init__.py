"""Checks of the rows AOC-*."""
